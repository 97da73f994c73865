"""No argument of any tool makes the server open a file outside of the data folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memories.core import mirror, records
from memories.core.paths import DataFolder
from tests.core.transcript_lines import OTHER_SESSION, SESSION, short_session
from tests.mcp_bridge.client import Server
from tests.mcp_bridge.conftest import StartServer

BAIT = "BAITOUTSIDE"
"""A word of every file that no answer may hold."""

WATCH = """
import os, sys
_log = os.open(os.environ["TEST_OPENED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
_bait = os.environ["TEST_BAIT"]


def _watch(event, arguments):
    if event in ("open", "os.listdir", "os.scandir", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect"):
        for path in arguments[:2]:
            if isinstance(path, (str, bytes)):
                path = os.path.realpath(os.fsdecode(path).removeprefix("file:").partition("?")[0])
                if path.startswith(_bait):
                    os.write(_log, (event + " " + path + "\\n").encode("utf-8", "replace"))


sys.addaudithook(_watch)
"""


def _values(outside: Path) -> list[str]:
    name = outside.name
    up = "../" * 6
    return [
        "..", "../..", f"../{name}", f"../{name}/secret", f"../../{name}/secret.jsonl",
        f"{up}{str(outside)[1:]}/secret",
        str(outside), f"{outside}/secret", f"{outside}/secret.jsonl", f"{outside}/secret.json",
        f"file://{outside}/secret",
        f"%2e%2e/{name}/secret", f"..%2f{name}%2fsecret", f"..\\\\{name}\\\\secret", f"..\u2215{name}",
        f"./../{name}/secret",
        f"{SESSION}/../../../{name}/secret", f"{SESSION}/agent-../../../{name}/secret",
        f"{SESSION}/../{OTHER_SESSION}",
        f"{OTHER_SESSION}", f"{OTHER_SESSION}/agent-x", f"{SESSION}/agent-link", f"{SESSION}\0/../../{name}/secret",
        f"\0{outside}/secret", f"~/{name}/secret", "~root", "$HOME", "/etc/passwd", "/dev/stdin", "/proc/self/environ",
        f"{'a' * 32}/../../../{name}/secret", "a" * 32, "b" * 32, f"{'a' * 32}.json", f"../records/{'a' * 32}",
        f"path:{outside}", f"git:../../{name}", f"marker:../{name}", f"1:0/../{name}", "con", "-", "", " ", "\n",
    ]  # fmt: skip


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with bait, beside the data folder."""
    found = tmp_path / "outside"
    (found / "records").mkdir(parents=True)
    record = records.new_record(type="note", content=BAIT, project="orders")
    lines = json.dumps({"type": "user", "message": {"role": "user", "content": BAIT}, "cwd": "/x"}).encode() + b"\n"
    for name in ("secret", "secret.json", "secret.jsonl"):
        (found / name).write_bytes(lines if name.endswith("l") else records.dump(record))
    (found / f"{'a' * 32}.json").write_bytes(records.dump({**record, "uuid": "a" * 32}))
    (found / f"{'b' * 32}.json").write_bytes(
        records.dump({**record, "uuid": "b" * 32, "deleted_at": "2027-01-01T00:00:00"})
    )
    (found / "session").mkdir()
    (found / "session" / "agent-x.jsonl").write_bytes(lines)
    return found


@pytest.fixture
def baited(folder: DataFolder, outside: Path, project: Path) -> DataFolder:
    """A data folder with links to the bait wherever a tool reads."""
    Path(folder.transcripts, f"{SESSION}.jsonl").write_bytes(short_session(str(project)).dump())
    agents = Path(folder.transcripts, SESSION, "subagents")
    agents.mkdir(parents=True)
    (agents / "agent-link.jsonl").symlink_to(outside / "secret.jsonl")
    Path(folder.transcripts, f"{OTHER_SESSION}.jsonl").symlink_to(outside / "secret.jsonl")
    Path(folder.transcripts, OTHER_SESSION).symlink_to(outside / "session")
    Path(folder.records, f"{'a' * 32}.json").symlink_to(outside / f"{'a' * 32}.json")
    Path(folder.trash, f"{'b' * 32}.json").symlink_to(outside / f"{'b' * 32}.json")
    mirror.update(folder)
    return folder


def _calls(value: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every string argument of every tool, with this value."""
    note = {"content": "a note", "type": "note"}
    for name in ("content", "project", "session_id", "transcript_ref", "tags"):
        yield "memory_store", {**note, "content": f"a note {value!r} {name}", name: value}
    link = {"to_uuid": value, "relationship": "related_to"}
    yield "memory_store", {**note, "connections": [link]}
    yield (
        "memory_store",
        {"content": f"# n\n\n{value}", "type": "narrative", "project": value, "accept_losses": [value]},
    )
    for name in ("query", "project", "type", "scope", "since", "until", "tags"):
        yield "memory_search", {"query": "secret", "scope": "all", name: value}
    for name in ("project", "type"):
        yield "memory_recent", {name: value}
    for tool in ("memory_get", "memory_explore", "memory_delete"):
        yield tool, {"uuid": value}
    yield "memory_connect", {"from_uuid": value, "to_uuid": value, "relationship": "related_to"}
    yield "narrative_coverage", {"project": value}
    yield "transcript_read", {"session_id": value}
    yield "transcript_read", {"session_id": SESSION, "cursor": value}
    for name in ("project", "source"):
        yield "memory_brief", {name: value}


QUICK = 9
"""Every so manyth value is tried in the normal suite; all of them take a minute."""


@pytest.mark.parametrize("step", [QUICK, pytest.param(1, marks=pytest.mark.long)])
def test_no_argument_leads_out_of_the_data_folder(
    baited: DataFolder, outside: Path, start: StartServer, tmp_path: Path, step: int
) -> None:
    opened = tmp_path / "opened"
    server: Server = start(script=WATCH, environ={"TEST_OPENED": str(opened), "TEST_BAIT": str(outside)})
    server.initialize()
    server.call("memory_recent")
    tools = {tool["name"] for tool in server.request("tools/list")["result"]["tools"]}
    before = {path: path.read_bytes() for path in sorted(outside.rglob("*")) if path.is_file()}
    asked = set()
    for value in _values(outside)[::step]:
        for tool, arguments in _calls(value):
            asked.add(tool)
            said = server.call(tool, **arguments).text
            assert BAIT not in said, (tool, arguments)
    assert asked == tools
    assert opened.read_text(encoding="utf-8") == ""
    assert {path: path.read_bytes() for path in sorted(outside.rglob("*")) if path.is_file()} == before
    assert not os.path.exists(tmp_path / "secret")

"""No secret comes out again: put in by every way there is, asked for by every way out."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from memories.core import records
from memories.core.paths import DataFolder
from tests.core.transcript_lines import SESSION, Script
from tests.dashboard.conftest import BrowserLikeClient
from tests.hooks.conftest import Hooks
from tests.mcp_bridge.client import Server
from tests.memories.disagreements import MARK
from tests.terminal.running import call

LINK = re.compile(r'(?:href|hx-get|hx-post|data-[a-z-]*url|src)="(/[^"]*)"')
GIVEN_BACK = "[redacted: github-token]"


class Secrets:
    """Makes a secret for each place that one is put in, and finds those that came out."""

    def __init__(self) -> None:
        self.all: dict[str, str] = {}

    def token(self, where: str) -> str:
        """A token as GitHub makes them, another for each place."""
        digits = hashlib.sha256(where.encode()).hexdigest()[:36]
        self.all[where] = digits
        return f"ghp_{digits}"

    def private(self, where: str) -> str:
        """A passage that its author marked as private."""
        self.all[f"{where}, private"] = word = "zq" + hashlib.sha256(where.encode()).hexdigest()[:12]
        return f"<PRIVATE>the {word} plan</private>"

    def in_text(self, text: str | bytes) -> list[str]:
        """The places whose secret is in a text, whole or its first or second half."""
        data = text.encode("utf-8", "replace") if isinstance(text, str) else text
        found = []
        for where, secret in self.all.items():
            halves = (secret, secret[: len(secret) // 2], secret[len(secret) // 2 :])
            if any(half.encode() in data for half in halves):
                found.append(where)
        return found


def session(secrets: Secrets, cwd: str) -> Script:
    """A session in which each kind of line holds a secret, some of them where pages and log lines are cut."""
    script = Script(cwd, SESSION)
    token = secrets.token
    script.user(f"Deploy the uploader with {token('request')} please. {secrets.private('request')}")
    script.answer(f"I will use {token('answer')} for the uploader.")
    script.assistant({"type": "thinking", "thinking": f"so {token('thinking')} it is", "signature": "x"})
    script.call("Bash", {"command": f"export X={token('command')} && deploy uploader"}, result=f"ok {token('output')}")
    script.call("Bash", {"command": "deploy --now"}, result=f"Exit code 1\nError: bad {token('error')}", failed=True)
    script.call("Edit", {"file_path": f"/srv/{token('path')}/conf.py", "old_string": token("old"), "new_string": "x"})
    script.call("mcp__vault__put", {"nested": {"deep": [token("nested")]}, token("name"): "value"})
    script.call("Bash", {"command": f"echo {'long ' * 36}{token('cut command')}"})
    todo = {"content": f"rotate {token('todo')}", "status": "pending", "activeForm": "x"}
    script.call("TodoWrite", {"todos": [todo]})
    script.user(f"We decided to always use {token('decision')} for deploys, never another.")
    script.answer(f"{'word ' * 1196}{token('cut turn')} {'word ' * 1500}")
    script.compaction(f"The user said {token('summary')}")
    script.attachment({"type": "queued_command", "prompt": f"also {token('queued')}", "commandMode": "prompt"})
    script.attachment(
        {"type": "hook_additional_context", "content": [f"told {token('told')}"], "hookName": "SessionStart"}
    )
    script.user(f"What about the uploader's {token('last request')}?", gitBranch=f"fix-{token('branch')}")
    script.answer("Nothing yet.")
    return script


def by_hand(folder: DataFolder, secrets: Secrets, where: str, *, kind: str = "note", **fields: Any) -> dict[str, Any]:
    """A record that somebody wrote into records/ with an editor."""
    text = f"# Uploader {where} {secrets.token(f'title of {where}')}\n\nThe key is {secrets.token(where)}. "
    record = records.new_record(type=kind, content=text + secrets.private(where), project="orders-api")
    record["tags"] = f"uploader, {secrets.token(f'tag of {where}')}"
    record["extra"] = {"deep": [secrets.token(f"extra of {where}")]}
    records.save(folder, record | fields)
    return record | fields


def put_in(folder: DataFolder, hooks: Hooks, secrets: Secrets) -> dict[str, str]:
    """Put secrets in by every way but the server. name -> uuid of the records that hold them as they are."""
    uuids = {"note": by_hand(folder, secrets, "note")["uuid"]}
    uuids["handoff"] = by_hand(folder, secrets, "handoff", tags="handoff", session_id="another")["uuid"]
    edited = by_hand(folder, secrets, "edited", created_at="2026-03-01T08:00:00", updated_at="2026-03-14T09:00:00")
    other = edited | {"content": f"uploader, other {secrets.token('other')}", "updated_at": "2026-03-13T09:00:00"}
    Path(folder.records, f"{edited['uuid']}{MARK}.json").write_bytes(records.dump(other | {"origin": "laptop"}))
    uuids["edited"] = edited["uuid"]
    older = by_hand(folder, secrets, "first narrative", kind="narrative", created_at="2026-03-01T08:00:00")
    link = {"to_uuid": older["uuid"], "relationship": "supersedes"}
    older |= {"status": "archived"}
    newer = by_hand(folder, secrets, "narrative", kind="narrative", connections=[link], accepted_losses=[])
    records.save(folder, older | {"archived_in": newer["uuid"]})
    uuids |= {"first narrative": older["uuid"], "narrative": newer["uuid"]}
    broken = records.new_record(type="note", content="x") | {"type": secrets.token("broken")}
    Path(folder.records, f"{broken['uuid']}.json").write_text(json.dumps(broken), encoding="utf-8")
    uuids["broken"] = broken["uuid"]
    path = session(secrets, str(hooks.project)).write(hooks.projects_dir)
    hooks.run("session_end", hooks.payload(path, reason="other"))
    return uuids


def of_hooks(hooks: Hooks) -> Iterator[tuple[str, str]]:
    """What the hooks say."""
    path = session(Secrets(), str(hooks.project)).path_in(hooks.projects_dir)
    for source in ("startup", "resume", "clear", "compact"):
        yield f"session_start {source}", hooks.start(source, path).stdout
    yield "pre_compact", hooks.run("pre_compact", hooks.payload(path, trigger="manual")).stdout
    yield "post_tool_use", hooks.run("post_tool_use", hooks.payload(path, tool_name="Bash")).stdout
    yield "session_end", hooks.run("session_end", hooks.payload(path, reason="other")).stdout
    yield "hook log", hooks.log


def of_tools(server: Server, uuids: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What the tools answer."""
    for scope in ("memories", "transcripts", "all"):
        yield f"search {scope}", server.call("memory_search", query="uploader key deploy", scope=scope, limit=50).text
    yield "recent", server.call("memory_recent", limit=100).text
    for name, uuid in uuids.items():
        yield f"get {name}", server.call("memory_get", uuid=uuid).text
        yield f"explore {name}", server.call("memory_explore", uuid=uuid, depth=3).text
    yield "coverage", server.call("narrative_coverage").text
    for source in ("startup", "resume", "clear", "compact"):
        yield f"brief {source}", server.call("memory_brief", source=source).text
    for arguments in ({"max_tokens": 200}, {"max_tokens": 20_000}, {"around": 5, "max_tokens": 300}, {"line": 3}):
        cursor: dict[str, Any] = dict(arguments)
        while cursor:
            text = server.call("transcript_read", session_id=SESSION, **cursor).text
            yield f"transcript_read {cursor}", text
            found = re.search(r"^Next: cursor=(\S+)$", text, re.MULTILINE)
            cursor = {"cursor": found[1], "max_tokens": arguments.get("max_tokens", 4000)} if found else {}
    yield (
        "connect",
        server.call("memory_connect", from_uuid=uuids["note"], to_uuid=uuids["edited"], relationship="related_to").text,
    )
    yield (
        "connect broken",
        server.call("memory_connect", from_uuid=uuids["note"], to_uuid=uuids["broken"], relationship="related_to").text,
    )
    yield "server log", server.stderr


def traits(link: str) -> set[str]:
    """What tells an address from others: its path, and each name in its query beside the kind of page."""
    path, _, query = link.partition("?")
    kind = re.sub(r"[0-9a-f-]{6,}", "#", path)
    return {path, *(f"{kind}?{pair.partition('=')[0]}" for pair in query.split("&"))}


def of_dashboard(client: Client) -> Iterator[tuple[str, str]]:
    """Every page that a link leads to, and what htmx asks for, each whole and as a fragment."""
    waiting = ["/", "/?q=uploader", "/?archived=1", "/graph/data/", "/status/checks/", "/status/sync/"]
    waiting += [
        f"/t/{SESSION}/",
        f"/t/{SESSION}/?q=key",
        f"/t/{SESSION}/?line=5",
        "/fresh/?since=0",
        "/?q=deploy&in=transcripts",
    ]
    seen = set[str]().union(*map(traits, waiting))
    while waiting:
        address = waiting.pop(0)
        for headers in ({}, {"HX-Request": "true"}):
            answer = client.get(address, headers=headers)
            page = (b"".join(answer) if answer.streaming else answer.content).decode("utf-8", "replace")
            yield f"{address} {headers}", unescape(page) + page
            for link in (unescape(found).partition("#")[0] for found in LINK.findall(page)):
                if not traits(link) <= seen and not link.startswith("/static/"):
                    seen |= traits(link)
                    waiting.append(link)


def of_commands(uuids: dict[str, str], kept: str) -> Iterator[tuple[str, str]]:
    """What the commands print that read."""
    lines = [
        ["search", "uploader", "key"], ["search", "uploader", "--scope", "all", "--json"], ["status"],
        ["search", "deploy", "uploader", "--scope", "transcripts"], ["status", "--json"], ["status", "--diff", kept],
        ["transcript", SESSION, "--all"], ["transcript", SESSION, "--json"], ["transcript"], ["doctor"],
        ["narrative"], ["narrative", "--versions"], ["narrative", "--diff"], ["narrative", "--json"],
        ["narrative", "--diff", uuids["first narrative"], "--json"], ["brief"], ["brief", "--source", "compact"],
        ["sync"],
    ]  # fmt: skip
    for name, *arguments in lines:
        out, err = io.StringIO(), io.StringIO()
        call(name, *arguments, stdout=out, stderr=err)
        yield " ".join([name, *arguments]), out.getvalue() + err.getvalue()


def of_files(folder: DataFolder, uuids: dict[str, str], but: set[str]) -> Iterator[tuple[str, bytes]]:
    """Each file's bytes, but those of the archive and of what was written by hand or came from another machine."""
    raw = {f"{uuid}.json" for uuid in uuids.values()} | but
    for place, _, names in os.walk(folder.root):
        for name in names:
            if name not in raw and not place.startswith(folder.transcripts):
                yield os.path.join(place, name), Path(place, name).read_bytes()


def test_a_secret_that_came_in_by_any_way_comes_out_by_none(
    memory_home: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks, secrets = Hooks(tmp_path, memory_home), Secrets()
    monkeypatch.chdir(hooks.project)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(hooks.claude))
    uuids = put_in(memory_home, hooks, secrets)
    said: list[tuple[str, str | bytes]] = []
    call("sync", stdout=io.StringIO())
    with Server(memory_home, hooks.project, environ=hooks.env | {"CLAUDE_CODE_SESSION_ID": SESSION}) as server:
        server.initialize()
        for kind in ("note", "session_log"):
            stored = server.call(
                "memory_store", type=kind, tags=f"uploader, {secrets.token(f'{kind} tag')}",
                content=f"uploader {kind} {secrets.token(f'{kind} stored')} {secrets.private(kind)}",
                session_id=secrets.token(f"{kind} session"), project=f"p {secrets.token(f'{kind} project')}",
            )  # fmt: skip
            assert stored.structured["status"] == "stored"
            assert any(GIVEN_BACK in one for one in stored.structured["warnings"])
            said.append((f"store {kind}", stored.text))
        rewritten = server.call("memory_store", content="# Uploader\n\nIt uploads.", type="narrative")
        said.append(("store narrative", rewritten.text))
        stored = server.call("memory_store", content=f"# U {secrets.token('new narrative')}", type="narrative")
        said.append(("store narrative", stored.text))
        said += of_tools(server, uuids)
        deleted = server.call("memory_delete", uuid=uuids["note"])
        said.append(("delete", deleted.text))
    said += of_hooks(hooks)
    kept = [path.name for path in Path(memory_home.records).iterdir() if b'"conflict_of"' in path.read_bytes()]
    said += of_commands(uuids, kept[0].removesuffix(".json"))
    said += of_dashboard(BrowserLikeClient(SERVER_NAME="127.0.0.1"))
    said += of_files(memory_home, uuids, set(kept))
    assert {where: secrets.in_text(text) for where, text in said if secrets.in_text(text)} == {}
    assert sum(GIVEN_BACK in text for _, text in said if isinstance(text, str)) > 40
    archived = Path(memory_home.transcripts, f"{SESSION}.jsonl").read_bytes()
    assert set(secrets.in_text(archived)) >= {"request", "output", "cut turn"}

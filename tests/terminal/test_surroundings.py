"""Commands that are started with closed or full streams, in a poor locale, in a folder that is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from llm_memory_site import command_line
from memories import plain_connection
from memories.core import mirror, records
from memories.core.errors import StorageError
from memories.core.paths import DataFolder
from memories.terminal import surroundings
from tests.conftest import MakeRecord
from tests.other_user import NOBODY, as_nobody, as_root, open_place
from tests.terminal.cli import MANAGE, Cli
from tests.terminal.running import call, said

LETTERS = "Zoë asked for 日本 and \U0001f600."


@pytest.fixture
def cli(tmp_path: Path, folder: DataFolder) -> Cli:
    return Cli(tmp_path, folder)


def through_a_shell(cli: Cli, line: str) -> subprocess.CompletedProcess[str]:
    """`llm-memory LINE`, whose redirections a shell makes."""
    start = " ".join(cli.command())
    done = subprocess.run(
        ["/bin/sh", "-c", f"{start} {line}"], capture_output=True, text=True, check=False, cwd=cli.project, env=cli.env
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, *words: str) -> str:
    """What a command writes where the locale has that encoding."""
    out = BytesIO()
    with TextIOWrapper(out, encoding=encoding) as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert command_line.run([str(MANAGE), *words]) == 0
        return out.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("latin-1", "Zoë asked for \\u65e5\\u672c and \\U0001f600."),
        ("ascii", "Zo\\xeb asked for \\u65e5\\u672c and \\U0001f600."),
        ("utf-8", LETTERS),
    ],
)
def test_letters_that_the_locale_lacks_are_escaped(
    monkeypatch: pytest.MonkeyPatch, keep: MakeRecord, encoding: str, shown: str
) -> None:
    keep(LETTERS)
    assert shown in printed(monkeypatch, encoding, "recent")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_json_is_json_in_every_locale(monkeypatch: pytest.MonkeyPatch, keep: MakeRecord, encoding: str) -> None:
    keep(LETTERS)
    text = printed(monkeypatch, encoding, "recent", "--json")
    assert json.loads(text)["results"][0]["content"] == LETTERS
    assert (LETTERS in text) == (encoding == "utf-8")


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("recent >&-", 0, ""),
        ("help >&- 2>&- <&-", 0, ""),
        ("store - <&-", 1, "Error: content must be text that is not empty."),
        ("recent >/dev/full", 1, "Error: Cannot write the output: No space left on device.\n"),
        ("recent --json >/dev/full", 1, "Error: Cannot write the output: No space left on device.\n"),
        ("export - >/dev/full", 1, "Error: Cannot write the output: No space left on device.\n"),
        ("help >/dev/full", 1, "Error: Cannot write the output: No space left on device.\n"),
        ("help search >/dev/full", 1, "Error: Cannot write the output: No space left on device.\n"),
    ],
)
def test_a_stream_that_is_closed_or_full_is_no_crash_and_no_fault_of_the_memory(
    cli: Cli, line: str, code: int, told: str
) -> None:
    done = through_a_shell(cli, line)
    assert (done.returncode, done.stderr.strip()) == (code, told.strip())


def test_nobody_can_be_asked_where_the_input_is_closed(
    keep: MakeRecord, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = keep("x")
    monkeypatch.setattr(sys, "stdin", None)
    assert command_line.run([str(MANAGE), "delete", record["uuid"]]) == 1
    assert "nobody can be asked: say --yes" in capsys.readouterr().err
    sys.stdin.close()


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_an_output_that_refuses_in_the_middle_is_said_to_be_the_output(
    keep: MakeRecord, words: tuple[str, ...]
) -> None:
    keep("x")
    full = TextIOWrapper(open("/dev/full", "wb", buffering=0), encoding="utf-8", write_through=True)  # noqa: SIM115
    with full, pytest.raises(StorageError, match=r"^Cannot write the output: No space left on device\.$"):
        call("recent", *words, stdout=full)


@pytest.mark.parametrize("words", [("recent",), ("store", "x"), ("search", "x")])
def test_a_current_folder_that_is_gone_is_what_is_said(
    project: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(StorageError, match=r"^The folder you are in is gone: go to another one\.$"):
        said(*words)
    assert not os.listdir(project.records)


READING = (
    ["recent"], ["search", "Tuesdays"], ["show", "{uuid}"], ["brief", "--project", "shop"], ["narrative", "shop"],
)  # fmt: skip


@as_root  # whom no mode keeps from writing
def test_a_data_folder_that_can_only_be_read_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "django.apps")  # these commands run without
    with open_place() as place:
        folder = DataFolder(str(place / "memory"))
        folder.create()
        monkeypatch.setenv("LLM_MEMORY_HOME", folder.root)
        monkeypatch.chdir(place)
        record = records.new_record(type="narrative", content="Deploys go out on Tuesdays.", project="shop")
        records.save(folder, record)
        mirror.update(folder)

        def read() -> bytes:
            shown = [said(*(word.format(uuid=record["uuid"]) for word in words)) for words in READING]
            plain_connection.close_all()
            return str(["Deploys go out on Tuesdays." in text for text in shown]).encode()

        read()  # imports what the other user's process could not
        for inside, _, names in os.walk(folder.root, topdown=False):
            for path, mode in ((inside, 0o500), *((os.path.join(inside, name), 0o400) for name in names)):
                os.chown(path, NOBODY, NOBODY)
                os.chmod(path, mode)
        assert not os.path.exists(f"{folder.mirror}-wal")
        assert as_nobody(read) == b"[True, True, True, True, True]"


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf_8", None])
def test_utf_8_takes_all(encoding: str | None) -> None:
    class Stream:
        def __init__(self) -> None:
            self.encoding = encoding

    assert surroundings.takes_all(Stream())  # type: ignore[arg-type]

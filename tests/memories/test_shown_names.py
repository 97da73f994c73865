"""Names that somebody else chose, as sync, export and import print them: nothing in them acts on a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core.paths import DataFolder
from memories.management.shown import shown
from tests.conftest import MakeRecord
from tests.core.bundles import data_folder, export, write_transcript
from tests.core.transcript_lines import SESSION
from tests.terminal.cli import Cli


@pytest.fixture
def cli(tmp_path: Path, folder: DataFolder) -> Cli:
    return Cli(tmp_path, folder)


@given(st.text())
def test_a_shown_name_is_one_printable_line(text: str) -> None:
    said = shown(text)
    assert said == said.encode().decode()
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in said)
    assert len(said.splitlines()) <= 1


@pytest.mark.parametrize("command", [("sync",), ("export", "all.tar")])
def test_a_copys_name_cannot_write_to_the_terminal(
    cli: Cli, folder: DataFolder, make_record: MakeRecord, tmp_path: Path, command: tuple[str, ...]
) -> None:
    uuid = make_record("A note.")["uuid"]
    name = f"{uuid} (a\x1b[2J\nb\u202e's conflicted copy 2026-03-14).json"
    Path(folder.records, name).write_bytes(b"{ half a")
    said = cli.run(*(str(tmp_path / part) if part.endswith(".tar") else part for part in command))
    assert f"{uuid} (a[2J b's conflicted copy 2026-03-14).json: " in said
    assert not {"\x1b", "\u202e"}.intersection(said)


def test_a_member_s_name_cannot_write_to_the_terminal(cli: Cli, folder: DataFolder, tmp_path: Path) -> None:
    other = data_folder(tmp_path / "other")
    write_transcript(other, f"{SESSION}/a\x9b2J\u202eb.txt", b"text")
    export(other, tmp_path / "all.tar")
    Path(folder.transcripts, SESSION).write_text("in the way", encoding="utf-8")
    said = cli.run("import", str(tmp_path / "all.tar"))
    assert f"  not merged: transcripts/{SESSION}/a2Jb.txt: File exists" in said
    assert not {"\x9b", "\u202e"}.intersection(said)

"""Names of versions that differ, and comparing whole files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from memories.core import diverged, transcripts
from memories.core.paths import DataFolder
from tests.core.transcript_lines import SESSION

DIGEST = "0123456789abcdef" * 4
MAIN = f"{SESSION}.jsonl"


@pytest.mark.parametrize(
    ("name", "version"),
    [
        (MAIN, f"{SESSION}/diverged-0123456789ab.jsonl"),
        (f"{SESSION}/subagents/agent-a1.jsonl", f"{SESSION}/subagents/agent-a1-diverged-0123456789ab.jsonl"),
        (f"{SESSION}/subagents/agent-a1.meta.json", f"{SESSION}/subagents/agent-a1.meta-diverged-0123456789ab.json"),
        (f"{SESSION}/tool-results/bare", f"{SESSION}/tool-results/bare-diverged-0123456789ab"),
        (f"{SESSION}/{MAIN}", f"{SESSION}/{SESSION}-diverged-0123456789ab.jsonl"),
    ],
)
def test_a_version_is_named_after_its_file_and_its_bytes(name: str, version: str) -> None:
    assert diverged.version_name(name, DIGEST) == version
    assert diverged.original(version) == name
    assert diverged.original(diverged.version_name(name, DIGEST, 64)) == name
    assert diverged.original(name) == name


@pytest.mark.parametrize("name", [
    "x/diverged-0123456789ab.jsonl", f"{SESSION}/diverged-0123.jsonl", f"{SESSION}/diverged-0123456789ab.txt",
    f"{SESSION}/agent-diverged-0123456789AB.jsonl", "x-diverged-0123456789ab.jsonl", f"{SESSION}/-diverged-x",
])  # fmt: skip
def test_other_names_are_nobodys_version(name: str) -> None:
    assert diverged.original(name) == name


def test_versions_are_the_regular_files_of_that_file_only(folder: DataFolder, tmp_path: Path) -> None:
    place = Path(folder.transcripts, SESSION)
    assert diverged.versions(folder, MAIN) == []
    (place / "subagents").mkdir(parents=True)
    for name in ("diverged-aaaaaaaaaaaa.jsonl", "diverged-bbbbbbbbbbbb.jsonl", "x-diverged-aaaaaaaaaaaa.jsonl",
                 "subagents/a-diverged-aaaaaaaaaaaa.jsonl", "subagents/a.jsonl"):  # fmt: skip
        (place / name).write_bytes(b"")
    (place / "diverged-cccccccccccc.jsonl").mkdir()
    os.symlink(tmp_path, place / "diverged-dddddddddddd.jsonl")
    assert diverged.versions(folder, MAIN) == [f"{SESSION}/diverged-{letter * 12}.jsonl" for letter in "ab"]
    agents = [f"{SESSION}/subagents/a-diverged-aaaaaaaaaaaa.jsonl"]
    assert diverged.versions(folder, f"{SESSION}/subagents/a.jsonl") == agents


def test_whole_files_are_compared(tmp_path: Path) -> None:
    size = transcripts.CHUNK_BYTES + 1
    for first, second, is_one in (
        (b"", b"", True), (b"a", b"ab", True), (b"ab", b"a", False), (b"a", b"b", False),
        (b"a" * size, b"a" * size + b"b", True), (b"b" + b"a" * size, b"a" * size + b"ab", False),
    ):  # fmt: skip
        (tmp_path / "one").write_bytes(first)
        (tmp_path / "other").write_bytes(second)
        assert diverged.is_beginning(str(tmp_path / "one"), str(tmp_path / "other")) is is_one


def test_files_are_ordered_by_their_bytes_a_beginning_before_what_begins_with_it(tmp_path: Path) -> None:
    much = b"a" * transcripts.CHUNK_BYTES
    contents = [b"", b"a", much + b"a", much + b"b", b"b"]
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
    for one in range(5):
        for other in range(5):
            found = diverged.order(str(tmp_path / str(one)), str(tmp_path / str(other)))
            assert found == (one > other) - (one < other)


def test_a_file_set_aside_has_both_names_and_again_changes_nothing(tmp_path: Path) -> None:
    one, beside = tmp_path / "one", tmp_path / "beside"
    one.write_bytes(b"a")
    for _ in range(2):
        diverged.set_aside(str(one), str(beside))
        assert (one.read_bytes(), beside.read_bytes()) == (b"a", b"a")
    beside.unlink()
    for other in (b"b", b"aa", b""):
        beside.write_bytes(other)
        with pytest.raises(FileExistsError):
            diverged.set_aside(str(one), str(beside))
        assert (one.read_bytes(), beside.read_bytes()) == (b"a", other)


@pytest.mark.parametrize(("number", "moves"), [(errno.EPERM, True), (errno.EOPNOTSUPP, True), (errno.ENOSPC, False)])
def test_only_where_there_are_no_hard_links_a_file_set_aside_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, moves: bool
) -> None:
    one, beside = tmp_path / "one", tmp_path / "beside"
    one.write_bytes(b"a")

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    if moves:
        diverged.set_aside(str(one), str(beside))
        assert (one.exists(), beside.read_bytes()) == (False, b"a")
    else:
        with pytest.raises(OSError, match="space"):
            diverged.set_aside(str(one), str(beside))
        assert (one.read_bytes(), beside.exists()) == (b"a", False)

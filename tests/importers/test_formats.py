from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from memories.core.errors import ImportSourceError
from memories.core.paths import DataFolder
from memories.importers import formats
from tests.importers.sources import GRAPH, NOTES, claude_mem, tree


def test_a_source_is_recognised_by_what_it_is(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.write_bytes(gzip.compress(b"x"))
    plain = tmp_path / "plain"
    plain.write_bytes(b"\0" * 257 + b"ustar")
    tree(tmp_path / "ledgers", {"projects/shop.json": {}})
    tree(tmp_path / "old", {"records/x.json": {}})
    database = claude_mem(tmp_path)
    found = {
        str(path): formats.recognise(str(path))
        for path in (bundle, plain, tmp_path / "ledgers", tmp_path / "old", database, GRAPH, NOTES, NOTES / "design")
    }
    assert list(found.values()) == [
        "bundle", "bundle", "llm-memory", "llm-memory", "claude-mem", "server-memory", "basic-memory", "basic-memory",
    ]  # fmt: skip
    assert formats.recognise(str(tmp_path)) == "claude-mem"


@pytest.mark.parametrize("data", [b"", b"words", b'{"type": "user"}', b'"x"', b"[" * 70_000])
def test_what_is_none_of_them_is_an_error_that_lists_them(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    for path in (tmp_path / "x", tmp_path):
        with pytest.raises(ImportSourceError, match="--from: bundle, llm-memory, claude-mem, server-memory, basic-mem"):
            formats.recognise(str(path))


def test_a_file_that_is_not_there_or_is_another_kind_is_an_error(folder: DataFolder, tmp_path: Path) -> None:
    for format, path, said in (  # noqa: A001
        ("claude-mem", tmp_path / "none.db", "There is no"),
        ("claude-mem", tmp_path, "not a database"),
        ("llm-memory", GRAPH, "not LLM Memory's file"),
        ("server-memory", NOTES, "not a file"),
        ("basic-memory", GRAPH, "not a folder or a .md file"),
    ):
        with pytest.raises(ImportSourceError, match=said):
            formats.read(format, str(path), folder)
    with pytest.raises(ImportSourceError, match="Cannot read"):
        formats.recognise(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("format", "said"),
    [
        ("server-memory", "not server-memory's file"),
        ("claude-mem", "not claude-mem's database"),
        ("llm-memory", "not LLM Memory's file"),
    ],
)
def test_a_file_of_which_nothing_is_of_the_format_is_an_error_that_names_the_others(
    format: str,
    said: str,
    folder: DataFolder,
    tmp_path: Path,
) -> None:
    other = claude_mem(tmp_path) if format != "claude-mem" else GRAPH
    with pytest.raises(ImportSourceError, match=f"{said}.*--from: bundle, llm-memory, claude-mem, server-memory"):
        formats.read(format, str(other), folder)


@pytest.mark.parametrize("format", ["llm-memory", "basic-memory"])
def test_a_folder_in_which_nothing_is_of_the_format_is_an_error(
    format: str,
    folder: DataFolder,
    tmp_path: Path,
) -> None:
    root = tree(tmp_path / "else", {"a.txt": "words"})
    with pytest.raises(ImportSourceError, match=r"not (LLM M|basic-m)emory's: .*--from"):
        formats.read(format, str(root), folder)


def test_a_file_that_holds_nothing_yet_is_no_error(folder: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "memory.jsonl").write_bytes(b"\n")
    assert formats.read("server-memory", str(tmp_path / "memory.jsonl"), folder).items == []


def test_each_products_usual_place_is_known(folder: DataFolder, tmp_path: Path) -> None:
    home = Path(os.environ["HOME"])
    tree(home, {".claude-mem/claude-mem.db": "", "basic-memory/a.md": "", ".llm-memory/projects/a.json": {}})
    assert formats.usual_place("claude-mem", folder) == str(home / ".claude-mem" / "claude-mem.db")
    assert formats.usual_place("basic-memory", folder) == str(home / "basic-memory")
    assert formats.usual_place("llm-memory", folder) == str(home / ".llm-memory")
    assert formats.usual_place("server-memory", folder, {"MEMORY_FILE_PATH": str(GRAPH)}) == str(GRAPH)
    tree(Path(folder.root), {"items/a/b/c.json": {}})
    assert formats.usual_place("llm-memory", folder) == folder.root
    for format, said in (("server-memory", "name the file"), ("bundle", "Name the bundle")):  # noqa: A001
        with pytest.raises(ImportSourceError, match=said):
            formats.usual_place(format, folder, {})
    (home / ".claude-mem" / "claude-mem.db").unlink()
    with pytest.raises(ImportSourceError, match="Nothing of claude-mem is in"):
        formats.usual_place("claude-mem", folder)

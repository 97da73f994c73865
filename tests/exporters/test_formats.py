from __future__ import annotations

from pathlib import Path

import pytest

from memories.core.errors import StorageError
from memories.exporters.formats import of_path


@pytest.mark.parametrize(
    ("path", "format"),
    [
        ("-", "bundle"), ("a.tar", "bundle"), ("a.tar.gz", "bundle"), ("a.TGZ", "bundle"), ("a.jsonl", "jsonl"),
        ("a.html", "html"), ("a.htm", "html"), ("notes/", "markdown"),
    ],
)  # fmt: skip
def test_the_path_says_the_format(path: str, format: str) -> None:
    assert of_path(path) == format


def test_a_folder_that_is_there_is_for_markdown(tmp_path: Path) -> None:
    (tmp_path / "v1.2").mkdir()
    assert of_path(str(tmp_path / "v1.2")) == "markdown"


@pytest.mark.parametrize("path", ["memory", "notes.md", "a.zip", "memory.json"])
def test_a_path_that_could_be_anything_names_all_formats(path: str) -> None:
    with pytest.raises(StorageError, match=r"\.tar\.gz.*\.jsonl.*\.html.*Markdown.*--format"):
        of_path(path)

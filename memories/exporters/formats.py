"""Which format an export is written in: as asked for, else as the path says."""

from __future__ import annotations

import os

from memories.core.errors import StorageError
from memories.core.new_file import STDOUT

BUNDLE, MARKDOWN, JSONL, HTML = "bundle", "markdown", "jsonl", "html"
FORMATS = (BUNDLE, MARKDOWN, JSONL, HTML)

_SUFFIXES = {".tar": BUNDLE, ".gz": BUNDLE, ".tgz": BUNDLE, ".jsonl": JSONL, ".html": HTML, ".htm": HTML}


def of_path(path: str) -> str:
    """The format that a path means. Raises StorageError, naming all, where it could be another."""
    if path == STDOUT:
        return BUNDLE
    if path.endswith(("/", os.sep)) or os.path.isdir(os.path.expanduser(path)):
        return MARKDOWN
    found = _SUFFIXES.get(os.path.splitext(path)[1].lower())
    if found is None:
        raise StorageError(
            f"What {path} is to be cannot be told from its name. End it in .tar.gz or .tar (a bundle: everything, for "
            "another LLM Memory), .jsonl (a record a line), .html (a page of one session or project) or / (a folder of "
            "Markdown files), or say --format."
        )
    return found

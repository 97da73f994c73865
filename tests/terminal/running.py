"""Runs a command of people in this process."""

from __future__ import annotations

import importlib
from io import StringIO
from typing import TextIO

from memories.terminal import table


def call(name: str, *words: str, stdout: TextIO | None = None, stderr: TextIO | None = None) -> int:
    """Its exit code; what it says goes to sys.stdout and sys.stderr where nothing else is given. Raises its errors."""
    command = importlib.import_module(table.module(name)).Command(stdout, stderr)
    try:
        code: int = command.run(f"llm-memory {name}", list(words))
    except SystemExit as end:
        return int(end.code or 0)
    return code


def said(name: str, *words: str, code: int = 0) -> str:
    """What it prints. Raises its errors; another exit code than that given fails."""
    out = StringIO()
    assert call(name, *words, stdout=out) == code
    return out.getvalue()

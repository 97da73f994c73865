"""What a reading command loads before it reads: the time that it takes is mostly that of its imports."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

WRITERS = {
    "memories.core.session_facts",
    "memories.core.session_log_text",
    "memories.core.session_reading",
    "memories.core.turn_rows",
}
"""What makes session logs and reads new turns: a command that reads has no use for it."""


@pytest.mark.parametrize("name", ["brief", "narrative", "recent", "search", "show", "transcript"])
def test_a_reading_command_does_not_load_what_writes(name: str) -> None:
    assert _loaded(f"memories.terminal.{name}") & WRITERS == set()


def test_a_search_of_conversations_loads_what_reads_new_turns_only_where_there_are_any() -> None:
    assert _loaded("memories.core.conversation_index") & {*WRITERS, "hashlib"} == set()


def test_what_is_left_to_read_is_told_without_what_shows_transcripts() -> None:
    assert "memories.core.transcript_page" not in _loaded("memories.core.unread")


def test_a_status_loads_neither_what_asks_syncthing_nor_what_compares_versions() -> None:
    loaded = _loaded("memories.terminal.status")
    assert loaded & {"memories.syncthing.client", "memories.conflict_text", "memories.versions", "ssl"} == set()


def test_a_command_line_is_read_without_looking_for_translations() -> None:
    program = "from memories.terminal.search import Command; Command().parser('x').parse_args(['word'])"
    assert "locale" not in _loaded("memories.terminal.search", program)


def _loaded(module: str, program: str = "") -> set[str]:
    """The modules that a Python without installed packages has loaded when it has imported one, and run a line."""
    code = (
        f"import sys; sys.path.insert(0, {str(settings.BASE_DIR)!r}); import {module}; {program}\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, encoding="utf-8", check=True)
    return set(done.stdout.split())

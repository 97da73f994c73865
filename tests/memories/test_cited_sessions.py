"""Which transcripts a text's citations mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from memories import selectors
from memories.cited_sessions import cited_sessions
from memories.core import sync
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS

ONE = "3f2a1b2c-0000-4000-8000-000000000001"
OTHER = "3f2a1b2c-0000-4000-8000-000000000002"
THIRD = "aabbccdd-0000-4000-8000-000000000003"
LINE = '{"type":"user","uuid":"u%s","message":{"role":"user","content":"hello"},"timestamp":"2026-03-14T09:00:00Z"}\n'


@pytest.fixture
def archived(memory_home: DataFolder) -> DataFolder:
    """Three archived sessions, two of which begin alike; one has a subagent."""
    for number, session in enumerate((ONE, OTHER, THIRD)):
        Path(memory_home.transcripts, f"{session}.jsonl").write_text(LINE % number, encoding="utf-8")
    beside = Path(memory_home.transcripts, THIRD, "subagents")
    beside.mkdir(parents=True)
    (beside / "agent-x1.jsonl").write_text(LINE % "a", encoding="utf-8")
    sync.run(memory_home, None, dict(DEFAULTS), wait_seconds=1)
    return memory_home


def meant(folder: DataFolder, content: str, *refs: str) -> dict[str, str]:
    return cited_sessions(selectors.mirror_connection(folder), folder, content, list(refs))


def test_a_beginning_that_one_session_has_means_it(archived: DataFolder) -> None:
    assert meant(archived, "so it was [aabbccdd:3]") == {"aabbccdd": THIRD}


def test_a_beginning_that_two_have_means_the_one_the_text_was_written_from(archived: DataFolder) -> None:
    assert meant(archived, "[3f2a1b2c:3]") == {}
    assert meant(archived, "[3f2a1b2c:3]", OTHER) == {"3f2a1b2c": OTHER}
    assert meant(archived, "[3f2a1b2c:3]", ONE, OTHER) == {}


def test_a_subagent_is_found_and_one_that_is_not_there_is_not(archived: DataFolder) -> None:
    found = meant(archived, "[aabbccdd/agent-x1:3; aabbccdd/agent-x2:4]")
    assert found == {"aabbccdd/agent-x1": f"{THIRD}/agent-x1"}


def test_what_is_not_archived_is_left_out(archived: DataFolder) -> None:
    assert meant(archived, "[deadbeef:1]", "deadbeef-0000-4000-8000-000000000001") == {}

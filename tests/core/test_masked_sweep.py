"""The sweep of sessions that are to be masked: what a hook leaves to a sync, and what waits for its end."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from memories import doctor_transcripts
from memories.core import masked_archive, transcripts
from memories.core import sweep as sweeps
from memories.core.paths import DataFolder
from memories.core.sweep import sweep
from tests.core.transcript_lines import OTHER_SESSION, SESSION, short_session

ON = {"redact_transcripts": True, "redact_patterns": []}


@pytest.fixture
def claude(tmp_path: Path) -> str:
    """Claude Code's projects folder."""
    return str(tmp_path / "claude" / "projects")


def test_a_session_of_which_much_is_to_be_masked_is_left_for_another_sweep(
    claude: str, folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "MASKED_INLINE", 20_000)
    path = Path(short_session(str(tmp_path), OTHER_SESSION).write(claude))
    short_session(str(tmp_path)).write(claude)
    beside = path.with_suffix("") / "tool-results" / "out.txt"
    beside.parent.mkdir(parents=True)
    beside.write_text("x" * 20_000)
    result = sweep(folder, claude, ON, largest=1_000_000)
    assert (result.archived, result.complete) == ([SESSION], False)
    raw = DataFolder(str(tmp_path / "raw"))
    assert sweep(raw, claude, {}, largest=1_000_000).complete
    assert sweep(folder, claude, ON).archived == [OTHER_SESSION]
    assert sweep(folder, claude, ON, largest=1_000_000).complete


def test_a_last_line_that_is_half_written_is_archived_by_a_later_sweep(
    claude: str, folder: DataFolder, tmp_path: Path
) -> None:
    path = Path(short_session(str(tmp_path)).write(claude))
    path.write_bytes(path.read_bytes() + b'{"type":"user","message":{"content":"half')
    sweep(folder, claude, ON)
    archived = Path(transcripts.archive_path(folder, SESSION))
    assert archived.read_bytes() == path.read_bytes()[: archived.stat().st_size]
    assert archived.read_bytes().endswith(b"\n")
    sources = list(transcripts.iter_sources(claude))
    assert [one.session_id for one in doctor_transcripts.waiting_transcripts(folder, sources)] == [SESSION]
    old = time.time() - masked_archive.QUIET_SECONDS - 5
    os.utime(path, (old, old))
    sweep(folder, claude, ON)
    assert archived.read_bytes() == path.read_bytes()
    assert doctor_transcripts.waiting_transcripts(folder, list(transcripts.iter_sources(claude))) == []

"""Doctor's checks of retention and forgetting."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from memories.core import files, forgetting, forgotten, retention, sync
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from memories.doctor_retention import retention as checks
from tests.core.transcript_lines import SESSION, short_session


@pytest.fixture
def archived(folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A data folder with one session, which ended 31 days ago."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path))
    path = short_session("/srv/shop").write(tmp_path / "projects")
    ended = time.time() - 31 * retention.DAY
    os.utime(path, (ended, ended))
    sync.run(folder, str(tmp_path / "projects"), dict(DEFAULTS), wait_seconds=5)
    return folder


def _settings(folder: DataFolder, **values: int) -> None:
    Path(folder.settings).write_text(json.dumps(values), "utf-8")


def _said(folder: DataFolder) -> list[tuple[str, str, str]]:
    return [(one.name, one.status, one.text) for one in checks(folder)]


def test_with_the_settings_off_and_nothing_forgotten_there_is_nothing_to_say(archived: DataFolder) -> None:
    assert _said(archived) == []
    files.remove_quietly(archived.mirror)
    assert _said(archived) == []


def test_what_goes_is_said_before_with_a_warning_while_the_setting_is_new(archived: DataFolder) -> None:
    _settings(archived, transcripts_keep_days=30)
    ((name, state, text),) = _said(archived)
    assert (name, state) == ("retention", "warn")
    assert text.startswith("transcripts are kept for 30 days: 1 transcript, ")
    seen = {"days": 30, "mb": 0, "since": time.time() - 2 * retention.DAY}
    Path(archived.state, "retention-seen").write_text(json.dumps(seen), "utf-8")
    ((name, state, text),) = _said(archived)
    assert state == "ok"
    assert text.endswith("goes at the next sync")


def test_a_clock_far_ahead_of_all_that_is_known_is_a_warning_with_what_to_do(archived: DataFolder) -> None:
    _settings(archived, transcripts_keep_days=30, transcripts_keep_mb=7)
    seen = Path(archived.state, "retention-seen")
    seen.write_text("{}", "utf-8")
    for path in (
        seen,
        *Path(archived.transcripts).rglob("*.jsonl"),
        *Path(os.environ["CLAUDE_CONFIG_DIR"]).rglob("*.jsonl"),
    ):
        os.utime(path, (time.time() - 60 * retention.DAY,) * 2)
    ((_, state, text),) = _said(archived)
    assert state == "warn"
    assert text.startswith("transcripts are kept for 30 days and up to 7 MB, but none is let go: this machine's clock")


def test_a_limit_that_cannot_be_kept_is_said(archived: DataFolder) -> None:
    path = Path(archived.transcripts, f"{SESSION}.jsonl")
    with path.open("ab") as file:
        file.truncate(3 * retention.MEGABYTE)  # now, so it may not go yet
    _settings(archived, transcripts_keep_mb=1)
    assert [text for name, state, text in _said(archived) if state == "warn"] == [
        "2.0 MB above transcripts_keep_mb are of sessions that may not go yet"
    ]


def test_what_is_forgotten_and_not_finished_or_back_is_a_warning(archived: DataFolder) -> None:
    forgotten.mark(archived, SESSION, forgotten.FORGOTTEN)
    assert _said(archived) == [("forgotten", "warn", f"something of forgotten sessions is here: {SESSION}")]
    forgetting.enforce(archived)
    assert _said(archived) == [("forgotten", "warn", "the index may still hold text of a forgotten session")]
    sync.run(archived, None, dict(DEFAULTS), wait_seconds=5)
    assert _said(archived) == [("forgotten", "ok", "1 session forgotten; nothing of it is left")]

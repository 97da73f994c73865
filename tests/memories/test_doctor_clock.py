"""Doctor on clocks: memories and transcripts from the future, and a machine that lives in the past."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from memories import doctor_clock
from memories.core import clock, mirror
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION, short_session

DAY = 86_400


def test_a_right_clock_is_said(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("now")
    make_record("a little ahead", created_at=clock.format_time(time.time() + DAY // 2))
    mirror.update(folder)
    [check] = doctor_clock.clocks(folder, read_only=False)
    assert (check.status, "nothing is from the future" in check.text) == ("ok", True)


def test_memories_made_or_edited_in_the_future_are_named(folder: DataFolder, make_record: MakeRecord) -> None:
    made = make_record("made", created_at=clock.format_time(time.time() + 3 * DAY))["uuid"]
    edited = make_record("edited", updated_at=clock.format_time(time.time() + 9 * DAY))["uuid"]
    mirror.update(folder)
    [check] = doctor_clock.clocks(folder, read_only=True)
    assert check.status == "warn"
    assert check.text.startswith("2 from the future by this machine's clock, which says 20")
    assert check.text.index(edited) < check.text.index(made)
    assert check.todo.startswith("set the clock that is wrong")


def test_transcripts_from_the_future_are_named(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path))
    path = short_session("/srv/shop").write(tmp_path / "projects")
    os.utime(path, (time.time() + 3 * DAY,) * 2)
    [check] = doctor_clock.clocks(folder, read_only=False)
    assert "1 from the future by this machine's clock" in check.text
    assert f"transcript {SESSION}" in check.text
    os.utime(path, (1e10, 1e10))
    assert "2286-11-20T17:46:40" in next(doctor_clock.clocks(folder, read_only=False)).text


def test_a_clock_before_all_that_was_ever_written(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: "1970-01-01T00:03:00")
    [check] = doctor_clock.clocks(folder, read_only=False)
    assert (check.status, "timedatectl" in check.todo) == ("fail", True)

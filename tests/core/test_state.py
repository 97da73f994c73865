"""This machine's own state: it may be lost, so nothing it meets is an error."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from memories.core import state
from memories.core.paths import DataFolder

NO_PROCESS = 2**22 + 1  # beyond Linux's highest process id
BAD_NAMES = ("", "../x", "a/b", "a\0b", "x" * 200, ".", "é")


def test_a_log_line_says_when_what_how_and_how_long(folder: DataFolder) -> None:
    state.log_hook(folder, "session_end", "archived\nin two lines", 0.0123, "abc-1")
    line = Path(folder.state, "hooks.log").read_text(encoding="utf-8")
    assert line.split(" ", 1)[1] == "session_end archived in two lines 12ms abc-1\n"


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_session_id_that_is_none_is_not_written(folder: DataFolder, name: str) -> None:
    state.log_hook(folder, "session_end", "archived", 0, name)
    assert Path(folder.state, "hooks.log").read_text(encoding="utf-8").endswith(" 0ms -\n")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_no_name_leads_out_of_the_folder(folder: DataFolder, name: str) -> None:
    before = sorted(os.listdir(folder.root))
    assert state.save_session_state(folder, name, {"baseline": 1}) is False
    assert state.session_state(folder, name) == {}
    state.ignore_session(folder, name)
    assert (sorted(os.listdir(folder.root)), os.listdir(folder.state)) == (before, [])


def test_what_is_remembered_of_a_session_is_read_back(folder: DataFolder) -> None:
    assert state.session_state(folder, "s1") == {}
    assert state.save_session_state(folder, "s1", {"baseline": 5}) is True
    assert state.session_state(folder, "s1") == {"baseline": 5}


def test_state_alone_is_no_reason_to_make_a_data_folder(tmp_path: Path) -> None:
    nowhere = DataFolder(str(tmp_path / "nowhere"))
    state.beat(nowhere, "session_end")
    state.ignore_session(nowhere, "s1")
    state.log_hook(nowhere, "session_end", "archived", 0, "s1")
    assert state.save_session_state(nowhere, "s1", {}) is False
    assert not os.path.exists(nowhere.root)
    assert state.heartbeats(nowhere) == {}


def test_a_heartbeat_is_stamped_anew_each_time(folder: DataFolder) -> None:
    state.beat(folder, "session_end")
    os.utime(os.path.join(folder.state, "heartbeat", "session_end"), (5, 5))
    assert state.heartbeats(folder) == {"session_end": 5.0}
    state.beat(folder, "session_end")
    assert state.heartbeats(folder)["session_end"] > 5


def test_a_clients_session_is_known_until_the_client_is_gone(folder: DataFolder) -> None:
    state.note_client(folder, NO_PROCESS, "gone")
    state.note_client(folder, os.getpid(), "first")
    state.note_client(folder, os.getpid(), "second")
    assert state.client_session(folder, os.getpid()) == "second"
    assert state.client_session(folder, NO_PROCESS) is None
    assert os.listdir(os.path.join(folder.state, "clients")) == [str(os.getpid())]


def test_a_broken_note_of_a_client_is_none(folder: DataFolder) -> None:
    place = Path(folder.state, "clients")
    place.mkdir()
    for text in ("{", "[]", '{"session_id": 5}'):
        (place / "77").write_text(text, encoding="utf-8")
        assert state.client_session(folder, 77) is None


def test_a_session_of_an_excluded_project_is_switched_off_and_on_again(folder: DataFolder) -> None:
    state.switch_off(folder, "s1", off=False)
    assert state.session_state(folder, "s1") == {}
    state.switch_off(folder, "s1", off=True)
    assert state.session_state(folder, "s1") == {state.OFF: True}
    state.switch_off(folder, "s1", off=False)
    assert state.session_state(folder, "s1") == {}


def test_what_was_counted_survives_a_start_that_is_not_switched_off(folder: DataFolder) -> None:
    state.save_session_state(folder, "s1", {"baseline": 5})
    state.switch_off(folder, "s1", off=False)
    assert state.session_state(folder, "s1") == {"baseline": 5}


def test_reminders_of_old_sessions_are_dropped(folder: DataFolder) -> None:
    for name in ("old", "new"):
        state.save_session_state(folder, name, {})
    past = time.time() - 61 * 86_400
    os.utime(os.path.join(folder.state, "sessions", "old"), (past, past))
    state.drop_old_sessions(folder)
    assert os.listdir(os.path.join(folder.state, "sessions")) == ["new"]

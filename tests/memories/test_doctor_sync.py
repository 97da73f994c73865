"""What doctor says of Syncthing, and what Syncthing's state is asked for: with a real one, and with any answers."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories import doctor, doctor_sync
from memories.core.paths import DataFolder
from memories.findings import Check
from memories.sync_words import device_said, folder_said
from memories.syncthing import answers, state
from memories.syncthing.answers import Device
from memories.syncthing.state import DeviceState, Note, SyncState, note_path, read_note, sync_state, write_note
from memories.syncthing.troubles import device_trouble
from tests.memories.rest_server import answering
from tests.syncthing import Daemon, connect, introduce, running
from tests.terminal.running import call

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=4)
            | st.sampled_from(["id", "devices", "deviceID", "name", "path", "connections", "ignore"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def checks(folder: DataFolder) -> list[Check]:
    return list(doctor_sync.sync(folder))


def wait_for(daemon: Daemon, folder: DataFolder, text: str) -> Check:
    """The check that says a text, once Syncthing has come to it."""
    found: Check = daemon.wait(lambda: next((one for one in checks(folder) if text in one.text), None))
    return found


@pytest.fixture
def daemon(folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A Syncthing that sync-setup has set up."""
    with running(tmp_path / "laptop") as found:
        monkeypatch.setenv("STHOMEDIR", str(found.home))
        call("sync-setup", "--yes", stdout=StringIO())
        yield found


def test_nothing_is_said_where_no_sync_was_set_up(folder: DataFolder) -> None:
    assert sync_state(folder) is None
    assert checks(folder) == []
    Path(note_path(folder)).write_text("[broken", "utf-8")
    assert sync_state(folder) is None


@pytest.mark.usefixtures("round_trips")
def test_a_sound_sync_is_said_machine_by_machine(daemon: Daemon, folder: DataFolder, tmp_path: Path) -> None:
    assert wait_for(daemon, folder, "shared with no other machine").todo == "run `llm-memory sync-setup`"
    with running(tmp_path / "desk") as other:
        connect(daemon, other)
        call("sync-setup", "--yes", "--device", "desk", stdout=StringIO())
        default = other.get("/rest/config/defaults/folder")
        shared = [{"deviceID": daemon.device_id}]
        theirs = {**default, "id": "llm-memory", "path": str(tmp_path / "theirs"), "devices": shared}
        other.post("/rest/config/folders", theirs)
        Path(folder.records, "0" * 32 + ".json").write_text("{}", "utf-8")
        daemon.post("/rest/db/scan?folder=llm-memory")
        wait_for(daemon, folder, "has everything")
        assert [(one.name, one.status) for one in checks(folder)] == [("sync", "ok"), ("machine", "ok")]
        assert checks(folder)[0].text == "everything has come to this machine"
        assert ("machine", "ok") in [(one.name, one.status) for one in doctor.run(folder)]
    assert wait_for(daemon, folder, "not connected, last seen").status == "ok"
    found = sync_state(folder)
    assert found
    assert [(one.name, one.connected, one.needs) for one in found.devices] == [("desk", False, None)]
    assert abs((found.devices[0].last_seen or 0) - time.time()) < 3600


def test_a_machine_that_never_came_is_named_with_what_to_do_there(daemon: Daemon, folder: DataFolder) -> None:
    stranger = "YEGYXO3-4AGFRR5-RWY55DC-5ZPRDD6-ATIJV32-2L6CM2I-3NKMLBU-QSK4ZAS"
    call("sync-setup", "--yes", "--device", stranger, stdout=StringIO())
    check = wait_for(daemon, folder, "nothing has ever come")
    assert (check.status, check.text) == ("warn", f"{stranger} is not connected, and nothing has ever come from it")
    assert check.todo == "if it never said yes, run `llm-memory sync-setup` there"


def test_a_folder_that_lost_its_ignores_its_marker_or_its_life_is_a_failure(daemon: Daemon, folder: DataFolder) -> None:
    ignores = os.path.join(folder.root, ".stignore")
    os.rename(ignores, ignores + ".away")
    daemon.post("/rest/db/scan?folder=llm-memory")
    check = wait_for(daemon, folder, ".stignore is not in force")
    assert (check.status, check.todo) == ("fail", "run `llm-memory sync-setup`")
    call("sync-setup", "--yes", stdout=StringIO())
    daemon.patch("/rest/config/folders/llm-memory", {"paused": True})
    assert wait_for(daemon, folder, "the folder is paused").status == "warn"
    daemon.patch("/rest/config/folders/llm-memory", {"paused": False})
    daemon.wait(lambda: daemon.get("/rest/db/status?folder=llm-memory")["state"] == "idle")
    os.rmdir(os.path.join(folder.root, ".stfolder"))
    with pytest.raises(OSError, match="500"):
        daemon.post("/rest/db/scan?folder=llm-memory")
    check = wait_for(daemon, folder, "folder marker missing")
    assert check.status == "fail"
    assert check.todo.endswith(f"`mkdir {folder.root}/.stfolder`")
    daemon.delete("/rest/config/folders/llm-memory")
    assert wait_for(daemon, folder, "no longer shares the folder").todo == "run `llm-memory sync-setup`"


def test_a_syncthing_that_has_stopped_is_a_warning(daemon: Daemon, folder: DataFolder) -> None:
    daemon.kill()
    (check,) = checks(folder)
    assert check.status == "warn"
    assert check.todo.startswith("start Syncthing")
    daemon.config.unlink()
    (check,) = checks(folder)
    assert "config.xml is gone" in check.text
    assert check.todo.endswith("end it with `llm-memory sync-setup --remove`")


def test_a_folder_paused_here_is_said_while_the_other_machine_is_connected(
    daemon: Daemon, folder: DataFolder, tmp_path: Path
) -> None:
    with running(tmp_path / "desk") as other:
        connect(daemon, other)
        call("sync-setup", "--yes", "--device", "desk", stdout=StringIO())
        daemon.patch("/rest/config/folders/llm-memory", {"paused": True})
        check = wait_for(daemon, folder, "the folder is paused")
        assert check.todo.startswith("resume it")
        found = sync_state(folder)
        assert found
        assert (found.problem, [(one.connected, one.needs) for one in found.devices]) == ("", [(True, None)])
        assert any(line.startswith("The folder is paused in Syncthing: resume it") for line in found.attention)


def test_a_machine_that_was_not_let_in_is_a_warning_on_both_sides(
    daemon: Daemon, folder: DataFolder, tmp_path: Path
) -> None:
    with running(tmp_path / "desk") as other:
        introduce(daemon, other)  # desk does not know this machine, and refuses it
        call("sync-setup", "--yes", "--device", "desk", stdout=StringIO())
        daemon.wait(lambda: other.get("/rest/cluster/pending/devices"))
        check = wait_for(daemon, folder, "nothing has ever come from it")
        assert (check.status, check.todo) == ("warn", "if it never said yes, run `llm-memory sync-setup` there")
        found = sync_state(folder)
        assert found
        assert (found.devices[0].has_sent, found.devices[0].needs) == (False, None)
        assert found.devices[0].last_seen, "a refused handshake counts as seen"
    with running(tmp_path / "phone") as third:
        introduce(third, daemon)
        check = wait_for(daemon, folder, "asks to connect")
        assert (check.status, check.text) == ("warn", f"phone ({third.device_id}) asks to connect")
        assert check.todo.startswith("run `llm-memory sync-setup`")


def test_a_key_that_syncthing_does_not_accept_has_a_remedy_of_its_own(daemon: Daemon, folder: DataFolder) -> None:
    other = Path(folder.state, "config.xml")
    other.write_text(daemon.config.read_text("utf-8").replace(daemon.api_key, "wrong"), "utf-8")
    write_note(folder, Note(str(other), "", folder.root))
    (check,) = checks(folder)
    assert check.text == f"Syncthing at {daemon.url} does not accept the API key"
    assert "`llm-memory sync-setup --api-key KEY`" in check.todo
    found = sync_state(folder)
    assert found
    (sentence,) = found.attention
    assert sentence == f"{check.text}: {check.todo}."
    assert ".;" not in sentence
    assert "start" not in sentence


SOUND = DeviceState("ID", "desk", True, False, 1.0, 0, has_sent=True, remote="valid")


JUST_NOW = -1.0


@pytest.mark.parametrize(
    ("device", "said", "acted_on"),
    [
        (SOUND, "connected, has everything", False),
        (replace(SOUND, remote=""), "connected, has everything, as far as Syncthing knows", False),
        (replace(SOUND, needs=1), "connected, lacks 1 file", False),
        (replace(SOUND, needs=None, has_sent=None, remote=""), "connected", False),
        (replace(SOUND, remote="paused"), "connected, the folder is paused there", True),
        (replace(SOUND, remote="notSharing"), "connected, does not share the folder", True),
        (replace(SOUND, has_sent=False), "connected, nothing ever came", True),
        (replace(SOUND, connected=False, has_sent=False), "not connected, nothing ever came", True),
        (replace(SOUND, connected=False, has_sent=None, last_seen=None), "not connected, last seen never", True),
        (replace(SOUND, connected=False, last_seen=JUST_NOW), "not connected, last seen just now", False),
        (replace(SOUND, paused=True), "paused in Syncthing", True),
    ],
)
def test_a_machine_is_well_only_as_far_as_syncthing_knows(device: DeviceState, said: str, acted_on: bool) -> None:
    if device.last_seen == JUST_NOW:
        device = replace(device, last_seen=time.time())  # not when the module was loaded: that may be minutes ago
    assert device_said(device) == said
    assert (device_trouble(device) is not None) == acted_on
    assert len(SyncState(state="idle", ignoring=True, devices=[device]).attention) == acted_on


def test_nothing_is_said_to_have_come_where_there_is_no_other_machine() -> None:
    assert folder_said(SyncState(state="idle")) == "shared with no other machine yet"
    assert folder_said(SyncState(state="idle", devices=[SOUND])) == "everything has come to this machine"
    assert folder_said(SyncState(state="idle", devices=[SOUND], needs=1)) == "1 file still to come to this machine"
    assert folder_said(SyncState(devices=[SOUND])) == "the folder is starting"
    silent = replace(SOUND, has_sent=False)
    assert folder_said(SyncState(state="idle", devices=[silent])) == "nothing has come from another machine yet"


def test_what_a_newer_syncthing_tells_of_the_other_side_is_used(folder: DataFolder) -> None:
    given = {
        "config/folders": [{"id": "llm-memory", "devices": [{"deviceID": "A"}, {"deviceID": "B"}]}],
        "config/devices": [{"deviceID": "B", "name": "desk"}],
        "system/status": {"myID": "A"},
        "system/connections": {"connections": {"B": {"connected": True}}},
        "db/completion": {"needItems": 0, "needDeletes": 0, "sequence": 7, "remoteState": "notSharing"},
    }

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        value = given.get(path.partition("?")[0].removeprefix("/rest/"), {})
        return 200, {}, json.dumps(value).encode()

    with answering(answer) as server:
        config = Path(folder.state, "config.xml")
        address = server.url.removeprefix("http://")
        config.write_text(f"<a><gui><address>{address}</address><apikey>k</apikey></gui></a>", "utf-8")
        write_note(folder, Note(str(config), "", folder.root))
        assert "desk (B) is connected, but does not share the folder" in [one.text for one in checks(folder)]


def test_a_key_that_is_not_kept_is_said(folder: DataFolder) -> None:
    write_note(folder, Note("", "http://127.0.0.1:1", folder.root))
    (check,) = checks(folder)
    assert check.text == "the API key of http://127.0.0.1:1 is not kept, so it cannot be asked"


def test_the_note_survives_being_written_and_read(folder: DataFolder) -> None:
    note = Note("/a/config.xml", "http://127.0.0.1:1", folder.root, ("A", "B"))
    write_note(folder, note)
    assert read_note(folder) == note
    assert os.stat(note_path(folder)).st_mode & 0o777 == 0o600


@given(JSON)
def test_any_note_is_read_or_taken_for_none(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    folder = DataFolder(str(tmp_path_factory.getbasetemp() / "any-note"))
    folder.create()
    Path(note_path(folder)).write_text(json.dumps(value), "utf-8")
    note = read_note(folder)
    assert note is None or isinstance(note.config, str)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(JSON, min_size=1, max_size=6), st.booleans())
def test_any_answers_of_syncthing_give_a_state(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], ours: bool
) -> None:
    folder = DataFolder(str(tmp_path_factory.getbasetemp() / "any-answers"))
    folder.create()
    config = Path(folder.state, "config.xml")

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        value = values[len(path) % len(values)]
        if ours and path == "/rest/config/folders":
            value = [{"id": "llm-memory", "devices": [{"deviceID": "A"}, {"deviceID": "B"}, value]}, value]
        return 200, {}, json.dumps(value).encode()

    with answering(answer) as server:
        address = server.url.removeprefix("http://")
        config.write_text(f"<a><gui><address>{address}</address><apikey>k</apikey></gui></a>", "utf-8")
        write_note(folder, Note(str(config), "", folder.root))
        assert isinstance(sync_state(folder), SyncState)
        for check in doctor_sync.sync(folder):
            assert check.status in {"ok", "warn", "fail"}


@given(JSON)
def test_any_answer_is_read_as_far_as_it_goes(value: Any) -> None:
    for one in [*answers.devices(value), *answers.pending_devices(value)]:
        assert isinstance(one, Device)
        assert one.shown
    for folder in answers.folders(value):
        assert isinstance(folder.name, str)
    assert isinstance(answers.offering(value), set)
    assert answers.count(value) >= 0
    assert answers.time_of(value) is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-11-23T04:17:45Z", 1795407465.0),
        ("2026-11-23T05:17:45.123456789+01:00", 1795407465.0),
        ("2026-11-23T05:17:45+01:00", 1795407465.0),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("soon", None),
        (None, None),
    ],
)
def test_times_as_go_writes_them(written: Any, seconds: float | None) -> None:
    assert answers.time_of(written) == seconds


def test_a_name_that_another_machine_chose_cannot_colour_the_terminal() -> None:
    assert Device("ID", "desk\x1b[2J\n\u202eevil").shown == "desk [2J evil (ID)"
    assert state.REQUEST_SECONDS <= 0.5

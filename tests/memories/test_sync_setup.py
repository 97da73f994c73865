"""`llm-memory sync-setup` against real Syncthings."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from hooks.shipped_files import STIGNORE_TEXT
from memories.core.errors import SyncthingError
from memories.core.paths import SYNCED_FOLDERS, DataFolder
from memories.syncthing import access, setup
from memories.syncthing.answers import Device
from memories.syncthing.state import note_path, read_note
from tests.syncthing import Daemon, hide_others, running
from tests.terminal.running import call

MANAGE = Path(__file__).resolve().parent.parent.parent / "manage.py"
STRANGER = "YEGYXO3-4AGFRR5-RWY55DC-5ZPRDD6-ATIJV32-2L6CM2I-3NKMLBU-QSK4ZAS"
"""A well-formed device id of nobody here."""


@pytest.fixture(autouse=True)
def _no_other_syncthing(monkeypatch: pytest.MonkeyPatch) -> None:
    hide_others(monkeypatch)


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Any]]:
    """A Syncthing for all tests, and its configuration when it was new."""
    with running(tmp_path_factory.mktemp("syncthing") / "laptop") as found:
        yield found, found.get("/rest/config")


@pytest.fixture
def daemon(laptop: tuple[Daemon, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """The Syncthing of this machine, as new."""
    found, new = laptop
    monkeypatch.setenv("STHOMEDIR", str(found.home))
    yield found
    found.put("/rest/config", new)


def run(*words: str) -> str:
    """What the command prints; it has no terminal. Raises its errors."""
    out = StringIO()
    call("sync-setup", *words, stdout=out)
    return out.getvalue()


def typed(daemon: Daemon, folder: DataFolder, text: str) -> subprocess.CompletedProcess[str]:
    """The command in a terminal, in which somebody types."""
    ours, theirs = pty.openpty()
    os.write(ours, text.encode())
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LLM_MEMORY_HOME": folder.root}
    try:
        return subprocess.run(
            [sys.executable, "-I", str(MANAGE), "sync-setup"],
            env={**environ, "STHOMEDIR": str(daemon.home)}, stdin=theirs, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)


def shared(daemon: Daemon) -> dict[str, Any]:
    """Our folder as Syncthing has it."""
    found: dict[str, Any] = daemon.get("/rest/config/folders/llm-memory")
    return found


def others(daemon: Daemon) -> set[str]:
    """Whom our folder is shared with."""
    return {one["deviceID"] for one in shared(daemon)["devices"]} - {daemon.device_id}


def add_device(daemon: Daemon, device: str, name: str) -> None:
    daemon.post("/rest/config/devices", {"deviceID": device, "name": name})


def add_folder(daemon: Daemon, path: Path | str, **more: Any) -> None:
    default = daemon.get("/rest/config/defaults/folder")
    daemon.post("/rest/config/folders", {**default, "id": "other", "path": str(path), **more})


def test_without_syncthing_it_says_how_to_get_it(folder: DataFolder) -> None:
    with pytest.raises(SyncthingError, match=r"sudo apt install syncthing.*brew install syncthing"):
        run()


def test_a_syncthing_that_does_not_run_is_to_be_started(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Daemon(tmp_path / "a")
    monkeypatch.setenv("STHOMEDIR", str(stopped.home))
    with pytest.raises(SyncthingError, match=r"does not answer at .*systemctl --user start syncthing"):
        run("--yes")


def test_the_first_machine_shares_its_folder_with_nobody_yet(daemon: Daemon, folder: DataFolder) -> None:
    daemon.patch(
        "/rest/config/defaults/folder",
        {"versioning": {"type": "simple", "params": {"keep": "3"}}, "maxConflicts": 5, "ignorePerms": True},
    )
    add_device(daemon, STRANGER, "everything")
    daemon.patch("/rest/config/defaults/folder", {"devices": [{"deviceID": STRANGER}]})
    for private in (folder.mirror, os.path.join(folder.state, "sync.lock")):
        Path(private).write_text("private", "utf-8")
    Path(folder.records, "0" * 32 + ".json").write_text("{}", "utf-8")
    Path(folder.records, ".x.json.tmp-12345").write_text("half", "utf-8")
    out = run("--yes")
    assert f"llm-memory sync-setup --device {daemon.device_id}" in out
    assert "(2 files, 0.0 MB now) and nothing else" in out
    assert "With:      no machine yet" in out
    found = shared(daemon)
    assert {name: found[name] for name in ("path", "type", "maxConflicts", "ignorePerms", "fsWatcherEnabled")} == {
        "path": folder.root, "type": "sendreceive", "maxConflicts": -1, "ignorePerms": False, "fsWatcherEnabled": True,
    }  # fmt: skip
    assert (found["versioning"]["type"], found["versioning"]["params"]) == ("simple", {"keep": "3"})
    assert others(daemon) == set()
    assert Path(folder.root, ".stignore").read_bytes() == STIGNORE_TEXT
    daemon.wait(lambda: daemon.get("/rest/db/status?folder=llm-memory")["state"] == "idle")
    known = daemon.get("/rest/db/browse?folder=llm-memory")
    names = {one["name"] for one in known} if isinstance(known, list) else set(known)
    assert names == set(SYNCED_FOLDERS)


def test_the_second_run_has_nothing_to_do(daemon: Daemon, folder: DataFolder) -> None:
    run("--yes")
    before = (daemon.get("/rest/config"), Path(note_path(folder)).read_bytes())
    assert "Nothing to do." in run("--yes")
    assert "Nothing to do." in run()
    Path(folder.records, "0" * 32 + ".json").write_text("{}", "utf-8")
    assert "(1 file, 0.0 MB now)" in run()
    assert (daemon.get("/rest/config"), Path(note_path(folder)).read_bytes()) == before


def test_the_api_key_is_kept_nowhere(daemon: Daemon, folder: DataFolder) -> None:
    run("--yes", "--url", daemon.url, "--api-key", daemon.api_key)
    for place, _, names in os.walk(folder.root):
        for name in names:
            assert daemon.api_key not in Path(place, name).read_text("utf-8")
    note = read_note(folder)
    assert note
    assert (note.config, note.url) == (str(daemon.config), daemon.url)


def test_a_key_that_no_config_holds_is_noted_as_unknown(folder: DataFolder, tmp_path: Path) -> None:
    with running(tmp_path / "a") as other:
        run("--yes", "--url", other.url, "--api-key", other.api_key)
        note = read_note(folder)
        assert note
        assert (note.config, note.url) == ("", other.url)


def test_a_wrong_key_is_said(daemon: Daemon, folder: DataFolder) -> None:
    with pytest.raises(SyncthingError, match="does not accept the API key"):
        run("--yes", "--url", daemon.url, "--api-key", "wrong")


def test_without_a_terminal_it_shows_the_plan_and_stops(daemon: Daemon, folder: DataFolder) -> None:
    before = daemon.get("/rest/config")
    with pytest.raises(SyncthingError, match="say --yes"):
        run()
    assert "Dry run: nothing was changed." in run("--dry-run")
    assert daemon.get("/rest/config") == before
    assert not os.path.exists(os.path.join(folder.root, ".stignore"))
    assert os.listdir(folder.state) == []


def test_a_data_folder_that_is_missing_is_made(daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MEMORY_HOME", str(tmp_path / "new" / "memory"))
    run("--yes")
    assert set(SYNCED_FOLDERS) < set(os.listdir(tmp_path / "new" / "memory"))


def test_devices_are_named_by_name_or_id_and_an_unknown_id_is_added(daemon: Daemon, folder: DataFolder) -> None:
    with pytest.raises(SyncthingError, match="neither a device that Syncthing knows"):
        run("--yes", "--device", "workstation")
    with pytest.raises(SyncthingError, match="this machine's own"):
        run("--yes", "--device", daemon.device_id)
    run("--yes", "--device", STRANGER.lower().replace("-", ""))
    assert others(daemon) == {STRANGER}
    daemon.patch(f"/rest/config/devices/{STRANGER}", {"name": "Desk"})
    assert "Nothing to do." in run("--yes", "--device", "desk", "--device", STRANGER)


def test_a_name_that_two_devices_have_is_asked_back(daemon: Daemon, folder: DataFolder, tmp_path: Path) -> None:
    second = Daemon(tmp_path / "b").device_id
    for device in (STRANGER, second):
        add_device(daemon, device, "desk")
    with pytest.raises(SyncthingError, match="Several devices are called desk"):
        run("--yes", "--device", "desk")


def test_typing_no_or_an_unknown_number_changes_nothing(daemon: Daemon, folder: DataFolder) -> None:
    add_device(daemon, STRANGER, "desk\x1b[31m")
    before = daemon.get("/rest/config")
    for text, said in (
        ("1\nn\n", "Nothing was changed."),
        ("7\n", "7 is not a number of the list"),
        ("\n\n", "Nothing"),
    ):
        done = typed(daemon, folder, text)
        assert done.returncode == 1
        assert said in done.stdout + done.stderr
        assert "\x1b[31m" not in done.stdout
    assert daemon.get("/rest/config") == before


def test_a_folder_that_is_there_is_brought_to_what_we_need_and_its_versioning_stays(
    daemon: Daemon, folder: DataFolder
) -> None:
    versioning = {"type": "trashcan", "params": {"cleanoutDays": "9"}}
    add_folder(
        daemon,
        folder.root,
        id="llm-memory",
        type="sendonly",
        fsWatcherEnabled=False,
        paused=True,
        versioning=versioning,
    )
    out = run("--yes", "--device", STRANGER)
    assert "fswatcherenabled true, maxConflicts -1, paused false, type sendreceive".casefold() in out.casefold()
    found = shared(daemon)
    assert (found["type"], found["fsWatcherEnabled"], found["paused"]) == ("sendreceive", True, False)
    assert found["versioning"]["params"] == {"cleanoutDays": "9"}
    assert others(daemon) == {STRANGER}


@pytest.mark.parametrize(
    ("path", "more", "said"),
    [
        ("{root}/../elsewhere", {"id": "llm-memory"}, "already has a folder llm-memory, at .*LLM_MEMORY_HOME"),
        ("{root}", {"label": "Mine"}, "is already shared by Syncthing, as Mine"),
        ("{root}/..", {}, "lies in what is already shared by Syncthing, as other"),
        ("{root}/records", {}, "holds what is already shared"),
    ],
)
def test_what_is_in_the_way_is_refused_with_the_next_step(
    daemon: Daemon, folder: DataFolder, path: str, more: dict[str, Any], said: str
) -> None:
    add_folder(daemon, path.format(root=folder.root), **more)
    before = daemon.get("/rest/config")
    with pytest.raises(SyncthingError, match=said):
        run("--yes")
    assert daemon.get("/rest/config") == before


def test_an_edited_stignore_that_keeps_what_is_private_is_left_and_named(daemon: Daemon, folder: DataFolder) -> None:
    mine = Path(folder.root, ".stignore")
    mine.write_text("// mine\n/transcripts\n" + STIGNORE_TEXT.decode(), "utf-8")
    assert f"{mine} was edited and is left as it is; it keeps back: transcripts." in run("--yes")
    assert mine.read_text("utf-8").startswith("// mine\n")


@pytest.mark.parametrize("text", ["/lib\n/state\n", "!/lib/venv\n*\n", "#include more\n*\n"])
def test_an_edited_stignore_that_lets_private_files_travel_is_refused(
    daemon: Daemon, folder: DataFolder, text: str
) -> None:
    Path(folder.root, ".stignore").write_text(text, "utf-8")
    with pytest.raises(SyncthingError, match="Move it away and run this again"):
        run("--yes")
    assert daemon.get("/rest/config/folders") == []


def test_a_folder_that_is_a_link_is_refused(daemon: Daemon, folder: DataFolder, tmp_path: Path) -> None:
    os.rmdir(folder.records)
    (tmp_path / "records").mkdir()
    Path(folder.records).symlink_to(tmp_path / "records")
    with pytest.raises(SyncthingError, match="is a symbolic link"):
        run("--yes")


def test_a_data_folder_reached_through_a_link_is_the_same_folder(
    daemon: Daemon, folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("--yes")
    (tmp_path / "link").symlink_to(folder.root)
    monkeypatch.setenv("LLM_MEMORY_HOME", str(tmp_path / "link"))
    assert "Nothing to do." in run("--yes")


def test_https_on_loopback_works_with_the_certificate_beside_the_config(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "a", tls=True) as found:
        monkeypatch.setenv("STHOMEDIR", str(found.home))
        assert f"Syncthing: {found.url}" in run("--yes")
        assert found.url.startswith("https:")


def test_a_kill_between_any_two_steps_is_made_good_by_the_next_run(daemon: Daemon, folder: DataFolder) -> None:
    device = Device(STRANGER, "desk")
    reached = access.find(os.environ)
    total = len(setup.make_plan(folder, reached, access.situation(reached), [device], os.environ).steps)
    assert total == 4
    for done in range(total):
        plan = setup.make_plan(folder, reached, access.situation(reached), [device], os.environ)
        for _, action in plan.steps[:done]:
            action()
        run("--yes", "--device", STRANGER)
        assert others(daemon) == {STRANGER}
        run("--remove", "--yes")
        assert daemon.get("/rest/config/folders") == []
        assert [one["deviceID"] for one in daemon.get("/rest/config/devices")] == [daemon.device_id]
        os.unlink(os.path.join(folder.root, ".stignore"))


def test_remove_undoes_what_was_set_up_and_only_that(daemon: Daemon, folder: DataFolder) -> None:
    add_device(daemon, STRANGER, "desk")
    before = daemon.get("/rest/config")
    Path(folder.records, "0" * 32 + ".json").write_text("{}", "utf-8")
    run("--yes", "--device", "desk")
    assert os.path.isdir(os.path.join(folder.root, ".stfolder"))
    assert "Dry run" in run("--remove", "--dry-run")
    assert others(daemon) == {STRANGER}
    run("--remove", "--yes")
    assert daemon.get("/rest/config") == before
    assert sorted(os.listdir(folder.root)) == [".stignore", "config", "records", "state", "transcripts", "trash"]
    assert os.listdir(folder.records) == ["0" * 32 + ".json"]
    assert read_note(folder) is None
    assert "Nothing to do." in run("--remove", "--yes")


def test_remove_leaves_a_device_that_another_folder_uses(daemon: Daemon, folder: DataFolder, tmp_path: Path) -> None:
    run("--yes", "--device", STRANGER)
    add_folder(daemon, tmp_path / "other", devices=[{"deviceID": STRANGER}])
    run("--remove", "--yes")
    assert STRANGER in {one["deviceID"] for one in daemon.get("/rest/config/devices")}


def test_remove_works_where_parts_were_removed_by_hand(
    daemon: Daemon, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("--yes", "--device", STRANGER)
    daemon.delete("/rest/config/folders/llm-memory")
    assert not os.path.exists(os.path.join(folder.root, ".stfolder")), "Syncthing itself takes it away"
    assert "remove the device" in run("--remove", "--yes")
    run("--yes")
    monkeypatch.delenv("STHOMEDIR")
    assert "take the folder" not in run("--remove", "--yes"), "Syncthing itself is gone"
    assert read_note(folder) is None


def test_remove_leaves_a_folder_of_that_id_that_is_not_this_one(
    daemon: Daemon, folder: DataFolder, tmp_path: Path
) -> None:
    add_folder(daemon, tmp_path / "other", id="llm-memory")
    assert "left alone" in run("--remove", "--yes")
    assert shared(daemon)["path"] == str(tmp_path / "other")

"""Uninstall and purge where Syncthing carries the data folder: no other machine may lose a memory by it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hooks import removal, setup
from memories.syncthing.state import Note, note_path, write_note
from tests.install.conftest import Sandbox, snapshot
from tests.syncthing import Daemon, connect, hide_others, running

RECORD = "0" * 32 + ".json"


@pytest.fixture(autouse=True)
def _no_other_syncthing(monkeypatch: pytest.MonkeyPatch) -> None:
    hide_others(monkeypatch)


@pytest.fixture
def installed(sandbox: Sandbox) -> Sandbox:
    """An installation with one memory."""
    setup.install()
    Path(sandbox.folder.records, RECORD).write_text("{}", "utf-8")
    return sandbox


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """The Syncthing of this machine."""
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", "/usr/bin:/bin:/usr/local/bin")
    with running(tmp_path / "laptop") as found:
        monkeypatch.setenv("STHOMEDIR", str(found.home))
        monkeypatch.setenv("PATH", path)
        yield found


def share(daemon: Daemon, path: str, device: str | None = None, **more: Any) -> None:
    default = daemon.get("/rest/config/defaults/folder")
    devices = [{"deviceID": device}] if device else []
    quick = {"fsWatcherDelayS": 1, "rescanIntervalS": 1}
    daemon.post(
        "/rest/config/folders", {**default, "id": "llm-memory", "path": path, "devices": devices, **quick, **more}
    )


def config(home: Path, path: str, *, folder: str = "llm-memory", text: str = "") -> None:
    """The config.xml of a Syncthing that does not run."""
    place = home / ".config" / "syncthing" / "config.xml"
    place.parent.mkdir(parents=True)
    gui = "<gui><address>127.0.0.1:9</address><apikey>k</apikey></gui>"
    place.write_text(text or f'<configuration><folder id="{folder}" path="{path}"/>{gui}</configuration>', "utf-8")


def refused(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> str:
    """What a purge says that changes nothing."""
    before = snapshot(sandbox.home)
    capsys.readouterr()
    assert removal.uninstall(purge=True, yes=True) == 1
    assert snapshot(sandbox.home) == before
    said = capsys.readouterr().err
    assert said.endswith("Nothing was removed.\n")
    return said


def test_a_purge_leaves_the_other_machines_memories_alone(
    installed: Sandbox,
    daemon: Daemon,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin:/usr/local/bin")
    theirs = tmp_path / "theirs"
    with running(tmp_path / "desk") as other:
        connect(daemon, other)
        share(daemon, installed.folder.root, other.device_id)
        share(other, str(theirs), daemon.device_id)
        other.wait((theirs / "records" / RECORD).exists)
        assert removal.uninstall(purge=True, dry_run=True) == 0
        assert "would take the folder llm-memory out of Syncthing" in capsys.readouterr().out
        assert removal.uninstall(purge=True, yes=True) == 0
        assert not Path(installed.folder.root).exists()
        assert daemon.get("/rest/config/folders") == []
        before = other.get("/rest/stats/folder")["llm-memory"]["lastScan"]
        other.wait(lambda: other.get("/rest/stats/folder")["llm-memory"]["lastScan"] > before)
        assert (theirs / "records" / RECORD).exists()


def test_without_its_marker_a_shared_folder_carries_no_deletion(daemon: Daemon, tmp_path: Path) -> None:
    """What the purge relies on where a Syncthing that it cannot find still shares the folder."""
    root = tmp_path / "memory"
    (root / "records").mkdir(parents=True)
    (root / "records" / RECORD).write_text("{}", "utf-8")
    share(daemon, str(root))
    daemon.wait(lambda: daemon.get("/rest/db/status?folder=llm-memory")["localFiles"] == 1)
    (root / ".stfolder").rmdir()
    (root / "records" / RECORD).unlink()
    daemon.wait(lambda: "marker missing" in daemon.get("/rest/db/status?folder=llm-memory").get("error", ""))
    daemon.kill()
    daemon.start()
    daemon.wait(lambda: "marker missing" in daemon.get("/rest/db/status?folder=llm-memory").get("error", ""))
    assert daemon.get("/rest/db/status?folder=llm-memory")["localDeleted"] == 0
    assert not (root / ".stfolder").exists()


def test_a_purge_waits_for_a_syncthing_that_shares_and_does_not_run(
    installed: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    config(installed.home, installed.folder.root)
    said = refused(installed, capsys)
    assert "does not answer" in said
    assert "Start it, then purge again." in said
    assert "config.xml" not in said


def test_a_purge_that_syncthing_refuses_names_the_command_that_takes_a_key(
    installed: Sandbox, daemon: Daemon, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    share(daemon, installed.folder.root)
    daemon.wait(lambda: daemon.get("/rest/db/status?folder=llm-memory")["state"] == "idle")
    home = installed.home / "copy"
    home.mkdir()
    (home / "config.xml").write_text(daemon.config.read_text("utf-8").replace(daemon.api_key, "wrong"), "utf-8")
    monkeypatch.setenv("STHOMEDIR", str(home))
    said = refused(installed, capsys)
    assert "does not accept the API key. Run `llm-memory sync-setup --remove --api-key KEY`" in said
    assert "config.xml" not in said


@pytest.mark.parametrize(
    ("path", "folder"), [("~", "home"), ("~/.claude/memory", "mine"), ("~/.claude/memory/records", "x")]
)
def test_a_purge_leaves_it_to_the_user_to_end_a_share_of_their_own(
    installed: Sandbox, capsys: pytest.CaptureFixture[str], path: str, folder: str
) -> None:
    config(installed.home, path, folder=folder)
    assert f"Syncthing shares {path} as {folder}" in refused(installed, capsys)


def test_a_purge_refuses_what_it_cannot_look_into(installed: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    write_note(installed.folder, Note("", "http://127.0.0.1:9", installed.folder.root))
    said = refused(installed, capsys)
    assert "The Syncthing at http://127.0.0.1:9 may still share this folder" in said
    assert "`llm-memory sync-setup --remove --url http://127.0.0.1:9 --api-key KEY`" in said
    assert note_path(installed.folder) in said
    os.unlink(note_path(installed.folder))
    Path(installed.folder.root, ".stfolder").mkdir()
    config(installed.home, "", text="<broken")
    assert "cannot be told" in refused(installed, capsys)


def test_a_purge_takes_a_marker_that_was_left_behind_first(
    installed: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(installed.folder.root, ".stfolder").mkdir()
    capsys.readouterr()
    assert removal.uninstall(purge=True, yes=True) == 0
    actions = [line for line in capsys.readouterr().out.splitlines() if "remove" in line]
    assert actions[0].endswith("/.stfolder")
    assert not Path(installed.folder.root).exists()


def test_an_uninstall_says_that_syncthing_still_carries_the_memories(
    installed: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    config(installed.home, installed.folder.root)
    assert removal.uninstall() == 0
    out = capsys.readouterr().out
    assert "Syncthing still carries them (llm-memory)" in out
    assert "Remove it there before you delete any of the files" in out
    assert Path(installed.folder.records, RECORD).exists()


def test_an_uninstall_says_nothing_of_syncthing_where_it_has_no_part(
    installed: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    config(installed.home, "~/Sync", folder="other")
    assert removal.uninstall() == 0
    assert "Syncthing" not in capsys.readouterr().out

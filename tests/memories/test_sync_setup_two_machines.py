"""`llm-memory sync-setup` on two machines, and what it says is left to do after each step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from memories.core.paths import DataFolder
from memories.syncthing.state import read_note
from tests.memories.test_sync_setup import add_folder, others, run, typed
from tests.syncthing import Daemon, hide_others, introduce, running


@pytest.fixture
def daemon(folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """The Syncthing of this machine."""
    hide_others(monkeypatch)
    with running(tmp_path / "laptop") as found:
        monkeypatch.setenv("STHOMEDIR", str(found.home))
        yield found


def test_two_machines_from_nothing_to_a_memory_that_has_arrived(
    daemon: Daemon, folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(folder.records, "0" * 32 + ".json").write_text("{}", "utf-8")
    run("--yes")
    second = DataFolder(str(tmp_path / "second"))
    with running(tmp_path / "workstation") as other:
        with monkeypatch.context() as there:
            there.setenv("STHOMEDIR", str(other.home))
            there.setenv("LLM_MEMORY_HOME", second.root)
            out = run("--yes", "--device", daemon.device_id)
            assert "Now on the first machine: `llm-memory sync-setup`, and compare this id:" in out
            assert out.endswith(f"  {other.device_id}\n")
            assert "--device" not in out
        other.patch(f"/rest/config/devices/{daemon.device_id}", {"addresses": [daemon.address]})
        daemon.wait(lambda: daemon.get("/rest/cluster/pending/devices"))
        assert others(daemon) == set()
        asks = f"workstation ({other.device_id}) asks to connect."
        take = f"llm-memory sync-setup --device {other.device_id}"
        for word in ("--yes", "--dry-run"):
            out = run(word)
            assert "Nothing to do." in out, "a machine that only asks is never taken without a person"
            assert asks in out
            assert take in out
            assert "here again" not in out
        done = typed(daemon, folder, "1\ny\n")
        assert done.returncode == 0, done.stderr
        assert "Both sides run by themselves now" in done.stdout
        assert "--device" not in done.stdout
        assert f"workstation ({other.device_id}): asks to connect; take it only if" in done.stdout
        daemon.patch(f"/rest/config/devices/{other.device_id}", {"addresses": [other.address]})
        other.wait(lambda: os.path.exists(os.path.join(second.records, "0" * 32 + ".json")))
        note = read_note(folder)
        assert note
        assert note.devices_added == (other.device_id,)
        again = typed(daemon, folder, "").stdout
        assert "Nothing to do." in again
        assert "Both sides run by themselves now" in again


def test_a_known_device_that_offers_the_folder_is_taken_with_yes(
    daemon: Daemon, folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "workstation") as other:
        introduce(daemon, other)
        introduce(other, daemon)
        add_folder(other, tmp_path / "theirs", id="llm-memory", devices=[{"deviceID": daemon.device_id}])
        daemon.wait(lambda: daemon.get("/rest/cluster/pending/folders"))
        assert f"With:      workstation ({other.device_id})" in run("--yes")
        assert others(daemon) == {other.device_id}
        run("--remove", "--yes")
        assert len(daemon.get("/rest/config/devices")) == 2, "the user had added that device"

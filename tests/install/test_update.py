"""An update from fetching to the last check, on an installation whose programs are a few lines of shell."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from memories import doctor_left
from memories.core import update_state
from memories.core.errors import UpdateError
from memories.core.paths import DataFolder
from memories.update import addresses, check, detached, installation, trial, updating
from memories.update.exchange import exchange
from tests.install.conftest import snapshot
from tests.install.updates import add_lib, commit, doctor_says, installed_version, release, write_tree


class Updates:
    """A remote whose newest version is 2.1.0, an installation of 2.0.0 from it, and updates of that."""

    def __init__(self, folder: DataFolder, tmp_path: Path) -> None:
        self.folder = folder
        self.tree = write_tree(tmp_path / "remote", "2.0.0")
        self.repo = f"file://{self.tree}"
        self.log = tmp_path / "python.log"
        self.said: list[str] = []
        add_lib(folder, self.log, repo=self.repo, commit=commit(self.tree, "v2.0.0"))

    def publish(self, version: str, **how: Any) -> str:
        """Tag another version; the commit."""
        write_tree(self.tree, version, repo=self.repo, **how)
        return commit(self.tree, f"v{version}")

    def update(self, to: str = "", *, source: check.Source | None = None) -> updating.Result:
        """Update as the command does."""
        where = source or check.source(self.folder, {})
        target = updating.choose(check.ask(where), update_state.installed(self.folder), to)
        assert target is not None
        return updating.update(self.folder, where, target, self.said.append, down=bool(to))

    @property
    def leftovers(self) -> list[str]:
        """What is beside lib/ in the data folder, by name."""
        return sorted(name for name in os.listdir(self.folder.root) if name.startswith("lib."))


@pytest.fixture
def updates(folder: DataFolder, tmp_path: Path) -> Updates:
    return Updates(folder, tmp_path)


def test_an_update_puts_the_newest_in_place_and_keeps_the_one_before(updates: Updates) -> None:
    updates.publish("2.0.1")
    updates.publish("2.10.0")
    done = updates.update()
    assert (done.after, done.trouble, done.whole) == ("2.10.0", "", True)
    assert done.before.startswith("2.0.0 (")
    assert done.changes == ["## [2.10.0] - 2026-12-01", "- New in 2.10.0.[31m"]
    assert installed_version(updates.folder) == "2.10.0"
    assert installation.about(installation.previous(updates.folder))["version"] == "2.0.0"
    assert updates.leftovers == ["lib.previous"]
    assert f"installing for {updates.repo}" in updates.said
    assert updates.log.read_text(encoding="utf-8").split()[0] == "2.0.0"


def test_an_update_from_a_release_folder_is_the_same(updates: Updates, tmp_path: Path) -> None:
    source = check.Source(f"file://{tmp_path}/web/", addresses.RELEASE)
    release(tmp_path / "web", write_tree(tmp_path / "next", "2.1.0"), "2.1.0")
    assert updates.update(source=source).after == "2.1.0"
    assert f"installing for {source.repo}" in updates.said


@pytest.mark.parametrize(("failing", "why"), [(("index",), "doctor fails"), (None, "does not start")])
def test_a_version_that_is_worse_is_taken_back(updates: Updates, failing: tuple[str, ...] | None, why: str) -> None:
    before = snapshot(Path(updates.folder.lib))
    updates.publish("2.1.0", failing=failing)
    done = updates.update()
    assert why in done.trouble
    assert snapshot(Path(updates.folder.lib)) == before
    assert updates.leftovers == []
    calls = updates.log.read_text(encoding="utf-8").splitlines()
    assert calls[-1].startswith("2.0.0 ")
    assert calls[-1].endswith(" setup_claude")
    assert update_state.read(updates.folder)["declined"] == "2.1.0"


def test_what_failed_before_the_update_does_not_count_against_it(updates: Updates) -> None:
    Path(updates.folder.lib, "doctor.json").write_text(doctor_says("MCP server"), encoding="utf-8")
    updates.publish("2.1.0", failing=("MCP server",))
    assert updates.update().trouble == ""
    updates.publish("2.2.0", failing=("MCP server", "hooks"))
    assert "(hooks)" in updates.update().trouble
    assert installed_version(updates.folder) == "2.1.0"


def test_an_installation_that_does_not_start_is_mended_by_a_version_that_does(updates: Updates) -> None:
    Path(updates.folder.lib, "doctor.json").unlink()
    updates.publish("2.1.0", failing=("hooks",))
    assert updates.update().trouble == ""


def test_an_install_that_fails_leaves_everything_as_it_was(updates: Updates) -> None:
    before = snapshot(Path(updates.folder.root))
    updates.publish("2.1.0", refuses=True)
    with pytest.raises(UpdateError, match="the installation is as it was"):
        updates.update()
    assert "pip could not install" in updates.said
    assert snapshot(Path(updates.folder.root)) == before


def test_what_is_not_what_its_tag_says_is_not_run(updates: Updates) -> None:
    write_tree(updates.tree, "2.0.9")
    commit(updates.tree, "v2.1.0")
    with pytest.raises(UpdateError, match=r"as 2\.1\.0 says it is 2\.0\.9: nothing was run"):
        updates.update()
    (updates.tree / "manage.py").unlink()
    commit(updates.tree, "v2.2.0")
    with pytest.raises(UpdateError, match="is not LLM Memory"):
        updates.update()
    assert installed_version(updates.folder) == "2.0.0"
    assert updates.leftovers == []


def test_a_lower_version_is_installed_only_when_it_is_named(updates: Updates) -> None:
    updates.publish("2.1.0")
    updates.update()
    about = update_state.installed(updates.folder)
    available = check.ask(check.source(updates.folder, {}))
    assert updating.choose(available, about) is None
    assert updating.choose(available, about, "2.1.0") is None
    with pytest.raises(UpdateError, match=r"no version 3\.0\.0; there are 2\.1\.0, 2\.0\.0"):
        updating.choose(available, about, "3.0.0")
    assert updates.update("v2.0.0").trouble == ""
    assert installed_version(updates.folder) == "2.0.0"


def test_without_tags_the_newest_commit_is_what_is_installed(folder: DataFolder, tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "remote", "2.0.0")
    add_lib(folder, tmp_path / "log", repo=str(tree), commit=commit(tree))
    where = check.source(folder, {})
    assert updating.choose(check.ask(where), update_state.installed(folder)) is None
    head = commit(write_tree(tree, "2.0.0", commit="f" * 40))
    target = updating.choose(check.ask(where), update_state.installed(folder))
    assert target is not None
    assert (target.version, target.mark) == ("", head)
    assert updating.update(folder, where, target, print, down=False).after == "2.0.0 (ffffffffff)"
    commit(write_tree(tree, "1.9.0"))
    older = updating.choose(check.ask(where), update_state.installed(folder))
    assert older is not None
    with pytest.raises(UpdateError, match=r"older than 2\.0\.0"):
        updating.update(folder, where, older, print, down=False)


def test_going_back_and_forth_by_hand(updates: Updates) -> None:
    updates.publish("2.1.0")
    updates.update()
    assert installation.roll_back(updates.folder, updates.said.append)["version"] == "2.0.0"
    assert installed_version(updates.folder) == "2.0.0"
    check.check(updates.folder, check.source(updates.folder, {}))
    notes, about = update_state.read(updates.folder), update_state.installed(updates.folder)
    assert (notes["newest"], update_state.offered(about, notes)) == ("2.1.0", "")
    assert installation.roll_back(updates.folder, updates.said.append)["version"] == "2.1.0"


def test_without_a_whole_version_before_nothing_is_exchanged(updates: Updates) -> None:
    with pytest.raises(UpdateError, match="no version before this one"):
        installation.roll_back(updates.folder, updates.said.append)
    updates.publish("2.1.0")
    updates.update()
    python = Path(installation.previous(updates.folder), "venv", "bin", "python")
    python.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    with pytest.raises(UpdateError, match="does not start any more"):
        installation.roll_back(updates.folder, updates.said.append)
    assert installed_version(updates.folder) == "2.1.0"


def test_where_the_system_cannot_exchange_them_two_folders_are_renamed(
    updates: Updates, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates.publish("2.1.0")
    updates.update()
    monkeypatch.setattr(installation, "exchange", lambda _first, _second: False)
    assert installation.roll_back(updates.folder, updates.said.append)["version"] == "2.0.0"
    assert installation.about(installation.previous(updates.folder))["version"] == "2.1.0"
    assert updates.leftovers == ["lib.previous"]


def test_two_folders_change_places_or_nothing_happens(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "one").touch()
    assert not exchange(str(tmp_path / "a"), str(tmp_path / "missing"))
    assert (tmp_path / "a" / "one").exists()
    if exchange(str(tmp_path / "a"), str(tmp_path / "b")):
        assert (tmp_path / "b" / "one").exists()
        assert not (tmp_path / "a" / "one").exists()


def test_what_a_killed_update_left_is_named_by_doctor(updates: Updates) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    Path(updates.folder.root, f"lib.fetched-{gone.pid}").mkdir()
    (found,) = doctor_left.left_behind(updates.folder)
    assert f"lib.fetched-{gone.pid}" in found.text


def test_what_was_taken_back_stays_so_after_an_update_to_another_version(updates: Updates) -> None:
    write_settings(updates.folder, auto_update=True)
    updates.publish("2.0.1")
    updates.publish("2.0.3", failing=None)
    assert updates.update("2.0.3").trouble
    assert updates.update("2.0.1").trouble == ""
    detached.run(updates.folder)
    assert installed_version(updates.folder) == "2.0.1"
    assert update_state.read(updates.folder)["declined"] == "2.0.3"
    updates.publish("2.0.4")
    detached.run(updates.folder)
    assert installed_version(updates.folder) == "2.0.4"
    assert "declined" not in update_state.read(updates.folder)


def test_an_older_version_that_was_asked_for_is_kept_until_there_is_a_newer_one_than_was_known(
    updates: Updates,
) -> None:
    write_settings(updates.folder, auto_update=True)
    updates.publish("2.0.1")
    updates.publish("2.1.0")
    updates.update()
    updates.publish("2.2.0")
    assert updates.update("2.0.1").trouble == ""
    detached.run(updates.folder)
    assert installed_version(updates.folder) == "2.0.1"
    assert update_state.read(updates.folder)["declined"] == "2.2.0"
    updates.publish("2.3.0")
    detached.run(updates.folder)
    assert installed_version(updates.folder) == "2.3.0"


def test_a_head_that_was_gone_back_from_can_be_asked_for_by_its_commit(folder: DataFolder, tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "remote", "2.0.0")
    add_lib(folder, tmp_path / "log", repo=str(tree), commit=commit(tree))
    head = commit(write_tree(tree, "2.0.1", failing=None))
    available, about = check.Available({}, head), update_state.installed(folder)
    notes = {"declined": "2.0.1", "declined_commit": head}
    assert updating.choose(available, about, notes=notes) is None
    target = updating.choose(available, about, head[:10], notes)
    assert target is not None
    assert target.mark == head


def killed_before_the_check(updates: Updates) -> str:
    """An update to 2.1.0 that was killed once 2.1.0, which does not start, was in place; what it left lying."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    lib = Path(updates.folder.lib)
    updates.publish("2.1.0", failing=None)
    trial.begin(updates.folder, set())
    environ = {**os.environ, "LLM_MEMORY_HOME": updates.folder.root, "LLM_MEMORY_REPO": updates.repo}
    subprocess.run(["sh", str(updates.tree / "install.sh")], env=environ, check=True, capture_output=True)
    assert installed_version(updates.folder) == "2.1.0"
    left = lib.with_name(f"lib.fetched-{gone.pid}")
    left.mkdir()
    return left.name


@pytest.mark.parametrize("checks", [True, False])
def test_an_update_that_was_killed_before_the_check_is_ended_by_the_next_session(
    updates: Updates, checks: bool
) -> None:
    killed_before_the_check(updates)
    write_settings(updates.folder, update_check=checks)
    assert update_state.claim(updates.folder, {"update_check": checks})
    detached.run(updates.folder)
    assert installed_version(updates.folder) == "2.0.0"
    assert updates.leftovers == []
    assert "trial" not in update_state.read(updates.folder)
    assert "went back to 2.0.0" in update_state.line(updates.folder, {"update_check": True})
    detached.run(updates.folder)
    assert installed_version(updates.folder) == "2.0.0"


def test_an_interrupted_update_to_a_version_that_is_well_stays(updates: Updates) -> None:
    left = killed_before_the_check(updates)
    Path(updates.folder.lib, "doctor.json").write_text(doctor_says(), encoding="utf-8")
    assert left in updates.leftovers
    assert trial.resume(updates.folder, updates.said.append) == ""
    assert installed_version(updates.folder) == "2.1.0"
    assert updates.leftovers == ["lib.previous"]
    assert "trial" not in update_state.read(updates.folder)


def test_what_was_installed_since_an_interrupted_update_is_left_alone(updates: Updates) -> None:
    trial.begin(updates.folder, set())
    assert trial.resume(updates.folder, updates.said.append) == ""
    assert update_state.read(updates.folder) == {}
    assert not updates.log.exists()


def write_settings(folder: DataFolder, **settings: Any) -> None:
    Path(folder.settings).write_text(json.dumps(settings), encoding="utf-8")


def test_the_daily_process_asks_and_only_tells(updates: Updates) -> None:
    updates.publish("2.1.0")
    detached.run(updates.folder)
    notes = update_state.read(updates.folder)
    assert (notes["newest"], notes["error"], notes["repo"]) == ("2.1.0", "", updates.repo)
    assert installed_version(updates.folder) == "2.0.0"
    assert not updates.log.exists()


def test_with_auto_update_the_daily_process_installs_and_the_next_session_says_so(updates: Updates) -> None:
    write_settings(updates.folder, auto_update=True)
    updates.publish("2.1.0")
    detached.run(updates.folder)
    assert installed_version(updates.folder) == "2.1.0"
    settings = {"update_check": True}
    assert "was updated from 2.0.0 (" in update_state.line(updates.folder, settings)
    assert update_state.line(updates.folder, settings) == ""
    assert "installing for" in Path(updates.folder.state, detached.LOG).read_text(encoding="utf-8")


def test_an_automatic_update_that_was_taken_back_is_told_and_not_tried_again(updates: Updates) -> None:
    write_settings(updates.folder, auto_update=True)
    updates.publish("2.1.0", failing=None)
    detached.run(updates.folder)
    assert installed_version(updates.folder) == "2.0.0"
    assert "went back to 2.0.0" in update_state.line(updates.folder, {"update_check": True})
    calls = updates.log.read_text(encoding="utf-8")
    detached.run(updates.folder)
    assert updates.log.read_text(encoding="utf-8") == calls


def test_an_automatic_update_that_could_not_be_made_is_an_error_that_doctor_knows(updates: Updates) -> None:
    write_settings(updates.folder, auto_update=True)
    updates.publish("2.1.0", refuses=True)
    detached.run(updates.folder)
    assert "could not be installed" in update_state.read(updates.folder)["error"]
    assert update_state.offered(update_state.installed(updates.folder), update_state.read(updates.folder)) == "2.1.0"


@pytest.mark.parametrize("off", ["setting", "folder", "machine", "environment"])
def test_nobody_is_asked_where_that_is_not_wanted(updates: Updates, monkeypatch: pytest.MonkeyPatch, off: str) -> None:
    updates.publish("2.1.0")
    if off == "setting":
        write_settings(updates.folder, update_check=False)
    elif off == "environment":
        monkeypatch.setenv("LLM_MEMORY_DISABLE", "1")
    elif off == "machine":
        Path(update_state.off_file(updates.folder)).parent.mkdir()
        Path(update_state.off_file(updates.folder)).touch()
    else:
        about = Path(updates.folder.lib, "install.json")
        about.write_text(json.dumps({**json.loads(about.read_text("utf-8")), "kind": "folder"}), encoding="utf-8")
    detached.run(updates.folder)
    assert update_state.read(updates.folder) == {}


def test_the_address_is_the_installs_own_whatever_the_environment_of_a_session_says(
    updates: Updates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LLM_MEMORY_REPO", f"file://{tmp_path}/theirs")
    detached.run(updates.folder)
    assert update_state.read(updates.folder)["repo"] == updates.repo


def test_a_failed_check_keeps_the_last_answer_and_no_password(updates: Updates) -> None:
    updates.publish("2.1.0")
    where = check.source(updates.folder, {})
    check.check(updates.folder, where)
    os.rename(updates.tree, updates.tree.with_name("away"))
    notes = check.check(updates.folder, check.Source(f"file://me:s3cret@{updates.tree}", addresses.GIT))
    assert notes["newest"] == "2.1.0"
    assert "git ls-remote failed" in notes["error"]
    assert "s3cret" not in json.dumps(notes)

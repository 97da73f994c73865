"""Doctor on who else can get at the data folder; in one that another can change it reads nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memories import doctor
from memories.core import mirror
from memories.core.paths import DataFolder
from memories.findings import Check
from tests.other_user import NOBODY, as_root


def _checks(folder: DataFolder, name: str = "permissions") -> list[Check]:
    return [one for one in doctor.run(folder, read_only=True) if one.name == name]


def test_a_private_folder_is_said_to_be_one(folder: DataFolder) -> None:
    mirror.update(folder)
    assert [(one.status, one.todo) for one in _checks(folder)] == [("ok", "")]


def test_wrong_modes_are_counted_with_the_first_and_the_fix(folder: DataFolder) -> None:
    for number in range(8):
        path = Path(folder.records, f"{number}.json")
        path.touch()
        os.chmod(path, 0o644)
    [check] = _checks(folder)
    assert (check.status, check.todo) == ("warn", "run `llm-memory doctor --fix`")
    assert check.text.startswith("8 with a wrong mode: records/0.json (0644, should be 0600)")
    assert check.text.endswith("; and 7 more")


def test_what_its_own_user_cannot_use_is_a_failure(folder: DataFolder) -> None:
    os.chmod(folder.trash, 0)
    [check] = _checks(folder)
    assert (check.status, "trash (0000, should be 0700)" in check.text) == ("fail", True)
    os.chmod(folder.trash, 0o700)


@as_root
def test_what_belongs_to_another_user_is_named_with_its_owner(folder: DataFolder) -> None:
    path = Path(folder.records, "theirs.json")
    path.touch()
    os.chown(path, NOBODY, 0)
    [check] = _checks(folder)
    assert (check.status, check.text) == ("fail", "1 belong to another user: records/theirs.json (nobody)")
    assert check.todo == f"run sudo chown -R root {folder.root}"


@as_root
def test_a_group_that_could_move_the_folder_is_worth_a_word(tmp_path: Path) -> None:
    folder = DataFolder(str(tmp_path / "home" / "claude" / "memory"))
    folder.create()
    os.chown(tmp_path / "home", 0, NOBODY)
    os.chmod(tmp_path / "home", 0o770)  # noqa: S103
    warned = [one for one in _checks(folder) if one.status == "warn"]
    assert [one.todo for one in warned] == [f"run chmod g-w {tmp_path}/home"]


@pytest.mark.usefixtures("round_trips")
def test_of_a_folder_that_others_can_change_nothing_is_read(folder: DataFolder) -> None:
    Path(folder.settings).write_text("{broken", "utf-8")
    os.chmod(folder.root, 0o777)  # noqa: S103
    checks = doctor.run(folder)
    assert (checks[0].name, checks[0].status) == ("data folder", "fail")
    assert checks[0].todo == f"run chmod 700 {folder.root} after looking at what is in it"
    assert {one.name for one in checks} == {"data folder", "round trip", "Python", "Claude Code"}

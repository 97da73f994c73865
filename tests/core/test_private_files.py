"""Modes and owners of everything in the data folder."""

from __future__ import annotations

import os
from pathlib import Path

from memories.core import private_files
from memories.core.paths import DataFolder
from tests.other_user import NOBODY, as_root


def _modes(folder: DataFolder) -> dict[str, int]:
    return {os.path.relpath(path, folder.root): mode for path, mode in private_files.faults(folder).modes}


def test_a_folder_as_we_make_it_has_no_fault(folder: DataFolder) -> None:
    Path(folder.records, "a.json").touch(0o600)
    found = private_files.faults(folder)
    assert (found.modes, found.others, found.unseen) == ([], [], [])


def test_what_is_open_or_closed_is_named_with_the_mode_it_should_have_and_mended(folder: DataFolder) -> None:
    for name, mode in (("open.json", 0o644), ("closed.json", 0o400), ("run.sh", 0o755)):
        Path(folder.records, name).touch()
        os.chmod(os.path.join(folder.records, name), mode)
    os.chmod(folder.trash, 0o750)  # noqa: S103
    os.chmod(folder.root, 0o755)  # noqa: S103
    wanted = {
        ".": 0o700, "trash": 0o700, "records/open.json": 0o600, "records/closed.json": 0o600, "records/run.sh": 0o700,
    }  # fmt: skip
    assert _modes(folder) == wanted
    assert private_files.mend(folder) == len(wanted)
    assert _modes(folder) == {}
    assert os.stat(os.path.join(folder.records, "run.sh")).st_mode & 0o777 == 0o700


def test_what_was_hidden_in_a_closed_folder_is_mended_with_it(folder: DataFolder) -> None:
    inner = Path(folder.transcripts, "s", "subagents")
    inner.mkdir(parents=True)
    (inner / "agent.jsonl").touch()
    os.chmod(inner / "agent.jsonl", 0o666)  # noqa: S103
    for place in (inner, inner.parent):
        os.chmod(place, 0)
    private_files.mend(folder)
    assert _modes(folder) == {}
    assert os.stat(inner / "agent.jsonl").st_mode & 0o777 == 0o600


def test_the_program_may_have_files_that_are_read_only(folder: DataFolder) -> None:
    Path(folder.lib).mkdir(0o700)
    for name, mode in (("kept.py", 0o400), ("open.py", 0o444)):
        Path(folder.lib, name).touch()
        os.chmod(os.path.join(folder.lib, name), mode)
    assert _modes(folder) == {"lib/open.py": 0o600}
    assert private_files.faults(folder, program=False).modes == []


def test_links_are_not_followed_and_syncthings_own_folders_are_left_alone(folder: DataFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    os.chmod(outside, 0o755)  # noqa: S103
    os.symlink(outside, os.path.join(folder.records, "link"))
    for name in (".stfolder", ".stversions"):
        os.mkdir(os.path.join(folder.root, name))
        os.chmod(os.path.join(folder.root, name), 0o755)  # noqa: S103
    assert _modes(folder) == {}
    private_files.mend(folder)
    assert os.stat(outside).st_mode & 0o777 == 0o755


def test_what_an_install_is_at_work_in_is_left_to_it(folder: DataFolder) -> None:
    for name in ("lib.new-1", "lib.old-1", "lib.gone-1", "lib.fetched-1"):
        Path(folder.root, name).mkdir(mode=0o755)
    Path(folder.root, "lib.previous").mkdir(mode=0o755)
    assert [path for path, _ in private_files.faults(folder).modes] == [os.path.join(folder.root, "lib.previous")]


@as_root
def test_what_belongs_to_another_user_is_told_apart(folder: DataFolder) -> None:
    path = os.path.join(folder.records, "theirs.json")
    Path(path).touch(0o644)
    os.chown(path, NOBODY, 0)
    found = private_files.faults(folder)
    assert (found.modes, found.others) == ([], [(path, NOBODY)])


def test_a_folder_that_is_not_there_has_no_fault(tmp_path: Path) -> None:
    assert private_files.faults(DataFolder(str(tmp_path / "nowhere"))).modes == []

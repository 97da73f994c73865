"""Who else can change the data folder: refused with the command that mends it, and that command does mend it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from memories.core import permissions
from memories.core.errors import StorageError
from memories.core.paths import DataFolder, check_private
from tests.other_user import NOBODY, as_nobody, as_root, open_place


def _refusal(folder: DataFolder) -> str:
    """Why it is refused, "" where it is not."""
    try:
        check_private(folder)
    except StorageError as error:
        return str(error)
    return ""


@pytest.fixture
def deep(tmp_path: Path) -> DataFolder:
    """A data folder two levels below the test's own."""
    folder = DataFolder(str(tmp_path / "claude" / "memory"))
    folder.create()
    return folder


def test_a_folder_as_we_make_it_passes_whatever_the_umask(tmp_path: Path) -> None:
    for umask in (0, 0o022, 0o027, 0o077, 0o777):
        before = os.umask(umask)
        try:
            folder = DataFolder(str(tmp_path / f"{umask:o}" / "deep" / "memory"))
            folder.create()
        finally:
            os.umask(before)
        assert _refusal(folder) == ""
        for place in (*folder.parts(), os.path.dirname(folder.root)):
            assert os.stat(place).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o700, 0o500, 0o000, 0o750, 0o755, 0o711])
def test_a_folder_that_others_can_only_read_is_not_refused(deep: DataFolder, mode: int) -> None:
    os.chmod(deep.root, mode)
    assert _refusal(deep) == ""


@pytest.mark.parametrize("mode", [0o777, 0o702, 0o1777, 0o722])
def test_a_folder_that_others_can_write_is_refused_until_it_is_mended(deep: DataFolder, mode: int) -> None:
    os.chmod(deep.root, mode)
    assert "can be written by other users" in _refusal(deep)
    assert f"run chmod 700 {deep.root}" in _refusal(deep)
    subprocess.run(["chmod", "700", deep.root], check=True)
    assert _refusal(deep) == ""


def test_a_part_that_others_can_write_counts_where_they_can_get_at_it(deep: DataFolder) -> None:
    os.chmod(deep.records, 0o777)  # noqa: S103
    assert _refusal(deep) == ""
    os.chmod(deep.root, 0o755)  # noqa: S103
    assert f"{deep.records} can be written by other users" in _refusal(deep)


def test_a_folder_above_that_others_can_write_is_refused_unless_it_is_sticky(deep: DataFolder, tmp_path: Path) -> None:
    above = str(tmp_path / "claude")
    for place in (above, str(tmp_path)):
        before = os.stat(place).st_mode
        os.chmod(place, 0o777)  # noqa: S103
        assert f"{place}, which holds {deep.root}, can be written by other users" in _refusal(deep)
        assert f"run chmod o-w {place}" in _refusal(deep)
        os.chmod(place, 0o1777)  # noqa: S103
        assert _refusal(deep) == ""
        os.chmod(place, before)


@as_root
def test_a_group_counts_unless_it_is_the_users_own(deep: DataFolder, tmp_path: Path) -> None:
    above = str(tmp_path / "claude")
    os.chmod(above, 0o770)  # noqa: S103
    os.chmod(deep.root, 0o770)  # noqa: S103
    assert _refusal(deep) == ""  # root's own
    os.chown(deep.root, 0, NOBODY)
    assert "can be written by its group" in _refusal(deep)
    os.chown(deep.root, 0, 0)
    os.chown(above, 0, NOBODY)
    assert f"run chmod g-w {above}" in _refusal(deep)
    os.chmod(above, 0o750)  # noqa: S103


@as_root
def test_a_group_further_up_is_only_worth_a_word(deep: DataFolder, tmp_path: Path) -> None:
    os.chown(tmp_path, 0, NOBODY)
    os.chmod(tmp_path, 0o770)  # noqa: S103
    assert _refusal(deep) == ""
    assert permissions.group_writable_above(deep.root) == [str(tmp_path)]
    os.chmod(tmp_path, 0o700)


@as_root
def test_root_refuses_the_folder_of_a_user_and_says_whose(deep: DataFolder) -> None:
    os.chown(deep.root, NOBODY, 0)
    assert "belongs to nobody, and this runs as root" in _refusal(deep)
    assert "sudo -u nobody" in _refusal(deep)
    assert f"chown -R root {deep.root}" in _refusal(deep)
    os.chown(deep.root, 54_321, 0)
    assert "belongs to user 54321" in _refusal(deep)
    assert "sudo -u '#54321'" in _refusal(deep)


@as_root
def test_root_makes_no_folder_among_a_users_files(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, 0)
    text = _refusal(DataFolder(str(tmp_path / "claude" / "memory")))
    assert f"would be made in {tmp_path}, which belongs to nobody" in text
    os.chown(tmp_path, 0, 0)
    assert _refusal(DataFolder(str(tmp_path / "claude" / "memory"))) == ""


@as_root
def test_another_users_folder_is_refused_by_a_user_too() -> None:
    with open_place() as place:
        folder = DataFolder(str(place / "memory"))
        folder.create()
        os.chmod(folder.root, 0o755)  # noqa: S103
        text = as_nobody(lambda: _refusal(folder).encode()).decode()
    assert f"{folder.root} belongs to root, not to nobody" in text
    assert f"sudo chown -R nobody {folder.root}" in text


def test_a_link_passes_where_its_target_does(deep: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(deep.root)
    linked = DataFolder(str(tmp_path / "link"))
    assert _refusal(linked) == ""
    os.chmod(tmp_path / "claude", 0o777)  # noqa: S103
    assert f"{tmp_path}/claude, which holds {tmp_path}/link" in _refusal(linked)


@as_root
def test_a_link_that_another_user_made_is_refused(deep: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(deep.root)
    os.chown(tmp_path / "link", NOBODY, 0, follow_symlinks=False)
    assert "is a link that nobody made" in _refusal(DataFolder(str(tmp_path / "link")))


def test_nothing_there_and_no_folder_are_for_others_to_say(tmp_path: Path) -> None:
    assert _refusal(DataFolder(str(tmp_path / "not" / "yet"))) == ""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert _refusal(DataFolder(str(tmp_path / "file"))) == ""
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    assert _refusal(DataFolder(str(tmp_path / "dangling"))) == ""


def test_a_space_in_a_path_is_quoted_in_the_command(tmp_path: Path) -> None:
    folder = DataFolder(str(tmp_path / "my data"))
    folder.create()
    os.chmod(folder.root, 0o777)  # noqa: S103
    assert f"chmod 700 '{folder.root}'" in _refusal(folder)


@pytest.mark.parametrize(
    ("line", "keeps_none"),
    [
        ("36 35 8:1 / /mnt/stick rw,nosuid - vfat /dev/sda1 rw,uid=1000,fmask=0022", True),
        ("36 35 8:1 / /mnt/stick rw shared:1 - exfat /dev/sda1 rw,uid=1000", True),
        ("36 35 8:1 / /mnt/win rw - fuseblk /dev/sda2 rw,user_id=0,allow_other", True),
        (
            "36 35 0:50 / /mnt/c rw,noatime - 9p C:\\134 rw,aname=drvfs;path=C:\\;uid=1000;gid=1000;symlinkroot=/mnt/",
            True,
        ),
        ("36 35 0:50 / /mnt/c rw - 9p C:\\134 rw,aname=drvfs;path=C:\\;uid=1000;metadata;symlinkroot=/mnt/", False),
        ("36 35 0:50 / /mnt/c rw - drvfs C: rw,uid=1000,gid=1000", True),
        ("36 35 0:50 / /mnt/c rw - virtiofs drvfsa rw", True),
        ("36 35 0:50 / /shared rw - 9p hostshare rw,trans=virtio", False),
        ("36 35 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw", False),
        ("36 35 0:5 / /mnt/vfat rw - tmpfs vfat rw", False),
        ("", False),
        ("no mount at all", False),
    ],
)
def test_mounts_that_keep_no_modes_are_told_by_the_mount_table(line: str, keeps_none: bool) -> None:
    assert permissions.modeless_mount(line + "\n") is keeps_none


def test_a_disk_that_keeps_no_modes_is_let_through(
    deep: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mode says that all can write it, whatever chmod says: there is nothing that its user could mend."""
    os.chmod(deep.root, 0o777)  # noqa: S103
    device = os.stat(deep.root).st_dev
    table = tmp_path / "mountinfo"
    number = f"{os.major(device)}:{os.minor(device)}"
    table.write_text(f"36 35 8:1 / / rw - ext4 /dev/sda1 rw\n37 36 {number} / /mnt rw - exfat /dev/sdb1 rw\n", "utf-8")
    monkeypatch.setattr(permissions, "_MOUNTS", str(table))
    assert permissions.is_modeless(deep.root)
    assert _refusal(deep) == ""
    table.write_text(f"37 36 {number} / /mnt rw - ext4 /dev/sdb1 rw\n", "utf-8")
    assert "can be written by other users" in _refusal(deep)

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from memories.core.errors import LockTimeoutError, StorageError
from memories.core.paths import DataFolder
from memories.exporters.vault import JOURNAL, MANIFEST, Entry, Vault

NO_PROCESS = 2**22 + 1


def entry(of: str = "1") -> Entry:
    return Entry("note", of, f"Title {of}", "2026-03-14T09:12:44")


def run(folder: DataFolder, place: Path, contents: dict[str, str], *, force: bool = False) -> Vault:
    """Export these files, which are all there is."""
    with Vault(folder, str(place), force=force) as vault:
        for path, text in contents.items():
            vault.write(path, entry(), text.encode())
        vault.finish(lambda _: False)
    return vault


def counts(vault: Vault) -> tuple[int, int, int]:
    return vault.written, vault.unchanged, vault.removed


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "notes"


def test_what_changed_is_written_and_what_is_gone_is_removed(folder: DataFolder, place: Path) -> None:
    assert counts(run(folder, place, {"p/a.md": "one", "p/b.md": "two", "q/c.md": "three"})) == (3, 0, 0)
    assert place.stat().st_mode & 0o777 == 0o700
    assert (place / "p" / "a.md").stat().st_mode & 0o777 == 0o600
    assert counts(run(folder, place, {"p/a.md": "one", "p/b.md": "changed"})) == (1, 1, 1)
    assert (place / "p" / "b.md").read_text() == "changed"
    assert not (place / "q").exists()
    assert sorted(os.listdir(place)) == [MANIFEST, "p"]


def test_the_users_own_files_are_left_alone(folder: DataFolder, place: Path) -> None:
    run(folder, place, {"p/a.md": "ours"})
    (place / "p" / "mine.md").write_text("mine")
    (place / ".obsidian").mkdir()
    with Vault(folder, str(place), force=False) as vault:
        assert vault.others_in("p") == ["mine.md"]
        assert set(vault.others_in("", folders=True)) == {MANIFEST, JOURNAL}
        vault.finish(lambda _: False)
    assert (place / "p" / "mine.md").read_text() == "mine"
    assert not (place / "p" / "a.md").exists()


def test_what_the_user_edited_is_kept_and_named(folder: DataFolder, place: Path) -> None:
    run(folder, place, {"a.md": "ours", "b.md": "ours too"})
    (place / "a.md").write_text("edited")
    (place / "b.md").write_text("edited too")
    again = run(folder, place, {"a.md": "newer"})
    assert again.kept == ["a.md", "b.md"]
    assert again.removed == 0
    assert (place / "a.md").read_text() == "edited"
    assert (place / "b.md").read_text() == "edited too"
    assert run(folder, place, {"a.md": "newest"}).kept == ["a.md"]
    (place / "a.md").unlink()
    assert run(folder, place, {"a.md": "newest"}).written == 1


def test_what_was_not_asked_for_stays(folder: DataFolder, place: Path) -> None:
    run(folder, place, {"a.md": "ours"})
    with Vault(folder, str(place), force=False) as vault:
        vault.finish(lambda one: one.of == "1")
    assert (place / "a.md").exists()
    assert list(vault.now) == ["a.md"]


def test_an_export_that_was_killed_is_known_by_the_next(folder: DataFolder, place: Path) -> None:
    run(folder, place, {"a.md": "one", "b.md": "one"})
    with Vault(folder, str(place), force=False) as vault:
        vault.write("a.md", entry(), b"two")
        vault.write("new.md", entry("2"), b"new")
    assert (place / JOURNAL).exists()
    (place / f".a.md.tmp-{NO_PROCESS}").write_text("half")
    with open(place / JOURNAL, "ab") as journal:
        journal.write(b'{"path": "b.m')
    again = run(folder, place, {"a.md": "three"})
    assert again.kept == []
    assert counts(again) == (1, 0, 2)
    assert sorted(os.listdir(place)) == [MANIFEST, "a.md"]


def test_other_programs_temp_files_are_not_ours(folder: DataFolder, place: Path) -> None:
    place.mkdir()
    other = place / f".paper.pdf.tmp-{NO_PROCESS}"
    other.write_text("half")
    run(folder, place, {"a.md": "one"})
    assert other.exists()


def test_two_exports_into_one_folder_wait_for_nobody(folder: DataFolder, place: Path) -> None:
    with Vault(folder, str(place), force=False), pytest.raises(LockTimeoutError, match="Another export"):
        Vault(folder, str(place), force=False).__enter__()


def test_a_folder_with_other_files_needs_force(folder: DataFolder, place: Path) -> None:
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    with pytest.raises(StorageError, match="--force"):
        run(folder, place, {})
    run(folder, place, {"a.md": "one"}, force=True)
    run(folder, place, {"a.md": "two"})
    assert (place / "mine.txt").read_text() == "mine"


def test_neither_a_file_nor_the_data_folder_is_a_place(folder: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, said in ((tmp_path / "file", "is a file"), (Path(folder.records), "data folder")):
        with pytest.raises(StorageError, match=said):
            Vault(folder, str(path), force=True)


@pytest.mark.parametrize(
    "path", ["../outside.md", "/etc/outside.md", "a/../../outside.md", ".hidden.md", "a.txt", "", 3]
)
def test_a_manifest_removes_nothing_but_our_notes(folder: DataFolder, place: Path, path: str) -> None:
    run(folder, place, {"a.md": "one"})
    value = json.loads((place / MANIFEST).read_text())
    value["files"] = {path: value["files"]["a.md"]}
    (place / MANIFEST).write_text(json.dumps(value))
    with pytest.raises(StorageError, match="remove that file"):
        run(folder, place, {})


def test_a_link_in_a_files_place_is_not_written_through(folder: DataFolder, place: Path, tmp_path: Path) -> None:
    run(folder, place, {"p/a.md": "one"})
    outside = tmp_path / "outside.md"
    outside.write_text("mine")
    (place / "p" / "a.md").unlink()
    (place / "p" / "a.md").symlink_to(outside)
    assert run(folder, place, {"p/a.md": "two"}).kept == ["p/a.md"]
    assert outside.read_text() == "mine"


def test_a_link_in_a_folders_place_is_refused(folder: DataFolder, place: Path, tmp_path: Path) -> None:
    place.mkdir()
    (place / "p").symlink_to(tmp_path)
    with pytest.raises(StorageError, match="is no folder"):
        run(folder, place, {"p/a.md": "one"}, force=True)


def test_long_files_come_in_pieces(folder: DataFolder, place: Path) -> None:
    for written in (1, 0):
        with Vault(folder, str(place), force=False) as vault:
            vault.write_pieces("p/a.md", entry(), iter([b"a" * 1000, b"b" * 1000]))
            vault.finish(lambda _: False)
        assert vault.written == written
    assert (place / "p" / "a.md").read_bytes() == b"a" * 1000 + b"b" * 1000
    assert os.listdir(place / "p") == ["a.md"]

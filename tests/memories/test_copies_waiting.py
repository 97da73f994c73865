"""Copies that wait to be merged, and those that cannot be, in every folder that a file sync carries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memories.copies_waiting import Copies, is_record_copy, waiting_copies
from memories.core import mirror, records
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.memories import disagreements
from tests.memories.conversations import session_id
from tests.memories.disagreements import MARK

UUID = "ab" * 16


def _copies(folder: DataFolder, *, by_index: bool = True) -> Copies:
    if not by_index:
        return waiting_copies(folder, None)
    mirror.update(folder)
    connection = mirror.connect(folder.mirror, read_only=True)
    try:
        return waiting_copies(folder, mirror.problems(connection))
    finally:
        connection.close()


def test_without_copies_there_is_nothing(folder: DataFolder, make_record: MakeRecord) -> None:
    records.delete(folder, make_record("deleted")["uuid"])
    make_record("kept")
    Path(folder.rules).write_text("rules", encoding="utf-8")
    Path(folder.transcripts, f"{session_id(1)}.jsonl").touch()
    found = _copies(folder)
    assert (found.waiting.count, found.stuck.count) == (0, 0)


@pytest.mark.parametrize("by_index", [True, False])
def test_every_kind_of_copy_is_found_with_and_without_an_index(folder: DataFolder, *, by_index: bool) -> None:
    uuid = disagreements.edited_twice(folder, "one", "two")
    session = disagreements.continued_twice(folder)
    disagreements.ruled_twice(folder)
    grave = records.new_record(type="note", content="gone") | {"uuid": UUID, "deleted_at": "2026-03-14T09:12:44"}
    Path(folder.trash, f"{UUID}{MARK}.json").write_bytes(records.dump(grave))
    Path(folder.config, f"settings{MARK}.json").write_text("{}", encoding="utf-8")
    found = _copies(folder, by_index=by_index)
    assert {name for name, _ in found.waiting.items} == {
        f"records/{uuid}{MARK}.json", f"transcripts/{session}{MARK}.jsonl", f"config/CLAUDE{MARK}.md",
        f"config/settings{MARK}.json", f"trash/{UUID}{MARK}.json",
    }  # fmt: skip
    assert not found.stuck


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        (f"records/{UUID}{MARK}.json", "{ half", "not JSON"),
        (f"trash/{UUID}{MARK}.json", "{}", "uuid must be"),
        (f"config/settings{MARK}.json", "{ half", "not readable as settings"),
        (f"config/theme{MARK}.css", "body {}", "no rule by which theme.css is merged"),
    ],
)
def test_what_cannot_be_merged_says_why(folder: DataFolder, path: str, content: str, reason: str) -> None:
    Path(folder.root, path).write_text(content, encoding="utf-8")
    found = _copies(folder)
    assert not found.waiting
    ((name, said),) = found.stuck.items
    assert name == path
    assert reason in said


def test_links_and_folders_are_no_copies_to_be_merged(folder: DataFolder, tmp_path: Path) -> None:
    Path(folder.transcripts, f"{session_id(1)}{MARK}.jsonl").symlink_to(tmp_path)
    Path(folder.config, f"CLAUDE{MARK}.md").mkdir()
    said = [reason for _, reason in _copies(folder).stuck.items]
    assert said == ["a symbolic link, not a file", "a folder or special file"]


def test_a_copy_of_a_record_that_cannot_be_read_waits_for_its_repair(folder: DataFolder) -> None:
    uuid = disagreements.edited_twice(folder, "one", "two")
    Path(records.record_path(folder, uuid)).write_bytes(b"{ half")
    ((_, reason),) = _copies(folder).stuck.items
    assert reason == f"{uuid}.json, of which it is a copy, cannot be read"


def test_a_copy_of_a_record_that_was_deleted_is_merged(folder: DataFolder) -> None:
    uuid = disagreements.edited_twice(folder, "one", "two")
    path = records.record_path(folder, uuid)
    data = Path(path).read_bytes()
    records.delete(folder, uuid)
    Path(path).write_bytes(data)
    assert _copies(folder).waiting.count == 1


def test_other_files_in_records_and_transcripts_are_nobody_s_copies(folder: DataFolder) -> None:
    for place, name in (("records", "notes (1).txt"), ("transcripts", f"notes{MARK}.txt"), ("trash", "a~")):
        Path(folder.root, place, name).touch()
    for name in (".syncthing.x.tmp", f"~syncthing~{UUID}.tmp", f"{UUID}.json.part"):
        Path(folder.trash, name).touch()
    found = _copies(folder)
    assert (found.waiting.count, found.stuck.count) == (0, 0)


def test_folders_that_are_not_there_hold_no_copies(tmp_path: Path) -> None:
    assert not waiting_copies(DataFolder(str(tmp_path / "nowhere")), None).waiting


def test_many_copies_are_counted_and_few_of_them_opened(folder: DataFolder) -> None:
    for number in range(30):
        Path(folder.trash, f"{number:032x}{MARK}.json").write_text("{ half", encoding="utf-8")
    found = _copies(folder)
    assert (found.stuck.count, found.waiting.count) == (20, 10), "those not looked at count as waiting"


def test_a_name_that_is_no_text_can_be_shown(folder: DataFolder) -> None:
    path = os.path.join(os.fsencode(folder.config), b"\xff\x1b[1m" + MARK.encode() + b".md")
    with open(path, "wb"):
        pass
    ((name, _),) = _copies(folder).stuck.items
    assert name == f"config/?[1m{MARK}.md"


@pytest.mark.parametrize(
    ("name", "is_copy"),
    [(f"{UUID}{MARK}.json", True), (f"{UUID}.json", False), (f"x{MARK}.json", False), ("x~", False)],
)
def test_a_record_s_copy_is_known_by_its_name(name: str, *, is_copy: bool) -> None:
    assert is_record_copy(name) is is_copy

"""Merged conflicts: both sides of each are found, however many there are, and can be compared."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from hooks.shipped_files import shipped_order
from memories import conflict_text
from memories.core import clock, conversation_index, merge_log, mirror, record_merge, records
from memories.core.errors import InvalidRecordError, RecordNotFoundError, StorageError
from memories.core.files import remove_quietly
from memories.core.paths import DataFolder
from memories.merged_conflicts import MAX_GRAVES, MergedConflicts, compare_files, merged_conflicts, record_conflict
from memories.selectors import mirror_connection
from tests.memories import disagreements


def _found(folder: DataFolder) -> MergedConflicts:
    return merged_conflicts(folder, mirror_connection(folder))


@pytest.mark.parametrize("value", [5, 10**30, True, "", "x", [], {"a": []}])
def test_what_names_no_record_is_no_conflict(memory_home: DataFolder, value: object) -> None:
    record = records.new_record(type="note", content="One.")
    records.save(memory_home, record)
    found = record_conflict(memory_home, mirror_connection(memory_home), record | {"conflict_of": value})
    assert (found.lost_to, found.kept) == (None, [])


def test_without_conflicts_there_is_nothing(memory_home: DataFolder) -> None:
    found = _found(memory_home)
    assert not found
    assert (found.contents_count, found.deleted_count, found.transcripts_count, found.files_count) == (0, 0, 0, 0)


def test_a_kept_content_comes_with_the_record_that_it_lost_to(memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    (one,) = _found(memory_home).contents
    assert (one.kept.uuid, one.kept.title, one.kept.machine) == (made["kept"], "Deploys go out on Fridays", "laptop")
    assert (one.winner.uuid, one.winner.title, one.winner.machine) == (
        made["record"], "Deploys go out on Tuesdays", "desktop",
    )  # fmt: skip
    assert (one.kept.changed_at, one.winner.changed_at) == ("2026-03-13T09:00:00", "2026-03-14T09:00:00")
    assert (one.project, one.winner.is_here) == ("orders-api", True)


def test_a_winner_that_was_deleted_is_said_to_be_so_as_it_was(memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    grave = records.delete(memory_home, made["record"])
    mirror.update(memory_home)
    (one,) = _found(memory_home).contents
    assert (one.winner.uuid, one.winner.is_here, one.winner.machine) == (made["record"], False, "desktop")
    assert (one.winner.title, one.winner.deleted_at) == ("Deploys go out on Tuesdays", grave["deleted_at"])


def test_a_winner_that_is_nowhere_is_said_to_be_gone(memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    os.remove(records.record_path(memory_home, made["record"]))
    mirror.update(memory_home)
    (one,) = _found(memory_home).contents
    assert (one.winner.uuid, one.winner.is_here, one.winner.machine) == (made["record"], False, "")


def test_an_edit_that_lost_to_a_deletion_is_found_in_the_trash(memory_home: DataFolder) -> None:
    made = disagreements.edited_and_deleted(memory_home)
    found = _found(memory_home)
    (one,) = found.deleted
    assert (bool(found), found.deleted_count, found.contents) == (True, 1, [])
    assert (one.kept.uuid, one.kept.title, one.winner_uuid) == (
        made["kept"], "Deploys go out on Fridays", made["record"],
    )  # fmt: skip
    assert (one.kept.machine, one.kept.changed_at) == ("laptop", "2026-03-13T09:00:00")
    assert (one.kept.deleted_at, one.kept.is_here) == ("2026-03-14T09:00:00", False)


def test_it_stays_listed_when_only_the_deleted_record_is_restored(memory_home: DataFolder) -> None:
    made = disagreements.edited_and_deleted(memory_home)
    records.restore(memory_home, made["record"])
    assert [one.kept.uuid for one in _found(memory_home).deleted] == [made["kept"]]


def test_an_edit_that_was_restored_lost_to_no_deletion_any_more(memory_home: DataFolder) -> None:
    made = disagreements.edited_and_deleted(memory_home)
    _restored(memory_home, made["kept"])
    found = _found(memory_home)
    assert (found.deleted, [one.is_shown for one in found.contents]) == ([], [True])
    assert found.contents[0].winner.deleted_at == "2026-03-14T09:00:00"


def _restored(folder: DataFolder, uuid: str) -> None:
    record = records.restore(folder, uuid)
    records.save(folder, record | {"status": "active"})
    mirror.update(folder)


def test_a_kept_content_that_its_user_deleted_is_not_listed(memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    soon = clock.format_time(time.time() + 60)
    grave = records.delete(memory_home, made["kept"]) | {"deleted_at": soon}
    Path(memory_home.trash, f"{made['kept']}.json").write_bytes(records.dump(grave))
    mirror.update(memory_home)
    found = _found(memory_home)
    assert (found.contents, found.deleted) == ([], [])


def test_of_many_deleted_edits_the_newest_are_read(memory_home: DataFolder) -> None:
    made = disagreements.edited_and_deleted(memory_home)
    grave = records.tombstone(memory_home, made["kept"])
    assert grave is not None
    others = [f"{number:032x}" for number in range(MAX_GRAVES + 5)]
    for uuid in others:
        Path(memory_home.trash, f"{uuid}.json").write_bytes(records.dump(grave | {"uuid": uuid}))
    merge_log.note(memory_home, "record", made["record"], others)
    found = _found(memory_home)
    assert (len(found.deleted), found.deleted_count) == (20, MAX_GRAVES)


def test_odd_entries_of_the_log_and_unreadable_tombstones_are_passed_over(memory_home: DataFolder) -> None:
    made = disagreements.edited_and_deleted(memory_home)
    Path(memory_home.trash, f"{made['kept']}.json").write_bytes(b"{}")
    merge_log.note(memory_home, "record", "../x", ["../records/x", "", "ab" * 16, made["record"]])
    assert _found(memory_home).deleted == []


def test_a_diverged_transcript_comes_with_the_sessions_own(memory_home: DataFolder) -> None:
    session = disagreements.all_of_it(memory_home)["session"]
    (one,) = _found(memory_home).transcripts
    assert (one.own.name, one.own.path) == (session, f"{session}.jsonl")
    assert one.kept.name.startswith(f"{session}/diverged-")
    for side in (one.own, one.kept):
        assert side.size == os.path.getsize(os.path.join(memory_home.transcripts, side.path))


def test_a_diverged_transcript_of_a_subagent_belongs_to_that_ones_file(memory_home: DataFolder) -> None:
    session = disagreements.continued_twice(memory_home)
    agents = Path(memory_home.transcripts, session, "subagents")
    agents.mkdir(parents=True)
    copy = Path(memory_home.transcripts, f"{session}{disagreements.MARK}.jsonl")
    own = Path(memory_home.transcripts, f"{session}.jsonl").read_bytes()
    (agents / "agent-a1.jsonl").write_bytes(own)
    copy.rename(agents / f"agent-a1{disagreements.MARK}.jsonl")
    disagreements.merge(memory_home)
    (one,) = _found(memory_home).transcripts
    assert one.own.name == f"{session}/agent-a1"
    assert one.kept.name.startswith(f"{session}/agent-a1-diverged-")


def test_a_version_whose_own_file_is_gone_is_listed_all_the_same(memory_home: DataFolder) -> None:
    session = disagreements.all_of_it(memory_home)["session"]
    Path(memory_home.transcripts, f"{session}.jsonl").unlink()
    conversation_index.update(memory_home)
    assert [(one.own.name, one.own.size) for one in _found(memory_home).transcripts] == [("", 0)]


def test_merged_rules_come_with_the_versions_from_before(memory_home: DataFolder) -> None:
    disagreements.all_of_it(memory_home)
    (one,) = _found(memory_home).files
    assert (one.kind, one.name, len(one.sides)) == ("rules", "CLAUDE.md", 2)
    lines = compare_files(memory_home, *one.sides).inline
    said = {(line.kind, "".join(piece.text for piece in line.pieces)) for line in lines if line.kind != "same"}
    assert {text for _, text in said} == {"Say <b>so</b>.", "Ask first."}
    assert {kind for kind, _ in said} == {"added", "removed"}


def test_versions_that_are_gone_and_odd_entries_of_the_log_are_left_out(memory_home: DataFolder) -> None:
    gone = "state/merged/aaaaaaaaaaaa-CLAUDE.md"
    merge_log.note(memory_home, "rules", "CLAUDE.md", [gone, "state/merged/../../records/x", "/etc/passwd"])
    merge_log.note(memory_home, "settings", "\x1b[31msettings.json", [gone])
    merge_log.note(memory_home, "settings", "settings.json", [])
    found = _found(memory_home).files
    assert [(one.kind, one.name, one.sides) for one in found] == [
        ("settings", "[31msettings.json", []), ("rules", "CLAUDE.md", []),
    ]  # fmt: skip


def test_a_rules_text_of_ours_that_gave_way_to_the_users_is_no_conflict(memory_home: DataFolder) -> None:
    shipped = [f"state/merged/{digest[:12]}-CLAUDE.md" for digest in shipped_order()[:2]]
    users = [f"state/merged/{digit * 12}-CLAUDE.md" for digit in "ab"]
    os.makedirs(Path(memory_home.state, "merged"))
    for path in (*shipped, *users):
        Path(memory_home.root, path).write_text("text\n", encoding="utf-8")
    merge_log.note(memory_home, "rules", "CLAUDE.md", shipped)
    merge_log.note(memory_home, "rules", "CLAUDE.md", [shipped[0], users[0]])
    assert not _found(memory_home)
    merge_log.note(memory_home, "rules", "CLAUDE.md", [shipped[0], *users])
    (one,) = _found(memory_home).files
    assert one.sides == [os.path.basename(path) for path in users]


def test_merges_of_rules_and_settings_are_shown_for_a_month_and_known_longer(memory_home: DataFolder) -> None:
    for days in (31, 29):
        entry = {
            "at": clock.format_time(time.time() - days * 86_400), "kind": "rules", "name": "CLAUDE.md",
            "kept": ["state/merged/aaaaaaaaaaaa-CLAUDE.md", "state/merged/bbbbbbbbbbbb-CLAUDE.md"],
        }  # fmt: skip
        with open(os.path.join(memory_home.state, "merges.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
    found = _found(memory_home)
    assert (found.files_count, found.recent_files_count, len(found.recent_files)) == (2, 1, 1)


@pytest.mark.parametrize("name", ["../../records/x", "aaaaaaaaaaaa-CLAUDE.md", "", "aaaaaaaaaaaa-passwd"])
def test_no_other_file_can_be_compared(memory_home: DataFolder, name: str) -> None:
    with pytest.raises(StorageError):
        compare_files(memory_home, name, name)


def test_a_version_that_is_a_link_is_not_followed(memory_home: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    place = Path(memory_home.state, "merged")
    place.mkdir()
    (place / "aaaaaaaaaaaa-CLAUDE.md").symlink_to(tmp_path / "secret")
    with pytest.raises(StorageError):
        compare_files(memory_home, "aaaaaaaaaaaa-CLAUDE.md", "aaaaaaaaaaaa-CLAUDE.md")


def test_many_conflicts_are_counted_and_the_newest_listed_in_as_many_queries(memory_home: DataFolder) -> None:
    with disagreements.statements(memory_home) as few:
        _found(memory_home)
    for number in range(25):
        disagreements.edited_twice(memory_home, f"shown {number}", f"kept {number}")
    disagreements.merge(memory_home)
    with disagreements.statements(memory_home) as many:
        found = _found(memory_home)
    assert (len(found.contents), found.contents_count) == (20, 25)
    assert len(many) == len(few) <= 4


def test_what_is_asked_goes_along_indexes_that_hold_only_conflicts(memory_home: DataFolder) -> None:
    raw = mirror.connect(memory_home.mirror, read_only=True)
    plans = [
        row[3]
        for sql in (
            "SELECT count(*) FROM memory WHERE conflict_of IS NOT NULL",
            "SELECT count(*) FROM session WHERE instr(part, 'diverged-') > 0",
        )
        for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}")
    ]
    raw.close()
    assert ["memory_conflict" in plans[0], "session_diverged" in plans[1]] == [True, True]


def test_a_record_knows_what_it_lost_to_and_what_lost_to_it(memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    raw = mirror_connection(memory_home)
    winner = record_conflict(memory_home, raw, records.load(memory_home, made["record"]))
    kept = record_conflict(memory_home, raw, records.load(memory_home, made["kept"]))
    assert (winner.lost_to, [one.uuid for one in winner.kept]) == (None, [made["kept"]])
    assert kept.lost_to is not None
    assert (kept.lost_to.uuid, kept.lost_to.machine, kept.kept) == (made["record"], "desktop", [])


def test_a_record_of_no_conflict_says_so(memory_home: DataFolder) -> None:
    record = records.new_record(type="note", content="alone")
    records.save(memory_home, record)
    mirror.update(memory_home)
    found = record_conflict(memory_home, mirror_connection(memory_home), record)
    assert (found.lost_to, found.kept) == (None, [])


def test_a_kept_content_whose_winner_is_not_here_says_that(memory_home: DataFolder) -> None:
    record = records.new_record(type="note", content="alone") | {"conflict_of": "ab" * 16}
    found = record_conflict(memory_home, mirror_connection(memory_home), record)
    assert found.lost_to is not None
    assert not found.lost_to.is_here


def test_the_diff_of_a_conflict_has_the_earlier_edit_first(memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    lines = list(conflict_text.diff_lines(memory_home, made["kept"][:6].upper()))
    assert lines == [
        ("#", f"--- {made['kept']} kept, 2026-03-13 09:00:00 UTC laptop"),
        ("#", f"+++ {made['record']} shown, 2026-03-14 09:00:00 UTC desktop"),
        ("-", "-Deploys go out on Fridays"),
        ("+", "+Deploys go out on Tuesdays"),
    ]


def test_a_diff_folds_what_both_say_and_shows_no_terminal_escape(memory_home: DataFolder) -> None:
    same = "\n".join(f"line {number}" for number in range(30))
    disagreements.edited_twice(memory_home, f"{same}\nnew", f"{same}\n\x1b[31mold")
    kept = disagreements.merge(memory_home).kept[0]
    said = [line for _, line in conflict_text.diff_lines(memory_home, kept)]
    assert "@@ 27 unchanged lines @@" in said
    assert said[-2:] == ["-\ufffd[31mold", "+new"]


def test_the_winners_id_gives_every_content_that_lost_to_it(memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    lines = list(conflict_text.diff_lines(memory_home, made["record"]))
    assert lines == list(conflict_text.diff_lines(memory_home, made["kept"]))
    record = records.load(memory_home, made["record"])
    other = record | {"content": "Deploys go out on Sundays", "updated_at": "2026-03-12T09:00:00"}
    Path(memory_home.records, f"{made['record']}{disagreements.MARK}.json").write_bytes(records.dump(other))
    disagreements.merge(memory_home)
    said = [line for _, line in conflict_text.diff_lines(memory_home, made["record"][:8])]
    assert [line for line in said if line.startswith("-D")] == sorted(
        ["-Deploys go out on Fridays", "-Deploys go out on Sundays"],
        key=lambda line: record_merge.kept_uuid(made["record"], line[1:]),
    )


@pytest.mark.parametrize("by", ["record", "kept"])
def test_an_edit_that_lost_to_a_deletion_is_compared_with_what_was_deleted(memory_home: DataFolder, by: str) -> None:
    made = disagreements.edited_and_deleted(memory_home)
    assert list(conflict_text.diff_lines(memory_home, made[by])) == [
        ("#", f"--- {made['record']} deleted, 2026-03-01 08:00:00 UTC desktop"),
        ("#", f"+++ {made['kept']} in trash/, 2026-03-13 09:00:00 UTC laptop"),
        ("-", "-Deploys go out on Mondays"),
        ("+", "+Deploys go out on Fridays"),
    ]
    _restored(memory_home, made["kept"])
    lines = [line for _, line in conflict_text.diff_lines(memory_home, made[by])]
    assert lines[0] == f"--- {made['record']} deleted, 2026-03-01 08:00:00 UTC desktop"
    assert lines[1].startswith(f"+++ {made['kept']} kept, ")


def test_versions_of_the_rules_are_compared_by_name_or_its_first_digits(memory_home: DataFolder) -> None:
    disagreements.all_of_it(memory_home)
    one, other = _found(memory_home).files[0].sides
    lines = list(conflict_text.diff_lines(memory_home, one))
    assert lines[:2] == [("#", f"--- state/merged/{one}"), ("#", f"+++ state/merged/{other}")]
    assert {line[1:] for mark, line in lines if mark in "-+"} == {"Say <b>so</b>.", "Ask first."}
    assert list(conflict_text.diff_lines(memory_home, one[:12])) == lines
    remove_quietly(os.path.join(memory_home.state, "merged", other))
    with pytest.raises(StorageError, match="No other version"):
        list(conflict_text.diff_lines(memory_home, one))


@pytest.mark.parametrize(("given", "error"), [("abc", InvalidRecordError), ("abcdef", RecordNotFoundError)])
def test_an_id_that_names_no_kept_content_is_refused_with_the_next_step(
    memory_home: DataFolder, given: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match="id"):
        list(conflict_text.diff_lines(memory_home, given))


def test_a_beginning_that_two_contents_share_is_refused(memory_home: DataFolder) -> None:
    for digit in "12":
        record = records.new_record(type="note", content=f"text {digit}")
        records.save(memory_home, record | {"uuid": "ab" * 15 + "a" + digit, "conflict_of": "cd" * 16})
    mirror.update(memory_home)
    with pytest.raises(InvalidRecordError, match="Several"):
        list(conflict_text.diff_lines(memory_home, "ababab"))

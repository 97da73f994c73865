"""Merged conflicts: both sides of each are found, however many there are, and can be compared."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memories import conflict_text
from memories.core import conversation_index, merge_log, mirror, records
from memories.core.errors import InvalidRecordError, RecordNotFoundError, StorageError
from memories.core.paths import DataFolder
from memories.merged_conflicts import MergedConflicts, compare_files, merged_conflicts, record_conflict
from memories.selectors import mirror_connection
from tests.memories import disagreements


def _found(folder: DataFolder) -> MergedConflicts:
    return merged_conflicts(folder, mirror_connection(folder))


def test_without_conflicts_there_is_nothing(memory_home: DataFolder) -> None:
    found = _found(memory_home)
    assert not found
    assert (found.contents_count, found.transcripts_count, found.files_count) == (0, 0, 0)


def test_a_kept_content_comes_with_the_record_that_it_lost_to(memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    (one,) = _found(memory_home).contents
    assert (one.kept.uuid, one.kept.title, one.kept.machine) == (made["kept"], "Deploys go out on Fridays", "laptop")
    assert (one.winner.uuid, one.winner.title, one.winner.machine) == (
        made["record"], "Deploys go out on Tuesdays", "desktop",
    )  # fmt: skip
    assert (one.kept.changed_at, one.winner.changed_at) == ("2026-03-13T09:00:00", "2026-03-14T09:00:00")
    assert (one.project, one.winner.is_here) == ("orders-api", True)


def test_a_winner_that_was_deleted_is_said_to_be_gone(memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    records.delete(memory_home, made["record"])
    mirror.update(memory_home)
    (one,) = _found(memory_home).contents
    assert (one.winner.uuid, one.winner.is_here, one.winner.machine) == (made["record"], False, "")


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
    winner = record_conflict(raw, records.load(memory_home, made["record"]))
    kept = record_conflict(raw, records.load(memory_home, made["kept"]))
    assert (winner.lost_to, [one.uuid for one in winner.kept]) == (None, [made["kept"]])
    assert kept.lost_to is not None
    assert (kept.lost_to.uuid, kept.lost_to.machine, kept.kept) == (made["record"], "desktop", [])


def test_a_record_of_no_conflict_says_so(memory_home: DataFolder) -> None:
    record = records.new_record(type="note", content="alone")
    records.save(memory_home, record)
    mirror.update(memory_home)
    found = record_conflict(mirror_connection(memory_home), record)
    assert (found.lost_to, found.kept) == (None, [])


def test_a_kept_content_whose_winner_is_not_here_says_that(memory_home: DataFolder) -> None:
    record = records.new_record(type="note", content="alone") | {"conflict_of": "ab" * 16}
    found = record_conflict(mirror_connection(memory_home), record)
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

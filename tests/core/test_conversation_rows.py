"""Writing rows: transactions, what is left out, problems."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from memories.core import conversation_rows, mirror, paths
from tests.core.conversations import MAIN, new_folder, put, select, texts, update
from tests.core.transcript_lines import OTHER_SESSION, SESSION, Script

OTHER = OTHER_SESSION + ".jsonl"


@pytest.fixture
def folder(tmp_path: Path) -> paths.DataFolder:
    return new_folder(tmp_path)


def test_a_transaction_is_written_whole_or_not_at_all() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a)")
        with conversation_rows.Transaction(connection):
            connection.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(sqlite3.Error), conversation_rows.Transaction(connection):
            connection.executemany("INSERT INTO t VALUES (?)", [(2,), ("too", "many")])
        assert connection.execute("SELECT a FROM t").fetchall() == [(1,)]
        assert not connection.in_transaction


@pytest.mark.parametrize(
    ("path", "session_id", "part"),
    [(MAIN, SESSION, ""), (f"{SESSION}/subagents/agent-x.jsonl", SESSION, "agent-x"),
     (f"{SESSION}/diverged-0a.jsonl", SESSION, "diverged-0a")],
)  # fmt: skip
def test_a_files_path_tells_its_session_and_part(
    folder: paths.DataFolder, path: str, session_id: str, part: str
) -> None:
    with closing(mirror.connect(folder.mirror)) as connection:
        reading = conversation_rows.Reading(connection, path)
    assert (reading.session_id, reading.part) == (session_id, part)


def test_a_session_tells_when_it_was_and_on_which_branch(folder: paths.DataFolder) -> None:
    script = Script("/proj", branch="one")
    script.user("First")
    script.answer("Second", gitBranch="two")
    put(folder, script.dump())
    update(folder)
    assert select(folder, "SELECT started_at, ended_at, branch, turns, words FROM session") == [
        (1_773_478_800, 1_773_478_801, "one", 2, 2)
    ]
    assert select(folder, "SELECT branch FROM turn ORDER BY id") == [(None,), ("two",)]


def test_lines_without_an_id_are_never_taken_for_repeats(folder: paths.DataFolder) -> None:
    script = Script("/proj")
    script.user("Again", uuid=None)
    script.user("Again", uuid=None)
    put(folder, script.dump())
    update(folder)
    assert texts(folder) == ["Again", "Again"]


def test_ids_that_were_numbered_anew_drop_nothing(folder: paths.DataFolder) -> None:
    for name, text in ((MAIN, "One"), (OTHER, "Two")):
        script = Script("/proj")
        script.user(text)
        put(folder, script.dump(), name)
    update(folder)
    assert sorted(texts(folder)) == ["One", "Two"]


def test_every_row_of_a_long_repeated_text_is_left_out(folder: paths.DataFolder) -> None:
    script = Script("/proj")
    script.user("long words " * 2000)
    put(folder, script.dump(), mtime=1000)
    script.answer("New")
    put(folder, script.dump(), OTHER, mtime=2000)
    update(folder)
    assert texts(folder, OTHER) == ["New"]
    assert select(folder, "SELECT repeats FROM session ORDER BY id") == [(0,), (1,)]


def _fork(session: str, *commands: str, answer: str = "I look.") -> Script:
    """A question and an answer with the same ids in every fork, then calls with ids by what they do."""
    script = Script("/proj", session)
    script.user("What is it?")
    script.answer(answer)
    for command in commands:
        script.assistant(
            {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": command}}, uuid=f"id of {command}"
        )
    return script


def test_a_forks_own_calls_after_an_answer_it_repeats_are_kept(folder: paths.DataFolder) -> None:
    put(folder, _fork(SESSION, "a", "b").dump(), mtime=1000)
    put(folder, _fork(OTHER_SESSION, "a", "c").dump(), OTHER, mtime=2000)
    assert update(folder).turns == 3
    assert texts(folder, MAIN) == ["What is it?", "I look.\nBash: a\nBash: b"]
    assert select(folder, "SELECT line, role, text FROM turn ORDER BY id DESC LIMIT 1") == [(2, "assistant", "Bash: c")]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_third_fork_adds_only_what_neither_of_the_others_has(folder: paths.DataFolder, at_once: bool) -> None:
    third = f"{SESSION}/diverged-0a.jsonl"
    forks = [(MAIN, "a"), (OTHER, "abc"), (third, "abcd")]
    for number, (name, commands) in enumerate(forks):
        put(folder, _fork(SESSION, *commands).dump(), name, mtime=1000 + number)
        if not at_once:
            update(folder)
    update(folder)
    assert texts(folder, OTHER) == ["Bash: b\nBash: c"]
    assert texts(folder, third) == ["Bash: d"]
    Path(folder.transcripts, OTHER).unlink()
    update(folder)
    assert texts(folder, third) == ["Bash: b\nBash: c\nBash: d"]
    put(folder, _fork(SESSION, *"abcd").dump(), OTHER)
    update(folder)
    assert texts(folder, OTHER) == []


def test_a_fork_that_grows_has_its_own_calls_once(folder: paths.DataFolder) -> None:
    put(folder, _fork(SESSION, "a").dump(), mtime=1000)
    for number, commands in enumerate(["", "a", "ab", "abc"]):
        put(folder, _fork(OTHER_SESSION, *commands).dump(), OTHER, mtime=2000 + number)
        update(folder)
    assert texts(folder, OTHER) == ["Bash: b\nBash: c"]


def test_an_answer_repeated_in_the_same_file_leaves_its_new_calls(folder: paths.DataFolder) -> None:
    script = _fork(SESSION, "a")
    script.lines += _fork(SESSION, "a", "b").lines
    put(folder, script.dump())
    update(folder)
    assert texts(folder) == ["What is it?", "I look.\nBash: a", "Bash: b"]


def test_calls_after_a_long_answer_that_is_repeated_are_kept(folder: paths.DataFolder) -> None:
    answer = "long words " * 2000
    put(folder, _fork(SESSION, "a", answer=answer).dump(), mtime=1000)
    put(folder, _fork(OTHER_SESSION, "a", "b", answer=answer).dump(), OTHER, mtime=2000)
    update(folder)
    assert texts(folder, OTHER) == ["Bash: b"]


def test_a_problem_leaves_what_was_read_before(folder: paths.DataFolder) -> None:
    script = Script("/proj")
    script.user("One")
    put(folder, script.dump())
    update(folder)
    with closing(mirror.connect(folder.mirror)) as connection:
        conversation_rows.note_problem(connection, MAIN, "the disk is on fire")
        conversation_rows.note_problem(connection, OTHER, "so is this")
    assert select(folder, "SELECT path, problem, turns FROM session ORDER BY id") == [
        (MAIN, "the disk is on fire", 1),
        (OTHER, "so is this", 0),
    ]
    assert update(folder).problems == []
    assert texts(folder) == ["One"]


def test_removing_a_file_names_the_files_to_be_read_anew(folder: paths.DataFolder) -> None:
    script = Script("/proj")
    script.user("One")
    put(folder, script.dump(), mtime=1000)
    script.user("Two")
    put(folder, script.dump(), OTHER, mtime=2000)
    put(folder, Script("/proj").dump(), f"{SESSION}/subagents/agent-x.jsonl", mtime=3000)
    update(folder)
    with closing(mirror.connect(folder.mirror)) as connection:
        assert conversation_rows.remove(connection, [MAIN]) == {MAIN, OTHER}
    assert select(folder, "SELECT count(*) FROM turn") == [(0,)]


def test_many_files_are_removed_at_once(folder: paths.DataFolder) -> None:
    with closing(mirror.connect(folder.mirror)) as connection:
        gone = [f"{number}.jsonl" for number in range(40_000)]
        assert conversation_rows.remove(connection, gone) == set()

"""Forgetting a session: nothing of it is left here, whatever kills the work, and nothing brings it back."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from memories.core import (
    archived_sessions,
    conversation_index,
    forgetting,
    forgotten,
    merge_copies,
    mirror,
    records,
    session_logs,
    sweep,
    transcripts,
)
from memories.core.errors import LockTimeoutError, TranscriptGoneError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.core.forgetting_scene import KEPT_WORD, WORD, Scene
from tests.core.killed import killed_before
from tests.core.transcript_lines import OTHER_SESSION, SESSION, short_session


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def _entries(scene: Scene) -> list[str]:
    """What still carries the session's id or its log's, the marks and this machine's own state excepted."""
    ids = (SESSION, session_logs.log_uuid(SESSION))
    places = (scene.folder.records, scene.folder.transcripts, os.path.join(scene.folder.trash))
    return [name for place in places for name in os.listdir(place) if any(one in name for one in ids)]


def _rows(folder: DataFolder) -> int:
    with closing(mirror.connect(folder.mirror, read_only=True)) as connection:
        counts = [
            connection.execute("SELECT count(*) FROM session WHERE session_id = ?", (SESSION,)).fetchone()[0],
            connection.execute(
                "SELECT count(*) FROM memory WHERE session_id = ? AND type = 'session_log'", (SESSION,)
            ).fetchone()[0],
        ]
    return sum(counts)


# Nothing is left.


def test_no_byte_of_a_forgotten_session_is_left_in_the_data_folder(scene: Scene) -> None:
    scene.spread()
    conversation_index.update(scene.folder)
    assert len(scene.holding()) > 10
    removed = forgetting.forget(scene.folder, [SESSION])
    assert scene.holding() == []
    assert (removed.left, removed.is_settled, removed.sessions) == ([], True, [SESSION])
    assert _entries(scene) == []
    assert _rows(scene.folder) == 0
    assert not os.path.exists(os.path.join(scene.folder.state, "sessions", SESSION))
    assert scene.source.exists()


def test_what_was_said_in_other_sessions_and_stored_as_notes_stays(scene: Scene) -> None:
    scene.spread()
    before = scene.holding(KEPT_WORD)
    forgetting.forget(scene.folder, [SESSION])
    assert {name for name in before if not name.startswith("memory.db")} <= set(scene.holding(KEPT_WORD))
    with closing(mirror.connect(scene.folder.mirror, read_only=True)) as connection:
        notes = connection.execute("SELECT content FROM memory WHERE session_id = ?", (SESSION,)).fetchall()
        turns = connection.execute("SELECT count(*) FROM turn_fts WHERE turn_fts MATCH ?", (KEPT_WORD,)).fetchone()
    assert notes == [("A note that was stored in it.",)]
    assert turns[0] > 0


def test_a_session_that_was_rewritten_many_times_leaves_no_old_pages(scene: Scene) -> None:
    for number in range(12):
        scene.script.user(f"And {WORD} again, the {number}. time: {'more text ' * 300}")
        scene.source.write_bytes(scene.script.dump())
        scene.sync()
    forgetting.forget(scene.folder, [SESSION])
    assert scene.holding() == []


def test_the_index_of_another_version_goes_as_a_whole(scene: Scene) -> None:
    """One that an update left, or that an old server which still runs uses: it makes it again from the files."""
    scene.spread()
    for name in ("memory.db", "memory.db.1"):
        with closing(sqlite3.connect(os.path.join(scene.folder.root, name))) as old:
            old.execute("PRAGMA user_version = 1")
            old.execute("CREATE TABLE memory AS SELECT ? AS content", (WORD,))
            old.commit()
    assert "memory.db" in scene.holding()
    forgetting.forget(scene.folder, [SESSION])
    assert scene.holding() == []


def test_a_session_of_which_nothing_is_here_is_marked_for_what_may_come(scene: Scene) -> None:
    forgetting.forget(scene.folder, [SESSION])
    assert forgotten.kind_of(scene.folder, SESSION) == forgotten.FORGOTTEN
    scene.sync()
    assert scene.holding() == []


def test_forgetting_again_and_several_at_once_is_no_matter(scene: Scene) -> None:
    scene.spread()
    forgetting.forget(scene.folder, [SESSION, OTHER_SESSION, SESSION])
    forgetting.forget(scene.folder, [SESSION])
    assert (scene.holding(), scene.holding(KEPT_WORD)) == ([], [])


def test_what_is_a_symlink_is_removed_and_not_followed(scene: Scene, tmp_path: Path) -> None:
    scene.sync()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine", "utf-8")
    Path(scene.folder.transcripts, SESSION, "link").symlink_to(elsewhere)
    Path(scene.folder.transcripts, SESSION, "file").symlink_to(elsewhere / "mine.txt")
    forgetting.forget(scene.folder, [SESSION])
    assert _entries(scene) == []
    assert (elsewhere / "mine.txt").read_text("utf-8") == "mine"


def test_folders_nested_to_the_file_system_s_limit_go_too(scene: Scene) -> None:
    scene.sync()
    deep = os.path.join(scene.folder.transcripts, SESSION)
    for _ in range(1010):  # more than Python recurses
        deep += "/d"
        os.mkdir(deep)
    Path(deep, "last.txt").write_text(WORD, "utf-8")
    forgetting.forget(scene.folder, [SESSION])
    assert _entries(scene) == []


# Killed.


@pytest.mark.parametrize("numbers", [range(0, 60, 2), pytest.param(range(1, 200), marks=pytest.mark.long)])
def test_a_forgetting_that_is_killed_anywhere_is_finished_by_the_next_sync(tmp_path: Path, numbers: range) -> None:
    kills = 0
    for number in numbers:
        scene = Scene(tmp_path / str(number))
        scene.spread()
        died = killed_before(number, partial(forgetting.forget, scene.folder, [SESSION]))
        if forgotten.kind_of(scene.folder, SESSION) is None:
            assert died  # before it was marked, which is before anything went
            assert len(scene.holding()) > 10
            forgetting.forget(scene.folder, [SESSION])
        scene.sync()
        assert scene.holding() == []
        assert _rows(scene.folder) == 0
        assert forgotten.is_settled(scene.folder)
        if not died:
            break
        kills += 1
    assert kills > 8


def test_where_another_process_reads_the_index_the_next_sync_does_the_rest(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BUSY_SECONDS", 0.0)
    scene.spread()
    with closing(mirror.connect(scene.folder.mirror, read_only=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM memory").fetchone()
        removed = forgetting.forget(scene.folder, [SESSION])
        assert not removed.is_settled
    result = scene.sync()
    assert result.forgotten is not None
    assert result.forgotten.is_settled
    assert scene.holding() == []


def test_an_index_that_cannot_be_scrubbed_is_told_and_tried_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memories.core import scrub

    def full(_: sqlite3.Connection) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    scene.spread()
    with monkeypatch.context() as patch:
        patch.setattr(scrub, "scrub", full)
        assert not forgetting.forget(scene.folder, [SESSION]).is_settled
    scene.sync()
    assert scene.holding() == []


def test_while_another_process_merges_it_waits_and_then_says_so(scene: Scene) -> None:
    scene.spread()
    with FileLock(os.path.join(scene.folder.state, "merge.lock")), pytest.raises(LockTimeoutError):
        forgetting.forget(scene.folder, [SESSION], wait_seconds=0)
    scene.sync()
    assert scene.holding() == []


# Nothing brings it back.


def _gone(scene: Scene) -> None:
    scene.spread()
    forgetting.forget(scene.folder, [SESSION])


def test_a_fifo_where_the_note_of_what_is_settled_belongs_is_not_waited_for(scene: Scene) -> None:
    forgotten.mark(scene.folder, SESSION, forgotten.FORGOTTEN)
    os.mkfifo(os.path.join(scene.folder.state, "forgotten-settled"))
    assert not forgotten.is_settled(scene.folder)


def test_no_sweep_brings_it_back(scene: Scene) -> None:
    _gone(scene)
    settings = dict(DEFAULTS)
    for thorough in (False, True):
        result = sweep.sweep(scene.folder, str(scene.projects), settings, thorough=thorough)
        assert (result.archived, result.logged, result.kept_out) == ([], 0, 1)
    assert not sweep.archive_session(scene.folder, str(scene.source), settings)
    assert scene.holding() == []


def test_a_session_that_goes_on_stays_forgotten_and_its_fork_is_another_session(scene: Scene) -> None:
    _gone(scene)
    scene.script.user(f"Once more, {WORD}")
    scene.source.write_bytes(scene.script.dump())
    scene.sync()
    assert scene.holding() == []
    fork = "7b1e2f04-0000-4000-8000-00000000f04c"
    short_session("/srv/shop", fork, f"Fork of {WORD}").write(scene.projects)
    scene.sync()
    assert f"transcripts/{fork}.jsonl" in scene.holding()


def _edit(record: dict[str, Any]) -> bool:
    record.update(tags="edited", updated_at="2999-01-01T00:00:00")
    return True


@pytest.mark.parametrize("by", ["sync", "merge"])
def test_what_another_machine_still_sends_goes_again(scene: Scene, by: str) -> None:
    """Its archive with a copy, its log edited later than the mark, a log of another id: all of it."""
    _gone(scene)
    other = Scene(Path(scene.folder.root).parent / "other")
    other.spread()
    log = session_logs.log_uuid(SESSION)
    with records.lock(other.folder):
        records.update(other.folder, log, _edit)
    for place in ("records", "trash", "transcripts"):
        shutil.copytree(
            os.path.join(other.folder.root, place), os.path.join(scene.folder.root, place), dirs_exist_ok=True
        )
    assert len(scene.holding()) > 8
    if by == "merge":
        result = merge_copies.run(scene.folder, shipped_rules=tuple)
        assert (result.left, result.records, result.transcripts, result.forgotten) == ([], 0, 0, 1)
        assert _entries(scene) == []
        assert not forgotten.is_settled(scene.folder)
    scene.sync()
    assert scene.holding() == []


def test_a_mark_that_arrives_is_carried_out(scene: Scene) -> None:
    scene.spread()
    forgotten.mark(scene.folder, SESSION, forgotten.FORGOTTEN)
    result = scene.sync()
    assert result.merged.forgotten == 1
    assert scene.holding() == []
    assert scene.sync().merged.forgotten == 0


def test_files_that_a_file_sync_removed_before_the_mark_came_are_cleaned_from_the_index(scene: Scene) -> None:
    """Their rows go like those of any file that is gone: only the mark says that the pages must be cleaned."""
    scene.spread()
    scene.sync()
    for parent, _, names in os.walk(scene.folder.root):
        for name in names:
            path = Path(parent, name)
            if path.suffix != ".db" and WORD.encode() in path.read_bytes():
                path.unlink()
    scene.sync()
    forgotten.mark(scene.folder, SESSION, forgotten.FORGOTTEN)
    scene.sync()
    assert scene.holding() == []


def test_a_session_marked_while_it_is_archived_is_not_kept(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark comes between the look at it and the writing, and whoever forgets has looked before all was written."""
    real = transcripts.archive

    def archive(folder: DataFolder, *arguments: object, **named: object) -> bool:
        forgetting.forget(folder, [SESSION])
        return real(folder, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(transcripts, "archive", archive)
    assert not sweep.archive_session(scene.folder, str(scene.source), dict(DEFAULTS))
    monkeypatch.undo()
    assert _entries(scene) == []
    scene.sync()
    assert scene.holding() == []


def test_a_log_is_not_stored_for_a_forgotten_session(scene: Scene) -> None:
    forgotten.mark(scene.folder, SESSION, forgotten.FORGOTTEN)
    log = session_logs.build(str(scene.source), None)
    assert log is not None
    assert session_logs.exists(scene.folder, SESSION)
    assert not session_logs.store(scene.folder, log)
    assert scene.holding() == []


def test_taking_the_mark_away_undoes_it_as_far_as_claude_code_has_the_transcript(scene: Scene) -> None:
    _gone(scene)
    Path(scene.folder.trash, "forgotten", SESSION).unlink()
    scene.sync()
    assert f"transcripts/{SESSION}.jsonl" in scene.holding()


def test_reading_it_says_that_it_was_forgotten(scene: Scene) -> None:
    _gone(scene)
    for name in (SESSION, SESSION[:20], f"{SESSION}/agent-1"):
        with pytest.raises(TranscriptGoneError, match="was forgotten by its user"):
            archived_sessions.find(scene.folder, name if "/" in name else SESSION)
    forgotten.mark(scene.folder, OTHER_SESSION, forgotten.EXPIRED, 1)
    assert archived_sessions.find(scene.folder, OTHER_SESSION).session_id == OTHER_SESSION


# Cost.


def test_ten_thousand_marks_are_no_matter(scene: Scene) -> None:
    first = f"{0:08x}-0000-4000-8000-000000000000"
    forgotten.mark(scene.folder, first, forgotten.FORGOTTEN)
    place = os.path.join(scene.folder.trash, "forgotten", "")
    for number in range(1, 10_000):  # links, which are made faster than files
        os.link(place + first, f"{place}{number:08x}{first[8:]}")
    scene.sync()
    assert forgotten.is_settled(scene.folder)
    assert f"transcripts/{SESSION}.jsonl" in scene.holding()


def test_where_nothing_is_marked_a_sweep_lists_two_folders_more_and_no_log_is_looked_at(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.sync()
    listed: list[str] = []
    real = os.listdir

    def listdir(path: str) -> list[str]:
        listed.append(path)
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    sweep.sweep(scene.folder, str(scene.projects), dict(DEFAULTS))
    assert [os.path.basename(path) for path in listed] == ["expired", "forgotten"]

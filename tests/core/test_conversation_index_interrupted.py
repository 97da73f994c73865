"""An update that is killed, meets another process, or has the mirror rebuilt below it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from memories.core import conversation_index, conversation_rows, mirror, paths
from memories.core.errors import LockTimeoutError, MirrorUnavailableError
from memories.core.locks import FileLock
from tests.core.conversations import MAIN, check, new_folder, put, talk, texts, update
from tests.core.transcript_lines import OTHER_SESSION

OTHER = OTHER_SESSION + ".jsonl"


@pytest.fixture
def folder(tmp_path: Path) -> paths.DataFolder:
    return new_folder(tmp_path)


# Killed, and two at once.


class _KilledError(BaseException):
    pass


def _killed_at(folder: paths.DataFolder, monkeypatch: pytest.MonkeyPatch, flush: int) -> bool:
    """An update that dies before its so many-th write; False when it had no more than that."""
    calls = 0
    real = conversation_rows.write

    def write(*arguments: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == flush:
            raise _KilledError
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(conversation_rows, "write", write)
        try:
            conversation_index.update(folder)
        except _KilledError:
            return True
    return False


def test_what_dies_between_two_batches_is_finished_by_the_next_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_index, "BATCH_ROWS", 4)
    told = [f"Message {number}" for number in range(30)]
    died = 0
    for flush in range(1, 20):
        folder = new_folder(tmp_path / str(flush))
        put(folder, talk(*told).dump(), mtime=1000)
        put(folder, talk(*told, "Forked", session=OTHER_SESSION).dump(), OTHER, mtime=2000)
        died += _killed_at(folder, monkeypatch, flush)
        check(folder)
        update(folder)
        assert texts(folder, MAIN) == told
        assert texts(folder, OTHER) == ["Forked"]
        assert update(folder).files == 0
    assert died > 8


def test_a_file_replaced_after_half_of_it_was_read_is_read_anew(
    folder: paths.DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_index, "BATCH_ROWS", 4)
    put(folder, talk(*(f"Message {number}" for number in range(30))).dump())
    assert _killed_at(folder, monkeypatch, 3)
    put(folder, talk(*(f"Other message {number}" for number in range(40))).dump())
    update(folder)
    assert texts(folder) == [f"Other message {number}" for number in range(40)]


def test_a_removal_that_died_half_way_is_finished_by_the_next_update(
    folder: paths.DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_rows, "_TURNS_AT_ONCE", 2)
    told = ["One", "Two", "Three", "Four", "Five"]
    put(folder, talk(*told).dump(), mtime=1000)
    put(folder, talk(*told, "Forked", "On", "And on", session=OTHER_SESSION).dump(), OTHER, mtime=2000)
    update(folder)
    with closing(mirror.connect(folder.mirror)) as connection:
        ids = [session for (session,) in connection.execute("SELECT id FROM session ORDER BY id DESC")]
        for session in ids:
            conversation_rows._remove_some(connection, session)
    update(folder)
    assert texts(folder, MAIN) == told
    assert texts(folder, OTHER) == ["Forked", "On", "And on"]


_RUN = """
import sys
from memories.core import conversation_index, errors, paths
try:
    conversation_index.update(paths.DataFolder(sys.argv[1]))
except errors.LockTimeoutError:
    sys.exit(7)
"""


def test_two_processes_at_once_index_once(folder: paths.DataFolder) -> None:
    told = [f"Message {number}" for number in range(600)]
    put(folder, talk(*told).dump())
    children = [subprocess.Popen([sys.executable, "-c", _RUN, folder.root]) for _ in range(3)]
    codes = [child.wait(timeout=60) for child in children]
    assert set(codes) <= {0, 7}
    assert 0 in codes
    check(folder)
    assert texts(folder) == told


def test_while_another_process_indexes_there_is_a_lock_error(folder: paths.DataFolder) -> None:
    with FileLock(os.path.join(folder.state, "conversations.lock")), pytest.raises(LockTimeoutError):
        conversation_index.update(folder)


# The mirror below it.


def test_without_a_mirror_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    folder = paths.DataFolder(str(tmp_path))
    folder.create()
    with pytest.raises(MirrorUnavailableError):
        conversation_index.update(folder)


def test_a_mirror_rebuilt_between_two_updates_gets_its_conversations_back(folder: paths.DataFolder) -> None:
    put(folder, talk("One", "Two").dump())
    update(folder)
    mirror.update(folder)
    assert texts(folder) == ["One", "Two"]
    mirror.update(folder, rebuild=True)
    assert texts(folder) == []
    update(folder)
    assert texts(folder) == ["One", "Two"]


@pytest.mark.parametrize("rebuilt_after", [1, 2, 3])
def test_a_mirror_rebuilt_during_an_update_has_every_conversation_after_it(
    folder: paths.DataFolder, monkeypatch: pytest.MonkeyPatch, rebuilt_after: int
) -> None:
    monkeypatch.setattr(conversation_index, "BATCH_ROWS", 2)
    names = [f"7b1e2f04-0000-4000-8000-{number:012}.jsonl" for number in range(4)]
    for number, name in enumerate(names):
        put(folder, talk(*(f"{number} {place}" for place in range(3))).dump(), name, mtime=1000 + number)
    update(folder)
    for number, name in enumerate(names[1:], 1):
        put(folder, talk(*(f"{number} {place}" for place in range(6))).dump(), name, mtime=2000 + number)
    calls = 0

    def progress(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls == rebuilt_after:
            mirror.update(folder, rebuild=True)

    update(folder, progress=progress)
    assert texts(folder) == [f"{number} {place}" for number in range(4) for place in range(6 if number else 3)]


def test_a_mirror_rebuilt_in_the_middle_of_a_file_has_all_of_it_after_the_update(
    folder: paths.DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_index, "BATCH_ROWS", 4)
    told = [f"Message {number}" for number in range(30)]
    put(folder, talk(*told).dump())
    calls = 0
    real = conversation_rows.write

    def write(*arguments: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 3:
            mirror.update(folder, rebuild=True)
        return real(*arguments)

    monkeypatch.setattr(conversation_rows, "write", write)
    update(folder)
    assert texts(folder) == told


def test_a_write_waits_for_a_rebuild_to_end(folder: paths.DataFolder) -> None:
    put(folder, talk("One").dump())
    blocker = mirror.connect(folder.mirror)
    blocker.execute("BEGIN IMMEDIATE")
    failures: list[BaseException] = []

    def run() -> None:
        try:
            conversation_index.update(folder)
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    blocker.execute("ROLLBACK")
    blocker.close()
    thread.join(timeout=30)
    assert failures == []
    assert texts(folder) == ["One"]

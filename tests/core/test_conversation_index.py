"""transcripts/ -> session, turn and turn_fts: however the files come, grow, change and go."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import conversation, conversation_index, mirror, paths, turn_rows
from tests.core.conversations import MAIN, check, new_folder, put, select, talk, texts, turns, update
from tests.core.transcript_lines import OTHER_SESSION, SESSION, Script

OTHER = OTHER_SESSION + ".jsonl"
AGENT = f"{SESSION}/subagents/agent-a1.jsonl"


@pytest.fixture
def folder(tmp_path: Path) -> paths.DataFolder:
    return new_folder(tmp_path)


# A file that grows.

_WORDS = st.text(st.sampled_from("ab é漢\n\0\ud800"), min_size=1, max_size=30)


def _add(script: Script, kind: str, text: str) -> None:
    call = {"type": "tool_use", "id": "t", "name": "LS", "input": {"path": text}}
    plan = {"type": "tool_use", "id": "u", "name": "ExitPlanMode", "input": {"plan": text}}
    said = {"type": "text", "text": text}
    if kind == "user":
        script.user(text)
    elif kind == "output":
        script.user([{"type": "tool_result", "tool_use_id": "t", "content": text}])
    elif kind == "side":
        script.answer(text, isSidechain=True)
    elif kind == "nobody":
        script.user(text, uuid=None, timestamp=None, gitBranch=text)
    elif kind == "summary":
        script.compaction(text)
    elif kind == "broken":
        script.other(type="mode", text=text)
    elif kind == "again":
        script.lines += script.lines[-len(text) :]
    else:
        blocks: dict[str, list[dict[str, Any]]] = {
            "answer": [said],
            "call": [call],
            "plan": [plan],
            "mix": [said, call, plan],
            "late": [call, plan, call],
        }
        script.assistant(*blocks[kind])


_KINDS = [
    "user",
    "output",
    "side",
    "nobody",
    "summary",
    "broken",
    "answer",
    "call",
    "call",
    "plan",
    "mix",
    "late",
    "again",
]
_SCRIPTS = st.lists(st.tuples(st.sampled_from(_KINDS), _WORDS), max_size=14)


def _script(events: list[tuple[str, str]]) -> bytes:
    script = Script("/proj")
    for kind, text in events:
        _add(script, kind, text)
    return script.dump()


@settings(max_examples=40, deadline=None)
@given(_SCRIPTS, st.lists(st.floats(0, 1), max_size=6))
def test_a_file_read_as_it_grows_has_the_rows_of_one_read_whole(
    events: list[tuple[str, str]], cuts: list[float]
) -> None:
    data = _script(events)
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as two,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(turn_rows, "MAX_CHARS", 25)
        patch.setattr(turn_rows, "MAX_TOOLS", 2)
        patch.setattr(conversation_index, "BATCH_ROWS", 3)
        growing, whole = new_folder(one), new_folder(two)
        for cut in sorted(cuts):
            put(growing, data[: int(cut * len(data))])
            update(growing)
        put(growing, data)
        put(whole, data)
        update(growing)
        update(whole)
        assert turns(growing) == turns(whole)
        figures = "SELECT branch, started_at, ended_at, turns, words, repeats, size, problem FROM session"
        assert select(growing, figures) == select(whole, figures)


@settings(max_examples=40, deadline=None)
@given(_SCRIPTS, _SCRIPTS, _SCRIPTS, st.lists(st.floats(0, 1), max_size=4))
def test_a_fork_read_as_it_grows_has_the_rows_of_one_read_whole(
    shared: list[tuple[str, str]], first: list[tuple[str, str]], second: list[tuple[str, str]], cuts: list[float]
) -> None:
    data = _script(shared + second)
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as two,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(turn_rows, "MAX_CHARS", 25)
        patch.setattr(conversation_index, "BATCH_ROWS", 3)
        growing, whole = new_folder(one), new_folder(two)
        for folder in (growing, whole):
            put(folder, _script(shared + first), mtime=1000)
            update(folder)
        for cut in sorted(cuts):
            part = data[: int(cut * len(data))]
            put(growing, part, OTHER, mtime=2000 + len(part))
            update(growing)
        for folder in (growing, whole):
            put(folder, data, OTHER, mtime=2000 + len(data))
            update(folder)
        assert turns(growing) == turns(whole)


def test_a_file_that_grows_byte_by_byte_has_the_rows_of_one_read_whole(
    folder: paths.DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_rows, "MAX_CHARS", 20)
    script = Script("/proj")
    for kind, text in [("user", "ab ba é"), ("answer", "a b" * 12), ("late", "b"), ("user", "漢字")]:
        _add(script, kind, text)
    script.lines = [{key: line[key] for key in ("type", "uuid", "message")} for line in script.lines]
    data = script.dump()
    with closing(mirror.connect(folder.mirror)):  # spares each update a checkpoint
        for size in range(len(data) + 1):
            put(folder, data[:size])
            conversation_index.update(folder)
    check(folder)
    whole = new_folder(tmp_path / "whole")
    put(whole, data)
    update(whole)
    assert turns(folder) == turns(whole)
    assert len(turns(whole)) == 6


def test_an_unchanged_run_reads_nothing(folder: paths.DataFolder) -> None:
    put(folder, talk("One", "Two").dump())
    put(folder, b"")
    put(folder, talk("Three", session=OTHER_SESSION).dump(), OTHER)
    assert update(folder).files == 2
    result = update(folder)
    assert (result.files, result.turns, result.removed, result.total) == (0, 0, 0, 1)


def test_what_was_read_is_not_read_again(folder: paths.DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(*(f"Message number {number}" for number in range(400)))
    put(folder, script.dump())
    update(folder)
    before = len(script.dump())
    last = len(json.dumps(script.lines[-1]))
    script.user("One more")
    path = put(folder, script.dump())

    starts: list[int] = []
    real = conversation.raw_lines

    def watched(path: str, start: int = 0, end: int | None = None) -> Any:
        starts.append(start)
        return real(path, start, end)

    monkeypatch.setattr(conversation, "raw_lines", watched)
    assert update(folder).turns == 1
    assert len(starts) == 1
    assert before - last - 10 < starts[0] < before
    assert path.stat().st_size > 10 * conversation_index.MARK_BYTES


def test_progress_goes_up_to_the_whole(folder: paths.DataFolder) -> None:
    put(folder, talk("One").dump(), mtime=1000)
    put(folder, talk("Two", session=OTHER_SESSION).dump(), OTHER, mtime=2000)
    seen: list[tuple[int, int]] = []
    update(folder, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == sum(size for _, _, size in conversation_index.transcript_files(folder))
    assert len(seen) == 2


# What is indexed.


def test_subagents_are_parts_of_their_session(folder: paths.DataFolder) -> None:
    put(folder, talk("One").dump())
    agent = Script("/proj")
    agent.user("Search the docs", isSidechain=True)
    put(folder, agent.dump(), AGENT)
    put(folder, b"{}", f"{SESSION}/subagents/agent-a1.meta.json")
    put(folder, b"output", f"{SESSION}/tool-results/x.jsonl")
    update(folder)
    assert select(folder, "SELECT path, session_id, part FROM session ORDER BY part") == [
        (MAIN, SESSION, ""),
        (AGENT, SESSION, "agent-a1"),
    ]
    assert [turn[7] for turn in turns(folder)] == [0, 1]


# What cannot be read.


def _unreadable(folder: paths.DataFolder, name: str, kind: str, outside: Path) -> None:
    path = Path(folder.transcripts, name)
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        outside.write_bytes(talk("Outside").dump())
        path.symlink_to(outside)


@pytest.mark.parametrize("kind", ["folder", "fifo", "symlink"])
@pytest.mark.parametrize("is_known", [False, True])
def test_what_is_no_file_is_named_and_the_others_are_indexed(
    folder: paths.DataFolder, tmp_path: Path, kind: str, is_known: bool
) -> None:
    if is_known:
        put(folder, talk("Before").dump())
        update(folder)
    _unreadable(folder, MAIN, kind, tmp_path / "outside.jsonl")
    put(folder, talk("Two", session=OTHER_SESSION).dump(), OTHER)
    for _ in range(2):
        ((name, reason),) = update(folder).problems
        assert name == MAIN
        assert "not a regular file" in reason
        assert texts(folder) == ["Two"]


def test_a_file_that_can_be_read_again_is_read(folder: paths.DataFolder, tmp_path: Path) -> None:
    _unreadable(folder, MAIN, "folder", tmp_path)
    update(folder)
    Path(folder.transcripts, MAIN).rmdir()
    put(folder, talk("One").dump())
    assert update(folder).problems == []
    assert texts(folder) == ["One"]


def test_folders_that_are_symlinks_are_not_followed(folder: paths.DataFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "agent-x.jsonl").write_bytes(talk("Outside").dump())
    Path(folder.transcripts, SESSION).mkdir()
    Path(folder.transcripts, SESSION, "subagents").symlink_to(outside)
    Path(folder.transcripts, OTHER_SESSION).symlink_to(outside)
    assert update(folder).total == 0


def test_names_that_transcript_read_does_not_open_are_not_indexed(folder: paths.DataFolder) -> None:
    put(folder, talk("One").dump(), f"{SESSION}/subagents/a b.jsonl")
    put(folder, talk("Two").dump(), "notes.jsonl")
    Path(os.fsdecode(os.fsencode(folder.transcripts) + b"/" + SESSION.encode() + b"/subagents/\xff.jsonl")).touch()
    result = update(folder)
    assert (result.total, result.problems) == (0, [])


def test_broken_lines_hide_nothing_else(folder: paths.DataFolder) -> None:
    first, second = talk("One \0 \ud800 end", "Two").dump().splitlines(keepends=True)
    put(folder, first + b'{"type":"user"\n\0\0\n\xff\n{"type":"quux","message":{}}\n' + second + b'{"type":"us')
    assert update(folder).problems == []
    assert texts(folder) == ["One  ? end", "Two"]


def test_a_branch_of_any_characters_is_kept(folder: paths.DataFolder) -> None:
    script = talk("One")
    script.user("Two", gitBranch="b\ud800\0")
    put(folder, script.dump())
    update(folder)
    assert [turn[6] for turn in turns(folder)] == [None, "b?\ufffd"]
    assert select(folder, "SELECT branch FROM session") == [("main",)]

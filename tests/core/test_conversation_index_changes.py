"""Archived files that change, go, and repeat what others hold: the index follows."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import conversation_index, conversation_rows, paths, transcripts
from tests.core.conversations import MAIN, new_folder, put, select, talk, texts, turns, update
from tests.core.transcript_lines import OTHER_SESSION, SESSION

OTHER = OTHER_SESSION + ".jsonl"
AGENT = f"{SESSION}/subagents/agent-a1.jsonl"


@pytest.fixture
def folder(tmp_path: Path) -> paths.DataFolder:
    return new_folder(tmp_path)


def test_a_file_that_is_another_one_now_is_read_anew(folder: paths.DataFolder) -> None:
    put(folder, talk("One", "Two", "Three").dump())
    update(folder)
    shorter = talk("Four").dump()
    put(folder, shorter)
    update(folder)
    assert texts(folder) == ["Four"]
    put(folder, talk("Five").dump(), mtime=1000)
    assert len(talk("Five").dump()) == len(shorter)
    update(folder)
    assert texts(folder) == ["Five"]
    put(folder, talk("Six", "Seven", "Eight").dump())
    update(folder)
    assert texts(folder) == ["Six", "Seven", "Eight"]
    assert select(folder, "SELECT count(*) FROM session") == [(1,)]


def test_a_word_blanked_by_as_many_characters_is_gone_from_the_index(folder: paths.DataFolder) -> None:
    data = talk("The key is sesame", "Noted. " * 2 * conversation_index.MARK_BYTES).dump()
    put(folder, data, mtime=1000)
    update(folder)
    put(folder, data.replace(b"sesame", b"XXXXXX"), mtime=2000)
    update(folder)
    assert texts(folder)[0] == "The key is XXXXXX"
    assert update(folder).files == 0


def test_forks_of_a_blanked_file_are_read_anew_once(folder: paths.DataFolder) -> None:
    data = talk("The key is sesame", "Noted").dump()
    put(folder, data, mtime=1000)
    put(folder, talk("The key is XXXXXX", "Noted", "Three", session=OTHER_SESSION).dump(), OTHER, mtime=1000)
    update(folder)
    for name, mtime in ((MAIN, 2000), (OTHER, 3000)):
        path = Path(folder.transcripts, name)
        put(folder, path.read_bytes().replace(b"sesame", b"XXXXXX"), name, mtime=mtime)
    update(folder)
    assert sorted(texts(folder)) == ["Noted", "The key is XXXXXX", "Three"]
    assert update(folder).files == 0


def test_turns_are_those_that_are_new(folder: paths.DataFolder) -> None:
    script = talk("One", "Two")
    put(folder, script.dump())
    assert update(folder).turns == 2
    script.call("LS", {"path": "/proj"})
    put(folder, script.dump())
    assert update(folder).turns == 0
    script.user("Three")
    script.answer("Four")
    put(folder, script.dump())
    assert update(folder).turns == 2
    assert texts(folder) == ["One", "Two\nLS: /proj", "Three", "Four"]


def test_a_file_that_was_only_touched_keeps_its_rows(folder: paths.DataFolder) -> None:
    put(folder, talk("One", "Two").dump())
    update(folder)
    before = turns(folder)
    os.utime(Path(folder.transcripts, MAIN), (1000, 1000))
    update(folder)
    assert turns(folder) == before


def test_a_resumed_session_in_a_new_file_adds_what_is_new(folder: paths.DataFolder) -> None:
    first = talk("One", "Two")
    put(folder, first.dump(), mtime=1000)
    fork = talk("One", "Two", "Three", session=OTHER_SESSION)
    put(folder, fork.dump(), OTHER, mtime=2000)
    update(folder)
    assert texts(folder, MAIN) == ["One", "Two"]
    assert texts(folder, OTHER) == ["Three"]
    fork.answer("Four")
    put(folder, fork.dump(), OTHER)
    update(folder)
    assert texts(folder, OTHER) == ["Three", "Four"]


def test_a_compacted_session_goes_on_without_its_summary(folder: paths.DataFolder) -> None:
    script = talk("One", "Two")
    put(folder, script.dump())
    update(folder)
    script.compaction("This session is being continued: One, Two")
    script.user("Three")
    put(folder, script.dump())
    update(folder)
    assert texts(folder) == ["One", "Two", "Three"]


def test_what_a_removed_file_held_for_others_comes_back_under_these(folder: paths.DataFolder) -> None:
    put(folder, talk("One", "Two").dump(), mtime=1000)
    put(folder, talk("One", "Two", "Three", session=OTHER_SESSION).dump(), OTHER, mtime=2000)
    update(folder)
    Path(folder.transcripts, MAIN).unlink()
    result = update(folder)
    assert result.removed == 1
    assert texts(folder) == texts(folder, OTHER) == ["One", "Two", "Three"]


def test_what_a_replaced_file_held_for_others_comes_back_under_these(folder: paths.DataFolder) -> None:
    put(folder, talk("One", "Two").dump(), mtime=1000)
    put(folder, talk("One", "Two", "Three", session=OTHER_SESSION).dump(), OTHER, mtime=2000)
    update(folder)
    put(folder, talk("Four").dump())
    update(folder)
    assert texts(folder, OTHER) == ["One", "Two", "Three"]
    assert texts(folder, MAIN) == ["Four"]


def test_a_file_that_lost_its_end_gives_it_back_to_those_who_repeat_it(folder: paths.DataFolder) -> None:
    put(folder, talk("One", "Two").dump(), mtime=1000)
    put(folder, talk("One", "Two", "Three", session=OTHER_SESSION).dump(), OTHER, mtime=2000)
    update(folder)
    put(folder, talk("One").dump())
    update(folder)
    assert sorted(texts(folder)) == ["One", "Three", "Two"]


def test_an_archive_that_diverged_loses_no_words(folder: paths.DataFolder, tmp_path: Path) -> None:
    source = tmp_path / "projects" / "-proj" / MAIN
    source.parent.mkdir(parents=True)
    source.write_bytes(talk("One", "Two", "Only in the first").dump())
    transcripts.archive(folder, str(source))
    update(folder)
    source.write_bytes(talk("One", "Only in the second", "Three", "Four", "Five").dump())
    transcripts.archive(folder, str(source))
    assert update(folder).files >= 2
    assert sorted(texts(folder)) == ["Five", "Four", "One", "Only in the first", "Only in the second", "Three", "Two"]
    parts = select(folder, "SELECT part FROM session ORDER BY part")
    assert parts[0] == ("",)
    assert parts[1][0].startswith("diverged-")


_FILES = (MAIN, OTHER, AGENT)
_PIECES = ("One", "Two", "Three", "Four")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(_FILES), st.none() | st.lists(st.sampled_from(_PIECES), max_size=5)), max_size=7
    ),
    st.integers(1, 3),
)
def test_every_word_of_every_file_is_there_once_whatever_came_and_went(
    steps: list[tuple[str, list[str] | None]], batch: int
) -> None:
    with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversation_index, "BATCH_ROWS", batch)
        patch.setattr(conversation_rows, "_TURNS_AT_ONCE", 2)
        folder = new_folder(root)
        present: dict[str, set[tuple[int, str]]] = {}
        for time, (name, told) in enumerate(steps, 1000):
            if told is not None:
                put(folder, talk(*told).dump(), name, mtime=time)
                present[name] = set(enumerate(told))
            elif present.pop(name, None) is not None:
                Path(folder.transcripts, name).unlink()
            update(folder)
            assert sorted(texts(folder)) == sorted(text for _, text in set().union(*present.values()))

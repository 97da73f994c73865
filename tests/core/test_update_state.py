"""What is noted of newer versions, and when somebody is asked or told."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import clock, update_state
from memories.core.paths import DataFolder

ABOUT = {"version": "2.0.0", "kind": "git", "repo": "https://example.org/memory", "commit": "a" * 40}
ON = {"update_check": True}


def install(folder: DataFolder, **about: str) -> None:
    os.makedirs(folder.lib, exist_ok=True)
    Path(folder.lib, "install.json").write_text(json.dumps(ABOUT | about), encoding="utf-8")


def note(folder: DataFolder, **notes: Any) -> None:
    assert update_state.save(folder, {"repo": ABOUT["repo"], "newest": "", "commit": "", **notes})


def test_it_is_time_to_ask_once_a_day(folder: DataFolder) -> None:
    install(folder)
    assert update_state.claim(folder, ON)
    assert not update_state.claim(folder, ON)
    note(folder, checked_at=clock.format_time(time.time() - update_state.EVERY_SECONDS - 60), newest="2.1.0")
    assert update_state.claim(folder, ON)
    assert update_state.read(folder)["newest"] == "2.1.0"
    assert not update_state.claim(folder, ON)


@pytest.mark.parametrize("noted", ["", None, 7, "yesterday", "2999-01-01T00:00:00"])
def test_a_time_that_is_none_or_far_in_the_future_does_not_stop_it(folder: DataFolder, noted: object) -> None:
    install(folder)
    note(folder, checked_at=noted)
    assert update_state.claim(folder, ON)


@pytest.mark.parametrize("about", [{"kind": "folder"}, {"kind": ""}, {"kind": "carrier pigeon"}, {"repo": ""}])
def test_who_came_from_nowhere_asks_nobody(folder: DataFolder, about: dict[str, str]) -> None:
    install(folder, **about)
    assert not update_state.claim(folder, ON)
    assert update_state.read(folder) == {}


def test_nobody_is_asked_where_nothing_is_installed_or_it_is_off(folder: DataFolder) -> None:
    assert not update_state.claim(folder, ON)
    install(folder)
    assert not update_state.claim(folder, {"update_check": False})
    os.makedirs(os.path.dirname(update_state.off_file(folder)))
    Path(update_state.off_file(folder)).touch()
    assert not update_state.claim(folder, ON)


def test_where_the_time_cannot_be_noted_nobody_is_asked(folder: DataFolder) -> None:
    install(folder)
    os.makedirs(os.path.join(folder.state, "update.json"))
    assert not update_state.claim(folder, ON)


@pytest.mark.parametrize(
    ("notes", "offered"),
    [
        ({"newest": "2.0.1"}, "2.0.1"),
        ({"newest": "2.10.0"}, "2.10.0"),
        ({"newest": "2.0.0"}, ""),
        ({"newest": "1.9.9"}, ""),
        ({"newest": "2.1.0", "declined": "2.1.0"}, ""),
        ({"newest": "2.2.0", "declined": "2.1.0"}, "2.2.0"),
        ({"newest": "2.1.0", "declined": "2.2.0"}, ""),
        ({"commit": "b" * 40, "declined_commit": "b" * 40}, ""),
        ({"newest": "2.1.0", "repo": "https://example.org/another"}, ""),
        ({"newest": "2.0.0", "commit": "b" * 40}, ""),
        ({"commit": "b" * 40}, "b" * 10),
        ({"commit": "a" * 40}, ""),
        ({"commit": "b" * 40, "declined": "b" * 40}, ""),
        ({"commit": "b\n" * 40}, ""),
        ({"newest": "2.1.0\x1b[31m"}, ""),
        ({"newest": ["2.1.0"]}, ""),
        ({}, ""),
    ],
)
def test_only_what_is_newer_and_not_gone_back_from_is_offered(notes: dict[str, Any], offered: str) -> None:
    assert update_state.offered(ABOUT, {"repo": ABOUT["repo"], **notes}) == offered


def test_the_head_that_a_clone_with_commits_of_its_own_was_made_from_is_not_offered() -> None:
    notes = {"repo": ABOUT["repo"], "commit": "b" * 40}
    assert update_state.offered(ABOUT | {"head": "b" * 40}, notes) == ""
    assert update_state.offered(ABOUT | {"head": "c" * 40}, notes) == "b" * 10


@pytest.mark.parametrize(
    ("declined", "here", "left", "kept"),
    [
        ("2.0.3", "2.0.1", (), "2.0.3"),
        ("2.0.3", "2.0.3", (), None),
        ("2.0.3", "2.1.0", (), None),
        ("2.0.3", "2.0.0", ("2.0.1",), "2.0.3"),
        (None, "2.0.0", ("2.0.3", "2.0.1"), "2.0.3"),
        ("2.1.0", "2.1.0", ("2.0.0",), None),
        ("b" * 40, "2.1.0", (), "b" * 40),
        (7, "2.1.0", (), None),
    ],
)
def test_what_was_declined_stays_so_until_something_at_or_above_it_is_installed(
    declined: object, here: str, left: tuple[str, ...], kept: str | None
) -> None:
    notes = update_state.declining({"declined": declined, "newest": "2.0.3"}, {"version": here}, *left)
    assert (notes.get("declined"), notes["newest"]) == (kept, "2.0.3")


def test_an_update_that_was_not_checked_is_seen_to_at_once_whatever_is_wanted(folder: DataFolder) -> None:
    note(folder, checked_at=clock.now(), trial={"inode": 1})
    assert not update_state.claim(folder, ON)
    install(folder)
    assert update_state.claim(folder, {"update_check": False})


def test_a_newer_version_is_told_once_a_day(folder: DataFolder) -> None:
    install(folder)
    note(folder, newest="2.1.0")
    assert (
        update_state.line(folder, ON) == " · LLM Memory 2.1.0 is there (this is 2.0.0 (aaaaaaaaaa)): llm-memory update"
    )
    assert update_state.line(folder, ON) == ""
    note(folder, newest="2.1.0", said_at=clock.format_time(time.time() - update_state.EVERY_SECONDS - 60))
    assert update_state.line(folder, {"update_check": False}) == ""
    assert "2.1.0 is there" in update_state.line(folder, ON)


def test_once_it_is_installed_it_is_not_told_any_more(folder: DataFolder) -> None:
    install(folder, version="2.1.0")
    note(folder, newest="2.1.0")
    assert update_state.line(folder, ON) == ""


def test_an_update_that_was_made_is_told_at_once_and_once(folder: DataFolder) -> None:
    install(folder)
    note(folder, newest="2.0.0", said_at=clock.now(), done="was updated\x1b[31m\nfrom 1.9.0 " + "x" * 500)
    told = update_state.line(folder, ON)
    assert told.startswith(" · LLM Memory was updated")
    assert len(told) < 300
    assert "\n" not in told
    assert update_state.line(folder, ON) == ""


@given(st.one_of(st.binary(max_size=50), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
def test_notes_of_any_content_are_no_failure(tmp_path_factory: pytest.TempPathFactory, content: bytes | str) -> None:
    folder = DataFolder(str(tmp_path_factory.mktemp("notes") / "memory"))
    folder.create()
    os.makedirs(folder.lib)
    data = content if isinstance(content, bytes) else content.encode()
    for path in (os.path.join(folder.state, "update.json"), os.path.join(folder.lib, "install.json")):
        Path(path).write_bytes(data)
    assert update_state.line(folder, ON) == ""
    assert not update_state.claim(folder, ON)

"""Where Claude's auto memory is, and when a session start asks a sync to look at it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from memories.core import auto_memory, auto_memory_folders
from memories.core.auto_memory_folders import LOOK_SECONDS, custom, places, wants_a_look
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    place = tmp_path / "claude" / "projects"
    (place / "-srv-shop").mkdir(parents=True)
    return place


def _settings(projects: Path, **values: object) -> None:
    (projects.parent / "settings.json").write_text(json.dumps(values), "utf-8")


def _memory(projects: Path, at: float) -> Path:
    place = projects / "-srv-shop" / "memory"
    place.mkdir()
    (place / "a.md").write_text("Use tabs.", "utf-8")
    os.utime(place, (at, at))
    return place


def _look(folder: DataFolder, projects: Path) -> None:
    auto_memory.settle(folder, str(projects), dict(DEFAULTS))


def test_without_any_nothing_is_wanted_or_written(folder: DataFolder, projects: Path) -> None:
    assert not wants_a_look(folder, str(projects))
    assert not wants_a_look(folder, str(projects / "nowhere"))
    _look(folder, projects)
    assert not os.path.exists(auto_memory_folders.state_path(folder))


def test_a_look_is_wanted_for_what_is_new_or_changed_since_the_last(folder: DataFolder, projects: Path) -> None:
    now = time.time()
    place = _memory(projects, now - 100)
    assert wants_a_look(folder, str(projects))
    _look(folder, projects)
    assert not wants_a_look(folder, str(projects))
    os.utime(place, (now + 1, now + 1))
    assert wants_a_look(folder, str(projects))


def test_a_look_is_wanted_when_the_last_one_is_long_ago(folder: DataFolder, projects: Path) -> None:
    _memory(projects, time.time() - 100_000)
    _look(folder, projects)
    for seconds in (LOOK_SECONDS + 60, -LOOK_SECONDS):
        looked = time.time() - seconds
        os.utime(auto_memory_folders.state_path(folder), (looked, looked))
        assert wants_a_look(folder, str(projects))


def test_a_look_that_may_read_nothing_is_not_wanted_again(folder: DataFolder, projects: Path) -> None:
    _memory(projects, time.time() - 100)
    auto_memory.settle(folder, str(projects), {**DEFAULTS, "excluded_paths": ["/"]})
    assert not wants_a_look(folder, str(projects))


def test_the_folder_that_the_users_settings_name_is_one_for_all_projects(
    folder: DataFolder, projects: Path, tmp_path: Path
) -> None:
    own = tmp_path / "home" / "notes"
    own.mkdir()
    (own / "a.md").write_text("Use tabs.", "utf-8")
    _settings(projects, autoMemoryDirectory="~/notes/")
    assert [place.slug for place in places(folder, str(projects))[0]] == [""]
    assert wants_a_look(folder, str(projects))
    done = auto_memory.settle(folder, str(projects), dict(DEFAULTS))
    assert done.mirrored == 1
    os.unlink(own / "a.md")
    assert auto_memory.settle(folder, str(projects), {**DEFAULTS, "excluded_paths": ["notes"]}).removed == 1


@pytest.mark.parametrize("value", ["relative/notes", "", 7, None, "/a\0b"])
def test_a_setting_that_names_no_folder_counts_as_none(projects: Path, value: object) -> None:
    _settings(projects, autoMemoryDirectory=value)
    assert custom(str(projects)) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}'])
def test_settings_that_cannot_be_read_name_none(projects: Path, text: str) -> None:
    (projects.parent / "settings.json").write_text(text, "utf-8")
    assert custom(str(projects)) is None


@pytest.mark.parametrize("which", ["home", "data", "below data", "claude", "/"])
def test_a_folder_that_holds_more_than_memories_is_refused(folder: DataFolder, projects: Path, which: str) -> None:
    named = {
        "home": os.environ["HOME"],
        "data": folder.root,
        "below data": folder.config,
        "claude": str(projects.parent),
        "/": "/",
    }[which]
    _settings(projects, autoMemoryDirectory=named)
    found, problems = places(folder, str(projects))
    assert found == []
    assert "name a folder of its own" in problems[0]

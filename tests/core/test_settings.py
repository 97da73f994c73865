"""Settings: what differs from the defaults; a bad value falls back and is named."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories.core import projects
from memories.core.paths import DataFolder
from memories.core.settings import (
    BRIEFING_LIMIT,
    CLOSED,
    DEFAULTS,
    OFF,
    disabled_by_environment,
    problem_of,
    read_settings,
    why_off,
)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def _write(folder: DataFolder, value: Any) -> None:
    Path(folder.settings).write_text(json.dumps(value), encoding="utf-8")


def test_without_a_file_the_defaults_hold(folder: DataFolder, tmp_path: Path) -> None:
    assert read_settings(folder) == (DEFAULTS, [])
    assert read_settings(DataFolder(str(tmp_path / "none"))) == (DEFAULTS, [])


def test_what_is_set_is_used(folder: DataFolder) -> None:
    given = {
        "auto_memory": False,
        "auto_update": True,
        "briefing_chars": 9500,
        "checkpoint_tokens": 1,
        "excluded_paths": ["~/x/*"],
        "narrative_upkeep": False,
        "project_aliases": {"a": "b"},
        "redact_patterns": ["corp-[0-9]{8}"],
        "redact_transcripts": True,
        "transcripts_keep_days": 90,
        "transcripts_keep_mb": 0,
        "update_check": False,
    }
    _write(folder, given)
    assert read_settings(folder) == (given, [])


@pytest.mark.parametrize("pattern", ["(", "x*", "a{2,1}"])
def test_a_pattern_that_cannot_guard_anything_closes_memory_until_it_is_corrected(
    folder: DataFolder, pattern: str
) -> None:
    _write(folder, {"redact_patterns": ["good-[0-9]+", pattern]})
    settings, problems = read_settings(folder)
    assert settings["excluded_paths"] == ["/"]
    assert len(problems) == 1
    assert "redact_patterns" in problems[0]
    assert pattern in problems[0]


def test_memory_stays_closed_whatever_good_settings_follow_the_bad_one(folder: DataFolder) -> None:
    _write(folder, {"redact_patterns": ["("], "excluded_paths": [], "briefing_chars": 77})
    settings, problems = read_settings(folder)
    assert settings["excluded_paths"] == ["/"]
    assert settings["briefing_chars"] == 77
    assert len(problems) == 1


def test_every_bad_guard_says_that_memory_is_off_and_comes_before_what_is_only_ignored(folder: DataFolder) -> None:
    _write(folder, {"colour": "red", "redact_patterns": ["(x"], "redact_transcripts": "yes"})
    settings, problems = read_settings(folder)
    assert [problem.startswith(OFF) for problem in problems] == [True, True, False]
    assert why_off(settings) == f"{problems[0].removeprefix(OFF)}; correct {folder.settings}"


def test_a_project_is_told_which_setting_switched_memory_off_and_where_it_is(
    folder: DataFolder, tmp_path: Path
) -> None:
    _write(folder, {"redact_patterns": ["(x"]})
    project = projects.identify(str(tmp_path), read_settings(folder)[0])
    assert project is not None
    assert project.reason is not None
    assert project.reason.startswith("redact_patterns: '(x' is no regular expression")
    assert project.reason.endswith(f"; correct {folder.settings}")


def test_a_user_who_excludes_everything_reads_so(folder: DataFolder, tmp_path: Path) -> None:
    _write(folder, {"excluded_paths": ["/"]})
    settings, problems = read_settings(folder)
    project = projects.identify(str(tmp_path), settings)
    assert (problems, why_off(settings)) == ([], None)
    assert project is not None
    assert project.reason == "'/' in the setting excluded_paths covers everything"


@pytest.mark.parametrize("pattern", [".", r"\S", ".+", r"\w+", "[a-z]+", "(?i)[A-Z0-9]{2,}", r"[^\s]", "(.)x?"])
def test_a_pattern_that_fits_nearly_any_text_is_refused(pattern: str) -> None:
    assert "fits nearly any text" in (problem_of("redact_patterns", [pattern]) or "")


@pytest.mark.parametrize(
    "pattern", ["x1", r"\d{4,}", "corp-[0-9]{8}", r"\S+@\S+", ".*hunter.*", "key=(.+)", "a1", "x+y"]
)
def test_a_pattern_that_fits_something_in_particular_is_taken(pattern: str) -> None:
    assert problem_of("redact_patterns", [pattern]) is None


@pytest.mark.parametrize("path", ["/private\0/x", "/private\ud800/*"])
def test_a_path_that_none_can_be_excludes_everything_until_it_is_corrected(
    folder: DataFolder, tmp_path: Path, path: str
) -> None:
    _write(folder, {"excluded_paths": ["/secret", path]})
    settings, problems = read_settings(folder)
    assert settings["excluded_paths"] == ["/"]
    assert "excluded_paths holds what no path has" in problems[0]
    project = projects.identify(str(tmp_path), settings)
    assert project is not None
    assert not project.enabled


def test_a_path_of_bytes_that_are_no_text_can_be_excluded(folder: DataFolder) -> None:
    path = os.fsdecode(b"/private/\xff")
    _write(folder, {"excluded_paths": [path]})
    assert read_settings(folder)[0]["excluded_paths"] == [path]


@pytest.mark.parametrize("value", [-1, True, "3", 1.5])
def test_how_long_transcripts_are_kept_is_a_whole_number_of_which_0_means_without_end(
    folder: DataFolder, value: object
) -> None:
    _write(folder, {"transcripts_keep_days": value})
    settings, problems = read_settings(folder)
    assert settings["transcripts_keep_days"] == 0
    assert "0 keeps everything" in problems[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("briefing_chars", "6000"), ("briefing_chars", True), ("briefing_chars", 0), ("briefing_chars", 1.5),
        ("checkpoint_tokens", None), ("excluded_paths", "x"), ("excluded_paths", [1]), ("project_aliases", []),
        ("project_aliases", {"a": 1}), ("colour", "red"), ("narrative_upkeep", 1), ("narrative_upkeep", "false"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named_and_the_rest_is_used(folder: DataFolder, name: str, value: Any) -> None:
    other = "checkpoint_tokens" if name != "checkpoint_tokens" else "briefing_chars"
    _write(folder, {name: value, other: 77})
    found, problems = read_settings(folder)
    assert found == {**DEFAULTS, other: 77} | (CLOSED if name == "excluded_paths" else {})
    assert len(problems) == 1
    assert name in problems[0]


def test_a_briefing_longer_than_claude_code_delivers_is_capped_and_said(folder: DataFolder) -> None:
    _write(folder, {"briefing_chars": 20_000})
    found, problems = read_settings(folder)
    assert found["briefing_chars"] == BRIEFING_LIMIT
    assert problems == [f"briefing_chars is limited to {BRIEFING_LIMIT} by Claude Code"]


@pytest.mark.parametrize("data", [b"{", b"[]", b"5", b"\xff\xfe", b"[" * 200_000, b""])
def test_a_file_that_is_no_json_object_excludes_everything_until_it_is_corrected(
    folder: DataFolder, data: bytes
) -> None:
    Path(folder.settings).write_bytes(data)
    found, problems = read_settings(folder)
    assert found == DEFAULTS | CLOSED
    assert problems[0].startswith(f"{OFF}the settings ")
    assert why_off(found) == f"{problems[0].removeprefix(OFF)}; correct {folder.settings}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*DEFAULTS, "other"]), _json))
def test_whatever_the_file_holds_every_setting_has_a_value_of_its_type(folder: DataFolder, value: Any) -> None:
    _write(folder, value)
    found, _ = read_settings(folder)
    assert found.keys() == DEFAULTS.keys()
    assert all(isinstance(found[name], type(DEFAULTS[name])) for name in DEFAULTS)
    assert found["briefing_chars"] <= BRIEFING_LIMIT


@pytest.mark.parametrize(("value", "off"), [("1", True), ("yes", True), ("0", False), ("", False)])
@pytest.mark.parametrize("name", ["LLM_MEMORY_DISABLE", "LLM_MEMORY_GUARD"])
def test_either_variable_switches_memory_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str, off: bool) -> None:
    assert not disabled_by_environment()
    monkeypatch.setenv(name, value)
    assert disabled_by_environment() is off

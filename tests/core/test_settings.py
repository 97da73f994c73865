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
from memories.core.settings import BRIEFING_LIMIT, CLOSED, DEFAULTS, disabled_by_environment, read_settings

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
        "briefing_chars": 9500,
        "checkpoint_tokens": 1,
        "excluded_paths": ["~/x/*"],
        "narrative_upkeep": False,
        "project_aliases": {"a": "b"},
        "redact_patterns": ["corp-[0-9]{8}"],
        "redact_transcripts": True,
        "transcripts_keep_days": 90,
        "transcripts_keep_mb": 0,
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
    assert "memory is off until it is corrected" in problems[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*DEFAULTS, "other"]), _json))
def test_whatever_the_file_holds_every_setting_has_a_value_of_its_type(folder: DataFolder, value: Any) -> None:
    _write(folder, value)
    found, _ = read_settings(folder)
    assert found.keys() == DEFAULTS.keys()
    assert all(type(found[name]) is type(DEFAULTS[name]) for name in DEFAULTS)
    assert found["briefing_chars"] <= BRIEFING_LIMIT


@pytest.mark.parametrize(("value", "off"), [("1", True), ("yes", True), ("0", False), ("", False)])
@pytest.mark.parametrize("name", ["LLM_MEMORY_DISABLE", "LLM_MEMORY_GUARD"])
def test_either_variable_switches_memory_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str, off: bool) -> None:
    assert not disabled_by_environment()
    monkeypatch.setenv(name, value)
    assert disabled_by_environment() is off

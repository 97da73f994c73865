"""Patterns are compiled at their first use, and are then what re.compile gives."""

from __future__ import annotations

import copy
import re

import pytest

from memories.core.patterns import lazy


def test_a_pattern_finds_what_a_compiled_one_does() -> None:
    found, compiled = lazy("(a+)B", re.IGNORECASE), re.compile("(a+)B", re.IGNORECASE)
    text = "xaab ab"
    assert found.findall(text) == compiled.findall(text)
    assert found.sub(r"\1", text) == compiled.sub(r"\1", text)
    assert found.pattern == compiled.pattern
    assert repr(found) == repr(compiled)
    assert lazy(b"[0-9]").search(b"a1")


def test_a_pattern_is_compiled_at_its_first_use() -> None:
    broken = lazy("(")
    with pytest.raises(re.error):
        broken.search("x")


def test_a_loop_calls_the_compiled_patterns_own_method() -> None:
    found = lazy("a")
    assert found.search("a")
    assert vars(found)["search"] == re.compile("a").search


def test_what_no_pattern_has_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        copy.copy(lazy("a")).nothing  # type: ignore[attr-defined]  # noqa: B018

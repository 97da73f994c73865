"""The marked block in CLAUDE.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks import rules_block

RULES = "/data/config/CLAUDE.md"


@given(st.binary().filter(lambda text: b"<!-- LLM Memory" not in text and text.strip()))
def test_adding_and_removing_keeps_every_byte_but_a_missing_last_newline(text: bytes) -> None:
    stripped = rules_block.strip(rules_block.add(text, RULES))
    assert stripped is not None
    assert stripped.removesuffix(b"\n") == text.removesuffix(b"\n")


@given(st.binary())
def test_adding_twice_changes_nothing(text: bytes) -> None:
    once = rules_block.add(text, RULES)
    assert rules_block.add(once, RULES) == once


def test_the_block_is_three_lines_after_a_blank_one() -> None:
    lines = rules_block.add(b"# Mine\n", RULES).decode().splitlines()
    assert lines == ["# Mine", "", rules_block.BEGIN, "@/data/config/CLAUDE.md", rules_block.END]


def test_a_block_of_another_version_is_replaced_where_it_stands() -> None:
    old = b"top\n\n<!-- LLM Memory: begin (v9) -->\n@/old\nmore\n<!-- LLM Memory: end -->\nbottom\n"
    new = rules_block.add(old, RULES)
    assert new.startswith(b"top\n\n<!-- LLM Memory: begin")
    assert new.endswith(b"end -->\nbottom\n")
    assert new.count(b"LLM Memory: begin") == 1
    assert b"/old" not in new


def test_text_around_the_block_stays_when_it_is_removed() -> None:
    text = b"above\n\n" + rules_block.block(RULES) + b"below\n"
    assert rules_block.strip(text) == b"above\nbelow\n"


def test_a_file_that_holds_nothing_else_is_not_kept() -> None:
    assert rules_block.strip(rules_block.add(None, RULES)) is None


def test_an_unfinished_block_is_the_users_text() -> None:
    text = b"<!-- LLM Memory: begin -->\nno end\n"
    assert not rules_block.has_block(text)
    assert rules_block.strip(text) == text


def test_the_import_is_written_from_home_and_spaces_are_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert rules_block.import_path(f"{tmp_path}/.claude/memory/config/CLAUDE.md") == "~/.claude/memory/config/CLAUDE.md"
    assert rules_block.import_path("/mnt/my data/CLAUDE.md") == "/mnt/my\\ data/CLAUDE.md"
    assert rules_block.import_path(f"{tmp_path}x/CLAUDE.md") == f"{tmp_path}x/CLAUDE.md"

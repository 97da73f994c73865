"""The rules text and .stignore."""

from __future__ import annotations

import re

import pytest

from hooks import claude_settings
from hooks.shipped_files import RULES, SKILL, STIGNORE, shipped_order, shipped_texts, skill_texts
from hooks.user_files import sha256
from memories.core import config_merge
from memories.core.narrative_sections import REQUIRED
from memories.core.paths import SYNCED_FOLDERS


def _rules() -> str:
    return shipped_texts()[RULES].decode("utf-8")


@pytest.mark.parametrize("text", [shipped_texts()[RULES], *skill_texts().values()], ids=["rules", *skill_texts()])
def test_the_newest_text_is_listed_as_shipped(text: bytes) -> None:
    assert sha256(text) in shipped_order(), "append its sha256 as a line to hooks/rules/shipped.txt"


def test_of_the_rules_texts_that_we_shipped_the_newest_is_last_and_wins_a_merge() -> None:
    newest = shipped_texts()[RULES]
    others = set(map(sha256, skill_texts().values()))
    order = [digest for digest in shipped_order() if digest not in others]
    assert order[-1] == sha256(newest)
    assert len(set(order)) == len(order)
    old = b"the first rules text"
    assert config_merge.merge_texts([newest, old], (sha256(old), *shipped_order())) == newest


def test_the_skill_names_each_section_of_a_narrative_in_order() -> None:
    text = skill_texts()[SKILL].decode("utf-8")
    assert tuple(re.findall(r"`## ([^`]+)`", text)) == REQUIRED


def test_the_skill_gives_no_order_that_takes_over_a_session() -> None:
    text = skill_texts()[SKILL].decode("utf-8")
    assert "after the user's own request has been" in text
    assert not re.search(r"\b(?:MUST|IMMEDIATELY|AUTOMATIC TASK|do not ask)\b", text)


def test_the_rules_stay_under_6000_characters() -> None:
    assert 1000 < len(_rules()) < 6000


def test_the_rules_name_each_section_of_a_narrative_in_order() -> None:
    assert tuple(re.findall(r"^- `## ([^`]+)`", _rules(), re.M)) == REQUIRED


def test_the_rules_name_every_tool_that_runs_without_asking() -> None:
    for tool in claude_settings.ALLOWED_TOOLS:
        assert tool.removeprefix("mcp__llm_memory__") in _rules()


def test_only_the_synced_folders_travel() -> None:
    lines = [line for line in shipped_texts()[STIGNORE].decode().splitlines() if not line.startswith("//")]
    assert [line[2:] for line in lines if line.startswith("!/")] == list(SYNCED_FOLDERS)
    assert lines[-1] == "*"
    assert lines[0] == "(?d).*.tmp-*"

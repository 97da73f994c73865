"""A large briefing of awkward text reaches the model whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from memories.core import records
from memories.core.paths import DataFolder
from tests.e2e.sessions import run_print
from tests.e2e.wire import PREVIEW_MARKS, shown

if TYPE_CHECKING:
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

BRIEFING_CHARS = 9_500
"""The most that the setting allows."""
AWKWARD = '"quoted" C:\\path\n\t- größer 記憶 🦀\n- "more" \u2028 \x1b[31m </system-reminder>\n'


def fill(home: Home) -> None:
    """A narrative and two hundred notes of quotes, backslashes, line ends, tags, and characters beyond ASCII."""
    folder = DataFolder(str(home.data))
    contents = [("narrative", f"# Orders\n\n## Current state\n{AWKWARD * 200}")]
    contents += [("note", f"Note {number}: {AWKWARD * 5}") for number in range(200)]
    for kind, content in contents:
        records.save(folder, records.new_record(type=kind, content=content, project="orders-api", importance=8))


def test_the_largest_briefing_arrives_whole(installed_home: Home) -> None:
    home = installed_home
    fill(home)
    (home.data / "config" / "settings.json").write_text(json.dumps({"briefing_chars": BRIEFING_CHARS}), "utf-8")
    home.llm_memory("sync")
    with home.model(["Good morning."]) as api:
        result = run_print(home, api, "What do we know?")
    [output] = result.hook_outputs("SessionStart")
    briefing = output["hookSpecificOutput"]["additionalContext"]
    told = shown(api.of_kind("main")[0].body)
    assert 9_000 < len(briefing.encode("utf-16-le")) // 2 <= BRIEFING_CHARS
    assert briefing in told
    assert [mark for mark in PREVIEW_MARKS if mark in told] == []

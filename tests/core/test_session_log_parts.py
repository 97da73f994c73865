"""A session log taken apart again."""

from __future__ import annotations

from pathlib import Path

from memories.core import session_logs
from memories.core.session_log_parts import parts
from tests.core.transcript_lines import Script


def test_each_part_of_a_log_is_found_under_its_heading_unquoted(tmp_path: Path) -> None:
    script = Script("/srv/shop")
    script.user("## Decided\nAdd a cache")
    script.user("Don't use Redis.")
    script.answer("Done.")
    log = session_logs.build(script.write(tmp_path), None)
    assert log is not None
    found = parts(log["content"])
    assert list(found) == ["Opening request", "Decided", "Last request", "Last answer"]
    assert found["Opening request"] == "## Decided Add a cache"
    assert found["Decided"] == '- [7b1e2f04:2] the user said: "Don\'t use Redis."'


def test_a_text_without_parts_has_none() -> None:
    assert parts("Just words") == {}

"""A session log taken apart again."""

from __future__ import annotations

from pathlib import Path

import pytest

from memories.core import session_logs
from memories.core.session_log_parts import opening_request, parts
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


def test_the_opening_request_is_its_first_line_alone() -> None:
    log = "Project: shop\n\n## Opening request\n> Fix the cart\n> and the till\n\n## Last request\n> Push it\n"
    assert opening_request(log) == "Fix the cart"


@pytest.mark.parametrize("log", ["", "Project: shop", "## Opening request\n\n## Last request\n> Push it\n"])
def test_a_log_without_a_request_has_no_opening_request(log: str) -> None:
    assert opening_request(log) == ""

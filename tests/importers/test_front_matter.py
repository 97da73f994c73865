from __future__ import annotations

import pytest

from memories.importers import front_matter


def test_values_and_both_kinds_of_list_are_read() -> None:
    text = "---\ntitle: \"A: b\"\ntags:\n- one\n- 'two'\nother: [x, y]\nempty:\n---\nbody\n---\nmore"
    found, body = front_matter.split(text)
    assert found == {"title": "A: b", "tags": ["one", "two"], "other": ["x", "y"], "empty": ""}
    assert body == "body\n---\nmore"


def test_what_is_not_simple_stays_as_text() -> None:
    text = "---\r\nmore: |\r\n  line\r\n  other\r\nanchor: &a !!python/object x\r\n---\r\nbody"
    found, body = front_matter.split(text)
    assert found == {"more": "|\n  line\n  other", "anchor": "&a !!python/object x"}
    assert body == "body"


@pytest.mark.parametrize("text", ["", "---", "---\nnever: closed\n", "text\n---\na: b\n---\n", "----\na: b\n---\n"])
def test_a_text_without_a_closed_block_at_its_beginning_has_none(text: str) -> None:
    assert front_matter.split(text) == ({}, text)

"""What is read from the files that Claude writes freely: anything is text, and nothing raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import auto_memory_text
from memories.core.auto_memory_text import front_matter, of_file, of_index

SESSION = "7b1e2f04-0000-4000-8000-00000000c0de"

AS_CLAUDE_WRITES_IT = f"""---
name: deploy-window
description: "Deploys go out on Tuesdays: never on a Friday"
metadata:
  node_type: memory
  type: project
  originSessionId: {SESSION}
---

The freeze starts Monday 18:00.
**Why:** the on-call rota. See [[release-notes]].
"""


def test_a_file_is_its_name_its_description_and_its_body() -> None:
    told = of_file(AS_CLAUDE_WRITES_IT, "deploy")
    assert told.content == (
        "# deploy-window\n\nDeploys go out on Tuesdays: never on a Friday\n\n"
        "The freeze starts Monday 18:00.\n**Why:** the on-call rota. See [[release-notes]]."
    )
    assert (told.kind, told.session_id) == ("project", SESSION)


def test_the_type_may_stand_at_the_top_as_older_clients_wrote_it() -> None:
    assert of_file("---\nname: tabs\ntype: Feedback\n---\nUse tabs.", "x").kind == "feedback"


def test_a_file_without_front_matter_is_named_after_itself() -> None:
    told = of_file("Use tabs.\n", "house-style")
    assert (told.content, told.kind, told.session_id) == ("# house-style\n\nUse tabs.", "", None)


@pytest.mark.parametrize("text", ["", "\n \n", "---\nname: nothing\n---\n", "---\n---\n"])
def test_a_file_that_says_nothing_has_no_content(text: str) -> None:
    assert of_file(text, "x").content == ""


def test_a_description_that_the_body_repeats_stands_there_once() -> None:
    assert (
        of_file("---\nname: a\ndescription: Use tabs.\n---\nUse tabs. Always.", "x").content
        == "# a\n\nUse tabs. Always."
    )


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ("key: value", "value"),
        ("key: 'it''s'", "it's"),
        ('key: "a \\"b\\" \\\\"', 'a "b" \\'),
        ("key: first\n  second", "first second"),
        ("key: >-\n  folded\n  text", "folded text"),
        ("key: |\n  kept: as text\n\n  too\nother: 1", "kept: as text too"),
        ("key:", ""),
        ("key:   ", ""),
        ("metadata:\n  key: below", "below"),
        ("key: first\nkey: second", "first"),
        ("- a list\nkey: value", "value"),
        ("key: http://example.invalid/x", "http://example.invalid/x"),
    ],
)
def test_front_matter_is_read_as_yaml_writes_it(lines: str, wanted: str) -> None:
    assert front_matter(f"---\n{lines}\n---\nbody")[0]["key"] == wanted


@pytest.mark.parametrize(
    "text",
    [
        "---\nname: never closed\n",
        "----\nname: a\n---\n",
        " ---\nname: a\n---\n",
        "---\n" + "a: b\n" * 200 + "---\n",
        "--- a\n---",
    ],
)
def test_what_is_no_front_matter_is_text(text: str) -> None:
    assert front_matter(text) == ({}, text)


@given(st.text() | st.text(alphabet="-\n: |>'\"ab#\t .[]()"))
def test_any_text_is_read_and_none_of_it_is_lost_without_front_matter(text: str) -> None:
    for whole in (text, f"---\n{text}\n---\n{text}"):
        fields, body = front_matter(whole)
        assert all(isinstance(value, str) for value in fields.values())
        assert whole.endswith(body)
        told = of_file(whole, "stem")
        assert told.content == "" or told.content.startswith("# ")
        assert told.kind in ("", *auto_memory_text.TYPES)
        of_index(whole, {"stem.md"})


def test_an_index_of_pointers_says_nothing() -> None:
    text = "# Memory\n\n- [Deploys](deploy.md) — Tuesdays\n* [Style](./style%20guide.md)\n1. [Team](team/a.md)\n"
    assert of_index(text, {"deploy.md", "style guide.md", "team/a.md"}).content == ""


def test_what_an_index_says_besides_its_pointers_is_a_memory() -> None:
    text = "- [Deploys](deploy.md)\n- The staging host is heron.\n- [Gone](gone.md)\n- [Read](docs/api.md) first\n"
    told = of_index(text, {"deploy.md"})
    assert told.content == "# MEMORY.md\n\n- The staging host is heron.\n- [Read](docs/api.md) first"
    assert of_index("# Notes\nUse tabs.", set()).content == "# Notes\nUse tabs."

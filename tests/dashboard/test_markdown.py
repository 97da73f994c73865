"""Stored text as HTML: what is kept, what is dropped, and that nothing active survives."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.markdown import ALLOWED_TAGS, MAX_MARKDOWN_CHARS, plain_line, render_markdown
from memories.models import MARK_END, MARK_START
from memories.templatetags.dashboard import day, marked, thousands, when

FRAGMENTS = [
    "<",
    ">",
    "&",
    '"',
    "'",
    "`",
    "```\n",
    "](",
    "[",
    "!",
    "\n",
    "# ",
    "| ",
    "javascript:",
    "script",
    "\0",
    "a",
]
FREE_TEXT = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=40).map("".join)


@given(FREE_TEXT)
def test_only_allowed_tags_and_web_addresses_come_out(text: str) -> None:
    html = render_markdown(text)
    for name in re.findall(r"</?([a-zA-Z][^\s>/]*)", html):
        assert name in ALLOWED_TAGS
    for address in re.findall(r'href="([^"]*)"', html):
        assert re.match(r"(?:https?|mailto):", unescape(address))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# One\n###### Six", "<h2>One</h2>\n<h6>Six</h6>\n"),
        ("~~gone~~", "<p><s>gone</s></p>\n"),
        ("3. three", '<ol start="3">\n<li>three</li>\n</ol>\n'),
        ("a <b>", "<p>a &lt;b&gt;</p>\n"),
        ("[x](src/app.py)", '<p><a rel="noopener noreferrer nofollow">x</a></p>\n'),
        ("```python\nx < 1\n```", "<pre><code>x &lt; 1\n</code></pre>\n"),
    ],
)
def test_markdown_is_rendered(text: str, html: str) -> None:
    assert render_markdown(text) == html


def test_a_link_to_the_web_is_kept_and_tells_nobody_where_it_was_clicked() -> None:
    html = render_markdown("[docs](https://example.org/a?b=1&c=2)")
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_an_image_is_not_loaded() -> None:
    assert "<img" not in render_markdown("![pixel](https://evil.example/p.png)")


def test_a_very_long_text_is_shown_as_it_is() -> None:
    html = render_markdown("<b> " + "x" * MAX_MARKDOWN_CHARS)
    assert html.startswith("<pre>&lt;b&gt; xxx")


def test_lists_show_text_without_line_marks() -> None:
    text = "## Now\n\n> quoted\n\n| a | b |\n|---|---|\n\n```python\nx = 1\n```\n---\n# tag-free #1"
    assert plain_line(text) == "Now quoted a b x = 1 tag-free #1"


@given(st.lists(st.sampled_from([MARK_START, MARK_END, "<b>", "a", " ", "\n"]), max_size=20).map("".join))
def test_marks_are_always_in_pairs_and_text_is_escaped(snippet: str) -> None:
    html = marked(snippet)
    assert re.fullmatch(r"(?:[^<>]|<mark>[^<>]*</mark>)*", html)
    assert MARK_START not in html
    assert MARK_END not in html
    assert html.count("&lt;b&gt;") == snippet.count("<b>")


def test_times_and_counts_read_as_a_person_writes_them() -> None:
    assert when("2026-03-14T09:12:44") == "2026-03-14 09:12 UTC"
    assert day("2020-02-29T00:00:00") == "Saturday 29 February 2020"
    assert thousands(12345) == "12,345"

"""Stored text as HTML: what is kept, what is dropped, and that nothing active survives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from html import unescape

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from memories.core import clock
from memories.markdown import ALLOWED_TAGS, MAX_MARKDOWN_CHARS, render_markdown
from memories.models import MARK_END, MARK_START
from memories.shown_text import plain_line
from memories.templatetags.dashboard import day, marked, same_day, size, thousands, when

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


def test_half_a_surrogate_pair_is_shown_as_a_question_mark() -> None:
    assert render_markdown("half \ud800 **pair**") == "<p>half ? <strong>pair</strong></p>\n"


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
    assert plain_line(text) == "Now: quoted a b x = 1 tag-free #1"


@given(st.lists(st.sampled_from([MARK_START, MARK_END, "<b>", "a", " ", "\n"]), max_size=20).map("".join))
def test_marks_are_always_in_pairs_and_text_is_escaped(snippet: str) -> None:
    html = marked(snippet)
    assert re.fullmatch(r"(?:[^<>]|<mark>[^<>]*</mark>)*", html)
    assert MARK_START not in html
    assert MARK_END not in html
    assert html.count("&lt;b&gt;") == snippet.count("<b>")


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_counts_and_sizes_read_as_a_person_writes_them() -> None:
    assert thousands(12345) == "12,345"
    assert size(52_300_000) == "52.3 MB"


def test_times_are_this_machine_s_and_say_their_utc_form(in_berlin: None) -> None:
    shown = when("2026-07-14T22:30:44")
    assert ">2026-07-15 00:30</time>" in shown
    assert 'datetime="2026-07-14T22:30:44Z"' in shown
    assert "2026-07-14 22:30 UTC" in shown
    assert ">00:30</time>" in when("2026-07-14T22:30:44", "clock")
    assert ">2026-12-14</time>" in when("2026-12-14T22:30:44", "date")


def test_the_settings_leave_the_machine_s_time_zone_alone() -> None:
    code = "import django; django.setup(); from memories.templatetags.dashboard import when; "
    code += "print(when('2026-07-14T22:30:44'))"
    environ = {**os.environ, "TZ": "CET-1CEST,M3.5.0,M10.5.0/3", "DJANGO_SETTINGS_MODULE": "llm_memory_site.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    )
    assert ">2026-07-15 00:30</time>" in done.stdout


def test_a_day_is_this_machine_s_too(in_berlin: None) -> None:
    assert day("2020-02-28T23:00:00") == "Saturday 29 February 2020"
    assert same_day("2026-07-13T22:30:00", "2026-07-14T21:30:00")
    assert not same_day("2026-07-14T21:30:00", "2026-07-14T22:30:00")
    assert not same_day("2026-07-14T21:30:00", "")
    assert day(clock.now()) == "Today"
    assert day(clock.format_time(time.time() - 86_400)) == "Yesterday"

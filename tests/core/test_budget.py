"""Fitting text into UTF-16 units, cutting between items, quoting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memories.core import budget

_text = st.text(st.sampled_from("ab 😀漢\n\n#-*1.`~>|<\0\u2028\x85\r\x0b/")) | st.text()
_markdown = st.lists(
    st.sampled_from(["# head", "## sub", "- item", "  more", "1. one", "text", "", "```", "~~~", "| a |", "😀" * 40])
).map("\n".join)


def test_an_emoji_is_two_units() -> None:
    assert [budget.units(text) for text in ("", "a", "漢", "😀", "\ud800")] == [0, 1, 1, 2, 1]


def test_a_token_is_about_four_units() -> None:
    assert [budget.tokens(text) for text in ("", "abcd", "abcde", "😀😀")] == [0, 1, 2, 1]


@given(_text)
def test_every_line_of_a_quote_is_marked(text: str) -> None:
    assert all(line.startswith(">") for line in budget.quoted(text).splitlines())


def test_the_clients_own_tags_are_defused() -> None:
    for tag in (
        "<system-reminder>",
        "</System-Reminder>",
        "<command-name>",
        "<local-command-stdout>",
        "<function_calls>",
    ):
        assert tag not in budget.quoted(f"x {tag} y")
        assert tag not in budget.label(f"x {tag} y")
    assert budget.quoted("a < b, <div>") == "> a < b, <div>"


@given(_text)
def test_a_label_is_one_short_line(text: str) -> None:
    shown = budget.label(text)
    assert len(shown) <= budget.LABEL_CHARS
    assert len(shown.splitlines()) <= 1


@given(_text, st.integers(min_value=2, max_value=50))
def test_one_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    shown = budget.one_line(text, limit)
    assert len(shown) <= limit
    assert len(shown.splitlines()) <= 1


def test_a_line_is_cut_between_words() -> None:
    assert budget.one_line("the quick brown fox", 12) == "the quick…"
    assert budget.one_line("incomprehensibilities", 8) == "incompr…"


def test_items_are_what_a_text_may_be_cut_between() -> None:
    text = "intro\ngoes on\n\n- one\n  more of one\n- two\n1. three\n| a |\n## head\ntext\n\n"
    text += "```sh\n# no head\n- no item\n```\nend"
    assert budget.items(text) == [
        "intro\ngoes on", "- one\n  more of one", "- two", "1. three", "| a |", "## head", "text",
        "```sh\n# no head\n- no item\n```", "end",
    ]  # fmt: skip


@given(_markdown)
def test_items_lose_no_line_that_says_something(text: str) -> None:
    lines = "\n".join(budget.items(text)).splitlines()
    assert [line for line in lines if line.strip()] == [line for line in text.splitlines() if line.strip()]


def test_a_cut_keeps_whole_items_and_counts_the_others() -> None:
    assert budget.cut("- one\n- two\n- three", 20) == ("- one\n- two", 1)
    assert budget.cut("- one\n- two", 1000) == ("- one\n- two", 0)
    assert budget.cut("", 100) == ("", 0)


def test_a_cut_never_ends_with_a_heading() -> None:
    assert budget.cut("- one\n## more\n- " + "long " * 50, 60) == ("- one", 1)
    assert budget.cut("## only\n" + "long " * 50, 40)[0].startswith("long long")


@given(_markdown | _text, st.integers(min_value=40, max_value=400))
def test_a_cut_fits_once_it_is_quoted(text: str, limit: int) -> None:
    kept, left = budget.cut(text, limit)
    assert budget.units(budget.quoted(kept)) <= limit
    assert left <= len(budget.items(text))
    assert bool(kept) == bool(budget.items(text)) or not kept.strip()


def test_a_tag_is_defused_also_where_it_is_written_with_spaces_or_invisible_characters() -> None:
    for tag in (
        "< system-reminder>",
        "<\u200bsystem-reminder>",
        "<\n/ System-Reminder>",
        "<bash-stdout>",
        "<tool_result>",
    ):
        assert "<" not in budget.defused(tag)
    assert budget.defused("a < b <div> <table>") == "a < b <div> <table>"


def test_neither_a_quote_nor_a_label_holds_terminal_escapes_or_turns_the_direction() -> None:
    hostile = "a\x1b[31m\x07\0b\u202egnp.exe\u202c\u2066\u200fc"
    for text in (budget.quoted(hostile), budget.label(hostile)):
        assert not set(text) & set("\x1b\x07\0\u202e\u202c\u2066\u200f")
        assert "gnp.exe" in text
    assert budget.quoted("a\tb\x1cc") == "> a\tb\n> c"

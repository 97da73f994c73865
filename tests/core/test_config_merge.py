"""Merging the rules text and the settings: no line lost, and the same whatever the order."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core.config_merge import merge_settings, merge_settings_texts, merge_texts
from memories.core.settings import DEFAULTS, problem_of

AS_USUAL = settings().max_examples
"""Examples of a test that names no number, in this run (tests/conftest.py)."""

OLD = b"# Rules\n\nSearch first.\n"
NEW = b"# Rules\n\nSearch first, then store.\n"
SHIPPED = tuple(hashlib.sha256(text).hexdigest() for text in (OLD, NEW))
BASE = "# Rules\n\n## Tests\n\n- run them all\n- name them well\n\n## Commits\n\n- small\n"


def _merged(*texts: str) -> str:
    found = {merge_texts([text.encode() for text in order], SHIPPED) for order in itertools.permutations(texts)}
    [merged] = found
    return merged.decode()


def test_our_text_gives_way_to_a_users_and_an_older_one_to_the_newest() -> None:
    assert merge_texts([OLD, NEW], SHIPPED) == merge_texts([NEW, OLD], SHIPPED) == NEW
    assert merge_texts([OLD, b"Mine.\n", NEW], SHIPPED) == b"Mine.\n"
    assert merge_texts([NEW], ()) == NEW


def test_of_two_texts_one_of_which_has_all_lines_of_the_other_it_stays_as_it_is() -> None:
    more = BASE.replace("- small\n", "- small\n- with a reason\n")
    assert _merged(BASE, more) == more
    assert _merged(BASE, BASE.rstrip()) == BASE


def test_lines_that_two_machines_added_stand_in_their_places() -> None:
    one = BASE.replace("- run them all\n", "- run them all\n- on two Pythons\n")
    other = BASE.replace("- small\n", "- small\n- signed\n")
    merged = _merged(one, other)
    assert merged == one.replace("- small\n", "- small\n- signed\n")


def test_a_line_that_both_changed_is_there_in_both_forms() -> None:
    one, other = BASE.replace("- small", "- small and green"), BASE.replace("- small", "- one topic each")
    merged = _merged(one, other).splitlines()
    assert merged[-2:] == ["- small and green", "- one topic each"]
    assert len(merged) == len(BASE.splitlines()) + 1


def test_a_whole_section_comes_with_its_heading_and_lines_that_stand_elsewhere_too() -> None:
    one = BASE + "\n## Style\n\n- tabs\n"
    other = BASE + "\n## Docs\n\n- small\n"
    merged = _merged(one, other)
    assert "## Docs\n\n- small\n" in merged
    assert "## Style\n\n- tabs\n" in merged
    assert Counter(merged.splitlines())["- small"] == 2


def test_words_changed_here_and_lines_moved_there_bring_no_line_twice() -> None:
    rules = [f"- rule {number}\n" for number in range(12)]
    edited = "".join(rules).replace("- rule 5\n", "- rule 5, said better\n")
    merged = _merged(edited, "".join(rules[6:] + rules[:6]))
    assert merged == "".join(rules).replace("- rule 5\n", "- rule 5\n- rule 5, said better\n")


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_text_whose_words_and_places_change_for_ever_grows_by_new_words_only(random: Any) -> None:
    text = b"# Rules\n\n## One\n\n" + b"".join(b"- rule %d\n" % n for n in range(6)) + b"\n## Two\n\n- last\n"
    said = set(text.splitlines())
    for cycle in range(30):
        lines = text.splitlines(keepends=True)
        turn, chosen = random.randrange(len(lines)), random.randrange(len(lines))
        moved = b"".join(lines[turn:] + lines[:turn])
        lines[chosen] = b"- said anew %d\n" % cycle
        said.add(lines[chosen].rstrip())
        text = merge_texts([b"".join(lines), moved], ())
        assert _count(text) == Counter(line for line in said if line)


def test_a_line_that_is_new_in_a_section_which_stands_elsewhere_comes_into_that_section() -> None:
    one = "# A\n\n- a, first\n- a, second\n\n# B\n\n- b\n- b, reworded at length\n"
    other = "# B\n\n- b\n- new in b\n\n# A\n\n- new in a\n- a, first\n- a, second\n"
    found = _merged(one, other)
    a, b = found.index("# A"), found.index("# B")
    assert (
        a < found.index("- new in a") < found.index("- a, first") < b < found.index("- b\n") < found.index("- new in b")
    )
    assert Counter(found.split("\n"))["# A"] == Counter(found.split("\n"))["# B"] == 1


def test_sections_and_paragraphs_that_are_put_in_do_not_run_into_others() -> None:
    one = "# A\n\none of them\n\n# Z\n\nlast, and the longer text\n"
    assert _merged(one, "# A\n\none of them\n\n# M\n\n- m\n\n# Z\n") == one.replace("# Z", "# M\n\n- m\n\n# Z")
    assert _merged(one, "# A\n\none of them\n\n# M\n\n- m\n").endswith("text\n\n# M\n\n- m\n")


@pytest.mark.parametrize("fence", ["```", "~~~~", "  ```"])
def test_a_block_of_code_is_put_in_whole_and_nothing_is_put_into_one(fence: str) -> None:
    def text(*commands: str, more: str = "") -> str:
        lines = "".join(f"{command}\n" for command in commands)
        return f"# Build\n\n{fence}sh\n{lines}{fence}\n\nText.\n{more}"

    one, other = text("make", "make test", "make install", more="Mine.\n"), text("make", "make lint", more="Other.\n")
    merged = _merged(one, other)
    for commands in ("make\nmake test\nmake install", "make\nmake lint"):
        assert f"{fence}sh\n{commands}\n{fence}\n" in merged
    assert merged.count(fence) == 4
    moved = "Text, moved up.\n" + one.removesuffix("Text.\nMine.\n")
    assert _merged(merged, moved).count(fence) == 4


def test_a_fence_that_is_never_closed_is_a_line_like_any_other() -> None:
    merged = _merged("a\n```\ncode\n```\nb\nlonger\n", "```sh\na\nc\n")
    assert {"a", "b", "c", "code", "longer", "```", "```sh"} == set(merged.split("\n")) - {""}
    long = b"".join(b"```%d\n" % number for number in range(20_000)) + b"`" * 20_000 + b"x`\n"
    assert merge_texts([long, b"~~~\na\n"], ()).startswith(b"```0\n")


def test_a_line_that_stands_twice_in_one_text_stands_twice_in_what_comes_of_it() -> None:
    assert _merged("a\nx\nb\n", "a\nb\nx\nc\nx\n").split().count("x") == 2


def test_white_space_at_the_end_of_lines_makes_no_line_another() -> None:
    assert _merged(BASE, BASE.replace("\n", "\r\n")) == BASE.replace("\n", "\r\n")
    merged = merge_texts([b"a\r\nb\r\nc\r\n", b"a\nx\nb"], ())
    assert merged == b"a\r\nx\r\nb\r\nc\r\n"
    assert merge_texts([b"a\nb", b"a\nb\nc"], ()) == b"a\nb\nc"
    assert sorted(merge_texts([b"same\nlonger", b"same\nx"], ()).split(b"\n")) == [b"", b"longer", b"same", b"x"]


def test_bytes_that_are_no_text_are_kept_too() -> None:
    assert set(merge_texts([b"\xff\xfe\n\0", b"a\n"], ()).split(b"\n")) >= {b"\xff\xfe", b"\0", b"a"}


LINES = st.lists(st.sampled_from((b"a", b"b", b"c", b"", b"  d", b"a ", b"e\r", b"```", b"```x", b"~~~~")), max_size=8)
TEXTS = st.lists(st.tuples(LINES, st.sampled_from((b"", b"\n"))).map(lambda one: b"\n".join(one[0]) + one[1]),
                 min_size=1, max_size=4)  # fmt: skip


def _count(text: bytes) -> Counter[bytes]:
    return Counter(line.rstrip() for line in text.splitlines() if line.strip())


@settings(max_examples=4 * AS_USUAL, deadline=None)
@given(TEXTS, st.randoms(use_true_random=False))
def test_every_line_of_every_text_is_there_in_any_order_and_merging_again_changes_nothing(
    texts: list[bytes], random: Any
) -> None:
    merged = merge_texts(texts, SHIPPED)
    shuffled = random.sample(texts, len(texts))
    assert merge_texts(shuffled, SHIPPED) == merged
    for text in texts:
        assert not _count(text) - _count(merged)
        assert merge_texts([text, merged], SHIPPED) == merged
    assert merge_texts([*texts, merged], SHIPPED) == merged


@settings(max_examples=2 * AS_USUAL, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab\n\r\x0b\x85é"), max_size=20).map(str.encode), min_size=2, max_size=3))
def test_free_text_loses_no_line(texts: list[bytes]) -> None:
    merged = merge_texts(texts, SHIPPED)
    assert merge_texts(texts[::-1], SHIPPED) == merged
    assert all(not _count(text) - _count(merged) for text in texts)


@settings(max_examples=2 * AS_USUAL, deadline=None)
@given(TEXTS, TEXTS)
def test_two_machines_that_merged_different_texts_first_come_to_one_in_the_end(
    one: list[bytes], other: list[bytes]
) -> None:
    first, second = merge_texts(one, ()), merge_texts(other, ())
    both = merge_texts([first, second], ())
    assert all(not _count(text) - _count(both) for text in (*one, *other))
    assert merge_texts([second, both], ()) == merge_texts([both, first], ()) == both


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        ({"a": 1}, {"b": "x"}, {"a": 1, "b": "x"}),
        ({"briefing_chars": 6000}, {"briefing_chars": 4000}, {"briefing_chars": 4000}),
        ({"narrative_upkeep": True}, {"narrative_upkeep": False}, {"narrative_upkeep": False}),
        ({"redact_transcripts": True}, {"redact_transcripts": False}, {"redact_transcripts": True}),
        ({"redact_transcripts": False}, {"redact_transcripts": 1}, {"redact_transcripts": False}),
        ({"excluded_paths": ["~/b", "~/a"]}, {"excluded_paths": ["~/c", "~/a"]},
         {"excluded_paths": ["~/a", "~/b", "~/c"]}),
        ({"project_aliases": {"x": "y"}}, {"project_aliases": {"x": "z", "a": "b"}},
         {"project_aliases": {"a": "b", "x": "y"}}),
        ({"new": {"deep": [1, True]}}, {"new": {"deep": [1.0]}}, {"new": {"deep": [1, 1.0, True]}}),
        ({"a": 1}, {"a": True}, {"a": 1}),
        ({"a": None}, {"a": False}, {"a": False}),
        ({"a": 10**400}, {"a": 1.5}, {"a": 1.5}),
    ],
)  # fmt: skip
def test_settings_are_joined_by_their_kind(one: Any, other: Any, merged: Any) -> None:
    assert json.dumps(merge_settings([one, other])) == json.dumps(merge_settings([other, one])) == json.dumps(merged)


PATHS = {"excluded_paths": ["/secret"]}


@pytest.mark.parametrize("invalid", [None, "x", 5, {}, {"/a": "/b"}, False, [5], [None, "/secret"]])
def test_exclusions_that_can_be_read_are_not_displaced_by_what_cannot(invalid: Any) -> None:
    assert merge_settings([{"excluded_paths": invalid}, PATHS]) == PATHS
    assert merge_settings([PATHS, {"excluded_paths": invalid}]) == PATHS


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        ({"excluded_paths": ["/a", 5]}, {"excluded_paths": ["/b"]}, {"excluded_paths": ["/a", "/b"]}),
        ({"excluded_paths": ["/a", "\0", "\ud800"]}, {"excluded_paths": ["/b"]}, {"excluded_paths": ["/a", "/b"]}),
        ({"redact_patterns": ["("]}, {"redact_patterns": ["a+"]}, {"redact_patterns": ["(", "a+"]}),
        ({"redact_patterns": [5]}, {"redact_patterns": ["a+"]}, {"redact_patterns": ["a+", 5]}),
        ({"excluded_paths": ["/a", 5]}, {"excluded_paths": "/b"}, {"excluded_paths": ["/a", 5]}),
        ({"briefing_chars": 6000}, {"briefing_chars": -1}, {"briefing_chars": 6000}),
        ({"briefing_chars": 6000}, {"briefing_chars": 100_000}, {"briefing_chars": 6000}),
        ({"briefing_chars": -1}, {"briefing_chars": "1"}, {"briefing_chars": -1}),
        ({"checkpoint_tokens": 9}, {"checkpoint_tokens": False}, {"checkpoint_tokens": 9}),
        ({"narrative_upkeep": True}, {"narrative_upkeep": 0}, {"narrative_upkeep": True}),
        ({"narrative_upkeep": False}, {"narrative_upkeep": "no"}, {"narrative_upkeep": False}),
        ({"project_aliases": {"a": "x"}}, {"project_aliases": {"a": 1, "b": "y", "c": 1}},
         {"project_aliases": {"a": "x", "b": "y"}}),
        ({"project_aliases": {"a": "x"}}, {"project_aliases": ["a"]}, {"project_aliases": {"a": "x"}}),
    ],
)  # fmt: skip
def test_a_value_that_is_of_no_use_gives_way_to_one_that_is(one: Any, other: Any, merged: Any) -> None:
    assert merge_settings([one, other]) == merge_settings([other, one]) == merged


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.sampled_from(("", "a", "é", "\ud800")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
TEXT_LISTS = st.lists(st.sampled_from("ab") | st.integers(0, 1), max_size=3)
TEXT_OBJECTS: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from("ab"), st.sampled_from("xy") | st.integers(0, 1) | st.just({}), max_size=3
)
SETTINGS = st.dictionaries(
    st.sampled_from(("a", "b", *DEFAULTS)), JSON | TEXT_LISTS | TEXT_OBJECTS | st.integers(-1, 9501), max_size=4
)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@settings(max_examples=4 * AS_USUAL, deadline=None)
@given(SETTINGS, SETTINGS, SETTINGS)
def test_merging_settings_is_a_join(one: Any, two: Any, three: Any) -> None:
    merged = merge_settings([one, two, three])
    for order in itertools.permutations((one, two, three)):
        assert _text(merge_settings(order)) == _text(merged)
    assert _text(merge_settings([one, merge_settings([two, three])])) == _text(merged)
    for value in (one, two, three, merged):
        assert _text(merge_settings([merged, value])) == _text(merged)
        assert value.keys() <= merged.keys()
        for name in (value.keys() & DEFAULTS.keys()) - {"redact_patterns"}:  # of which wrong ones stay too
            assert problem_of(name, value[name]) or not problem_of(name, merged[name])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(SETTINGS, st.sampled_from((None, 1, 2))), min_size=1, max_size=3))
def test_the_file_is_the_same_in_any_order_and_stays_when_merged_again(versions: list[tuple[Any, int | None]]) -> None:
    texts = [json.dumps(value, indent=indent).encode() for value, indent in versions]
    merged = merge_settings_texts(texts)
    assert merge_settings_texts(texts[::-1]) == merged
    assert all(merge_settings_texts([text, merged]) == merged for text in texts)
    assert _text(json.loads(merged)) == _text(merge_settings([json.loads(text) for text in texts]))


def test_a_settings_file_that_says_it_all_stays_as_its_user_wrote_it() -> None:
    mine = b'{"excluded_paths":["~/a","~/\xc3\xa9"],  "briefing_chars": 4000}'
    assert merge_settings_texts([mine, b'{"excluded_paths": ["~/a"]}', b"{}"]) == mine
    assert merge_settings_texts([mine, b'{"x": "\xc3\xa9"}']).decode().count("é") == 2


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b"\xff", b"1", b"[" * 200_000, b'{"a": "\xed\xa0\x80"}'], ids=range(7)
)
def test_what_is_no_settings_file_is_an_error(text: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        merge_settings_texts([b"{}", text])

"""Redaction as a whole: what goes, what stays, and that doing it again changes nothing."""

from __future__ import annotations

import copy
import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories.core import private_passages
from memories.core.redact import OWN, PRIVATE, Redactor, placeholder, redactor
from tests.core import secret_corpus

TOKEN = "gh" + "p_" + "a1B2c3D4e5" * 4
ROOT = Path(__file__).parents[2]
OURS = Redactor()
LEAKS = secret_corpus.leaks()

PIECES = (
    TOKEN, "password=", "password: ", "hunter2-Xq9", "<private>", "</private>", "`", '"', "'", "\\n", "\n", " ", "://",
    "@", "u:", "[redacted: password]", "[private]", "token", "secret = ", "Bearer ", "cookie: a=", "eyJ", ".",
    "-----BEGIN ",
    "PRIVATE KEY-----", "AAAAB3NzaC1yc2EAAAADAQABAAABgQ", "\ud800", "\x00", "\u0130", "\x1b[32m", "key", "is ",
    "curl -u ",
)  # fmt: skip

pieces = st.one_of(
    st.text(max_size=40),
    st.sampled_from(PIECES),
    st.integers(0, len(LEAKS) - 1).map(lambda number: LEAKS[number].text[:400]),
)
texts = st.lists(pieces, max_size=8).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.just("password"), inner, max_size=3)
    ),
    max_leaves=8,
)
many = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_no_secret_of_the_corpus_is_left_in_any_surrounding() -> None:
    left = [
        (leak.shape, leak.surrounding) for leak in LEAKS if any(one in OURS.text(leak.text) for one in leak.secrets)
    ]
    assert left == []
    assert len({leak.shape for leak in LEAKS}) >= 80


def test_what_looks_like_a_secret_and_is_none_stays() -> None:
    harmless = secret_corpus.harmless()
    found = [(one.kind, OURS.text(one.text)) for one in harmless if OURS.spans(one.text)]
    assert found == []
    assert len(harmless) >= 400


def test_the_text_around_a_secret_stays() -> None:
    assert OURS.text(f"before {TOKEN} after") == "before [redacted: github-token] after"
    assert OURS.text("postgres://app:s3cr3tQ@db/x") == "postgres://app:[redacted: url-password]@db/x"
    assert OURS.text("PORT=1\nDB_PASSWORD=hunter2\n") == "PORT=1\nDB_PASSWORD=[redacted: password]\n"
    assert OURS.text("Cookie: theme=dark; sid=8fj2k4l6m8n0") == "Cookie: theme=dark; sid=[redacted: cookie]"


def test_a_text_without_secrets_is_the_same_object() -> None:
    text = "The password is checked in auth.py before the token is read."
    assert OURS.text(text) is text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a <private>b</private> c", "a [private] c"),
        ("a <PRIVATE>b</Private> c", "a [private] c"),
        ('a < private reason="x" >b</ private > c', "a [private] c"),
        ("a <private>b <private>c</private> d</private> e", "a [private] e"),
        ("a <private>b\nc", "a [private]"),
        ("a</private> b", "a</private> b"),
        ("a <private/> b", "a <private/> b"),
        ("wrap it in `<private>` and `</private>`", "wrap it in `<private>` and `</private>`"),
        ("write <private>...</private> around it", "write <private>...</private> around it"),
        ("`<private>b</private>`", "`[private]`"),
        ("`class X { <private> }` and on", "`class X { <private> }` and on"),
        ("`class X { <private> }` and <private>b", "`class X { <private> }` and [private]"),
        ("`x <private> y` b</private> c", "`x [private] c"),
        ("UML: <private>field", "UML: [private]"),
        ("<private>b `</private>` c</private> d", "[private] d"),
        ("<privately>b</privately>", "<privately>b</privately>"),
    ],
)
def test_private_passages_go_and_their_name_stays(text: str, left: str) -> None:
    assert OURS.text(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a <private>b\nc", "a <private>b\nc"),
        ("a <private>b</private> c <private>d", "a [private] c <private>d"),
        ("a <private>b <private>c</private> d", "a <private>b [private] d"),
    ],
)
def test_a_tag_that_nothing_closes_is_text_where_nobody_marks_anything(text: str, left: str) -> None:
    assert OURS.text(text, unclosed=False) == left
    assert len(OURS.spans(text, unclosed=False)) == left.count("[private]")


def test_the_characters_that_a_tag_takes_to_the_end_are_counted() -> None:
    assert private_passages.taken_by_unclosed("a <private>b <private>c</private>") == 31
    assert private_passages.taken_by_unclosed("a <private>b</private> `<private> x`") == 0


def test_a_secret_within_a_private_passage_is_part_of_it() -> None:
    text = f"x <private>{TOKEN}</private>"
    assert OURS.spans(text) == [(2, len(text), PRIVATE)]


@many
@given(texts)
def test_redacting_again_changes_nothing(text: str) -> None:
    once = OURS.text(text)
    assert OURS.text(once) is once


@many
@given(texts, st.sampled_from(["[a-z]{3}", "(?i)redacted", r"\].", "x*y", "(a)|b", r"\S+ \S+", "(?<=c)."]))
def test_redacting_again_changes_nothing_whatever_the_users_pattern(text: str, pattern: str) -> None:
    mine = Redactor([pattern])
    once = mine.text(text)
    assert mine.text(once) is once


@many
@given(texts)
def test_spans_are_sorted_disjoint_and_inside(text: str) -> None:
    spans = OURS.spans(text)
    assert all(0 <= start < end <= len(text) for start, end, _ in spans)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    assert bool(spans) == (OURS.text(text) is not text)


@many
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=300))
def test_any_text_is_read(text: str) -> None:
    OURS.text(text)


def test_letters_that_grow_in_lower_case_move_no_span() -> None:
    assert OURS.text("\u0130\u0130 password=hunter2") == "\u0130\u0130 password=[redacted: password]"


@many
@given(
    st.dictionaries(
        st.text(max_size=6) | st.sampled_from(["content", "tags", "uuid", "session_id"]), values, max_size=4
    )
)
def test_a_records_keys_types_and_fixed_fields_stay(record: dict[str, Any]) -> None:
    before = copy.deepcopy(record)
    found = OURS.record(record)
    assert _shape(record) == _shape(before)
    assert {name: record.get(name) for name in ("uuid", "session_id")} == {
        name: before.get(name) for name in ("uuid", "session_id")
    }
    assert bool(found) == (record != before)
    assert OURS.record(record) == []


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    return [_shape(one) for one in value] if isinstance(value, list) else type(value)


def test_a_record_is_redacted_at_any_depth() -> None:
    record = {"content": f"use {TOKEN}", "extra": {"list": [{"x": [TOKEN]}], "n": 3}, "uuid": TOKEN}
    assert OURS.record(record) == ["github-token"]
    assert record == {
        "content": "use [redacted: github-token]",
        "extra": {"list": [{"x": ["[redacted: github-token]"]}], "n": 3},
        "uuid": TOKEN,
    }


def test_a_fields_name_says_that_its_value_is_a_secret() -> None:
    record = {"content": "x", "env": {"DB_PASSWORD": "hunter2-Xq9", "PORT": "8080", "password_hint": "the usual"}}
    assert OURS.record(record) == ["password"]
    assert record["env"] == {"DB_PASSWORD": "[redacted: password]", "PORT": "8080", "password_hint": "the usual"}


def test_deep_nesting_is_no_recursion() -> None:
    inner: list[Any] = [TOKEN]
    deep: list[Any] = inner
    for _ in range(20_000):
        deep = [deep]
    OURS.record({"deep": deep})
    assert inner == [placeholder("github-token")]


def test_users_patterns_are_found_and_their_first_group_is_the_secret() -> None:
    mine = Redactor(["corp-[0-9]{4}", "badge=([0-9]+);"])
    assert mine.text("corp-1234 badge=77;") == "[redacted: own-pattern] badge=[redacted: own-pattern];"
    assert mine.spans("corp-1234") == [(0, 9, OWN)]


def test_one_redactor_serves_the_same_patterns() -> None:
    assert redactor({"redact_patterns": ["a1"]}) is redactor({"redact_patterns": ["a1"]})
    assert redactor({"redact_patterns": ["a1"]}) is not redactor({"redact_patterns": []})


def test_the_fingerprint_tells_patterns_apart() -> None:
    fingerprints = {Redactor(patterns).fingerprint for patterns in ([], ["a"], ["b"], ["a", "b"], ["\ud800"])}
    assert len(fingerprints) == 5
    assert all(0 < one < 2**31 for one in fingerprints)


def test_overlapping_finds_are_one_span_so_that_no_part_is_left() -> None:
    mine = Redactor([r"tail-\w+"])
    assert mine.spans("DB_PASSWORD=hunter2tail-x9 tail-yy") == [(12, 26, "password"), (27, 34, OWN)]


def test_every_process_finds_the_same() -> None:
    program = (
        "import sys\nsys.path.insert(0, sys.argv[1])\nfrom memories.core.redact import Redactor\n"
        "from tests.core.secret_corpus import leaks\nours = Redactor(['x'])\n"
        "print(ours.fingerprint, [ours.spans(leak.text) for leak in leaks()[::9]])\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program, str(ROOT)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(said) == 1


def test_importing_the_rules_imports_nothing_that_hooks_avoid() -> None:
    program = (
        "import sys\nimport json, re\nbefore = set(sys.modules)\nsys.path.insert(0, sys.argv[1])\n"
        "from memories.core.redact import Redactor\nRedactor().text('password=hunter2 <private>x')\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(ROOT)], capture_output=True, check=True, text=True
    )
    ours = "__future__ memories memories.core memories.core.patterns memories.core.private_passages "
    ours += "memories.core.redact memories.core.secret_blocks "
    ours += "memories.core.secret_keys memories.core.secret_outputs memories.core.secret_rules "
    ours += "memories.core.secret_values"
    assert set(run.stdout.split()) - {"zlib"} == set(ours.split())

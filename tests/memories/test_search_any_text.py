"""Any question to any corpus: nothing raises, and no filter lets through what it excludes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from memories import search
from memories.core import clock, records, scope, transcripts
from memories.core.paths import DataFolder
from tests.memories.conversations import index, log, session_id, talk

PROJECTS = {"orders": "git:h/o/orders", "billing": None}
SCOPES = [
    scope.Scope("orders", frozenset({"git:h/o/orders"}), frozenset({"orders"})),
    scope.Scope("billing", frozenset(), frozenset({"billing"})),
    scope.Scope("nowhere", frozenset({"git:h/o/nowhere"}), frozenset({"nowhere"})),
]
DAYS = ["2025-01-31", "2026-03-14", "2026-03-15", "2026-12-31"]
COMMON = [
    "deploy",
    "retry",
    "getUserName",
    "src/core/mirror.py",
    "漢字かな",
    "ไทย",
    "**bold**",
    "\x02mark\x03",
    "8 May 2023",
]

_text = st.lists(st.sampled_from(COMMON) | st.text(max_size=8), min_size=1, max_size=6).map(" ".join)
_said = st.tuples(st.sampled_from(DAYS), st.sampled_from([None, *PROJECTS]), st.lists(_text, min_size=1, max_size=4))
_note = st.fixed_dictionaries(
    {
        "content": _text.filter(lambda text: text.strip()),
        "type": st.sampled_from(["note", "session_log"]),
        "created_at": st.sampled_from([f"{day}T10:00:00" for day in DAYS]),
        "tags": st.sampled_from([None, "decision", "Decision, deploy", "deployment"]),
        "status": st.sampled_from(["active", "archived"]),
        "project": st.sampled_from([None, *PROJECTS]),
    }
)
_corpora = st.tuples(st.lists(_note, max_size=6), st.lists(_said, max_size=4))
_surrogates = st.text(alphabet=st.characters(codec=None), max_size=20)
_bounds = st.sampled_from([None, "2025", "2026", "2026-03", "2026-03-14", "2026-03-15"])
_questions = st.fixed_dictionaries(
    {
        "text": _text
        | _surrogates
        | st.sampled_from(["\0", "\ud83d deploy \udc00", "deploy\0retry", "AND NOT (", "a*"]),
        "project": st.none() | st.sampled_from(SCOPES),
        "boosted": st.none() | st.sampled_from(SCOPES),
        "scope": st.sampled_from(search.SCOPES),
        "type": st.none() | st.sampled_from(["note", "session_log"]),
        "tags": st.sampled_from([None, "decision", ["deploy"], "decision, deploy"]),
        "since": _bounds,
        "until": _bounds,
        "include_archived": st.booleans(),
        "limit": st.integers(1, 100),
        "offset": st.integers(0, 3),
    }
)


def _fill(folder: DataFolder, notes: list[dict[str, Any]], sessions: list[tuple[str, str | None, list[str]]]) -> None:
    for place in (folder.records, folder.transcripts):
        for path in Path(place).iterdir():
            path.unlink()

    def make(content: str, *, type: str, **fields: Any) -> dict[str, Any]:
        record = records.new_record(type=type, content=content) | {
            name: value for name, value in fields.items() if value is not None
        }
        Path(records.record_path(folder, record["uuid"])).write_text(json.dumps(record), encoding="utf-8")
        return record

    for note in notes:
        make(**note, project_id=PROJECTS.get(note["project"]))
    for number, (day, project, said) in enumerate(sessions):
        script = talk(*said, number=number, day=day)
        Path(transcripts.archive_path(folder, script.session_id)).write_bytes(script.dump())
        if project is not None:
            log(make, number, project, PROJECTS[project])
    index(folder)


def _may_pass(hit: dict[str, Any], asked: dict[str, Any], days: dict[str, str]) -> Iterator[bool]:
    """Whether a hit may be given, filter by filter."""
    is_turn = hit["type"] == "transcript"
    yield asked["scope"] != ("memories" if is_turn else "transcripts")
    yield asked["project"] is None or hit["project"] == asked["project"].name
    time = clock.parse_time(hit["timestamp" if is_turn else "created_at"])
    assert time is not None
    since, until = (clock.bounds(asked[name]) if asked[name] else None for name in ("since", "until"))
    yield since is None or time >= since[0]
    yield until is None or time <= until[1]
    if is_turn:
        yield not asked["type"]
        yield not asked["tags"]
        yield hit["timestamp"].startswith(days[hit["session_id"]])
    else:
        wanted = asked["tags"] or []
        tags = wanted if isinstance(wanted, list) else wanted.split(", ")
        yield asked["type"] in {None, hit["type"]}
        yield set(tags) <= set((hit["tags"] or "").lower().split(", "))
        yield asked["include_archived"] or "status" not in hit


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(corpus=_corpora, data=st.data())
def test_any_question_is_answered_and_no_hit_is_one_that_the_filters_exclude(
    memory_home: DataFolder, corpus: tuple[list[Any], list[Any]], data: st.DataObject
) -> None:
    notes, sessions = corpus
    _fill(memory_home, notes, sessions)
    days = {session_id(number): day for number, (day, _, _) in enumerate(sessions)}
    for _ in range(4):
        asked: dict[str, Any] = data.draw(_questions)
        if asked["scope"] == "transcripts":
            asked |= {"type": None, "tags": None}
        if asked["since"] and asked["until"] and asked["since"] > asked["until"]:
            asked |= {"until": None}
        answer = _ask(memory_home, asked)
        for hit in answer["results"]:
            assert all(_may_pass(hit, asked, days)), hit
            assert not set(hit["snippet"]) & {"\x02", "\x03", "\n", "\x1b"}
        assert answer["results"] or answer["hint"]
        json.dumps(answer, ensure_ascii=False).encode("utf-8")


def _ask(folder: DataFolder, asked: dict[str, Any]) -> dict[str, Any]:
    return search.memory_search(folder, asked["text"], **{name: asked[name] for name in asked if name != "text"})


@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text() | _surrogates, where=st.sampled_from(search.SCOPES))
def test_any_text_is_a_valid_question_of_nothing(memory_home: DataFolder, text: str, where: str) -> None:
    answer = search.memory_search(memory_home, text, scope=where)
    assert answer["results"] == []
    assert answer["hint"]

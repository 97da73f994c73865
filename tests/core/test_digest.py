"""The digest: what session logs say together, quoted, newest first, bounded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import budget, digest

PARTS = (
    "Opening request", "Further requests", "Decided", "Last request", "Last answer", "Errors", "Open items",
    "Files edited", "Commits", "Commands", "Tools used",
)  # fmt: skip


def _row(number: int, *, one_shot: bool = False, **parts: str | list[str]) -> dict[str, Any]:
    """A session log's row; lists become Markdown lists, texts quotes."""
    content = "Project: shop\nSaid: 2 requests, 2 answers\nEnded: finished after an answer"
    for title in PARTS:
        body = parts.get(title.lower().replace(" ", "_"))
        if body:
            text = "\n".join(f"- {one}" for one in body) if isinstance(body, list) else f"> {body}"
            content += f"\n\n## {title}\n{text}"
    return {
        "session_id": f"{number:08x}-0000-4000-8000-00000000c0de",
        "content": content,
        "created_at": f"2026-03-{number:02}T10:00:00",
        "one_shot": int(one_shot),
    }


def _parts(*rows: dict[str, Any]) -> dict[str, list[str]]:
    return {part.heading: part.entries for part in digest.gathered(digest.newest(list(rows)))}


def test_each_session_is_told_by_what_was_asked_in_it_newest_first() -> None:
    found = _parts(
        _row(10, opening_request="The last session is told by where it stopped"),
        _row(9, opening_request="Fix the export", further_requests=["[x:1] one", "[x:2] two", "and 1,003 others"]),
        _row(8, opening_request="Summarise", one_shot=True),
        _row(7, opening_request="Start " + "and go on " * 100),
    )
    asked = found["What was asked before it, newest session first"]
    assert asked[:2] == [
        "2026-03-09 10:00 [00000009] Fix the export (+1,005 requests)",
        "2026-03-08 10:00 [00000008] Summarise (claude -p)",
    ]
    assert asked[2].endswith("…")


def test_open_items_are_those_of_the_newest_session_that_has_any() -> None:
    found = _parts(_row(9), _row(8, open_items=["backfill", "and 3 more"]), _row(7, open_items=["done long ago"]))
    assert found["Open items of session 00000008, 2026-03-08"] == ["backfill"]


def test_decisions_keep_their_places_newest_first_and_once() -> None:
    said = 'the user said: "No, use X, not Y."'
    found = _parts(
        _row(9, decided=["[00000009:1] plan approved: P", f"[00000009:5] {said}"]),
        _row(8, decided=[f"[00000008:2] {said}", "[00000008:3] answered: How? -> So"]),
    )
    assert found["Decided or corrected, newest first"] == [
        f"[00000009:5] {said}", "[00000009:1] plan approved: P", "[00000008:3] answered: How? -> So"
    ]  # fmt: skip


def test_only_errors_that_were_not_fixed_are_told_and_a_later_session_decides() -> None:
    found = _parts(
        _row(9, errors=["[9:1] make: a -- ended: fixed by a later run", "[9:2] make: b -- ended: not tried again"]),
        _row(8, errors=["[8:1] make: a -- ended: still failing at the end"]),
        _row(7, errors=["[7:1] make: c -- ended: still failing at the end"]),
    )
    assert found["Errors after which the same command did not succeed in that session"] == [
        "[9:2] make: b -- ended: not tried again", "[7:1] make: c -- ended: still failing at the end"
    ]  # fmt: skip


def test_files_are_ordered_by_how_many_sessions_edited_them_and_commits_by_their_age() -> None:
    found = _parts(
        _row(9, files_edited=["new.py", "both.py", "and 2 more"], commits=["newest"]),
        _row(8, files_edited=["both.py", "old.py"], commits=["first", "second"]),
        _row(7, commits=["earlier"]),
    )
    assert found["Files edited in most sessions"] == ["both.py (2 sessions)", "old.py (1 session)"]
    assert found["Commits before it, newest first"] == ["2026-03-08 second", "2026-03-08 first", "2026-03-07 earlier"]


def test_what_is_told_of_the_last_session_is_not_said_again() -> None:
    row = _row(
        9, opening_request="Fix it", files_edited=["a.py"], commits=["Fix it"], decided=["[9:1] answered: a -> b"]
    )
    assert _parts(row) == {"Decided or corrected, newest first": ["[9:1] answered: a -> b"]}
    assert "Fix it" in str(_parts(row, _row(8, opening_request="Fix it", commits=["Fix it"])))


def test_what_a_log_says_of_entries_that_it_cut_is_no_entry() -> None:
    row = _row(
        9, decided=["[9:1] answered: a -> b", "and 23 others"], errors=["and 2 others"], open_items=["and 4 more"]
    )
    assert _parts(row) == {"Decided or corrected, newest first": ["[9:1] answered: a -> b"]}


def test_how_an_error_ended_is_read_at_its_end() -> None:
    errors = [
        "[9:1] echo ' -- ended: never': x -- ended: fixed by a later run",
        "[9:2] a -- ended: fixed: y -- ended: not tried again",
    ]
    assert list(_parts(_row(9, errors=errors)).values()) == [errors[1:]]


def test_one_shot_runs_leave_their_places_to_others() -> None:
    rows = [_row(20, one_shot=True) for _ in range(20)] + [_row(number) for number in range(19, 1, -1)]
    chosen = digest.newest(rows)
    assert len(chosen) == digest.SESSIONS
    assert sum(log.one_shot for log in chosen) == 2
    assert digest.last(chosen).id == "00000013"
    assert digest.last(digest.newest(rows[:3])).one_shot


def test_where_a_session_stopped_is_told_whole_where_there_is_room() -> None:
    row = _row(9, opening_request="Fix it", last_request="And that", last_answer="Both done.", commits=["Fix it", "X"])
    whole = digest.stopped(digest.Log(row), 1000)
    assert whole == (
        "Session 00000009, ended 2026-03-09 10:00 UTC\n> Opening request: Fix it\n> Last request: And that\n"
        "> Last answer: Both done.\n> Commits: Fix it, X\n> Ended: finished after an answer"
    )
    assert digest.stopped(digest.Log(row), budget.units(whole)) == whole


def test_a_log_of_another_form_is_told_by_its_own_text() -> None:
    row = {**_row(9), "content": "Worked on the export"}
    assert "> Worked on the export" in digest.stopped(digest.Log(row), 500)
    asked = _parts(_row(10), row)["What was asked before it, newest session first"]
    assert asked == ["2026-03-09 10:00 [00000009] Worked on the export"]


@pytest.mark.parametrize("room", [0, 30, 80, 120, 300, 5000])
def test_nothing_is_longer_than_its_room(room: int) -> None:
    row = _row(9, opening_request="😀" * 900, last_answer="漢字 " * 500, decided=["😀 " * 300] * 30)
    log = digest.Log(row)
    assert budget.units(digest.stopped(log, room)) <= room
    for part in digest.gathered([log]):
        assert budget.units(part.text(room)) <= room


@given(st.text(), st.none() | st.text(), st.integers(0, 800))
def test_whatever_a_log_holds_its_digest_fits_and_is_quoted(content: str, session_id: str | None, room: int) -> None:
    row = {"content": content, "session_id": session_id, "created_at": "2026-03-01T10:00:00", "one_shot": 0}
    logs = digest.newest([row])
    texts = [digest.stopped(logs[0], room), *(part.text(room) for part in digest.gathered(logs))]
    for text in texts:
        assert budget.units(text) <= room
        assert all(line.startswith(">") for line in text.splitlines()[1:])


def test_no_logs_make_no_digest() -> None:
    assert digest.gathered([]) == []

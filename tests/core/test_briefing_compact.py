"""After a compaction: the last request word for word, then what the session had decided, touched and failed at."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import briefing, briefing_compact, budget, mirror, records, scope
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION, Script, short_session

SHOP = scope.Scope("shop", frozenset({"path:/srv/shop"}), frozenset({"shop"}))
REQUEST = "Now fix the export.\n\nIt must:\n\n- be gapless\n- take under 3 s\n\n    keep this indent"


def _brief(folder: DataFolder, script: Script, place: Path, limit: int = 6000, *, upkeep: bool = False) -> str:
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    try:
        made = briefing.build(
            connection, folder, SHOP, source="compact", limit=limit, session_id=script.session_id,
            transcript_path=script.write(place), upkeep=upkeep,
        )  # fmt: skip
    finally:
        connection.close()
    assert budget.units(made.text) <= limit
    assert made.message == "LLM Memory: shop · recovery text after compaction loaded"
    return made.text


def _worked(request: str = REQUEST) -> Script:
    script = short_session("/srv/shop")
    script.user("No, use gapless numbers, not UUIDs.")
    script.call("Bash", {"command": "pytest -q"}, result="E  AssertionError: 41 != 42", failed=True)
    script.call("TodoWrite", {"todos": [{"content": "backfill in batches", "status": "pending"}]})
    script.user(request)
    script.answer("The exporter is changed.")
    script.compaction("This session is being continued from a previous conversation")
    return script


def test_what_the_session_was_at_comes_in_order_of_worth(
    folder: DataFolder, tmp_path: Path, make_record: MakeRecord
) -> None:
    project = {"project": "shop", "project_id": "path:/srv/shop"}
    narrative = "## Current state\nhalf done\n\n## Next steps\n- go on\n\n## Decisions\n- one"
    records.save(folder, records.new_record(type="narrative", content=narrative, **project))
    make_record("stored in this session", session_id=SESSION, importance=3, **project)
    make_record("stored before", importance=9, **project)
    text = _brief(folder, _worked(), tmp_path)
    marks = [
        "## The user's last request, word for word\n" + budget.quoted(REQUEST) + "\n",
        "## Decisions and corrections of this session", "No, use gapless numbers, not UUIDs.",
        "## Files in work, newest first", "uploader.py",
        "## Open items of the last to-do list\n> - backfill in batches",
        "## Commands that failed and have not succeeded since", "pytest -q",
        "## The last answer\n> The exporter is changed.",
        "## Narrative of ", "> half done", "> - go on", "> stored in this session", "> stored before",
    ]  # fmt: skip
    order = [text.index(mark) for mark in marks]
    assert order == sorted(order)
    assert "> ## Decisions" not in text
    assert "being continued" not in text


def test_a_long_request_gets_two_fifths_before_it_is_cut_and_the_cut_is_said(
    folder: DataFolder, tmp_path: Path
) -> None:
    fits = "word " * 440 + "the end."
    assert budget.quoted(fits) in _brief(folder, _worked(fits), tmp_path)
    text = _brief(folder, _worked("BEGIN " + "word " * 4000 + "and keep the old file name"), tmp_path)
    assert "> BEGIN word" in text
    assert " characters left out here)\n> " in text
    assert "and keep the old file name\n" in text
    assert "backfill in batches" in text


@pytest.mark.parametrize("limit", [1000, 1500, 2500, 9500])
def test_the_request_and_the_decision_are_there_at_every_length(folder: DataFolder, tmp_path: Path, limit: int) -> None:
    text = _brief(folder, _worked(REQUEST + "\n" + "log line\n" * 500), tmp_path, limit)
    assert "> Now fix the export.\n>\n> It must:" in text
    assert "use gapless numbers, not UUIDs" in text


def test_where_there_is_room_it_is_said_how_the_narrative_stands(
    folder: DataFolder, tmp_path: Path, make_record: MakeRecord
) -> None:
    records.save(
        folder,
        records.new_record(
            type="narrative", content="## Current state\nx", project="shop", project_id="path:/srv/shop"
        ),
    )
    assert "\nStatus: narrative written just now." in _brief(folder, _worked(), tmp_path)


@given(st.text(), st.integers(0, 600))
def test_verbatim_words_fit_and_are_quoted_and_what_is_missing_is_counted(words: str, room: int) -> None:
    shown = briefing_compact.verbatim(words, room)
    assert budget.units(shown) <= room
    left = [line for line in shown.splitlines() if not line.startswith(">")]
    assert len(left) <= 1
    assert all("characters left out here)" in line for line in left)


@given(st.text(st.sampled_from("ab \n😀漢"), min_size=200), st.integers(150, 400))
def test_verbatim_keeps_the_beginning_and_the_end(words: str, room: int) -> None:
    shown = briefing_compact.verbatim(words, room)
    if "left out here)" in shown:
        first = words.split(maxsplit=1)[0][:20]
        assert first in shown
        assert shown.rstrip().endswith(words.rsplit(maxsplit=1)[-1][-5:])


def test_a_short_request_comes_with_the_answer_that_it_replies_to(folder: DataFolder, tmp_path: Path) -> None:
    script = Script("/srv/shop")
    script.user("Rewrite the importer so that it streams")
    script.answer("I looked at it. " * 200 + "By mmap, or in chunks?")
    script.user("the second")
    text = _brief(folder, script, tmp_path)
    assert "> the second\n\n## What it replies to: the answer before it\n> I looked at it." in text
    assert "By mmap, or in chunks?\n" in text
    script.user("A request that says itself what it is about " + "and why " * 20)
    assert "What it replies to" not in _brief(folder, script, tmp_path)


def test_what_was_decided_before_the_part_that_is_read_comes_from_the_sessions_log(
    folder: DataFolder, tmp_path: Path, make_record: MakeRecord
) -> None:
    decided = ["plan approved: Rewrite the importer", 'the user said: "No, use gapless numbers, not UUIDs."']
    log = "## Decided\n" + "\n".join(f"- [{SESSION[:8]}:{line}] {text}" for line, text in enumerate(decided))
    make_record(log, type="session_log", session_id=SESSION, project="shop", project_id="path:/srv/shop")
    text = _brief(folder, _worked(), tmp_path)
    assert "newest first\n> - " + decided[1] + "\n> - " + decided[0] + "\n" in text
    assert text.count("gapless numbers") == 1

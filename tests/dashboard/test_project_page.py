"""The projects' list, and the page of one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from memories.brief import brief
from memories.core import mirror, records, session_logs, sync
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from memories.project_list import PAGE_SIZE
from memories.services import Session
from tests.conftest import MakeRecord
from tests.dashboard.conftest import Remember
from tests.dashboard.narratives import write_narrative

HTMX = {"HX-Request": "true"}
SHOP = {"project": "shop", "project_id": "git:h/o/shop"}
ONE = "3f2a1b2c-0000-4000-8000-000000000001"
TWO = "44444444-0000-4000-8000-000000000002"


def page(client: Client, address: str, status: int = 200, headers: dict[str, str] | None = None) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == status
    return response.content.decode()


@pytest.fixture
def shop(memory_home: DataFolder, make_record: MakeRecord) -> DataFolder:
    """A project with a narrative of one of its two sessions, and notes."""
    for number, session in enumerate((ONE, TWO)):
        line = {
            "type": "user", "uuid": f"u{number}", "sessionId": session, "timestamp": f"2026-03-1{number}T09:00:00Z",
            "message": {"role": "user", "content": f"ship number {number}"},
        }  # fmt: skip
        Path(memory_home.transcripts, f"{session}.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
        make_record(
            f"Request {number}", type="session_log", uuid=session_logs.log_uuid(session), session_id=session,
            created_at=f"2026-03-1{number}T09:00:00", turns=4, transcript_ref=json.dumps([session]), **SHOP,
        )  # fmt: skip
    write_narrative(
        memory_home, f"# Shop\n\n## Decisions\n\n- Ship on Tuesdays [{ONE[:8]}:1]",
        created_at="2026-03-10T12:00:00", transcript_ref=json.dumps([ONE]), **SHOP,
    )  # fmt: skip
    make_record("an important note", importance=9, created_at="2026-03-01T09:00:00", **SHOP)
    make_record("a newer note", created_at="2026-03-11T09:00:00", **SHOP)
    sync.run(memory_home, None, dict(DEFAULTS), wait_seconds=1)
    return memory_home


def test_the_list_says_how_much_there_is_and_how_far_behind_the_narrative_is(
    client: Client, shop: DataFolder, remember: Remember
) -> None:
    remember("text", project="quiet", created_at="2026-01-01T09:00:00")
    text = page(client, "/p/")
    assert text.index('href="/p/shop/"') < text.index('href="/p/quiet/"')
    assert "5 memories" in text
    assert "2 sessions" in text
    assert "1 session behind (1 new)" in text
    assert "no narrative yet" in text


def test_no_project_at_all_says_how_one_comes_to_be(client: Client) -> None:
    assert "No project yet" in page(client, "/p/")


def test_the_list_goes_on_from_an_offset(client: Client, memory_home: DataFolder, make_record: MakeRecord) -> None:
    for number in range(PAGE_SIZE + 5):
        make_record("text", project=f"project {number}")
    mirror.update(memory_home)
    first, rest = page(client, "/p/"), page(client, f"/p/?offset={PAGE_SIZE}")
    assert (first.count("data-item"), rest.count("data-item")) == (PAGE_SIZE, 5)
    assert f'href="?offset={PAGE_SIZE}"' in first
    assert "offset=" not in rest
    assert "whole number" in page(client, "/p/?offset=x", 400)


def test_a_project_shows_its_narrative_coverage_sessions_and_notes(client: Client, shop: DataFolder) -> None:
    text = page(client, "/p/shop/")
    assert "<h1>shop</h1>" in text
    assert "Ship on Tuesdays" in text
    assert f'href="/t/{ONE}/?line=1#L1"' in text
    assert "1 in the narrative" in text
    assert "1 not in it" in text
    assert "1 session behind (1 new): 4 turns since" in text
    assert " UTC" not in text.split("coverage stale")[1].split("</section>")[0].split("title=")[0]
    assert f'<a href="/t/{TWO}/">Request 1</a>' in text
    assert text.index("an important note") < text.index("a newer note")
    assert 'width="50.0%"' in text


def test_the_list_and_the_project_s_page_count_a_session_that_grew_as_coverage_does(
    client: Client, shop: DataFolder, make_record: MakeRecord
) -> None:
    sizes: dict[str, Any] = {"processed_bytes": {ONE: 10}, "processed_turns": {ONE: 3}}
    read = {"created_at": "2026-03-10T13:00:00", "transcript_ref": json.dumps([ONE]), **SHOP}
    record = write_narrative(shop, "# Shop\n\nread as far as turn 3", **sizes, **read)
    mirror.update(shop)
    for address in ("/p/", "/p/shop/"):
        assert "2 sessions behind (1 new, 1 grew)" in page(client, address)
    assert "1 grew since" in page(client, "/p/shop/")
    records.save(shop, {**record, "processed_turns": {ONE: 4}})
    mirror.update(shop)
    for address in ("/p/", "/p/shop/"):
        assert "1 session behind (1 new)" in page(client, address)


def test_sessions_and_the_project_s_page_count_the_same_turns(client: Client, shop: DataFolder) -> None:
    for address in ("/p/shop/", "/s/"):
        text = page(client, address)
        assert text.count("4 turns") >= 2
        assert ">1 turn<" not in text


def test_a_narrative_whose_file_is_gone_leaves_the_list_as_it_is(client: Client, shop: DataFolder) -> None:
    page(client, "/p/")
    for path in Path(shop.records).glob("*.json"):
        if '"narrative"' in path.read_text("utf-8"):
            path.write_text("{", encoding="utf-8")
    assert "1 session behind (1 new)" in page(client, "/p/")


def test_the_tabs_of_the_briefing_have_ids_and_an_address_each(client: Client, shop: DataFolder) -> None:
    for text in (page(client, "/p/shop/"), page(client, "/p/shop/?saw=resume", headers=HTMX)):
        for source in ("startup", "resume", "compact"):
            assert f'id="saw-{source}"' in text
            assert f'hx-replace-url="/p/shop/?saw={source}#saw"' in text


def test_what_claude_sees_stands_below_the_narrative_and_says_that_it_is_being_made(
    client: Client, shop: DataFolder
) -> None:
    text = page(client, "/p/shop/")
    assert text.index('id="narrative"') < text.index('id="saw"') < text.index('id="sessions"')
    assert text.count(">What Claude sees<") == 2
    assert "is being made" in text
    assert "is being made" not in page(client, "/p/shop/?saw=startup")


def test_a_project_by_its_id_or_another_spelling_is_found(client: Client, shop: DataFolder) -> None:
    for value in ("shop", "git:h/o/shop", "SHOP"):
        assert "<h1>shop</h1>" in page(client, f"/p/{value}/")


def test_an_unknown_project_is_a_404_with_the_nearest_names(client: Client, shop: DataFolder) -> None:
    text = page(client, "/p/shpo/", 404)
    assert "No such project" in text
    assert '<a href="/p/shop/">shop</a>' in text
    assert "No such project" in page(client, "/p/%3Cscript%3E%07/", 404)


def test_records_of_no_project_have_a_page_without_narrative_and_briefing(client: Client, remember: Remember) -> None:
    remember("text of none")
    text = page(client, "/p/:none/")
    assert "text of none" in text
    assert "What Claude sees" not in text


@pytest.mark.parametrize("source", ["startup", "resume", "compact"])
def test_what_claude_saw_is_the_briefing_word_for_word(client: Client, shop: DataFolder, source: str) -> None:
    from html import unescape

    expected = brief(shop, Session(), "shop", source)
    for headers in (None, HTMX):
        text = page(client, f"/p/shop/?saw={source}", headers=headers)
        shown = text.split('<pre tabindex="0"')[1].split(">", 1)[1].split("</pre>")[0]
        assert unescape(shown) == expected["text"]
        assert f"{expected['units']:,} of at most {expected['limit']:,}" in text
    assert "<html" not in text
    assert "There is no session start" in page(client, "/p/shop/?saw=x", 400)


def test_two_projects_of_one_name_have_two_briefings(client: Client, remember: Remember) -> None:
    for owner in ("one", "two"):
        remember(f"the note of {owner}", project="shop", project_id=f"git:h/{owner}/shop", importance=9)
    text = page(client, "/p/git:h/one/shop/?saw=startup", headers=HTMX)
    assert "the note of one" in text
    assert "the note of two" not in text


def test_showing_what_claude_saw_changes_no_file(client: Client, shop: DataFolder, make_record: MakeRecord) -> None:
    make_record("Continue with the cart.", tags="handoff", importance=9, **SHOP)
    mirror.update(shop)

    def state() -> dict[str, tuple[bytes, int]]:
        found = {}
        for root, _, names in os.walk(shop.root):
            for name in names:
                path = Path(root, name)
                if not name.startswith("memory.db.7-"):
                    found[str(path)] = path.read_bytes(), path.stat().st_mtime_ns
        return found

    before = state()
    for source in ("startup", "resume", "compact"):
        page(client, f"/p/shop/?saw={source}")
    assert state() == before


def test_activity_is_a_map_and_a_table(client: Client, remember: Remember) -> None:
    from memories.core import clock

    remember("text", project="shop", created_at=clock.now())
    text = page(client, "/p/shop/")
    assert "0 sessions and 1 memory on 1 day" in text
    assert ": 1 memory</title>" in text
    assert "less <svg" in text
    assert "In numbers, by month" in text
    assert "month=" in text


def test_a_long_narrative_goes_on_on_its_own_page(client: Client, memory_home: DataFolder) -> None:
    text = "\n".join(f"- entry {number} of the story" for number in range(2000))
    record = write_narrative(memory_home, text)
    mirror.update(memory_home)
    shown = page(client, "/p/shop/")
    assert f'<a href="/m/{record["uuid"]}/">Read the rest</a>' in shown
    assert len(shown.encode()) < 60_000


def test_hostile_text_in_any_field_stays_text(client: Client, memory_home: DataFolder, make_record: MakeRecord) -> None:
    attack = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m"
    fields: dict[str, Any] = {"project": f"a{attack}", "project_id": f"path:{attack}", "session_id": attack}
    write_narrative(memory_home, f"{attack} narrative", **fields)
    for kind in ("note", "session_log"):
        make_record(f"{attack} {kind}", type=kind, importance=9, **fields)
    mirror.update(memory_home)
    for address in ("/p/", f"/p/path:{attack.replace('?', '')}/", f"/p/path:{attack}/?saw=startup"):
        text = page(client, address)
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "\x1b" not in text


def test_the_number_of_queries_does_not_grow_with_rows_or_projects(
    client: Client, memory_home: DataFolder, remember: Remember
) -> None:
    counts = []
    for total in (2, 12):
        for number in range(total):
            remember(f"note {number}", importance=9, **SHOP)
            remember(f"log {number}", type="session_log", session_id=f"{total}-{number}", **SHOP)
            write_narrative(memory_home, f"narrative {number}", project=f"p{total}-{number}")
        mirror.update(memory_home)
        with CaptureQueriesContext(connection) as queries:
            page(client, "/p/shop/")
            page(client, "/p/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_session_whose_archived_transcript_is_empty_is_linked_all_the_same(
    client: Client, shop: DataFolder, remember: Remember
) -> None:
    session = "0a0a0a0a-0000-4000-8000-000000000001"
    Path(shop.transcripts, f"{session}.jsonl").write_bytes(b"")
    remember("log of nothing", type="session_log", session_id=session, project="shop")
    assert f'href="/t/{session}/"' in client.get("/p/shop/").content.decode()

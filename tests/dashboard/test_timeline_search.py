"""The timeline's search over memories and conversations: one ranked list, links to the exact lines, its filters."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from memories import facets, search, timeline_search
from memories.core import mirror
from memories.core.paths import DataFolder
from memories.selectors import mirror_connection
from memories.timeline import Entry, Filters, TurnEntry
from memories.timeline_search import Hits
from tests.conftest import MakeRecord
from tests.dashboard.conftest import Remember
from tests.dashboard.test_timeline_facets import rail
from tests.dashboard.timeline_pages import HTMX, link, text, titles
from tests.memories.conversations import archive, index, log, session_id, talk


def turns(page: str) -> list[tuple[str, str]]:
    """(address, title) of the conversations that a page lists."""
    found = re.findall(r'<article class="entry transcript" data-item>\s*<h3><a href="(.*?)">(.*?)</a>', page)
    return [(unescape(address), unescape(re.sub(r"</?mark>", "", title))) for address, title in found]


@pytest.fixture
def talked(memory_home: DataFolder, make_record: MakeRecord) -> DataFolder:
    """Two projects with a conversation and memories each."""
    archive(
        memory_home,
        talk("When do we deploy the shop?", "On Tuesdays, after the freeze.", number=1, day="2026-03-14"),
        talk("How does the bank deploy?", "By hand.", number=2, day="2026-02-10"),
    )
    log(make_record, 1, "shop")
    log(make_record, 2, "bank")
    make_record("The deploy waits for Monday.", project="shop", tags="ops", created_at="2026-03-15T09:00:00")
    index(memory_home)
    return memory_home


@pytest.mark.usefixtures("talked")
def test_a_search_finds_memories_and_conversations_in_one_list(client: Client) -> None:
    page = text(client, "/?q=deploy")
    assert titles(page) == ["The deploy waits for Monday."]
    assert [title for _, title in turns(page)][:2] != []
    assert {title for _, title in turns(page)} >= {"When do we deploy the shop?", "How does the bank deploy?"}
    assert rail(page, "Type")["Notes"] == "1"
    assert int(rail(page, "Type")["Conversations"]) == len(turns(page))
    assert "When do we <mark>deploy</mark> the shop?" in page


@pytest.mark.usefixtures("talked")
def test_a_conversations_hit_leads_to_its_line_and_says_who_where_and_when(client: Client) -> None:
    page = text(client, "/?q=tuesdays+freeze&type=transcript")
    address, title = turns(page)[0]
    assert title == "On Tuesdays, after the freeze."
    assert re.fullmatch(rf"/t/{session_id(1)}/\?line=(\d+)#L\1", address)
    entry = page[page.index(title[:2]) :]
    assert "<span>Claude</span>" in entry
    assert "<span>shop</span>" in entry
    assert "2026-03-14" in entry


@pytest.mark.usefixtures("talked")
def test_project_and_month_narrow_the_conversations_too(client: Client) -> None:
    page = text(client, "/?q=deploy&type=transcript")
    assert set(rail(page, "Project")) == {"shop", "bank"}
    assert set(rail(page, "Month")) == {"March 2026", "February 2026"}
    for narrowed in ("project=bank", "month=2026-02", "project=bank&month=2026-02"):
        found = text(client, f"/?q=deploy&type=transcript&{narrowed}")
        assert {address[:39] for address, _ in turns(found)} == {f"/t/{session_id(2)}"}
        assert set(rail(found, "Type")) == {"Conversations"}
    page = text(client, "/?q=deploy&project=bank")
    assert rail(page, "Project").keys() == {"bank", "shop"}
    assert turns(text(client, "/?q=deploy&project=bank&month=2026-03")) == []


@pytest.mark.usefixtures("talked")
@pytest.mark.parametrize("only", ["tag=ops", "importance=4-7", "machine=desk"])
def test_a_filter_that_only_memories_pass_leaves_the_conversations_out(client: Client, only: str) -> None:
    assert turns(text(client, f"/?q=deploy&{only}")) == []


@pytest.mark.usefixtures("talked")
def test_a_type_lists_its_own_and_still_counts_the_conversations(client: Client) -> None:
    page = text(client, "/?q=deploy&type=note")
    assert turns(page) == []
    assert int(rail(page, "Type")["Conversations"]) >= 2
    assert titles(text(client, link(page, "Conversations"))) == []


@pytest.mark.usefixtures("talked")
def test_conversations_without_words_lead_to_the_sessions(client: Client) -> None:
    page = text(client, "/?type=transcript")
    assert "Type words to search the conversations" in page
    assert link(page[page.index("<main") :], "Sessions") == "/s/"


def test_the_list_is_ranked_as_memory_search_ranks_everything(talked: DataFolder, make_record: MakeRecord) -> None:
    for number in range(3, 8):
        archive(talked, talk(f"deploy number {number}", "freeze " * number, number=number))
        make_record(f"deploy and freeze, note {number}", importance=number)
    index(talked)
    raw = mirror_connection(talked)
    for words in ("deploy", "deploy freeze", "number 4 freeze", "tuesdays bank hand"):
        page = Hits(raw, facets.current(talked), Filters(q=words)).page()
        shown = [(one.session, one.line) if isinstance(one, TurnEntry) else one.uuid for one in page.entries]
        hits = search.memory_search(talked, words, scope="all", limit=40)["results"]
        expected = [(hit["session_id"], hit["line"]) if hit["type"] == "transcript" else hit["uuid"] for hit in hits]
        assert shown == expected


def test_pages_of_both_kinds_show_each_hit_once(client: Client, talked: DataFolder, make_record: MakeRecord) -> None:
    archive(talked, talk(*(f"deploy step {number}" for number in range(60)), number=9))
    for number in range(40):
        make_record(f"deploy note {number}")
    index(talked)
    pages = [text(client, "/?q=deploy")]
    while ">More</a>" in pages[-1]:
        pages.append(text(client, link(pages[-1], "More"), **HTMX))
    addresses = [address for page in pages for address, _ in turns(page)]
    notes = [title for page in pages for title in titles(page)]
    assert len(addresses) == len(set(addresses))
    assert len(notes) == len(set(notes)) == 41
    assert len(addresses) + len(notes) == 105


def test_more_hits_than_are_counted_are_said_so(
    client: Client, talked: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(talked, talk(*(f"deploy step {number}" for number in range(30)), number=9))
    for module in ("timeline_search", "views.rail"):
        monkeypatch.setattr(f"memories.{module}.REACH", 10)
    page = text(client, "/?q=deploy")
    assert rail(page, "Type")["Conversations"] == "10+"
    assert "10+ hits for" in page
    assert timeline_search.REACH == 10


@pytest.mark.parametrize("address", ["/?q=deploy", "/?q=deploy&type=transcript&project=shop", "/?q=deploy&type=note"])
def test_the_number_of_queries_does_not_grow_with_the_hits(
    client: Client, talked: DataFolder, make_record: MakeRecord, address: str
) -> None:
    counts: list[Any] = []
    for number in (10, 40):
        for more in range(number):
            make_record(f"deploy note {more}", project="shop")
        archive(talked, talk(*(f"deploy step {step}" for step in range(number)), number=number))
        index(talked)
        with CaptureQueriesContext(connection) as queries:
            text(client, address)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5


def test_marks_and_tags_in_what_is_stored_stay_text(
    client: Client, memory_home: DataFolder, remember: Remember
) -> None:
    remember("deploy \x02forged\x03 <b>bold</b> \x1b[31m")
    archive(memory_home, talk("deploy \x02forged\x03 <script>alert(1)</script>", "ok"))
    page = text(client, "/?q=deploy")
    assert page.count("<mark>deploy</mark>") == 2
    assert "<mark>forged" not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", page)


def test_a_word_that_is_found_in_another_form_is_marked(memory_home: DataFolder, remember: Remember) -> None:
    remember("Something first.\n\nThe useCartTotal hook rounds.")
    entry = Hits(mirror_connection(memory_home), facets.current(memory_home), Filters(q="cart")).page().entries[0]
    assert isinstance(entry, Entry)
    assert "\x02" in entry.excerpt


def test_pages_of_equally_good_hits_neither_repeat_nor_lose_one(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    for number in range(450):
        make_record(f"version {number:03d}", created_at="2026-03-14T09:00:00")
    mirror.update(memory_home)
    listed = [title for offset in range(0, 200, 40) for title in titles(text(client, f"/?q=version&offset={offset}"))]
    assert len(listed) == len(set(listed)) == 200


def test_a_long_message_counts_once_as_it_is_listed_once(client: Client, memory_home: DataFolder) -> None:
    archive(memory_home, talk("quokka " * 8000, "A quokka it is.", number=1, day="2026-03-14"))
    index(memory_home)
    page = text(client, "/?q=quokka")
    assert len(turns(page)) == 2
    assert "2 hits" in page
    assert rail(page, "Type")["Conversations"] == "2"


def test_a_memory_that_says_a_word_a_hundred_thousand_times_is_found_at_once(
    client: Client, remember: Remember
) -> None:
    remember("zebra " * 100_000)  # SQLite's snippet() would take minutes
    assert "<mark>zebra zebra" in text(client, "/?q=zebra")

"""The timeline: what it lists, how it filters, pages and searches, and that every state is an address."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from memories.core import mirror, records
from memories.core.files import remove_quietly
from memories.core.paths import DataFolder
from memories.core.scope import Scope
from memories.project_groups import ProjectGroup
from memories.selectors import mirror_connection
from memories.timeline import Filters, coverage_line
from tests.conftest import MakeRecord
from tests.dashboard.conftest import Remember
from tests.dashboard.timeline_pages import HTMX, follow, link, text, titles
from tests.memories.narrative_versions import write_version


def test_memories_are_listed_newest_first_under_their_days(client: Client, remember: Remember) -> None:
    remember("the first", created_at="2026-03-13T10:00:00")
    remember("the last", created_at="2026-03-14T12:00:00")
    remember("the middle", created_at="2026-03-14T09:00:00")
    page = text(client, "/")
    assert titles(page) == ["the last", "the middle", "the first"]
    assert re.findall(r'class="day">(.*?)<', page) == ["Saturday 14 March 2026", "Friday 13 March 2026"]
    assert "3 memories" in page


def test_a_type_filter_keeps_the_counts_of_the_other_types(client: Client, remember: Remember) -> None:
    remember("a note", project="shop")
    remember("a log", type="session_log", project="shop")
    page = text(client, link(text(client, "/"), "Session logs 1"))
    assert titles(page) == ["a log"]
    assert link(page, "Notes 1") == "/?type=note"
    assert link(page, "Session logs 1") == "/"  # the active one takes itself away
    assert page.count('aria-current="true"') == 1


def test_filters_and_search_combine_in_one_address(client: Client, remember: Remember) -> None:
    remember("deploy on tuesday", project="shop")
    remember("deploy on friday", project="bank")
    remember("deploy log", type="session_log", project="shop")
    page = text(client, link(text(client, "/?q=deploy&type=note"), "shop 1"))
    assert titles(page) == ["deploy on tuesday"]
    assert 'name="type" value="note"' in page  # the form carries what is chosen
    assert 'name="project" value="shop"' in page
    assert link(page, "bank 1") == "/?q=deploy&type=note&project=bank"


def test_two_folders_of_one_name_are_two_projects(client: Client, remember: Remember) -> None:
    remember("the shop's", project="api", project_id="git:github.com/shop/api")
    remember("the bank's", project="api", project_id="path:/home/u/bank/api")
    page = text(client, "/")
    assert titles(text(client, link(page, "path:/home/u/bank/api"))) == ["the bank's"]
    assert titles(text(client, link(page, "git:github.com/shop/api"))) == ["the shop's"]


def test_records_without_an_id_join_the_one_project_of_their_name(client: Client, remember: Remember) -> None:
    remember("old", project="Orders_API")
    remember("new", project="orders-api", project_id="git:github.com/shop/orders-api", created_at="2026-12-01T00:00:00")
    page = text(client, link(text(client, "/"), "orders-api 2"))
    assert sorted(titles(page)) == ["new", "old"]


def test_records_of_no_project_can_be_listed(client: Client, remember: Remember) -> None:
    remember("nobody's")
    remember("somebody's", project="shop")
    assert titles(text(client, link(text(client, "/"), "No project 1"))) == ["nobody's"]


def test_archived_and_superseded_memories_are_shown_when_asked_for(client: Client, remember: Remember) -> None:
    old = remember("the superseded")
    remember("the archived", status="archived")
    remember("the current", connections=[{"to_uuid": old["uuid"], "relationship": "supersedes"}])
    page = text(client, "/")
    assert titles(page) == ["the current"]
    page = text(client, link(page, "Archived and superseded"))
    assert sorted(titles(page)) == ["the archived", "the current", "the superseded"]
    assert re.findall(r'class="hidden-state">(\w+)<', page).count("archived") == 1
    assert re.findall(r'class="hidden-state">(\w+)<', page).count("superseded") == 1
    assert link(page, "Archived and superseded") == "/"


def test_a_search_lists_the_best_hit_first_and_marks_its_words(client: Client, remember: Remember) -> None:
    remember("something about trees")
    remember("# Plan\n\nThe deploy waits for the freeze.", created_at="2026-01-01T00:00:00")
    remember("the deploy of another thing is described at length here, with many other words around it")
    page = text(client, "/?q=deploy+freeze")
    assert titles(page)[0] == "Plan"
    assert len(titles(page)) == 2
    assert "The <mark>deploy</mark> waits for the <mark>freeze</mark>." in page
    assert "2 hits for “deploy freeze”" in page


def test_a_hit_in_the_title_is_marked_there_and_not_shown_twice(client: Client, remember: Remember) -> None:
    remember("Deploys go out on Tuesdays")
    page = text(client, "/?q=deploy")
    assert "<mark>Deploys</mark> go out on Tuesdays</a>" in page
    assert page.count("go out on Tuesdays") == 1


@pytest.mark.parametrize("query", ["foo-bar", "c++", "it's", "AND", "(", '"', "NEAR(", "*", "\x00", "a" * 5000, "日本"])
def test_any_text_can_be_searched_for(client: Client, remember: Remember, query: str) -> None:
    remember("a note")
    assert client.get("/", {"q": query}).status_code == 200


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_more_leads_through_every_memory_once(
    client: Client, remember_many: Callable[[int], None], headers: dict[str, str]
) -> None:
    remember_many(120)
    pages = follow(client, "/", **headers)
    assert [len(page) for page in pages] == [40, 40, 40]
    assert [title for page in pages for title in page] == [f"canary number {n}" for n in range(119, -1, -1)]


def test_memories_of_one_second_are_neither_lost_nor_repeated_between_pages(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    for number in range(60):
        make_record(f"note {number}", created_at="2026-03-14T09:00:00")
    mirror.update(memory_home)
    listed = [title for page in follow(client, "/") for title in page]
    assert sorted(listed) == sorted(f"note {number}" for number in range(60))


def test_a_day_that_goes_on_in_the_next_part_is_not_named_again(
    client: Client, remember_many: Callable[[int], None]
) -> None:
    remember_many(60)  # 24 a day: the first 40 end within a day
    more = link(text(client, "/"), "More")
    assert re.findall(r'class="day">(.*?)<', text(client, more, **HTMX)) == []
    assert re.findall(r'class="day">(.*?)<', text(client, more)) == ["Sunday 1 March 2026"]
    assert "<html" not in text(client, more, **HTMX)


def test_a_search_is_paged_to_its_best_200(client: Client, remember_many: Callable[[int], None]) -> None:
    remember_many(230)
    pages = follow(client, "/?q=canary")
    assert [len(page) for page in pages] == [40] * 5
    assert len({title for page in pages for title in page}) == 200
    assert "Only the best hits are listed" in text(client, "/?q=canary&offset=160")


def test_htmx_gets_the_part_that_changes_and_the_plain_address(client: Client, remember: Remember) -> None:
    remember("deploy", project="shop")
    response = client.get("/?q=deploy&project=shop&type=", headers=HTMX)
    page = response.content.decode()
    assert "<html" not in page
    assert "<title>deploy · shop · LLM Memory" in page
    assert 'hx-swap-oob="innerHTML">1 hit' in page
    assert response.headers["HX-Push-Url"] == "/?q=deploy&project=shop"
    assert response.headers["Vary"] == "HX-Request"


def test_restoring_history_gets_a_whole_page(client: Client, remember: Remember) -> None:
    remember("deploy")
    page = text(client, "/?q=deploy", **HTMX, **{"HX-History-Restore-Request": "true"})
    assert "<html" in page
    assert 'value="deploy"' in page


def test_an_empty_memory_says_how_to_start(client: Client) -> None:
    page = text(client, "/")
    assert "Nothing is remembered yet" in page
    assert "llm-memory sync" in page


def test_a_search_without_hits_says_what_to_do(client: Client, remember: Remember) -> None:
    remember("deploy", project="shop")
    remember("zebra crossing", status="archived")
    page = text(client, "/?q=zebra")
    assert "Nothing matches “zebra”" in page
    assert link(page, "Include archived") == "/?q=zebra&archived=1"
    assert link(page, "clear search and filters") == "/"


def test_an_unknown_project_is_an_empty_list_not_an_error(client: Client, remember: Remember) -> None:
    remember("deploy", project="shop")
    page = text(client, "/?project=no+such")
    assert "Nothing matches in no such" in page
    assert link(page, "no such 0") == "/"


def test_a_memory_whose_records_are_all_archived_says_so(client: Client, remember: Remember) -> None:
    remember("old", status="archived")
    assert "Every memory here is archived or superseded" in text(client, "/")


def test_many_projects_are_folded_and_the_chosen_one_stays_in_sight(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    for number in range(20):
        make_record("text", project=f"project-{number:02d}")
    mirror.update(memory_home)
    assert "<summary>8 more</summary>" in text(client, "/")
    page = text(client, "/?project=project-19")
    assert page.index("project-19") < page.index("<details>")


def _session(folder: DataFolder, remember: Remember, name: str, project: str) -> None:
    Path(folder.transcripts, f"{name}.jsonl").write_bytes(b"{}\n")
    remember(f"log {name}", type="session_log", session_id=name, project=project, created_at="2026-03-14T09:00:00")


def test_a_chosen_project_says_how_far_its_narrative_has_come_and_leads_to_it(
    client: Client, memory_home: DataFolder, remember: Remember
) -> None:
    narrative = write_version(memory_home, "# Shop & Co")
    _session(memory_home, remember, "s1", "shop")
    page = text(client, "/?project=shop")
    assert "lacks 1 of 1 session: 1 turn since 2026-03-14." in page
    assert link(page, "Read the narrative") == f"/m/{narrative['uuid']}/"
    assert 'class="coverage"' in text(client, "/?project=shop&q=log", **HTMX)


def test_a_project_without_a_narrative_says_so_where_it_has_sessions(
    client: Client, memory_home: DataFolder, remember: Remember
) -> None:
    remember("only a note", project="notes")
    _session(memory_home, remember, "s1", "shop")
    page = text(client, "/?project=shop")
    assert "No narrative yet; 1 archived session to write one from: 1 turn since 2026-03-14." in page
    for address in ("/", "/?project=notes", "/?project=:none", "/?project=unknown"):
        assert 'class="coverage"' not in text(client, address)


def test_the_coverage_of_a_project_takes_as_many_statements_however_many_sessions(
    memory_home: DataFolder, remember: Remember
) -> None:
    shop = Filters(project=ProjectGroup("shop", "shop", None, Scope("shop", frozenset(), frozenset({"shop"}))))
    raw = mirror_connection(memory_home)
    counts = []
    for number in range(6):
        _session(memory_home, remember, f"s{number}", "shop")
        statements: list[str] = []
        raw.set_trace_callback(statements.append)
        assert coverage_line(memory_home, shop) is not None
        raw.set_trace_callback(None)
        counts.append(len(statements))
    assert len(set(counts)) == 1


@pytest.mark.parametrize(
    "address", ["/", "/?q=canary", "/?archived=1", "/?project=p1&type=note", "/?q=canary&archived=1"]
)
def test_the_number_of_queries_does_not_grow_with_the_records(
    client: Client, remember_many: Callable[[int], None], address: str
) -> None:
    remember_many(3)
    counts: list[Any] = []
    for total in (3, 90):
        remember_many(total)
        with CaptureQueriesContext(connection) as queries:
            text(client, address)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 7


@pytest.mark.parametrize(
    "query", ["type=task", "before=yesterday", "before=2026-03-14T09:00:00~x", "q=a&offset=200", "q=a&offset=-1"]
)
def test_an_address_that_no_link_leads_to_is_refused_with_a_page(client: Client, query: str) -> None:
    response = client.get(f"/?{query}")
    assert response.status_code == 400
    assert "This address does not work" in response.content.decode()


def test_a_change_shows_on_the_next_page_without_a_restart(
    client: Client, remember: Remember, folder: DataFolder
) -> None:
    record = remember("the old text")
    record["content"] = "the new text, which is longer"
    records.save(folder, record)
    mirror.update(folder)
    assert titles(text(client, "/")) == ["the new text, which is longer"]


def test_a_rebuilt_index_is_read_without_a_restart(client: Client, remember: Remember, folder: DataFolder) -> None:
    remember("kept")
    text(client, "/")
    for suffix in ("", "-wal", "-shm"):
        remove_quietly(folder.mirror + suffix)
    mirror.update(folder)
    assert titles(text(client, "/")) == ["kept"]

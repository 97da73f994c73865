"""The timeline's rail: every filter with counts under the other filters, chips, folds, and what it costs."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from memories import facets, querysets, selectors
from memories.core import mirror
from memories.core.paths import DataFolder
from memories.facets import bits, walk
from memories.local_time import month_at, month_of
from memories.models import Memory
from memories.timeline import Cursor, Filters, newest
from tests.conftest import MakeRecord
from tests.dashboard.conftest import Remember
from tests.dashboard.timeline_pages import link, text, titles


def rail(page: str, heading: str) -> dict[str, str]:
    """Label -> count of one filter."""
    found = re.search(rf'<section class="facet">\s*<h2>{heading}</h2>(.*?)</section>', page, re.DOTALL)
    assert found, heading
    return dict(re.findall(r"<span>(.*?)(?: <small>.*?)?</span> <b>(.*?)</b>", found[1]))


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the machine's time zone."""

    def set_to(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_to
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def shop(remember: Remember) -> None:
    """Six memories that differ in every field."""
    remember(
        "deploy", project="shop", tags="Deploy, ops", importance=9, origin="desk", created_at="2026-03-14T09:00:00"
    )
    remember("rollback", project="shop", tags="deploy", importance=8, origin="lap", created_at="2026-03-13T09:00:00")
    remember("menu", project="shop", tags="ui", origin="desk", created_at="2026-02-10T09:00:00")
    remember("ledger", project="bank", tags="ops", importance=2, origin="lap", created_at="2026-02-09T09:00:00")
    remember("log", project="bank", type="session_log", importance=3, origin="lap", created_at="2026-02-08T09:00:00")
    remember("gone", project="bank", tags="ops", status="archived", created_at="2025-12-01T09:00:00")


@pytest.mark.usefixtures("shop")
def test_each_filter_counts_what_is_listed(client: Client) -> None:
    page = text(client, "/")
    assert rail(page, "Type") == {"Notes": "4", "Session logs": "1"}
    assert rail(page, "Project") == {"shop": "3", "bank": "2"}
    assert rail(page, "Tag") == {"Deploy": "2", "ops": "2", "ui": "1"}
    assert rail(page, "Importance") == {"High, 8 to 10": "2", "Normal, 4 to 7": "1", "Low, 1 to 3": "2"}
    assert rail(page, "Month") == {"March 2026": "2", "February 2026": "3"}
    assert rail(page, "Machine") == {"lap": "3", "desk": "2"}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("heading", "label", "listed"),
    [
        ("Tag", "ops", ["deploy", "ledger"]),
        ("Importance", "High, 8 to 10", ["deploy", "rollback"]),
        ("Month", "February 2026", ["menu", "ledger", "log"]),
        ("Machine", "lap", ["rollback", "ledger", "log"]),
    ],
)
def test_a_filters_link_lists_as_many_as_it_says(client: Client, heading: str, label: str, listed: list[str]) -> None:
    page = text(client, "/")
    count = rail(page, heading)[label]
    assert titles(text(client, link(page, f"{label} {count}"))) == listed
    assert int(count) == len(listed)


@pytest.mark.usefixtures("shop")
def test_a_chosen_filter_keeps_its_own_alternatives_and_narrows_the_others(client: Client) -> None:
    page = text(client, "/?month=2026-02")
    assert rail(page, "Month") == {"March 2026": "2", "February 2026": "3"}
    assert rail(page, "Project") == {"bank": "2", "shop": "1"}
    assert rail(page, "Tag") == {"ops": "1", "ui": "1"}


@pytest.mark.usefixtures("shop")
def test_several_tags_are_all_asked_for(client: Client) -> None:
    page = text(client, link(text(client, "/?tag=deploy"), "ops 1"))
    assert titles(page) == ["deploy"]
    assert link(page, "Take away Tag: Deploy") == "/?tag=ops"
    assert link(page, "Take away Tag: ops") == "/?tag=deploy"


@pytest.mark.usefixtures("shop")
def test_what_is_chosen_stands_above_the_list_and_can_be_taken_away_there(client: Client) -> None:
    page = text(client, "/?q=deploy&type=note&project=shop&importance=8-10&month=2026-03&machine=desk&archived=1")
    assert titles(page) == ["deploy"]
    for label, without in (
        ("Search: deploy", "q=deploy"),
        ("Type: Notes", "type=note"),
        ("Project: shop", "project=shop"),
        ("Importance: High", "importance=8-10"),
        ("Month: March 2026", "month=2026-03"),
        ("Machine: desk", "machine=desk"),
        ("Archived", "archived=1"),
    ):
        assert without not in link(page, f"Take away {label}")
        assert link(page, f"Take away {label}").count("=") == 6
    assert link(page, "Clear search and filters") == "/?archived=1"


@pytest.mark.usefixtures("shop")
def test_counts_of_a_search_are_of_its_hits(client: Client) -> None:
    page = text(client, "/?q=deploy+rollback+ledger")
    assert rail(page, "Project") == {"shop": "2", "bank": "1"}
    assert rail(page, "Month") == {"March 2026": "2", "February 2026": "1"}
    assert "3 hits" in page


@pytest.mark.usefixtures("shop")
def test_archived_ones_are_counted_when_they_are_shown(client: Client) -> None:
    assert rail(text(client, "/?archived=1"), "Month")["December 2025"] == "1"


def test_a_month_is_the_local_one(client: Client, remember: Remember, zone: Callable[[str], None]) -> None:
    remember("still march here", created_at="2026-04-01T03:00:00")
    remember("april everywhere", created_at="2026-04-01T12:00:00")
    zone("America/New_York")
    assert month_at("2026-04-01T03:00:00") == ("2026-03", "2026-03-01T05:00:00")
    remember("another, so that the index is read anew", created_at="2026-05-01T12:00:00")
    page = text(client, "/?month=2026-03")
    assert titles(page) == ["still march here"]
    assert "Tuesday 31 March 2026" in page
    assert titles(text(client, "/?month=2026-04")) == ["april everywhere"]


@pytest.mark.parametrize("time_of", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_the_ends_of_the_calendar_have_a_month(time_of: str) -> None:
    assert month_at(time_of)[0] == time_of[:7]


def test_projects_that_an_alias_ties_are_one(client: Client, remember: Remember, memory_home: DataFolder) -> None:
    remember("old", project="shop-api")
    remember("new", project="orders-api", project_id="git:github.com/example/orders-api")
    assert rail(text(client, "/"), "Project") == {"shop-api": "1", "orders-api": "1"}
    Path(memory_home.settings).parent.mkdir(exist_ok=True)
    Path(memory_home.settings).write_text(json.dumps({"project_aliases": {"shop-api": "orders-api"}}), encoding="utf-8")
    page = text(client, "/")
    assert rail(page, "Project") == {"orders-api": "2"}
    assert sorted(titles(text(client, link(page, "orders-api 2")))) == ["new", "old"]
    assert sorted(titles(text(client, "/?project=shop-api"))) == ["new", "old"]


def test_hundreds_of_values_are_folded_and_bounded(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    for number in range(60):
        make_record("text", tags=f"often, tag-{number:02d}", origin=f"m{number}", project=f"p{number}")
    mirror.update(memory_home)
    page = text(client, "/")
    assert len(rail(page, "Tag")) == 32
    assert next(iter(rail(page, "Tag"))) == "often"
    assert page.count("<summary>20 more</summary>") == 3
    chosen = text(client, "/?tag=tag-59")
    assert len(titles(chosen)) == 1
    assert 'aria-current="true"><span>tag-59</span>' in chosen


def test_a_page_of_long_entries_with_full_rails_stays_below_60_kb(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    for number in range(60):
        tags = ", ".join(f"tag-{number:02d}-{more}" for more in range(9))
        text_ = f"# {'title ' * 60}\n\n{number} {'words and phrases of every length, ' * 400}"
        month = f"{2020 + number // 12}-{number % 12 + 1:02d}"
        make_record(
            text_, tags=tags, origin=f"machine-{number}", project=f"project-number-{number}", importance=9,
            created_at=f"{month}-10T09:00:00", project_id=f"git:github.com/example/project-number-{number}",
        )  # fmt: skip
    mirror.update(memory_home)
    for address in ("/", f"/?q=words+{'question+' * 30}", "/?q=" + "%E6%97%A5" * 200):
        page = text(client, address)
        assert len(page.encode()) < 60_000
    assert len(titles(text(client, "/"))) == 40


def test_the_index_agrees_with_the_queries_that_it_stands_for(memory_home: DataFolder, remember: Remember) -> None:
    old = remember("superseded", created_at="2026-03-14T09:00:00")
    remember("archived", status="archived", created_at="2026-03-14T09:00:00")
    remember("current", connections=[{"to_uuid": old["uuid"], "relationship": "supersedes"}])
    remember("related", connections=[{"to_uuid": old["uuid"], "relationship": "related_to"}])
    selectors.mirror_connection(memory_home)
    index = facets.current(memory_home)
    visible = list(querysets.visible().order_by("-created_at", "-id").values_list("id", flat=True))
    assert index.after(index.chosen(Filters()), None, 10) == visible
    everything = list(Memory.objects.order_by("-created_at", "-id").values_list("id", flat=True))
    assert index.after(index.chosen(Filters(archived=True)), None, 10) == everything
    assert len(newest(index, Filters(archived=True)).entries) == 4


def test_a_cursor_whose_memory_is_gone_still_names_a_place(memory_home: DataFolder, remember: Remember) -> None:
    for day in (12, 13, 14):
        remember(str(day), created_at=f"2026-03-{day}T09:00:00")
    selectors.mirror_connection(memory_home)
    page = newest(facets.current(memory_home), Filters(), Cursor("2026-03-13T10:00:00", 1))
    assert [entry.title for entry in page.entries] == ["13", "12"]


def test_the_index_is_kept_until_the_mirror_or_the_aliases_change(memory_home: DataFolder, remember: Remember) -> None:
    remember("one")
    first = facets.current(memory_home)
    assert facets.current(memory_home) is first
    remember("two")
    second = facets.current(memory_home)
    assert second is not first
    os.makedirs(os.path.dirname(memory_home.settings), exist_ok=True)
    Path(memory_home.settings).write_text('{"project_aliases": {"a": "b"}}', encoding="utf-8")
    assert facets.current(memory_home) is not second


def test_it_is_made_ahead_of_the_next_page_only_while_somebody_looks(
    memory_home: DataFolder, remember: Remember, monkeypatch: pytest.MonkeyPatch
) -> None:
    facets.close()
    first = facets.current(memory_home)
    remember("a new one")
    facets.warm(memory_home)
    warmed = facets._kept._index
    assert warmed is not first
    assert facets.current(memory_home) is warmed
    monkeypatch.setattr(facets, "WARM_SECONDS", 0.0)
    remember("another one")
    facets.warm(memory_home)
    assert facets._kept._index is warmed
    assert facets.current(memory_home) is not warmed


def test_a_closed_index_is_made_again_when_it_is_asked_for(memory_home: DataFolder, remember: Remember) -> None:
    remember("text")
    before = facets.current(memory_home)
    facets.close()
    facets.close()
    assert facets.current(memory_home) is not before
    assert facets.current(memory_home).ids == before.ids


@given(st.sets(st.integers(0, 300)), st.integers(0, 40))
def test_a_set_is_walked_from_its_lowest_bit(places: set[int], most: int) -> None:
    assert list(walk(bits(places, 301), most)) == sorted(places)[:most]


def test_a_session_at_the_end_of_the_calendar_has_a_month_east_of_greenwich(zone: Callable[[str], None]) -> None:
    zone("IST-5:30")
    assert month_of(253402300799) == "9999-12"

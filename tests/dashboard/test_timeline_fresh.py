"""Whether the timeline has something new: /fresh/ says nothing while it has not, and costs next to nothing."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.test import Client

from memories.core import mirror, records
from memories.core.paths import DataFolder
from memories.django_connection import read_only_mirror
from memories.selectors import mirror_connection
from tests.dashboard.conftest import Remember
from tests.dashboard.timeline_pages import HTMX, text, titles


def asks(page: str) -> str:
    """Where the page asks for what is new."""
    found = re.search(r'id="fresh" hx-get="([^"]*)"', page)
    assert found
    return unescape(found[1])


def test_nothing_new_is_an_empty_answer_after_one_look_up(
    client: Client, remember: Remember, memory_home: DataFolder
) -> None:
    remember("one")
    address = asks(text(client, "/"))
    with read_only_mirror():
        raw = mirror_connection(memory_home)
    statements: list[str] = []
    raw.set_trace_callback(statements.append)
    response = client.get(address, headers=HTMX)
    assert response.status_code == 204
    assert response.content == b""
    assert [one for one in statements if one.startswith("SELECT")] == ["SELECT coalesce(max(id), 0) FROM memory"]


def test_a_new_memory_is_told_with_where_to_ask_next(client: Client, remember: Remember) -> None:
    remember("one")
    address = asks(text(client, "/"))
    remember("two")
    response = client.get(address, headers=HTMX)
    assert json.loads(response.headers["HX-Trigger-After-Swap"]) == {"memories": {"count": 1}}
    again = asks(response.content.decode())
    assert client.get(again, headers=HTMX).status_code == 204
    remember("three")  # counted with the one that the page does not show yet
    response = client.get(again, headers=HTMX)
    assert json.loads(response.headers["HX-Trigger-After-Swap"]) == {"memories": {"count": 2}}


@pytest.mark.parametrize(
    ("shown", "is_told"), [("project=shop", 1), ("project=bank", 0), ("q=tuesday", 1), ("q=friday", 0)]
)
def test_only_what_the_page_would_list_is_told(client: Client, remember: Remember, shown: str, is_told: int) -> None:
    remember("first of all on friday", project="bank")
    address = asks(text(client, f"/?{shown}"))
    remember("deploy on tuesday", project="shop")
    response = client.get(address, headers=HTMX)
    assert response.status_code == 200
    assert ("HX-Trigger-After-Swap" in response.headers) == bool(is_told)


def test_an_edit_and_a_deletion_are_nothing_new(client: Client, remember: Remember, memory_home: DataFolder) -> None:
    record = remember("one")
    remember("two")
    address = asks(text(client, "/"))
    record["content"] = "one, edited and longer"
    records.save(memory_home, record)
    mirror.update(memory_home)
    assert client.get(address, headers=HTMX).status_code == 204


def test_an_index_that_was_built_anew_does_not_disturb(client: Client, remember: Remember) -> None:
    remember("one")
    response = client.get("/fresh/?since=50&seen=50", headers=HTMX)
    assert "HX-Trigger-After-Swap" not in response.headers
    assert asks(response.content.decode()) == "/fresh/?since=1&seen=1"


def test_a_page_further_down_does_not_ask(client: Client, remember: Remember) -> None:
    remember("one")
    assert 'id="fresh"' not in text(client, "/?before=2027-01-01T00:00:00~9")


def test_the_list_that_asks_for_itself_makes_no_history(client: Client, remember: Remember) -> None:
    remember("one")
    response = client.get("/", headers={**HTMX, "HX-Trigger": "browse"})
    assert "HX-Push-Url" not in response.headers
    assert titles(response.content.decode()) == ["one"]


@pytest.mark.parametrize("query", ["", "since=1", "since=a&seen=1", "since=1&seen=-1", "since=1&seen=99&type=task"])
def test_an_address_that_no_page_asks_is_refused(client: Client, query: str) -> None:
    assert client.get(f"/fresh/?{query}", headers=HTMX).status_code == 400

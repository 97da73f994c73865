"""The list of sessions: what it shows, how it filters and pages, and what it costs."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created
from django.test import Client

from memories.core import mirror
from memories.core.paths import DataFolder
from memories.sessions import PAGE_SIZE, month_bounds
from tests.conftest import MakeRecord
from tests.core.conversations import put, update
from tests.core.transcript_lines import Script

HTMX = {"HX-Request": "true"}


def session_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000c0de"


def archive(folder: DataFolder, number: int, *, cwd: str = "/code/shop", start: str = "2026-03-14T09:00") -> str:
    """A session with one request; the index does not have it yet."""
    script = Script(cwd, session_id(number), start=start)
    script.user(f"request {number}")
    script.answer(f"done {number}")
    put(folder, script.dump(), f"{session_id(number)}.jsonl")
    return session_id(number)


def text(client: Client, address: str = "/s/", **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return unescape(response.content.decode())


def titles(page: str) -> list[str]:
    return re.findall(r"<h3><a[^>]*>([^<]*)</a></h3>", page)


def counted(call: Any) -> int:
    """How many statements a call runs on Django's connection, the raw ones too."""
    seen: list[str] = []

    def watch(**_: Any) -> None:
        connection.connection.set_trace_callback(seen.append)

    connection.close()
    connection_created.connect(watch)
    call()
    connection_created.disconnect(watch)
    return len(seen)


def test_an_empty_archive_says_what_fills_it(client: Client) -> None:
    page = text(client)
    assert "No session is archived yet" in page
    assert "llm-memory sync" in page


def test_sessions_are_listed_newest_first_by_day_with_their_facts(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    for number, day in ((1, 14), (2, 16), (3, 15)):
        archive(memory_home, number, start=f"2026-03-{day}T09:00")
    put(memory_home, Script("/code/shop", session_id(2)).dump() + b"", f"{session_id(2)}/subagents/agent-a1.jsonl")
    log = make_record("turns: 2", type="session_log", session_id=session_id(2), project="shop")
    update(memory_home)
    mirror.update(memory_home)
    page = text(client)
    assert titles(page) == ["request 2", "request 3", "request 1"]
    assert len(re.findall('<h2 class="day">', page)) == 3
    entry = page[page.index("request 2") : page.index("request 3")]
    for shown in ("2 turns", "1 subagent", f"/m/{log['uuid']}/", "shop"):
        assert shown in entry
    assert f'href="/t/{session_id(3)}/"' in page
    assert page.count("no session log") == 2


def test_a_one_shot_run_is_said_to_be_one(client: Client, memory_home: DataFolder, make_record: MakeRecord) -> None:
    archive(memory_home, 1)
    make_record("a log", type="session_log", session_id=session_id(1), entrypoint="sdk-cli")
    update(memory_home)
    mirror.update(memory_home)
    assert "one-shot" in text(client)


def test_a_project_and_a_month_narrow_the_list_and_count(client: Client, memory_home: DataFolder) -> None:
    archive(memory_home, 1, cwd="/code/shop", start="2026-03-14T09:00")
    archive(memory_home, 2, cwd="/code/shop", start="2026-04-14T09:00")
    archive(memory_home, 3, cwd="/code/mail", start="2026-04-15T09:00")
    update(memory_home)
    assert titles(text(client, "/s/?project=shop")) == ["request 2", "request 1"]
    assert titles(text(client, "/s/?project=shop&month=2026-04")) == ["request 2"]
    assert titles(text(client, "/s/?month=2026-04")) == ["request 3", "request 2"]
    page = text(client, "/s/?month=2026-04")
    assert re.search(r'href="/s/\?project=mail&month=2026-04"><span>mail</span> <b>1</b>', page)
    assert re.search(r'href="/s/\?month=2026-03"><span>March 2026</span> <b>1</b>', page)
    assert "No session fits these filters" in text(client, "/s/?project=nowhere")


def test_what_is_chosen_stands_above_the_list_and_can_be_taken_away(client: Client, memory_home: DataFolder) -> None:
    archive(memory_home, 1)
    update(memory_home)
    assert 'class="chips"' not in text(client)
    page = text(client, "/s/?project=shop&month=2026-03")
    chips = page[page.index('class="chips"') : page.index("</ul>", page.index('class="chips"'))]
    assert re.findall(r'href="([^"]*)"(?:><span[^>]*>Take away </span>|>)([^<]*)', chips) == [
        ("/s/?month=2026-03", "Project: shop "),
        ("/s/?project=shop", "Month: March 2026 "),
        ("/s/", "All sessions"),
    ]


def test_paging_reaches_each_session_once(client: Client, memory_home: DataFolder) -> None:
    for number in range(65):
        archive(memory_home, number, start=f"2026-03-{number % 28 + 1:02}T09:00")
    update(memory_home)
    address, seen = "/s/", []
    while address:
        page = text(client, address)
        seen += titles(page)
        more = re.search(r'<p class="more"><a href="([^"]*)"', page)
        address = more[1] if more else ""
    assert len(seen) == len(set(seen)) == 65
    first = text(client)
    part = text(client, re.search(r'hx-get="([^"]*)"', first)[1], **HTMX)  # type: ignore[index]
    assert "<html" not in part
    assert len(titles(part)) == PAGE_SIZE


@pytest.mark.parametrize(
    "query", ["before=x", "before=1~", "month=march", "month=2026-13", "month=2026-3", f"project={'m' * 501}"]
)
def test_an_address_that_no_link_leads_to_is_refused(client: Client, query: str) -> None:
    response = client.get(f"/s/?{query}")
    assert response.status_code == 400
    assert '<a href="/s/">Open this page from its start</a>' in response.content.decode()


def test_a_session_that_is_not_indexed_yet_is_named_and_opens(client: Client, memory_home: DataFolder) -> None:
    archive(memory_home, 1)
    update(memory_home)
    archive(memory_home, 2)
    page = text(client)
    assert "1 archived session is not in the index yet" in page
    assert f"/t/{session_id(2)}/" in page
    assert "not in the index yet" in text(client, f"/t/{session_id(2)}/")


def test_a_session_that_repeats_another_says_so(client: Client, memory_home: DataFolder) -> None:
    data = Script("/code/shop", session_id(1))
    data.user("said once")
    put(memory_home, data.dump(), f"{session_id(1)}.jsonl")
    put(memory_home, data.dump(), f"{session_id(2)}.jsonl")
    update(memory_home)
    assert sorted(titles(text(client))) == ["Repeats what another session has", "said once"]


def test_hostile_titles_and_projects_stay_text(client: Client, memory_home: DataFolder) -> None:
    script = Script("/code/<img src=x onerror=alert(1)>", session_id(1))
    script.user("<script>alert(1)</script>")
    put(memory_home, script.dump(), f"{session_id(1)}.jsonl")
    update(memory_home)
    page = client.get("/s/").content.decode()
    assert "<script>alert" not in page
    assert "<img" not in page


def test_the_number_of_queries_does_not_grow_with_the_sessions(client: Client, memory_home: DataFolder) -> None:
    counts = []
    for numbers in (range(2), range(2, 40)):
        for number in numbers:
            archive(memory_home, number)
        update(memory_home)
        client.get("/s/")  # the facets' index is built
        counts.append(counted(lambda: client.get("/s/")))
    assert counts[0] == counts[1] <= 12


def test_the_calendar_s_last_month_has_an_end() -> None:
    bounds = month_bounds("9999-12")
    assert bounds is not None
    assert bounds[1] - bounds[0] == 31 * 86_400

"""/status/: what machines disagreed about, both sides of it, and /status/sync/: what Syncthing says of them."""

from __future__ import annotations

import re
import time
from html import unescape
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.test import Client

from memories.core import mirror, records
from memories.core.paths import DataFolder
from memories.syncthing import state
from memories.syncthing.answers import Device
from tests.memories import disagreements


def _page(client: Client, address: str = "/status/") -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(unescape(response.content.decode()).split())


def test_a_merged_memory_is_listed_with_both_sides_and_a_link_that_compares_them(
    memory_home: DataFolder, client: Client
) -> None:
    made = disagreements.all_of_it(memory_home)
    page = _page(client)
    assert 'Deploys go out on Tuesdays</a> <span class="facts">shown, desktop' in page
    assert 'Deploys go out on Fridays</a> <span class="facts">kept, laptop' in page
    address = f"/m/{made['record']}/?compare={made['kept']}"
    assert f'href="{address}"' in page
    both = _page(client, address)
    assert "2026-03-13" in both
    assert "2026-03-14" in both
    assert both.index("laptop") < both.index("desktop"), "the earlier edit is the older side"


def test_a_memory_whose_shown_side_was_deleted_is_listed_without_a_comparison(
    memory_home: DataFolder, client: Client
) -> None:
    made = disagreements.all_of_it(memory_home)
    records.delete(memory_home, made["record"])
    mirror.update(memory_home)
    page = _page(client)
    assert 'Deploys go out on Tuesdays <span class="facts">deleted ' in page
    assert f'href="/m/{made["kept"]}/"' in page
    assert f"compare={made['kept']}" not in page


def test_an_edit_that_lost_to_a_deletion_is_listed_with_what_restores_it(
    memory_home: DataFolder, client: Client
) -> None:
    made = disagreements.edited_and_deleted(memory_home, "<i>Fridays</i>")
    page = _page(client)
    assert "<h3>Memories that one machine edited and another deleted</h3>" in page
    assert '<i>Fridays</i> <span class="facts">edited on laptop, ' in page, "as text: the page was unescaped here"
    assert "<i>" not in client.get("/status/").content.decode()
    assert f"<code>llm-memory restore {made['kept']}</code>" in page


def test_a_merge_of_rules_of_long_ago_is_no_conflict_any_more(memory_home: DataFolder, client: Client) -> None:
    disagreements.ruled_twice(memory_home)
    disagreements.merge(memory_home)
    log = Path(memory_home.state, "merges.jsonl")
    assert "Rules and settings that were merged" in _page(client)
    log.write_text(re.sub(r'"at": "\d{4}', '"at": "2020', log.read_text(encoding="utf-8")), encoding="utf-8")
    assert "Rules and settings that were merged" not in _page(client)


def test_a_transcript_that_went_on_differently_leads_to_both_files(memory_home: DataFolder, client: Client) -> None:
    session = disagreements.all_of_it(memory_home)["session"]
    page = _page(client)
    links = re.findall(rf'href="(/t/{session}[^"]*)">[^<]*\.jsonl<', page)
    assert len(links) == 2
    texts = [_page(client, address) for address in links]
    assert ["never at night" in text for text in texts] == [True, False]
    assert ["On Fridays." in text for text in texts] == [False, True]


def test_merged_rules_lead_to_both_versions_line_by_line(memory_home: DataFolder, client: Client) -> None:
    disagreements.all_of_it(memory_home)
    (address,) = re.findall(r'href="(/status/merged/[^"]*)"', _page(client))
    response = client.get(address)
    assert "Both sides of CLAUDE.md" in response.content.decode()
    assert "<b>" not in response.content.decode()
    assert "Ask first." in _page(client, address)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 400),
        ("?one=../../records/x&other=../x", 400),
        ("?one=aaaaaaaaaaaa-CLAUDE.md&other=bbbbbbbbbbbb-CLAUDE.md", 404),
    ],
)
def test_versions_that_are_not_there_are_no_fault(client: Client, query: str, code: int) -> None:
    assert client.get(f"/status/merged/{query}").status_code == code


def test_syncthing_is_asked_after_the_page(memory_home: DataFolder, client: Client) -> None:
    _set_up(memory_home)
    page = _page(client)
    assert "sync-setup --remove" not in page
    assert 'hx-get="/status/sync/" hx-trigger="load"' in page
    assert '<a href="/status/sync/">Ask Syncthing</a>' in page


def test_what_syncthing_says_is_a_part_for_htmx_and_a_page_without(memory_home: DataFolder, client: Client) -> None:
    part = client.get("/status/sync/", headers={"HX-Request": "true"})
    page = client.get("/status/sync/")
    assert (b"<html" in part.content, b"<html" in page.content) == (False, True)
    for answer in (part, page):
        assert b"Not set up here" in answer.content
        assert "HX-Request" in answer.headers["Vary"]


def test_a_syncthing_that_is_not_there_is_said_with_the_next_step(memory_home: DataFolder, client: Client) -> None:
    _set_up(memory_home)
    assert "sync-setup --remove" in _page(client, "/status/sync/")


def _set_up(folder: DataFolder) -> None:
    """As if sync-setup had been run, with a Syncthing that is gone since."""
    state.write_note(folder, state.Note(config=f"{folder.root}/none.xml", url="http://127.0.0.1:9", path="/x"))


def test_other_machines_are_named_with_what_they_lack() -> None:
    devices = [
        state.DeviceState("ABC", "<i>laptop</i>", True, False, None, 3),
        state.DeviceState("DEF", "", False, False, time.time() - 7200, None),
    ]
    said = state.SyncState(state="idle", errors=["marker <b>missing</b>"], devices=devices)
    part = render_to_string("dashboard/_status_sync.html", {"sync": said})
    assert "<i>" not in part
    page = " ".join(unescape(part).split())
    assert 'laptop</i> <span class="facts">connected, lacks 3 files' in page
    assert 'DEF <span class="facts">not connected, last seen 2 h ago' in page
    assert "The folder has 1 error." in page
    assert ".stignore is not in force" in page


def test_a_machine_that_asks_to_connect_is_named_with_the_next_step() -> None:
    asking = state.SyncState(state="idle", ignoring=True, pending=[Device("ABCDEFG-" * 7 + "ABCDEFG", "<i>desk</i>")])
    part = render_to_string("dashboard/_status_sync.html", {"sync": asking})
    assert "<i>" not in part
    assert "desk" in part
    assert "llm-memory sync-setup" in part

"""The memory and project pages in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from memories.core import mirror
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.dashboard import server
from tests.dashboard.browser import OpenTab
from tests.dashboard.narratives import write_narrative

pytestmark = pytest.mark.browser

LONG = "a-name-without-any-place-to-break-it-" * 4


@pytest.fixture
def uuids(folder: DataFolder, make_record: MakeRecord) -> list[str]:
    """Two narratives of a project, the older first."""
    old = write_narrative(folder, f"# Shop\n\nold {LONG}", created_at="2026-03-01T09:00:00")
    link = [{"to_uuid": old["uuid"], "relationship": "supersedes"}]
    text = f"# Shop\n\nnew {LONG}\n\n## Decisions\n\n- Use Postgres 16\n"
    new = write_narrative(folder, text, connections=link, created_at="2026-03-02T09:00:00")
    for number in range(3):
        make_record(f"{LONG} note {number}", project="shop", tags=LONG)
    mirror.update(folder)
    return [old["uuid"], new["uuid"]]


@pytest.fixture
def address(folder: DataFolder, uuids: list[str]) -> Iterator[str]:
    """A dashboard over them."""
    with server.dashboard(folder) as found:
        yield found


def test_the_id_is_copied(address: str, uuids: list[str], open_tab: OpenTab) -> None:
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"])
    tab.goto(f"{address}m/{uuids[1]}/")
    tab.get_by_role("button", name="Copy id").click()
    expect(tab.get_by_role("button", name="Copied")).to_be_visible()
    assert tab.evaluate("navigator.clipboard.readText()") == uuids[1]


def test_the_briefing_comes_when_it_is_scrolled_to_and_tabs_change_it_without_a_reload(
    address: str, open_tab: OpenTab
) -> None:
    tab = open_tab()
    tab.goto(f"{address}p/shop/")
    tab.evaluate("window.stillHere = true")
    tab.locator(".saw").scroll_into_view_if_needed()
    expect(tab.locator(".saw pre")).to_contain_text("Use Postgres 16")
    height = tab.evaluate("document.documentElement.scrollHeight")
    tab.get_by_role("link", name="Resume").click()
    expect(tab.get_by_role("link", name="Resume")).to_have_attribute("aria-current", "true")
    expect(tab.locator(".saw pre")).to_have_count(1)
    assert tab.evaluate("document.documentElement.scrollHeight") == height
    assert tab.evaluate("window.stillHere") is True
    expect(tab.get_by_role("link", name="Resume")).to_be_focused()
    expect(tab).to_have_url(f"{address}p/shop/?saw=resume#saw")
    tab.reload()
    expect(tab.get_by_role("link", name="Resume")).to_have_attribute("aria-current", "true")


def test_a_narrow_screen_shows_the_newest_weeks_of_the_map_first(address: str, open_tab: OpenTab) -> None:
    tab = open_tab(viewport={"width": 390, "height": 844})
    tab.goto(f"{address}p/shop/")
    right = "document.querySelector('.map').getBoundingClientRect().right"
    assert tab.evaluate(f"Math.abs(document.querySelector('.map svg').getBoundingClientRect().right - {right})") < 1


def test_the_entries_that_changed_come_by_themselves(address: str, uuids: list[str], open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.goto(f"{address}m/{uuids[1]}/?compare={uuids[0]}")
    expect(tab.locator(".entries")).to_contain_text("Added: 1")


def test_everything_works_without_javascript(address: str, uuids: list[str], open_tab: OpenTab) -> None:
    tab = open_tab(java_script_enabled=False)
    tab.goto(f"{address}p/shop/")
    tab.get_by_role("link", name="Startup").click()
    expect(tab.locator(".saw pre")).to_contain_text("Use Postgres 16")
    tab.goto(f"{address}m/{uuids[1]}/?compare={uuids[0]}")
    tab.get_by_role("link", name="What became of its entries").click()
    expect(tab.locator(".entries")).to_contain_text("Added: 1")


@pytest.mark.parametrize(
    "place", ["p/", "p/shop/?saw=startup", "m/{1}/", "m/{1}/?compare={0}", "m/{1}/?compare={0}&view=inline"]
)
def test_nothing_scrolls_sideways_on_a_narrow_screen(
    address: str, uuids: list[str], open_tab: OpenTab, place: str
) -> None:
    tab: Page = open_tab(viewport={"width": 320, "height": 700})
    tab.goto(address + place.format(*uuids))
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320

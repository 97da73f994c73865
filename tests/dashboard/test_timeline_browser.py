"""The timeline in a real Chromium: new memories appear by themselves, or wait where they would move what is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from memories.core import mirror
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.dashboard import server
from tests.dashboard.browser import OpenTab
from tests.memories.conversations import archive, talk

pytestmark = pytest.mark.browser

Come = Callable[[str], None]
LOOK = "htmx.trigger(document.getElementById('fresh'), 'look')"
"""What the page does every 5 seconds, without the wait."""

SHIFTS = """new Promise(done => new PerformanceObserver(list => done(
    list.getEntries().reduce((sum, one) => sum + one.value, 0))).observe({type: 'layout-shift', buffered: true})
    || setTimeout(() => done(0), 100))"""


@pytest.fixture
def address(folder: DataFolder, make_record: MakeRecord) -> Iterator[str]:
    """A dashboard over 70 memories with all kinds of fields and a conversation."""
    for number in range(70):
        make_record(
            f"canary {number}", created_at=f"2026-03-{number // 24 + 1:02d}T{number % 24:02d}:00:00",
            project=f"project-{number % 20}", tags=f"tag-{number % 30}", origin=f"machine-{number % 3}",
        )  # fmt: skip
    archive(folder, talk("When does the canary sing?", "At dawn."))
    with server.dashboard(folder) as found:
        yield found


@pytest.fixture
def page(address: str, open_tab: OpenTab) -> Page:
    """A watched tab on the timeline."""
    tab = open_tab()
    tab.goto(address)
    return tab


@pytest.fixture
def come(folder: DataFolder, make_record: MakeRecord, page: Page) -> Come:
    """Stores a memory, as a session beside the dashboard does, and has the page look."""

    def store(content: str) -> None:
        make_record(content)
        mirror.update(folder, wait_seconds=60)
        page.evaluate(LOOK)

    return store


def test_a_new_memory_appears_without_reloading(page: Page, come: Come) -> None:
    page.evaluate("window.stillHere = true")
    come("the newest of all")
    expect(page.locator(".entry").first).to_contain_text("the newest of all")
    expect(page.locator("#count")).to_have_text("71 memories")
    expect(page.locator("#live")).to_be_empty()
    come("and one more")
    expect(page.locator(".entry").first).to_contain_text("and one more")
    assert page.evaluate("window.stillHere") is True
    assert page.evaluate("history.length") == 2  # about:blank and this


def test_the_page_looks_by_itself(page: Page, folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("unasked for")
    mirror.update(folder, wait_seconds=60)
    expect(page.locator(".entry").first).to_contain_text("unasked for", timeout=20_000)


def test_a_hidden_page_does_not_ask(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/fresh/" in request.url else None)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.evaluate(LOOK)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: false})")
    with page.expect_request("**/fresh/**"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert len(asked) == 1


IN_USE = {
    "scrolled": "scrollTo(0, 600)",
    "focused": "document.querySelector('.entry a').focus({preventScroll: true})",
    "unfolded": "document.querySelector('.facet details').open = true",
    "selected": "getSelection().selectAllChildren(document.querySelector('.entry'))",
}


@pytest.mark.parametrize("way", IN_USE)
def test_a_list_in_use_is_not_moved_but_a_button_says_what_waits(page: Page, come: Come, way: str) -> None:
    page.evaluate(IN_USE[way])
    before = page.evaluate("[scrollY, document.querySelector('.entry').getBoundingClientRect().top]")
    come("the first that waits")
    button = page.get_by_role("status").get_by_role("button", name="1 new memory")
    expect(button).to_be_visible()
    come("the second that waits")
    button = page.get_by_role("status").get_by_role("button", name="2 new memories")
    expect(button).to_be_visible()
    assert page.evaluate("[scrollY, document.querySelector('.entry').getBoundingClientRect().top]") == before
    button.click()
    expect(page.locator(".entry").first).to_contain_text("the second that waits")
    expect(page.locator("#live")).to_be_empty()
    assert page.evaluate("[scrollY, document.activeElement.id]") == [0, "main"]


def test_what_the_page_would_not_list_does_not_disturb(page: Page, come: Come, address: str) -> None:
    page.goto(address + "?project=project-1")
    page.evaluate("scrollTo(0, 600)")
    with page.expect_response("**/fresh/**") as answer:
        come("of no project")
    assert answer.value.status == 200
    expect(page.locator("#live")).to_be_empty()


def test_typing_finds_conversations_and_back_restores_the_list(page: Page) -> None:
    page.locator("#q").press_sequentially("canary sing")
    hit = page.locator(".entry.transcript a").first
    expect(hit).to_have_attribute("href", re.compile(r"/t/.*\?line=\d+#L\d+$"))
    expect(page.locator(".entry.transcript mark").first).to_be_visible()
    page.go_back()
    expect(page.locator(".entry")).to_have_count(40)
    expect(page.locator(".entry.transcript")).to_have_count(0)


def test_loading_and_searching_shift_nothing(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator(".entry")).to_have_count(40)
    assert page.evaluate(SHIFTS) == 0


@pytest.mark.parametrize("width", [320, 390])
def test_the_filters_are_folded_on_a_narrow_screen_and_work(address: str, open_tab: OpenTab, width: int) -> None:
    tab = open_tab(viewport={"width": width, "height": 800})
    tab.goto(address)
    assert not tab.get_by_role("link", name="Notes").is_visible()
    tab.get_by_text("Filters", exact=True).click()
    tab.get_by_role("link", name="machine-1").click()
    expect(tab.get_by_role("link", name="Take away Machine: machine-1")).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_links_are_large_enough_to_hit(page: Page, address: str) -> None:
    page.goto(address + "?project=project-1&tag=tag-1")
    small = page.evaluate(
        """[...document.querySelectorAll('main a, main summary')].filter(one => one.checkVisibility())
            .map(one => one.getBoundingClientRect()).filter(box => box.height < 24 || box.width < 24).length"""
    )
    assert small == 0


def test_filters_and_chips_work_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address)
    tab.get_by_role("link", name="project-1 4").click()
    tab.get_by_role("link", name="March 2026 4").click()
    expect(tab.locator(".entry")).to_have_count(4)
    tab.get_by_role("link", name="Take away Project: project-1").click()
    expect(tab.locator(".entry")).to_have_count(40)
    context.close()

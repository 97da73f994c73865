"""The dashboard in a real Chromium: search without reload, no policy violation, keyboard, and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from memories.core import mirror
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.dashboard import server
from tests.dashboard.browser import OpenTab

pytestmark = pytest.mark.browser


@pytest.fixture
def address(folder: DataFolder, make_record: MakeRecord) -> Iterator[str]:
    """A dashboard over 70 memories, one of them with an attack in it."""
    for number in range(68):
        make_record(f"canary {number}", created_at=f"2026-03-{number // 24 + 1:02d}T{number % 24:02d}:00:00")
    make_record("# Freeze\n\nThe deploy waits for **Monday**.", project="shop", created_at="2026-04-01T00:00:00")
    make_record("<img src=x onerror=\"document.title='attacked'\"> freeze", created_at="2026-04-02T00:00:00")
    mirror.update(folder)
    with server.dashboard(folder) as found:
        yield found


@pytest.fixture
def page(address: str, open_tab: OpenTab) -> Page:
    """A watched tab; closed before the server, which would refuse late requests."""
    return open_tab()


def test_typing_searches_without_a_reload_and_back_undoes_it(page: Page, address: str) -> None:
    page.goto(address)
    page.evaluate("window.stillHere = true")
    page.keyboard.press("Tab")  # skip link
    page.locator("#q").press_sequentially("freeze")
    page.wait_for_url("**/?q=freeze")
    expect(page.locator(".entry")).to_have_count(2)
    expect(page.locator("#count")).to_have_text("2 hits for “freeze”, best first")
    expect(page.locator("mark").first).to_have_text("Freeze")
    expect(page).to_have_title("freeze · LLM Memory")
    assert page.evaluate("document.activeElement.id") == "q"
    page.go_back()
    expect(page.locator(".entry")).to_have_count(40)
    assert page.input_value("#q") == ""
    assert page.evaluate("window.stillHere") is True


def test_scrolling_loads_the_rest_once(page: Page, address: str) -> None:
    page.goto(address)
    assert page.locator(".entry").count() == 40
    page.locator(".more").scroll_into_view_if_needed()
    expect(page.locator(".entry")).to_have_count(70)
    days = page.locator("h2.day").all_inner_texts()
    assert len(days) == len(set(days)) == 5
    assert page.url == address


def test_back_leads_to_the_entry_that_was_opened(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".more").scroll_into_view_if_needed()
    expect(page.locator(".entry")).to_have_count(70)
    page.locator(".entry a").nth(65).click()
    page.wait_for_url("**/m/*/")
    page.go_back()
    expect(page.locator(".entry")).to_have_count(70)
    expect(page.locator(".entry a").nth(65)).to_be_focused()
    expect(page.locator(".entry a").nth(65)).to_be_in_viewport()


def test_an_attack_in_a_memory_stays_text(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name=re.compile("onerror")).click()
    expect(page).to_have_title(re.compile("^<img src=x"))
    assert page.url.startswith(f"{address}m/")
    expect(page.locator(".text")).to_have_count(1)
    assert page.locator(".text img").count() == 0


def test_the_keyboard_reaches_search_filters_and_memories_with_visible_focus(page: Page, address: str) -> None:
    page.goto(address)
    reached = []
    for _ in range(24):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
                const element = document.activeElement;
                const ring = [element, element.closest('.entry')].some(
                    one => one && getComputedStyle(one).outlineStyle === 'solid'
                        && parseFloat(getComputedStyle(one).outlineWidth) >= 2);
                return [element.textContent.trim() || element.id, ring];
            }"""
        )
        assert focused[1], focused
        reached.append(focused[0])
    assert reached[0] == "Skip to the content"
    assert "q" in reached
    assert any("shop" in one for one in reached)


def test_narrow_screens_do_not_scroll_sideways(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 700})
    tab = context.new_page()
    for path in ("", "?q=freeze", "?q=nothing+at+all"):
        tab.goto(address + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320
    tab.goto(address)
    tab.locator(".entry a").first.click()
    tab.wait_for_url("**/m/*/")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()


def test_everything_works_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address)
    tab.get_by_role("link", name="More").click()
    expect(tab.locator(".entry")).to_have_count(30)
    tab.get_by_role("link", name="Back to the newest").click()
    expect(tab.locator(".entry")).to_have_count(40)
    tab.get_by_role("searchbox", name="Search memories").fill("freeze")
    tab.get_by_role("button", name="Search").click()
    expect(tab.locator(".entry")).to_have_count(2)
    tab.get_by_role("link", name=re.compile("shop")).click()
    expect(tab.locator(".entry")).to_have_count(1)
    tab.locator(".entry a").click()
    expect(tab.locator(".text strong")).to_have_text("Monday")
    tab.get_by_text("Raw record").click()
    assert tab.locator(".raw pre").is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(browser: Browser, address: str, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(color_scheme=scheme)
    tab = context.new_page()
    tab.goto(address + "?q=freeze&project=shop")
    assert tab.evaluate(CONTRASTS_BELOW_AA) == []
    tab.locator(".entry a").click()
    tab.wait_for_url("**/m/*/")
    assert tab.evaluate(CONTRASTS_BELOW_AA) == []
    context.close()


CONTRASTS_BELOW_AA = """() => {
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        for (let one = element; one; one = one.parentElement) {
            const colour = parse(getComputedStyle(one).backgroundColor);
            if (colour.length === 3 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const low = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        if (!own || element.closest('.unseen')) continue;
        const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) low.push([element.className, element.textContent.trim().slice(0, 40), ratio]);
    }
    return low;
}"""

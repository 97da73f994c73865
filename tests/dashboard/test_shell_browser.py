"""What every page shares, in Chromium: keys, the help, the colour scheme, copying."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from memories.core import mirror
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.dashboard import server
from tests.dashboard.browser import OpenTab

pytestmark = pytest.mark.browser
PLACES = {"t": "", "p": "p/", "s": "s/", "g": "graph/", "i": "status/"}
FOCUSED = "document.activeElement.textContent.trim()"


@pytest.fixture
def address(folder: DataFolder, make_record: MakeRecord) -> Iterator[str]:
    for number in range(3):
        make_record(f"canary {number}", created_at=f"2026-03-0{number + 1}T10:00:00")
    mirror.update(folder)
    with server.dashboard(folder) as found:
        yield found


@pytest.fixture
def page(address: str, open_tab: OpenTab) -> Page:
    tab = open_tab()
    tab.goto(address)
    return tab


def test_slash_goes_to_the_search_field_and_escape_leaves_it(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("a/b?j")
    assert page.input_value("#q") == "a/b?j"
    page.keyboard.press("Escape")
    expect(page.locator("#q")).not_to_be_focused()
    assert page.input_value("#q") == "a/b?j"


def test_j_and_k_move_through_the_list_and_enter_opens(page: Page) -> None:
    for key, title in (("j", "canary 2"), ("j", "canary 1"), ("k", "canary 2"), ("k", "canary 2"), ("j", "canary 1")):
        page.keyboard.press(key)
        assert page.evaluate(FOCUSED) == title
    page.keyboard.press("Enter")
    page.wait_for_url("**/m/*/")


@pytest.mark.parametrize("key", list(PLACES))
def test_g_and_a_letter_go_to_a_page(page: Page, address: str, key: str) -> None:
    page.goto(address + ("s/" if key != "s" else ""))
    page.keyboard.press("g")
    page.keyboard.press(key)
    page.wait_for_url(address + PLACES[key])


def test_modifiers_leave_the_browser_its_own_keys(page: Page, address: str) -> None:
    for keys in ("Control+j", "Alt+g", "Meta+k"):
        page.keyboard.press(keys)
    page.keyboard.press("s")
    assert page.url == address
    assert page.evaluate("document.activeElement.tagName") == "BODY"


def test_the_question_mark_shows_the_keys_and_escape_closes_them(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("j")
    assert page.evaluate(FOCUSED) == "Close"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).not_to_be_visible()
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog", name="Keys")).not_to_be_visible()


def test_every_key_that_the_help_names_goes_somewhere(page: Page) -> None:
    named = page.locator("#keys dt").all_text_contents()
    assert {f"g {key}" for key in PLACES} <= {" ".join(one.split()) for one in named}
    assert page.locator("[data-go]").evaluate_all("all => all.map(one => one.dataset.go)") == list(PLACES)


def test_the_colour_scheme_follows_the_system_until_one_is_chosen_which_stays(address: str, open_tab: OpenTab) -> None:
    tab = open_tab(color_scheme="dark")
    tab.goto(address)
    background = "getComputedStyle(document.body).backgroundColor"
    dark = tab.evaluate(background)
    switch = tab.locator("[data-theme-switch]")
    expect(switch).to_have_text("System colours")
    switch.click()
    expect(switch).to_have_text("Light")
    light = tab.evaluate(background)
    assert light != dark
    tab.reload()
    expect(switch).to_have_text("Light")
    assert tab.evaluate(background) == light
    switch.click()
    assert tab.evaluate(background) == dark
    switch.click()
    expect(switch).to_have_text("System colours")
    assert tab.context.cookies() == []


def test_nothing_moves_while_a_page_loads(address: str, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.add_init_script(
        "window.shifts = []; new PerformanceObserver(list => list.getEntries().forEach(one => shifts.push(one.value)))"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    for path in PLACES.values():
        tab.goto(address + path)
        tab.wait_for_load_state("networkidle")
        assert tab.evaluate("shifts") == [], path

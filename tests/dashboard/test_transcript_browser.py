"""The transcript reader in a real Chromium: deep links, folding, scrolling both ways, finding, keys, hostile text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from memories.core import mirror
from memories.core.paths import DataFolder
from tests.core.conversations import put, update
from tests.core.test_transcript_reading import long_script
from tests.core.transcript_lines import SESSION
from tests.dashboard import server
from tests.dashboard.browser import OpenTab

pytestmark = pytest.mark.browser

TOP = "number => document.getElementById(`L${number}`).getBoundingClientRect().top"
IN_VIEW = "number => { const box = document.getElementById(`L${number}`).getBoundingClientRect();\
 return box.top >= 0 && box.top < innerHeight; }"


@pytest.fixture
def address(folder: DataFolder) -> Iterator[str]:
    """A reader over 1,000 lines, some of them with attacks in them."""
    script = long_script(199)
    attack = "<img src=x onerror=\"document.title='attacked'\"><script>document.title='attacked'</script>"
    script.user(attack)
    script.answer(attack)
    script.call("Bash", {"command": attack}, result=attack)
    mirror.update(folder)
    put(folder, script.dump())
    update(folder)
    with server.dashboard(folder) as found:
        yield f"{found}t/{SESSION}/"


@pytest.fixture
def page(address: str, open_tab: OpenTab) -> Page:
    """A watched tab."""
    return open_tab()


def test_a_bare_deep_link_opens_its_line(page: Page, address: str) -> None:
    page.goto(f"{address}#L503")
    page.wait_for_url("**/?line=503#L503")
    expect(page.locator("#L503")).to_be_in_viewport()
    expect(page.locator("#L503")).to_have_class("line assistant target begins")


def test_a_deep_link_to_an_output_opens_its_call(page: Page, address: str) -> None:
    page.goto(f"{address}?line=505#L505")
    expect(page.locator("#L505")).to_be_visible()
    expect(page.locator("#L505")).to_be_in_viewport()
    assert page.locator("#L504 details").evaluate("one => one.open")


def test_a_deep_link_to_bookkeeping_shows_the_line_after_it(page: Page, address: str) -> None:
    page.goto(f"{address}#L502")
    page.wait_for_url("**/?line=502#L502")
    expect(page.locator(".line.target")).to_have_id("L503")
    expect(page.locator("#L503")).to_be_in_viewport()


def test_calls_are_folded_until_they_are_opened(page: Page, address: str) -> None:
    page.goto(address)
    call = page.locator("#L4")
    expect(call.locator("pre").first).to_be_hidden()
    call.locator("summary").click()
    expect(call.locator(".answer pre")).to_be_visible()


def test_scrolling_loads_later_lines_once_each(page: Page, address: str) -> None:
    page.goto(address)
    before = page.locator(".line").count()
    page.locator(".more.later").scroll_into_view_if_needed()
    page.wait_for_function("count => document.querySelectorAll('.line').length > count", arg=before)
    ids = page.locator("#conversation [id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    assert page.url == address


def test_earlier_lines_come_in_without_moving_what_is_read(page: Page, address: str) -> None:
    page.goto(f"{address}?line=503#L503")
    expect(page.locator("#L503")).to_be_in_viewport()
    page.evaluate("window.stillHere = true")
    first = page.locator(".line").first.get_attribute("id") or ""
    number = int(first[1:])
    page.locator(".more.earlier").evaluate(
        "one => window.scrollTo(0, one.getBoundingClientRect().bottom + scrollY - 90)"
    )
    page.wait_for_function("id => document.querySelector('.line').id !== id", arg=first)
    assert page.locator(".line").first.get_attribute("id") != first
    top = page.evaluate(TOP, number)
    assert 0 <= top < 300
    page.wait_for_load_state("networkidle")
    assert abs(page.evaluate(TOP, number) - top) < 2
    assert page.evaluate("window.stillHere") is True


def test_the_outline_and_n_and_p_go_from_request_to_request(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".outline a", has_text="request 3").first.click()
    page.wait_for_url("**#L16")
    assert page.evaluate(IN_VIEW, 16)
    page.keyboard.press("n")
    assert page.evaluate("document.activeElement.closest('.line').id") == "L21"
    page.keyboard.press("p")
    assert page.evaluate("document.activeElement.closest('.line').id") == "L16"
    page.locator(".outline .further a").click()
    expect(page.locator(".outline a", has_text="request 40")).to_have_count(1)


CLEAR = """number => {
  const line = document.getElementById(`L${number}`), box = line.getBoundingClientRect();
  return line.contains(document.elementFromPoint(box.left + 40, box.top + 4));
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_gone_to_is_not_under_the_header(address: str, open_tab: OpenTab, width: int) -> None:
    tab = open_tab(viewport={"width": width, "height": 800})
    tab.goto(f"{address}?line=503#L503")
    tab.wait_for_function(CLEAR, arg=503)
    for key, number in (("n", 506), ("n", 511), ("p", 506), ("p", 501)):
        tab.keyboard.press(key)
        tab.wait_for_function(CLEAR, arg=number)
        assert tab.evaluate("document.activeElement.closest('.line').id") == f"L{number}"
    assert tab.locator(".outline ol").is_visible() == (width == 1280)


def test_the_outline_marks_the_request_that_is_read_and_never_scrolls_the_page(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 400})
    page.goto(address)
    current = page.locator(".outline [aria-current]")
    for number, request in ((31, 6), (16, 3)):
        page.evaluate("number => document.getElementById(`L${number}`).scrollIntoView()", number)
        expect(current).to_have_text(f"request {request}")
        expect(current).to_be_in_viewport()
        assert page.evaluate(CLEAR, number)


def test_a_request_on_another_page_has_the_focus_when_it_is_reached(page: Page, address: str) -> None:
    page.goto(f"{address}?line=503#L503")
    page.wait_for_function("document.activeElement.id === 'L503'")
    page.evaluate("document.querySelectorAll('.more').forEach(one => one.remove())")  # nothing is loaded meanwhile
    first = page.locator(".line.user").first
    number = int((first.get_attribute("id") or "")[1:])
    first.locator("a").first.focus()
    page.keyboard.press("p")
    page.wait_for_url(f"**/?line={number - 5}#L{number - 5}")
    page.wait_for_function("id => document.activeElement.id === id", arg=f"L{number - 5}")


def test_find_lists_hits_and_a_hit_is_opened_and_highlighted(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Find in this transcript").fill("output 77")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="1 line with “output 77”")).to_be_visible()
    page.get_by_role("link", name="Line 390").click()
    page.wait_for_url("**line=390#L390")
    expect(page.locator("#L390")).to_be_in_viewport()
    assert page.evaluate("CSS.highlights.get('find').size") >= 1


def test_hostile_text_is_inert(page: Page, address: str) -> None:
    for query in ("?end=1", "?find=onerror", "?find=onerror&line=996"):
        page.goto(address + query)
        assert "attacked" not in page.title()
        assert page.locator("main img, main script").count() == 0
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    expect(page.locator("#L996")).to_contain_text("<img src=x onerror=")


@pytest.mark.parametrize("width", [320, 390])
def test_narrow_screens_do_not_scroll_sideways(address: str, open_tab: OpenTab, width: int) -> None:
    tab = open_tab(viewport={"width": width, "height": 700})
    for path in (address, f"{address}?find=output", f"{address}?end=1", address.partition("/t/")[0] + "/s/"):
        tab.goto(path)
        tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_works_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address)
    tab.get_by_role("link", name="Later", exact=True).click()
    tab.get_by_role("link", name="Earlier", exact=True).click()
    tab.get_by_role("link", name="Next request").click()
    expect(tab.locator(".line.target")).to_have_count(1)
    tab.get_by_role("link", name="End", exact=True).click()
    expect(tab.get_by_text("End of the transcript.")).to_be_visible()
    context.close()

"""The graph in a real Chromium: drawing, pointer, keyboard, filters, addresses, and what it says to a screen reader."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from memories.core import mirror, records
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.dashboard import server
from tests.dashboard.browser import OpenTab

pytestmark = pytest.mark.browser

SETTLED = "#graph[data-state=settled]"


def link(target: dict[str, Any], relationship: str = "related_to") -> list[dict[str, str]]:
    return [{"to_uuid": target["uuid"], "relationship": relationship}]


@pytest.fixture
def star(folder: DataFolder, make_record: MakeRecord) -> dict[str, dict[str, Any]]:
    """hub, linked from spoke 0 to spoke 9; spoke 0 from leaf; a story that replaced an older one, linked to leaf."""
    hub = "hub <img src=x onerror=alert(1)>"
    found = {"hub": make_record(hub, importance=9, project="shop", session_id="s-1", created_at="2026-03-02T10:00:00")}
    before = {"created_at": "2026-03-01T10:00:00"}  # so that the hub is the table's first row
    for number in range(10):
        linked = {"connections": link(found["hub"]), "session_id": "s-1"}
        found[f"spoke {number}"] = make_record(f"spoke {number}", **linked, **before)
    found["leaf"] = make_record("leaf", connections=link(found["spoke 0"]), **before)
    old = records.new_record(type="narrative", content="old story", project="shop", **before)
    new = records.new_record(type="narrative", content="new story", project="shop", **before)
    new["connections"] = [*link(old, "supersedes"), *link(found["leaf"])]
    for name, record in (("old", old), ("new", new)):
        records.save(folder, record)
        found[name] = record
    mirror.update(folder)
    return found


@pytest.fixture
def address(folder: DataFolder, star: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The graph's address on a dashboard over the star."""
    with server.dashboard(folder) as found:
        yield found + "graph/"


@pytest.fixture
def page(address: str, open_tab: OpenTab) -> Page:
    """A watched tab, without animation, which is sooner; it needs `address` so that it is closed before the server."""
    return open_tab(reduced_motion="reduce")


def show(page: Page, address: str) -> None:
    """The graph without projects as nodes, unless the address speaks of them."""
    if "projects=" not in address:
        address += ("&" if "?" in address else "?") + "projects=0"
    page.goto(address)
    expect(page.locator(SETTLED)).to_be_visible(timeout=60_000)


def state(page: Page, name: str) -> Any:
    return page.evaluate(f"llmMemoryGraph.{name}")


def query(page: Page) -> dict[str, list[str]]:
    """The address's query but for projects=0, which show() put there."""
    return {
        name: values
        for name, values in parse_qs(urlsplit(page.url).query).items()
        if (name, values) != ("projects", ["0"])
    }


def point(page: Page, record: dict[str, Any] | str) -> tuple[float, float]:
    """Where a node is on the screen."""
    node = record if isinstance(record, str) else record["uuid"]
    at = page.evaluate("node => llmMemoryGraph.at(node)", node)
    box = page.locator("#graph-canvas").bounding_box()
    assert box is not None
    return box["x"] + at["x"], box["y"] + at["y"]


def pixel(page: Page, record: dict[str, Any]) -> list[int]:
    """The colour that is on the screen where a node is."""
    x, y = point(page, record)
    shot = page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
    return first_pixel(shot)


def first_pixel(png: bytes) -> list[int]:
    """The red, green and blue of a PNG's first pixel: of its first row, which no filter can have changed."""
    data = b""
    place = 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        data += png[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += length + 12
    return list(zlib.decompress(data)[1:4])


def rgb(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)[:3]]


def test_every_node_is_drawn_in_its_type_s_colour(page: Page, address: str, star: dict[str, dict[str, Any]]) -> None:
    show(page, address)
    assert (state(page, "nodes"), state(page, "links")) == (13, 12)
    expect(page.locator("#graph-said")).to_have_text("13 memories, 12 links.")
    label = page.locator("#graph-canvas").get_attribute("aria-label")
    assert label == "Graph of 13 memories, 12 links. The table below has the same content."
    assert pixel(page, star["hub"]) == rgb(state(page, "colours")["note"])
    assert pixel(page, star["new"]) == rgb(state(page, "colours")["narrative"])
    assert state(page, "labels") == 13, "each of a few nodes has its name"
    expect(page.get_by_label("Steps from the focus")).to_be_disabled()


def test_colours_follow_the_scheme(page: Page, address: str, star: dict[str, dict[str, Any]]) -> None:
    show(page, address)
    light = pixel(page, star["hub"])
    page.locator("[data-theme-switch]").click()
    page.locator("[data-theme-switch]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    draws = state(page, "costs")["draws"]
    page.mouse.move(*point(page, star["leaf"]))
    expect_soon(page, f"llmMemoryGraph.costs.draws > {draws}")
    assert pixel(page, star["hub"]) != light


def expect_soon(page: Page, condition: str) -> None:
    """Looks until the condition holds; wait_for_function needs eval, which the page's policy refuses."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never true: {condition}")


def test_the_pointer_over_a_node_and_a_click_open_its_panel_and_escape_closes_it(
    page: Page, address: str, star: dict[str, dict[str, Any]]
) -> None:
    show(page, address)
    page.mouse.move(*point(page, star["hub"]))
    assert state(page, "hovered") == star["hub"]["uuid"]
    page.mouse.click(*point(page, star["hub"]))
    panel = page.get_by_role("complementary", name="Chosen node")
    expect(panel.get_by_role("heading", level=2)).to_have_text("hub <img src=x onerror=alert(1)>")
    expect(panel.get_by_role("link", name="Open the memory")).to_have_attribute("href", f"/m/{star['hub']['uuid']}/")
    assert query(page) == {"selected": [star["hub"]["uuid"]]}
    panel.get_by_role("link", name="Close").focus()
    page.keyboard.press("Escape")
    expect(panel.get_by_role("heading")).to_have_count(0)
    assert state(page, "selected") == ""
    assert query(page) == {}
    assert page.evaluate("document.activeElement.tagName") != "BODY"


def test_a_double_click_shows_the_neighbourhood_and_back_undoes_it(
    page: Page, address: str, star: dict[str, dict[str, Any]]
) -> None:
    show(page, address)
    page.mouse.dblclick(*point(page, star["leaf"]))
    expect(page.locator("#graph-said")).to_have_text("4 memories, 3 links.")
    assert query(page)["focus"] == [star["leaf"]["uuid"]]
    expect(page.locator("#graph-table tr[data-item]")).to_have_count(4)
    page.get_by_label("Steps from the focus").select_option("1")
    expect(page.locator("#graph-said")).to_have_text("3 memories, 2 links.")
    page.go_back()
    expect(page.locator("#graph-said")).to_have_text("13 memories, 12 links.")
    expect(page.locator("#graph-table tr[data-item]")).to_have_count(13)


def test_an_address_brings_its_state_back(page: Page, address: str, star: dict[str, dict[str, Any]]) -> None:
    leaf = star["leaf"]["uuid"]
    show(page, f"{address}?focus={leaf}&depth=1&sessions=1&find=spoke&selected={leaf}&relationship=related_to")
    assert state(page, "shown") == 4
    assert state(page, "matches") == 1
    assert state(page, "selected") == leaf
    expect(page.get_by_label("supersedes")).not_to_be_checked()
    expect(page.get_by_label("sessions", exact=True)).to_be_checked()
    expect(page.get_by_label("Find in the graph")).to_have_value("spoke")
    expect(page.locator("#graph-panel-title")).to_have_text("leaf")


def test_dragging_pins_a_node_and_a_double_click_frees_it(
    page: Page, address: str, star: dict[str, dict[str, Any]]
) -> None:
    show(page, address)
    x, y = point(page, star["leaf"])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=4)
    page.mouse.up()
    assert state(page, "pinned") == [star["leaf"]["uuid"]]
    expect(page.locator(SETTLED)).to_be_visible(timeout=60_000)
    assert point(page, star["leaf"]) == pytest.approx((x + 40, y + 30), abs=1)
    assert state(page, "selected") == "", "a drag is no click"
    page.mouse.dblclick(*point(page, star["leaf"]))
    assert state(page, "pinned") == []
    assert "focus" not in query(page)


def test_a_dragged_node_stays_where_it_was_let_go_when_the_simulation_lags_behind(
    page: Page, address: str, star: dict[str, dict[str, Any]]
) -> None:
    page.add_init_script("""
        const post = Worker.prototype.postMessage;
        let pins = 0;
        Worker.prototype.postMessage = function (what, ...rest) {
          if (what.do === "pin") setTimeout(() => post.call(this, what, ...rest), 250 * ++pins);
          else post.call(this, what, ...rest);
        };
    """)
    show(page, address)
    x, y = point(page, star["leaf"])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=4)
    page.mouse.up()
    expect(page.locator(SETTLED)).to_be_visible(timeout=60_000)
    assert point(page, star["leaf"]) == pytest.approx((x + 40, y + 30), abs=1)


def test_a_node_is_pinned_and_freed_by_buttons(page: Page, address: str, star: dict[str, dict[str, Any]]) -> None:
    show(page, f"{address}?selected={star['hub']['uuid']}")
    page.get_by_role("button", name="Pin", exact=True).click()
    assert state(page, "pinned") == [star["hub"]["uuid"]]
    page.get_by_role("button", name="Unpin all").click()
    assert state(page, "pinned") == []
    expect(page.get_by_role("button", name="Unpin all")).to_be_disabled()


def test_finding_marks_matches_narrows_the_table_and_enter_shows_them(
    page: Page, address: str, star: dict[str, dict[str, Any]]
) -> None:
    show(page, address)
    page.get_by_label("Find in the graph").press_sequentially("story")
    expect(page.locator(".found")).to_have_text("1 found, Enter shows them")
    assert state(page, "matches") == 1
    expect(page.locator("#graph-table tr[data-item]")).to_have_count(1)
    assert query(page) == {"find": ["story"]}
    page.keyboard.press("Enter")
    middle = 'document.getElementById("graph-canvas").clientWidth / 2'
    expect_soon(page, f"Math.abs(llmMemoryGraph.at('{star['new']['uuid']}').x - {middle}) < 1")
    assert state(page, "nodes") == 13


def test_the_legend_filters_types_and_relationships(page: Page, address: str, star: dict[str, dict[str, Any]]) -> None:
    show(page, address)
    page.get_by_label("note", exact=True).uncheck()
    expect(page.locator("#graph-said")).to_have_text("1 memory, 0 links.")
    assert query(page)["type"] == ["narrative", "session_log"]
    expect(page.locator("#graph-empty")).to_be_visible()
    page.get_by_label("note", exact=True).check()
    page.get_by_label("archived, superseded").check()
    expect(page.locator("#graph-said")).to_have_text("14 memories, 13 links.")
    page.get_by_label("related to").uncheck()
    expect(page.locator("#graph-said")).to_have_text("14 memories, 1 link.")
    page.get_by_label("supersedes").uncheck()
    expect(page.locator("#graph-said")).to_have_text("14 memories, 0 links.")
    assert query(page)["relationship"] == ["none"]


def test_sessions_and_projects_become_nodes(page: Page, address: str, star: dict[str, dict[str, Any]]) -> None:
    show(page, address)
    page.get_by_label("sessions", exact=True).check()
    expect(page.locator("#graph-said")).to_have_text("13 memories, 1 session, 23 links.")
    page.get_by_label("projects", exact=True).check()
    expect(page.locator("#graph-said")).to_have_text("13 memories, 1 session, 1 project, 25 links.")
    expect(page.locator(SETTLED)).to_be_visible(timeout=60_000)
    page.mouse.click(*point(page, "p:shop"))
    expect(page.get_by_role("link", name="Open the project")).to_have_attribute("href", "/p/shop/")


def test_neighbours_are_shown_and_folded(page: Page, address: str, star: dict[str, dict[str, Any]]) -> None:
    leaf, hub = star["leaf"]["uuid"], star["hub"]["uuid"]
    show(page, f"{address}?focus={leaf}&depth=2&selected={hub}")
    assert state(page, "nodes") == 4
    page.get_by_role("button", name="Show its neighbours").click()
    expect(page.locator("#graph-said")).to_have_text("13 memories, 12 links.")
    assert query(page)["expand"] == [hub]
    page.get_by_role("button", name="Fold its neighbours").click()
    expect_soon(page, "llmMemoryGraph.shown === 4")
    expect(page.locator("#graph-said")).to_have_text("4 memories, 3 links, 9 folded away.")
    assert query(page)["fold"] == [hub]
    page.get_by_role("button", name="Unfold its neighbours").click()
    assert state(page, "shown") == 13
    page.get_by_role("button", name="Hide its neighbours again").click()
    expect(page.locator("#graph-said")).to_have_text("4 memories, 3 links.")


def test_zoom_buttons_zoom_and_fit_shows_everything_again(
    page: Page, address: str, star: dict[str, dict[str, Any]]
) -> None:
    show(page, address)
    fitted = state(page, "zoom")
    page.get_by_role("button", name="Zoom in").click()
    expect_soon(page, f"Math.abs(llmMemoryGraph.zoom - {fitted} * 1.5) < 0.001")
    page.get_by_role("button", name="Fit").click()
    expect_soon(page, f"Math.abs(llmMemoryGraph.zoom - {fitted}) < 0.001")
    page.mouse.move(*point(page, star["hub"]))
    page.mouse.wheel(0, -300)
    expect_soon(page, f"llmMemoryGraph.zoom > {fitted} * 1.1")


def test_the_graph_unfolds_before_the_eyes_unless_motion_is_to_be_reduced(address: str, open_tab: OpenTab) -> None:
    calm, moving = open_tab(reduced_motion="reduce"), open_tab()
    show(calm, address)
    assert state(calm, "costs")["ticks"] == 300
    assert state(calm, "costs")["draws"] <= 5
    before = state(calm, "zoom")
    calm.get_by_role("button", name="Zoom in").click()
    assert state(calm, "zoom") == pytest.approx(before * 1.5), "no animation"
    show(moving, address)
    assert state(moving, "costs")["draws"] > 20


def test_the_table_is_reached_and_used_by_keyboard(page: Page, address: str, star: dict[str, dict[str, Any]]) -> None:
    show(page, address)
    page.locator("#main").focus()
    page.keyboard.press("j")
    row = page.locator("#graph-table tr[data-item]").first
    assert page.evaluate("document.activeElement.closest('tr[data-item]') !== null")
    page.keyboard.press("Tab")
    expect(row.get_by_role("link", name="In the graph")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#graph-panel-title")).to_be_focused()
    assert len(query(page)["focus"]) == 1
    expect(page.get_by_role("button", name="All its neighbours are here")).to_be_disabled()
    expect(page.locator("#graph-table tr[data-item]").first).to_be_visible()


def test_nothing_scrolls_sideways_and_the_layout_stays_while_loading(address: str, open_tab: OpenTab) -> None:
    for width in (320, 390, 1280):
        page = open_tab(viewport={"width": width, "height": 800}, reduced_motion="reduce")
        page.add_init_script(
            "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach("
            "one => { window.shift += one.value; })).observe({type: 'layout-shift', buffered: true});"
        )
        show(page, address + "?sessions=1&projects=1")
        assert page.get_by_label("Find in the graph").is_visible() == (width > 800), "folded on a narrow screen"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("window.shift") < 0.01


def test_without_javascript_the_form_and_the_table_do_it(
    browser: Browser, address: str, star: dict[str, dict[str, Any]]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address)
    expect(tab.locator("#graph-canvas")).to_be_hidden()
    expect(tab.get_by_text("A double click")).to_be_hidden()
    expect(tab.locator("#graph-table tr[data-item]")).to_have_count(13)
    tab.get_by_label("related to").uncheck()
    tab.get_by_label("archived, superseded").check()
    tab.get_by_label("projects", exact=True).uncheck()
    tab.get_by_role("button", name="Show").click()
    expect(tab.locator("#graph-table tr[data-item]")).to_have_count(2)
    tab.get_by_role("link", name="In the graph: new story").click()
    assert star["new"]["uuid"] in tab.url
    expect(tab.get_by_role("link", name="Show the whole graph")).to_be_visible()
    context.close()


@pytest.fixture
def crowd(folder: DataFolder) -> dict[str, Any]:
    """5,200 memories, each linked to one before it."""
    made: list[dict[str, Any]] = []
    for number in range(5200):
        record = records.new_record(type="note", content=f"memory {number}", created_at="2026-03-01T00:00:00")
        record["connections"] = link(made[number // 3]) if made else []
        made.append(record)
        path = f"{folder.records}/{record['uuid']}.json"
        with open(path, "wb") as file:  # records.save would take a minute to make each of them durable
            file.write(records.dump(record))
    mirror.update(folder)
    return made[0]


@pytest.mark.long
def test_five_thousand_nodes_settle_and_answer_a_click(
    folder: DataFolder, crowd: dict[str, Any], open_tab: OpenTab
) -> None:
    with server.dashboard(folder) as address:
        page = open_tab()
        page.goto(address + "graph/")
        expect_soon(page, "window.llmMemoryGraph && llmMemoryGraph.nodes === 5000")
        expect(page.locator("#graph-said")).to_contain_text("5,000 of 5,200 memories are drawn")
        page.locator("#graph-find").press_sequentially("memory 0")
        expect(page.locator(".found")).to_have_text("1 found, Enter shows them")
        expect(page.locator(SETTLED)).to_be_visible(timeout=120_000)
        page.mouse.click(*point(page, crowd))
        expect(page.locator("#graph-panel-title")).to_be_visible()
        page.context.close()

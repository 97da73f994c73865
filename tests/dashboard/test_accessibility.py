"""axe-core finds no violation on any page, in light and dark, wide and narrow; Chromium, the demo's made-up year."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from memories.core.paths import DataFolder
from memories.demo import sample
from tests.dashboard import screenshots, server
from tests.dashboard.browser import OpenTab
from tests.memories import disagreements

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("accessibility")]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
NARROW = {"viewport": {"width": 320, "height": 700}}
NAMES = ["timeline", "search", "memory", "versions", "projects", "project", "sessions", "transcript", "graph", "status"]

WIDEST = ("timeline", "versions", "transcript", "status")
"""The pages with most beside each other, which each run of the tests looks at on a narrow screen; the others with
`scripts/test --long`."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """The demo's year, in which two machines disagreed about a file of each kind."""
    folder = sample.write(str(tmp_path_factory.mktemp("sample")))
    disagreements.all_of_it(folder)
    return folder


@pytest.fixture(scope="module")
def address(place: DataFolder) -> Iterator[str]:
    with server.dashboard(place) as found:
        yield found


def violations(tab: Page) -> list[str]:
    """What axe has to say, a line for each rule and element."""
    found: list[dict[str, Any]] = Axe().run(tab, options=RULES).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


def test_the_pages_checked_here_are_those_that_docs_show(place: DataFolder) -> None:
    assert list(screenshots.pages(place)) == NAMES


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(place: DataFolder, address: str, open_tab: OpenTab, name: str, scheme: str) -> None:
    tab = open_tab(color_scheme=scheme, reduced_motion="reduce")
    tab.goto(address + screenshots.pages(place)[name])
    tab.wait_for_load_state("networkidle")
    assert violations(tab) == []


@pytest.mark.parametrize("name", [
    name if name in WIDEST else pytest.param(name, marks=pytest.mark.long) for name in NAMES
])  # fmt: skip
def test_axe_finds_nothing_on_a_narrow_screen_that_does_not_scroll_sideways(
    place: DataFolder, address: str, open_tab: OpenTab, name: str
) -> None:
    tab = open_tab(reduced_motion="reduce", **NARROW)
    tab.goto(address + screenshots.pages(place)[name])
    tab.wait_for_load_state("networkidle")
    assert violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= NARROW["viewport"]["width"]

"""A browser-like client on a real mirror of real record files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from memories.core import mirror
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.dashboard.browser import OpenTab

Remember = Callable[..., dict[str, Any]]


class BrowserLikeClient(Client):
    """Reads an answer to its end and closes it, as a browser does; files would stay open otherwise."""

    def request(self, **request: Any) -> Any:
        """The answer, closed."""
        response = super().request(**request)
        response.close()
        return response


@pytest.fixture
def client(memory_home: DataFolder) -> Client:
    """Asks the application what a browser on this machine would ask."""
    return BrowserLikeClient(SERVER_NAME="127.0.0.1")


@pytest.fixture
def remember(memory_home: DataFolder, make_record: MakeRecord) -> Remember:
    """make_record that also brings the mirror up to date."""

    def store(content: str, **fields: Any) -> dict[str, Any]:
        record = make_record(content, **fields)
        mirror.update(memory_home)
        return record

    return store


@pytest.fixture
def remember_many(memory_home: DataFolder, make_record: MakeRecord) -> Callable[[int], None]:
    """Writes that many notes, one an hour, newest last, and updates the mirror once."""

    def store(count: int) -> None:
        for number in range(count):
            day, hour = divmod(number, 24)
            created = f"2026-03-{day + 1:02d}T{hour:02d}:00:00"
            make_record(f"canary number {number}", created_at=created, project=f"p{number % 3}", tags="a, b")
        mirror.update(memory_home)

    return store


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser tests of a module run in one process, which starts Chromium and the module's server once."""
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module. No longer: Playwright leaves an event loop in this thread, under which
    Django refuses the queries of other modules' tests."""
    from tests.dashboard.browser import started

    with started() as found:
        yield found


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[OpenTab]:
    """Opens tabs that fail the test for whatever their console reports; use it after the server's fixture."""
    from tests.dashboard.browser import watched_tabs

    with watched_tabs(browser) as found:
        yield found

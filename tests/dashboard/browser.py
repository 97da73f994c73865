"""A real Chromium for the browser tests, and tabs whose console, errors and requests fail the test."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OpenTab = Callable[..., Page]


def chromium() -> str:
    """Debian's Chromium, installed when we may; otherwise the test is skipped, loudly."""
    path = shutil.which("chromium")
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False, capture_output=True)
        path = shutil.which("chromium")
    if path is None:
        pytest.skip("BROWSER SKIPPED: no chromium here; `apt-get install chromium` and run again")
    return path


@contextmanager
def started() -> Iterator[Browser]:
    """Chromium, running until the end of the block."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def watched_tabs(browser: Browser) -> Iterator[OpenTab]:
    """open_tab(**context options) -> Page. At the end nothing may have been reported on a console (so that 0 policy
    violations are part of each test), and no request may have left this machine."""
    contexts: list[Any] = []
    reported: list[str] = []
    asked: list[str] = []

    def open_tab(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: reported.append(message.text))
        tab.on("pageerror", lambda error: reported.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        return tab

    yield open_tab
    for context in contexts:
        context.close()
    assert reported == [], reported
    left = [url for url in asked if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))]
    assert left == [], left

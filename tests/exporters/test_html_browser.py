"""An exported page in a real Chromium: nothing of what is stored acts, light, dark, narrow and printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from memories.core.paths import DataFolder
from tests.dashboard.browser import started
from tests.dashboard.xss_payloads import PAYLOADS
from tests.exporters.exporting import export, put
from tests.memories.conversations import archive, session_id, talk


def look(tab: Page, address: str) -> None:
    """Open a page and all that is folded in it: nothing runs, is asked for or is wider than the window."""
    asked: list[str] = []
    told: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: told.append(message.text))
    tab.add_init_script("window.acted = false; window.canary = () => { window.acted = true; }")
    tab.goto(address)
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tab.mouse.move(200, 300)
    assert tab.evaluate("window.acted") is False
    assert tab.evaluate("document.querySelectorAll('script, img, iframe, svg, link').length") == 0
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert asked == [address]
    assert told == []


@pytest.mark.long
def test_no_payload_acts_and_the_page_fits(folder: DataFolder, tmp_path: Path) -> None:
    script = talk("go", "yes", number=1)
    for payload in PAYLOADS:
        script.user(payload)
        script.answer(payload)
    archive(folder, script)
    put(folder, content="\n\n".join(PAYLOADS), project="shop", session_id=session_id(1))
    export(folder, "html", tmp_path / "s.html", session=session_id(1))
    export(folder, "html", tmp_path / "p.html", project="shop")
    with started() as browser:
        for width in (1280, 390):
            context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
            tab = context.new_page()
            for name in ("s.html", "p.html"):
                look(tab, (tmp_path / name).as_uri())
            context.close()

"""Takes the pictures of docs/dashboard.md: every page in light, dark and narrow, over the demo's made-up year.

python -m tests.dashboard.screenshots [FOLDER]        (default docs/screenshots)
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Page

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llm_memory_site.settings")

from memories.core import mirror
from memories.core.paths import DataFolder
from memories.demo import sample
from tests.dashboard import server
from tests.dashboard.browser import started

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
SETTLED = "() => !document.querySelector('.htmx-request') && (window.llmMemoryGraph?.settled ?? true)"


def pages(folder: DataFolder) -> dict[str, str]:
    """Name of a picture -> address below the dashboard's own."""
    connection = mirror.connect(folder.mirror, read_only=True)
    orders = "project = 'orders-api'"
    newest = "ORDER BY created_at DESC LIMIT 1"
    (narrative,) = connection.execute(
        f"SELECT uuid FROM memory WHERE type = 'narrative' AND {orders} AND status = 'active' {newest}"
    ).fetchone()
    (earlier,) = connection.execute(
        f"SELECT uuid FROM memory WHERE type = 'narrative' AND {orders} AND status = 'archived' {newest}"
    ).fetchone()
    (session,) = connection.execute("SELECT session_id FROM session WHERE part LIKE 'agent-%' LIMIT 1").fetchone()
    connection.close()
    return {
        "timeline": "",
        "search": "?q=" + quote("why no redis lock for invoices"),
        "memory": f"m/{narrative}/",
        "versions": f"m/{narrative}/?compare={earlier}&view=side",
        "projects": "p/",
        "project": "p/orders-api/",
        "sessions": "s/",
        "transcript": f"t/{session}/",
        "graph": "graph/?sessions=1",
        "status": "status/",
    }


def take(browser: Browser, address: str, names: dict[str, str], target: Path) -> None:
    """Write <name>-<look>.png of each page. Raises OSError, playwright's errors."""
    for look, options in LOOKS.items():
        context = browser.new_context(reduced_motion="reduce", **options)
        tab = context.new_page()
        for name, path in names.items():
            picture(tab, address + path, target / f"{name}-{look}.png")
        context.close()


def picture(tab: Page, address: str, path: Path) -> None:
    """One page once it has come to rest."""
    tab.goto(address)
    tab.wait_for_load_state("networkidle")
    tab.wait_for_function(SETTLED)
    tab.screenshot(path=str(path), animations="disabled")


def main() -> None:
    """Make the demo's data, serve it, take the pictures."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="llm-memory-screenshots-") as place:
        folder = sample.write(place)
        with server.dashboard(folder) as address, started() as browser:
            take(browser, address, pages(folder), target)
    print(json.dumps(sorted(path.name for path in target.glob("*.png"))))


if __name__ == "__main__":
    main()

"""`runserver --open`: shows the dashboard in a graphical browser, where this machine has one."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory
from threading import Thread

TEXT_BROWSERS = {"www-browser", "links", "links2", "elinks", "lynx", "w3m", "browsh"}
"""What `webbrowser` knows, or $BROWSER may name, that would take the terminal over."""

_REDIRECT = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>LLM Memory</title>
<a href="{address}">Open the dashboard</a>
"""


def graphical_browser() -> webbrowser.BaseBrowser | None:
    """The user's browser; None without a screen to show it on, or where there is only one for the terminal."""
    if sys.platform != "darwin" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return None
    return None if os.path.basename(getattr(found, "name", "")) in TEXT_BROWSERS else found


@contextmanager
def opened(address: str, *, secret: bool) -> Iterator[None]:
    """Open the address in a browser; nothing happens where there is none.

    secret: the address must not stand in the process list, which every user can read: the browser is given a file that
    only its user can read and that leads there. The file is gone when the block is left.
    """
    browser = graphical_browser()
    if browser is None:
        yield
        return
    with ExitStack() as stack:
        if secret:
            address = _redirect(stack.enter_context(TemporaryDirectory(prefix="llm-memory-")), address)
        # A thread: a browser that $BROWSER names is waited for until it ends.
        Thread(target=browser.open, args=(address,), name="browser", daemon=True).start()
        yield


def _redirect(folder: str, address: str) -> str:
    """The file: address of a page that leads to an address, readable by its owner alone."""
    path = os.path.join(folder, "dashboard.html")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "w", encoding="utf-8") as file:
        file.write(_REDIRECT.format(address=address))
    return f"file://{path}"

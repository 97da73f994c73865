"""Reading the timeline's pages in tests."""

from __future__ import annotations

import re
from html import unescape

from django.test import Client

HTMX = {"HX-Request": "true"}


def text(client: Client, address: str, **headers: str) -> str:
    """The page at an address, which is there."""
    response = client.get(address, headers=headers)
    assert response.status_code == 200, response.content
    return response.content.decode()


def titles(page: str) -> list[str]:
    """The titles of the memories that a page lists."""
    found = re.findall(r"<h3><a href=\"/m/[0-9a-f]{32}/\">(.*?)</a></h3>", page)
    return [unescape(re.sub(r"</?mark>", "", title)) for title in found]


def link(page: str, label: str) -> str:
    """The address behind the first link whose text holds the label."""
    for address, inner in re.findall(r"<a [^>]*?href=\"([^\"]*)\"[^>]*>(.*?)</a>", page, re.DOTALL):
        if label in " ".join(re.sub(r"<[^>]+>", " ", inner).split()):
            return unescape(address)
    raise AssertionError(f"no link {label!r}")


def follow(client: Client, address: str, **headers: str) -> list[list[str]]:
    """The titles on an address's page and on those that its "More" leads to."""
    pages = []
    while address:
        page = text(client, address, **headers)
        pages.append(titles(page))
        more = re.search(r'class="more"><a href="([^"]*)"', page)
        address = unescape(more[1]) if more else ""
    return pages

"""The dashboard only reads: no method but GET and HEAD, an index that refuses writes, and a data folder that is the
same to the byte and the nanosecond after every address was asked for."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from llm_memory_site.middleware import SecurityHeadersMiddleware
from memories import urls
from memories.core import mirror
from memories.core.paths import DataFolder
from memories.models import Memory
from memories.selectors import mirror_connection
from tests.dashboard import realistic
from tests.memories.conversations import session_id

MOST_PAGES = 600
_LINK = re.compile(r'\s(?:href|src|action|hx-get|data-[a-z-]+)="([^"]*)"')
_STATES = [
    {"q": "deploy"},
    {"q": "tuesdays", "type": "note"},
    {"type": "narrative", "archived": "1"},
    {"project": "orders-api"},
    {"tag": "handoff"},
    {"machine": "laptop"},
    {"month": "2026-03"},
    {"q": "☃", "offset": "20"},
    {"view": "inline"},
    {"raw": "1"},
    {"depth": "2", "sessions": "1", "projects": "1"},
    {"line": "2", "find": "tuesdays"},
]


@pytest.fixture
def used(memory_home: DataFolder) -> dict[str, str]:
    """A data folder of months, and the uuids in it."""
    return realistic.fill(memory_home)


def _addresses(used: dict[str, str]) -> list[str]:
    """Every address of memories/urls.py with real arguments. Fails for a name that has none here."""
    arguments: dict[str, list[dict[str, str]]] = {
        "memory": [{"uuid": uuid} for uuid in used.values()],
        "project": [{"value": "orders-api"}, {"value": "git:example.org/acme/orders-api"}, {"value": "nowhere"}],
        "transcript": [
            {"session": one} for one in (session_id(1), f"{session_id(1)}/agent-a1", session_id(2), session_id(9))
        ],
    }
    return [
        reverse(str(pattern.name), kwargs=some)
        for pattern in urls.urlpatterns
        for some in arguments.get(str(pattern.name), [{}])
    ]


def _snapshot(root: str) -> dict[str, tuple[object, ...]]:
    """Path -> mode, size, mtime in ns and content of everything below. Of memory.db-shm all but the content, where each
    reader of an SQLite database notes which state of it it reads."""
    found: dict[str, tuple[object, ...]] = {}
    for place, folders, names in os.walk(root):
        for name in [*folders, *names]:
            path = os.path.join(place, name)
            entry = os.lstat(path)
            content = b""
            if stat.S_ISREG(entry.st_mode) and not name.endswith("-shm"):
                content = Path(path).read_bytes()
            found[path] = (entry.st_mode, entry.st_size, entry.st_mtime_ns if not name.endswith("-shm") else 0, content)
    return found


def _walk(client: Client, start: list[str], headers: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Ask for the addresses and for all that the answers lead to: (address, status), at most MOST_PAGES."""
    waiting, seen = deque(start), set(start)
    asked = 0
    while waiting and asked < MOST_PAGES:
        address = waiting.popleft()
        response = client.get(address, headers=headers)
        asked += 1
        yield address, response.status_code
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        for link in _LINK.findall(response.content.decode()):
            target = urlsplit(urljoin(f"http://127.0.0.1{address}", unescape(link)))
            found = target.path + (f"?{target.query}" if target.query else "")
            if target.netloc == "127.0.0.1" and target.scheme == "http" and found not in seen:
                seen.add(found)
                waiting.append(found)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}, {"HX-Request": "true", "HX-Target": "browse"}])
def test_every_page_leaves_the_data_folder_as_it_was(
    client: Client, memory_home: DataFolder, used: dict[str, str], headers: dict[str, str]
) -> None:
    start = _addresses(used)
    start += [f"{address}?{urlencode(state)}" for address in start for state in _STATES]
    # Another process reads, as Claude Code's server does: without one, SQLite itself makes and removes -wal and -shm.
    with closing(mirror.connect(memory_home.mirror, read_only=True)) as other:
        assert other.execute("SELECT count(*) FROM memory").fetchone() == (8,)
        before = _snapshot(memory_home.root)
        assert f"{memory_home.mirror}-wal" in before
        answers = dict(_walk(client, start, headers))
        connection.close()
        after = _snapshot(memory_home.root)
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == set()
    assert {address: status for address, status in answers.items() if status >= 500} == {}
    assert sum(status == 200 for status in answers.values()) >= len(urls.urlpatterns)


def test_looking_does_not_hand_a_handoff_over(client: Client, memory_home: DataFolder, used: dict[str, str]) -> None:
    for address in _addresses(used):
        client.get(address)
    mirror_connection(memory_home)
    assert Memory.objects.get(uuid=used["handoff"]).tags == "handoff"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_every_address_refuses_every_method_that_could_write(client: Client, used: dict[str, str], method: str) -> None:
    for address in _addresses(used):
        response = client.generic(method, address)
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD"), address


def test_head_is_answered_without_a_body(client: Client, used: dict[str, str]) -> None:
    for address in (reverse("timeline"), reverse("status"), reverse("memory", kwargs={"uuid": used["note"]})):
        response = client.head(address)
        assert (response.status_code, response.content) == (200, b"")


def test_what_answers_a_request_cannot_write_the_index(memory_home: DataFolder) -> None:
    refused: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        raw = mirror_connection(memory_home)
        for statement in (
            "INSERT INTO link (from_uuid, to_uuid, relationship) VALUES ('a', 'b', 'c')",
            "UPDATE memory SET content = ''",
            "DELETE FROM source_file",
            "DROP TABLE memory",
            "INSERT INTO memory_fts (memory_fts) VALUES ('rebuild')",
            "PRAGMA user_version = 99",
        ):
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                raw.execute(statement)
            refused.append(statement)
        with pytest.raises(DatabaseError, match="readonly"):
            Memory.objects.update(content="")
        return HttpResponse("read")

    answer = SecurityHeadersMiddleware(view)(RequestFactory().get("/"))
    assert (answer.content, len(refused)) == (b"read", 6)


def test_outside_of_a_request_the_index_can_be_written(memory_home: DataFolder) -> None:
    SecurityHeadersMiddleware(lambda request: HttpResponse())(RequestFactory().get("/"))
    raw = mirror_connection(memory_home)
    raw.execute("INSERT INTO link (from_uuid, to_uuid, relationship) VALUES ('a', 'b', 'c')")
    assert raw.execute("SELECT count(*) FROM link").fetchone() == (1,)

"""The commands of people read and write without Django: the same answers, and nothing loaded that they do not need."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from memories import plain_connection
from memories.core import mirror, records
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.memories import plain_calls
from tests.memories.conversations import archive, log, talk
from tests.memories.narrative_versions import write_version
from tests.memories.stores import remove_mirror

LEFT_OUT = {"django", "asgiref", "asyncio", "mcp", "pydantic"}
"""Packages that no read and no write may load."""

SLOW = {
    "dataclasses", "difflib", "hashlib", "inspect", "logging", "pathlib", "secrets", "socket", "subprocess", "tempfile",
    "threading", "typing", "urllib", "uuid",
}  # fmt: skip
"""Modules, 1 to 10 ms each, that a search, a list or a brief has no use for; a status or a comparison may."""

HURRIED = ("search", "selectors", "services", "brief", "narratives", "narrative_store", "plain_connection")


def _plainly(which: str) -> dict[str, Any]:
    """What plain_calls gives in a Python without installed packages: {"answers", "modules"}."""
    command = [sys.executable, "-I", "-S", plain_calls.__file__, which]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _remember(folder: DataFolder, make_record: MakeRecord) -> None:
    """Memories of every kind, in two projects and none, superseded and archived ones, links, and conversations."""
    shop = {"project": "shop", "project_id": "git:h/o/shop"}
    old = make_record("Deploy on Fridays", created_at="2026-03-01T08:00:00", **shop)
    newer = [{"to_uuid": old["uuid"], "relationship": "supersedes"}]
    new = make_record("Deploy on Mondays", connections=newer, tags="Deploy, cache", **shop)
    make_record("The cache in 使用缓存框架 is retried by retryCount", tags="deploy,CACHE", imported_from="laptop")
    make_record("cache " * 400, importance=9, origin="elsewhere", project="Shop")
    make_record("Deploy by hand", status="archived", connections=[{"to_uuid": "a" * 32, "relationship": "related_to"}])
    make_record("Deploy by mail", status="archived", conflict_of=new["uuid"], archived_in=new["uuid"])
    first = write_version(folder, "# Plan\n\n- cache first", project_id=shop["project_id"])
    write_version(folder, "# Plan\n\n- retry first", 2, after=(first["uuid"],), project_id=shop["project_id"])
    log(make_record, 1, "shop", "git:h/o/shop")
    archive(folder, talk("Why does the deploy retry?", "The cache says so.", number=1), talk("retry it", number=2))


def test_every_read_answers_the_same_with_and_without_django(memory_home: DataFolder, make_record: MakeRecord) -> None:
    _remember(memory_home, make_record)
    expected, given = plain_calls.reads(memory_home), _plainly("reads")["answers"]
    assert {name: answer for name, answer in expected.items() if given.get(name) != answer} == {}
    assert given.keys() == expected.keys()
    assert {hit["type"] for hit in expected["search 1 retry cache deploy"]["results"]} >= {"transcript", "note"}


def test_writes_need_no_django(memory_home: DataFolder) -> None:
    found = _plainly("writes")
    assert {name.partition(".")[0] for name in found["modules"]} & LEFT_OUT == set()
    given = found["answers"]
    assert given["stored"]["status"] == "stored"
    assert given["stored"]["warnings"] == given["near"]["warnings"] == []
    assert given["near"]["near_duplicates"] == [given["stored"]["uuid"]]
    assert given["again"] == "duplicate_skipped"
    assert given["found"] == given["stored"]["uuid"]
    assert (given["linked"], given["explored"], given["restored"]) == ("connected", 1, "restored")
    assert given["replaced"] == "archived"
    assert "shown again" in given["revived"][0]
    assert records.load(memory_home, given["stored"]["uuid"])["tags"] == "deploy"


def test_what_people_wait_for_loads_little() -> None:
    names = ", ".join(f"memories.{name}" for name in HURRIED)
    code = f"import sys; sys.path.insert(0, {str(settings.BASE_DIR)!r}); import {names}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} & (LEFT_OUT | SLOW) == set()
    assert "memories.core.narrative_check" not in done.stdout, "30 ms of patterns"


def test_without_a_mirror_both_say_what_to_do(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("retry")
    remove_mirror(memory_home)
    expected = plain_calls.reads(memory_home)
    assert _plainly("reads")["answers"] == expected
    assert expected["recent 0"] == "MirrorUnavailableError: The index is missing: run `llm-memory sync` to build it."


def test_a_damaged_mirror_is_said_by_both(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("retry")
    remove_mirror(memory_home)
    Path(memory_home.mirror).write_bytes(b"no database " * 1000)
    expected = plain_calls.reads(memory_home)
    assert _plainly("reads")["answers"] == expected
    assert "cannot be read" in expected["recent 0"]


def test_one_connection_serves_a_folder_until_its_file_is_replaced(memory_home: DataFolder) -> None:
    inode = os.stat(memory_home.mirror).st_ino
    first = plain_connection.opened(memory_home, inode)
    assert plain_connection.opened(memory_home, inode) is first
    remove_mirror(memory_home)
    mirror.update(memory_home)
    second = plain_connection.opened(memory_home, os.stat(memory_home.mirror).st_ino + (inode == 0))
    plain_connection.close(memory_home)
    for connection in (first, second):
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_what_is_missing_is_not_made_by_reading_it(folder: DataFolder) -> None:
    with pytest.raises(sqlite3.Error):
        plain_connection.opened(folder, 1)
    assert not os.path.exists(folder.mirror)

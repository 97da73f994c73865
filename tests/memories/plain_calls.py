"""Every read of the memories, and writes, for a process with Django and, run as a program, for one without."""

from __future__ import annotations

import json
import os
import sys
from functools import partial

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from memories import brief, conflict_text, narratives, search, selectors, services, status, versions
from memories.core import records, scope
from memories.core.errors import LLMMemoryError
from memories.core.paths import DataFolder, data_folder
from memories.core.projects import identify
from memories.core.settings import DEFAULTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

SHOP = scope.Scope("shop", frozenset({"git:h/o/shop"}), frozenset({"shop"}))
NOWHERE = scope.Scope("nowhere", frozenset(), frozenset({"nowhere"}))
SEARCHES: tuple[dict[str, Any], ...] = (
    {},
    {"scope": "all"},
    {"scope": "transcripts", "since": "2026-03"},
    {"limit": 1, "offset": 1},
    {"tags": "Deploy,cache"},
    {"type": "note", "include_archived": True},
    {"project": SHOP, "until": "2026-03-14"},
    {"project": NOWHERE, "scope": "all"},
    {"boosted": SHOP, "since": "2026-01", "type": "note"},
    {"since": "yesterday"},
)
QUESTIONS = ("retry cache deploy", "使用缓存", "", "retryCount (")


def _reads(folder: DataFolder) -> Iterator[tuple[str, Callable[[], Any]]]:
    """(name, call) of each read; every record that is there is read."""
    for question in QUESTIONS:
        for number, options in enumerate(SEARCHES):
            yield f"search {number} {question}", partial(search.memory_search, folder, question, **options)
    lists: tuple[dict[str, Any], ...] = ({}, {"type": "note"}, {"project": SHOP}, {"boosted": SHOP, "limit": 3})
    for number, options in enumerate(lists):
        yield f"recent {number}", partial(selectors.memory_recent, folder, **options)
    for uuid in [*sorted(name.removesuffix(".json") for name in os.listdir(folder.records)), "e" * 32]:
        yield f"get {uuid}", partial(selectors.memory_get, folder, uuid)
        yield f"explore {uuid}", partial(selectors.memory_explore, folder, uuid, depth=2)
        yield f"differ {uuid}", partial(_differences, folder, uuid)
        yield f"versions {uuid}", partial(_versions, folder, uuid)
    yield "coverage", lambda: selectors.narrative_coverage(folder, SHOP)
    yield "history", lambda: [one.as_data() for one in narratives.history(folder, SHOP)]
    yield "difference", lambda: getattr(narratives.difference(narratives.history(folder, SHOP)), "lines", None)
    yield "brief", lambda: brief.brief_of(folder, SHOP)
    yield "named", lambda: sorted(selectors.named_scope(folder, "Shop", None, dict(DEFAULTS)).ids)
    yield "status", lambda: str(status.status(folder).index)


def _differences(folder: DataFolder, uuid: str) -> list[tuple[str, str]]:
    return list(conflict_text.diff_lines(folder, uuid))


def _versions(folder: DataFolder, uuid: str) -> str:
    return str(versions.versions(folder, records.load(folder, uuid), SHOP))


def reads(folder: DataFolder) -> dict[str, Any]:
    """Name of each read -> its answer, or what it was refused with, as JSON has it."""
    found = {}
    for name, call in _reads(folder):
        try:
            found[name] = call()
        except LLMMemoryError as error:
            found[name] = f"{type(error).__name__}: {error}"
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain


def writes(folder: DataFolder) -> dict[str, Any]:
    """What storing, linking, deleting and restoring answered, one after the other."""
    session = services.Session(identify(os.getcwd(), dict(DEFAULTS)), "5e551011-0000-4000-8000-000000000001")
    note: dict[str, Any] = {
        "type": "note",
        "content": "The retry budget is three, then the queue backs off.",
        "tags": "deploy",
    }
    stored = services.memory_store(folder, session, **note)
    near = services.memory_store(folder, session, **note | {"content": f"{note['content']} Always."})
    again = services.memory_store(folder, session, **note)
    first = services.memory_store(folder, session, type="narrative", content="# Plan\n\nFirst.", project="shop")
    second = services.memory_store(folder, session, type="narrative", content="# Plan\n\nSecond.", project="shop")
    return {
        "stored": stored,
        "near": near,
        "again": again["status"],
        "found": search.memory_search(folder, "retry budget")["results"][0]["uuid"],
        "linked": services.memory_connect(folder, stored["uuid"], near["uuid"], "related_to")["status"],
        "explored": len(selectors.memory_explore(folder, stored["uuid"])["edges"]),
        "replaced": selectors.memory_get(folder, first["uuid"])["status"],
        "revived": services.memory_delete(folder, second["uuid"])["warnings"],
        "restored": services.memory_restore(folder, second["uuid"])["status"],
    }


if __name__ == "__main__":
    given = {"answers": {"reads": reads, "writes": writes}[sys.argv[1]](data_folder()), "modules": sorted(sys.modules)}
    sys.stdout.write(json.dumps(given))

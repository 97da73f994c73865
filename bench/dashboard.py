"""What the dashboard's pages cost on generated data: server time, bytes and queries of each, beside their targets.

    python -m bench.dashboard [--records 10000] [--turns 200000] [--runs 30] [--home FOLDER] [--json]

The requests go through the whole application in this process, warm, without a network between; `cold` is the first one
after a memory was stored. FOLDER keeps the data for the next run.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import metrics, vocabulary
from bench.generator import SEED, Generator
from bench.product import Home, start_django
from memories.core import conversation_index, mirror, paths, records, session_logs

PAGE_MS, SEARCH_MS, PAGE_KB = 30.0, 150.0, 60.0
LONG_TURNS = 30_000
"""Turns of the one long transcript: about 50 MB."""

SHORT_TURNS = 30
QUESTIONS = 10
WARM_UP = 3
LINKED = 3
"""Every so-manieth record links to one before it."""

FRESH = "/fresh/"
"""Stands for the address that the timeline gives its own poll."""

_HTMX = {"HX-Request": "true"}


@dataclass
class Data:
    """What the bench asks about: ids of a long and a short session, a record's uuid, the newest project, questions."""

    long: str
    short: str
    lines: int
    uuid: str
    project: str
    questions: list[str]


@dataclass
class Figure:
    """One page: milliseconds (median, 95th percentile), bytes and queries of the largest answer; targets or None."""

    page: str
    p50: float
    p95: float
    kb: float
    queries: int
    target_ms: float | None
    target_kb: float | None


def prepare(home: Home, count: int, turns: int) -> Data:
    """Write records with links, sessions with their logs, one long and one short session, and index them."""
    kept = home.place / "bench-dashboard.json"
    if kept.exists():
        return Data(**json.loads(kept.read_text("utf-8")))
    generator = Generator()
    folder = home.folder
    written = generator.write_records(folder.records, count)
    uuids = _link(folder.records)
    long, longest = generator.write_session(folder.transcripts, min(LONG_TURNS, turns // 2))
    short, _ = generator.write_session(folder.transcripts, SHORT_TURNS)
    total = generator.write_turns(folder.transcripts, max(0, turns - longest.turns - SHORT_TURNS))
    for name in os.listdir(folder.transcripts):
        path = os.path.join(folder.transcripts, name)
        if name.endswith(".jsonl") and os.path.getsize(path) < longest.file_bytes:
            session_logs.refresh(folder, path, None)
    mirror.update(folder)
    conversation_index.update(folder)
    rng = random.Random(SEED)  # noqa: S311 - the same questions on every run
    samples = [rng.choice(written.samples + total.samples) for _ in range(QUESTIONS)]
    questions = [vocabulary.question(rng, sample.text) for sample in samples]
    project = str(records.load(folder, uuids[0])["project"])
    data = Data(long, short, longest.lines, uuids[len(uuids) // 2], project, questions)
    kept.write_text(json.dumps(asdict(data)), "utf-8")
    return data


def _link(folder: str) -> list[str]:
    """Give every LINKED-th record a link to one before it; all uuids, sorted."""
    uuids = sorted(name.removesuffix(".json") for name in os.listdir(folder) if name.endswith(".json"))
    rng = random.Random(SEED)  # noqa: S311 - the same links on every run
    for number in range(LINKED, len(uuids), LINKED):
        path = Path(folder, f"{uuids[number]}.json")
        record = json.loads(path.read_text("utf-8"))
        record["connections"] = [{"to_uuid": uuids[rng.randrange(number)], "relationship": "related_to"}]
        path.write_text(json.dumps(record, indent=2), "utf-8")
    return uuids


def pages(data: Data) -> Iterator[tuple[str, list[str], dict[str, str], float | None, float | None]]:
    """(name, addresses, headers, target in ms, target in KB) of what is measured."""
    yield "timeline", ["/"], {}, PAGE_MS, PAGE_KB
    yield "timeline, a project", [f"/?{urlencode({'project': data.project})}"], {}, PAGE_MS, PAGE_KB
    yield "timeline, three filters", ["/?type=note&importance=8-10&month=2025-03"], {}, PAGE_MS, PAGE_KB
    yield "search, as typed", [f"/?{urlencode({'q': one})}" for one in data.questions], _HTMX, SEARCH_MS, PAGE_KB
    yield "search, a page", [f"/?{urlencode({'q': one})}" for one in data.questions], {}, SEARCH_MS, PAGE_KB
    yield "is anything new?", [FRESH], _HTMX, PAGE_MS, PAGE_KB
    yield "memory", [f"/m/{data.uuid}/"], {}, PAGE_MS, PAGE_KB
    yield "projects", ["/p/"], {}, PAGE_MS, PAGE_KB
    yield "project", [f"/p/{data.project}/"], {}, PAGE_MS, PAGE_KB
    yield "sessions", ["/s/"], {}, PAGE_MS, PAGE_KB
    yield "transcript, short", [f"/t/{data.short}/"], {}, PAGE_MS, PAGE_KB
    yield "transcript, 50 MB", [f"/t/{data.long}/"], {}, PAGE_MS, PAGE_KB
    yield "transcript, 50 MB, its middle", [f"/t/{data.long}/?line={data.lines // 2}"], {}, PAGE_MS, PAGE_KB
    yield "transcript, 50 MB, find", [f"/t/{data.long}/?find=unheard-of"], {}, SEARCH_MS, PAGE_KB
    yield "graph", ["/graph/"], {}, PAGE_MS, PAGE_KB
    yield "graph, its data", ["/graph/data/"], {}, None, None
    yield "status", ["/status/"], {}, PAGE_MS, PAGE_KB


class Site:
    """The application, asked in this process."""

    def __init__(self) -> None:
        from django.db import connection
        from django.test import Client

        from memories import facets

        self._connection, self._facets = connection, facets
        self._client = Client(SERVER_NAME="127.0.0.1")

    def ask(self, address: str, headers: dict[str, str], *, forget: bool = False) -> tuple[float, int]:
        """(milliseconds, bytes) of an answer on a connection of its own, as the server gives each request one.

        forget: as when the same was not searched for before. Raises AssertionError for an error page.
        """
        self._connection.close()
        if forget:
            self._facets.current(paths.data_folder()).kept.clear()
        started = time.perf_counter()
        answer = self._client.get(address, headers=headers)
        milliseconds = (time.perf_counter() - started) * 1000
        assert answer.status_code in {200, 204}, f"{address}: {answer.status_code}"
        size = len(answer.content)
        answer.close()
        return milliseconds, size

    def poll_address(self) -> str:
        """Where the timeline asks whether there is anything new. Raises AssertionError when it does not ask."""
        found = re.search(r'hx-get="([^"]*fresh/[^"]*)"', self._client.get("/").content.decode())
        assert found is not None, "the timeline asks for nothing new"
        return html.unescape(found[1])

    def queries(self, address: str, headers: dict[str, str]) -> int:
        """How many queries an answer takes through the ORM."""
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(self._connection) as captured:
            self._client.get(address, headers=headers)
        return len(captured)


def measure(site: Site, data: Data, runs: int) -> list[Figure]:
    """Ask for each page WARM_UP times, then runs times."""
    figures = []
    for name, addresses, headers, target_ms, target_kb in pages(data):
        asked = [site.poll_address()] if addresses == [FRESH] else addresses
        cold = name.startswith("search")
        for number in range(WARM_UP):
            site.ask(asked[number % len(asked)], headers)
        answers = [site.ask(asked[number % len(asked)], headers, forget=cold) for number in range(runs)]
        times = [milliseconds for milliseconds, _ in answers]
        largest = max(size for _, size in answers) / 1024
        queries = max(site.queries(one, headers) for one in asked)
        p95 = metrics.percentile(times, 0.95)
        figures.append(Figure(name, statistics.median(times), p95, largest, queries, target_ms, target_kb))
    return figures


def cold(site: Site, home: Home) -> Figure:
    """The timeline right after a memory was stored."""
    times, size = [], 0
    for number in range(WARM_UP + 1):
        record = records.new_record(type="note", content=f"stored by the bench, number {number}")
        records.save(home.folder, record)
        mirror.apply_records(home.folder, [record["uuid"]])
        milliseconds, size = site.ask("/", {})
        times.append(milliseconds)
        records.delete(home.folder, record["uuid"])
        mirror.apply_records(home.folder, [record["uuid"]])
    median = statistics.median(times)
    return Figure("timeline, cold", median, max(times), size / 1024, site.queries("/", {}), None, PAGE_KB)


def show(figures: list[Figure]) -> None:
    """Print a line for each page; `over` where a median or a size is above its target."""
    print(f"{'page':<32}{'p50 ms':>8}{'p95 ms':>8}{'target':>8}{'KB':>8}{'target':>8}{'queries':>9}")
    for one in figures:
        over = (one.target_ms and one.p50 > one.target_ms) or (one.target_kb and one.kb > one.target_kb)
        ms, kb = (f"{target:.0f}" if target else "" for target in (one.target_ms, one.target_kb))
        said = "  over" if over else ""
        print(f"{one.page:<32}{one.p50:>8.1f}{one.p95:>8.1f}{ms:>8}{one.kb:>8.1f}{kb:>8}{one.queries:>9}{said}")
    by_name = {one.page: one for one in figures}
    ratio = by_name["transcript, 50 MB"].p50 / by_name["transcript, short"].p50
    print(f"\nA 50 MB transcript opens in {ratio:.2f} times the time of a short one.")


def main() -> None:
    """Prepare, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--home", type=Path, help="a folder that keeps the data for the next run")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llm-memory-bench-") as place:
        home = Home(options.home or Path(place))
        started = time.perf_counter()
        data = prepare(home, options.records, options.turns)
        print(f"Data ready after {time.perf_counter() - started:.0f} s.", file=sys.stderr)
        start_django(home)
        site = Site()
        figures: list[Any] = measure(site, data, options.runs)
        figures.append(cold(site, home))
    if options.json:
        print(json.dumps([asdict(one) for one in figures], indent=2))
    else:
        show(figures)


if __name__ == "__main__":
    main()

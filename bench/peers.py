"""Other memory servers beside ours: the same notes stored, the same questions asked, each over its own stdio pipe.

The peers are npm packages, installed by name into .cache/peers; where npm or its registry cannot be reached, only ours
is measured, and that is said.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import vocabulary
from bench.generator import SEED, Generator
from bench.metrics import percentile
from bench.product import ROOT, Home
from bench.stdio import McpClient, ServerError

PACKAGES = ("@ai-devkit/memory", "@modelcontextprotocol/server-memory")
CACHE = ROOT / ".cache" / "peers"
INSTALL_SECONDS = 300.0
NOTES = 1_000
NOTE_WORDS = 78
"""Words that make the 530 characters of a note."""

QUESTIONS = 200
FOUND_AT = 5
TITLE_CHARS = 80

Call = tuple[str, dict[str, Any]]
"""A tool's name and its arguments."""


@dataclass
class Dialect:
    """How one server is spoken to. store(number, text) and search(question) give the call; a note is found where the
    marker that it begins with is among the first five hits of hits(structured answer, text)."""

    store: Callable[[int, str], Call]
    search: Callable[[str], Call]
    hits: Callable[[dict[str, Any], str], list[str]]


@dataclass
class Compared:
    """One server's figures: milliseconds, and the share of questions whose note was among the first five."""

    name: str
    store_p50: float
    search_p50: float
    search_p95: float
    found: float


def _marker(number: int) -> str:
    return f"Note{number:05}"


def _json_items(text: str, key: str) -> list[str]:
    found = json.loads(text).get(key, [])
    return [json.dumps(item) for item in found]


OURS = Dialect(
    store=lambda number, text: ("memory_store", {"content": text, "type": "note"}),  # noqa: ARG005
    search=lambda question: ("memory_search", {"query": question, "limit": FOUND_AT}),
    hits=lambda answer, _: [hit["content"] for hit in answer["results"]],
)
AI_DEVKIT = Dialect(
    store=lambda number, text: (
        "memory_storeKnowledge",
        {"title": f"{_marker(number)} {text[10:TITLE_CHARS]}", "content": text, "tags": ["bench"]},
    ),
    search=lambda question: ("memory_searchKnowledge", {"query": question, "limit": FOUND_AT}),
    hits=lambda _, text: _json_items(text, "results"),
)
SERVER_MEMORY = Dialect(
    store=lambda number, text: (
        "create_entities",
        {"entities": [{"name": _marker(number), "entityType": "note", "observations": [text]}]},
    ),
    search=lambda question: ("search_nodes", {"query": question}),
    hits=lambda _, text: _json_items(text, "entities"),
)


def compare(place: Path) -> list[Compared]:
    """Measure ours and every peer that could be installed, each in a home of its own below place."""
    generator = Generator()
    notes = [f"{_marker(number)} {generator.text(NOTE_WORDS)}" for number in range(NOTES)]
    home = Home(place / "ours")
    with home.server() as server:
        measured = [_measure("LLM Memory", server, OURS, notes)]
    problem = install()
    if problem is not None:
        print(f"PEERS SKIPPED: {problem}", file=sys.stderr)
        return measured
    for name, dialect in zip(PACKAGES, (AI_DEVKIT, SERVER_MEMORY), strict=True):
        peer_home = Home(place / name)
        environ = {**peer_home.environ, "MEMORY_FILE_PATH": str(peer_home.place / "memory.jsonl")}
        try:
            # not .bin/<program>: that is a symlink, under which @ai-devkit/memory 0.20 ends at once
            program = str(CACHE / "node_modules" / name / "dist" / "index.js")
            with McpClient(["node", program], environ, peer_home.place) as server:
                measured.append(_measure(name, server, dialect, notes))
        except ServerError as error:
            print(f"PEER SKIPPED: {name} does not run here: {error}", file=sys.stderr)
    return measured


def install() -> str | None:
    """Install the peers into .cache/peers unless they are there; what stood in the way, None where nothing did."""
    if all((CACHE / "node_modules" / name).is_dir() for name in PACKAGES):
        return None
    if shutil.which("npm") is None:
        return "npm is not on PATH"
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "package.json").write_text('{"private": true}\n', "utf-8")
    try:
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", *PACKAGES],
            cwd=CACHE, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False, env=dict(os.environ),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"npm install took over {INSTALL_SECONDS:.0f} s"
    return None if done.returncode == 0 else f"npm install failed: {done.stderr.strip()[-300:]}"


def _measure(name: str, server: McpClient, dialect: Dialect, notes: list[str]) -> Compared:
    stored = [_timed(server, dialect.store(number, text))[0] for number, text in enumerate(notes)]
    rng = random.Random(SEED)  # noqa: S311 - the same questions for each
    times, found = [], []
    for _ in range(QUESTIONS):
        note = rng.choice(notes)
        marker, _, text = note.partition(" ")
        milliseconds, (answer, said) = _timed(server, dialect.search(vocabulary.question(rng, text)))
        times.append(milliseconds)
        found.append(any(marker in hit for hit in dialect.hits(answer, said)[:FOUND_AT]))
    return Compared(
        name, statistics.median(stored), statistics.median(times), percentile(times, 0.95), statistics.fmean(found)
    )


def _timed(server: McpClient, call: Call) -> tuple[float, tuple[dict[str, Any], str]]:
    tool, arguments = call
    started = time.perf_counter()
    answer = server.call(tool, **arguments)
    return (time.perf_counter() - started) * 1000, answer


def show(compared: list[Compared]) -> None:
    """Print the table."""
    print(f"\n{NOTES:,} notes over stdio{'':<14}{'store p50 ms':>14}{'search p50':>12}{'p95':>8}{'found@5':>9}")
    for one in compared:
        print(f"{one.name:<36}{one.store_p50:>12.2f}{one.search_p50:>12.2f}{one.search_p95:>8.2f}{one.found:>9.3f}")

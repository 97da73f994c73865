"""The figures of one server: each over its own stdio pipe, in a home of its own."""

from __future__ import annotations

import json
import os
import random
import re
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench import vocabulary
from bench.generator import SEED, Generator
from bench.peers.catalog import FOUND_AT, Peer, base_environ, marker
from bench.stdio import McpClient, ServerError

NOTES = 1_000
NOTE_WORDS = 78
"""Words that make the 530 characters of a note."""

QUESTIONS = 200
STARTS = 7
HOOK_RUNS = 9
WRITERS = 4
STORES_EACH = 25
MARKER = re.compile(r"Note\d{5}")
MILLION = 1_000_000


@dataclass
class Figures:
    """What was measured of one server.

    start: seconds from spawn to the answer to initialize, median; store, search, hook: milliseconds, median; found:
    share of the questions whose note was among the first five hits; kept: notes found again of WRITERS processes that
    stored STORES_EACH each at once, errors: of those, how many the server refused; schemas: bytes of tools/list; disk:
    MB of what it wrote for its notes; memory: MB of its processes, at most.
    """

    name: str
    version: str = ""
    start: float = 0.0
    store: float = 0.0
    search: float = 0.0
    found: float = 0.0
    kept: int = 0
    errors: int = 0
    tools: int = 0
    schemas: int = 0
    hook: float | None = None
    why_no_hook: str = ""
    notes: int = 0
    disk: float = 0.0
    memory: float = 0.0


def notes(count: int, first: int = 0) -> list[str]:
    """So many notes, the same ones on every run, each beginning with its marker."""
    generator = Generator()
    return [f"{marker(first + number)} {generator.text(NOTE_WORDS)}" for number in range(count)]


def measure(peer: Peer, place: Path, home: Path, *, count: int = NOTES, questions: int = QUESTIONS) -> Figures:
    """All figures of a peer that is installed in place. home: a new folder below which it keeps everything.

    Raises ServerError, OSError.
    """
    figures = Figures(peer.name)
    texts = notes(min(count, peer.most_notes))
    figures.notes = len(texts)
    with _server(peer, place, home / "notes") as server:
        listed = server.request("tools/list", {})["tools"]
        figures.tools, figures.schemas = len(listed), len(json.dumps(listed, separators=(",", ":")))
        stored = [_timed(server, *peer.store(*numbered)) for numbered in enumerate(texts)]
        figures.store = statistics.median(milliseconds for milliseconds, _ in stored)
        figures.search, figures.found = _ask(peer, server, texts, questions)
        figures.memory = _megabytes_of(server.pid)
    with _server(peer, place, home / "notes") as server:
        if not _is_there(peer, server, 0, texts[0]):
            tool, arguments = peer.search(marker(0))
            said = server.call(tool, **arguments)[1]
            raise ServerError(f"started again it does not find what it stored: {said}")
    figures.disk = _bytes_below(home / "notes") / MILLION
    figures.start = _start(peer, place, home / "notes")
    figures.kept, figures.errors = _concurrently(peer, place, home / "concurrent")
    figures.hook, figures.why_no_hook = _hook(peer, place, home / "notes"), peer.why_no_hook
    return figures


def _server(peer: Peer, place: Path, home: Path) -> McpClient:
    home.mkdir(parents=True, exist_ok=True)
    server = McpClient(peer.command(place), {**base_environ(home), **peer.environ(home)}, home)
    for tool, arguments in peer.first:
        server.call(tool, **arguments)
    return server


def _timed(server: McpClient, tool: str, arguments: dict[str, object]) -> tuple[float, str]:
    started = time.perf_counter()
    _, text = server.call(tool, **arguments)
    return (time.perf_counter() - started) * 1000, text


def _ask(peer: Peer, server: McpClient, texts: list[str], questions: int) -> tuple[float, float]:
    """(milliseconds, share found) of questions made of words of one note each, as a person types them."""
    rng = random.Random(SEED)  # noqa: S311 - the same questions for each
    times, found = [], []
    for _ in range(questions):
        wanted, _, text = rng.choice(texts).partition(" ")
        milliseconds, said = _timed(server, *peer.search(vocabulary.question(rng, text)))
        times.append(milliseconds)
        found.append(wanted in list(dict.fromkeys(MARKER.findall(said)))[:FOUND_AT])
    return statistics.median(times), statistics.fmean(found)


def _start(peer: Peer, place: Path, home: Path) -> float:
    seconds = []
    for _ in range(STARTS):
        started = time.perf_counter()
        with _server(peer, place, home):
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _concurrently(peer: Peer, place: Path, home: Path) -> tuple[int, int]:
    """(notes found again, calls refused) after WRITERS servers of one home stored STORES_EACH each at the same time."""
    texts = notes(WRITERS * STORES_EACH)
    with _server(peer, place, home) as server:
        _is_there(peer, server, 0, texts[0])  # a first call makes what a database begins with
    refused: list[str] = []

    def write(first: int, server: McpClient) -> None:
        for number in range(first, first + STORES_EACH):
            try:
                tool, arguments = peer.store(number, texts[number])
                server.call(tool, **arguments)
            except ServerError as error:
                refused.append(str(error))

    servers = [_server(peer, place, home) for _ in range(WRITERS)]
    threads = [threading.Thread(target=write, args=(n * STORES_EACH, server)) for n, server in enumerate(servers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for server in servers:
        server.close()
    with _server(peer, place, home) as server:
        kept = sum(_is_there(peer, server, number, text) for number, text in enumerate(texts))
    return kept, len(refused)


def _is_there(peer: Peer, server: McpClient, number: int, text: str) -> bool:
    tool, arguments = peer.find(number, text) if peer.find else peer.search(marker(number))
    try:
        return peer.shown(number, text) in server.call(tool, **arguments)[1]
    except ServerError:
        return False


def _hook(peer: Peer, place: Path, home: Path) -> float | None:
    if peer.hook is None:
        return None
    command, payload = peer.hook(place, home)
    environ = {**base_environ(home), **peer.environ(home)}
    times = []
    for _ in range(HOOK_RUNS):
        started = time.perf_counter()
        subprocess.run(command, input=payload, env=environ, cwd=home, text=True, capture_output=True, check=True)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _megabytes_of(pid: int) -> float:
    """The most memory that a process and its children ever held at once each (VmHWM), added up."""
    total = 0
    for one in _family(pid):
        try:
            status = Path("/proc", str(one), "status").read_text("ascii", "replace")
        except OSError:
            continue  # it has ended
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        total += int(found[1]) if found else 0
    return total / 1000


def _family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for path in Path("/proc", str(one), "task").glob("*/children"):
            found += [int(child) for child in path.read_text("ascii").split()]
    return found


def _bytes_below(folder: Path) -> int:
    return sum(os.lstat(os.path.join(root, name)).st_size for root, _, names in os.walk(folder) for name in names)

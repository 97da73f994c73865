"""What search and its index cost as they grow, on generated records and transcripts, each figure beside its target.

    python -m bench.scale [--records 100000] [--turns 500000] [--turns-steps 100000,500000]
                          [--questions 200] [--json]

Records and transcripts are written straight into a throwaway data folder; writing them is not measured. Indexing runs
in a process of its own on one core; searches go through the MCP server's stdio pipe, warm.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench import indexing, metrics, vocabulary
from bench.generator import SEED, Generator, Sample, Written
from bench.product import ROOT, Home, run
from bench.stdio import McpClient

WARM_UP = 20
FOUND_AT = 10
MEGABYTE = 1_000_000

Found = set[tuple[str, int]]


@dataclass
class Latency:
    """Milliseconds of warm searches through the pipe, and the share of them that found the text they were drawn from
    among the first 10."""

    p50: float
    p95: float
    found: float


@dataclass
class Step:
    """The figures at one size; `turns` is how many are in the index, indexed_turns how many this step added."""

    turns: int
    indexed_turns: int
    index_seconds: float
    indexed_bytes: int
    index_peak_mb: float
    sync_seconds: float
    sync_command_seconds: float
    database_bytes: int
    text_bytes: int
    searches: dict[str, Latency] = field(default_factory=dict)


def steps_of(turns: int, steps: str) -> list[int]:
    """The sizes to measure at, in order: those named below turns, and turns itself. Raises ValueError."""
    return sorted({size for size in map(int, steps.split(",")) if size < turns} | {turns})


def measure_step(home: Home, generator: Generator, total: Written, size: int, records: Written, questions: int) -> Step:
    """Write turns up to that size, index them, and measure with so many questions a scope. total is counted on."""
    written = generator.write_turns(home.folder.transcripts, size - total.turns)
    total.add(written)
    index = indexing.measure(home, "turns")
    indexing.measure(home, "sync")  # whatever a first sync still finds to do
    unchanged = indexing.measure(home, "sync")
    command = seconds_of(lambda: run([sys.executable, "-I", str(ROOT / "manage.py"), "sync"], home.environ))
    step = Step(
        turns=total.turns,
        indexed_turns=written.turns,
        index_seconds=index.seconds,
        indexed_bytes=written.file_bytes,
        index_peak_mb=index.peak_mb,
        sync_seconds=unchanged.seconds,
        sync_command_seconds=command,
        database_bytes=database_bytes(home),
        text_bytes=total.text_bytes + records.text_bytes,
    )
    with home.server() as server:
        both = [sample for pair in zip(records.samples, total.samples, strict=False) for sample in pair]
        for scope, samples in (("memories", records.samples), ("transcripts", total.samples), ("all", both)):
            step.searches[scope] = ask(server, scope, samples, questions)
    return step


def ask(server: McpClient, scope: str, samples: list[Sample], questions: int) -> Latency:
    """Ask so many questions drawn from samples of what was written; the first ones only warm up."""
    rng = random.Random(SEED)  # noqa: S311 - the same questions on every run
    asked = [rng.choice(samples) for _ in range(WARM_UP + questions)]
    times, found = [], []
    for sample in asked:
        question = vocabulary.question(rng, sample.text)
        started = time.perf_counter()
        answer, _ = server.call("memory_search", query=question, scope=scope, limit=FOUND_AT)
        times.append((time.perf_counter() - started) * 1000)
        found.append((sample.source, sample.line) in places(answer["results"]))
    times, found = times[WARM_UP:], found[WARM_UP:]
    return Latency(statistics.median(times), metrics.percentile(times, 0.95), statistics.fmean(found))


def places(hits: list[dict[str, Any]]) -> Found:
    """Where the hits stand, as samples say it."""
    return {(hit["session_id"], hit["line"]) if hit["type"] == "transcript" else (hit["uuid"], 0) for hit in hits}


def seconds_of(job: Callable[[], object]) -> float:
    """Wall-clock seconds of a call."""
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def database_bytes(home: Home) -> int:
    """Size of the mirror with its write-ahead log."""
    paths = (home.folder.mirror, home.folder.mirror + "-wal")
    return sum(os.path.getsize(path) for path in paths if os.path.exists(path))


def show(step: Step) -> None:
    """Print a step's figures, each with its target."""
    print(f"\n{step.turns:,} turns")
    rate = step.indexed_turns / step.index_seconds
    line(f"index, turns/s ({step.indexed_bytes / MEGABYTE / step.index_seconds:.1f} MB/s)", rate, 4_000, 10_000, ",.0f")
    line("index, peak memory MB", step.index_peak_mb, 300, None, ",.0f")
    line("no-change sync, s", step.sync_seconds, 1, None, ".2f")
    line("no-change `sync` command, whole, s", step.sync_command_seconds, None, None, ".2f")
    line("database / indexed text", step.database_bytes / step.text_bytes, 6, 3, ".2f")
    for scope, latency in step.searches.items():
        name = f"search {scope}, p95 ms (p50 {latency.p50:.1f}, found@10 {latency.found:.3f})"
        line(name, latency.p95, 100 if step.turns <= 100_000 else 300, 60, ".1f")


def line(name: str, value: float, bar: float | None, goal: float | None, form: str) -> None:
    """Print one figure beside its bar and goal; rates are met from above, everything else from below."""

    def meets(limit: float) -> bool:
        return value >= limit if "turns/s" in name else value <= limit

    beside = ""
    if bar is not None:
        verdict = metrics.verdict(meets(bar), goal is not None and meets(goal))
        beside = f"{format(bar, ',g'):>10}{format(goal, ',g') if goal is not None else '':>10}  {verdict}"
    print(f"{name:<62}{format(value, form):>12}{beside}")


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=500_000)
    parser.add_argument("--turns-steps", default="100000,500000", help="sizes to measure at on the way")
    parser.add_argument("--questions", type=int, default=200, help="questions for each scope of a search")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    options = parser.parse_args()
    sizes = steps_of(options.turns, options.turns_steps)
    say = (lambda *_: None) if options.json else print
    with tempfile.TemporaryDirectory(prefix="llm-memory-bench-") as place:
        home = Home(Path(place, "home"))
        generator = Generator()
        records = generator.write_records(home.folder.records, options.records)
        bare = seconds_of(lambda: run([sys.executable, "-c", "pass"], home.environ))
        rebuilt = indexing.measure(home, "records")
        say(f"python -c pass {bare * 1000:.0f} ms; figure, bar and goal:")
        if not options.json:
            line(f"rebuild of {options.records:,} records, s", rebuilt.seconds, None, None, ".1f")
            line("rebuild, peak memory MB", rebuilt.peak_mb, 300, None, ",.0f")
        total, steps = Written(), []
        for size in sizes:
            steps.append(measure_step(home, generator, total, size, records, options.questions))
            if not options.json:
                show(steps[-1])
    if options.json:
        figures = {
            "pass_seconds": bare,
            "records": {"count": options.records, **asdict(rebuilt)},
            "steps": [asdict(step) for step in steps],
        }
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()

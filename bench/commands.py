"""What the reading commands cost as whole processes, as ratios to `python -c pass` of the same interpreter.

    python -m bench.commands [--runs 15] [--records 1000] [--turns 500] [--json]

Builds a throwaway home with made-up notes, one narrative and archived sessions. The commands are run in turn, round
after round, so that what else the machine does falls on all alike. Target: 3x.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.generator import Generator  # noqa: E402 - after the path is set
from bench.product import Home  # noqa: E402
from memories.core import records  # noqa: E402
from memories.terminal import table  # noqa: E402

TARGET = 3.0
BASE = "python -c pass"
PROJECT = "shop"


@dataclass(frozen=True)
class Line:
    """A command's milliseconds, the median and the best, and the medians' ratio to BASE."""

    name: str
    median_ms: float
    best_ms: float
    ratio: float


def build(home: Home, notes: int, turns: int) -> dict[str, list[str]]:
    """Fill the home; each reading command there is, by how it is called, with its arguments. Raises LLMMemoryError."""
    generator = Generator()
    written = generator.write_records(home.folder.records, notes)
    session, _ = generator.write_session(str(home.folder.transcripts), turns)
    note = records.load(home.folder, written.samples[0].source)
    narrative = records.new_record(type="narrative", content=f"# {PROJECT}\n\n{note['content']}", project=PROJECT)
    records.save(home.folder, narrative)
    home.sync()
    words = " ".join(note["content"].split()[:4])
    calls = {
        "help": [],
        "search": [words],
        "search --transcripts": [words],
        "recent": [],
        "show": [note["uuid"]],
        "brief": ["--project", PROJECT],
        "narrative": [PROJECT],
        "transcript": [session],
        "status": [],
    }
    known = [*table.COMMANDS, "help"]
    return {called: [*called.split(), *given] for called, given in calls.items() if called.split()[0] in known}


def measure(home: Home, commands: dict[str, list[str]], runs: int) -> list[Line]:
    """Each command's line, that of BASE first. Raises CalledProcessError."""
    start = [sys.executable, "-I", "-S", str(ROOT / "manage.py")]  # as the installed `llm-memory` starts it
    argvs = {BASE: [sys.executable, "-c", "pass"]} | {name: [*start, *one] for name, one in commands.items()}
    place = home.launch_folder(PROJECT)
    times: dict[str, list[float]] = {name: [] for name in argvs}
    for turn in range(runs + 1):
        for name, argv in argvs.items():
            started = time.perf_counter()
            subprocess.run(argv, env=home.environ, cwd=place, check=True, stdout=subprocess.DEVNULL)
            if turn:  # the first writes bytecode and warms the disk's cache
                times[name].append((time.perf_counter() - started) * 1000)
    base = statistics.median(times[BASE])
    return [
        Line(name, statistics.median(found), min(found), statistics.median(found) / base)
        for name, found in times.items()
    ]


def show(lines: list[Line]) -> None:
    """Print the table."""
    print(f"{'command':<24} {'median ms':>10} {'best ms':>10} {'ratio':>8}")
    for line in lines:
        above = "  above the target" if line.ratio > TARGET else ""
        print(f"{line.name:<24} {line.median_ms:10.1f} {line.best_ms:10.1f} {line.ratio:7.2f}x{above}")


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="how often each is run (default 15)")
    parser.add_argument("--records", type=int, default=1000, help="how many notes (default 1,000)")
    parser.add_argument("--turns", type=int, default=500, help="how many turns of conversation (default 500)")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llm-memory-bench-") as place:
        home = Home(Path(place))
        lines = measure(home, build(home, options.records, options.turns), options.runs)
    if options.json:
        print(json.dumps([asdict(line) for line in lines], indent=2))
    else:
        show(lines)


if __name__ == "__main__":
    main()

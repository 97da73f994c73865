"""What one memory on two machines costs: two real Syncthing daemons on loopback, generated records and transcripts.

    python -m bench.sync [--records 10000] [--megabytes 2000] [--json]

Everything is measured twice, with a tenth of the data and with all of it: what follows the size of the memory grows
about tenfold, what follows a day's changes stays. Needs `syncthing`; three times the megabytes must be free on disk,
and the throwaway folder with all of it is removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.generator import SEED, Generator
from bench.product import ROOT, Home
from hooks.shipped_files import STIGNORE_TEXT
from memories.core import merge_copies, mirror, records
from tests.sync.network import FOLDER, in_sync
from tests.syncthing import Daemon, connect

MEGABYTE = 1_000_000
BYTES_PER_TURN = 2367
"""What the generator writes for one turn, in the mean."""

SMALLER = 10
DAY_RECORDS, DAY_SESSIONS, DAY_CONFLICTS = 20, 3, 2
SESSION_TURNS = 150
WATCHER_SECONDS = 1
"""How long Syncthing's watcher gathers changes before it looks (its default is 10): a part of every figure below it."""

QUIET_RUNS = 5
PATIENCE = 60.0
"""Seconds that a transfer may take at most, and as many again for every thirty megabytes; only a bound."""


class Side:
    """One of the two machines: its home, data folder and daemon."""

    def __init__(self, place: Path, stack: ExitStack, patience: float) -> None:
        """patience: seconds that any transfer may take."""
        self.home = Home(place)
        self.patience = patience
        self.folder = self.home.folder
        Path(self.folder.root, ".stignore").write_bytes(STIGNORE_TEXT)
        self.daemon = Daemon(place / ".config" / "syncthing", name=place.name, environ={"HOME": str(place)})
        stack.callback(self.daemon.kill)  # its folders are removed; stopping takes seconds
        self.daemon.start()

    def command(self, *words: str) -> float:
        """Run a command of ours to its end; seconds. Raises CalledProcessError."""
        started = time.perf_counter()
        command = [sys.executable, "-I", str(ROOT / "manage.py"), *words]
        subprocess.run(command, env=self.home.environ, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        return time.perf_counter() - started

    def end_session(self, generator: Generator) -> str:
        """A session in Claude Code's folder comes to its end; its id."""
        folder = self.home.projects_dir / "-home-dev-code-shop"
        folder.mkdir(exist_ok=True)
        session_id, _ = generator.write_session(str(folder), SESSION_TURNS)
        payload = {"session_id": session_id, "transcript_path": str(folder / f"{session_id}.jsonl"), "cwd": "/nowhere"}
        hook = [sys.executable, "-I", "-S", str(ROOT / "manage.py"), "hook", "session_end"]
        subprocess.run(hook, input=json.dumps(payload).encode(), env=self.home.environ, check=True)
        return session_id

    def edit(self, uuid: str, content: str) -> None:
        """Change a record's content, as a tool does."""
        with records.lock(self.folder):
            records.update(self.folder, uuid, lambda record: bool(record.update(content=content)) or True)

    def indexed(self, names: list[str]) -> int:
        """How many of these records and sessions are in the index, and so found by a search."""
        connection: sqlite3.Connection = mirror.connect(self.folder.mirror)
        try:
            marks = ",".join("?" * len(names))
            count = f"SELECT (SELECT count(*) FROM memory WHERE uuid IN ({marks}))"
            count += f" + (SELECT count(*) FROM session WHERE session_id IN ({marks}))"
            found: int = connection.execute(count, [*names, *names]).fetchone()[0]
            return found
        finally:
            connection.close()


def timed(action: Callable[[], Any]) -> float:
    """Seconds that an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def measure(place: Path, count: int, megabytes: float) -> dict[str, float]:
    """Every figure, in seconds, at one size."""
    with ExitStack() as stack:
        one, other = (Side(place / name, stack, PATIENCE * (1 + megabytes / 30)) for name in ("one", "other"))
        generator = Generator(SEED + count)
        generator.write_records(one.folder.records, count)
        generator.write_turns(one.folder.transcripts, max(1, round(megabytes * MEGABYTE / BYTES_PER_TURN)))
        one.command("sync")
        figures = set_up(one, other, count)
        figures["first index on the other machine"] = other.command("sync")
        figures.update(quiet(other))
        figures.update(day(one, other, generator))
        return figures


def set_up(one: Side, other: Side, count: int) -> dict[str, float]:
    """From two daemons that know each other to the same files on both; count: of the records."""
    connect(one.daemon, other.daemon)
    figures = {}

    def share(side: Side, peer: Side) -> float:
        return side.command("sync_setup", "--yes", "--device", peer.daemon.device_id)

    def wait(side: Side, peer: Side) -> float:
        return timed(lambda: side.daemon.wait(lambda: in_sync(side.daemon, [peer.daemon]), side.patience))

    def scanned() -> bool:
        state = one.daemon.get(f"/rest/db/status?folder={FOLDER}")
        return bool(state["state"] == "idle" and state["localFiles"] > count)

    figures["sync-setup, the first machine"] = share(one, other)
    figures["Syncthing's first look at the files"] = timed(lambda: one.daemon.wait(scanned, one.patience))
    figures["sync-setup, the other machine"] = share(other, one)
    figures["first transfer"] = wait(one, other) + wait(other, one)
    for side in (one, other):
        side.daemon.patch(f"/rest/config/folders/{FOLDER}", {"fsWatcherDelayS": WATCHER_SECONDS})
    return figures


def quiet(side: Side) -> dict[str, float]:
    """What is paid although nothing changed."""
    side.command("sync")  # what is younger than a clock tick is looked at twice
    runs = [timed(lambda: merge_copies.run(side.folder, shipped_rules=tuple)) for _ in range(QUIET_RUNS)]
    return {
        "merge pass, nothing to do": statistics.median(runs),
        "llm-memory sync, nothing new": statistics.median(side.command("sync") for _ in range(QUIET_RUNS)),
    }


def day(one: Side, other: Side, generator: Generator) -> dict[str, float]:
    """A day's records, sessions and conflicts: written, brought over, merged and searchable there."""
    edited = sorted(mirror_uuids(one))[:DAY_CONFLICTS]
    started = time.perf_counter()
    names = [one.end_session(generator) for _ in range(DAY_SESSIONS)]
    for number in range(DAY_RECORDS):
        record = records.new_record(type="note", content=f"Learned on this day, number {number}.", project="shop")
        records.save(one.folder, record)
        names.append(record["uuid"])
    for uuid in edited:
        for side in (one, other):
            side.edit(uuid, f"As {side.home.place.name} had it in the end.")
    figures = {"a day's changes: written": time.perf_counter() - started}
    figures["a day's changes: on the other machine"] = timed(lambda: arrived(one, other, names, len(edited)))
    figures["a day's changes: merged and searchable"] = other.command("sync")
    assert other.indexed(names) == len(names), "not all is searchable"
    figures["a day's changes: the first machine's sync"] = one.command("sync")
    one.daemon.wait(lambda: not copies(one) + copies(other) and both_in_sync(one, other), one.patience)
    figures["llm-memory sync after the day"] = other.command("sync")
    kept = [json.loads(Path(path).read_bytes()).get("conflict_of") for path in Path(one.folder.records).glob("*.json")]
    assert sum(uuid is not None for uuid in kept) == len(edited), "each conflict keeps the content that lost"
    return figures


def mirror_uuids(side: Side) -> list[str]:
    """The ids of the records on a machine."""
    return [name.removesuffix(".json") for name in os.listdir(side.folder.records) if name.endswith(".json")]


def arrived(one: Side, other: Side, names: list[str], conflicts: int) -> None:
    """Wait until the other machine has every record and session, and whoever lost a conflict has its copy."""
    places = (other.folder.records, other.folder.transcripts)

    def is_so() -> bool:
        there = {name.split(".")[0] for place in places for name in os.listdir(place)}
        if not there.issuperset(names) or not both_in_sync(one, other):
            return False
        return copies(one) + copies(other) == conflicts

    other.daemon.wait(is_so, other.patience)


def both_in_sync(one: Side, other: Side) -> bool:
    """Whether neither daemon has or needs anything more."""
    return in_sync(one.daemon, [other.daemon]) and in_sync(other.daemon, [one.daemon])


def copies(side: Side) -> int:
    """How many conflicts wait to be merged on a machine."""
    return sum("sync-conflict" in name for name in os.listdir(side.folder.records))


def main() -> int:
    """Measure at both sizes and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--megabytes", type=float, default=2000.0, help="of transcripts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if shutil.which("syncthing") is None:
        sys.stderr.write("bench.sync needs Syncthing: apt install syncthing\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="llm-memory-bench-") as place:
        needed = 3 * options.megabytes * MEGABYTE
        if shutil.disk_usage(place).free < needed:
            sys.stderr.write(f"bench.sync needs {needed / MEGABYTE:,.0f} MB free in {place}\n")
            return 1
        small = measure(Path(place, "small"), options.records // SMALLER, options.megabytes / SMALLER)
        shutil.rmtree(Path(place, "small"))
        full = measure(Path(place, "full"), options.records, options.megabytes)
    if options.json:
        print(json.dumps({"small": small, "full": full}, indent=2))
        return 0
    sizes = f"{options.records // SMALLER:,} records", f"{options.records:,} records"
    print(f"{'seconds, with':<44} {sizes[0]:>15} {sizes[1]:>15} {'ratio':>7}")
    for name, seconds in full.items():
        print(f"{name:<44} {small[name]:>15.3f} {seconds:>15.3f} {seconds / small[name]:>7.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

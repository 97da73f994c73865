"""One job on a data folder in a process of its own, pinned to one core: prints its seconds and peak memory as JSON.

python -m bench.indexing records|turns|sync        (the data folder is the environment's; bench.scale runs it)
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.product import ROOT, SYNC_WAIT_SECONDS, Home, run
from memories.core import conversation_index, mirror, paths, sync
from memories.core.settings import DEFAULTS


@dataclass
class Cost:
    """What a job took: wall-clock seconds without the interpreter's start, and the process's peak memory in MB."""

    seconds: float
    peak_mb: float


def measure(home: Home, job: str) -> Cost:
    """Run a job (a key of JOBS) in a child process on one core. Raises CalledProcessError."""
    done = run([sys.executable, "-m", "bench.indexing", job], {**home.environ, "PYTHONPATH": str(ROOT)})
    return Cost(**json.loads(done))


def _rebuild_records() -> None:
    mirror.update(paths.data_folder(), wait_seconds=SYNC_WAIT_SECONDS, rebuild=True)


def _index_turns() -> None:
    conversation_index.update(paths.data_folder())


def _sync() -> None:
    sync.run(paths.data_folder(), paths.claude_projects_dir(), dict(DEFAULTS), wait_seconds=SYNC_WAIT_SECONDS)


JOBS: dict[str, Callable[[], None]] = {"records": _rebuild_records, "turns": _index_turns, "sync": _sync}


def main() -> None:
    """Do the job named on the command line."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    started = time.perf_counter()
    JOBS[sys.argv[1]]()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak_mb": peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)}))


if __name__ == "__main__":
    main()

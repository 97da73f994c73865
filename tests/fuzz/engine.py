"""One target in a process of its own: `python -m tests.fuzz.engine TARGET SECONDS WORK CRASHES [KNOWN ...]`.

atheris (libFuzzer, guided by coverage) where it can be imported, else Hypothesis. WORK: a folder with the inputs to
begin with, which grows. An exception that is not among KNOWN (see place_of) ends the process with FAILED, after its
input was written to CRASHES.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any

FAILED = 77
"""Exit status after a finding; libFuzzer's own."""

HANG_SECONDS = 60
"""An input that takes longer is a finding: nothing of ours takes a second for a few kilobytes."""

RSS_MB = 3000
MAX_INPUT_BYTES = 8192
COUNTED = "stat::number_of_executed_units:"
"""Stands before the number of executions in what either engine prints."""

_PACKAGES = ("memories.core", "memories.syncthing", "memories", "hooks", "mcp_bridge")


def place_of(error: BaseException) -> str:
    """What tells a finding from others: the exception's type, and file and line of ours where it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}lib{os.sep}python" not in frame.filename] or frames
    return f"{type(error).__name__}@{os.path.basename(ours[-1].filename)}:{ours[-1].lineno}"


def setup() -> None:
    """Make Django ready, as for any command of ours."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llm_memory_site.settings")
    import django

    django.setup()


def _import_all() -> None:
    """Import every module of ours now, where imports are instrumented: many are imported lazily."""
    for package in map(importlib.import_module, _PACKAGES):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not found.ispkg:
                importlib.import_module(found.name)


def _guided(atheris: Any, name: str, seconds: int, work: Path, crashes: Path, known: set[str]) -> None:
    with atheris.instrument_imports(include=list(_PACKAGES), enable_loader_override=False):
        setup()
        _import_all()
    from tests.fuzz.targets import TARGETS

    target = TARGETS[name]

    def one(data: bytes) -> None:
        try:
            target(data)
        except Exception as error:
            if place_of(error) not in known:
                raise

    flags = {
        "max_total_time": seconds, "artifact_prefix": f"{crashes}{os.sep}", "timeout": HANG_SECONDS,
        "rss_limit_mb": RSS_MB,
        "max_len": MAX_INPUT_BYTES, "print_final_stats": 1, "len_control": 20, "reload": 0,
    }  # fmt: skip
    atheris.Setup([sys.argv[0], *(f"-{flag}={value}" for flag, value in flags.items()), str(work)], one)
    atheris.Fuzz()


def _unguided(name: str, seconds: int, crashes: Path, known: set[str]) -> None:
    from hypothesis import HealthCheck, given, settings

    setup()
    from tests.fuzz.corpora import file_name, inputs
    from tests.fuzz.targets import TARGETS

    until, executed = time.monotonic() + seconds, 0
    failing: list[bytes] = []

    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(inputs(name))
    def some(data: bytes) -> None:
        nonlocal executed
        if time.monotonic() > until:
            return
        executed += 1
        try:
            TARGETS[name](data)
        except Exception as error:
            if place_of(error) not in known:
                failing.append(data)
                raise

    try:
        while time.monotonic() < until:
            some()
    except Exception:  # noqa: BLE001 - the boundary: any exception is a finding
        traceback.print_exc()
        (crashes / f"crash-{file_name(failing[-1])}").write_bytes(failing[-1])
        sys.exit(FAILED)
    finally:
        print(COUNTED, executed, file=sys.stderr)


def main(argv: list[str]) -> None:
    """Run a target for so many seconds."""
    name, seconds, work, crashes, *known = argv
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        _unguided(name, int(seconds), Path(crashes), set(known))
    else:
        _guided(atheris, name, int(seconds), Path(work), Path(crashes), set(known))


if __name__ == "__main__":
    main(sys.argv[1:])

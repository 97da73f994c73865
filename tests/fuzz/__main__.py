"""`python -m tests.fuzz [--seconds 3600] [--target NAME ...] [--reproduce FILE]`: see docs/fuzzing.md."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path

try:
    from tests.fuzz import engine

    engine.setup()

    from tests.fuzz import record, run  # targets import models
    from tests.fuzz.corpora import ROOT
    from tests.fuzz.targets import TARGETS
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed here: run ./scripts/test first, then .venv/bin/python -m tests.fuzz")


def main(argv: list[str]) -> int:
    """Run the fuzzers; 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz every parser.")
    parser.add_argument("--seconds", type=int, default=3600, help="in all, divided among the targets")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="only this one (may be repeated)")
    parser.add_argument("--reproduce", type=Path, metavar="FILE", help="run the one input that a finding left")
    given = parser.parse_args(argv)
    if given.reproduce:
        TARGETS[given.reproduce.resolve().parent.name](given.reproduce.read_bytes())
        print("Nothing is wrong with it any more: put it into tests/fuzz/corpus/ beside a test of its own.")
        return 0
    names = given.target or list(TARGETS)
    atheris: str | None = None
    what = "Hypothesis"
    try:
        atheris, what = run.atheris_folder(), run.ATHERIS.replace("==", " ")
    except LookupError as error:
        print(f"FUZZING BY COVERAGE SKIPPED: {run.ATHERIS} cannot be had here ({error}); Hypothesis alone", flush=True)
    shares = []
    for name in names:
        shares.append(run.share(name, max(1, given.seconds // len(names)), atheris))
        print(record.table(shares[-1:]).splitlines()[-1], flush=True)
    print(record.table(shares))
    date = time.strftime("%Y-%m-%d", time.gmtime())
    if given.seconds >= record.LEAST_SECONDS:
        record.write(ROOT / "docs" / "fuzzing.md", shares, date, platform.python_version(), what)
    return int(any(share.findings for share in shares))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What others cost and find beside ours, in one run on one machine.

    python -m bench.peers [--only NAME,...] [--notes 1000] [--json]

Installs the peers that can be (npm, PyPI) into .cache/peers; homes are throwaway folders. A peer that cannot be
installed or does not run is named with the reason.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from bench.peers import installing, measuring
from bench.peers.catalog import OURS, PEERS, Peer
from bench.peers.measuring import Figures
from bench.stdio import ServerError

IMPORTS = "import mcp.server.mcpserver, django.db, django.core.management"
"""What every server made of the packages that are fixed for this project has to import."""

IMPORT_RUNS = 7


def imports_alone() -> float:
    """Seconds of a process that imports `mcp` and Django and ends, median."""
    times = []
    for _ in range(IMPORT_RUNS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-c", IMPORTS], check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def compare(peers: list[Peer], homes: Path, count: int) -> tuple[list[Figures], dict[str, str]]:
    """(figures, name -> why not) of ours and the peers, each in a home below homes."""
    found, left_out = [], {}
    for number, peer in enumerate(peers):
        try:
            place = homes if peer is OURS else installing.install(peer, installing.CACHE)
            print(f"{peer.name} ...", file=sys.stderr, flush=True)
            figures = measuring.measure(peer, place, homes / str(number), count=count)
        except (installing.NotInstallableError, ServerError, OSError, subprocess.SubprocessError) as error:
            left_out[peer.name] = " ".join(str(error).split())[:300]
            continue
        figures.version = "" if peer is OURS else installing.version(peer, place)
        found.append(figures)
    return found, left_out


def table(found: list[Figures]) -> str:
    """The figures as a Markdown table."""
    total = measuring.WRITERS * measuring.STORES_EACH
    header = (
        f"| | start to initialize, s | store, ms | search, ms | found@5 | stores kept of {total} (refused) "
        "| tools, schema bytes | session start hook, ms | disk, MB | memory, MB |"
    )
    lines = [header, "|---|---|---|---|---|---|---|---|---|---|"]
    most = max((one.notes for one in found), default=0)
    for one in found:
        hook = f"{one.hook:.0f}" if one.hook is not None else one.why_no_hook
        few = "" if one.notes == most else f" ({one.notes} notes)"
        refused = f" ({one.errors})" if one.errors else ""
        cells = [f"{one.name} {one.version}{few}", f"{one.start:.2f}", f"{one.store:.1f}", f"{one.search:.1f}"]
        cells += [f"{one.found:.2f}", f"{one.kept}{refused}", f"{one.tools}, {one.schemas:,}", hook]
        lines.append(f"| {' | '.join([*cells, f'{one.disk:.1f}', f'{one.memory:.0f}'])} |")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; the exit code is 1 when nothing but ours could be measured."""
    parser = argparse.ArgumentParser(prog="bench.peers", description=__doc__)
    parser.add_argument("--only", help="these of them, by name, comma-separated; ours is always measured")
    parser.add_argument("--notes", type=int, default=measuring.NOTES, help="how many notes each stores (default 1,000)")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else [peer.name for peer in PEERS]
    chosen = [OURS, *(peer for peer in PEERS if peer.name in names)]
    with tempfile.TemporaryDirectory(prefix="peers-") as homes:
        found, left_out = compare(chosen, Path(homes), options.notes)
    alone = imports_alone()
    if options.json:
        print(json.dumps({"imports_alone": alone, "figures": [asdict(one) for one in found], "left_out": left_out}))
    else:
        print(table(found))
        print(f"\nimporting mcp and Django alone: {alone:.2f} s")
        for name, why in left_out.items():
            print(f"NOT MEASURED: {name}: {why}")
    return int(len(found) <= 1 < len(chosen))


if __name__ == "__main__":
    sys.exit(main())

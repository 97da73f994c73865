"""What the hooks cost as whole processes, as ratios to `python -c pass` of the same interpreter in the same run.

    python -m bench.hooks [--runs 15]

Builds a throwaway home with 10,000 records and 1,000 archived transcripts. Targets: post_tool_use 2x, session_end on a
1 MB transcript 5x, session_start with nothing new 8x.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from memories.core import mirror, records, sweep  # noqa: E402 - after the path is set
from memories.core.paths import DataFolder  # noqa: E402
from memories.core.settings import DEFAULTS  # noqa: E402
from memories.core.transcripts import slug  # noqa: E402

RECORDS = 10_000
TRANSCRIPTS = 1_000
MEGABYTE = 1_000_000


def session_id(number: int) -> str:
    """A session id like Claude Code's."""
    return f"{number:08x}-0000-4000-8000-00000000c0de"


def transcript(path: Path, cwd: Path, size: int) -> None:
    """A transcript of about size bytes, shaped like a 2.1.330 client's.

    The client's own log of what it sent (an eighth of the file here, far more in real short sessions), half a kilobyte
    of fields a line, tool output of 3 kB.
    """
    sid = path.stem
    with open(path, "w", encoding="utf-8") as file:
        number = 0
        if size >= MEGABYTE:
            file.write(json.dumps({"type": "api-request-shape", "sessionId": sid, "body": "x" * (size // 8)}) + "\n")
        while file.tell() < size:
            common = {
                "parentUuid": f"{sid}-{number}", "isSidechain": False, "userType": "external", "entrypoint": "cli",
                "cwd": str(cwd), "sessionId": sid, "version": "2.1.330", "gitBranch": "main", "slug": "calm-heron",
                "timestamp": f"2026-03-01T10:{number // 60 % 60:02}:{number % 60:02}.000Z",
                "requestId": f"req_{number}", "permissionMode": "default", "promptId": f"{sid}-p",
                "origin": {"kind": "human"},
            }  # fmt: skip
            usage = {
                "input_tokens": 1000 + number, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 20_000,
                "output_tokens": 20, "service_tier": "standard",
            }  # fmt: skip
            answer = {"role": "assistant", "id": f"msg_{number}", "model": "claude-x", "usage": usage}
            call = {
                "type": "tool_use",
                "id": f"t{number}",
                "name": "Bash",
                "input": {"command": f"pytest -k n{number}"},
            }
            result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "a line of output\n" * 180}
            for kind, message in (
                ("user", {"role": "user", "content": f"request {number}: mend the parser"}),
                ("assistant", {**answer, "content": [call]}),
                ("user", {"role": "user", "content": [result]}),
                ("assistant", {**answer, "content": [{"type": "text", "text": "Done."}]}),
            ):
                number += 1
                line = {"type": kind, "uuid": f"{sid}-{number}", **common, "message": message}
                file.write(json.dumps(line) + "\n")


def build(home: Path) -> tuple[DataFolder, Path, Path]:
    """(data folder, project folder, Claude's transcript folder of that project), filled and in sync."""
    project = home / "shop"
    project.mkdir(parents=True)
    folder = DataFolder(str(home / "memory"))
    folder.create()
    words = "parser deploy index cache retry schema token branch merge queue".split()
    for number in range(RECORDS):
        text = f"Note {number}: " + " ".join(words[(number * step) % 10] for step in range(1, 60))
        record = records.new_record(type="note", content=text, project="shop", project_id=f"path:{project}")
        Path(records.record_path(folder, record["uuid"])).write_bytes(records.dump(record))
    source = home / "claude" / "projects" / slug(str(project))
    source.mkdir(parents=True)
    for number in range(TRANSCRIPTS):
        transcript(source / f"{session_id(number)}.jsonl", project, 3_000)
    sweep.sweep(folder, str(home / "claude" / "projects"), dict(DEFAULTS), thorough=True)
    return folder, project, source


def settle(folder: DataFolder) -> None:
    """Make records and folders an hour old: a session seldom starts within two seconds of a store."""
    past = time.time() - 3600
    for name in os.listdir(folder.records):
        os.utime(os.path.join(folder.records, name), (past, past))
    for place in (folder.records, folder.trash):
        os.utime(place, (past, past))


def shift(folder: DataFolder) -> None:
    """Make records/ look changed, so that every file is looked at."""
    past = os.stat(folder.records).st_mtime - 60
    os.utime(folder.records, (past, past))


def measure(
    name: str, command: list[str], runs: int, environ: dict[str, str], stdin: bytes, prepare: Callable[[], None]
) -> float:
    """Median milliseconds of a command beside `python -c pass`, run in turn; prints both and their ratio."""
    baseline: list[float] = []
    times: list[float] = []
    for _ in range(runs + 1):
        for argv, into, data in (([sys.executable, "-c", "pass"], baseline, b""), (command, times, stdin)):
            prepare()
            started = time.perf_counter()
            subprocess.run(argv, input=data, env=environ, check=True, stdout=subprocess.DEVNULL)
            into.append((time.perf_counter() - started) * 1000)
    base, median = statistics.median(baseline[1:]), statistics.median(times[1:])
    print(f"{name:<44} {base:8.1f} {median:8.1f} {median / base:7.2f}x")
    return median / base


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="llm-memory-bench-") as place:
        home = Path(place)
        folder, project, source = build(home)
        big = source / f"{session_id(99_999)}.jsonl"
        transcript(big, project, MEGABYTE)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": place,
            "CLAUDE_CONFIG_DIR": str(home / "claude"),
            "LLM_MEMORY_HOME": folder.root,
            "CLAUDE_PROJECT_DIR": str(project),
        }
        payload = json.dumps(
            {
                "session_id": big.stem,
                "transcript_path": str(big),
                "cwd": str(project),
                "source": "startup",
                "tool_name": "Bash",
            }
        ).encode()
        hook = [sys.executable, "-I", "-S", str(ROOT / "manage.py"), "hook"]

        def forget() -> None:
            Path(folder.transcripts, big.name).unlink(missing_ok=True)

        print(f"{'hook':<44} {'pass ms':>8} {'hook ms':>8} {'ratio':>8}")
        measure("post_tool_use (target 2x)", [*hook, "post_tool_use"], runs, environ, payload, lambda: None)
        measure("session_end, 1 MB transcript (target 5x)", [*hook, "session_end"], runs, environ, payload, forget)
        settle(folder)
        mirror.update(folder)
        start = [*hook, "session_start"]
        measure(f"session_start, {RECORDS:,} records (target 8x)", start, runs, environ, payload, lambda: None)
        measure("session_start, the same after a change", start, runs, environ, payload, lambda: shift(folder))


if __name__ == "__main__":
    main()

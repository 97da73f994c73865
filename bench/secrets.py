"""What redaction finds, what it takes for a secret that is none, and how fast it reads.

    python -m bench.secrets [--seeds N] [--real PATH ...] [--peer PYTHON] [--seconds S]
        [--json]

The corpus is that of tests/core/secret_corpus.py, made anew for each seed. --real: text files or folders (*.md, *.py)
whose finds are listed by rule, for reading. --peer: a Python that has detect-secrets, which reads the same corpus.
Exit code 1 where a secret is left or a hundredth of the look-alikes is found.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from memories.core.redact import Redactor
from tests.core import secret_corpus

ROOT = Path(__file__).parents[1]
FALSE_ALARMS = 0.01
"""The bar: fewer of the look-alikes may be found. Of the secrets, none may be left."""

PROSE = (
    "We read the file first, then the index; nothing is written twice. It took an hour to see why the test was slow.\n"
)
CODE = "    for number, line in enumerate(lines):\n        if line.startswith(prefix) and number not in seen:\n"

PEER = """
import json, os, sys, tempfile, time
started = time.process_time()
from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings
loaded = time.process_time() - started
texts = json.load(sys.stdin)
found, seconds = [], 0.0
with tempfile.TemporaryDirectory() as folder, default_settings():
    for text in texts:
        path = os.path.join(folder, "text.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        secrets = SecretsCollection()
        started = time.process_time()
        secrets.scan_file(path)
        seconds += time.process_time() - started
        found.append(sorted({secret.secret_value for _, secret in secrets}))
print(json.dumps({"import_ms": loaded * 1000, "seconds": seconds, "found": found}))
"""
"""What the peer's interpreter runs: its own scan of a file, with its default plugins and filters."""


def corpus(seeds: int) -> dict[str, Any]:
    """How many secrets are left and how many look-alikes are found, over so many seeds."""
    ours = Redactor()
    tally: Counter[str] = Counter()
    left: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for seed in range(seeds):
        leaks, harmless = (
            secret_corpus.leaks(secret_corpus.SEED + seed),
            secret_corpus.harmless(secret_corpus.SEED + seed),
        )
        tally.update(secrets=len(leaks), harmless=len(harmless))
        left.update(f"{one.shape}, {one.surrounding}" for one in leaks if _left(ours.text(one.text), one))
        found.update(f"{one.kind}: {ours.text(one.text)[:100]}" for one in harmless if ours.spans(one.text))
        shapes = len({one.shape for one in leaks})
    return {**tally, "shapes": shapes, "left": dict(left), "found": dict(found)}


def _left(text: str, leak: secret_corpus.Leak) -> bool:
    return any(secret in text for secret in leak.secrets)


def speeds(budget: float) -> dict[str, dict[str, float]]:
    """MB/s and microseconds per KB of processor time, the best of the runs that fit in so many seconds each."""
    spans = Redactor().spans
    docs = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "memories" / "core").glob("*.py")))
    return {
        "prose, 1 KB": _speed(spans, [PROSE * 9], budget),
        "prose, 1 MB": _speed(spans, [PROSE * 9000], budget),
        "code, 1 KB": _speed(spans, [CODE * 10], budget),
        "code, 1 MB": _speed(spans, [CODE * 10_000], budget),
        "our documentation, by the KB": _speed(spans, _pieces(docs), budget),
        "our source, by the KB": _speed(spans, _pieces(code), budget),
        "all secrets of the corpus": _speed(spans, [leak.text for leak in secret_corpus.leaks()], budget),
    }


def _pieces(text: str) -> list[str]:
    return [text[at : at + 1024] for at in range(0, min(len(text), 300_000), 1024)]


def _speed(read: Callable[[str], Any], texts: Sequence[str], budget: float) -> dict[str, float]:
    size = sum(map(len, texts))
    rounds = max(1, 50_000 // size)
    best, ends = float("inf"), time.process_time() + budget
    while best == float("inf") or time.process_time() < ends:
        started = time.process_time()
        for _ in range(rounds):
            for text in texts:
                read(text)
        best = min(best, (time.process_time() - started) / rounds)
    return {"MB/s": round(size / best / 1e6, 1), "us/KB": round(best * 1e6 / size * 1024, 1)}


def imports() -> dict[str, float]:
    """Milliseconds that a fresh interpreter spends, the best of five: importing the table; the first secret found."""
    table = "import memories.core.secret_rules"
    first = "from memories.core.redact import Redactor; Redactor().text('password=hunter2 ' + 'x' * 99)"
    return {"import of the table": _process(table), "import, and the first text with a secret": _process(first)}


def _process(statement: str) -> float:
    program = f"import sys,re,json,time\nsys.path.insert(0,{str(ROOT)!r})\nt=time.process_time()\n{statement}\n"
    program += "print((time.process_time()-t)*1000)"
    runs = [
        subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, check=True, text=True)
        for _ in range(5)
    ]
    return round(min(float(run.stdout) for run in runs), 2)


def real(paths: Sequence[Path]) -> dict[str, Any]:
    """What is found in texts that hold no secrets, as far as anyone knows: characters read, finds by rule."""
    ours, size, rules = Redactor(), 0, Counter[str]()
    for path in paths:
        files = [path] if path.is_file() else sorted([*path.rglob("*.md"), *path.rglob("*.py")])
        for file in files:
            if any(part.startswith(".") for part in file.relative_to(path).parts):
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            size += len(text)
            rules.update(rule for _, _, rule in ours.spans(text))
    return {"characters": size, "found": dict(rules)}


def peer(python: str) -> dict[str, Any]:
    """The same for detect-secrets: secrets that no find of its covers, look-alikes with a find, its cost."""
    leaks, harmless = secret_corpus.leaks(), secret_corpus.harmless()
    texts = [one.text for one in leaks] + [one.text for one in harmless]
    run = subprocess.run([python, "-c", PEER], input=json.dumps(texts), capture_output=True, check=True, text=True)
    said = json.loads(run.stdout)
    found = said["found"]
    left = sum(
        any(not any(secret in one for one in mine) for secret in leak.secrets)
        for leak, mine in zip(leaks, found, strict=False)
    )
    return {
        "secrets": len(leaks),
        "left": left,
        "harmless": len(harmless),
        "found": sum(map(bool, found[len(leaks) :])),
        "import ms": round(said["import_ms"], 1),
        "us/KB": round(said["seconds"] * 1e6 / sum(map(len, texts)) * 1024, 1),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; 0 where the bar is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--real", type=Path, nargs="+", default=[])
    parser.add_argument("--peer", metavar="PYTHON")
    parser.add_argument("--seconds", type=float, default=0.2, help="processor time for each speed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {"corpus": corpus(options.seeds), "speed": speeds(options.seconds), "start": imports()}
    if options.real:
        figures["real"] = real(options.real)
    if options.peer:
        figures["detect-secrets"] = peer(options.peer)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        _print(figures)
    tally = figures["corpus"]
    return int(bool(tally["left"]) or sum(tally["found"].values()) >= FALSE_ALARMS * tally["harmless"])


def _print(figures: dict[str, Any]) -> None:
    tally = figures["corpus"]
    left, found = sum(tally["left"].values()), sum(tally["found"].values())
    print(f"| secrets left | {left} of {tally['secrets']} ({tally['shapes']} shapes) |\n|---|---|")
    print(f"| look-alikes found | {found} of {tally['harmless']} ({found / tally['harmless']:.2%}) |")
    for name, speed in figures["speed"].items():
        print(f"| {name} | {speed['MB/s']} MB/s, {speed['us/KB']} us/KB |")
    for name, milliseconds in figures["start"].items():
        print(f"| {name} | {milliseconds} ms |")
    for name in ("real", "detect-secrets"):
        if name in figures:
            print(f"| {name} | {json.dumps(figures[name])} |")
    for text, times in sorted({**tally["left"], **tally["found"]}.items()):
        print(f"  {times} x {text!r}")


if __name__ == "__main__":
    sys.exit(main())

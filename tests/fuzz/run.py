"""A run: each target gets its share of the time in processes of its own; findings are shrunk and kept."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import corpora, engine
from tests.fuzz.corpora import ROOT
from tests.fuzz.targets import TARGETS

ATHERIS = "atheris==3.0.0"
"""Not among the development dependencies: it has wheels for some Pythons only, and building it needs clang."""

INSTALL_SECONDS = 300
MOST_FINDINGS = 5
"""Different findings of one target after which the rest of its time is not used: they want fixing first."""

_GRACE_SECONDS = 300
_MOST_TRACED = 500
"""Inputs of which it is looked at what they reach, when the corpus is chosen anew."""

_COVERED = re.compile(r"#\d+\s+\w+\s+cov: (\d+)")
_COUNTED = re.compile(re.escape(engine.COUNTED) + r"\s*(\d+)")


class Share:
    """What came of one target's share. seconds as given; coverage: edges reached at the end, and at the beginning by
    the corpus alone (0 and 0 where nothing was guided); findings: the reproducers' paths."""

    def __init__(self, target: str, seconds: int) -> None:
        self.target, self.seconds = target, seconds
        self.executions = self.coverage = self.coverage_before = 0
        self.findings: list[Path] = []


def atheris_folder() -> str:
    """The folder from which atheris can be imported, "" where it is among the installed packages already, installing it
    below .cache/ where it can be had. Raises LookupError with the reason where it cannot."""
    if importlib.util.find_spec("atheris") is not None:
        return ""
    place = ROOT / ".cache" / f"atheris-{sys.version_info.major}.{sys.version_info.minor}"
    if not (place / "atheris").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        command += ["--only-binary", ":all:", "--target", str(place), ATHERIS]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise LookupError(f"pip did not answer within {INSTALL_SECONDS} s") from None
        if done.returncode:
            shutil.rmtree(place, ignore_errors=True)
            raise LookupError((done.stderr.strip().splitlines() or ["pip failed"])[-1])
    return str(place)


def share(name: str, seconds: int, atheris: str | None) -> Share:
    """Run one target for so many seconds. atheris: as atheris_folder gives it; None: Hypothesis alone."""
    result = Share(name, seconds)
    known: list[str] = []
    until = time.monotonic() + seconds
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="llm-memory-fuzz-", dir=base) as scratch:
        work = Path(scratch, "work")
        shutil.copytree(corpora.folder(name), work) if corpora.folder(name).is_dir() else work.mkdir()
        while (left := int(until - time.monotonic())) > 0 and len(known) < MOST_FINDINGS:
            log = _child(name, left, work, Path(scratch), atheris, known, result)
            if log is None:
                break
            place = _settle(name, Path(scratch), log, result)
            if place in known:
                break
            known.append(place)
        _keep(name, work)
    return result


def _child(
    name: str, seconds: int, work: Path, scratch: Path, atheris: str | None, known: list[str], result: Share
) -> str | None:
    """One process; its log where it ended with a finding."""
    crashes, temp = scratch / "crashes", scratch / "tmp"
    crashes.mkdir(exist_ok=True)
    temp.mkdir(exist_ok=True)
    paths = [str(ROOT), *filter(None, [atheris, os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TMPDIR": str(temp)}
    env["LLM_MEMORY_HOME"] = str(scratch / "memory")
    command = [sys.executable, "-m", "tests.fuzz.engine", name, str(seconds), str(work), str(crashes)]
    log = scratch / "log"
    with log.open("wb") as file:
        done = subprocess.run(
            [*command, *known],
            cwd=ROOT,
            env=env,
            stdout=file,
            stderr=file,
            timeout=seconds + _GRACE_SECONDS,
            check=False,
        )
    text = log.read_text("utf-8", "replace")
    covered = _COVERED.findall(text)
    result.executions += sum(map(int, _COUNTED.findall(text)))
    if covered:
        result.coverage_before = result.coverage_before or int(covered[0])
        result.coverage = max(result.coverage, *map(int, covered))
    shutil.rmtree(temp, ignore_errors=True)
    return text if done.returncode else None


def _settle(name: str, scratch: Path, log: str, result: Share) -> str:
    """Shrink and keep the input of a finding; gives where it failed."""
    found = sorted((scratch / "crashes").iterdir())
    kept = corpora.CRASHES / name
    kept.mkdir(parents=True, exist_ok=True)
    data = found[0].read_bytes() if found else b""
    place = failure(name, data) if found and found[0].name.startswith("crash-") else ""
    if place:
        data = corpora.shrunk(data, lambda shorter: failure(name, shorter) == place)
    path = kept / f"{found[0].name.partition('-')[0] if found else 'died'}-{corpora.file_name(data)}"
    path.write_bytes(data)
    command = f"python -m tests.fuzz --reproduce {path.relative_to(ROOT)}"
    path.with_suffix(".txt").write_text(f"{command}\n\n{place}\n\n{log[-8000:]}", encoding="utf-8")
    print(f"FUZZ FOUND {name} {place or path.name}: {command}", flush=True)
    result.findings.append(path)
    for one in found:
        one.unlink()
    return place or path.name


def failure(name: str, data: bytes) -> str:
    """Where a target fails with an input; "" where it does not."""
    try:
        TARGETS[name](data)
    except Exception as error:  # noqa: BLE001 - any is a finding
        return engine.place_of(error)
    return ""


def _keep(name: str, work: Path) -> None:
    """Choose the target's corpus anew from all that was found to reach something."""
    old = corpora.load(corpora.folder(name))
    newest = sorted(work.iterdir(), key=lambda path: path.stat().st_mtime_ns)[-_MOST_TRACED:]
    new = [path.read_bytes() for path in newest]
    healthy = [data for data in new if not failure(name, data)]
    corpora.keep(corpora.folder(name), corpora.chosen(TARGETS[name], healthy, old))

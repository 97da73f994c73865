"""The committed inputs of each target, corpus/<target>/<hash>: few and small, chosen by what they reach."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.draw import STRUCTURED
from tests.fuzz.targets import Target

CORPUS = Path(__file__).parent / "corpus"
CRASHES = Path(__file__).parent / "crashes"
ROOT = Path(__file__).resolve().parents[2]
MOST_FILES = 60
"""Files of one target's corpus."""

MOST_PINNED = 20
"""Of these, inputs that once failed."""

MOST_BYTES = 4096
"""Bytes of one of them; longer inputs are tried, but not kept."""

_CODE = tuple(str(ROOT / package) for package in ("memories", "hooks", "mcp_bridge"))

PINNED = "regression-"
"""How the names of inputs begin that once failed: they stay, whatever they reach."""

Step = tuple[str, int, int]
"""File, line, and the line of the same function that ran before it."""


def folder(name: str) -> Path:
    """Where a target's corpus is."""
    return CORPUS / name


def load(path: Path) -> list[bytes]:
    """The inputs in a folder, the shortest first."""
    found = [one.read_bytes() for one in sorted(path.iterdir()) if one.is_file()] if path.is_dir() else []
    return sorted(found, key=lambda data: (len(data), data))


def file_name(data: bytes) -> str:
    """The name under which an input is kept."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()[:16]


def keep(path: Path, inputs: Iterable[bytes]) -> None:
    """Make a corpus of these inputs, and no others but those that are PINNED."""
    wanted = {file_name(data): data for data in inputs}
    path.mkdir(parents=True, exist_ok=True)
    for old in path.iterdir():
        if old.name not in wanted and not old.name.startswith(PINNED):
            old.unlink()
    for name, data in wanted.items():
        (path / name).write_bytes(data)


def chosen(target: Target, inputs: Iterable[bytes], must_stay: Iterable[bytes] = ()) -> list[bytes]:
    """The inputs that together reach what all of them do, as far as MOST_FILES allow: each time the one that reaches
    most that is new, of equal ones the shortest. must_stay: those that are there already and reach anything new go
    first, so that a corpus changes no more than it has to."""
    reached = {data: steps(target, data) for data in {*inputs, *must_stay} if len(data) <= MOST_BYTES}
    old = set(must_stay)
    covered: set[Step] = set()
    kept: list[bytes] = []
    while reached and len(kept) < MOST_FILES - MOST_PINNED:
        best = max(reached, key=lambda data: (len(reached[data] - covered), data in old, -len(data), data))
        gain = reached.pop(best) - covered
        if not gain:
            break
        covered |= gain
        kept.append(best)
    return kept


def steps(target: Target, data: bytes) -> set[Step]:
    """The steps from line to line of our code that an input takes; what the target raises is passed over."""
    found: set[Step] = set()

    def begin(frame: FrameType, event: str, _: Any) -> Any:
        if event != "call" or not frame.f_code.co_filename.startswith(_CODE):
            return None
        before = 0

        def local(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal before
            if event == "line":
                found.add((frame.f_code.co_filename, frame.f_lineno, before))
                before = frame.f_lineno
            return local

        return local

    before = sys.gettrace()
    sys.settrace(begin)
    threading.settrace(begin)
    try:
        target(data)
    except Exception:  # noqa: BLE001, S110 - only what was reached counts
        pass
    finally:
        sys.settrace(before)
        threading.settrace(before)
    return found


def shrunk(data: bytes, fails: Callable[[bytes], bool], tries: int = 400) -> bytes:
    """A shorter input that fails alike: parts are taken out, halves first, for so many tries at most."""
    size = len(data) // 2
    while size:
        at = 0
        while at < len(data) and tries:
            shorter = data[:at] + data[at + size :]
            tries -= 1
            if fails(shorter):
                data = shorter
            else:
                at += size
        size //= 2
    return data


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """What Hypothesis tries: any bytes, decisions, and the corpus with a part replaced."""
    decisions = st.binary(max_size=300).map(lambda data: bytes([STRUCTURED]) + data)
    small = st.lists(st.integers(0, 12), max_size=120).map(lambda data: bytes([STRUCTURED, *data]))
    known = load(folder(name))
    if not known:
        return st.binary(max_size=300) | decisions | small
    changed = st.builds(
        _spliced, st.sampled_from(known), st.integers(0, MOST_BYTES), st.integers(0, 8), st.binary(max_size=8)
    )
    return st.binary(max_size=300) | decisions | small | changed


def _spliced(data: bytes, at: int, gone: int, put: bytes) -> bytes:
    at %= len(data) + 1
    return data[:at] + put + data[at + gone :]

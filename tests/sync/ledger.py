"""What was ever written, kept apart from the machines, and what must be true of machines that have come together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from memories.core import records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sync.machine import Machine

RECORD = re.compile(r"(records|trash)/[0-9a-f]{32}\.json")
MARK = re.compile(r"trash/(forgotten|expired)/[0-9a-f-]{36}")


class Ledger:
    """contents: every text that is a record's and that nobody edited away. transcripts: every byte string that was
    ever archived."""

    def __init__(self) -> None:
        self.contents: set[str] = set()
        self.transcripts: set[bytes] = set()

    def wrote(self, content: str) -> str:
        """Note a record's content; it is given back."""
        self.contents.add(content)
        return content

    def overwrote(self, content: str) -> None:
        """Note that somebody saw this content and replaced it: an edit keeps no history."""
        self.contents.discard(content)

    def archived(self, data: bytes) -> None:
        """Note a transcript as it was when it was archived."""
        self.transcripts.add(data)

    def assert_kept(self, machine: Machine) -> None:
        """Every content is in a record or a tombstone of a machine, every transcript is the beginning of some file."""
        here = {record["content"] for place in ("records", "trash") for record in machine.records(place).values()}
        lost = sorted(self.contents - here)
        assert lost == [], f"contents that {machine.name} lost: {lost}"
        files = [data for name, data in machine.files().items() if name.startswith("transcripts/")]
        gone = [data for data in self.transcripts if not any(one.startswith(data) for one in files)]
        assert gone == [], f"{len(gone)} transcripts that {machine.name} lost"


def assert_equal_folders(machines: Sequence[Machine]) -> None:
    """All that travels is the same bytes under the same names."""
    first = machines[0].files()
    for other in machines[1:]:
        there = other.files()
        differ = sorted(name for name in first.keys() | there.keys() if first.get(name) != there.get(name))
        assert differ == [], {name: (first.get(name), there.get(name)) for name in differ[:3]}


def assert_equal_mirrors(machines: Sequence[Machine]) -> None:
    """The indexes hold the same rows."""
    first = machines[0].rows()
    for other in machines[1:]:
        assert other.rows() == first, f"{machines[0].name}, {other.name}"


def assert_tidy(machine: Machine) -> None:
    """No conflict copy, no temp file, nothing but records and marks in records/ and trash/, one log at most for each
    session."""
    for name in machine.files():
        assert "sync-conflict" not in name, name
        assert "conflicted copy" not in name, name
        assert not Path(name).name.startswith((".", "~")), name
        if name.startswith(("records/", "trash/")):
            assert RECORD.fullmatch(name) or MARK.fullmatch(name), name
    here, deleted = machine.records(), machine.records("trash")
    assert here.keys() & deleted.keys() == set()
    logs = [record["session_id"] for record in here.values() if record["type"] == "session_log"]
    assert len(logs) == len(set(logs)), "a session has two logs"
    for uuid, record in {**here, **deleted}.items():
        records.validate(record)
        assert record["uuid"] == uuid


def assert_healthy(machine: Machine) -> None:
    """`llm-memory doctor` finds nothing to put right in what is remembered."""
    lines = machine.llm_memory("doctor").splitlines()
    about = ("records", "index", "conversations", "merging", "copies")
    assert [line for line in lines if not line.startswith("ok") and line[6:].startswith(about)] == [], lines


def assert_one(machines: Sequence[Machine], ledger: Ledger) -> None:
    """Everything above: machines that have converged are one memory, and nothing was lost on the way."""
    assert_equal_folders(machines)
    assert_equal_mirrors(machines)
    for machine in machines:
        assert_tidy(machine)
        ledger.assert_kept(machine)
        assert_healthy(machine)

"""Machines that write, a file sync between them that is cut anywhere, and merges at any time: they end up equal.

Two or three real data folders; the file sync is a model of Syncthing's (version vectors per file, the loser of two
changes renamed to a conflict copy that travels, a change beats a deletion, equal bytes are no conflict).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memories.core import clock, record_copies, records, session_logs
from memories.core.errors import RecordNotFoundError
from memories.core.paths import DataFolder

NOON = clock.parse_time("2026-03-14T12:00:00") or 0
SESSIONS = ("22c27cac-b859-4875-a798-6d086e9ce27f", "e3e4acdd-5e3f-4287-a340-b826e91352b9")
ROUNDS = 6
"""Full exchanges after which nothing may change any more."""

QUICK = 250
"""Interleavings for each number of machines in a default run: about 25 seconds in all."""

Vector = dict[str, int]


class File:
    """What a machine's Syncthing knows of a file: its version vector, when and as what it was last changed (None:
    deleted)."""

    def __init__(self, vector: Vector, mtime: int, data: bytes | None) -> None:
        self.vector, self.mtime, self.data = vector, mtime, data

    def wins(self, other: File) -> bool:
        """Syncthing's WinsConflict: a change beats a deletion, then the later mtime, then something both agree on."""
        return self._strength() > other._strength()

    def _strength(self) -> tuple[bool, int, bytes]:
        return self.data is not None, self.mtime, hashlib.sha256(self.data or b"").digest()


def covers(one: Vector, other: Vector) -> bool:
    """Whether a version has seen everything that another has."""
    return all(one.get(name, 0) >= count for name, count in other.items())


def united(one: Vector, other: Vector) -> Vector:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in one.keys() | other.keys()}


class World:
    """The machines, the true time, and what everybody ever did."""

    def __init__(self, root: str, count: int) -> None:
        self.machines = [Machine(self, os.path.join(root, name), name) for name in ("ANN", "BOB", "CAT")[:count]]
        self.seconds = NOON
        self.numbers = itertools.count()
        self.contents: set[str] = set()
        self.links: set[tuple[str, str]] = set()
        self.edited: dict[str, int] = {}
        self.deleted: dict[str, int] = {}
        self.grown: dict[str, int] = {}

    def note_edit(self, record: dict[str, Any]) -> None:
        uuid = record["uuid"]
        self.edited[uuid] = max(self.edited.get(uuid, 0), records.last_edit(record))


class Machine:
    """One machine: its data folder, its clock's error in seconds, and its Syncthing's index."""

    def __init__(self, world: World, root: str, name: str) -> None:
        self.world, self.name, self.skew = world, name, 0
        self.folder = DataFolder(root)
        self.folder.create()
        self.index: dict[str, File] = {}
        self.states: dict[str, tuple[int, int]] = {}

    def now(self) -> str:
        return clock.format_time(self.world.seconds + self.skew)

    def files(self) -> dict[str, bytes]:
        """Every file that travels, by its path below the data folder. Temp files do not."""
        found = {}
        for place in ("records", "trash"):
            path = os.path.join(self.folder.root, place)
            for name in os.listdir(path):
                if not name.startswith("."):
                    with open(os.path.join(path, name), "rb") as file:
                        found[f"{place}/{name}"] = file.read()
        return found

    # What Syncthing does.

    def scan(self) -> None:
        """Note what changed on this disk as this machine's own changes."""
        found = self.files()
        for path in found.keys() | self.index.keys():
            known = self.index.get(path)
            data = found.get(path)
            if (known.data if known else None) != data or self.states.get(path) != self._state(path):
                vector = dict(known.vector) if known else {}
                vector[self.name] = vector.get(self.name, 0) + 1
                self.index[path] = File(vector, self.world.seconds + self.skew, data)
                self.states[path] = self._state(path)

    def _state(self, path: str) -> tuple[int, int]:
        """What tells Syncthing that a file was written, be it with the same bytes."""
        try:
            found = os.stat(os.path.join(self.folder.root, path))
        except FileNotFoundError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns

    def pull(self, other: Machine, path: str) -> None:
        """Take one file from another machine, as its index has it."""
        theirs, mine = other.index[path], self.index.get(path)
        if mine is not None and covers(mine.vector, theirs.vector):
            return
        vector = theirs.vector
        if mine is not None and not covers(theirs.vector, mine.vector):
            if mine.data != theirs.data and mine.wins(theirs):
                return  # the other one will take ours
            vector = united(mine.vector, theirs.vector)
            if mine.data is not None and mine.data != theirs.data:
                self._move_aside(path)
        self._put(path, theirs.data)
        self.states[path] = self._state(path)
        self.index[path] = File(vector, theirs.mtime, theirs.data)

    def _move_aside(self, path: str) -> None:
        if "sync-conflict" in path:
            return  # "already a conflict copy; not copying again"
        stamp = f"{next(self.world.numbers):06d}"
        stem, extension = os.path.splitext(path)
        target = f"{stem}.sync-conflict-20260314-{stamp}-{self.name}AAAA{extension}"
        os.rename(os.path.join(self.folder.root, path), os.path.join(self.folder.root, target))
        self.scan()

    def _put(self, path: str, data: bytes | None) -> None:
        full = os.path.join(self.folder.root, path)
        if data is not None:
            with open(full + ".tmp", "wb") as file:
                file.write(data)
            os.replace(full + ".tmp", full)
        elif os.path.lexists(full):
            os.unlink(full)

    # What the user and the model do.

    def pick(self, place: str, choice: int, *, logs: bool = False) -> str | None:
        """The uuid of some record here; None without one."""
        names = sorted(os.listdir(os.path.join(self.folder.root, place)))
        uuids = [name[:32] for name in names if len(name) == 37 and records.is_uuid(name[:32])]
        own = {session_logs.log_uuid(session) for session in SESSIONS}
        chosen = [uuid for uuid in uuids if (place == "trash" or self.alive(uuid)) and (logs or uuid not in own)]
        return chosen[choice % len(chosen)] if chosen else None

    def alive(self, uuid: str) -> bool:
        try:
            return bool(records.load(self.folder, uuid))
        except RecordNotFoundError:
            return False

    def store(self, choice: int) -> None:
        number = next(self.world.numbers)
        uuid = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
        record = records.new_record(type="note", content=f"content {number}", created_at=self.now()) | {"uuid": uuid}
        if choice % 3 == 0 and (old := self.pick("records", choice)):
            record["connections"] = [{"to_uuid": old, "relationship": "supersedes"}]
            self._change(old, status="archived", archived_in=uuid)
        records.save(self.folder, record)
        self.world.contents.add(record["content"])
        self.world.note_edit(record)

    def _change(self, uuid: str, **fields: Any) -> None:
        self.world.note_edit(records.update(self.folder, uuid, lambda record: record.update(fields) is None))

    def edit(self, choice: int) -> None:
        if uuid := self.pick("records", choice):
            self.world.contents.discard(records.load(self.folder, uuid)["content"])
            content = f"content {next(self.world.numbers)}"
            self._change(uuid, content=content)
            self.world.contents.add(content)

    def edit_by_hand(self, choice: int) -> None:
        """In an editor that knows neither updated_at nor the order of fields."""
        if uuid := self.pick("records", choice):
            record = records.load(self.folder, uuid)
            self.world.contents.discard(record["content"])
            record["content"] = f"content {next(self.world.numbers)}"
            self.world.contents.add(record["content"])
            Path(records.record_path(self.folder, uuid)).write_bytes(
                json.dumps(dict(reversed(record.items()))).encode()
            )

    def connect(self, choice: int) -> None:
        uuid, target = self.pick("records", choice), self.pick("records", choice // 7, logs=True)
        if uuid and target and uuid != target:
            links = records.load(self.folder, uuid).get("connections") or []
            self._change(uuid, connections=[*links, {"to_uuid": target, "relationship": "related_to"}])
            self.world.links.add((uuid, target))

    def tag(self, choice: int) -> None:
        if uuid := self.pick("records", choice, logs=True):
            self._change(uuid, tags=f"tag {choice % 5}", mood=choice % 3)

    def delete(self, choice: int) -> None:
        if uuid := self.pick("records", choice, logs=True):
            deleted_at = records.delete(self.folder, uuid)["deleted_at"]
            self.world.deleted[uuid] = max(self.world.deleted.get(uuid, 0), clock.parse_time(deleted_at) or 0)

    def restore(self, choice: int) -> None:
        if uuid := self.pick("trash", choice, logs=True):
            try:
                self.world.note_edit(records.restore(self.folder, uuid))
            except RecordNotFoundError:
                pass  # a later edit was there: settled just now

    def log(self, choice: int) -> None:
        session = SESSIONS[choice % 2]
        length = self.world.grown.get(session, 0) + choice % 4
        log = records.new_record(
            type="session_log", content=f"log of {length} turns", created_at=clock.format_time(NOON + length),
            session_id=session, importance=3,
        ) | {"uuid": session_logs.log_uuid(session)}  # fmt: skip
        del log["origin"]
        if session_logs.store(self.folder, log):
            self.world.grown[session] = length
            self.world.note_edit(log)

    def set_clock(self, choice: int) -> None:
        self.skew = (choice % 3 - 1) * 86_400

    def merge(self, choice: int) -> None:
        """All that wants it, or some of it."""
        for position, uuid in enumerate(sorted(record_copies.find(self.folder))):
            if choice % 3 or (choice >> position) & 1:
                record_copies.settle(self.folder, uuid)

    def merge_and_die(self, choice: int) -> None:
        """A merge that is killed before its n-th rename or unlink."""
        left = iter(range(choice % 8))
        with pytest.MonkeyPatch.context() as patch:
            for name in ("replace", "unlink"):
                patch.setattr(os, name, _dying(getattr(os, name), left))
            try:
                self.merge(1)
            except KilledError:
                pass

    def exchange(self, choice: int) -> None:
        """Take some files from another machine, in some order, until the link breaks."""
        others = [machine for machine in self.world.machines if machine is not self]
        other = others[choice // 2 % len(others)]
        other.scan()
        self.scan()
        paths = sorted(other.index, key=lambda path: hashlib.sha256(f"{choice}{path}".encode()).digest())
        for path in paths[: None if choice % 2 else choice // 4 % 11]:
            self.pull(other, path)


class KilledError(Exception):
    """Stands for a SIGKILL."""


def _dying(operation: Callable[..., None], left: Iterator[int]) -> Callable[..., None]:
    def guarded(*arguments: str) -> None:
        if next(left, None) is None:
            raise KilledError
        operation(*arguments)

    return guarded


ACTIONS: list[Callable[[Machine, int], None]] = [
    Machine.store, Machine.edit, Machine.edit, Machine.edit_by_hand, Machine.connect, Machine.connect, Machine.tag,
    Machine.delete, Machine.restore, Machine.log, Machine.set_clock, Machine.merge, Machine.merge,
    Machine.merge_and_die, *[Machine.exchange] * 6,
]  # fmt: skip

Step = tuple[int, int, int, int]


def interleaving(seed: int) -> list[Step]:
    """Steps (machine, action, choice, seconds that pass before): two records that everybody has, then anything."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    begin = [(0, 0, 1, 0), (0, 0, 1, 0), (1, len(ACTIONS) - 1, 1, 0), (2, len(ACTIONS) - 1, 1, 0)]
    return begin + [
        (draw.randrange(3), draw.randrange(len(ACTIONS)), draw.randrange(10_000), draw.randrange(3))
        for _ in range(draw.randrange(10, 70))
    ]


def play(count: int, steps: list[Step]) -> None:
    """Do the steps on so many machines, then let them exchange everything and look at where that ends."""
    root = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", lambda fd: None)
            world = World(root, count)
            for which, action, choice, seconds in steps:
                world.seconds += seconds
                act(world.machines[which % count], ACTIONS[action], choice, patch)
            converge(world, patch)
            check(world)
    finally:
        shutil.rmtree(root)


def act(machine: Machine, action: Callable[[Machine, int], None], choice: int, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(clock, "now", machine.now)
    patch.setattr(records, "machine_name", lambda: machine.name)
    action(machine, choice)


def converge(world: World, patch: pytest.MonkeyPatch) -> None:
    for _ in range(ROUNDS):
        before = [machine.files() for machine in world.machines]
        for machine in world.machines:
            for other in range(len(world.machines) - 1):
                act(machine, Machine.exchange, 2 * other + 1, patch)  # odd: everything
            act(machine, Machine.merge, 1, patch)
        if [machine.files() for machine in world.machines] == before:
            return
    raise AssertionError(f"still changing after {ROUNDS} rounds")


def check(world: World) -> None:
    first, *others = (machine.files() for machine in world.machines)
    for other in others:
        assert other == first
    assert all(len(os.path.basename(path)) == 37 for path in first), "a copy is left"
    found = {path: json.loads(data) for path, data in first.items()}
    missing = world.contents - {record["content"] for record in found.values()}
    assert not missing
    for uuid in world.edited.keys() | world.deleted.keys():
        alive = f"records/{uuid}.json" in found
        assert not (alive and f"trash/{uuid}.json" in found)
        check_life(world, uuid, alive, found)
    for uuid, target in world.links:
        record = found.get(f"records/{uuid}.json", {})
        # What was kept is deleted along with the record that won, too.
        if record and not {uuid, record.get("conflict_of")} & world.deleted.keys():
            assert (target, "related_to") in records.valid_connections(record)
    for session, length in world.grown.items():
        uuid = session_logs.log_uuid(session)
        if uuid not in world.deleted:
            assert found[f"records/{uuid}.json"]["content"] == f"log of {length} turns"


def check_life(world: World, uuid: str, alive: bool, found: dict[str, Any]) -> None:
    """Deleted where no edit was later than the deletion, and only there."""
    edited, deleted = world.edited.get(uuid, 0), world.deleted.get(uuid)
    if deleted is None:
        of_a_deleted_one = any(record.get("conflict_of") for record in (found.get(f"trash/{uuid}.json"),) if record)
        assert alive or of_a_deleted_one
    elif deleted >= edited:
        assert not alive or "conflict_of" in found[f"records/{uuid}.json"]
    else:
        assert alive or "conflict_of" in found[f"trash/{uuid}.json"]


def shortest(count: int, steps: list[Step]) -> list[Step]:
    """Steps that still fail, with none among them that could be left out."""
    for position in reversed(range(len(steps))):
        fewer = steps[:position] + steps[position + 1 :]
        try:
            play(count, fewer)
        except Exception:  # noqa: BLE001 - whatever went wrong
            steps = fewer
    return steps


def try_all(count: int, seeds: range) -> None:
    for seed in seeds:
        try:
            play(count, interleaving(seed))
        except Exception as error:
            names = [
                (which % count, ACTIONS[action].__name__, *rest)
                for which, action, *rest in shortest(count, interleaving(seed))
            ]
            raise AssertionError(
                f"seed {seed} with {count} machines: {error!r:.300}\n" + "\n".join(map(str, names))
            ) from error


@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.long)])
def test_machines_end_up_equal_and_nothing_is_lost(count: int) -> None:
    try_all(count, range(QUICK))


@pytest.mark.long
@pytest.mark.parametrize("count", [2, 3])
def test_machines_end_up_equal_in_ten_times_as_many_interleavings(count: int) -> None:
    try_all(count, range(QUICK, 11 * QUICK))

"""Random weeks: what people and tools do on any of several machines, links that come and go, all by one seed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.sync.ledger import Ledger
from tests.sync.network import FOLDER
from tests.sync.sessions import conversation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sync.machine import Machine, Worker
    from tests.sync.network import Network

WEIGHTS = {
    "store": 12, "edit": 14, "edit_by_hand": 6, "tag": 4, "connect": 8, "delete": 6, "restore": 4, "narrate": 4,
    "session": 8, "rules": 3, "setting": 3, "cut": 6, "heal": 5, "look": 16, "sync": 5,
}  # fmt: skip
"""How often each operation comes, in proportion."""


class Week:
    """Operations by chance; ledger knows what must be there in the end, links what connect() made."""

    def __init__(self, network: Network, workers: Mapping[str, Worker], seed: int) -> None:
        """workers: by the machine's name."""
        self.network, self.workers = network, workers
        self.ledger = Ledger()
        self.links: set[tuple[str, str, str]] = set()
        self.deleted: set[str] = set()
        self.rules: set[str] = set()
        self._rng = random.Random(seed)  # noqa: S311 - the same week on every run
        self._said: dict[tuple[str, str], list[str]] = {}
        self._number = 0

    def run(self, operations: int) -> None:
        """Do so many operations, then let every link be whole again."""
        for _ in range(operations):
            name = self._rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            getattr(self, f"_{name}")(self._rng.choice(self.network.machines))
        for one, other in self.network.pairs():
            self.network.heal(one, other)

    def _new(self, machine: Machine, what: str) -> str:
        self._number += 1
        return f"{what} {self._number}, as {machine.name} has it."

    def _any(self, machine: Machine, place: str = "records") -> str | None:
        """The id of some note on a machine; None where there is none."""
        found = sorted(
            uuid for uuid, record in machine.records(place).items()
            if record["type"] == "note" and "conflict_of" not in record
        )  # fmt: skip
        return self._rng.choice(found) if found else None

    def _store(self, machine: Machine) -> None:
        content = self._new(machine, "Note")
        answer = self.workers[machine.name]("store", content=content, type="note", project="shop")
        assert answer.get("status") == "stored", answer
        self.ledger.wrote(content)

    def _edit(self, machine: Machine) -> None:
        if uuid := self._any(machine):
            content = self._new(machine, "Edit")
            answer = self.workers[machine.name]("edit", uuid=uuid, fields={"content": content})
            if "before" in answer:  # else it is deleted here, and its file only came back
                self.ledger.overwrote(answer["before"])
                self.ledger.wrote(content)

    def _edit_by_hand(self, machine: Machine) -> None:
        if uuid := self._any(machine):
            path = Path(machine.folder.records, f"{uuid}.json")
            try:
                record = json.loads(path.read_bytes())
            except FileNotFoundError:
                return  # another machine's deletion has just come
            self.ledger.overwrote(record["content"])
            record["content"] = self.ledger.wrote(self._new(machine, "By hand"))
            path.write_text(json.dumps(record), "utf-8")

    def _tag(self, machine: Machine) -> None:
        if uuid := self._any(machine):
            tags = f"{machine.name}, {self._rng.choice('abcdef')}"
            self.workers[machine.name]("edit", uuid=uuid, fields={"tags": tags})

    def _connect(self, machine: Machine) -> None:
        one, other = self._any(machine), self._any(machine)
        if one and other and one != other:
            link = {"from_uuid": one, "to_uuid": other, "relationship": "related_to"}
            if self.workers[machine.name]("connect", **link).get("status") == "connected":
                self.links.add((one, other, "related_to"))

    def _delete(self, machine: Machine) -> None:
        if uuid := self._any(machine):
            self.workers[machine.name]("delete", uuid=uuid)
            self.deleted.add(uuid)

    def _restore(self, machine: Machine) -> None:
        if uuid := self._any(machine, "trash"):
            self.workers[machine.name]("restore", uuid=uuid)

    def _narrate(self, machine: Machine) -> None:
        lines = [f"- Decision {number}: the limit is {number} MB." for number in range(self._number % 7 + 1)]
        content = "\n".join(["# shop", "", "## Decisions", *lines, f"- {self._new(machine, 'Narrative')}"])
        answer = self.workers[machine.name]("store", content=content, type="narrative", project="shop")
        if answer.get("status") == "stored":  # else what it would lose was named
            self.ledger.wrote(content)

    def _session(self, machine: Machine) -> None:
        name = f"{machine.name} {self._rng.randrange(3)}"
        said = self._said.setdefault((machine.name, name), [])
        said.append(self._new(machine, "Request"))
        project = machine.project("code/shop")
        self.ledger.archived(machine.end_session(project, conversation(project, name, said)))

    def _rules(self, machine: Machine) -> None:
        path = Path(machine.folder.rules)
        lines = path.read_text("utf-8").splitlines()
        line = f"- {self._new(machine, 'Rule')}"
        self.rules.add(line)
        lines.insert(self._rng.randrange(len(lines) + 1), line)
        path.write_text("\n".join(lines) + "\n", "utf-8")

    def _setting(self, machine: Machine) -> None:
        path = Path(machine.folder.settings)
        settings: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
        excluded = settings.setdefault("excluded_paths", [])
        excluded.append(f"/srv/{self._number}")
        path.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")

    def _cut(self, machine: Machine) -> None:
        self.network.cut(*self._rng.choice(self.network.pairs()))

    def _heal(self, machine: Machine) -> None:
        self.network.heal(*self._rng.choice(self.network.pairs()))

    def _look(self, machine: Machine) -> None:
        """Syncthing looks for changes; what it finds travels while the next operations run."""
        self.network.daemons[machine.name].post(f"/rest/db/scan?folder={FOLDER}")

    def _sync(self, machine: Machine) -> None:
        machine.llm_memory("sync")

    def assert_links_kept(self, machine: Machine) -> None:
        """Every link that was made is there, unless somebody deleted its record."""
        here = machine.records()
        there = {
            (uuid, link["to_uuid"], link["relationship"])
            for uuid, record in here.items() for link in record["connections"]
        }  # fmt: skip
        lost = {link for link in self.links if link[0] not in self.deleted} - there
        assert lost == set()

    def assert_rules_kept(self, machine: Machine) -> None:
        """Every line that somebody added to the rules is in them."""
        assert self.rules - set(machine.files()["config/CLAUDE.md"].decode().splitlines()) == set()

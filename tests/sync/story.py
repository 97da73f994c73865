"""A week of a user with a laptop and a workstation: what both did while they could not see each other."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.sync.ledger import Ledger
from tests.sync.sessions import conversation, session_id

if TYPE_CHECKING:
    from bench.stdio import McpClient
    from tests.sync.machine import Machine, Worker
    from tests.sync.network import Network

DAY = 86_400
REMOTES = ("git@github.com:example/orders-api.git", "https://github.com/example/orders-api")
"""One repository, as two clones name it."""

NARRATIVE = """# orders-api

## Decisions
- Deploys go out on Tuesdays; the freeze starts Monday 18:00.

## Open
- The retry of the uploader is not tested under load.
"""
BEFORE = (
    "edited", "edited twice", "linked", "target", "deleted", "given up", "revised", "restored", "by hand", "tagged",
)  # fmt: skip
"""Notes that both machines had before the link was cut; each is named after what then happens to it."""


class Story:
    """alpha, beta: the machines. notes: name in BEFORE (and later ones) -> uuid. rules: lines that each added."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.alpha, self.beta = network.machines
        self.ledger = Ledger()
        self.notes: dict[str, str] = {}
        self.rules: list[str] = []
        self.rounds = 0
        self._servers: dict[tuple[int, str], McpClient] = {}
        self._workers: dict[str, Worker] = {}
        self._stack = ExitStack()
        alpha, beta = self.alpha, self.beta
        self.orders = (
            alpha.project("code/orders-api", remote=REMOTES[0]), beta.project("work/api", remote=REMOTES[1]),
        )  # fmt: skip
        self.marked = alpha.project("code/shop", marker="the-shop"), beta.project("work/boutique", marker="the-shop")
        self.aliased = alpha.project("code/tools"), beta.project("work/my-scripts")
        self.aliases = {f"path:{self.aliased[1]}": f"path:{self.aliased[0]}"}

    def tell(self) -> None:
        """All of it: together, apart, together again."""
        self.before()
        self.network.cut(self.alpha, self.beta)
        self.on_alpha()
        self.on_beta()
        self.network.heal(self.alpha, self.beta)
        self.rounds = self.network.converge()

    # --- both see each other -----------------------------------------------------------------------------------

    def before(self) -> None:
        """What both have before they are parted, made on alpha."""
        self.write_settings(self.alpha, project_aliases=self.aliases)
        with self.alpha.server(self.orders[0]) as server:
            for name in BEFORE:
                self.notes[name] = self.store(server, f"The note that will be {name}, as it was at first.")
            self.notes["narrative"] = self.store(server, NARRATIVE.strip(), type="narrative")
            server.call("memory_delete", uuid=self.notes["restored"])
        self.end_session(self.alpha, 0, "grows", ["mend the parser"])
        for number, machine in enumerate((self.alpha, self.beta)):  # their Claude folders were copied once
            self.end_session(machine, number, "resumed on both", ["look at the queue"], cwd=self.orders[0])
        self.network.converge()

    # --- parted --------------------------------------------------------------------------------------------------

    def on_alpha(self) -> None:
        """What happens on alpha while the link is cut."""
        machine, notes = self.alpha, self.notes
        self.edit(machine, "edited", content=self.ledger.wrote("edited, as alpha has it"))
        self.edit(machine, "edited twice", content=self.ledger.wrote("edited twice, the first time on alpha"))
        self.edit(machine, "edited twice", content=self.ledger.wrote("edited twice, the second time on alpha"))
        self.edit(machine, "revised", content=self.ledger.wrote("revised on alpha, a day before beta deleted it"))
        self.edit(machine, "tagged", tags="deploy, from-alpha")
        self.edit_by_hand(machine, "by hand", "written by hand on alpha")
        with machine.server(self.orders[0]) as server:
            self.notes["of alpha"] = self.store(server, "Alpha alone learned that the queue drops messages at 4 MB.")
            server.call("memory_connect", from_uuid=notes["linked"], to_uuid=notes["target"], relationship="related_to")
            server.call("memory_delete", uuid=notes["deleted"])
            server.call("memory_delete", uuid=notes["given up"])
            text = NARRATIVE.strip() + "\n- Alpha: measure the queue at 4 MB."
            self.notes["narrative of alpha"] = self.store(server, text, type="narrative")
        machine.llm_memory("restore", notes["restored"])
        with machine.server(self.marked[0]) as server:
            self.store(server, "The shop's basket is kept for 30 days.")
        with machine.server(self.aliased[0]) as server:
            self.store(server, "The backup script runs at 3 in the morning.")
        self.end_session(machine, 0, "grows", ["mend the parser", "and its tests"])
        self.end_session(machine, 0, "resumed on both", ["look at the queue", "on alpha: at 4 MB"])
        self.end_session(machine, 0, "of alpha", ["write the changelog"])
        self.add_rules(machine, at_end=True, line="- Alpha's rule: answer in English.")
        self.write_settings(machine, project_aliases=self.aliases, briefing_chars=5000, excluded_paths=["/srv/a"])

    def on_beta(self) -> None:
        """What happens on beta at the same time, by a clock that is a day ahead."""
        machine, notes = self.beta, self.notes
        self.edit(machine, "edited", content=self.ledger.wrote("edited, as beta has it"))
        self.edit(machine, "edited twice", content=self.ledger.wrote("edited twice, once on beta"))
        self.edit(machine, "linked", content=self.ledger.wrote("linked on alpha, edited on beta"))
        self.edit(machine, "deleted", content=self.ledger.wrote("deleted on alpha, edited on beta a day later"))
        self.edit(machine, "tagged", tags="deploy, from-beta")
        self.edit_by_hand(machine, "by hand", "written by hand on beta")
        with machine.server(self.orders[1]) as server:
            self.notes["of beta"] = self.store(server, "Beta alone learned that the index needs 3 GB.")
            server.call("memory_delete", uuid=notes["given up"])
            server.call("memory_delete", uuid=notes["revised"])
            text = NARRATIVE.strip() + "\n- Beta: give the index 3 GB."
            self.notes["narrative of beta"] = self.store(server, text, type="narrative")
        with machine.server(self.marked[1]) as server:
            self.store(server, "The shop's prices are net prices.")
        with machine.server(self.aliased[1]) as server:
            self.store(server, "The scripts need bash 5.")
        said = ["look at the queue", "on beta: its dead letters", "and count them"]
        self.end_session(machine, 1, "resumed on both", said, cwd=self.orders[0])
        self.end_session(machine, 1, "of beta", ["rotate the logs"])
        self.add_rules(machine, at_end=False, line="- Beta's rule: never push on Fridays.")
        self.write_settings(machine, project_aliases=self.aliases, narrative_upkeep=False, excluded_paths=["/srv/b"])

    def ask(self, number: int, place: str = "orders") -> McpClient:
        """The server of a session that begins after all this, on alpha (0) or beta (1), in one of the projects."""
        key = number, place
        if key not in self._servers:
            project: Path = getattr(self, place)[number]
            self._servers[key] = self._stack.enter_context(self.network.machines[number].server(project))
        return self._servers[key]

    def close(self) -> None:
        """End the servers and workers."""
        self._stack.close()

    # --- how -----------------------------------------------------------------------------------------------------

    def store(self, server: McpClient, content: str, **fields: Any) -> str:
        """Store a memory by its tool and note it; its uuid."""
        answer, text = server.call("memory_store", content=self.ledger.wrote(content), **{"type": "note", **fields})
        assert answer["status"] == "stored", text
        return str(answer["uuid"])

    def edit(self, machine: Machine, name: str, **fields: Any) -> None:
        """Change a note as a tool does."""
        if machine.name not in self._workers:
            self._workers[machine.name] = self._stack.enter_context(machine.worker())
        answer = self._workers[machine.name]("edit", uuid=self.notes[name], fields=fields)
        assert "error" not in answer, answer
        if "content" in fields:
            self.ledger.overwrote(answer["before"])

    def edit_by_hand(self, machine: Machine, name: str, content: str) -> None:
        """Change a note's file as a person does, who does not think of updated_at."""
        path = Path(machine.folder.records, f"{self.notes[name]}.json")
        record = json.loads(path.read_bytes())
        self.ledger.overwrote(record["content"])
        record["content"] = self.ledger.wrote(content)
        path.write_text(json.dumps(record, indent=1, ensure_ascii=True), "utf-8")

    def end_session(self, machine: Machine, number: int, name: str, said: list[str], cwd: Path | None = None) -> None:
        """A session in orders-api comes to its end. cwd: where it was launched, on whichever machine."""
        script = conversation(cwd or self.orders[number], name, said)
        beside = Path(script.path_in(machine.claude / "projects")).with_suffix("") / "subagents" / "agent-1.jsonl"
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(conversation(cwd or self.orders[number], f"agent of {name}", said).dump())
        self.ledger.archived(beside.read_bytes())
        self.ledger.archived(machine.end_session(self.orders[number], script))

    def add_rules(self, machine: Machine, *, at_end: bool, line: str) -> None:
        """Add a line to the rules, as a user does."""
        path = Path(machine.folder.rules)
        text = path.read_text("utf-8")
        self.rules += [line, *text.splitlines()]
        path.write_text(f"{text}{line}\n" if at_end else f"{line}\n{text}", "utf-8")

    def write_settings(self, machine: Machine, **settings: Any) -> None:
        """Replace the settings."""
        Path(machine.folder.settings).write_text(json.dumps(settings, indent=2) + "\n", "utf-8")

    def path_of(self, name: str) -> str:
        """The transcript of a session, below the data folder."""
        return f"transcripts/{session_id(name)}.jsonl"

"""Many servers and hooks on one data folder at once, some of them killed, and what was acknowledged meanwhile."""

from __future__ import annotations

import random
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from memories.core import records, transcripts
from memories.core.errors import LLMMemoryError
from tests.core.transcript_lines import short_session
from tests.faults import check
from tests.faults.operations import Expected
from tests.mcp_bridge.client import ServerGoneError, ToolAnswer

if TYPE_CHECKING:
    from tests.faults.forks import Child
    from tests.faults.home import ForkedServer, Home

HOOKS = ("session_end", "session_start", "pre_compact", "post_tool_use")
SAMPLE = 150
"""So many of the acknowledged memories are looked for by a server's search; all of them in the index's rows."""


class Ledger:
    """What was acknowledged: stored (uuid -> content), deleted, linked. in_doubt: uuids whose deletion was not
    answered. refused: errors that the model was given."""

    def __init__(self) -> None:
        self.stored: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.linked: set[tuple[str, str]] = set()
        self.in_doubt: set[str] = set()
        self.refused: list[str] = []
        self.findings: list[str] = []
        self.calls = self.kills = self.hooks = 0


class Load:
    """The run. servers: how many at once. seed: of everything that is chosen by chance."""

    def __init__(self, home: Home, servers: int, seed: int) -> None:
        self.home = home
        self.ledger = Ledger()
        self._seed = seed
        self._over = threading.Event()
        self._guard = threading.Lock()
        self._running: dict[str, Child] = {}
        self._threads = [threading.Thread(target=self._serve, args=(number,), daemon=True) for number in range(servers)]
        self._threads += [threading.Thread(target=self._hook, args=(number,), daemon=True) for number in range(2)]

    def run(self, seconds: float, kills: int) -> Ledger:
        """Go on for so long, and until so many processes were killed; then wait for everything to end."""
        chance = random.Random(self._seed)  # noqa: S311 - no secrets
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.start()
        while time.monotonic() < until or (self.ledger.kills < kills and not self.ledger.findings):
            time.sleep(seconds / (kills or 50) * chance.random())
            if self.ledger.kills < kills:
                self._kill_one(chance)
        self._over.set()
        for thread in self._threads:
            thread.join(120)
            if thread.is_alive():
                self.ledger.findings.append(f"hangs: {thread.name}")
        return self.ledger

    def _kill_one(self, chance: random.Random) -> None:
        with self._guard:
            if self._running:
                self._running.pop(chance.choice(sorted(self._running))).kill()
                self.ledger.kills += 1

    def _serve(self, number: int) -> None:
        chance = random.Random(f"{self._seed}-{number}")  # noqa: S311
        name = f"server {number}"
        try:
            while not self._over.is_set():
                server = self.home.server()
                with server:
                    self._watch(name, server.child)
                    try:
                        while not self._over.is_set():
                            self._call(server, chance, number)
                    except (ServerGoneError, BrokenPipeError) as error:
                        if "nothing within" in str(error):
                            self.ledger.findings.append(f"hangs: {error}")
                    finally:
                        self._unwatch(name)
        except Exception as error:  # noqa: BLE001 - a thread's end is a finding
            self.ledger.findings.append(f"{name}: {error!r}")

    def _watch(self, name: str, child: Child) -> None:
        with self._guard:
            self._running[name] = child

    def _unwatch(self, name: str) -> None:
        with self._guard:
            self._running.pop(name, None)

    def _call(self, server: ForkedServer, chance: random.Random, number: int) -> None:
        ledger = self.ledger
        own = [uuid for uuid in list(ledger.stored) if ledger.stored[uuid].startswith(f"Server {number} ")]
        what = chance.random()
        ledger.calls += 1
        if what < 0.65 or len(own) < 2:
            text = f"Server {number} saw bird{chance.getrandbits(60):x} in the reeds."
            answer = server.call("memory_store", content=text, type="note")
            if self._went_well(answer):
                ledger.stored[answer.structured["uuid"]] = text
        elif what < 0.8:
            one, other = chance.sample(own, 2)
            if one not in ledger.in_doubt and self._went_well(
                server.call("memory_connect", from_uuid=one, to_uuid=other, relationship="related_to")
            ):
                ledger.linked.add((one, other))
        elif what < 0.9:
            uuid = chance.choice(own)
            content = ledger.stored.pop(uuid)
            ledger.in_doubt.add(uuid)
            if self._went_well(server.call("memory_delete", uuid=uuid)):
                ledger.in_doubt.discard(uuid)
                ledger.deleted.add(uuid)
            else:
                ledger.stored[uuid] = content
        else:
            word = ledger.stored[chance.choice(own)].split()[3]
            found = server.call("memory_search", query=word)
            if self._went_well(found) and not found.structured["results"]:
                ledger.findings.append(f"not found while all is well: {word}; {found.structured.get('hint')}")

    def _went_well(self, answer: ToolAnswer) -> bool:
        said = answer.text if answer.is_error else " ".join(answer.structured.get("warnings", []))
        if "locked" in said or "Traceback" in said or "Unexpected" in said:
            self.ledger.findings.append(f"the model was told: {said[:200]}")
        if answer.is_error:
            self.ledger.refused.append(answer.text)
        return not answer.is_error

    def _hook(self, number: int) -> None:
        """Sessions that end, each with every hook; a killed hook is no matter."""
        chance = random.Random(f"{self._seed}-hooks-{number}")  # noqa: S311
        try:
            while not self._over.is_set():
                session_id = f"7b1e2f04-0000-4000-8000-{chance.getrandbits(48):012x}"
                script = short_session(str(self.home.project), session_id)
                script.answer("word " * chance.randrange(5000))
                script.write(self.home.projects_dir)
                for event in HOOKS:
                    done = self.home.hook(event, session_id, started=partial(self._watch, f"hook {number}"))
                    self._unwatch(f"hook {number}")
                    self.ledger.hooks += 1
                    if done.code not in (0, -signal.SIGKILL) or done.stderr:
                        self.ledger.findings.append(f"{event} ended with {done.code}: {done.stderr[-200:]}")
        except Exception as error:  # noqa: BLE001 - a thread's end is a finding
            self.ledger.findings.append(f"hooks {number}: {error!r}")


def findings(home: Home, ledger: Ledger, seed: int) -> list[str]:
    """What is not as it was acknowledged, after everything has ended."""
    expected = Expected(home)
    chance = random.Random(seed)  # noqa: S311
    chosen = chance.sample(sorted(ledger.stored), min(SAMPLE, len(ledger.stored)))
    expected.found.update({ledger.stored[uuid].split()[3]: ledger.stored[uuid] for uuid in chosen})
    found = [*ledger.findings, *check.at_once(home), *lost(home, ledger), *check.after(home, expected)]
    sources = transcripts.iter_sources(str(home.projects_dir))
    missing = [source.session_id for source in sources if not transcripts.is_archived(home.folder, source)]
    return [*found, *(f"lost: {session_id} is not archived" for session_id in missing)]


def lost(home: Home, ledger: Ledger) -> list[str]:
    """Acknowledged stores and links that are gone, and deletions that do not hold."""
    found: list[str] = []
    for uuid, content in ledger.stored.items():
        record = _record(home, uuid)
        if record is None or record["content"] != content:
            found.append(f"lost: {uuid}")
    for one, other in ledger.linked:
        record = _record(home, one)
        if one in ledger.stored and record and (other, "related_to") not in records.valid_connections(record):
            found.append(f"lost: the link from {one} to {other}")
    for uuid in ledger.deleted:
        if _record(home, uuid) is not None:
            found.append(f"came back: {uuid}")
        elif records.tombstone(home.folder, uuid) is None:
            found.append(f"lost: the deleted {uuid} cannot be restored")
    doubtful = ledger.in_doubt - ledger.stored.keys() - ledger.deleted
    gone = [uuid for uuid in doubtful if not _record(home, uuid) and not records.tombstone(home.folder, uuid)]
    return [*found, *(f"lost: {uuid}, whose deletion was not answered" for uuid in gone)]


def _record(home: Home, uuid: str) -> dict[str, Any] | None:
    try:
        return records.load(home.folder, uuid)
    except LLMMemoryError:
        return None

"""What is done while a process is killed or a disk refuses: every way in which the memory is written.

Each operation tells what it promised when it was acknowledged. The rest is the same for all: what was there before is
there afterwards, whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from memories.core import records
from tests.core.transcript_lines import Script
from tests.faults.forks import Done, Fault
from tests.faults.home import ARCHIVED_SESSION, GROWN_SESSION, NEW_SESSION, Home
from tests.mcp_bridge.client import ServerGoneError, ToolAnswer

SECRET = "ghp_" + "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX"
STARTED_SESSION = "7b1e2f04-0000-4000-8000-00000000a009"


class Expected:
    """What must be true of the home.

    found: a word -> a part of the content of the record that a search for it gives. hidden: words that find no memory.
    either: words of records that may be there or in the trash. without: text that is nowhere in the data folder.
    """

    def __init__(self, home: Home) -> None:
        self.found = dict.fromkeys(home.notes, "")
        self.hidden = {"whimbrel"}
        self.either: set[str] = set()
        self.without: list[bytes] = []


class Outcome:
    """acknowledged: it was said to be done. refused: the error with which it was refused; "" for none."""

    def __init__(self, acknowledged: bool, refused: str = "") -> None:
        self.acknowledged = acknowledged
        self.refused = refused


class Operation:
    """prepare: what is done to the home before, without a fault. run: does it under a fault. promise: what an
    acknowledged (or, False, an interrupted) one makes true."""

    def __init__(
        self,
        name: str,
        run: Callable[[Home, Fault], Outcome],
        promise: Callable[[Home, Expected, bool], None],
        prepare: Callable[[Home], None] | None = None,
    ) -> None:
        self.name = name
        self.run = run
        self.promise = promise
        self.prepare = prepare or (lambda _home: None)


def fault_in(home: Home, at: int = 0, **options: object) -> Fault:
    """A fault below the home's data folder, that begins to count when the home's arm file is there."""
    return Fault(home.folder.root, at, armed_by=home.root / "armed", **options)  # type: ignore[arg-type]


def arm(home: Home, *, armed: bool = True) -> None:
    """Let faults of the home count, or not."""
    path = home.root / "armed"
    if armed:
        path.touch()
    else:
        path.unlink(missing_ok=True)


def by_tool(tool: str, arguments: Callable[[Home], dict[str, object]]) -> Callable[[Home, Fault], Outcome]:
    """A tool call of a server whose start-up work is done."""

    def run(home: Home, fault: Fault) -> Outcome:
        arm(home, armed=False)
        with home.server(fault=fault) as server:
            server.ask("memory_search", query="reeds", scope="all")  # waits for the records, then the conversations
            arm(home)
            try:
                answer = server.call(tool, **arguments(home))
            except (ServerGoneError, BrokenPipeError):
                return Outcome(False)
            if answer.is_error:
                _is_fit_for_a_model(answer)
                arm(home, armed=False)
                server.ask("memory_recent")  # it lives
            return Outcome(not answer.is_error, answer.text if answer.is_error else "")

    return run


def _is_fit_for_a_model(answer: ToolAnswer) -> None:
    for noise in ("Traceback", "Error executing tool", "Unexpected ", 'File "'):
        assert noise not in answer.text, answer.text
    said = answer.text.lower()
    assert any(word in said for word in ("try again", "check", "run ", "retry", "try once more")), answer.text


def by_command(*argv: str) -> Callable[[Home, Fault], Outcome]:
    """A command, from its beginning."""

    def run(home: Home, fault: Fault) -> Outcome:
        arm(home)
        words = [word.format(bundle=home.bundle, deleted=home.deleted) for word in argv]
        return _of_command(home.command(*words, fault=fault))

    return run


def _of_command(done: Done) -> Outcome:
    if done.code < 0:
        return Outcome(False)
    assert "Traceback" not in done.stderr, done.stderr
    said = done.stderr or done.stdout  # redact lists what is left to be done
    assert not done.stderr or not done.code or done.stderr.startswith(("Error: ", "CommandError: ")), said
    assert not done.code or said
    return Outcome(done.code == 0, said if done.code else "")


def by_hook(event: str, session_id: str, **fields: object) -> Callable[[Home, Fault], Outcome]:
    """A hook, from its beginning. It is acknowledged when its log says so."""

    def run(home: Home, fault: Fault) -> Outcome:
        arm(home)
        done = home.hook(event, session_id, fields, fault=fault)
        if done.code < 0:
            return Outcome(False)
        assert (done.code, done.stderr) == (0, "")
        log = Path(home.folder.state, "hooks.log")
        said = log.read_text(encoding="utf-8").rpartition("\n")[0].rpartition("\n")[2] if log.exists() else ""
        refused = "failed" in said or "not archived" in said or "not working" in done.stdout
        return Outcome(f" {event} archived" in said or (event == "session_start" and not refused and bool(said)), said)

    return run


# What they promise.


def _stored(_home: Home, expected: Expected, acknowledged: bool) -> None:
    if acknowledged:
        expected.found["knot"] = "A knot was seen at the weir."


def _narrated(_home: Home, expected: Expected, acknowledged: bool) -> None:
    if acknowledged:
        expected.found["whinchat"] = "whinchat release"
        expected.found.pop("curlew")  # in the version before, which is archived now
    else:
        expected.found.pop("curlew")
        expected.either.add("curlew")


def _deleted(_home: Home, expected: Expected, acknowledged: bool) -> None:
    expected.found.pop("heron")
    (expected.hidden if acknowledged else expected.either).add("heron")


def _restored(_home: Home, expected: Expected, acknowledged: bool) -> None:
    expected.hidden.discard("whimbrel")
    if acknowledged:
        expected.found["whimbrel"] = "A whimbrel was here."
    else:
        expected.either.add("whimbrel")


def _imported(_home: Home, expected: Expected, acknowledged: bool) -> None:
    if acknowledged:
        expected.found.update(turnstone="", sanderling="")


def _forgotten(_home: Home, expected: Expected, acknowledged: bool) -> None:
    if acknowledged:
        expected.without.append(f"Add a retry, says {ARCHIVED_SESSION[-4:]}".encode())


def _redacted(_home: Home, expected: Expected, acknowledged: bool) -> None:
    expected.found["phoebe"] = "A phoebe has the token"
    if acknowledged:
        expected.without.append(SECRET.encode())


def _nothing(_home: Home, _expected: Expected, _acknowledged: bool) -> None:
    pass


def _merged(_home: Home, expected: Expected, acknowledged: bool) -> None:
    """Both sides of the conflicts are somewhere from the beginning: in a copy, or merged."""
    if acknowledged:
        expected.found["ruff"] = "ruff"


def _leave_conflict_copies(home: Home) -> None:
    """What a file sync leaves where two machines changed a memory and continued a session."""
    path = Path(records.record_path(home.folder, home.notes["avocet"]))
    record = json.loads(path.read_text(encoding="utf-8"))
    record.update(content="Note 2: an avocet and a ruff.", updated_at="2026-03-15T09:00:00", origin="other")
    copy = path.with_name(f"{path.stem}.sync-conflict-20260315-090000-ABCDEFG.json")
    copy.write_text(json.dumps(record), encoding="utf-8")
    own = Path(home.folder.transcripts, f"{GROWN_SESSION}.jsonl")
    script: Script = home.session(GROWN_SESSION)
    script.user("Another machine went on")
    own.with_name(f"{GROWN_SESSION}.sync-conflict-20260315-090000-ABCDEFG.jsonl").write_bytes(script.dump())


def _write_a_secret(home: Home) -> None:
    """A record that somebody wrote by hand, or with a version that did not look for secrets."""
    record = records.new_record(type="note", content=f"A phoebe has the token {SECRET} on its leg.")
    Path(records.record_path(home.folder, record["uuid"])).write_bytes(records.dump(record))


def _narrative(home: Home) -> dict[str, object]:
    return {"content": "# Orders\n\n## Status\n\nThe whinchat release is out.", "type": "narrative"}


def _link(home: Home) -> dict[str, object]:
    return {
        "from_uuid": home.notes["plover"],
        "to_uuid": home.notes["dunlin"],
        "relationship": "related_to",
    }


OPERATIONS = (
    Operation(
        "memory_store of a note",
        by_tool("memory_store", lambda _: {"content": "A knot was seen at the weir.", "type": "note"}),
        _stored,
    ),
    Operation("memory_store of a narrative", by_tool("memory_store", _narrative), _narrated),
    Operation("memory_connect", by_tool("memory_connect", _link), _nothing),
    Operation("memory_delete", by_tool("memory_delete", lambda home: {"uuid": home.notes["heron"]}), _deleted),
    Operation("restore", by_command("restore", "{deleted}"), _restored),
    Operation("session_end", by_hook("session_end", NEW_SESSION, reason="other"), _nothing),
    Operation("session_start", by_hook("session_start", STARTED_SESSION, source="startup"), _nothing),
    Operation("sync of conflict copies", by_command("sync"), _merged, _leave_conflict_copies),
    Operation("rebuild_index", by_command("rebuild_index"), _nothing),
    Operation("import", by_command("import", "{bundle}"), _imported),
    Operation("forget", by_command("forget", ARCHIVED_SESSION, "--yes"), _forgotten),
    Operation("redact --apply", by_command("redact", "--apply"), _redacted, _write_a_secret),
)

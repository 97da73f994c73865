"""A server that was running, hooks and a new server, after a fault: nothing hangs, crashes, or passes for complete."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults import check
from tests.faults.home import NEW_SESSION
from tests.faults.operations import Expected

if TYPE_CHECKING:
    from collections.abc import Callable

    from memories.core.paths import DataFolder
    from tests.faults.home import Home
    from tests.mcp_bridge.client import Server, ToolAnswer

TRIES = 4
"""So many searches until one must find everything again: each may have the index made anew."""

NOISE = ("Traceback", "Error executing tool", "Unexpected ", 'File "')


def after(home: Home, fault: Callable[[DataFolder], None], *, heals: bool = True, bound: bool = False) -> list[str]:
    """Do it to a home with a running server, and give what is not as it must be.

    heals: whether everything must be found again. bound: by file permissions, even as root.
    """
    found: list[str] = []
    with home.server(bound=bound) as server:
        server.ask("memory_search", query="reeds", scope="all")
        fault(home.folder)
        found += _store(home, server)
        found += _search(server, heals)
    found += hooks(home, bound=bound)
    with home.server(bound=bound) as server:
        found += _search(server, heals)
    if not heals:
        return found if named(home, bound=bound) else [*found, "doctor names nothing"]
    expected = Expected(home)
    expected.found["knot"] = "A knot was seen"
    return [*found, *check.after(home, expected)]


def _store(home: Home, server: Server) -> list[str]:
    answer = server.call("memory_store", content="A knot was seen at the weir.", type="note")
    if answer.is_error:
        return [f"not stored: {answer.text}", *unfit(answer)]
    if not os.path.exists(os.path.join(home.folder.records, f"{answer.structured['uuid']}.json")):
        return ["lost: it was acknowledged and there is no record"]
    return [f"a warning with noise: {text}" for text in answer.structured.get("warnings", []) if _is_noise(text)]


def _search(server: Server, heals: bool) -> list[str]:
    """Searches until everything is found; one that finds less without a word is a lie."""
    for _ in range(TRIES):
        answer = server.call("memory_search", query="reeds", limit=50)
        if answer.is_error:
            if wrong := unfit(answer):
                return wrong
            continue
        if len(answer.structured["results"]) >= len(home_words()):
            return []
        if not answer.structured.get("hint"):
            return [f"wrong: {len(answer.structured['results'])} found and no word that it may be less than there is"]
    return ["not healed: no search finds everything"] if heals else []


def home_words() -> tuple[str, ...]:
    """The words of the notes in which the reeds occur."""
    from tests.faults.home import WORDS

    return WORDS


def unfit(answer: ToolAnswer) -> list[str]:
    """What makes an error unfit for a model: noise, or no next step."""
    said = answer.text.lower()
    if _is_noise(answer.text):
        return [f"noise: {answer.text}"]
    steps = ("try again", "try once more", "check", "run ", "move it", "look at", "sync", "doctor")
    return [] if any(step in said for step in steps) else [f"no next step: {answer.text}"]


def _is_noise(text: str) -> bool:
    return any(noise in text for noise in NOISE)


def hooks(home: Home, *, bound: bool = False) -> list[str]:
    """Every hook: exit 0, valid JSON or nothing, no word on stderr, no crash in the log."""
    found = []
    for event in ("session_start", "post_tool_use", "pre_compact", "session_end"):
        done = home.hook(event, NEW_SESSION, {"source": "startup", "tool_name": "Bash"}, bound=bound)
        if done.code or done.stderr:
            found.append(f"{event}: exit {done.code}, {done.stderr[-300:]}")
        if done.stdout and event != "pre_compact":
            try:
                json.loads(done.stdout)
            except ValueError:
                found.append(f"{event}: {done.stdout[:200]}")
    log = Path(home.folder.state, "hooks.log")
    if log.is_file():
        said = log.read_text(encoding="utf-8").splitlines()
        found += [f"crashed: {line}" for line in said if " failed: " in line and "Error: " in line]
    return found


def named(home: Home, *, bound: bool = False) -> list[dict[str, str]]:
    """What doctor names of the memory's own; it must not crash."""
    done = home.command("doctor", "--json", bound=bound)
    assert "Traceback" not in done.stderr, done.stderr
    return check.faults_named(json.loads(done.stdout))

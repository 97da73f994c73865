"""Target: what Claude Code sends a hook, through every handler in a throwaway home."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hooks import dispatch, session_start
from hooks import payload as payloads
from tests.fuzz import home as homes
from tests.fuzz.draw import Draw, is_structured, to_json
from tests.fuzz.home import SESSION, FuzzHome

LIMIT = 10_000
"""UTF-16 code units of a hook's output that Claude Code delivers whole."""

_WORDS = (
    "../",
    "..",
    "/",
    SESSION,
    "memory",
    ".jsonl",
    "\0",
    "orders",
    "~",
    "mcp__llm_memory__memory_store",
    "elsewhere",
)
_TRANSCRIPT = (
    b'{"type":"user","uuid":"u1","timestamp":"2026-03-14T09:00:00.000Z","cwd":"/x","message":{"role":"user","content":'
    b'"Use Postgres."}}\n{"type":"assistant","uuid":"u2","timestamp":"2026-03-14T09:00:01.000Z",'
    b'"message":{"role":"assistant",'
    b'"content":[{"type":"text","text":"Done."}],"usage":{"input_tokens":70000,"output_tokens":5}}}\n'
)


def _paths(home: FuzzHome) -> tuple[str, ...]:
    own = os.path.join(home.projects, f"{SESSION}.jsonl")
    return (
        own,
        own,
        "",
        home.project,
        home.at("elsewhere", "canary"),
        home.folder.mirror,
        "/dev/null",
        f"{own}/../{SESSION}",
    )


def _payload(draw: Draw, home: FuzzHome) -> bytes:
    fields: dict[str, Any] = {
        "session_id": lambda draw: draw.one_of((SESSION, SESSION, "", "../../x", ".", "a" * 300, draw.text(_WORDS))),
        "transcript_path": lambda draw: draw.one_of(_paths(home)),
        "cwd": lambda draw: draw.one_of((home.project, home.project, "", "/", "/nowhere", draw.text(_WORDS))),
        "hook_event_name": lambda draw: "SessionStart",
        "source": lambda draw: draw.one_of(("startup", "resume", "clear", "compact", "fork")),
        "tool_name": lambda draw: draw.one_of(("Bash", "mcp__llm_memory__memory_store")),
        "seconds_since_last_response": lambda draw: draw.one_of((1, 10**12, -1, True)),
    }
    made = draw.altered(fields, _WORDS)
    if draw.below(8) == 7:
        made["agent_id"] = draw.value(("a",), _WORDS)
    return to_json(made, draw)


def hook_payload(data: bytes) -> None:
    """Hook payloads: every handler ends with an outcome, says valid JSON that is delivered whole, writes only in its
    own folder."""
    home = homes.home("hooks")
    home.reset()
    Path(home.projects, f"{SESSION}.jsonl").write_bytes(_TRANSCRIPT)
    draw = Draw(data[1:])
    text = _payload(draw, home) if is_structured(data) else data
    with home.environment(), home.guarded(), patch.object(session_start, "start_detached_sync", lambda: None):
        given = payloads.parse(text)
        for event in dispatch.EVENTS:
            output, outcome = dispatch._run(event, given, home.folder)
            assert outcome
            assert len(output.encode("utf-16-le", "surrogatepass")) // 2 <= LIMIT, "more than Claude Code delivers"
            if output and event != "pre_compact":
                json.loads(output)
            output.encode()

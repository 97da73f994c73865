"""Who is measured: how each is installed, started and spoken to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.product import ROOT

FOUND_AT = 5
"""Hits among which a question's note must be."""

TITLE_CHARS = 60
BASIC_MEMORY_PYTHON = (3, 12)
"""The least that basic-memory runs on."""

SHOWN_CHARS = 40
"""Of a note, what every hit of it shows; the marker alone may be the question's echo."""

MEMPALACE_QUERY = 250
"""Characters that its search takes."""

Call = tuple[str, dict[str, Any]]
"""A tool's name and its arguments."""


def marker(number: int) -> str:
    """The word that a note begins with and no other holds."""
    return f"Note{number:05}"


@dataclass(frozen=True)
class Peer:
    """One server. npm or pip: the package it is installed from; neither: it is ours.

    command(installed folder): what starts it. environ(home): what it needs beside PATH and HOME. first: calls once
    before all. store(number, text), search(question): the tool calls; find(number, text): the call that finds a note
    for sure, where search(its marker) does not; shown: what the answer then holds.
    hook(installed folder, home): a command line and its stdin for what the client runs at a session's start; None: it
    has no hooks, or why_no_hook. python: the least version it runs on; sqlite_extensions: its Python's sqlite3 must be
    able to load extensions, as many cannot. most_notes: fewer for a server that takes seconds for a few.
    """

    name: str
    command: Callable[[Path], list[str]]
    store: Callable[[int, str], Call]
    search: Callable[[str], Call]
    find: Callable[[int, str], Call] | None = None
    shown: Callable[[int, str], str] = field(default=lambda number, text: text[:SHOWN_CHARS])  # noqa: ARG005
    npm: str = ""
    pip: str = ""
    environ: Callable[[Path], dict[str, str]] = field(default=lambda home: {})  # noqa: ARG005
    first: tuple[Call, ...] = ()
    python: tuple[int, int] = (3, 10)
    sqlite_extensions: bool = False
    most_notes: int = 1_000
    hook: Callable[[Path, Path], tuple[list[str], str]] | None = None
    why_no_hook: str = "has none"


def _module(package: str, script: str) -> Callable[[Path], list[str]]:
    # not .bin/<program>: that is a symlink, under which @ai-devkit/memory 0.20 ends at once
    return lambda place: ["node", str(place / "node_modules" / package / script)]


def _program(name: str, *arguments: str) -> Callable[[Path], list[str]]:
    return lambda place: [str(place / "bin" / name), *arguments]


def _mempalace_hook(place: Path, home: Path) -> tuple[list[str], str]:
    command = [str(place / "bin" / "mempalace"), "hook", "run", "--hook", "session-start", "--harness", "claude-code"]
    return command, _our_hook(place, home)[1]


def _our_hook(_: Path, home: Path) -> tuple[list[str], str]:
    work = home / "work"
    work.mkdir(exist_ok=True)
    payload = f'{{"session_id": "5d0c7a52-0000-4000-8000-00000000c0de", "cwd": "{work}", "source": "startup"}}'
    return [sys.executable, "-I", "-S", str(ROOT / "manage.py"), "hook", "session_start"], payload


OURS = Peer(
    "LLM Memory",
    command=lambda _: [sys.executable, "-I", str(ROOT / "manage.py"), "mcp"],
    store=lambda _, text: ("memory_store", {"content": text, "type": "note"}),
    search=lambda question: ("memory_search", {"query": question, "limit": FOUND_AT}),
    environ=lambda home: {
        "LLM_MEMORY_HOME": str(home / "memory"),
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "CLAUDE_PROJECT_DIR": str(home),
    },
    hook=_our_hook,
)

PEERS = (
    Peer(
        "@ai-devkit/memory",
        npm="@ai-devkit/memory",
        command=_module("@ai-devkit/memory", "dist/index.js"),
        store=lambda number, text: (
            "memory_storeKnowledge",
            {"title": f"{marker(number)} {text[10:TITLE_CHARS]}", "content": text, "tags": ["bench"]},
        ),
        search=lambda question: ("memory_searchKnowledge", {"query": question, "limit": FOUND_AT}),
    ),
    Peer(
        "agentmemory (standalone)",
        npm="@agentmemory/agentmemory",
        command=_module("@agentmemory/agentmemory", "dist/standalone.mjs"),
        store=lambda _, text: ("memory_save", {"content": text}),
        search=lambda question: ("memory_smart_search", {"query": question, "limit": FOUND_AT}),
        why_no_hook="needs its server",
    ),
    Peer(
        "server-memory",
        npm="@modelcontextprotocol/server-memory",
        command=_module("@modelcontextprotocol/server-memory", "dist/index.js"),
        store=lambda number, text: (
            "create_entities",
            {"entities": [{"name": marker(number), "entityType": "note", "observations": [text]}]},
        ),
        search=lambda question: ("search_nodes", {"query": question}),
        environ=lambda home: {"MEMORY_FILE_PATH": str(home / "memory.jsonl")},
    ),
    Peer(
        "mcp-memory-keeper",
        npm="mcp-memory-keeper",
        command=_module("mcp-memory-keeper", "dist/index.js"),
        store=lambda number, text: ("context_save", {"key": marker(number), "value": text}),
        search=lambda question: ("context_search", {"query": question, "limit": FOUND_AT}),
        environ=lambda home: {"DATA_DIR": str(home / "data")},
        first=(("context_session_start", {"name": "bench"}),),
    ),
    Peer(
        "mcp-memory-service",
        pip="mcp-memory-service",
        sqlite_extensions=True,
        find=lambda number, _: ("memory_search", {"query": marker(number), "mode": "exact"}),
        command=_program("memory", "server"),
        store=lambda _, text: ("memory_store", {"content": text}),
        search=lambda question: ("memory_search", {"query": question, "limit": FOUND_AT}),
        environ=lambda home: {"MCP_MEMORY_STORAGE_BACKEND": "sqlite_vec", "MCP_MEMORY_BASE_DIR": str(home / "data")},
    ),
    Peer(
        "MemPalace",
        pip="mempalace",
        command=_program("mempalace-mcp"),
        store=lambda _, text: ("mempalace_add_drawer", {"wing": "bench", "room": "notes", "content": text}),
        search=lambda question: ("mempalace_search", {"query": question[:MEMPALACE_QUERY], "limit": FOUND_AT}),
        hook=_mempalace_hook,
    ),
    Peer(
        "basic-memory",
        pip="basic-memory==0.23.1",
        python=BASIC_MEMORY_PYTHON,
        shown=lambda number, _: f"### {marker(number)}",
        most_notes=200,
        command=_program("basic-memory", "mcp"),
        store=lambda number, text: (
            "write_note",
            {"title": f"{marker(number)}", "content": text, "directory": "notes", "project": "main"},
        ),
        search=lambda question: ("search_notes", {"query": question, "page_size": FOUND_AT, "project": "main"}),
        environ=lambda home: {
            "BASIC_MEMORY_HOME": str(home / "basic-memory"),
            "BASIC_MEMORY_SEMANTIC_SEARCH_ENABLED": "false",
        },
    ),
)


def base_environ(home: Path) -> dict[str, str]:
    """What every server is started with: a home of its own, nothing of the user's."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}

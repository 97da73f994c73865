"""Who writes text into the data folder, and who reads records and transcripts as they are: each stands in a list here
with why no secret gets through, so that a new one must decide. What reads for anybody's eyes reads through
core/redaction.py, or gives core/conversation.py a redactor."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(path for place in ("memories", "mcp_bridge", "hooks") for path in (ROOT / place).rglob("*.py"))

WRITES = ("records.save", "records.update", "services.memory_store", "files.write_atomic")
WRITERS = {
    "core/records:save": "what its callers, who stand here too, made",
    "core/auto_memory:_store": "redacted by _fields",
    "core/auto_memory:_update": "redacted by _fields",
    "core/auto_memory:save": "paths, times and hashes of what is redacted, in state/",
    "core/session_logs:_store": "a log that build made of redacted lines, with what people added",
    "core/trash:bury": "a record, as it is, to trash/",
    "core/trash:dig_up": "a record, as it was, back from trash/",
    "core/record_copies:_settle": "a merge of what a file sync brought, the same bytes on every machine",
    "core/handoff:_take": "a tag",
    "services:_write": "memory_store, after _redact",
    "services:_store_narrative": "memory_store, after _redact; of the narratives before it, the status",
    "services:memory_connect": "a link",
    "services:_duplicate": "session ids",
    "services:_revive_predecessors": "a status",
    "demo/sample:_edit_elsewhere": "our own text",
    "demo/sample:_save": "our own text",
    "demo/walkthrough:steps": "our own text, and redacted",
    "doctor_trip:_travel": "our own text, and redacted",
    "mcp_bridge/tools:memory_store": "redacted by services.memory_store",
    "terminal/store:handle": "redacted by services.memory_store",
    "importers/take:attempt": "redacted by prepare.Preparer",
    "core/redact_existing:_redact_record": "what it has redacted",
    "core/redact_existing:attempt": "what it has redacted",
    "core/config_copies:_write": "rules and settings, which are the user's own and no memories",
    "core/config_copies:_keep": "rules and settings, which are the user's own and no memories",
    "core/merge_log:note_all": "uuids and paths",
    "core/forgotten:mark": "a word",
    "core/forgotten:note_settled": "times",
    "core/masked_archive:note": "sizes and times",
    "core/redact_existing:note_masked": "a number",
    "core/masked_again:run": "sizes and times",
    "core/redaction:note_patterns": "the user's patterns, in state/",
    "core/retention:_note_seen": "numbers",
    "core/state:_write": "numbers and ids",
    "exporters/vault:finish": "titles as the mirror has them, and hashes, into a folder of the user's",
    "exporters/vault:write": "texts as the mirror has them, into a folder of the user's",
    "core/sweep:save": "paths and times",
    "core/update_state:save": "versions, times, an address without credentials; an error, redacted",
    "update/detached:_log": "what an install said, redacted",
}  # fmt: skip

READS = (
    "records.load", "records.load_seen", "records.parse", "records.parse_tombstone", "records.tombstone",
    "conversation.parse",
)  # fmt: skip
READERS = {
    "core/redaction:load": "redacts it",
    "core/redaction:tombstone": "redacts it",
    "core/mirror:_apply_file": "redacts it",
    "core/transcript_blocks:read_line": "redacts it",
    "core/turn_rows:_entry": "iter_rows redacts it",
    "core/auto_memory:_remove_gone": "whether it is there",
    "core/auto_memory:_settle_note": "whether it was made of the same",
    "core/session_logs:_store": "writes it back",
    "core/bundle_marks:_has_log": "whether it is there",
    "importers/take:attempt": "writes it back",
    "importers/take:_all_narratives": "names of projects, which are compared",
    "core/session_logs:exists": "whether it is there",
    "core/session_logs:is_of_older_form": "whether it has a field",
    "core/trash:bury": "writes it back",
    "core/trash:dig_up": "writes it back",
    "core/record_copies:settle": "merges it",
    "core/bundle_export:_add_record": "redacts it, or looks at fields",
    "core/bundle_export:_read_small": "whether it is one",
    "core/bundle_records:_is_here": "whether it is the same",
    "core/bundle_trial:_content": "whether it is the same",
    "core/forgetting:_in_trash": "whose session it is",
    "core/gone_sessions:check": "whether it is there",
    "core/retention:_coverage": "session ids",
    "core/redact_existing:_look": "counts what rules find",
    "core/redact_existing:attempt": "redacts it",
    "doctor_secrets:_rules_in": "names what rules find",
    "doctor_trip:_travel": "whether it is there",
    "forget_listing:_one": "whether it is there",
    "demo/sample:_edit_elsewhere": "our own text",
    "terminal/narrate:_narrative_tokens": "how long it is",
    "merged_conflicts:_came_deleted": "a time",
    "narrative_store:covered": "session ids and numbers",
    "project_list:_loaded": "session ids and numbers",
    "selectors:memory_explore": "whether it is there",
    "services:memory_connect": "whether it is there",
    "services:_supersedes": "links",
}

GIVEN_A_REDACTOR = {
    "conversation.iter_lines": 99, "conversation.iter_entries": 99, "conversation.iter_turns": 99,
    "session_reading.gather": 2, "recovery.gather": 2, "session_logs.build": 3, "turn_rows.iter_rows": 5,
    "transcript_blocks.read_line": 4,
}  # fmt: skip
"""What reads a transcript -> the number of arguments with which a redactor is among them; 99: by name only."""


@cache
def calls(path: Path) -> list[tuple[str, str, ast.Call]]:
    """(function that it stands in, what it calls, the call) of each call in a module."""

    def within(node: ast.AST, function: str) -> Iterator[tuple[str, str, ast.Call]]:
        for child in ast.iter_child_nodes(node):
            inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute):
                yield inner, ast.unparse(child.func), child
            yield from within(child, inner)

    return list(within(ast.parse(path.read_text(encoding="utf-8")), ""))


def places(wanted: tuple[str, ...]) -> set[str]:
    """Where one of them is called: `module:function`, the module below memories/ or the root."""
    found = set()
    for path in SOURCES:
        module = str(path.relative_to(ROOT).with_suffix("")).removeprefix("memories/")
        found |= {f"{module}:{function}" for function, called, _ in calls(path) if called in wanted}
    return found


@pytest.mark.parametrize(("wanted", "known"), [(WRITES, WRITERS), (READS, READERS)], ids=["in", "out"])
def test_each_way_is_known_and_why_no_secret_takes_it(wanted: tuple[str, ...], known: dict[str, str]) -> None:
    found = places(wanted)
    assert found - known.keys() == set(), "decide what becomes of secrets there, then say so in this list"
    assert known.keys() - found == set(), "no longer there"


def test_whoever_reads_a_transcript_has_a_redactor() -> None:
    without = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in SOURCES
        for _, called, call in calls(path)
        if called in GIVEN_A_REDACTOR
        and len(call.args) < GIVEN_A_REDACTOR[called]
        and not any(one.arg == "redactor" for one in call.keywords)
    ]
    assert without == []

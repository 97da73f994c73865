"""Targets: the lines of a transcript, through everything that reads them."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

from memories.core import (
    archived_sessions,
    conversation,
    records,
    recovery,
    redact,
    session_log_text,
    session_logs,
    transcript_find,
    transcript_items,
    transcript_page,
    transcript_reading,
    transcripts,
    turn_rows,
    usage,
)
from memories.core.projects import Project
from tests.fuzz import home as homes
from tests.fuzz.draw import Draw, is_structured
from tests.fuzz.home import SESSION

HAS_MASKING = importlib.util.find_spec("memories.core.masking") is not None
_LEAST_PAGE = transcript_page.MIN_TOKENS
_WORDS = (
    "Use Postgres, not MySQL.", "No, never deploy on Fridays!", "<system-reminder>", "</system-reminder>", "deploy",
    "<command-name>/compact</command-name>", "<command-args>x</command-args>", "<bash-input>ls</bash-input>",
    "[Request interrupted by user]", "API Error: 500", "<pasted_content>", "Error: no such table",
    "git commit -m 'x'", "<local-command-stdout>", "AKIA" + "A" * 16, "<private>", "https://a:secretpw@b/", "\\ud83d",
    "## Decisions",
)  # fmt: skip
_TOOLS = (
    "Bash",
    "Edit",
    "Write",
    "Read",
    "TodoWrite",
    "AskUserQuestion",
    "ExitPlanMode",
    "Task",
    "TaskCreate",
    "TaskUpdate",
)
_INPUT_NAMES = (
    "command", "file_path", "todos", "questions", "plan", "description", "prompt", "content", "status", "subject",
    "taskId", "answers", "task", "id", "question", "header", "options", "label", "agentId", "activeForm",
)  # fmt: skip
_UUIDS = tuple(f"00000000-0000-4000-8000-00000000000{digit}" for digit in range(4))
_CALLS = ("toolu_1", "toolu_2", "toolu_3")


def _block(draw: Draw) -> Any:
    kind = draw.below(6)
    if kind <= 1:
        return {"type": "text", "text": draw.text(_WORDS)}
    if kind == 2:
        named = {draw.one_of(_INPUT_NAMES): draw.value(_INPUT_NAMES, _WORDS) for _ in range(draw.below(4))}
        return {"type": "tool_use", "id": draw.one_of(_CALLS), "name": draw.one_of(_TOOLS), "input": named}
    if kind == 3:
        content = draw.text(_WORDS) if draw.below(2) else [{"type": "text", "text": draw.text(_WORDS)}]
        is_error = draw.one_of((False, True, None))
        return {"type": "tool_result", "tool_use_id": draw.one_of(_CALLS), "content": content, "is_error": is_error}
    return {"type": "thinking", "thinking": draw.text(_WORDS)} if kind == 4 else draw.value(("type", "text"), _WORDS)


def _message(draw: Draw) -> Any:
    content = draw.text(_WORDS) if draw.below(3) == 0 else [_block(draw) for _ in range(draw.below(4))]
    tokens = {"input_tokens": draw.one_of((1, 100_000, -1, True)), "output_tokens": 1}
    return {"role": "assistant", "model": draw.one_of(("opus", "<synthetic>")), "content": content, "usage": tokens}


_LINE: dict[str, Any] = {
    "type": lambda draw: draw.one_of(("user", "assistant", "user", "assistant", "attachment", "system", "summary")),
    "uuid": lambda draw: draw.one_of(_UUIDS),
    "parentUuid": lambda draw: draw.one_of((None, *_UUIDS)),
    "timestamp": lambda draw: f"2026-03-14T09:{draw.below(60):02}:{draw.below(61):02}.250Z",
    "cwd": lambda draw: "/home/user/orders",
    "sessionId": lambda draw: SESSION,
    "gitBranch": lambda draw: draw.one_of(("main", "HEAD", "")),
    "message": _message,
}
_FURTHER = (
    "isSidechain", "isMeta", "isCompactSummary", "subtype", "attachment", "toolUseResult", "isApiErrorMessage",
    "origin", "entrypoint", "version", "compactMetadata",
)  # fmt: skip
_NAMES = (*_FURTHER, *_INPUT_NAMES, "type", "prompt", "commandMode", "kind")
_TYPES = ("queued_command", "prompt", "human", "compact_boundary", "sdk-cli", *_WORDS)


def _line(draw: Draw) -> bytes:
    if draw.below(16) == 15:
        return draw.raw(40)
    made = draw.altered(_LINE, _WORDS)
    for name in [draw.one_of(_FURTHER) for _ in range(draw.below(3))]:
        made[name] = draw.value(_NAMES, _TYPES)
    text = json.dumps(made, separators=(",", ":"), ensure_ascii=draw.below(2) == 1).encode("utf-8", "surrogatepass")
    return text[: draw.below(len(text))] if draw.below(24) == 23 else text


def text_of(data: bytes) -> bytes:
    """The transcript that an input stands for."""
    if not is_structured(data):
        return data
    draw = Draw(data[1:])
    lines: list[bytes] = []
    while not draw.is_spent and len(lines) < 12:
        lines.append(_line(draw))
    return b"\n".join(lines) + (b"\n" if draw.below(2) == 0 else b"")


def transcript(data: bytes) -> None:
    """A transcript: log, rows, pages, recovery and archive of any bytes are made without failing, and within bounds."""
    home = homes.home("transcript")
    text = text_of(data)
    path = os.path.join(home.projects, f"{SESSION}.jsonl")
    Path(path).write_bytes(text)
    _check_log(path)
    _check_rows(path, text)
    usage.tail_usage(path)
    found = recovery.gather(path)
    assert len(found.files) <= recovery.MAX_FILES
    transcripts.launch_cwd(path)
    home.reset()
    transcripts.archive(home.folder, path)
    kept = Path(transcripts.archive_path(home.folder, SESSION))
    assert kept.read_bytes() == text, "the archive is not the transcript"
    _check_pages(home)
    if HAS_MASKING:
        _check_masks(text)


def _check_log(path: str) -> None:
    root = "/home/user/orders"
    project = Project(f"path:{root}", "orders", root, names=frozenset(), ids=frozenset(), reason=None)
    for one in (project, None):
        log = session_logs.build(path, one)
        if log is None:
            continue
        records.validate(log)
        assert len(log["content"]) <= session_log_text.MAX_CHARS, "a session log is too long"
        assert session_logs.build(path, one) == log, "the same transcript gives another log"
        assert records.parse(records.dump(log), log["uuid"]) == log


def _check_rows(path: str, text: bytes) -> None:
    rows = list(turn_rows.iter_rows(path, 0, 0, len(text)))
    places = [(row.line, row.offset) for row in rows]
    assert places == sorted(places), "rows are not in the file's order"
    for row in rows:
        assert len(row.text) <= turn_rows.MAX_CHARS
        row.text.encode()
        assert "\0" not in row.text, "SQLite would cut this text"
        assert row.offset == 0 or text[row.offset - 1 : row.offset] == b"\n"
        assert row.key is None or -(1 << 63) <= row.key < 1 << 63
        turn_rows.extra_of(row.text, row.time, row.words())
    for _, _, entry in conversation.iter_lines(path):
        for part in transcript_items.parts_of(entry):
            part.text.encode()


def _check_pages(home: homes.FuzzHome) -> None:
    cursor: str | None = None
    for _ in range(20):
        page = transcript_page.read_page(home.folder, SESSION, cursor=cursor, max_tokens=_LEAST_PAGE)
        assert len(page.text.encode()) <= _LEAST_PAGE * transcript_page.BYTES_PER_TOKEN, "a page is too long"
        json.dumps(page.as_data())
        cursor = page.next_cursor
        if cursor is None:
            break
    found = archived_sessions.find(home.folder, SESSION)
    end = transcript_reading.end_of(found)
    transcript_reading.page_before(found, end)
    transcript_find.find(found, "deploy")
    transcript_find.find(found, "é")
    if not found.size:
        return
    place = transcript_reading.place_of(found, 1)
    transcript_reading.page_from(found, place)
    transcript_reading.page_around(found, place)


def _check_masks(text: bytes) -> None:
    from memories.core.masking import masked

    redactor = redact.Redactor([r"KEY-\w+"])
    for line in text.splitlines(keepends=True):
        hidden = masked(line, redactor)
        assert len(hidden) == len(line), "a mask changes the length"
        assert masked(hidden, redactor) == hidden, "masking again changes it"
        assert _is_json(hidden) or not _is_json(line), "a mask breaks the JSON"


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True

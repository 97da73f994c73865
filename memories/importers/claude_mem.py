"""claude-mem's SQLite database: observations and session summaries become notes. Its worker may run meanwhile.

Both tables are read as they are at one moment (snapshot.py). Columns that a version does not have are taken as empty.
"""

from __future__ import annotations

import json
import sqlite3

from memories.core import files
from memories.core.errors import ImportSourceError
from memories.importers import items, snapshot, source_files
from memories.importers.items import Item, NotOfFormatError, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Row = dict[str, Any]

SOURCE = "claude-mem"
OBSERVATIONS, SUMMARIES = "Observations", "Session summaries"
SUMMARY_TAG = "session-summary"

_OBSERVATION = (
    "id", "memory_session_id", "sdk_session_id", "project", "merged_into_project", "type", "title", "subtitle", "text",
    "narrative", "facts", "concepts", "files_read", "files_modified", "created_at", "created_at_epoch",
)  # fmt: skip
_SUMMARY = (
    "id", "memory_session_id", "sdk_session_id", "project", "merged_into_project", "request", "investigated", "learned",
    "completed", "next_steps", "notes", "files_read", "files_edited", "created_at", "created_at_epoch",
)  # fmt: skip
"""Columns that are read; sdk_session_id is what older versions called memory_session_id."""

_SUMMARY_PARTS = ("investigated", "learned", "completed", "next_steps", "notes")


def read(path: str, project: str | None = None) -> Reading:
    """The observations and summaries of a database as items. project: for those that name none.

    Raises ImportSourceError.
    """
    reading = Reading()
    try:
        with files.open_plain(path) as file:
            if file.read(len(snapshot.MAGIC)) != snapshot.MAGIC:
                raise NotOfFormatError(f"{path} is not claude-mem's database: it is no SQLite database.")
        with snapshot.opened(path) as connection:
            _read_all(connection, reading, project, path)
    except snapshot.BusyError as error:
        raise ImportSourceError(
            f"{path} is being written to ({error}). Stop claude-mem's worker, then try again."
        ) from error
    except sqlite3.Error as error:
        raise ImportSourceError(
            f"{path} cannot be read as claude-mem's database ({error}): it is damaged, or something else."
        ) from error
    except OSError as error:
        raise ImportSourceError(
            f"Cannot read {error.filename or path}: {error.strerror or error}. Check its permissions, and that the "
            "folder for temporary files has room for a copy."
        ) from error
    return reading


def _read_all(connection: sqlite3.Connection, reading: Reading, project: str | None, path: str) -> None:
    mtime = source_files.mtime_of(path)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    connection.execute("PRAGMA trusted_schema = OFF")
    tables = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"observations", "session_summaries"} & tables:
        raise NotOfFormatError(f"{path} is not claude-mem's database: no observations or session_summaries are in it.")
    sessions = _sessions(connection, tables)
    for table, kind, columns, content in (
        ("observations", OBSERVATIONS, _OBSERVATION, _observation),
        ("session_summaries", SUMMARIES, _SUMMARY, _summary),
    ):
        if table in tables:
            for row in _rows(connection, table, columns):
                item = _item(row, table, kind, content, sessions)
                if item is None:
                    reading.skip(kind, f"{table} {items.text_of(row['id']) or '?'}", "holds no text")
                    continue
                item.fields["project"] = item.fields["project"] or project
                item.fields["created_at"] = item.fields["created_at"] or mtime
                reading.add(item)
    if "user_prompts" in tables:
        count = connection.execute("SELECT count(*) FROM user_prompts").fetchone()[0]
        reading.notes.append(f"{count:,} prompts stay there: the transcripts have them")


def _rows(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """Each row, by id, its texts cut where they are longer than a memory can be."""
    there = {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}
    found = [name for name in columns if name in there]
    # substr() leaves numbers as they are only where they are asked for by themselves.
    asked = [
        name if name in {"id", "created_at_epoch"} else f"substr({name}, 1, {items.MAX_CONTENT_CHARS + 1})"
        for name in found
    ]
    order = " ORDER BY id" if "id" in there else ""
    for row in connection.execute(f"SELECT {', '.join(asked) or 'NULL'} FROM {table}{order}"):
        yield {**dict.fromkeys(columns), **dict(zip(found, row, strict=False))}


def _sessions(connection: sqlite3.Connection, tables: set[str]) -> dict[str, str]:
    """claude-mem's own session id -> Claude Code's."""
    if "sdk_sessions" not in tables:
        return {}
    names = ("memory_session_id", "sdk_session_id", "content_session_id", "claude_session_id")
    found = {}
    for row in _rows(connection, "sdk_sessions", names):
        own, clients = (items.text_of(row[names[at]] or row[names[at + 1]]) for at in (0, 2))
        found[own] = clients
    return found


def _item(
    row: Row, table: str, kind: str, content: Callable[[Row], tuple[str, list[str]]], sessions: dict[str, str]
) -> Item | None:
    text, tags = content(row)
    if not text:
        return None
    own_session = items.text_of(row["memory_session_id"] or row["sdk_session_id"])
    number, epoch = items.text_of(row["id"]), items.text_of(row["created_at_epoch"])
    fields = items.note(
        text,
        project=items.text_of(row["merged_into_project"]) or items.text_of(row["project"]),
        session_id=sessions.get(own_session) or own_session,
        tags=tags,
        created_at=items.time_of(row["created_at_epoch"]) or items.time_of(row["created_at"]),
    )
    # The number alone is not unique: every machine's database counts from 1.
    return Item(items.derived_uuid(SOURCE, f"{table}/{number}/{epoch}"), kind, f"{table} {number or '?'}", fields)


def _observation(row: Row) -> tuple[str, list[str]]:
    title, subtitle = items.text_of(row["title"]), items.text_of(row["subtitle"])
    said = [items.text_of(row["narrative"]) or items.text_of(row["text"])]
    facts = _listed(row["facts"])
    said += ["\n".join(f"- {fact}" for fact in facts)] if facts else []
    if not title and not any(said):
        return "", []
    parts = [f"# {title}" if title else "", subtitle, *said]
    parts += _files(row, (("Files read", "files_read"), ("Files changed", "files_modified")))
    return _joined(parts), [*items.texts_of(row["type"]), *_listed(row["concepts"])]


def _summary(row: Row) -> tuple[str, list[str]]:
    request = items.text_of(row["request"])
    named = [(name.replace("_", " ").capitalize(), items.text_of(row[name])) for name in _SUMMARY_PARTS]
    said = [f"## {name}\n\n{text}" for name, text in named if text]
    if not request and not said:
        return "", []
    parts = [f"# {request}" if request else "", *said]
    parts += _files(row, (("Files read", "files_read"), ("Files changed", "files_edited")))
    return _joined(parts), [SUMMARY_TAG]


def _files(row: Row, columns: tuple[tuple[str, str], ...]) -> list[str]:
    named = [(said, _listed(row[name])) for said, name in columns]
    return ["\n".join(f"{said}: {', '.join(paths)}" for said, paths in named if paths)]


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _listed(value: object) -> list[str]:
    """The texts of a column that holds a JSON array; of an older version's plain text, that."""
    text = items.text_of(value)
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return [text] if text else []
    return items.texts_of(decoded)

"""What the mirror says about one record: its row, its outgoing links, and the keys derived from its content."""

from __future__ import annotations

import json

from memories.core import clock, projects, records, session_log_parts, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

TITLE_CHARS = 200
ONE_SHOT = "sdk-cli"
"""The entrypoint that Claude Code notes in every line of a `claude -p` run (2.1.197 and 2.1.330, recorded); the
terminal's is `cli`."""

_MAX_TURNS = 1 << 31
"""More than any session has; a number that SQLite cannot hold would stop the whole sync."""

_COLUMNS = (
    "uuid, type, content, title, search_meta, search_extra, content_hash, project, project_key, project_id, "
    "session_id, importance, transcript_ref, tags, created_at, updated_at, origin, imported_from, status, archived_in, "
    "conflict_of, turns, one_shot"
)
_MARKS = ", ".join("?" * len(_COLUMNS.split(", ")))
_UPSERT = f"INSERT INTO memory ({_COLUMNS}) VALUES ({_MARKS}) ON CONFLICT (uuid) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:]
)


def clean(text: str) -> str:
    """A text that SQLite can hold: half surrogate pairs and NULs become the replacement character."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def normalised(content: str) -> str:
    """A content with case, width of white space and surrounding blanks folded: what an exact duplicate shares."""
    return " ".join(content.split()).casefold()


def content_hash(content: str) -> str:
    """The key under which exact duplicates are found: SHA-256 of the normalised content, 32 hex digits of it."""
    import hashlib  # whoever only reads the mirror does without

    return hashlib.sha256(normalised(clean(content)).encode()).hexdigest()[:32]


def title_of(content: str, type: str = "") -> str:  # noqa: A002 - the record's field
    """The first line that says something, without Markdown heading marks, at most TITLE_CHARS characters.

    Of a session log it is what the session was asked first: its own first line names the project alone.
    """
    asked = session_log_parts.opening_request(content) if type == "session_log" else ""
    if asked:
        return asked[:TITLE_CHARS]
    for line in content.splitlines():
        title = line.strip().lstrip("#").strip()
        if title:
            return title[:TITLE_CHARS]
    return ""


def write_row(connection: sqlite3.Connection, record: dict[str, Any], *, fresh: bool) -> bool:
    """Insert or replace a record's row and its outgoing links; True when it was not there before.

    The record's texts are redacted already. fresh: the tables were empty at the start, so there is nothing to replace.
    """
    content = clean(record["content"])
    tags = clean(record.get("tags") or "")
    created_at = clock.normalise_time(record["created_at"]) or ""
    project = record.get("project")
    names = ("project_id", "session_id", "origin", "archived_in")
    text = {name: clean(record[name]) if record.get(name) else None for name in names}
    row = (
        record["uuid"], record["type"], content, title_of(content, record["type"]),
        f"{tags} {words.date_words(created_at)}".strip(),
        words.extras(content), content_hash(content), clean(project) if project else None,
        projects.fold_name(clean(project)) if project else None, text["project_id"], text["session_id"],
        record.get("importance") or records.DEFAULT_IMPORTANCE, _ref_text(record.get("transcript_ref")), tags or None,
        created_at, clock.normalise_time(record.get("updated_at")), text["origin"], _imported_from(record),
        record.get("status") or "active", text["archived_in"], _conflict_of(record), _turns(record.get("turns")),
        int(record.get("entrypoint") == ONE_SHOT),
    )  # fmt: skip
    found = None if fresh else connection.execute("SELECT 1 FROM memory WHERE uuid = ?", (record["uuid"],)).fetchone()
    connection.execute(_UPSERT, row)
    if found is not None:
        connection.execute("DELETE FROM link WHERE from_uuid = ?", (record["uuid"],))
    connection.executemany(
        "INSERT INTO link (from_uuid, to_uuid, relationship) VALUES (?, ?, ?)",
        [(record["uuid"], to_uuid, relationship) for to_uuid, relationship in records.valid_connections(record)],
    )
    return found is None


def _imported_from(record: dict[str, Any]) -> str | None:
    """Who exported the record; None where it was not imported."""
    exporter = record.get("imported_from")
    return clean(exporter) or None if isinstance(exporter, str) else None


def _conflict_of(record: dict[str, Any]) -> str | None:
    """The record that a kept content lost to; None where this is none."""
    winner = record.get("conflict_of")
    return winner if records.is_uuid(winner) else None


def _turns(turns: object) -> int | None:
    """A log's number of turns; None where it does not say one."""
    if not isinstance(turns, int) or isinstance(turns, bool):
        return None
    return turns if 0 <= turns < _MAX_TURNS else None


def _ref_text(transcript_ref: object) -> str | None:
    refs = records.session_refs(transcript_ref)
    return json.dumps(refs) if refs else None


def forget(connection: sqlite3.Connection, uuid: str) -> int:
    """Take a record's row and its outgoing links out of the mirror; returns how many rows there were (0 or 1)."""
    connection.execute("DELETE FROM link WHERE from_uuid = ?", (uuid,))
    return connection.execute("DELETE FROM memory WHERE uuid = ?", (uuid,)).rowcount

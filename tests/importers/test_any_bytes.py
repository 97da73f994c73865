"""Whatever stands in a source's files: it is read, named or refused with a domain error, and what comes of it is a
record; nothing else is raised."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memories.core.errors import ImportSourceError, InvalidRecordError
from memories.core.paths import DataFolder
from memories.importers import basic_memory, claude_mem, first_memory, formats, front_matter, prepare, server_memory
from memories.importers.items import Reading

NAMES = (
    "type", "name", "from", "to", "entityType", "observations", "relationType", "text", "content", "id", "uuid",
    "project", "kind", "status", "tags", "created_at", "importance", "connections", "transcript_ref", "decisions",
    "sessions", "summary", "operations", "session_id", "journal", "ended", "supersedes", "schema_version",
)  # fmt: skip
TEXTS = st.one_of(st.sampled_from(["entity", "relation", "a", "a" * 32, "archived", "\0", "2026-03-14", ""]), st.text())
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES) | st.text(), inner)),
    max_leaves=20,
)
JSON = VALUES.map(lambda value: json.dumps(value).encode())
CHEAP = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(folder: DataFolder, read: Callable[[], Reading]) -> None:
    try:
        reading = read()
    except ImportSourceError:
        return
    preparer = prepare.Preparer(folder, "a source")
    for item in reading.items:
        try:
            preparer.prepare(item)
        except InvalidRecordError as error:
            assert str(error)


@CHEAP
@given(st.lists(JSON | st.binary(max_size=60), max_size=6))
@example([b'{"type":[]}'])
@example([b'{"type":"entity","name":"\\ud800","observations":["\\u0000"]}'])
def test_any_graph(folder: DataFolder, lines: list[bytes]) -> None:
    with tempfile.NamedTemporaryFile(dir=folder.state) as file:
        file.write(b"\n".join(lines))
        file.flush()
        check(folder, lambda: server_memory.read(file.name))


@CHEAP
@given(st.sampled_from(["records/a.json", "projects/a.json", "items/a/b/c.json", "items/a.jsonl"]), JSON | st.binary())
@example("records/a.json", b'{"content":"x","created_at":1e999,"importance":-1,"project":"\\ud800"}')
@example("projects/a.json", b'{"sessions":[{"journal":"x","session_id":[]}],"decisions":[{"text":"x","id":{}}]}')
def test_any_record_or_ledger(folder: DataFolder, name: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=folder.state) as place:
        path = Path(place, name)
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        check(folder, lambda: first_memory.read(place))


@CHEAP
@given(
    st.binary() | st.text("-: [],\"'#\nab|(){}!&*", max_size=80).map(lambda text: f"---\n{text}\n---\n{text}".encode())
)
def test_any_note(folder: DataFolder, data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=folder.state) as place:
        Path(place, "a.md").write_bytes(data)
        check(folder, lambda: basic_memory.read(place))


@CHEAP
@given(st.text())
def test_no_front_matter_loses_the_body(text: str) -> None:
    assert text.endswith(front_matter.split(text)[1])


@CHEAP
@given(
    st.lists(
        st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(), TEXTS), min_size=9, max_size=9
    )
)
def test_any_row(folder: DataFolder, row: list[Any]) -> None:
    storable = [value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for value in row]
    with tempfile.TemporaryDirectory(dir=folder.state) as place:
        path = os.path.join(place, "claude-mem.db")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(
                "CREATE TABLE observations (id, memory_session_id, project, type, title, narrative, facts, concepts, "
                "created_at_epoch)"
            )
            connection.execute(f"INSERT INTO observations VALUES ({', '.join('?' * 9)})", storable)
            connection.commit()
        check(folder, lambda: claude_mem.read(path))


@CHEAP
@given(st.binary(max_size=200))
def test_any_database(folder: DataFolder, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=folder.state) as file:
        file.write(b"SQLite format 3\0" + data)
        file.flush()
        check(folder, lambda: claude_mem.read(file.name))


@CHEAP
@given(st.binary(max_size=200))
def test_any_file_is_recognised_or_refused(folder: DataFolder, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=folder.state) as file:
        file.write(data)
        file.flush()
        try:
            assert formats.recognise(file.name) in formats.FORMATS
        except ImportSourceError as error:
            assert "--from" in str(error)


@pytest.mark.parametrize(
    "text", ["[[" * 50_000, "- [" * 50_000, "- [a] " + "#" * 100_000, "# " + " #" * 50_000, "---\n" + "a" * 100_000]
)
def test_no_note_takes_long(folder: DataFolder, text: str) -> None:
    Path(folder.state, "a.md").write_text(text, encoding="utf-8")
    assert len(basic_memory.read(folder.state).items) == 1

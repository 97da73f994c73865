"""Writes, without MCP: the file is the truth, the mirror may be missing, and a project is found by any of its names."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from memories import selectors, services
from memories.core import mirror, projects, record_merge, records
from memories.core.errors import (
    InvalidRecordError,
    ProjectError,
    StorageError,
)
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from memories.services import Session
from tests.conftest import MakeRecord
from tests.memories.stores import NOWHERE, in_mirror, remove_mirror, store


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session in the folder /.../projects/shop/orders_API, whose project has no id but its path."""
    folder = tmp_path / "projects" / "shop" / "orders_API"
    folder.mkdir(parents=True)
    return Session(projects.identify(str(folder), dict(DEFAULTS)), "this-session")


def _narrative(folder: DataFolder, session: Session, content: str, refs: list[str]) -> dict[str, Any]:
    for name in refs:
        Path(folder.transcripts, f"{name}.jsonl").touch()
    return store(folder, session, content, type="narrative", transcript_ref=refs)


# Storing


def test_a_store_carries_the_sessions_project_and_id(memory_home: DataFolder, session: Session) -> None:
    record = store(memory_home, session, "Kept.")
    assert session.project is not None
    assert (record["project"], record["project_id"]) == ("orders_API", session.project.id)
    assert (record["session_id"], record["status"], record["schema_version"]) == ("this-session", "active", 1)
    assert in_mirror(memory_home) == {record["uuid"]}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a, b,,a , c", "a, b, c"),
        (["a", " b ", "a,c"], "a, b, c"),
        ("", None),
        ([], None),
        (None, None),
        (" , ", None),
        ("größe", "größe"),
    ],
)
def test_tags_are_one_text_with_each_tag_once(
    memory_home: DataFolder, given: str | list[str] | None, kept: str | None
) -> None:
    assert store(memory_home, NOWHERE, "Tagged.", tags=given)["tags"] == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ("", None),
        ("s1", ["s1"]),
        ("s1, s2\ns1", ["s1", "s2"]),
        ('["s1", "s2"]', ["s1", "s2"]),
        (["s1", "s2"], ["s1", "s2"]),
        ("~/.claude/projects/p/s1.jsonl", ["s1"]),
        (["~/.claude/projects/p/s1.jsonl"], ["~/.claude/projects/p/s1.jsonl"]),
        (["/a/s1.jsonl", "s2"], ["s1", "s2"]),
    ],
)
def test_every_form_of_transcript_ref_is_written_as_one_json_array(
    memory_home: DataFolder, given: str | list[str] | None, kept: list[str] | None
) -> None:
    record = store(memory_home, NOWHERE, "Referring.", transcript_ref=given)
    assert (json.loads(record["transcript_ref"]) if record["transcript_ref"] else None) == kept
    assert records.session_refs(record["transcript_ref"]) == [name.split("/")[-1][:2] for name in kept or []]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"content": "x" * 1_000_001}, "in parts"),
        ({"content": " "}, "not empty"),
        ({"importance": 11}, "1 to 10"),
        ({"type": "idea"}, "type must be"),
        ({"connections": [{"to_uuid": "A" * 32, "relationship": "related_to"}]}, "to_uuid"),
        ({"connections": [{"to_uuid": "a" * 32, "relationship": "likes"}]}, "relationship"),
        ({"content": "half \ud800"}, "surrogate"),
        ({"project": "half \ud800"}, "surrogate"),
    ],
)
def test_what_breaks_the_format_is_refused_and_leaves_nothing(
    memory_home: DataFolder, bad: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidRecordError, match=says):
        services.memory_store(memory_home, NOWHERE, **{"content": "x", "type": "note", **bad})
    assert os.listdir(memory_home.records) == []


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text(), project=st.none() | st.text(), tags=st.none() | st.text() | st.lists(st.text()))
def test_any_text_is_stored_and_mirrored_or_refused_with_a_reason(
    memory_home: DataFolder, content: str, project: str | None, tags: str | list[str] | None
) -> None:
    try:
        answer = services.memory_store(memory_home, NOWHERE, content=content, type="note", project=project, tags=tags)
    except InvalidRecordError as error:
        assert str(error)
        return
    assert "warnings" not in answer or not [text for text in answer["warnings"] if "searchable" in text]
    assert records.load(memory_home, answer["uuid"])
    assert answer["uuid"] in in_mirror(memory_home)


# Which project


def test_any_name_of_the_sessions_project_means_it(memory_home: DataFolder, session: Session) -> None:
    own = session.project
    assert own is not None
    for number, name in enumerate(["orders_API", "Orders-api", own.id, "shop/orders_API", "shop", " ", ""]):
        record = store(memory_home, session, f"Note {number}.", project=name)
        assert (record["project"], record["project_id"]) == (own.name, own.id)


def test_a_name_or_id_known_from_other_records_takes_their_id_and_name(
    memory_home: DataFolder, session: Session, make_record: MakeRecord
) -> None:
    make_record("known", project="Billing", project_id="git:h/o/billing")
    mirror.update(memory_home)
    by_id = store(memory_home, session, "By id.", project="git:h/o/billing")
    by_name = store(memory_home, session, "By name.", project="billing")
    assert {record["project_id"] for record in (by_name, by_id)} == {"git:h/o/billing"}
    assert by_id["project"] == "Billing"


def test_an_alias_stands_for_the_project_it_is_set_to(
    memory_home: DataFolder, session: Session, make_record: MakeRecord
) -> None:
    make_record("known", project="billing", project_id="git:h/o/billing")
    mirror.update(memory_home)
    Path(memory_home.settings).write_text('{"project_aliases": {"bills": "billing"}}', encoding="utf-8")
    record = store(memory_home, session, "By alias.", project="bills")
    assert (record["project"], record["project_id"]) == ("billing", "git:h/o/billing")


def test_an_unknown_name_is_kept_without_an_id(memory_home: DataFolder, session: Session) -> None:
    record = store(memory_home, session, "Elsewhere.", project="brand new")
    assert (record["project"], record["project_id"]) == ("brand new", None)


def test_a_name_that_fits_several_projects_is_kept_by_name_and_said(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    for owner in ("a", "b"):
        make_record(f"of {owner}", project="api", project_id=f"git:h/{owner}/api")
    mirror.update(memory_home)
    answer = services.memory_store(memory_home, NOWHERE, content="Which?", type="note", project="api")
    assert "2 projects" in answer["warnings"][0]
    assert records.load(memory_home, answer["uuid"])["project_id"] is None


def test_a_narrative_without_a_project_and_a_disabled_project_are_refused(
    memory_home: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProjectError, match="pass project"):
        services.memory_store(memory_home, NOWHERE, content="# Of what?", type="narrative")
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / ".llm-memory.json").write_text('{"enabled": false}', encoding="utf-8")
    with pytest.raises(ProjectError, match="switched off"):
        store(memory_home, Session(projects.identify(str(closed), dict(DEFAULTS))), "Secret.")
    monkeypatch.setenv("LLM_MEMORY_DISABLE", "1")
    with pytest.raises(ProjectError, match="LLM_MEMORY_DISABLE"):
        store(memory_home, NOWHERE, "Secret.")
    assert os.listdir(memory_home.records) == []


# Duplicates


def test_a_duplicate_is_found_among_the_sessions_records_under_any_of_its_names(
    memory_home: DataFolder, session: Session, make_record: MakeRecord
) -> None:
    old = make_record("Known by an old name.", project="shop/orders-api")
    mirror.update(memory_home)
    answer = services.memory_store(memory_home, session, content="known by an OLD name.", type="note")
    assert (answer["uuid"], answer["status"]) == (old["uuid"], "duplicate_skipped")


def test_a_record_whose_file_is_gone_is_no_duplicate(memory_home: DataFolder) -> None:
    first = store(memory_home, NOWHERE, "Removed behind our back.")
    os.unlink(records.record_path(memory_home, first["uuid"]))
    again = store(memory_home, NOWHERE, "Removed behind our back.")
    assert os.path.exists(records.record_path(memory_home, again["uuid"]))


# The mirror is missing, locked or damaged


def test_without_a_mirror_a_store_succeeds_with_warnings_and_the_next_sync_finds_it(
    memory_home: DataFolder, session: Session
) -> None:
    remove_mirror(memory_home)
    link = [{"to_uuid": "f" * 32, "relationship": "related_to"}]
    answer = services.memory_store(memory_home, session, content="Kept.", type="note", connections=link, project="x")
    said = " ".join(answer["warnings"])
    assert answer["status"] == "stored"
    assert "Not checked for duplicates" in said
    assert "not searchable yet" in said
    assert "f" * 32 in said
    assert not os.path.exists(memory_home.mirror)
    mirror.update(memory_home)
    assert in_mirror(memory_home) == {answer["uuid"]}


def test_with_a_locked_mirror_a_store_succeeds_with_a_warning(
    memory_home: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(memory_home.mirror, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(mirror.apply_records, "__kwdefaults__", {"busy_seconds": 0.01})
    answer = services.memory_store(memory_home, NOWHERE, content="Kept.", type="note")
    other.close()
    assert records.load(memory_home, answer["uuid"])
    assert "not searchable yet" in answer["warnings"][0]
    mirror.update(memory_home)
    assert in_mirror(memory_home) == {answer["uuid"]}


def test_with_a_damaged_mirror_a_store_succeeds_with_a_warning(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("one two three")
    mirror.update(memory_home)
    other = sqlite3.connect(memory_home.mirror)
    with other:
        other.execute("UPDATE memory_fts_data SET block = randomblob(64) WHERE id > 10")
    other.close()
    answer = services.memory_store(memory_home, NOWHERE, content="one two four", type="note")
    assert records.load(memory_home, answer["uuid"])
    assert "Not checked for duplicates" in answer["warnings"][0]


def test_a_disk_that_refuses_is_an_error_and_nothing_is_half_stored(memory_home: DataFolder) -> None:
    os.rmdir(memory_home.records)
    Path(memory_home.records).write_text("in the way", encoding="utf-8")
    with pytest.raises(StorageError, match="Check"):
        store(memory_home, NOWHERE, "Never kept.")
    assert in_mirror(memory_home) == set()


# Narratives


def test_a_narrative_keeps_the_sizes_its_sessions_were_read_at(memory_home: DataFolder, session: Session) -> None:
    for name, size in (("s1", 10), ("s2", 20)):
        Path(memory_home.transcripts, f"{name}.jsonl").write_bytes(b"x" * size)
    first = _narrative(memory_home, session, "# One", ["s1", "gone"])
    assert first["processed_bytes"] == {"s1": 10, "gone": 0}
    Path(memory_home.transcripts, "gone.jsonl").unlink()
    Path(memory_home.transcripts, "s1.jsonl").write_bytes(b"x" * 15)
    second = _narrative(memory_home, session, "# Two", ["s2"])
    assert second["processed_bytes"] == {"s1": 10, "gone": 0, "s2": 20}
    assert records.session_refs(second["transcript_ref"]) == ["s1", "gone", "s2"]


def test_a_crash_after_the_new_narrative_was_written_shows_the_new_one_only(
    memory_home: DataFolder, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _narrative(memory_home, session, "# One", ["s1"])

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(records, "update", crash)
        with pytest.raises(KeyboardInterrupt):
            _narrative(memory_home, session, "# Two", ["s2"])
    mirror.update(memory_home)
    assert records.load(memory_home, first["uuid"])["status"] == "active"
    assert [hit["content"] for hit in selectors.memory_recent(memory_home)["results"]] == ["# Two"]
    third = _narrative(memory_home, session, "# Three", [])
    assert records.session_refs(third["transcript_ref"]) == ["s1", "s2"]
    assert records.load(memory_home, first["uuid"])["archived_in"] == third["uuid"]
    assert [hit["content"] for hit in selectors.memory_recent(memory_home)["results"]] == ["# Three"]


def test_a_predecessor_that_cannot_be_archived_is_a_warning_for_the_new_one_is_stored(
    memory_home: DataFolder, session: Session
) -> None:
    first = _narrative(memory_home, session, "# One", ["s1"])
    os.unlink(records.record_path(memory_home, first["uuid"]))
    answer = services.memory_store(memory_home, session, content="# Two", type="narrative")
    assert answer["status"] == "stored"
    assert any(first["uuid"] in warning for warning in answer["warnings"])
    assert in_mirror(memory_home) == {answer["uuid"]}


def test_a_narrative_stored_without_a_mirror_is_kept_and_says_that_the_old_one_stands(
    memory_home: DataFolder, session: Session
) -> None:
    _narrative(memory_home, session, "# One", ["s1"])
    remove_mirror(memory_home)
    answer = services.memory_store(memory_home, session, content="# Two", type="narrative")
    assert any("could not be archived" in warning for warning in answer["warnings"])
    assert records.load(memory_home, answer["uuid"])["content"] == "# Two"


def test_deleting_a_narrative_that_won_a_conflict_does_not_show_the_text_that_lost(
    memory_home: DataFolder, session: Session
) -> None:
    stored = _narrative(memory_home, session, "What A wrote.", [])
    lost = record_merge.kept_content(stored | {"content": "What B wrote."}, stored["uuid"])
    records.save(memory_home, lost)
    mirror.update(memory_home)
    assert services.memory_delete(memory_home, stored["uuid"])["warnings"] == []
    assert records.load(memory_home, lost["uuid"]) == lost

"""What an import makes of the records that come: where they are from, without secrets, nothing that was forgotten."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import forgotten, record_merge, records, session_logs
from memories.core.paths import DataFolder
from tests.core.bundles import (
    MTIME_NS,
    bundle_of,
    contents,
    counts,
    data_folder,
    everything,
    export,
    fill,
    import_,
    manifest_of,
    members_of,
    store,
    write_transcript,
)
from tests.core.transcript_lines import OTHER_SESSION, SESSION

UUID = "0f3c9a7d21b84e55a6c07e19d2f4b888"
SECRET = "ghp_" + "a1B2" * 9


@pytest.fixture
def other(tmp_path: Path) -> DataFolder:
    """A second machine's data folder."""
    return data_folder(tmp_path / "other")


@pytest.fixture
def bundle_path(tmp_path: Path) -> Path:
    return tmp_path / "all.tar"


def exported_by(folder: DataFolder, path: Path, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Export as the machine of that name does."""
    with monkeypatch.context() as patched:
        patched.setattr(records, "machine_name", lambda: machine)
        export(folder, path)


def test_a_memory_that_an_import_brings_says_who_exported_it_whatever_its_origin_says(
    folder: DataFolder, other: DataFolder, bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(folder, "a note", uuid=UUID, origin=records.machine_name())
    store(folder, "gone", uuid="d" * 32)
    records.delete(folder, "d" * 32)
    exported_by(folder, bundle_path, "laptop", monkeypatch)
    assert import_(other, bundle_path).machine == "laptop"
    found = records.load(other, UUID)
    assert (found["imported_from"], found["origin"]) == ("laptop", records.machine_name())
    grave = records.tombstone(other, "d" * 32)
    assert grave is not None
    assert grave["imported_from"] == "laptop"
    assert records.restore(other, "d" * 32)["imported_from"] == "laptop"


def test_a_bundle_that_does_not_name_its_machine_is_called_a_bundle(other: DataFolder, bundle_path: Path) -> None:
    files = {f"records/{UUID}.json": records.dump({**records.new_record(type="note", content="x"), "uuid": UUID})}
    manifest = manifest_of(files)
    del manifest["machine"], manifest["machine_sha256"]
    bundle_path.write_bytes(bundle_of(files, manifest))
    import_(other, bundle_path)
    assert records.load(other, UUID)["imported_from"] == "a bundle"


@pytest.mark.parametrize(
    ("said", "kept"), [("desk", "desk"), ("", "laptop"), (7, "a bundle"), ("a\nb\x1b[2J", "a b [2J")]
)
def test_a_memory_imported_before_keeps_its_first_name_as_a_short_line(
    folder: DataFolder, other: DataFolder, bundle_path: Path, monkeypatch: pytest.MonkeyPatch, said: object, kept: str
) -> None:
    store(folder, "a note", uuid=UUID, imported_from=said)
    exported_by(folder, bundle_path, "laptop", monkeypatch)
    import_(other, bundle_path)
    assert records.load(other, UUID)["imported_from"] == kept


def test_equal_bundles_give_equal_bytes_everywhere_and_once(
    folder: DataFolder, other: DataFolder, tmp_path: Path, bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder)
    store(folder, f"the token is {SECRET}", uuid=UUID)
    exported_by(folder, bundle_path, "laptop", monkeypatch)
    third = data_folder(tmp_path / "third")
    import_(other, bundle_path)
    with monkeypatch.context() as patched:
        patched.setattr(records, "machine_name", lambda: "elsewhere")
        import_(third, bundle_path)
    assert contents(other) == contents(third)
    inodes = {path: path.stat().st_ino for path in Path(other.records).iterdir()}
    assert counts(import_(other, bundle_path))["record"] == {"same": 4}
    assert {path: path.stat().st_ino for path in Path(other.records).iterdir()} == inodes


def test_ones_own_export_changes_nothing(folder: DataFolder, bundle_path: Path) -> None:
    fill(folder)
    store(folder, f"written by hand: {SECRET}", uuid=UUID)
    store(folder, "came before", uuid="a" * 32, imported_from="laptop")
    export(folder, bundle_path)
    before = contents(folder)
    assert {what for kinds in counts(import_(folder, bundle_path)).values() for what in kinds} == {"same"}
    assert contents(folder) == before


def test_a_later_version_from_a_bundle_is_marked_and_one_that_loses_marks_nothing(
    folder: DataFolder, other: DataFolder, bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, (theirs, ours) in enumerate((("2026-05-02", "2026-05-01"), ("2026-05-01", "2026-05-02"))):
        store(folder, "theirs", uuid=f"{number:032x}", updated_at=f"{theirs}T00:00:00")
        store(other, "ours", uuid=f"{number:032x}", updated_at=f"{ours}T00:00:00")
    exported_by(folder, bundle_path, "laptop", monkeypatch)
    kept = [records.load(other, uuid) for uuid in import_(other, bundle_path).kept]
    assert [records.load(other, f"{number:032x}").get("imported_from") for number in (0, 1)] == ["laptop", None]
    assert {one["content"]: one.get("imported_from") for one in kept} == {"ours": None, "theirs": "laptop"}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_merge_of_imported_versions_is_a_join(data: st.DataObject) -> None:
    base = {"schema_version": 1, "uuid": UUID, "type": "note", "created_at": "2026-03-14T09:12:44", "connections": []}
    version = st.fixed_dictionaries(
        {
            "content": st.sampled_from("ab"),
            "updated_at": st.sampled_from(["2026-05-01T00:00:00", "2026-05-02T00:00:00"]),
        },
        optional={"imported_from": st.sampled_from(["desk", "laptop"]), "origin": st.just("desk")},
    )
    versions: list[dict[str, Any]] = [{**base, **one} for one in data.draw(st.lists(version, min_size=2, max_size=4))]
    whole = record_merge.merge(versions).record
    turned = record_merge.merge(data.draw(st.permutations(versions))).record
    stepwise = versions[0]
    for one in versions[1:]:
        stepwise = record_merge.merge([stepwise, one]).record
    assert _without_links(stepwise) == _without_links(whole)
    assert turned == whole
    assert record_merge.merge([whole, whole]).record == whole


def _without_links(record: dict[str, Any]) -> dict[str, Any]:
    """A content that lost at one step and won at a later one leaves a link to its kept record behind."""
    return {name: value for name, value in record.items() if name != "connections"}


def test_a_kept_content_says_who_exported_it(folder: DataFolder) -> None:
    base = {"uuid": UUID, "type": "note", "created_at": "2026-03-14T09:12:44"}
    older = {**base, "content": "older", "imported_from": "laptop"}
    newer = {**base, "content": "newer", "updated_at": "2026-05-01T00:00:00"}
    merged = record_merge.merge([older, newer])
    assert "imported_from" not in merged.record
    assert [one["imported_from"] for one in merged.kept] == ["laptop"]


def test_an_export_replaces_secrets_in_memories_and_says_how_many(folder: DataFolder, bundle_path: Path) -> None:
    store(folder, f"two: {SECRET} and {SECRET[::-1][:0]}{SECRET}", uuid=UUID, tags=f"x, {SECRET}")
    store(folder, "none", uuid="a" * 32)
    before = contents(folder)
    found = export(folder, bundle_path)
    assert found.secrets == 3
    assert contents(folder) == before
    members = members_of(bundle_path)
    assert SECRET.encode() not in b"".join(members.values())
    assert json.loads(members[f"records/{UUID}.json"])["content"].count("[redacted: github-token]") == 2
    assert members[f"records/{'a' * 32}.json"] == before[f"records/{'a' * 32}.json"][0]


def test_an_import_replaces_secrets_and_says_how_many(other: DataFolder, bundle_path: Path) -> None:
    record = {**records.new_record(type="note", content=f"key {SECRET} <private>mine</private>"), "uuid": UUID}
    bundle_path.write_bytes(bundle_of({f"records/{UUID}.json": records.dump(record)}))
    said = import_(other, bundle_path, dry_run=True)
    done = import_(other, bundle_path)
    assert said.secrets == done.secrets == 2
    assert records.load(other, UUID)["content"] == "key [redacted: github-token] [private]"
    assert import_(other, bundle_path).secrets == 2
    assert counts(import_(other, bundle_path)) == {"record": {"same": 1}}


def test_the_users_patterns_count_for_both(folder: DataFolder, other: DataFolder, bundle_path: Path) -> None:
    store(folder, "project zebra-17", uuid=UUID)
    Path(folder.settings).write_text(json.dumps({"redact_patterns": ["zebra-[0-9]+"]}), encoding="utf-8")
    assert export(folder, bundle_path).secrets == 1
    import_(other, bundle_path)
    assert records.load(other, UUID)["content"] == "project [redacted: own-pattern]"


def test_transcripts_go_as_the_archive_has_them_unless_masks_are_asked_for(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    from memories.core.bundle_export import Chosen

    line = json.dumps({"type": "user", "message": {"role": "user", "content": f"my token: {SECRET}"}}).encode() + b"\n"
    lines = line * 2 + b'{"type": "user", "cut'
    write_transcript(folder, f"{SESSION}.jsonl", lines)
    write_transcript(folder, f"{SESSION}/tool-results/a.txt", f"token {SECRET}".encode())
    write_transcript(folder, f"{OTHER_SESSION}.jsonl", b"{}\n")
    assert export(folder, bundle_path).masked == 0
    assert members_of(bundle_path)[f"transcripts/{SESSION}.jsonl"] == lines
    assert export(folder, bundle_path, Chosen(masked=True)).masked == 2
    members = members_of(bundle_path)
    stars = SECRET.encode(), b"*" * len(SECRET)
    assert members[f"transcripts/{SESSION}.jsonl"] == lines.replace(*stars)
    assert members[f"transcripts/{SESSION}/tool-results/a.txt"] == b"token " + stars[1]
    assert counts(import_(other, bundle_path))["transcript"] == {"new": 3}


def _log_of(folder: DataFolder, session_id: str) -> str:
    uuid = session_logs.log_uuid(session_id)
    record = records.new_record(type="session_log", content="a log", session_id=session_id)
    records.save(folder, {**record, "uuid": uuid})
    return uuid


def test_a_session_that_was_forgotten_here_does_not_come_back(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    fill(folder)
    log = _log_of(folder, SESSION)
    note = store(folder, "a note of that session", session_id=SESSION)
    export(folder, bundle_path)
    forgotten.mark(other, SESSION, forgotten.FORGOTTEN)
    for dry_run in (True, False):
        result = import_(other, bundle_path, dry_run=dry_run)
        assert result.forgotten == {SESSION}
        assert counts(result)["transcript"] == {"new": 1, "forgotten": 4}
        assert counts(result)["record"] == {"new": 4, "forgotten": 1}
    assert not [name for name in contents(other) if SESSION in name and "trash" not in name]
    assert not os.path.exists(records.record_path(other, log))
    assert records.load(other, note)["session_id"] == SESSION


def test_a_session_whose_transcript_was_let_go_here_comes_without_it(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    write_transcript(folder, f"{SESSION}.jsonl", b"{}\n", MTIME_NS)
    log = _log_of(folder, SESSION)
    export(folder, bundle_path)
    forgotten.mark(other, SESSION, forgotten.EXPIRED)
    assert import_(other, bundle_path).forgotten == {SESSION}
    assert os.listdir(other.transcripts) == []
    assert records.load(other, log)["content"] == "a log"


def test_a_session_that_went_on_after_its_transcript_was_let_go_comes_whole(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    write_transcript(folder, f"{SESSION}.jsonl", b"{}\n", MTIME_NS)
    write_transcript(folder, f"{SESSION}/subagents/agent-a.jsonl", b"{}\n", MTIME_NS - 10**9)
    export(folder, bundle_path)
    forgotten.mark(other, SESSION, forgotten.EXPIRED, MTIME_NS - 10**6)
    assert counts(import_(other, bundle_path)) == {"transcript": {"new": 2}}


def test_marks_travel_and_count_where_they_arrive(folder: DataFolder, other: DataFolder, bundle_path: Path) -> None:
    forgotten.mark(folder, SESSION, forgotten.FORGOTTEN)
    forgotten.mark(folder, OTHER_SESSION, forgotten.EXPIRED)
    write_transcript(folder, f"{SESSION}.jsonl", b"came back\n")
    assert export(folder, bundle_path).counts["mark"] == 2
    said = import_(other, bundle_path, dry_run=True)
    assert forgotten.marked(other) == {}
    until = os.stat(Path(folder.trash, "expired", OTHER_SESSION)).st_mtime_ns
    result = import_(other, bundle_path)
    assert counts(said) == counts(result) == {"mark": {"new": 2}, "transcript": {"forgotten": 1}}
    assert forgotten.marked(other) == forgotten.marked(folder)
    assert os.stat(Path(other.trash, "expired", OTHER_SESSION)).st_mtime_ns == until
    assert os.listdir(other.transcripts) == []
    assert counts(import_(other, bundle_path))["mark"] == {"same": 2}


def test_what_is_here_of_a_session_that_a_bundle_marks_goes_after_a_yes_and_is_named_before(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    fill(other)
    log = _log_of(other, SESSION)
    forgotten.mark(folder, SESSION, forgotten.FORGOTTEN)
    export(folder, bundle_path)
    before = everything(other)
    assert import_(other, bundle_path, dry_run=True, agreed=True).removed == [SESSION]
    assert everything(other) == before
    assert import_(other, bundle_path, agreed=True).removed == [SESSION]
    assert not [name for name in contents(other) if SESSION in name and "trash" not in name]
    assert not os.path.exists(records.record_path(other, log))
    assert import_(other, bundle_path).removed == []


def test_a_bundle_of_one_project_holds_no_marks(folder: DataFolder, bundle_path: Path) -> None:
    from memories.core.bundle_export import Chosen

    forgotten.mark(folder, SESSION, forgotten.FORGOTTEN)
    export(folder, bundle_path, Chosen(config=False))
    assert list(members_of(bundle_path)) == ["manifest.json"]

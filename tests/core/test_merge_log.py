"""The log of merges: bounded, newest first, and not stopped by a broken line."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories.core import clock, merge_copies, merge_log
from memories.core.errors import StorageError
from memories.core.paths import DataFolder

UUID = "0f3c9a7d21b84e55a6c07e19d2f4b888"


def _log(folder: DataFolder) -> Path:
    return Path(folder.state, "merges.jsonl")


def test_merges_are_read_newest_first(folder: DataFolder) -> None:
    assert merge_log.read(folder) == []
    merge_log.note(folder, "record", UUID, ["ab" * 16])
    merge_log.note(folder, "transcript", "é\ud800/x.jsonl", [])
    newest, oldest = merge_log.read(folder)
    assert (newest["kind"], newest["name"], newest["kept"]) == ("transcript", "é\ud800/x.jsonl", [])
    assert (oldest["kind"], oldest["name"], oldest["kept"]) == ("record", UUID, ["ab" * 16])
    assert clock.parse_time(newest["at"])
    assert merge_log.read(folder, 1) == [newest]
    assert stat.S_IMODE(_log(folder).stat().st_mode) == 0o600


def test_a_state_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    folder = DataFolder(str(tmp_path / "new"))
    merge_log.note(folder, "rules", "CLAUDE.md", [])
    assert len(merge_log.read(folder)) == 1


def test_what_lines_that_go_name_goes_unless_a_line_that_stays_names_it_too(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (merge_log.LIMIT, merge_log.CONFIG_LIMIT) == (500, 100)
    monkeypatch.setattr(merge_log, "LIMIT", 3)
    monkeypatch.setattr(merge_log, "CONFIG_LIMIT", 1)
    place = Path(folder.state, "merged")
    place.mkdir()
    outside = Path(folder.state, "hooks.log")
    outside.touch()
    for name in ("a-CLAUDE.md", "b-CLAUDE.md", "nobodys"):
        (place / name).touch()
    merge_log.note(folder, "rules", "1", ["state/merged/a-CLAUDE.md", "state/merged/b-CLAUDE.md", "state/hooks.log"])
    merge_log.note(folder, "rules", "2", ["state/merged/b-CLAUDE.md", "state/merged/../hooks.log", "state/merged/.."])
    for number in range(3, 7):
        merge_log.note(folder, "record", str(number), ["state/merged/b-CLAUDE.md"] if number in {3, 6} else [])
    merge_log.note(folder, "settings", "7", [])
    assert [entry["name"] for entry in merge_log.read(folder)] == ["7", "6", "5", "4"]
    assert sorted(os.listdir(place)) == ["b-CLAUDE.md", "nobodys"]
    assert outside.exists()


@pytest.mark.parametrize("at_once", [True, False])
def test_however_many_records_are_merged_the_versions_of_rules_and_settings_are_kept(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.setattr(merge_log, "LIMIT", 20)
    kept = Path(folder.state, "merged", "abc-CLAUDE.md")
    kept.parent.mkdir()
    kept.touch()
    merge_log.note(folder, "rules", "CLAUDE.md", ["state/merged/abc-CLAUDE.md"])
    merges: list[tuple[str, str, list[str]]] = [("record", str(number), []) for number in range(50)]
    for some in [merges] if at_once else [[one] for one in merges]:
        merge_log.note_all(folder, some)
    assert [entry["name"] for entry in merge_log.read(folder)] == [*map(str, range(49, 29, -1)), "CLAUDE.md"]
    assert kept.exists()


def test_a_merge_of_any_kind_of_file_can_be_noted(folder: DataFolder) -> None:
    kinds = {merge_copies.RECORD, merge_copies.TRANSCRIPT, *merge_copies.CONFIG_KINDS.values(), "config"}
    assert kinds == set(merge_log.KINDS)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=30) | st.sampled_from((b"{", b"[]", b'{"kept": 1}', b'{"kept": [1]}', b'{"at": 1}')),
                max_size=4))  # fmt: skip
def test_lines_that_nobody_can_read_are_skipped(folder: DataFolder, lines: list[bytes]) -> None:
    _log(folder).write_bytes(b"\n".join(lines) + b"\n")
    merge_log.note(folder, "record", UUID, [])
    assert merge_log.read(folder)[0]["name"] == UUID
    assert len(merge_log.read(folder)) == 1


def test_a_line_that_a_newer_version_wrote_is_read_with_what_it_adds(folder: DataFolder) -> None:
    entry = {"at": "2026-03-14T09:12:44", "kind": "record", "name": UUID, "kept": [], "more": 1}
    _log(folder).write_text(json.dumps(entry), encoding="utf-8")
    assert merge_log.read(folder) == [entry]


def test_a_log_that_cannot_be_written_is_an_error_with_a_next_step(folder: DataFolder) -> None:
    _log(folder).mkdir()
    with pytest.raises(StorageError, match="try again"):
        merge_log.note(folder, "record", UUID, [])
    assert merge_log.read(folder) == []

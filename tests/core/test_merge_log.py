"""The log of merges: bounded, newest first, and not stopped by a broken line."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories.core import clock, merge_log
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


def test_the_log_keeps_the_last_500_and_what_they_name(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert merge_log.LIMIT == 500
    monkeypatch.setattr(merge_log, "LIMIT", 3)
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
    assert [entry["name"] for entry in merge_log.read(folder)] == ["6", "5", "4"]
    assert sorted(os.listdir(place)) == ["b-CLAUDE.md", "nobodys"]
    assert outside.exists()


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

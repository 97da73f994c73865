"""Doctor's check for secrets: what it counts, and what it says to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memories import doctor_secrets
from memories.core import mirror, redact_existing, transcripts
from memories.core.paths import DataFolder
from memories.core.settings import read_settings
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"


def _said(folder: DataFolder, *, read_only: bool = False) -> list[tuple[str, str]]:
    return [(check.status, check.text) for check in doctor_secrets.secrets(folder, read_only=read_only)]


@pytest.mark.parametrize("read_only", [False, True])
def test_memories_that_hold_a_secret_are_counted_with_the_rules(
    folder: DataFolder, make_record: MakeRecord, read_only: bool
) -> None:
    make_record("Nothing of note, but [redacted: github-token] and [private]")
    mirror.update(folder)
    assert _said(folder, read_only=read_only) == [("ok", "no memory holds what looks like one")]
    make_record(f"Use {TOKEN}")
    mirror.update(folder)
    expected = "1 memory holds what looks like a secret (github-token)"
    assert _said(folder, read_only=read_only) == [("warn", expected)]
    make_record("<private>mine</private>")
    mirror.update(folder)
    found = next(doctor_secrets.secrets(folder, read_only=read_only))
    assert (found.name, found.text) == ("secrets", "2 memories hold what looks like a secret (github-token, private)")
    assert "`llm-memory redact`" in found.todo


def test_broken_files_and_a_missing_index_are_said_elsewhere(folder: DataFolder) -> None:
    Path(folder.records, "0" * 32 + ".json").write_text("{")
    Path(folder.records, "notes.txt").write_text(TOKEN)
    for read_only in (False, True):
        assert [status for status, _ in _said(folder, read_only=read_only)] == ["ok"]


def test_an_archive_from_before_the_setting_is_named_until_it_was_looked_at(folder: DataFolder) -> None:
    Path(folder.settings).write_text(json.dumps({"redact_transcripts": True}))
    assert [status for status, _ in _said(folder)] == ["ok"]
    Path(transcripts.archive_path(folder, SESSION)).write_text(TOKEN)
    assert [status for status, _ in _said(folder)] == ["ok", "warn"]
    redact_existing.run(folder, read_settings(folder)[0], apply=True)
    assert [status for status, _ in _said(folder)] == ["ok"]
    Path(folder.settings).write_text(json.dumps({"redact_transcripts": True, "redact_patterns": ["own[0-9]"]}))
    assert [status for status, _ in _said(folder)] == ["ok", "warn"]

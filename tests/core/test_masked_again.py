"""Each sync masks what came raw into an archive that is to be masked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from memories.core import masked_again, masked_archive, redact_existing, sync, transcripts
from memories.core.masking import Masker
from memories.core.paths import DataFolder
from memories.core.redact import Redactor
from memories.core.settings import read_settings
from tests.core.transcript_lines import SESSION, Script

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"
ON = {"redact_transcripts": True, "redact_patterns": []}


def _raw(*texts: str) -> bytes:
    script = Script("/p")
    for text in texts:
        script.user(text)
    return script.dump()


def _masked(data: bytes) -> bytes:
    return data.replace(TOKEN.encode(), b"*" * len(TOKEN))


def test_an_archive_that_came_raw_is_masked_by_the_next_sync(folder: DataFolder, tmp_path: Path) -> None:
    Path(folder.settings).write_text(json.dumps({"redact_transcripts": True}))
    projects = tmp_path / "projects"
    projects.mkdir()
    archived = Path(transcripts.archive_path(folder, SESSION))
    archived.write_bytes(_raw(TOKEN))
    for texts in ((TOKEN,), (TOKEN, f"and {TOKEN}")):  # the second as an older version of the program goes on
        archived.write_bytes(_raw(*texts))
        result = sync.run(folder, str(projects), read_settings(folder)[0], wait_seconds=0)
        assert result.problems == []
        assert archived.read_bytes() == _masked(_raw(*texts))
    assert redact_existing.is_archive_redacted(folder, Redactor())


def test_nothing_is_masked_while_the_setting_is_off(folder: DataFolder) -> None:
    archived = Path(transcripts.archive_path(folder, SESSION))
    archived.write_bytes(_raw(TOKEN))
    assert masked_again.run(folder, {**ON, "redact_transcripts": False}) == []
    assert archived.read_bytes() == _raw(TOKEN)


def test_only_what_changed_since_is_read_and_all_of_it_by_other_rules(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    archived = Path(transcripts.archive_path(folder, SESSION))
    archived.write_bytes(_raw(f"heron5 {TOKEN}"))
    read: list[str] = []
    secrets_in = masked_archive.secrets_in

    def counted(path: str, masker: Masker) -> Iterator[tuple[int, str]]:
        read.append(path)
        return secrets_in(path, masker)

    monkeypatch.setattr(masked_archive, "secrets_in", counted)
    for _ in range(3):
        assert masked_again.run(folder, ON) == []
    assert len(read) == 1
    assert masked_again.run(folder, {**ON, "redact_patterns": ["heron[0-9]"]}) == []
    assert len(read) == 2
    assert archived.read_bytes() == _masked(_raw(f"heron5 {TOKEN}")).replace(b"heron5", b"******")
    Path(folder.state, masked_again.NOTES).write_text("[")
    masked_again.run(folder, ON)
    assert len(read) == 3


def test_a_raw_version_beside_becomes_one_with_the_archive_and_leaves_no_folder(folder: DataFolder) -> None:
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(_masked(_raw(TOKEN)))
    beside = Path(folder.transcripts, SESSION, "diverged-0123456789ab.jsonl")
    beside.parent.mkdir()
    beside.write_bytes(_raw(TOKEN))
    assert masked_again.run(folder, ON) == []
    assert os.listdir(folder.transcripts) == [f"{SESSION}.jsonl"]


def test_what_cannot_be_masked_is_named_and_looked_at_again(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    archived = Path(transcripts.archive_path(folder, SESSION))
    archived.write_bytes(_raw(TOKEN))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(masked_archive, "mask_archived", refuse)
        assert [path for path, _ in masked_again.run(folder, ON)] == [f"transcripts/{SESSION}.jsonl"]
    assert not redact_existing.is_archive_redacted(folder, Redactor())
    assert masked_again.run(folder, ON) == []
    assert archived.read_bytes() == _masked(_raw(TOKEN))

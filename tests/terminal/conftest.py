"""Commands of people on a throwaway data folder, in a project's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from memories.core import mirror
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory_home: DataFolder) -> DataFolder:
    """The data folder of a user who is in the project orders-api."""
    place = tmp_path / "orders-api"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    return memory_home


@pytest.fixture
def keep(project: DataFolder, make_record: MakeRecord) -> MakeRecord:
    """make_record, and the index follows."""

    def made(content: str, **fields: object) -> dict[str, object]:
        record = make_record(content, **fields)
        mirror.apply_records(project, [record["uuid"]])
        return record

    return made

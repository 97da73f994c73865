"""Fixtures that every test may use: a throwaway HOME and data folder, and Django's connection on its real mirror."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from memories.core import mirror, records
from memories.core.paths import DataFolder
from tests.syncthing import hide_others

MakeRecord = Callable[..., dict[str, Any]]

SHORT_EXAMPLES = 40
"""Of Hypothesis's 100 for each test, in a run without the long tests; `scripts/test --long` tries all."""

_NO_CLOCK: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
"""How long an example takes says more of what else runs on the machine."""

hypothesis.settings.register_profile("short", max_examples=SHORT_EXAMPLES, **_NO_CLOCK)
hypothesis.settings.register_profile("whole", **_NO_CLOCK)


def pytest_configure(config: pytest.Config) -> None:
    """Before a test module is imported: its own numbers may be multiples of the profile's."""
    hypothesis.settings.load_profile("short" if config.option.markexpr == "not long" else "whole")


@pytest.fixture(autouse=True)
def _throwaway_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's own Claude Code folder or settings, or a Syncthing that runs here."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in list(os.environ):
        if name.startswith(("CLAUDE", "LLM_MEMORY_", "AI_AGENT")):
            monkeypatch.delenv(name)
    hide_others(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """An empty data folder, also named by LLM_MEMORY_HOME."""
    found = DataFolder(str(tmp_path / "memory"))
    found.create()
    monkeypatch.setenv("LLM_MEMORY_HOME", found.root)
    return found


@pytest.fixture
def make_record(folder: DataFolder) -> MakeRecord:
    """Writes a record file: make_record("text", type="note", ...) -> the record."""

    def make(content: str, *, type: str = "note", **fields: Any) -> dict[str, Any]:
        created = {name: fields.pop(name) for name in ("created_at",) if name in fields}
        record = records.new_record(type=type, content=content, **created)
        record.update(fields)
        records.save(folder, record)
        return record

    return make


@pytest.fixture
def memory_home(folder: DataFolder, django_db_blocker: DjangoDbBlocker) -> Iterator[DataFolder]:
    """A data folder with an empty mirror, and Django's connection on it: the real SQLite file, no test database."""
    mirror.update(folder)
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = f"file:{quote(folder.mirror)}?mode=rw"
    settings.DATA_FOLDER = folder
    with django_db_blocker.unblock():
        yield folder
        connection.close()
    connection.settings_dict["NAME"] = before

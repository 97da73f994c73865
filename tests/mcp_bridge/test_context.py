"""The server's own sync, beside its calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_bridge.context import BackgroundSync
from memories.core import merge_copies, mirror
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord


def synced(folder: DataFolder) -> int:
    """How many records the mirror holds after the server's sync."""
    sync = BackgroundSync(folder)
    sync.start()
    sync.wait(60)
    sync.wait_for_conversations()
    connection = mirror.connect(folder.mirror)
    try:
        (count,) = connection.execute("SELECT count(*) FROM memory").fetchone()
    finally:
        connection.close()
    return int(count)


def test_memories_are_found_although_nothing_can_be_merged(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("Deploys go out on Tuesdays.")
    Path(folder.state, "merge.lock").mkdir()
    assert synced(folder) == 1


def test_memories_are_found_although_merging_crashes(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_record("Deploys go out on Tuesdays.")

    def crash(*_: object, **__: object) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(merge_copies, "run", crash)
    assert synced(folder) == 1

"""sync-setup before Syncthings that cannot be used as they are, and what it makes of a .stignore."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from hooks.shipped_files import STIGNORE_TEXT
from memories.core.errors import SyncthingError
from memories.core.paths import SYNCED_FOLDERS, DataFolder
from memories.syncthing.ignores import judge
from tests.memories.rest_server import answering
from tests.memories.test_sync_setup import STRANGER, run
from tests.syncthing import free_ports, hide_others


@pytest.fixture(autouse=True)
def _no_other_syncthing(monkeypatch: pytest.MonkeyPatch) -> None:
    hide_others(monkeypatch)


def test_what_a_stignore_lets_travel() -> None:
    ours = judge(STIGNORE_TEXT.decode())
    assert (ours.more, ours.less, ours.unclear) == ([], [], [])
    assert judge("(?i)MEMORY.*\n(?d)stat[a-e]\nli?\n/lib.*\nlib.**\n").more == []
    assert judge("").more[0] == "memory.db"
    assert judge("*").less == list(SYNCED_FOLDERS)
    assert judge("!records\n/*\n").less == ["transcripts", "config", "trash"]


def canned(answers: dict[str, Any]) -> Any:
    """Answers of a Syncthing by path; 404 for any other."""

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        name = path.partition("?")[0].removeprefix("/rest/")
        return (200, {}, json.dumps(answers[name]).encode()) if name in answers else (404, {}, b"")

    return answer


OLD = {"system/ping": {"ping": "pong"}, "system/status": {"myID": STRANGER}, "system/version": {"version": "v1.10.0"}}
BLIND = {
    **OLD,
    "config/folders": [],
    "config/devices": [],
    "config/defaults/folder": {},
    "config/defaults/device": {},
    "cluster/pending/devices": {},
    "cluster/pending/folders": {},
    "system/browse": ["/somewhere/else/"],
}


def test_a_syncthing_that_is_too_old_is_said_with_its_version(folder: DataFolder) -> None:
    with answering(canned(OLD)) as server, pytest.raises(SyncthingError, match=r"is v1\.10\.0; 1\.18 or later"):
        run("--yes", "--url", server.url, "--api-key", "k")


def test_a_syncthing_that_does_not_see_this_folder_is_not_told_of_it(folder: DataFolder) -> None:
    with answering(canned(BLIND)) as server:
        with pytest.raises(SyncthingError, match="in a container, as another user"):
            run("--yes", "--url", server.url, "--api-key", "k")
        assert not any(call.startswith("POST") for call, _ in server.calls)
    assert [name for name in os.listdir(folder.state) if name.startswith("syncthing-")] == []


def test_windows_syncthing_gets_the_path_as_windows_sees_it(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSL_DISTRO_NAME", "Debian")
    with answering(canned({**BLIND, "system/version": {"version": "v1.29.0", "os": "windows"}})) as server:
        out = run("--dry-run", "--url", server.url, "--api-key", "k")
    assert "share \\\\wsl.localhost\\Debian\\" in out
    assert "looks every 60 s" in out


def test_what_answers_but_is_no_syncthing_is_said(folder: DataFolder) -> None:
    with answering(canned({"system/ping": []})) as server, pytest.raises(SyncthingError, match="is not Syncthing"):
        run("--yes", "--url", server.url, "--api-key", "k")
    (port,) = free_ports(1)
    with pytest.raises(SyncthingError, match="does not answer"):
        run("--yes", "--url", f"http://127.0.0.1:{port}", "--api-key", "k")

"""Which project a client works in that is not Claude Code: the first root that is one, else the server's folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp_types import Root, RootsListChangedNotification

from mcp_bridge import roots
from memories.core import mirror
from memories.core.paths import DataFolder
from tests.mcp_bridge.in_memory import ask, with_roots


@pytest.fixture(autouse=True)
def _started_in_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(os.environ["HOME"])


def project_of(folder: DataFolder, **options: Any) -> str | None:
    """The project that a session's note is kept for; None without one."""

    async def store(client: Client) -> Any:
        stored = await client.call_tool("memory_store", {"content": os.urandom(8).hex(), "type": "note"})
        assert stored.structured_content is not None
        uuid = stored.structured_content["uuid"]
        return (await client.call_tool("memory_get", {"uuid": uuid})).structured_content

    mirror.update(folder)
    found = ask(folder, store, **options)
    return None if found["project"] is None else str(found["project_id"])


def test_a_client_without_roots_in_the_home_folder_has_no_project(memory_home: DataFolder) -> None:
    assert project_of(memory_home) is None


def test_the_first_root_that_is_a_project_counts(memory_home: DataFolder, project: Path, tmp_path: Path) -> None:
    other = tmp_path / "with blank é"
    other.mkdir()
    home = os.environ["HOME"]
    assert project_of(memory_home, **with_roots(home, other, project)) == f"path:{other}"


def test_roots_come_before_the_servers_own_folder_and_claude_code_s_word_before_both(
    memory_home: DataFolder, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed, named = tmp_path / "client", tmp_path / "named"
    for one in (installed, named):
        one.mkdir()
    monkeypatch.chdir(installed)
    assert project_of(memory_home) == f"path:{installed}"
    assert project_of(memory_home, **with_roots(project)) == f"path:{project}"
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(named))
    assert project_of(memory_home, **with_roots(project)) == f"path:{named}"


def test_roots_are_asked_for_once_and_again_when_they_changed(memory_home: DataFolder, project: Path) -> None:
    asked = []
    answer = with_roots(project)["list_roots_callback"]

    async def counted(context: object) -> Any:
        asked.append(context)
        return await answer(context)

    async def talk(client: Client) -> None:
        for _ in range(2):
            await client.call_tool("memory_recent", {})
            await client.list_resources()
        assert len(asked) == 1
        await client.session.send_notification(RootsListChangedNotification())
        await client.call_tool("memory_recent", {})
        assert len(asked) == 2

    ask(memory_home, talk, list_roots_callback=counted)


def test_a_client_that_cannot_tell_its_roots_is_served_all_the_same(memory_home: DataFolder) -> None:
    async def broken(_: object) -> Any:
        raise ValueError("a mistake of the client's")

    assert project_of(memory_home, list_roots_callback=broken) is None


@pytest.mark.parametrize("uri", ["file:///home/me/a%20b", "file://localhost/srv/x", "file:///%00", "file:relative"])
def test_only_absolute_folders_of_this_machine_are_taken(uri: str) -> None:
    expected = {"file:///home/me/a%20b": "/home/me/a b", "file://localhost/srv/x": "/srv/x"}
    assert roots._folder(uri) == expected.get(uri, "")
    assert roots._folder("https://example.com/x") == ""
    assert str(Root.model_validate({"uri": "file:///home/me/a b"}).uri) == "file:///home/me/a%20b"

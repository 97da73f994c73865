"""Two versions at once on one data folder: nothing is lost, and neither makes the other's index anew."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from memories.core import other_mirrors, paths, records
from memories.core.paths import DataFolder
from tests.mcp_bridge import client
from tests.mcp_bridge.client import Server, ToolAnswer
from tests.upgrade import trees

BUILDING = ("index is", "index was")
"""How the one error begins that a call may answer with: that the index is being built."""


def _others() -> list[str]:
    """The newest commit of each version of the mirror but this one's, oldest first."""
    return [commit for commit in trees.one_of_each() if trees.mirror_version(commit) != paths.MIRROR_VERSION]


def _begin(tree: Path, folder: DataFolder, project: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    with monkeypatch.context() as patched:
        patched.setattr(client, "ROOT", tree)
        return Server(folder, project)


def _state(path: str) -> tuple[int, int]:
    """(inode, user_version) of a mirror."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return os.stat(path).st_ino, connection.execute("PRAGMA user_version").fetchone()[0]


def _builds(path: str) -> int:
    """How often a mirror was built, counted by what a rebuild raises: SQLite's count of changes of its schema."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("PRAGMA schema_version").fetchone()[0])


def _retried(server: Server, tool: str, **arguments: object) -> ToolAnswer:
    """A call, and once more where the answer is that the index is being built."""
    answer = server.call(tool, **arguments)
    if answer.is_error and any(words in answer.text for words in BUILDING):
        answer = server.call(tool, **arguments)
    assert not answer.is_error, answer.text
    return answer


def _work(server: Server, name: str, count: int, until: float, stored: list[str]) -> None:
    """Store and search, at least so many times and until a time."""
    number = 0
    while number < count or time.monotonic() < until:
        answer = _retried(server, "memory_store", content=f"{name} keeps token{number}x", type="note")
        stored.append(answer.structured["uuid"])
        assert f"{name} keeps token{number}x" in _retried(server, "memory_search", query=f"{name} token{number}x").text
        number += 1


def _side_by_side(
    commit: str, folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, count: int, seconds: float
) -> None:
    project = tmp_path / "orders"
    project.mkdir()
    tree = trees.unpack(commit, tmp_path / "tree")
    old_mirror = os.path.join(folder.root, paths.MIRROR)
    stored: dict[str, list[str]] = {"old": [], "new": []}
    failed: list[BaseException] = []
    with (
        _begin(tree, folder, project, monkeypatch) as old,
        _begin(trees.ROOT, folder, project, monkeypatch) as new,
    ):
        servers = {"old": old, "new": new}
        for server in servers.values():
            server.initialize()
            _retried(server, "memory_store", content=f"begins {server.process.pid}", type="note")
        before = {path: (_state(path), _builds(path)) for path in (old_mirror, folder.mirror)}
        until = time.monotonic() + seconds

        def work(name: str) -> None:
            try:
                _work(servers[name], name, count, until, stored[name])
            except BaseException as error:  # noqa: BLE001 - raised again below, in the test's own thread
                failed.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in failed:
            raise error
        assert {path: (_state(path), _builds(path)) for path in before} == before
    print(f"{commit[:7]} beside this one: {', '.join(f'{name} stored {len(one)}' for name, one in stored.items())}")
    uuids = {uuid for one in stored.values() for uuid in one}
    assert uuids <= {name[:32] for name in os.listdir(folder.records)}
    for place in (tree, trees.ROOT) if seconds else ():
        with _begin(place, folder, project, monkeypatch) as again:
            again.initialize()
            for name, own in stored.items():
                found = _retried(again, "memory_search", query=f"{name} keeps token{len(own) - 1}x").text
                assert own[-1] in found


def test_the_version_before_and_this_one_work_at_once(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = _others()
    if not others:
        pytest.skip("no commit makes a mirror of another version")
    _side_by_side(others[-1], folder, tmp_path, monkeypatch, count=5, seconds=0)


@pytest.mark.long
@pytest.mark.parametrize("place", range(6))
def test_each_version_and_this_one_work_at_once(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    others = _others()
    if place >= len(others):
        pytest.skip("no more versions of the mirror")
    _side_by_side(others[place], folder, tmp_path, monkeypatch, count=5, seconds=5)


def _make(path: Path, version: int, age: float) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.execute(f"PRAGMA user_version = {version}")
    when = time.time() - age
    os.utime(path, (when, when))


@pytest.mark.parametrize(
    ("name", "version", "age", "goes"),
    [
        ("memory.db", 6, 8 * 86_400, True), ("memory.db", 6, 6 * 86_400, False), ("memory.db.8", 8, 8 * 86_400, True),
        ("memory.db", 0, 800 * 86_400, False), (f"memory.db.{paths.MIRROR_VERSION}", 7, 8 * 86_400, False),
        ("memory.db.bak", 6, 8 * 86_400, False), ("my-memory.db", 6, 8 * 86_400, False),
    ],
)  # fmt: skip
def test_a_mirror_that_no_version_uses_any_more_is_let_go(
    folder: DataFolder, name: str, version: int, age: float, goes: bool
) -> None:
    path = Path(folder.root, name)
    _make(path, version, age)
    other_mirrors.drop_unused(folder)
    assert path.exists() != goes


def test_what_is_to_be_gone_goes_from_the_mirrors_of_all_other_versions(folder: DataFolder) -> None:
    for name in ("memory.db", "memory.db.8", Path(folder.mirror).name):
        _make(Path(folder.root, name), 6, 0)
        Path(folder.root, f"{name}-wal").write_bytes(b"log")
    Path(folder.root, "memory.db.9").mkdir()
    other_mirrors.drop(folder)
    own = Path(folder.mirror).name
    assert {path.name for path in Path(folder.root).glob("memory.db*")} == {own, f"{own}-wal", "memory.db.9"}


def test_every_name_of_a_mirror_is_known_as_one() -> None:
    assert other_mirrors.is_mirror(Path(DataFolder("/x").mirror).name)
    assert not records.is_uuid(paths.MIRROR)

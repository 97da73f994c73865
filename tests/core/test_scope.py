"""Which rows belong to a project."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from memories.core import mirror, projects, scope
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.conftest import MakeRecord

GIT = "git:example.com/ana/shop"


@pytest.fixture
def connection(folder: DataFolder, make_record: MakeRecord) -> Iterator[sqlite3.Connection]:
    """Records of two projects called shop, of one without an id, and of another."""
    make_record("git", project="shop", project_id=GIT)
    make_record("path", project="Shop", project_id="path:/other/shop")
    make_record("named", project="SHOP")
    make_record("till", project="till_app", project_id="path:/till")
    mirror.update(folder)
    found = mirror.connect(folder.mirror)
    yield found
    found.close()


def _contents(connection: sqlite3.Connection, found: scope.Scope) -> list[str]:
    condition, values = found.sql()
    whole = {row[0] for row in connection.execute(f"SELECT content FROM memory WHERE {condition}", values)}
    single = {
        row[0]
        for where, value in found.conditions()
        for row in connection.execute(f"SELECT content FROM memory WHERE {where}", (value,))
    }
    assert single == whole
    return sorted(whole)


def _project(tmp_path: Path) -> projects.Project:
    place = tmp_path / "shop"
    (place / ".git" / "objects").mkdir(parents=True)
    (place / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (place / ".git" / "config").write_text(
        '[remote "origin"]\n\turl = git@example.com:ana/shop.git\n', encoding="utf-8"
    )
    found = projects.identify(str(place), dict(DEFAULTS))
    assert found is not None
    assert found.id == GIT
    return found


def test_an_identified_project_has_its_id_and_the_records_without_one(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    assert _contents(connection, scope.of_project(_project(tmp_path))) == ["git", "named"]


def test_a_name_that_fits_several_projects_means_all_and_says_so(connection: sqlite3.Connection) -> None:
    found = scope.of_name(connection, "shop", None, dict(DEFAULTS))
    assert _contents(connection, found) == ["git", "named", "path"]
    assert set(found.several) == {GIT, "path:/other/shop"}


@pytest.mark.parametrize("name", ["till_app", "Till-App", "path:/till"])
def test_a_name_or_id_that_fits_one_project_means_that(connection: sqlite3.Connection, name: str) -> None:
    found = scope.of_name(connection, name, None, dict(DEFAULTS))
    assert (_contents(connection, found), found.several) == (["till"], ())


def test_an_alias_stands_for_its_project(connection: sqlite3.Connection) -> None:
    aliases = {**DEFAULTS, "project_aliases": {"kasse": "path:/till"}}
    assert _contents(connection, scope.of_name(connection, "kasse", None, aliases)) == ["till"]


def test_the_sessions_own_project_is_among_those_its_name_fits(connection: sqlite3.Connection, tmp_path: Path) -> None:
    own = _project(tmp_path)
    found = scope.of_name(connection, "shop", own, dict(DEFAULTS))
    assert _contents(connection, found) == ["git", "named", "path"]
    assert found.several
    assert _contents(connection, scope.of_name(connection, GIT, own, dict(DEFAULTS))) == ["git", "named"]


@pytest.mark.parametrize("name", ["nobody", "", "' OR 1=1 --", "path:/nowhere"])
def test_a_name_that_fits_none_finds_nothing(connection: sqlite3.Connection, name: str) -> None:
    assert _contents(connection, scope.of_name(connection, name, None, dict(DEFAULTS))) == []


def test_an_empty_scope_finds_nothing(connection: sqlite3.Connection) -> None:
    assert _contents(connection, scope.Scope("none", frozenset(), frozenset())) == []


def _visible(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute(f"SELECT content FROM memory WHERE {scope.VISIBLE}")}


def test_what_an_active_record_supersedes_is_hidden_until_that_is_archived(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    old = make_record("old")
    link = [{"to_uuid": old["uuid"], "relationship": "supersedes"}]
    new = make_record("new", connections=link)
    make_record("related", connections=[{"to_uuid": new["uuid"], "relationship": "related_to"}])
    make_record("put away", status="archived")
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    assert _visible(connection) == {"new", "related"}
    connection.execute("UPDATE memory SET status = 'archived' WHERE content = 'new'")
    assert _visible(connection) == {"old", "related"}
    connection.close()

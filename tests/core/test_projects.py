"""Which project a folder belongs to, and when nothing of it may be remembered."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import projects
from memories.core.projects import Project


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def _repository(folder: Path, url: str | None = None) -> Path:
    git = folder / ".git"
    (git / "objects").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "config").write_text(f'[remote "origin"]\n\turl = {url}\n' if url else "[core]\n")
    return folder


def _worktree(main: Path, folder: Path) -> Path:
    entry = main / ".git/worktrees" / folder.name
    entry.mkdir(parents=True)
    (entry / "commondir").write_text("../..\n")
    folder.mkdir(parents=True)
    (folder / ".git").write_text(f"gitdir: {entry}\n")
    return folder


def _marker(folder: Path, **values: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / projects.MARKER_NAME
    path.write_text(json.dumps(values))
    return path


def _identify(folder: Path, **settings: Any) -> Project:
    found = projects.identify(str(folder), settings)
    assert found is not None
    return found


def test_a_git_remote_is_the_identity_in_every_folder_of_every_worktree(home: Path) -> None:
    main = _repository(home / "work/orders", "git@GitHub.com:Acme/Orders-API.git")
    (main / "src").mkdir()
    feature = _worktree(main, home / "elsewhere/feature")
    for folder in (main, main / "src", feature, main / ".claude/worktrees/deleted-since"):
        found = _identify(folder)
        assert (found.id, found.name, found.root) == ("git:github.com/acme/orders-api", "Orders-API", str(main))
        assert found.enabled
        assert found.reason is None
    assert _identify(feature).names == {"orders-api", "orders", "feature"}


def test_without_a_remote_the_main_worktree_is_the_identity(home: Path) -> None:
    main = _repository(home / "orders")
    feature = _worktree(main, home / "feature")
    assert _identify(main).id == _identify(feature).id == f"path:{main}"
    assert _identify(feature).name == "orders"


def test_a_local_remote_is_no_identity(home: Path) -> None:
    main = _repository(home / "orders", "file:///srv/git/orders.git")
    assert _identify(main).id == f"path:{main}"


def test_outside_git_each_folder_is_its_own_project(home: Path) -> None:
    (home / "notes/deep").mkdir(parents=True)
    assert _identify(home / "notes").id == f"path:{home / 'notes'}"
    assert _identify(home / "notes/deep").id == f"path:{home / 'notes/deep'}"


def test_a_folder_that_is_gone_is_still_told_apart(home: Path) -> None:
    assert _identify(home / "gone/away").id == f"path:{home / 'gone/away'}"


def test_home_the_root_hidden_folders_and_nonsense_are_no_project(home: Path) -> None:
    for cwd in (str(home), str(home) + "/", "/", str(home / ".config"), "", "relative", "/x\0y", "/x\ud800"):
        assert projects.identify(cwd, {}) is None
    assert _identify(home / ".config/nvim").name == "nvim"


def test_a_home_under_git_claims_nothing_below_it(home: Path) -> None:
    _repository(home, "git@h:me/dotfiles.git")
    (home / "notes").mkdir()
    assert projects.identify(str(home), {}) is None
    assert _identify(home / "notes").id == f"path:{home / 'notes'}"


def test_a_remote_with_a_hidden_name_shows_with_its_owner(home: Path) -> None:
    found = _identify(_repository(home / ".github", "https://github.com/Acme/.github"))
    assert (found.id, found.name) == ("git:github.com/acme/.github", "Acme/.github")


def test_a_symlink_to_a_project_is_that_project(home: Path) -> None:
    main = _repository(home / "orders", "git@h:acme/orders.git")
    (home / "link").symlink_to(main)
    assert _identify(home / "link").id == "git:h/acme/orders"


def test_the_marker_gives_id_and_name_and_the_nearest_value_wins_for_each_key(home: Path) -> None:
    _marker(home / "work", id="everything", name="Work")
    _marker(home / "work/orders", name="Orders")
    found = _identify(home / "work/orders")
    assert (found.id, found.name, found.root) == ("marker:everything", "Orders", str(home / "work"))


def test_a_marker_committed_to_a_repository_holds_in_its_worktrees(home: Path) -> None:
    main = _repository(home / "orders", "git@h:acme/orders.git")
    feature = _worktree(main, home / "feature")
    _marker(main, id="o-1")
    _marker(feature, id="o-1")
    assert {(_identify(f).id, _identify(f).name, _identify(f).root) for f in (main, feature)} == {
        ("marker:o-1", "orders", str(main))
    }


def test_a_marker_with_a_name_only_renames(home: Path) -> None:
    main = _repository(home / "orders", "git@h:acme/orders.git")
    _marker(main, name="Order desk")
    assert (_identify(main).id, _identify(main).name) == ("git:h/acme/orders", "Order desk")


def test_a_disabled_project_is_returned_with_the_reason_in_its_subfolders_and_linked_worktrees(home: Path) -> None:
    main = _repository(home / "client")
    (main / "src").mkdir()
    feature = _worktree(main, home / "feature")
    path = _marker(main, enabled=False)
    for folder in (main, main / "src", feature):
        found = _identify(folder)
        assert not found.enabled
        assert found.reason == f'{path} says "enabled": false'


def test_a_nearer_marker_can_enable_again(home: Path) -> None:
    _marker(home, enabled=False)
    _marker(home / "mine", enabled=True)
    assert not _identify(home / "other").enabled
    assert _identify(home / "mine").enabled


def test_home_itself_can_be_disabled(home: Path) -> None:
    _marker(home, enabled=False)
    assert not _identify(home).enabled


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"enabled": "no"}', b'{"id": 5}', b'{"name": " "}', b"\xff", b"[" * 50_000]
)
def test_a_marker_that_cannot_be_understood_disables_and_is_named(home: Path, content: bytes) -> None:
    path = _marker(home / "client")
    path.write_bytes(content)
    found = _identify(home / "client")
    assert not found.enabled
    assert str(path) in (found.reason or "")


def test_a_marker_that_is_a_folder_disables(home: Path) -> None:
    (home / "client" / projects.MARKER_NAME).mkdir(parents=True)
    assert not _identify(home / "client").enabled


@pytest.mark.parametrize(
    "glob", ["~/clients/*", "~/clients", "~/clients/", "*/acme", "acme", "ac*", "~/*/acme/src", "**/acme"]
)
def test_excluded_globs_hold_for_the_folder_and_all_above_it(home: Path, glob: str) -> None:
    (home / "clients/acme/src").mkdir(parents=True)
    found = _identify(home / "clients/acme/src", excluded_paths=[glob])
    assert not found.enabled
    assert repr(glob) in (found.reason or "")
    assert _identify(home / "own", excluded_paths=[glob]).enabled


def test_exclusion_sees_through_symlinks_and_worktrees(home: Path) -> None:
    main = _repository(home / "clients/acme")
    feature = _worktree(main, home / "feature")
    (home / "short").symlink_to(main)
    (home / "all-clients").symlink_to(home / "clients")
    assert not _identify(feature, excluded_paths=["~/clients/*"]).enabled
    assert not _identify(home / "short", excluded_paths=["~/clients/*"]).enabled
    assert not _identify(main, excluded_paths=["~/all-clients/*"]).enabled


def test_old_style_names_are_among_the_names(home: Path) -> None:
    (home / "projects/acme/orders_v2").mkdir(parents=True)
    assert _identify(home / "projects/acme/orders_v2").names == {"orders-v2", "acme/orders-v2", "acme"}


def test_aliases_join_ids_and_names_and_put_the_canonical_ones_first(home: Path) -> None:
    main = _repository(home / "orders", "git@h:acme/orders.git")
    aliases = {"path:/old/orders": "git:h/acme/Orders", "orders_legacy": "orders", "unrelated": "other"}
    found = _identify(main, project_aliases=aliases)
    assert found.id == "git:h/acme/orders"
    assert found.ids == {"git:h/acme/orders", "path:/old/orders", f"path:{main}"}
    assert {"orders", "orders-legacy"} <= found.names
    assert "other" not in found.names
    legacy = _identify(home / "orders-legacy", project_aliases={"orders_legacy": "git:h/acme/orders"})
    assert legacy.id == "git:h/acme/orders"
    assert legacy.ids == {"git:h/acme/orders", f"path:{home / 'orders-legacy'}"}
    assert _identify(home / "a", project_aliases={"a": "b"}).name == "b"


def test_a_project_that_gets_a_remote_later_keeps_what_was_stored_before(home: Path) -> None:
    main = _repository(home / "orders")
    before = _identify(main)
    assert before.id == f"path:{main}"
    with open(main / ".git" / "config", "a", encoding="utf-8") as file:
        file.write('[remote "origin"]\n\turl = git@h:acme/orders.git\n')
    after = _identify(main)
    assert after.id == "git:h/acme/orders"
    assert before.id in after.ids


def test_aliases_in_a_circle_end(home: Path) -> None:
    found = _identify(home / "a", project_aliases={"a": "b", "b": "path:/c", "path:/c": "a"})
    assert found.ids == {f"path:{home / 'a'}", "path:/c"}


def test_a_folder_name_that_is_not_utf_8_gives_an_id_that_json_can_hold(home: Path) -> None:
    cwd = os.fsdecode(os.fsencode(str(home)) + b"/caf\xe9")
    found = projects.identify(cwd, {})
    assert found is not None
    found.id.encode("utf-8")
    assert found.name == "caf?"


@given(st.text())
def test_any_text_as_a_folder_is_a_project_or_none(cwd: str) -> None:
    found = projects.identify("/nowhere/" + cwd, {"excluded_paths": ["~/x*", "[", ""]})
    if found is not None:
        found.id.encode("utf-8")


@given(st.text())
def test_folding_is_idempotent(name: str) -> None:
    once = projects.fold_name(name)
    assert projects.fold_name(once) == once


def test_names_fold_case_dash_and_underscore() -> None:
    assert projects.fold_name("Order_API ") == projects.fold_name("order-api")

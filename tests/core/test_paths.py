"""Where things are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memories.core import paths
from memories.core.errors import StorageError


def test_the_defaults_lie_in_claudes_folder(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    assert paths.claude_config_dir({}) == os.path.join(home, ".claude")
    assert paths.claude_projects_dir({}) == os.path.join(home, ".claude", "projects")
    assert paths.data_folder({}).root == os.path.join(home, ".claude", "memory")


def test_the_environment_moves_them() -> None:
    env = {"CLAUDE_CONFIG_DIR": "/c"}
    assert paths.data_folder(env).root == "/c/memory"
    assert paths.data_folder({**env, "LLM_MEMORY_HOME": "/m"}).root == "/m"


@pytest.mark.parametrize("name", ["CLAUDE_CONFIG_DIR", "LLM_MEMORY_HOME"])
def test_an_empty_variable_counts_as_unset_and_a_tilde_is_expanded(name: str, tmp_path: Path) -> None:
    assert paths.data_folder({name: ""}).root == str(tmp_path / "home" / ".claude" / "memory")
    assert paths.data_folder({name: "~/elsewhere"}).root.startswith(str(tmp_path / "home" / "elsewhere"))


def test_making_the_data_folder_makes_all_of_it_private(tmp_path: Path) -> None:
    folder = paths.DataFolder(str(tmp_path / "deep" / "memory"))
    assert not os.path.exists(folder.root)
    folder.create()
    folder.create()
    for place in (folder.root, folder.records, folder.transcripts, folder.config, folder.trash, folder.state):
        assert os.stat(place).st_mode & 0o777 == 0o700


def test_the_home_folder_is_a_real_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "home")
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    assert paths.home_dir() == os.path.realpath(tmp_path / "home")


@pytest.mark.parametrize("given", ["memory", "./memory", "../memory", "~nobody-of-that-name/memory"])
def test_a_relative_data_folder_is_refused_and_nothing_is_made(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "home")
    folder = paths.data_folder({"LLM_MEMORY_HOME": given})
    with pytest.raises(StorageError, match=f"LLM_MEMORY_HOME is {given}, .* whole path, such as {tmp_path}"):
        paths.check_private(folder)
    assert not os.listdir(tmp_path / "home")
    assert not os.path.exists(folder.root)

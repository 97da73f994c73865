"""Uninstall and purge where Claude Code has the plugin: it is Claude Code's to remove, and both say so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hooks import plugin, removal, setup
from tests.install.conftest import Sandbox, snapshot
from tests.install.test_removal_sync import config

COMMAND = "claude plugin uninstall llm-memory@"
Said = pytest.CaptureFixture[str]


@pytest.fixture
def alone(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sandbox:
    """A machine with one memory and the plugin, whose launcher this process was started by; no installation."""
    shutil.rmtree(sandbox.lib)
    sandbox.folder.create()
    Path(sandbox.folder.records, "kept").touch()
    sandbox.settings.write_text('{"enabledPlugins": {"llm-memory@mine": true}}', "utf-8")
    monkeypatch.setenv(plugin.VARIABLE, str(tmp_path / "plugin-data"))
    return sandbox


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_plugin_alone_is_left_to_claude_code_and_nothing_is_removed(
    alone: Sandbox, capsys: Said, *, dry_run: bool
) -> None:
    before = snapshot(alone.home)
    assert removal.uninstall(dry_run=dry_run) == 1
    said, wrong = capsys.readouterr()
    assert said == ""
    assert f"`{COMMAND}mine`" in wrong
    assert "~/.claude/memory" in wrong
    assert "install.sh" not in wrong
    assert snapshot(alone.home) == before


def test_a_purge_says_before_and_after_that_the_plugin_stays(alone: Sandbox, capsys: Said) -> None:
    assert removal.uninstall(purge=True, yes=True) == 0
    assert not Path(alone.folder.root).exists()
    said = capsys.readouterr().out
    before, _, after = said.partition("  remove ~/.claude/memory/")
    for part in (before, after):
        assert f"{COMMAND}mine" in part
    assert "The memories are removed. LLM Memory is not:" in after
    assert "LLM Memory and its memories are removed" not in said


def test_a_purge_of_the_plugins_is_asked_about_with_the_plugin_named(
    alone: Sandbox, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "no")
    assert removal.uninstall(purge=True) == 1
    said, wrong = capsys.readouterr()
    assert f"{COMMAND}mine" in said
    assert "Nothing was removed." in wrong
    assert Path(alone.folder.records, "kept").exists()


def test_a_purge_without_a_terminal_needs_yes_for_the_plugin_too(alone: Sandbox, capsys: Said) -> None:
    assert removal.uninstall(purge=True) == 1
    assert "say --yes" in capsys.readouterr().err
    assert Path(alone.folder.records, "kept").exists()


def test_the_plugins_launcher_takes_away_an_installation_beside_it(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: Said, tmp_path: Path
) -> None:
    sandbox.settings.write_text('{"enabledPlugins": {"llm-memory@llm-memory": true}}', "utf-8")
    setup.install()
    monkeypatch.setenv(plugin.VARIABLE, str(tmp_path))
    capsys.readouterr()
    assert removal.uninstall() == 0
    said = capsys.readouterr().out
    assert not sandbox.lib.exists()
    assert f"Claude Code's plugin stays, and goes on with the same memories; to remove it: {COMMAND}llm-memory" in said


def test_an_installations_uninstall_names_the_plugin_that_is_switched_on(sandbox: Sandbox, capsys: Said) -> None:
    sandbox.settings.write_text('{"enabledPlugins": {"llm-memory@llm-memory": true}}', "utf-8")
    setup.install()
    assert removal.uninstall(purge=True, yes=True) == 0
    said = capsys.readouterr().out
    assert "LLM Memory and its memories are removed." in said
    assert f"begins a new memory with the next session; to remove it: {COMMAND}llm-memory" in said


def test_what_an_uninstall_could_not_clean_is_tried_again_by_the_plugins(alone: Sandbox) -> None:
    left = Path(alone.folder.state, "install")
    left.mkdir(parents=True)
    assert removal.uninstall() == 0
    assert not left.exists()
    assert Path(alone.folder.records, "kept").exists()


def test_without_a_plugin_nothing_is_said_of_one(sandbox: Sandbox, capsys: Said) -> None:
    sandbox.settings.write_text(json.dumps({"enabledPlugins": {"llm-memory@mine": False}}), "utf-8")
    setup.install()
    capsys.readouterr()
    assert removal.uninstall() == 0
    assert "Claude Code's plugin" not in capsys.readouterr().out


def test_a_purge_that_waits_for_syncthing_names_the_plugins_removal(alone: Sandbox, capsys: Said) -> None:
    config(alone.home, alone.folder.root)
    assert removal.uninstall(purge=True, yes=True) == 1
    wrong = capsys.readouterr().err
    assert f"Or: `{COMMAND}mine`, then" in wrong
    assert "install.sh" not in wrong
    assert Path(alone.folder.records, "kept").exists()

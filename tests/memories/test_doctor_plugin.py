"""Doctor's line about the plugin: alone, set up or not, and beside an installation."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from hooks import plugin
from memories import doctor, doctor_capture, doctor_left, doctor_plugin
from memories.core.paths import DataFolder, claude_config_dir

NAME = "llm-memory@llm-memory"


@pytest.fixture
def switched_on() -> None:
    """Claude Code's settings have the plugin."""
    settings = Path(claude_config_dir(), "settings.json")
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"enabledPlugins": {NAME: True}}), "utf-8")


def test_without_plugin_and_installation_the_way_to_install_is_named(folder: DataFolder) -> None:
    assert [check.todo for check in doctor_capture.claude_code(folder)] == ["run ./install.sh"]


@pytest.mark.usefixtures("switched_on")
def test_a_plugin_alone_is_well(folder: DataFolder) -> None:
    [check] = doctor_capture.claude_code(folder)
    assert (check.name, check.status) == ("plugin", "ok")


@pytest.mark.usefixtures("switched_on")
def test_the_plugins_own_doctor_tells_whether_it_is_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(plugin.VARIABLE, str(tmp_path))
    [check] = doctor_plugin.alone()
    assert (check.status, check.text) == ("fail", "no memory tools: its Python packages are not there yet")
    (tmp_path / "trouble").write_text("it could not fetch its Python packages with pip: no route", "utf-8")
    [check] = doctor_plugin.alone()
    assert check.text.endswith("pip: no route")
    (tmp_path / "ready").write_text(f"{sys.executable}\n{plugin.key()}\n{plugin.ROOT}\n", "utf-8")
    [check] = doctor_plugin.alone()
    assert check.status == "ok"


@pytest.mark.usefixtures("switched_on")
def test_beside_an_installation_both_ways_out_are_named(folder: DataFolder) -> None:
    Path(folder.lib).mkdir()
    Path(folder.lib, "install.json").write_text("{}", "utf-8")
    [check] = [check for check in doctor_capture.claude_code(folder) if check.name == "plugin"]
    assert check.status == "warn"
    assert f"claude plugin uninstall {NAME}" in check.todo
    assert "llm-memory uninstall" in check.todo


def test_a_user_of_the_plugin_is_never_sent_to_install_sh(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no `claude`
    Path(folder.root, "lib.new-999999999").mkdir()
    Path(folder.records).rmdir()

    def todos() -> list[str]:
        found = [*doctor._data_folder(folder), *doctor._programs(folder), *doctor_left.left_behind(folder)]
        return [check.todo for check in found if check.todo]

    assert sum("install.sh" in todo for todo in todos()) == 3
    monkeypatch.setenv(plugin.VARIABLE, str(tmp_path))
    assert len(todos()) == 3
    assert not any("install.sh" in todo for todo in todos())

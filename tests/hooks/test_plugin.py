"""Hooks as the plugin starts them: when they stand aside, what they say of the setup, what they leave behind."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hooks import claude_settings, plugin
from tests.core.transcript_lines import SESSION, short_session
from tests.hooks.conftest import Hooks
from tests.hooks.test_imports import NEVER

WAIT_SECONDS = 30


@pytest.fixture
def data(tmp_path: Path, hooks: Hooks) -> Path:
    """The plugin's own folder, ready for the code of this checkout; the hooks run as the plugin's."""
    folder = tmp_path / "plugin-data"
    folder.mkdir()
    (folder / "ready").write_text(f"{sys.executable}\n{plugin.key()}\n{plugin.ROOT}\n", "utf-8")
    hooks.env[plugin.VARIABLE] = str(folder)
    return folder


def install_beside(hooks: Hooks, lib: Path, **more: Any) -> None:
    """Register an installation's hooks with Claude Code, its code being there."""
    lib.mkdir(parents=True)
    (lib / "manage.py").touch()
    entries = {
        event: [{"hooks": [claude_settings.hook_entry(event, str(lib))]}] for event in claude_settings.HOOK_EVENTS
    }
    hooks.claude.mkdir(exist_ok=True)
    (hooks.claude / "settings.json").write_text(json.dumps({"hooks": entries, **more}), "utf-8")


def wait_for(log: str, hooks: Hooks) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while log not in hooks.log and time.monotonic() < end:
        time.sleep(0.02)
    assert log in hooks.log


def test_beside_an_installation_the_plugin_says_so_and_does_nothing(hooks: Hooks, data: Path, tmp_path: Path) -> None:
    install_beside(hooks, tmp_path / "elsewhere" / "lib")
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    assert hooks.start().json == {"systemMessage": plugin.ASIDE}
    assert hooks.run("session_end", hooks.payload(path)).stdout == ""
    assert hooks.run("post_tool_use", hooks.payload(path, tool_name="Bash")).stdout == ""
    assert hooks.log == ""
    assert os.listdir(hooks.folder.transcripts) == []


def test_where_memory_is_off_the_plugin_does_not_even_say_that_it_stands_aside(
    hooks: Hooks, data: Path, tmp_path: Path
) -> None:
    install_beside(hooks, tmp_path / "elsewhere" / "lib")
    assert hooks.run("session_start", hooks.payload(source="startup"), LLM_MEMORY_DISABLE="1").stdout == ""


def test_an_installation_whose_code_is_gone_does_not_keep_the_plugin_from_working(
    hooks: Hooks, data: Path, tmp_path: Path
) -> None:
    lib = tmp_path / "elsewhere" / "lib"
    install_beside(hooks, lib)
    (lib / "manage.py").unlink()
    assert "orders-api" in hooks.start().message


def test_an_installation_does_not_stand_aside_for_the_plugin(hooks: Hooks, tmp_path: Path) -> None:
    install_beside(hooks, tmp_path / "elsewhere" / "lib", enabledPlugins={"llm-memory@llm-memory": True})
    assert "orders-api" in hooks.start().message


def test_a_plugin_that_is_ready_says_nothing_of_its_setup(hooks: Hooks, data: Path) -> None:
    assert "set" not in hooks.start().message.partition("orders-api")[2]


def test_the_plugin_tells_why_its_tools_are_missing_and_the_session_has_its_briefing(
    hooks: Hooks, data: Path, make_record: Any
) -> None:
    make_record("Decision: ULIDs.", project="orders-api")
    (data / "ready").unlink()
    (data / "python").write_text("/bin/true\n", "utf-8")  # stands in for the Python that would make the venv
    assert "setting itself up (first use)" in hooks.start().message
    (data / "trouble").write_text("it could not fetch its Python packages with pip: no route\n", "utf-8")
    outcome = hooks.start()
    assert "the memory tools are missing: it could not fetch its Python packages with pip: no route" in outcome.message
    assert "Decision: ULIDs." in outcome.context


@pytest.mark.parametrize("event", ["session_start", "session_end", "post_tool_use"])
def test_a_plugins_hook_loads_nothing_slow(hooks: Hooks, data: Path, event: str) -> None:
    from tests.hooks.test_imports import _loaded

    loaded = _loaded(hooks, event, source="startup")
    assert loaded & NEVER == set()
    assert "hooks.claude_settings" not in loaded


def test_a_large_transcript_is_left_to_a_process_that_outlives_the_hook(hooks: Hooks, data: Path) -> None:
    script = short_session(str(hooks.project))
    script.answer("The ledger holds one more line. " * 40_000)
    path = Path(script.write(hooks.projects_dir))
    assert hooks.run("session_end", hooks.payload(path)).stdout == ""
    assert " left to a process of its own " in hooks.log
    wait_for(" archived", hooks)
    assert Path(hooks.folder.transcripts, f"{SESSION}.jsonl").read_bytes() == path.read_bytes()


def test_a_small_transcript_is_archived_when_the_plugins_hook_ends(hooks: Hooks, data: Path) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    hooks.run("session_end", hooks.payload(path))
    assert Path(hooks.folder.transcripts, f"{SESSION}.jsonl").exists()
    assert "process of its own" not in hooks.log


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b'{"hooks": 3}', b'{"hooks": {"Stop": 3}}', b'{"hooks": {"Stop": [3, {"hooks": [3]}]}}'],
)
def test_odd_settings_do_not_keep_the_plugin_from_working(text: bytes, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "settings.json").write_bytes(text + b"// /lib/manage.py" if text in {b"", b"{"} else text)
    assert plugin.installed_beside() is None


def test_the_plugin_is_known_under_any_marketplace_and_only_where_it_is_on() -> None:
    enabled = {"llm-memory@mine": True, "llm-memory@other": False, "llm-memory-x@mine": True}
    assert plugin.enabled_in({"enabledPlugins": enabled}) == ["llm-memory@mine"]
    assert plugin.enabled_in({"enabledPlugins": ["llm-memory@mine"]}) == []


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_venv_of_another_python_other_requirements_or_another_root_is_not_ready(data: Path, line: int) -> None:
    assert plugin.ready(str(data)) == sys.executable
    lines = (data / "ready").read_text("utf-8").splitlines()
    lines[line] = "/elsewhere"
    (data / "ready").write_text("\n".join(lines), "utf-8")
    assert plugin.ready(str(data)) is None

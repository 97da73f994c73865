"""The commands in ~/.local/bin."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hooks import setup
from tests.install.conftest import Sandbox, read_calls


def _bin(sandbox: Sandbox) -> Path:
    return sandbox.home / ".local" / "bin"


def _run(sandbox: Sandbox, *command: str) -> list[str]:
    sandbox.python_log.unlink(missing_ok=True)
    subprocess.run([str(_bin(sandbox) / command[0]), *command[1:]], check=True)
    (words,) = read_calls(sandbox.python_log)
    assert words[:3] == ["-I", "-S", f"{sandbox.lib}/manage.py"]
    return words[3:-1]


def test_llm_memory_hands_its_arguments_on_and_shows_help_without_any(sandbox: Sandbox) -> None:
    setup.install()
    assert _run(sandbox, "llm-memory", "search", "two words", "--json") == ["search", "two words", "--json"]
    assert _run(sandbox, "llm-memory") == ["help"]


def test_the_dashboard_opens_the_browser_and_takes_a_port_and_a_token(sandbox: Sandbox) -> None:
    setup.install()
    assert _run(sandbox, "llm-memory-dashboard") == ["dashboard"]
    assert _run(sandbox, "llm-memory-dashboard", "9000", "--token") == ["dashboard", "9000", "--token"]


def test_a_foreign_program_of_the_name_is_kept_and_named(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    _bin(sandbox).mkdir(parents=True)
    foreign = _bin(sandbox) / "llm-memory"
    foreign.write_text("#!/bin/sh\necho other\n", encoding="utf-8")
    assert setup.install() == 0
    assert foreign.read_text(encoding="utf-8") == "#!/bin/sh\necho other\n"
    assert "llm-memory is another program's and was kept" in capsys.readouterr().out


def test_a_missing_path_entry_is_said_with_the_line_to_add(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.install()
    said = " ".join(capsys.readouterr().out.split())
    assert "run this here now, and add it to ~/.profile (zsh: ~/.zprofile), which counts from your next login: " in said
    assert 'export PATH="$HOME/.local/bin:$PATH"' in said
    monkeypatch.setenv("PATH", f"{_bin(sandbox)}:/usr/bin:/bin")
    setup.install()
    assert "local/bin is not on PATH" not in capsys.readouterr().out

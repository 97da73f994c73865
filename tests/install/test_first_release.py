"""An installation of the first LLM Memory is recognised, replaced and its records kept."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from hooks import first_release, removal, setup
from tests.install.conftest import Sandbox, snapshot

RULES = "# LLM Memory Rules\n\nAUTOMATIC TASK: update the narrative. Call memory_store.\n"
RECORD = "0f3c9a7d21b84e55a6c07e19d2f4b888.json"


def build(home: Path) -> None:
    """Write what the first release leaves on a machine: code, hooks, grants, server, rules, its own database."""
    claude, memory = home / ".claude", home / ".claude" / "memory"
    for folder in ("lib/hooks", "records", "transcripts", "config"):
        (memory / folder).mkdir(parents=True, exist_ok=True)
    (memory / "lib" / "hooks" / "session_start.sh").write_text("#!/bin/bash\n", encoding="utf-8")
    (memory / "lib" / "server.py").write_text("print('old')\n", encoding="utf-8")
    (memory / "records" / RECORD).write_text('{"uuid": "kept as it is"}\n', encoding="utf-8")
    (memory / "config" / "CLAUDE.md").write_text(RULES, encoding="utf-8")
    (claude / "CLAUDE.md").write_text(RULES, encoding="utf-8")
    database = sqlite3.connect(memory / "memory.db")
    database.execute("CREATE TABLE memories (uuid TEXT PRIMARY KEY, content TEXT)")
    database.close()
    mine = {"hooks": [{"type": "command", "command": "notify.sh"}]}
    hooks = {
        "SessionStart": [{"hooks": [_hook("~/.claude/memory/lib/hooks/session_start.sh")]}, mine],
        "PostToolUse": [{"matcher": "*", "hooks": [_hook(f"bash {memory}/lib/hooks/post_tool_use.sh")]}],
        "SessionEnd": [{"hooks": [_hook(f"python3 {memory}/lib/hooks/session_end.py")]}],
    }
    grants = ["Bash(ls)", "Bash(python3 ~/.claude/memory/lib/search.py:*)", f"Bash(git -C {memory}/lib/ status)"]
    settings = {"model": "opus", "hooks": hooks, "permissions": {"allow": [*grants, "Bash(curl:*)"]}}
    (claude / "settings.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    server = {"type": "stdio", "command": "python3", "args": [f"{memory}/lib/server.py"], "env": {}}
    (home / ".claude.json").write_text(json.dumps({"mcpServers": {"llm_memory": server}}), encoding="utf-8")


def _hook(command: str) -> dict[str, object]:
    return {"type": "command", "command": command, "timeout": 15}


@pytest.fixture
def old(sandbox: Sandbox) -> Sandbox:
    """The first release's machine after install.sh has set its lib/ aside and put ours in place."""
    aside = Path(sandbox.folder.state, "first-release")
    aside.mkdir(parents=True)
    build(sandbox.home)
    new, log = sandbox.lib / "venv", sandbox.lib / "install.json"
    (sandbox.lib / "hooks").rename(aside / "lib")
    (sandbox.lib / "server.py").rename(aside / "lib" / "server.py")
    assert new.is_dir()
    assert log.is_file()
    return sandbox


def test_its_hooks_and_grants_go_and_the_users_own_stay(old: Sandbox) -> None:
    assert setup.install() == 0
    settings = json.loads(old.settings.read_text(encoding="utf-8"))
    assert "/lib/hooks/" not in old.settings.read_text(encoding="utf-8")
    assert settings["hooks"]["SessionStart"][0] == {"hooks": [{"type": "command", "command": "notify.sh"}]}
    assert [len(settings["hooks"][event]) for event in ("SessionStart", "PostToolUse", "SessionEnd")] == [2, 1, 1]
    assert settings["permissions"]["allow"][:2] == ["Bash(ls)", "Bash(curl:*)"]


def test_its_files_are_set_aside_and_its_records_are_kept(old: Sandbox) -> None:
    setup.install()
    aside = Path(old.folder.state, "first-release")
    assert {path.name for path in aside.iterdir()} == {
        "lib", "memory.db", "config-CLAUDE.md", "CLAUDE.md", "settings.json",
    }  # fmt: skip
    assert (aside / "CLAUDE.md").read_text(encoding="utf-8") == RULES
    assert not Path(old.folder.mirror).exists()
    assert Path(old.folder.records, RECORD).read_text(encoding="utf-8") == '{"uuid": "kept as it is"}\n'


def test_its_rules_are_replaced_by_ours_and_by_nothing_but_our_block(old: Sandbox) -> None:
    setup.install()
    assert old.claude_md.read_text(encoding="utf-8").splitlines()[1] == "@~/.claude/memory/config/CLAUDE.md"
    for path in (old.claude_md, Path(old.folder.rules)):
        assert "AUTOMATIC TASK" not in path.read_text(encoding="utf-8")


def test_its_server_is_replaced(old: Sandbox) -> None:
    setup.install()
    entry = json.loads(old.server_file.read_text(encoding="utf-8"))["mcpServers"]["llm_memory"]
    assert entry["args"] == ["-I", f"{old.lib}/manage.py", "mcp"]


def test_installing_again_changes_nothing_and_uninstall_does_not_bring_it_back(old: Sandbox) -> None:
    setup.install()
    before = snapshot(old.home)
    setup.install()
    assert snapshot(old.home) == before
    assert removal.uninstall() == 0
    settings = json.loads(old.settings.read_text(encoding="utf-8"))
    assert settings["permissions"] == {"allow": ["Bash(ls)", "Bash(curl:*)"]}
    assert list(settings["hooks"]) == ["SessionStart"]
    assert not old.claude_md.exists()


def test_a_claude_md_of_the_users_own_is_only_added_to(old: Sandbox) -> None:
    old.claude_md.write_text("# My rules\nLLM Memory is fine.\n", encoding="utf-8")
    setup.install()
    assert old.claude_md.read_text(encoding="utf-8").startswith("# My rules\nLLM Memory is fine.\n")


def test_a_dry_run_says_what_would_move_and_moves_nothing(old: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(old.home)
    setup.install(dry_run=True)
    assert snapshot(old.home) == before
    assert "would move ~/.claude/memory/memory.db" in capsys.readouterr().out


def test_without_a_first_release_a_title_alone_moves_nothing(sandbox: Sandbox) -> None:
    sandbox.claude_md.write_text(RULES, encoding="utf-8")
    setup.install()
    assert sandbox.claude_md.read_text(encoding="utf-8").startswith(RULES)


@pytest.mark.parametrize(
    "command",
    [
        "~/.claude/memory/lib/hooks/session_start.sh",
        "$HOME/.claude/memory/lib/hooks/pre_compact.sh",
        "bash '/home/u/.claude/memory/lib/hooks/post_tool_use.sh'",
        "python3 /home/u/.claude/memory/lib/hooks/session_end.py --quiet",
    ],
)
def test_each_form_of_its_hook_entries_is_recognised(command: str) -> None:
    assert first_release.is_hook({"type": "command", "command": command})
    assert first_release.is_hook({"type": "command", "command": "bash", "args": [command]})


@pytest.mark.parametrize("entry", [None, "text", {}, {"command": "/home/u/memory/library/hooks.sh"}, {"args": [1]}])
def test_nothing_else_is_taken_for_one_of_its_hooks(entry: object) -> None:
    assert not first_release.is_hook(entry)


def test_only_a_database_without_our_version_is_taken_for_its_database(tmp_path: Path) -> None:
    path = tmp_path / "memory #1?.db"
    assert not first_release.is_mirror(str(path))
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE t (a)")
    assert first_release.is_mirror(str(path))
    database.execute("PRAGMA user_version = 1")
    database.close()
    assert not first_release.is_mirror(str(path))
    path.write_bytes(b"not a database at all, but long enough to be read as one")
    assert not first_release.is_mirror(str(path))

"""The install steps after install.sh has put lib/ in place, on a throwaway machine."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from hooks import rules_block, setup
from hooks.shipped_files import COMMANDS
from tests.install.conftest import Sandbox, snapshot

FOREIGN = {
    "model": "opus",
    "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "notify.sh"}]}]},
    "permissions": {"deny": ["WebFetch"], "allow": ["Bash(ls)"]},
    "env": {"A": "1"},
}


def test_a_first_install_puts_everything_in_place(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.install() == 0
    settings = json.loads(sandbox.settings.read_text(encoding="utf-8"))
    assert set(settings) == {"hooks", "permissions"}
    assert sandbox.claude_md.read_text(encoding="utf-8").splitlines()[1] == "@~/.claude/memory/config/CLAUDE.md"
    assert "memory_search" in Path(sandbox.folder.rules).read_text(encoding="utf-8")
    assert "!/records" in Path(sandbox.folder.root, ".stignore").read_text(encoding="utf-8")
    for path in (sandbox.folder.records, sandbox.folder.transcripts, sandbox.folder.trash, sandbox.folder.config):
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o700
    assert sandbox.manage_calls() == ["sync", "doctor"]
    out = capsys.readouterr().out
    assert "LLM Memory is installed." in out
    assert "Next: start `claude` in a project." in out


def test_a_second_install_changes_no_byte(sandbox: Sandbox) -> None:
    sandbox.settings.write_text(json.dumps(FOREIGN, indent=4), encoding="utf-8")
    sandbox.claude_md.write_text("# Mine", encoding="utf-8")
    assert setup.install() == 0
    before = snapshot(sandbox.home)
    assert setup.install() == 0
    assert snapshot(sandbox.home) == before


def test_foreign_settings_key_order_mode_and_indentation_survive(sandbox: Sandbox) -> None:
    sandbox.settings.write_text(json.dumps(FOREIGN, indent=4), encoding="utf-8")
    sandbox.settings.chmod(0o644)
    setup.install()
    text = sandbox.settings.read_text(encoding="utf-8")
    settings = json.loads(text)
    assert list(settings) == list(FOREIGN)
    assert settings["hooks"]["Stop"] == FOREIGN["hooks"]["Stop"]  # type: ignore[index]
    assert settings["permissions"]["allow"][0] == "Bash(ls)"
    assert text.startswith('{\n    "model"')
    assert stat.S_IMODE(sandbox.settings.stat().st_mode) == 0o644


def test_a_settings_file_that_is_a_link_stays_one_and_its_target_is_edited(sandbox: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "claude.json"
    target.parent.mkdir()
    target.write_text("{}\n", encoding="utf-8")
    sandbox.settings.symlink_to(target)
    setup.install()
    assert sandbox.settings.is_symlink()
    assert "session_start" in target.read_text(encoding="utf-8")


def test_a_broken_settings_file_is_left_alone_and_the_rest_is_done(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = b'{\n  "model": "opus",\n  // mine\n}\n'
    sandbox.settings.write_bytes(broken)
    assert setup.install() == 1
    assert sandbox.settings.read_bytes() == broken
    assert rules_block.has_block(sandbox.claude_md.read_bytes())
    assert sandbox.manage_calls() == ["sync", "doctor"]
    out = capsys.readouterr().out
    assert "installed, but not whole" in out
    assert "line 3, column 3" in out


def test_an_update_after_the_users_edit_keeps_the_edit_and_changes_nothing_else(sandbox: Sandbox) -> None:
    setup.install()
    settings = json.loads(sandbox.settings.read_text(encoding="utf-8"))
    settings["theme"] = "dark"
    settings["hooks"]["SessionStart"].insert(0, {"hooks": [{"type": "command", "command": "mine"}]})
    sandbox.settings.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    setup.install()
    again = json.loads(sandbox.settings.read_text(encoding="utf-8"))
    assert again["theme"] == "dark"
    assert again["hooks"]["SessionStart"][0]["hooks"][0]["command"] == "mine"
    assert json.dumps(again, sort_keys=True) == json.dumps(settings, sort_keys=True)


def test_our_block_is_added_to_the_users_claude_md_and_nothing_of_it_is_replaced(sandbox: Sandbox) -> None:
    sandbox.claude_md.write_bytes(b"# My rules\r\nBe brief.\r\n")
    setup.install()
    assert sandbox.claude_md.read_bytes().startswith(b"# My rules\r\nBe brief.\r\n\n<!-- LLM Memory: begin")


def test_an_edited_rules_file_is_kept_and_an_older_version_of_ours_is_replaced(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    setup.install()
    rules = Path(sandbox.folder.rules)
    shipped = rules.read_bytes()
    rules.write_bytes(shipped + b"\nAnd mine.\n")
    setup.install()
    assert rules.read_bytes() == shipped + b"\nAnd mine.\n"
    assert "config/CLAUDE.md was edited and is left as it is" in capsys.readouterr().out
    rules.write_bytes(b"an older text\n")
    note = Path(sandbox.folder.state, "install", "shipped.json")
    import hashlib

    note.write_text(json.dumps({"config/CLAUDE.md": hashlib.sha256(b"an older text\n").hexdigest()}), encoding="utf-8")
    setup.install()
    assert rules.read_bytes() == shipped


def test_the_skill_lies_where_claude_code_looks_for_skills(sandbox: Sandbox) -> None:
    setup.install()
    skill = sandbox.claude_dir / "skills" / "llm-memory" / "SKILL.md"
    assert skill.read_text("utf-8").startswith("---\nname: llm-memory\ndescription: ")
    assert skill.stat().st_mode & 0o777 == 0o600


def test_a_skill_of_that_name_that_is_the_users_own_is_left_alone(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    skill = sandbox.claude_dir / "skills" / "llm-memory" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("mine\n", "utf-8")
    setup.install()
    assert skill.read_text("utf-8") == "mine\n"
    assert "skills/llm-memory/SKILL.md was edited and is left as it is" in capsys.readouterr().out


def test_a_dry_run_lists_the_actions_and_changes_nothing(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.settings.write_text(json.dumps(FOREIGN), encoding="utf-8")
    sandbox.add_claude()
    before = snapshot(sandbox.home)
    assert setup.install(dry_run=True) == 0
    assert snapshot(sandbox.home) == before
    assert sandbox.claude_calls() == []
    assert sandbox.manage_calls() == []
    out = capsys.readouterr().out
    for action in (
        "edit ~/.claude/settings.json",
        "create ~/.claude/CLAUDE.md",
        "run claude mcp add-json",
        "run llm-memory sync",
    ):
        assert f"would {action}" in out
    assert "nothing was changed" in out


def test_llm_memory_disable_leaves_existing_transcripts_alone(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_MEMORY_DISABLE", "1")
    setup.install()
    assert sandbox.manage_calls() == ["doctor"]


def test_a_sync_or_doctor_that_fails_is_named_in_what_is_left(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_lib(exit_code=1)
    assert setup.install() == 0
    out = capsys.readouterr().out
    assert "run `llm-memory sync`" in out
    assert "doctor found something" in out


def test_other_folders_are_used_where_the_environment_names_them(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, data = tmp_path / "claude config", tmp_path / "the data"
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(config))
    monkeypatch.setenv("LLM_MEMORY_HOME", str(data))
    sandbox.add_claude()
    sandbox.lib.rename(tmp_path / "lib")
    data.mkdir()
    (tmp_path / "lib").rename(data / "lib")
    assert setup.install() == 0
    assert f"@{data}/config/CLAUDE.md".replace(" ", "\\ ") in (config / "CLAUDE.md").read_text(encoding="utf-8")
    assert f"{data}/lib/manage.py" in (config / "settings.json").read_text(encoding="utf-8")
    (call,) = sandbox.claude_calls()
    assert json.loads(call[3])["env"] == {"LLM_MEMORY_HOME": str(data)}
    launcher = (sandbox.home / ".local" / "bin" / "llm-memory").read_text(encoding="utf-8")
    assert f"export CLAUDE_CONFIG_DIR='{config}'" in launcher
    assert not sandbox.settings.exists()


def test_install_info_names_version_source_and_a_moved_claude_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9.8.7"\n', encoding="utf-8")
    setup.write_install_info(str(tmp_path), "https://example.org/llm-memory")
    info = json.loads((tmp_path / "install.json").read_text(encoding="utf-8"))
    assert (info["version"], info["source"]) == ("9.8.7", "https://example.org/llm-memory")
    assert info["claude_config_dir"] == str(tmp_path / "claude")


def test_the_commands_lie_where_claude_code_looks_for_them(sandbox: Sandbox) -> None:
    setup.install()
    folder = sandbox.claude_dir / "commands" / "llm-memory"
    assert {path.name for path in folder.iterdir()} == {f"{name}.md" for name in COMMANDS}
    assert (folder / "recall.md").read_text("utf-8").startswith("---\ndescription: ")


def test_a_plugin_that_is_on_too_is_named_with_the_command_that_removes_it(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.settings.write_text(json.dumps({"enabledPlugins": {"llm-memory@mine": True}}), encoding="utf-8")
    assert setup.install() == 0
    out = capsys.readouterr().out
    assert "the plugin llm-memory@mine is switched on in Claude Code; it stands aside" in out
    assert "claude plugin uninstall llm-memory@mine" in out
    assert json.loads(sandbox.settings.read_text(encoding="utf-8"))["enabledPlugins"] == {"llm-memory@mine": True}

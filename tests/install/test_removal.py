"""Uninstall and purge."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hooks import removal, setup
from tests.install.conftest import Sandbox, snapshot

MEMORY = ".claude/memory"
LEFT_BEHIND = (MEMORY, ".local")


def _user_files(sandbox: Sandbox) -> dict[str, tuple[int, bytes]]:
    return snapshot(sandbox.home, leave_out=LEFT_BEHIND)


@pytest.mark.parametrize(
    ("settings", "claude_md"),
    [
        (None, None),
        (b'{"model":"opus","permissions":{"allow":[]},"hooks":{}}', b"# Mine, no newline"),
        (b'{\r\n\t"a" : [1,2],\r\n\t"hooks": {"SessionEnd": []}\r\n}\r\n\r\n', b"\n\n# Mine\n\n\n"),
        (b"", b""),
    ],
)
def test_untouched_files_are_given_back_byte_for_byte(
    sandbox: Sandbox, settings: bytes | None, claude_md: bytes | None
) -> None:
    for path, data in ((sandbox.settings, settings), (sandbox.claude_md, claude_md)):
        if data is not None:
            path.write_bytes(data)
            path.chmod(0o640)
    before = _user_files(sandbox)
    assert setup.install() == 0
    assert setup.install() == 0
    assert removal.uninstall() == 0
    assert _user_files(sandbox) == before


def test_what_the_user_changed_since_stays_and_only_our_parts_go(sandbox: Sandbox) -> None:
    sandbox.settings.write_text('{\n  "model": "opus"\n}\n', encoding="utf-8")
    sandbox.claude_md.write_text("# Mine\n", encoding="utf-8")
    setup.install()
    settings = json.loads(sandbox.settings.read_text(encoding="utf-8"))
    settings["theme"] = "dark"
    settings["permissions"]["allow"].append("Bash(ls)")
    sandbox.settings.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    with sandbox.claude_md.open("a", encoding="utf-8") as file:
        file.write("Added later.\n")
    setup.install()
    assert removal.uninstall() == 0
    expected = {"model": "opus", "permissions": {"allow": ["Bash(ls)"]}, "theme": "dark"}
    assert sandbox.settings.read_text(encoding="utf-8") == json.dumps(expected, indent=2) + "\n"
    assert sandbox.claude_md.read_text(encoding="utf-8") == "# Mine\nAdded later.\n"


def test_files_that_came_with_us_stay_when_they_hold_the_users_own(sandbox: Sandbox) -> None:
    setup.install()
    settings = json.loads(sandbox.settings.read_text(encoding="utf-8"))
    sandbox.settings.write_text(json.dumps({"theme": "dark", **settings}, indent=2) + "\n", encoding="utf-8")
    with sandbox.claude_md.open("a", encoding="utf-8") as file:
        file.write("\nMine.\n")
    assert removal.uninstall() == 0
    assert json.loads(sandbox.settings.read_text(encoding="utf-8")) == {"theme": "dark"}
    assert sandbox.claude_md.read_text(encoding="utf-8").strip() == "Mine."


def test_a_file_the_user_deleted_is_not_brought_back(sandbox: Sandbox) -> None:
    sandbox.settings.write_text('{"a": 1}', encoding="utf-8")
    sandbox.claude_md.write_text("# Mine\n", encoding="utf-8")
    setup.install()
    sandbox.settings.unlink()
    sandbox.claude_md.unlink()
    assert removal.uninstall() == 0
    assert not sandbox.settings.exists()
    assert not sandbox.claude_md.exists()


def test_the_skill_goes_and_other_skills_stay(sandbox: Sandbox) -> None:
    setup.install()
    other = sandbox.claude_dir / "skills" / "other" / "SKILL.md"
    other.parent.mkdir()
    other.write_text("another\n", "utf-8")
    removal.uninstall()
    assert os.listdir(sandbox.claude_dir / "skills") == ["other"]


def test_the_commands_go_and_an_edited_one_and_the_users_own_stay(sandbox: Sandbox) -> None:
    setup.install()
    folder = sandbox.claude_dir / "commands" / "llm-memory"
    (folder / "mine.md").write_text("mine\n", "utf-8")
    (folder / "recall.md").write_text("my own recall\n", "utf-8")
    removal.uninstall()
    assert sorted(os.listdir(folder)) == ["mine.md", "recall.md"]


def test_an_edited_skill_is_kept_and_named(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    setup.install()
    skill = sandbox.claude_dir / "skills" / "llm-memory" / "SKILL.md"
    skill.write_text(skill.read_text("utf-8") + "\nAnd mine.\n", "utf-8")
    removal.uninstall()
    assert skill.exists()
    assert "skills/llm-memory/SKILL.md was edited and was kept" in capsys.readouterr().out


def test_code_and_commands_go_and_the_memory_stays(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    setup.install()
    record = Path(sandbox.folder.records, "0" * 32 + ".json")
    record.write_text("{}", encoding="utf-8")
    assert removal.uninstall() == 0
    left = {path.name for path in Path(sandbox.folder.root).iterdir()}
    assert left == {"records", "transcripts", "config", "trash", "state", ".stignore"}
    assert record.exists()
    assert not Path(sandbox.folder.state, "install").exists()
    assert list((sandbox.home / ".local" / "bin").iterdir()) == []
    assert "kept in ~/.claude/memory" in capsys.readouterr().out


def test_foreign_commands_and_a_foreign_lib_stay(sandbox: Sandbox) -> None:
    setup.install()
    (sandbox.lib / "install.json").unlink()
    command = sandbox.home / ".local" / "bin" / "llm-memory"
    command.write_text("another", encoding="utf-8")
    removal.uninstall()
    assert sandbox.lib.is_dir()
    assert command.read_text(encoding="utf-8") == "another"


def test_a_broken_settings_file_is_left_and_a_later_uninstall_finishes(sandbox: Sandbox) -> None:
    sandbox.settings.write_text('{"a": 1}', encoding="utf-8")
    setup.install()
    ours = sandbox.settings.read_bytes()
    sandbox.settings.write_bytes(b"{broken")
    assert removal.uninstall() == 1
    assert sandbox.settings.read_bytes() == b"{broken"
    sandbox.settings.write_bytes(ours)
    assert removal.uninstall() == 0
    assert sandbox.settings.read_bytes() == b'{"a": 1}'


def test_a_dry_run_changes_nothing(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    setup.install()
    before = snapshot(sandbox.home)
    assert removal.uninstall(purge=True, dry_run=True) == 0
    assert snapshot(sandbox.home) == before
    said = capsys.readouterr().out
    assert "would remove ~/.claude/memory/records" in said
    assert "stay." not in said


def test_a_dry_run_says_that_the_memories_stay(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    setup.install()
    capsys.readouterr()
    assert removal.uninstall(dry_run=True) == 0
    assert "Dry run: nothing was changed.\nYour memories in ~/.claude/memory stay.\n" in capsys.readouterr().out


def test_purge_refuses_without_a_terminal_and_without_yes(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    setup.install()
    before = snapshot(sandbox.home)
    assert removal.uninstall(purge=True) == 1
    assert "say --yes" in capsys.readouterr().err
    assert snapshot(sandbox.home) == before


def test_purge_with_yes_removes_the_whole_data_folder(sandbox: Sandbox) -> None:
    setup.install()
    Path(sandbox.folder.records, "0" * 32 + ".json").write_text("{}", encoding="utf-8")
    assert removal.uninstall(purge=True, yes=True) == 0
    assert not Path(sandbox.folder.root).exists()
    assert _user_files(sandbox) == {".claude": _user_files(sandbox)[".claude"]}


def test_purge_keeps_what_is_not_ours_and_names_it(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    setup.install()
    mine = Path(sandbox.folder.root, "thesis.txt")
    mine.write_text("mine", encoding="utf-8")
    assert removal.uninstall(purge=True, yes=True) == 0
    assert [path.name for path in Path(sandbox.folder.root).iterdir()] == ["thesis.txt"]
    assert "still holds what is not ours: thesis.txt" in capsys.readouterr().out


def test_purge_refuses_a_folder_that_is_not_a_data_folder(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "documents"
    (other / "state").mkdir(parents=True)
    monkeypatch.setenv("LLM_MEMORY_HOME", str(other))
    assert removal.uninstall(purge=True, yes=True) == 1
    assert (other / "state").is_dir()
    assert "does not look like" in capsys.readouterr().err


def test_purge_after_an_uninstall_removes_what_the_uninstall_kept(sandbox: Sandbox) -> None:
    setup.install()
    assert removal.uninstall() == 0
    assert removal.uninstall(purge=True, yes=True) == 0
    assert not Path(sandbox.folder.root).exists()

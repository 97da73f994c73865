"""`llm-memory update` and `llm-memory uninstall` as people type them."""

from __future__ import annotations

import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from hooks import plugin
from memories.core import update_state
from memories.core.errors import LLMMemoryError, LockTimeoutError, SettingsError, UpdateError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from memories.terminal import table, uninstall, update
from memories.terminal.command import Command
from memories.update import trial
from tests.install.conftest import Sandbox, sandbox, snapshot  # noqa: F401 - a fixture
from tests.install.updates import add_lib, commit, git, installed_version, write_tree


class Remote:
    """The git remote that an installation of 2.0.0 came from, with 2.1.0 in it."""

    def __init__(self, folder: DataFolder, tmp_path: Path) -> None:
        self.folder = folder
        self.tree = write_tree(tmp_path / "remote", "2.0.0")
        self.repo = f"file://{self.tree}"
        add_lib(folder, tmp_path / "python.log", repo=self.repo, commit=commit(self.tree, "v2.0.0"))
        self.publish("2.1.0")

    def publish(self, version: str, **how: Any) -> None:
        commit(write_tree(self.tree, version, repo=self.repo, **how), f"v{version}")


@pytest.fixture
def remote(folder: DataFolder, tmp_path: Path) -> Remote:
    return Remote(folder, tmp_path)


def run(command: type[Command], *words: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr)."""
    out, err = StringIO(), StringIO()
    code = command(stdout=out, stderr=err).run("llm-memory x", list(words))
    return code, out.getvalue(), err.getvalue()


def test_check_says_what_is_there_and_changes_nothing(remote: Remote) -> None:
    before = snapshot(Path(remote.folder.lib))
    code, out, _ = run(update.Command, "--check")
    assert code == 0
    assert out.startswith("2.1.0 is there, this is 2.0.0 (")
    assert "llm-memory update" in out
    answer = json.loads(run(update.Command, "--check", "--json")[1])
    assert (answer["newer"], answer["newest"]["version"], answer["repo"]) == (True, "2.1.0", remote.repo)
    assert snapshot(Path(remote.folder.lib)) == before


def test_an_update_says_what_it_does_and_what_is_new(remote: Remote) -> None:
    code, out, _ = run(update.Command)
    assert code == 0
    assert "  fetch 2.1.0 from file://" in out
    assert "- New in 2.1.0.[31m\n" in out  # without the escape that the changelog had
    assert out.splitlines()[-1].startswith("Updated from 2.0.0 (")
    assert installed_version(remote.folder) == "2.1.0"
    code, out, _ = run(update.Command)
    assert (code, out) == (0, "2.1.0 is installed already.\n")
    assert "is the newest that" in run(update.Command, "--check")[1]


def test_json_is_all_that_stdout_gets(remote: Remote) -> None:
    code, out, err = run(update.Command, "--json")
    answer = json.loads(out)
    assert (code, answer["status"], answer["to"], answer["whole"]) == (0, "updated", "2.1.0", True)
    assert answer["changes"][0] == "## [2.1.0] - 2026-12-01"
    assert "installing for" in err
    assert json.loads(run(update.Command, "--json")[1])["status"] == "up to date"


def test_a_dry_run_says_what_would_be_done(remote: Remote) -> None:
    before = snapshot(Path(remote.folder.root))
    code, out, _ = run(update.Command, "--dry-run")
    assert code == 0
    assert out.startswith("would fetch 2.1.0 from file://")
    assert json.loads(run(update.Command, "--dry-run", "--json")[1])["to"] == "2.1.0"
    assert "nothing to go back to" in run(update.Command, "--dry-run", "--rollback")[1]
    assert snapshot(Path(remote.folder.root)) == before


def test_what_is_taken_back_is_said_with_the_reason(remote: Remote) -> None:
    remote.publish("2.2.0", failing=None)
    code, out, _ = run(update.Command)
    assert code == 1
    assert out.splitlines()[-1].startswith("2.2.0 was taken back: the new version does not start. 2.0.0 (")
    assert installed_version(remote.folder) == "2.0.0"
    answer = json.loads(run(update.Command, "--to", "2.2.0", "--json")[1])
    assert (answer["status"], answer["trouble"]) == ("rolled back", "the new version does not start")


def test_what_was_taken_back_is_not_installed_again_unless_it_is_named(remote: Remote) -> None:
    remote.publish("2.2.0", failing=None)
    run(update.Command)
    for words in (["--check"], ["--dry-run"], []):
        code, out, _ = run(update.Command, *words)
        assert code == 0
        assert "2.2.0 is there, and was left or taken back before; 2.0.0 (" in out
        assert "llm-memory update --to 2.2.0" in out
    answer = json.loads(run(update.Command, "--check", "--json")[1])
    assert (answer["newer"], answer["declined"]) == (False, "2.2.0")
    answer = json.loads(run(update.Command, "--json")[1])
    assert (answer["status"], answer["declined"]) == ("up to date", "2.2.0")
    write_tree(remote.tree, "2.2.0", repo=remote.repo)
    commit(remote.tree)
    git(remote.tree, "tag", "--force", "v2.2.0")
    assert run(update.Command, "--to", "2.2.0")[0] == 0
    assert "is the newest that" in run(update.Command, "--check")[1]


def test_the_json_of_a_check_has_the_commit_of_the_version_that_it_names(remote: Remote) -> None:
    commit(write_tree(remote.tree, "2.1.1"))
    newest = json.loads(run(update.Command, "--check", "--json")[1])["newest"]
    assert newest == {"version": "2.1.0", "commit": git(remote.tree, "rev-parse", "v2.1.0^{commit}")}


def test_an_interrupted_update_is_checked_before_anything_else(remote: Remote) -> None:
    lib = Path(remote.folder.lib)
    trial.begin(remote.folder, set())
    shutil.copytree(lib, lib.with_name("new"))
    lib.rename(lib.with_name("lib.previous"))
    lib.with_name("new").rename(lib)
    (lib / "install.json").write_text('{"version": "2.1.0"}', encoding="utf-8")
    (lib / "doctor.json").unlink()
    code, out, _ = run(update.Command)
    assert code == 0
    assert "2.1.0 was taken back: the new version does not start. 2.0.0 (" in out
    assert "update --to 2.1.0" in out
    assert installed_version(remote.folder) == "2.0.0"


@pytest.mark.parametrize(
    "address",
    [
        "http://user:S3CRETpw@example.invalid/x.git",
        "ftp://user:S3CRETpw@example.invalid/x",
        "x::https://user:S3CRETpw@example.invalid/x",
        "https:/user:S3CRETpw@example.invalid/x",
        "https://user:S3CRETpw@example.invalid/releases/",
        "http://example.invalid/x?token=S3CRETpw",
    ],
)
def test_a_password_in_an_address_that_is_refused_is_not_shown(
    remote: Remote, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("LLM_MEMORY_REPO", address)
    for words in (["--check"], []):
        with pytest.raises(UpdateError, match="give one of") as raised:
            run(update.Command, *words)
        assert "S3CRET" not in str(raised.value)
    assert "S3CRET" not in json.dumps(update_state.read(remote.folder))


def test_to_names_a_version_and_rollback_goes_back(remote: Remote) -> None:
    remote.publish("2.2.0")
    assert run(update.Command, "--to", "2.1.0")[0] == 0
    assert installed_version(remote.folder) == "2.1.0"
    code, out, _ = run(update.Command, "--rollback")
    assert code == 0
    assert out.splitlines()[-1].startswith("Back from 2.1.0 to 2.0.0 (")
    assert installed_version(remote.folder) == "2.0.0"
    answer = json.loads(run(update.Command, "--rollback", "--json")[1])
    assert (answer["status"], answer["to"]) == ("rolled back", "2.1.0")
    with pytest.raises(UpdateError, match=r"no version 9\.0\.0; there are 2\.2\.0, 2\.1\.0, 2\.0\.0"):
        run(update.Command, "--to", "9.0.0")


def test_one_update_at_a_time(remote: Remote) -> None:
    with (
        FileLock(f"{remote.folder.state}/update.lock"),
        pytest.raises(LockTimeoutError, match="try again"),
    ):
        run(update.Command)


def test_what_was_installed_from_a_folder_says_how_it_is_updated(
    folder: DataFolder, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = Path(folder.lib, "install.json")
    about.write_text('{"version": "2.0.0", "kind": "folder", "repo": "", "commit": ""}', encoding="utf-8")
    for words in ([], ["--check"], ["--dry-run"]):
        with pytest.raises(UpdateError, match=r"run \./install\.sh of a newer clone"):
            run(update.Command, *words)
    monkeypatch.setenv("LLM_MEMORY_REPO", remote.repo)
    assert "2.1.0 is there" in run(update.Command, "--check")[1]


def test_a_clone_that_is_not_installed_says_so(folder: DataFolder) -> None:
    with pytest.raises(UpdateError, match="git pull"):
        run(update.Command)


@pytest.mark.parametrize("words", [(), ("--check",), ("--rollback",), ("--dry-run",), ("--json",)])
def test_the_plugin_is_updated_by_claude_code_which_is_said(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv(plugin.VARIABLE, str(tmp_path))
    with pytest.raises(UpdateError) as refused:
        run(update.Command, *words)
    assert "`claude plugin update llm-memory@llm-memory`" in str(refused.value)
    assert "install.sh" not in str(refused.value)


def test_a_failed_check_is_an_error_and_noted(remote: Remote) -> None:
    remote.tree.rename(remote.tree.with_name("away"))
    with pytest.raises(LLMMemoryError, match="git ls-remote failed"):
        run(update.Command, "--check")
    assert "git ls-remote failed" in update_state.read(remote.folder)["error"]


def test_uninstall_takes_the_program_away_and_leaves_the_memories(sandbox: Sandbox) -> None:  # noqa: F811
    sandbox.folder.create()
    previous = Path(sandbox.folder.lib + ".previous")
    previous.mkdir()
    Path(sandbox.folder.records, "kept").touch()
    answer = json.loads(run(uninstall.Command, "--dry-run", "--json")[1])
    assert answer["dry_run"]
    assert any("would remove ~/.claude/memory/lib.previous" in line for line in answer["said"])
    assert previous.exists()
    code, out, _ = run(uninstall.Command, "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    assert not sandbox.lib.exists()
    assert not previous.exists()
    assert Path(sandbox.folder.records, "kept").exists()


def test_a_purge_as_json_is_never_asked_about(sandbox: Sandbox) -> None:  # noqa: F811
    with pytest.raises(SettingsError, match="say --yes"):
        run(uninstall.Command, "--purge", "--json")
    assert sandbox.lib.exists()


def test_the_plugin_is_not_uninstalled_here_but_by_claude_code(
    sandbox: Sandbox,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    sandbox.folder.create()
    (sandbox.lib / "install.json").unlink(missing_ok=True)
    monkeypatch.setenv(plugin.VARIABLE, str(tmp_path))
    code, out, _ = run(uninstall.Command, "--json")
    answer = json.loads(out)
    assert (code, answer["ok"]) == (1, False)
    assert "claude plugin uninstall llm-memory@llm-memory" in " ".join(answer["said"])


def test_the_older_name_of_uninstall_still_works() -> None:
    assert table.module("remove_claude") == table.module("uninstall")
    assert "remove_claude" not in table.COMMANDS

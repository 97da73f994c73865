"""`llm-memory export` and `llm-memory import` as a user runs them: whole processes."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from memories.core.paths import DataFolder
from tests.core.bundles import as_exported, bundle_of, contents, data_folder, fill
from tests.core.transcript_lines import SESSION
from tests.terminal.cli import Cli


@pytest.fixture
def cli(tmp_path: Path, folder: DataFolder) -> Cli:
    return Cli(tmp_path, folder)


@pytest.fixture
def other(tmp_path: Path) -> DataFolder:
    """A second machine's data folder."""
    return data_folder(tmp_path / "other")


def test_what_is_exported_here_is_imported_there(
    cli: Cli, folder: DataFolder, other: DataFolder, tmp_path: Path
) -> None:
    fill(folder)
    target = str(tmp_path / "all.tar.gz")
    said = cli.run("export", target)
    assert f"Exported to {target}: 3 memories, 1 deleted memory, 2 sessions (5 files), rules, settings\n" in said
    digest = subprocess.run(["sha256sum", target], capture_output=True, text=True, check=True).stdout.split()[0]
    assert f"{os.path.getsize(target)} bytes, sha256 {digest}\n" in said
    said = cli.run("import", target, LLM_MEMORY_HOME=other.root)
    assert said.startswith("Imported 11 files, ")
    assert "  Memories: 3 new\n" in said
    assert as_exported(other) == contents(folder)
    assert "  Memories: 3 same\n" in cli.run("import", target, LLM_MEMORY_HOME=other.root)


def test_a_dry_run_says_what_it_would_do(cli: Cli, folder: DataFolder, other: DataFolder, tmp_path: Path) -> None:
    fill(folder)
    cli.run("export", str(tmp_path / "all.tar"))
    said = cli.run("import", str(tmp_path / "all.tar"), "--dry-run", LLM_MEMORY_HOME=other.root)
    assert said.startswith("Would import 11 files, ")
    assert contents(other) == {}


def test_a_bundle_goes_through_pipes_and_says_so_beside_them(
    cli: Cli, folder: DataFolder, other: DataFolder, tmp_path: Path
) -> None:
    fill(folder)
    with subprocess.Popen(
        cli.command("export", "-"), env=cli.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as export:
        into = subprocess.run(
            cli.command("import", "-"), stdin=export.stdout, capture_output=True, text=True, check=True,
            env={**cli.env, "LLM_MEMORY_HOME": other.root},
        )  # fmt: skip
        assert export.stderr is not None
        assert b"Exported to stdout: 3 memories" in export.stderr.read()
    assert into.stdout.startswith("Imported 11 files, ")
    assert as_exported(other) == contents(folder)


@pytest.mark.parametrize(
    ("arguments", "said"), [(("export", "-"), "no text for a terminal"), (("import", "-"), "No bundle comes in")]
)
def test_a_bundle_is_not_written_to_a_terminal_nor_read_from_one(
    cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    main, child = pty.openpty()
    done = subprocess.run(
        cli.command(*arguments), stdin=child, stdout=child, stderr=subprocess.PIPE, check=False, env=cli.env
    )
    os.close(main)
    os.close(child)
    assert done.returncode == 1
    assert said in done.stderr.decode()


def test_a_bundle_that_is_refused_is_one_line_and_nothing_is_touched(
    cli: Cli, folder: DataFolder, tmp_path: Path
) -> None:
    fill(folder)
    before = contents(folder)
    hostile = tmp_path / "hostile.tar"
    hostile.write_bytes(bundle_of({"../outside": b"x", f"transcripts/{SESSION}.jsonl": b"x"}))
    said = cli.run("import", str(hostile), code=1)
    assert said.startswith(f"Error: {hostile}: ")
    assert "Nothing was imported" in said
    assert said.count("\n") == 1
    assert contents(folder) == before
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    "arguments", [("import", "no-such-file.tar"), ("import", "."), ("export", ".", "--force", "--format", "bundle")]
)
def test_a_file_that_is_none_is_one_line(cli: Cli, arguments: tuple[str, ...]) -> None:
    said = cli.run(*arguments, code=1)
    assert said.startswith("Error: ")
    assert said.count("\n") == 1

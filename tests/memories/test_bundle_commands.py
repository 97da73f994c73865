"""`llm-memory export` and `llm-memory import` as a user runs them: whole processes."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from memories.core import records
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.core.bundles import as_exported, bundle_of, contents, data_folder, fill, members_of
from tests.core.transcript_lines import SESSION
from tests.memories.conversations import archive, log, session_id, talk
from tests.memories.test_commands import Cli


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


def test_an_existing_file_is_replaced_only_with_force(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "all.tar"
    target.write_text("mine", encoding="utf-8")
    assert "pass --force to replace it" in cli.run("export", str(target), code=1)
    assert target.read_text(encoding="utf-8") == "mine"
    cli.run("export", str(target), "--force")
    assert list(members_of(target)) == ["manifest.json"]


def test_copies_are_merged_before_and_what_cannot_be_is_named(
    cli: Cli, folder: DataFolder, make_record: MakeRecord, tmp_path: Path
) -> None:
    uuid = make_record("one", origin="a")["uuid"]
    path = Path(folder.records, f"{uuid}.json")
    path.rename(Path(folder.records, f"{uuid}.sync-conflict-20260314-091244-ABCDEFG.json"))
    make_record("other", uuid=uuid, origin="b")
    Path(folder.records, f"{'e' * 32}.sync-conflict-20260314-091244-ABCDEFG.json").write_text("{", encoding="utf-8")
    said = cli.run("export", str(tmp_path / "all.tar"))
    assert "2 memories" in said
    assert f"left out: records/{'e' * 32}.sync-conflict-20260314-091244-ABCDEFG.json: " in said
    assert said.count("e" * 32) == 1


def test_only_one_projects_memories_and_sessions(
    cli: Cli, folder: DataFolder, make_record: MakeRecord, tmp_path: Path
) -> None:
    fill(folder)
    shop = {"project": "shop", "project_id": "git:example.org/shop"}
    kept = [make_record("of the shop", **shop)["uuid"], make_record("old one", project="Shop")["uuid"]]
    gone = make_record("deleted of the shop", **shop)["uuid"]
    records.delete(folder, gone)
    make_record("of another", project="orders-api", session_id=session_id(1))
    for number, project in ((1, "shop"), (2, "orders-api")):
        archive(folder, talk("hello", "yes", number=number))
        log(make_record, number, project, f"git:example.org/{project}")
    target = tmp_path / "shop.tar"
    said = cli.run("export", str(target), "--project", "shop")
    assert "4 memories" not in said
    assert "3 memories, 1 deleted memory, 1 session (1 file)\n" in said
    names = set(members_of(target))
    assert names >= {f"records/{uuid}.json" for uuid in kept} | {f"trash/{gone}.json", "manifest.json"}
    assert [name for name in names if name.startswith("transcripts/")] == [f"transcripts/{session_id(1)}.jsonl"]
    assert not [name for name in names if name.startswith("config/")]


def test_a_project_that_is_not_there_is_one_line(cli: Cli, tmp_path: Path) -> None:
    said = cli.run("export", str(tmp_path / "x.tar"), "--project", "nothing-of-that-name", code=1)
    assert said.startswith("Error: No memory and no session is of a project called 'nothing-of-that-name'")
    assert not (tmp_path / "x.tar").exists()


def test_transcripts_can_stay_out(cli: Cli, folder: DataFolder, tmp_path: Path) -> None:
    fill(folder)
    said = cli.run("export", str(tmp_path / "small.tar"), "--no-transcripts")
    assert "0 sessions (0 files), rules, settings\n" in said
    assert not [name for name in members_of(tmp_path / "small.tar") if name.startswith("transcripts/")]


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


@pytest.mark.parametrize("arguments", [("import", "no-such-file.tar"), ("import", "."), ("export", ".", "--force")])
def test_a_file_that_is_none_is_one_line(cli: Cli, arguments: tuple[str, ...]) -> None:
    said = cli.run(*arguments, code=1)
    assert said.startswith("Error: ")
    assert said.count("\n") == 1


def test_the_help_says_what_is_in_a_bundle(cli: Cli) -> None:
    said = " ".join(cli.run("export", "--help").split())
    assert "every transcript, the rules and the settings" in said
    assert "its sessions' logs and transcripts; no rules, no settings" in said
    assert "verified first" in cli.run("import", "--help")


def test_raw_transcripts_in_a_bundle_are_said(cli: Cli, folder: DataFolder, tmp_path: Path) -> None:
    fill(folder)
    said = "Transcripts went in raw, with any secrets they hold: --redact overwrites what looks like one\n"
    assert said in cli.run("export", str(tmp_path / "raw.tar"))
    assert said not in cli.run("export", str(tmp_path / "masked.tar"), "--redact")
    assert said not in cli.run("export", str(tmp_path / "none.tar"), "--no-transcripts")

"""`llm-memory export` as a user runs it, in this process."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from memories.core import records
from memories.core.errors import LLMMemoryError, ProjectError, StorageError
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.core.bundles import fill, members_of
from tests.exporters.exporting import SECRET, narrative, work
from tests.memories.conversations import archive, log, session_id, talk
from tests.terminal.running import call, said

SHOP = {"project": "shop", "project_id": "git:example.org/shop"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is no project's."""
    monkeypatch.chdir(tmp_path)


def report(*words: str) -> dict[str, Any]:
    """What --json tells."""
    found: dict[str, Any] = json.loads(said("export", *words, "--json"))
    return found


# Bundles


def test_an_existing_file_is_replaced_only_with_force(folder: DataFolder, tmp_path: Path) -> None:
    target = tmp_path / "all.tar"
    target.write_text("mine", encoding="utf-8")
    with pytest.raises(StorageError, match="pass --force to replace it"):
        said("export", str(target))
    assert target.read_text(encoding="utf-8") == "mine"
    said("export", str(target), "--force")
    assert list(members_of(target)) == ["manifest.json"]


@pytest.mark.parametrize(
    "words",
    [
        ["memory/all.tar.gz"], ["memory/records/a.jsonl", "--force"], ["memory/a.html", "--project", "shop"],
        ["link/all.tar"], ["memory/notes/"], ["memory/../memory/lib/a.jsonl"],
    ],
)  # fmt: skip
def test_nothing_is_exported_into_the_data_folder(
    folder: DataFolder, make_record: MakeRecord, tmp_path: Path, words: list[str]
) -> None:
    make_record("x", **SHOP)
    (tmp_path / "link").symlink_to(folder.records)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StorageError, match="is in the data folder: export to another place"):
        said("export", *words)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["all.tar.gz", "a.jsonl", "a.html"])
def test_what_a_link_leads_to_is_never_replaced(
    folder: DataFolder, make_record: MakeRecord, tmp_path: Path, name: str
) -> None:
    make_record("x", **SHOP)
    precious = tmp_path / "precious.txt"
    precious.write_text("precious", encoding="utf-8")
    (tmp_path / name).symlink_to(precious)
    scope = ["--project", "shop"] if name == "a.html" else []
    with pytest.raises(StorageError, match=f"{name} is a link to {precious}"):
        said("export", name, "--force", *scope)
    assert precious.read_text(encoding="utf-8") == "precious"


def test_copies_are_merged_before_and_what_cannot_be_is_named(
    folder: DataFolder, make_record: MakeRecord, tmp_path: Path
) -> None:
    uuid = make_record("one", origin="a")["uuid"]
    path = Path(folder.records, f"{uuid}.json")
    path.rename(Path(folder.records, f"{uuid}.sync-conflict-20260314-091244-ABCDEFG.json"))
    make_record("other", uuid=uuid, origin="b")
    Path(folder.records, f"{'e' * 32}.sync-conflict-20260314-091244-ABCDEFG.json").write_text("{", encoding="utf-8")
    told = said("export", str(tmp_path / "all.tar"))
    assert "2 memories" in told
    assert f"left out: records/{'e' * 32}.sync-conflict-20260314-091244-ABCDEFG.json: " in told
    assert told.count("e" * 32) == 1


def test_only_one_projects_memories_and_sessions(
    memory_home: DataFolder, make_record: MakeRecord, tmp_path: Path
) -> None:
    folder = memory_home
    fill(folder)
    kept = [make_record("of the shop", **SHOP)["uuid"], make_record("old one", project="Shop")["uuid"]]
    gone = make_record("deleted of the shop", **SHOP)["uuid"]
    records.delete(folder, gone)
    make_record("of another", project="orders-api", session_id=session_id(1))
    for number, project in ((1, "shop"), (2, "orders-api")):
        archive(folder, talk("hello", "yes", number=number))
        log(make_record, number, project, f"git:example.org/{project}")
    target = tmp_path / "shop.tar"
    told = said("export", str(target), "--project", "shop")
    assert "3 memories, 1 deleted memory, 1 session (1 file)\n" in told
    names = set(members_of(target))
    assert names >= {f"records/{uuid}.json" for uuid in kept} | {f"trash/{gone}.json", "manifest.json"}
    assert [name for name in names if name.startswith("transcripts/")] == [f"transcripts/{session_id(1)}.jsonl"]
    assert not [name for name in names if name.startswith("config/")]


@pytest.mark.parametrize("name", ["x.tar", "x.jsonl", "x.html"])
def test_a_project_that_is_not_there_is_one_line(memory_home: DataFolder, tmp_path: Path, name: str) -> None:
    with pytest.raises(ProjectError, match="No memory and no session is of a project called 'nothing-of-that-name'"):
        said("export", str(tmp_path / name), "--project", "nothing-of-that-name")
    assert not (tmp_path / name).exists()


def test_transcripts_can_stay_out(folder: DataFolder, tmp_path: Path) -> None:
    fill(folder)
    told = said("export", str(tmp_path / "small.tar"), "--no-transcripts")
    assert "0 sessions (0 files), rules, settings\n" in told
    assert not [name for name in members_of(tmp_path / "small.tar") if name.startswith("transcripts/")]


def test_raw_transcripts_in_a_bundle_are_said(folder: DataFolder, tmp_path: Path) -> None:
    fill(folder)
    told = "Transcripts went in raw, with any secrets they hold: --redact overwrites what looks like one\n"
    assert told in said("export", str(tmp_path / "raw.tar"))
    assert told not in said("export", str(tmp_path / "masked.tar"), "--redact")
    assert told not in said("export", str(tmp_path / "none.tar"), "--no-transcripts")


def test_a_bundles_report_as_json(folder: DataFolder, make_record: MakeRecord, tmp_path: Path) -> None:
    fill(folder)
    make_record(f"The key is {SECRET}.")
    found = report(str(tmp_path / "all.tgz"))
    assert found["format"] == "bundle"
    assert found["counts"]["record"] == 4
    assert found["bytes"] == (tmp_path / "all.tgz").stat().st_size
    assert (found["sessions"], found["secrets_replaced"], found["transcripts_raw"]) == (2, 1, True)
    assert (found["left_out"], found["not_merged"], found["hint"]) == ([], [], None)
    assert (tmp_path / "all.tgz").read_bytes()[:2] == b"\x1f\x8b"


# To read


def everything(folder: DataFolder, make_record: MakeRecord) -> None:
    narrative(folder, "# Old", "2026-03-01T00:00:00", status="archived")
    narrative(folder, "# Shop", "2026-03-02T00:00:00")
    make_record("A note.", session_id=session_id(1), **SHOP)
    archive(folder, work(1))
    log(make_record, 1, **SHOP)


def test_what_was_written_is_said(folder: DataFolder, make_record: MakeRecord) -> None:
    everything(folder, make_record)
    hidden = "1 archived or superseded memory left out: --include-archived takes them too\n"
    assert said("export", "notes/") == (
        f"Exported to notes/: 3 memories\nFiles: 5 written, 0 as before, 0 removed\n{hidden}"
    )
    told = said("export", "notes", "--include-archived", "--transcripts")
    assert told.startswith("Exported to notes: 4 memories, 1 conversation\nFiles: ")
    assert said("export", "all.jsonl") == f"Exported to all.jsonl: 3 memories\n{hidden}"
    assert said("export", "p.html", "--project", "shop") == f"Exported to p.html: 3 memories\n{hidden}"
    told = said("export", "s.html", "--session", session_id(1)[:-1])
    assert told == "Exported to s.html: 2 memories, 4 lines of the conversation\n"


def test_the_same_as_json(folder: DataFolder, make_record: MakeRecord) -> None:
    everything(folder, make_record)
    Path(folder.records, f"{'e' * 32}.json").write_text("{", encoding="utf-8")
    found = report("notes/")
    assert found["counts"] == {"memories": 3, "conversations": 0, "written": 5, "unchanged": 0, "removed": 0}
    assert (found["format"], found["path"], found["archived_left_out"]) == ("markdown", "notes/", 1)
    assert [one["path"] for one in found["left_out"]] == [f"{'e' * 32}.json"]
    Path("notes/shop/A note.md").write_text("edited", encoding="utf-8")
    make_record("Changes the index.", **SHOP)
    assert report("notes/")["edited"] == ["shop/A note.md"]
    assert "  left as you edited it: shop/A note.md\n" in said("export", "notes/")


def test_lines_go_to_stdout_and_the_report_beside_them(
    folder: DataFolder, make_record: MakeRecord, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    make_record("A note.")
    err = StringIO()
    assert call("export", "-", "--format", "jsonl", stderr=err) == 0
    assert json.loads(capfdbinary.readouterr().out)["content"] == "A note."
    assert err.getvalue() == "Exported to stdout: 1 memory\n"
    err = StringIO()
    assert call("export", "-", "--format", "jsonl", "--json", stderr=err) == 0
    assert json.loads(err.getvalue())["counts"] == {"memories": 1}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["backup"], "--format"),
        (["a.tar", "--session", "7b1e2f04"], "--format html"),
        (["a.html"], "one session or of one project"),
        (["a.html", "--session", "7b1e2f04", "--project", "p"], "one session or of one project"),
        (["a.html", "--session", "7b1e2f04", "--no-transcripts"], "leave --no-transcripts away"),
        (["a.html", "--project", "p", "--transcripts"], "leave --transcripts away"),
        (["a.jsonl", "--transcripts"], "leave --transcripts away"),
        (["-", "--format", "markdown"], "cannot go to stdout"),
        (["a.html", "--session", "7b1e2f04"], "No session 7b1e2f04"),
    ],
)
def test_what_cannot_be_had_is_said_before_anything_is_written(
    folder: DataFolder, tmp_path: Path, words: list[str], told: str
) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(LLMMemoryError, match=told):
        said("export", *words)
    assert sorted(tmp_path.iterdir()) == before


def test_the_help_says_what_is_in_an_export(folder: DataFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("export", "--help") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "every transcript, the rules and the settings" in told
    assert "its sessions' logs and transcripts; no rules, no settings" in told
    assert "opens in Obsidian" in told

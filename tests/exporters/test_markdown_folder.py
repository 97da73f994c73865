from __future__ import annotations

import os
from pathlib import Path

import pytest

from memories.core import records, transcripts
from memories.core.errors import ProjectError
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.exporters.exporting import SECRET, SHOP, assert_links_resolve, export, files_in, manifest, narrative, work
from tests.memories.conversations import archive, log, session_id, talk


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "notes"


def fill(folder: DataFolder, make_record: MakeRecord) -> dict[str, str]:
    """A narrative with its older version, notes with links, a session with its log, another project, none."""
    made = {
        "first": make_record("Deploys: on *Tuesdays*.", created_at="2026-03-02T00:00:00", tags="deploy", **SHOP),
        "lone": make_record("A note of no project.", created_at="2026-03-03T00:00:00"),
        "other": make_record("Of another.", project="Café/Bar", created_at="2026-03-04T00:00:00"),
    }
    found = {name: record["uuid"] for name, record in made.items()}
    found["old"] = narrative(folder, "# Shop\n\nOld.", "2026-03-01T00:00:00", status="archived")
    links = [("old", "supersedes"), ("first", "related_to"), ("other", "related_to")]
    connections = [{"to_uuid": found[to], "relationship": how} for to, how in links]
    connections.append({"to_uuid": "e" * 32, "relationship": "related_to"})
    found["narrative"] = narrative(folder, "# Shop\n\nThe story.", "2026-03-05T00:00:00", connections=connections)
    archive(folder, work(1))
    log(make_record, 1, "shop", SHOP["project_id"])
    return found


def test_every_memory_is_a_file_and_every_link_leads_to_one(
    folder: DataFolder, make_record: MakeRecord, place: Path
) -> None:
    fill(folder, make_record)
    report = export(folder, "markdown", place)
    found = files_in(place)
    day = next(path for path in found if "Session logs" in path)
    assert set(found) == {
        "LLM Memory index.md", "shop/shop index.md", "shop/Shop.md", "shop/Deploys on Tuesdays.md", day,
        "Café Bar/Café Bar index.md", "Café Bar/Of another.md", "No project/No project index.md",
        "No project/A note of no project.md",
    }  # fmt: skip
    assert report.counts == {"memories": 5, "conversations": 0, "written": 9, "unchanged": 0, "removed": 0}
    assert report.left_out == 1
    assert_links_resolve(place)
    assert "- related to [[shop/Deploys on Tuesdays|Deploys: on *Tuesdays*.]]\n" in found["shop/Shop.md"]
    assert "- related to [[Café Bar/Of another|Of another.]]\n" in found["shop/Shop.md"]
    assert f"- related to `{'e' * 32}`, not there\n" in found["shop/Shop.md"]
    assert "- related to [[shop/Shop|Shop]]\n" in found["shop/Deploys on Tuesdays.md"]
    assert "project: null" in found["No project/A note of no project.md"]
    assert found["LLM Memory index.md"].count("[[") == 3


def test_archived_and_superseded_ones_come_when_asked_for(
    folder: DataFolder, make_record: MakeRecord, place: Path
) -> None:
    fill(folder, make_record)
    report = export(folder, "markdown", place, archived=True)
    assert report.left_out == 0
    assert_links_resolve(place)
    found = files_in(place)
    assert 'status: "archived"' in found["shop/Shop.md"]  # the older had the title first
    assert "## Archived and superseded\n\n- 2026-03-01 [[shop/Shop|Shop]]\n" in found["shop/shop index.md"]
    assert export(folder, "markdown", place).counts["removed"] == 1


def test_a_second_export_changes_nothing_and_names_stay(
    folder: DataFolder, make_record: MakeRecord, place: Path
) -> None:
    made = fill(folder, make_record)
    export(folder, "markdown", place)
    before = {path: (place / path).stat().st_mtime_ns for path in files_in(place)}
    assert export(folder, "markdown", place).counts["unchanged"] == 9
    assert {path: (place / path).stat().st_mtime_ns for path in files_in(place)} == before
    twin = make_record("Deploys: on *Tuesdays*.", created_at="2026-01-01T00:00:00", **SHOP)["uuid"]
    export(folder, "markdown", place)
    paths = {one["of"]: path for path, one in manifest(place).items()}
    assert paths[made["first"]] == "shop/Deploys on Tuesdays.md"
    assert paths[twin] == f"shop/Deploys on Tuesdays {twin[:8]}.md"
    records.delete(folder, made["first"])
    assert export(folder, "markdown", place).counts["removed"] == 1
    assert {one["of"]: path for path, one in manifest(place).items()}[twin] == paths[twin]
    assert_links_resolve(place)


def test_a_new_narrative_takes_the_file_of_the_one_before(
    folder: DataFolder, make_record: MakeRecord, place: Path
) -> None:
    made = fill(folder, make_record)
    export(folder, "markdown", place)
    connections = [{"to_uuid": made["narrative"], "relationship": "supersedes"}]
    narrative(folder, "# Shop\n\nNext.", "2026-04-01T00:00:00", connections=connections)
    report = export(folder, "markdown", place)
    assert report.kept == []
    assert "\nNext.\n" in (place / "shop" / "Shop.md").read_text("utf-8")
    assert report.counts["removed"] == 0


def test_the_users_files_beside_ours_keep_their_names(folder: DataFolder, make_record: MakeRecord, place: Path) -> None:
    make_record("Mine.", **SHOP)
    (place / "shop").mkdir(parents=True)
    for path in ("shop/mine.md", "LLM Memory index.md"):
        (place / path).write_text("the user's", encoding="utf-8")
    export(folder, "markdown", place, force=True)
    found = files_in(place)
    assert found["shop/mine.md"] == found["LLM Memory index.md"] == "the user's"
    assert len(found) == 5
    assert export(folder, "markdown", place).counts["unchanged"] == 3
    assert_links_resolve(place)


def test_projects_can_be_exported_one_after_the_other(folder: DataFolder, make_record: MakeRecord, place: Path) -> None:
    fill(folder, make_record)
    assert export(folder, "markdown", place, project="shop").counts["memories"] == 3
    assert export(folder, "markdown", place, project="Café/Bar").counts["removed"] == 0
    found = files_in(place)
    assert {path.partition("/")[0] for path in found} == {"LLM Memory index.md", "shop", "Café Bar"}
    assert found["LLM Memory index.md"].count("[[") == 2
    assert_links_resolve(place)
    assert ", not in this folder" in found["shop/Shop.md"]
    with pytest.raises(ProjectError, match="nothing-of-that-name"):
        export(folder, "markdown", place, project="nothing-of-that-name")


def test_conversations_come_when_asked_for_and_only_changed_ones_again(
    folder: DataFolder, make_record: MakeRecord, place: Path
) -> None:
    fill(folder, make_record)
    assert export(folder, "markdown", place, transcripts=True).counts["conversations"] == 1
    (path,) = (path for path in files_in(place) if "Conversations" in path)
    assert_links_resolve(place)
    text = (place / path).read_text("utf-8")
    assert text.index("> Add a **retry**") < text.index("> [!example]- `` Bash: pytest -q ``") < text.index("3 passed")
    log_file = next(text for path, text in files_in(place).items() if "Session logs" in path)
    assert f"- the conversation [[{path.removesuffix('.md')}|whole]]\n" in log_file
    again = export(folder, "markdown", place, transcripts=True)
    assert again.counts["written"] == 0
    assert export(folder, "markdown", place).counts["removed"] == 0  # not asked for, and still there
    archive(folder, talk("another request", "yes", number=1))
    assert export(folder, "markdown", place, transcripts=True).counts["written"] >= 1
    assert "another request" in (place / path).read_text("utf-8")
    os.unlink(transcripts.archive_path(folder, session_id(1)))
    export(folder, "markdown", place, transcripts=True)
    assert not (place / path).exists()


def test_one_session_brings_its_conversation_and_its_memories(
    folder: DataFolder, make_record: MakeRecord, place: Path
) -> None:
    fill(folder, make_record)
    make_record("Made in it.", session_id=session_id(1), **SHOP)
    counts = export(folder, "markdown", place, session=session_id(1)).counts
    assert (counts["memories"], counts["conversations"]) == (2, 1)
    assert_links_resolve(place)
    assert export(folder, "markdown", place, session=session_id(1), transcripts=False).counts["removed"] == 0


def test_no_secret_comes_out(folder: DataFolder, make_record: MakeRecord, place: Path) -> None:
    make_record(f"The key is {SECRET} here.", project=f"shop {SECRET}", tags=f"a, {SECRET}")
    archive(folder, talk(f"use {SECRET}", f"I use {SECRET}"))
    export(folder, "markdown", place, transcripts=True)
    for path in place.rglob("*"):
        assert SECRET not in path.name
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


def test_what_cannot_be_read_is_named(folder: DataFolder, make_record: MakeRecord, place: Path) -> None:
    make_record("Fine.")
    Path(folder.records, f"{'e' * 32}.json").write_text("{", encoding="utf-8")
    assert [name for name, _ in export(folder, "markdown", place).left] == [f"{'e' * 32}.json"]

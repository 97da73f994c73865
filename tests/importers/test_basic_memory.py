from __future__ import annotations

import os
from pathlib import Path

from memories.core.paths import DataFolder
from memories.importers import basic_memory
from tests.importers.sources import NOTES, imported, outcomes, stored, tree


def test_notes_of_the_real_product_come_with_tags_and_links(folder: DataFolder) -> None:
    result = imported(folder, "basic-memory", NOTES, project="shop")
    assert outcomes(result, "Notes") == {"read": 2, "new": 2}
    found = stored(folder)
    numbering, api = found["# Order numbering"], found["# Orders API"]
    assert numbering["tags"] == "ids, orders, concurrency"
    assert numbering["project"] == "shop"
    assert numbering["imported_from"] == "basic-memory"
    assert "- [decision] Order ids are ULIDs #ids #orders (agreed with Marta)" in numbering["content"]
    assert "- decided_by [[Marta]]" in numbering["content"]
    assert "permalink" not in numbering["content"]
    assert numbering["connections"] == [{"to_uuid": api["uuid"], "relationship": "related_to"}]
    assert api["connections"] == [{"to_uuid": numbering["uuid"], "relationship": "related_to"}]


def test_a_note_without_front_matter_is_titled_by_its_file_and_dated_by_it(folder: DataFolder, tmp_path: Path) -> None:
    root = tree(
        tmp_path / "vault",
        {"Deploys.md": "Tuesdays only, see [[sub/Freeze|the freeze]].", "sub/Freeze.md": "From 18:00."},
    )
    os.utime(root / "Deploys.md", (1_700_000_000, 1_700_000_000))
    imported(folder, "basic-memory", root)
    found = stored(folder)
    assert found["# Deploys"]["content"] == "# Deploys\n\nTuesdays only, see [[sub/Freeze|the freeze]]."
    assert found["# Deploys"]["created_at"] == "2023-11-14T22:13:20"
    assert found["# Deploys"]["connections"] == [{"to_uuid": found["# Freeze"]["uuid"], "relationship": "related_to"}]


def test_a_kind_and_a_day_in_the_front_matter_count_and_the_rest_of_it_is_kept(tmp_path: Path) -> None:
    text = "---\ntitle: Billing\ntype: decision\ncreated: 2026-03-14\nstatus: done\nnested:\n  a: 1\n---\nMonthly."
    (item,) = basic_memory.read(str(tree(tmp_path / "v", {"a.md": text}))).items
    assert item.fields["tags"] == "decision"
    assert item.fields["created_at"] == "2026-03-14T00:00:00"
    assert item.fields["imported_fields"] == {"status": "done", "nested": "a: 1"}


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("mine", encoding="utf-8")
    root = tree(tmp_path / "vault", {"a.md": "one", ".obsidian/b.md": "two"})
    (root / "link.md").symlink_to(tmp_path / "secret.md")
    (root / "circle").symlink_to(root)
    os.mkfifo(root / "pipe.md")
    reading = basic_memory.read(str(root))
    assert [item.where for item in reading.items] == ["a.md"]


def test_a_note_that_is_too_large_is_named(tmp_path: Path) -> None:
    root = tree(tmp_path / "vault", {"a.md": b"x" * 4_000_001, "b.md": "two"})
    reading = basic_memory.read(str(root))
    assert reading.skipped == [("a.md", "4,000,001 bytes; at most 4,000,000 are read")]


def test_two_files_with_one_permalink_both_come(folder: DataFolder, tmp_path: Path) -> None:
    same = "---\npermalink: notes/x\n---\n"
    root = tree(tmp_path / "vault", {"a.md": same + "one", "b.md": same + "two"})
    assert outcomes(imported(folder, "basic-memory", root), "Notes") == {"read": 2, "new": 2}
    assert outcomes(imported(folder, "basic-memory", root), "Notes") == {"read": 2, "already here": 2}


def test_a_note_without_words_or_with_private_ones_only_stays_out_and_is_named(
    folder: DataFolder, tmp_path: Path
) -> None:
    root = tree(
        tmp_path / "vault",
        {
            "a-empty.md": "", "b-front.md": "---\ntitle: Nothing\n---\n \n", "c-priv.md": "<private>all</private>",
            "d-open.md": "---\ntitle: Keys\n---\n# Keys\n\n<private>\nthe door code\n", "e.md": "See [[c-priv]].",
            "f-part.md": "<private>all</private> but this", "g-title.md": "# g-title",
        },
    )  # fmt: skip
    result = imported(folder, "basic-memory", root)
    assert outcomes(result, "Notes") == {"read": 7, "new": 3, "skipped": 4}
    assert result.skipped == [
        ("a-empty.md", "holds no text"), ("b-front.md", "holds no text"),
        ("c-priv.md", "all of it is marked as private"), ("d-open.md", "all of it is marked as private"),
    ]  # fmt: skip
    assert stored(folder).keys() == {"# e", "# f-part", "# g-title"}
    assert stored(folder)["# e"]["connections"] == []


def test_one_file_alone_can_be_imported(folder: DataFolder, tmp_path: Path) -> None:
    root = tree(tmp_path / "vault", {"a.md": "one", "b.md": "two"})
    assert outcomes(imported(folder, "basic-memory", root / "a.md"), "Notes") == {"read": 1, "new": 1}

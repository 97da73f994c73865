from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from memories.core.paths import DataFolder
from memories.core.settings import read_settings
from memories.exporters import material
from memories.exporters.material import Choice
from tests.conftest import MakeRecord
from tests.exporters.exporting import SHOP, work
from tests.memories.conversations import archive, session_id

ROOT = Path(__file__).resolve().parents[2]


def test_an_export_shows_one_moment(folder: DataFolder, make_record: MakeRecord) -> None:
    first = make_record("First.", **SHOP)["uuid"]
    with material.opened(folder, Choice(), None, read_settings(folder)[0]) as found:
        make_record("Stored meanwhile.", connections=[{"to_uuid": first, "relationship": "supersedes"}], **SHOP)
        with material.opened(folder, Choice(), None, read_settings(folder)[0]) as later:
            assert [head.title for head in later.heads.values()] == ["Stored meanwhile."]
        assert list(found.heads) == [first]
        assert found.content(first) == "First."
        assert found.links(first) == []
        assert found.everything() == {first}


def test_a_name_that_fits_several_projects_takes_all_and_says_so(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("One.", project="shop", project_id="git:example.org/a/shop")
    make_record("Two.", project="Shop", project_id="git:example.org/b/shop")
    with material.opened(folder, Choice("shop"), None, read_settings(folder)[0]) as found:
        assert len(found.heads) == 2
        assert found.hint is not None
        assert "fits 2 projects" in found.hint
        assert {found.group_of(head.project_id, head.project_key).value for head in found.heads.values()} == {
            "git:example.org/a/shop", "git:example.org/b/shop",
        }  # fmt: skip


def test_a_record_without_an_id_belongs_to_the_one_project_of_its_name(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    make_record("With.", **SHOP)
    make_record("Without.", project="Shop")
    make_record("Of none.")
    with material.opened(folder, Choice(), None, read_settings(folder)[0]) as found:
        names = [found.group_of(head.project_id, head.project_key).name for head in found.heads.values()]
    assert sorted(map(str.casefold, names)) == ["no project", "shop", "shop"]
    assert len(set(names)) == 2


def test_sessions_are_those_that_were_chosen(folder: DataFolder) -> None:
    archive(folder, work(1), work(2))
    with material.opened(
        folder, Choice(session_id=session_id(2), conversations=True), None, read_settings(folder)[0]
    ) as found:
        assert [one.session_id for one in found.sessions()] == [session_id(2)]


def test_no_export_needs_django() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import memories.terminal.export, memories.exporters.markdown_folder, memories.exporters.vault\n"
        "assert not {name.partition('.')[0] for name in sys.modules} & {'django', 'nh3', 'markdown_it', 'tqdm'}"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True)

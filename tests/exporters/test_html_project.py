from __future__ import annotations

import re
from pathlib import Path

import pytest

from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.dashboard.xss_payloads import PAYLOADS
from tests.exporters.exporting import SECRET, SHOP, Page, export, narrative, put
from tests.memories.conversations import log

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "shop.html"


def page(folder: DataFolder, target: Path, project: str = "shop", **asked: bool) -> Page:
    """The exported page, which is inert."""
    export(folder, "html", target, project=project, force=True, **asked)
    found = Page(target.read_text("utf-8"))
    found.assert_inert()
    return found


def test_a_project_is_its_narrative_its_notes_its_logs_and_a_timeline(
    folder: DataFolder, make_record: MakeRecord, target: Path
) -> None:
    old = make_record("Was so.", created_at="2026-03-01T00:00:00", **SHOP)["uuid"]
    new = make_record(
        "Is **so**.", created_at="2026-04-01T00:00:00", tags="deploy",
        connections=[{"to_uuid": old, "relationship": "supersedes"}], **SHOP,
    )["uuid"]  # fmt: skip
    links = [{"to_uuid": other, "relationship": "related_to"} for other in (new, "e" * 32)]
    story = narrative(folder, "# Shop\n\nThe story.", "2026-04-02T00:00:00", connections=links)
    log(make_record, 1, **SHOP)
    make_record("Of another.", project="other")
    found = page(folder, target)
    order = [found.text.index(text) for text in ("The story.", "Is so.", "Log of session 1", "Timeline")]
    assert [found.ids.index(place) for place in ("narrative", "note", "session_log", "timeline")] == sorted(
        found.ids.index(place) for place in ("narrative", "note", "session_log", "timeline")
    )
    assert min(order) > 0
    assert "1 note · 1 session log" in " ".join(found.text.split())
    assert "Of another." not in found.text
    assert "Was so. (not in this file)" in found.text
    assert f"{'e' * 32} (not there)" in found.text
    assert ("a", {"href": f"#m-{new}"}) in found.tags
    assert {f"m-{story}", f"m-{new}"} <= set(found.ids)
    assert "Archived and superseded" not in found.text
    again = page(folder, target, archived=True)
    assert f"m-{old}" in again.ids
    assert "Archived and superseded" in again.text


def test_what_is_hostile_is_text(folder: DataFolder, target: Path) -> None:
    for payload in PAYLOADS:
        put(folder, content=payload, project="shop", tags=payload, imported_from=payload, session_id=payload)
    found = page(folder, target)
    assert found.text.count("window.canary()") > len(PAYLOADS)
    assert "attacked" not in [attrs.get("name") for _, attrs in found.tags]


def test_a_hostile_projects_name_is_text(folder: DataFolder, make_record: MakeRecord, target: Path) -> None:
    name = "<img src=x onerror=window.canary()>"
    make_record("A note.", project=name)
    assert name in page(folder, target, name).text


def test_no_secret_comes_out(folder: DataFolder, make_record: MakeRecord, target: Path) -> None:
    make_record(f"It is {SECRET}.", project="shop", tags=SECRET)
    assert SECRET not in page(folder, target).text


def test_it_has_the_dashboards_colours() -> None:
    """A sibling is one: whoever changes the palette changes both."""
    ours, theirs = (
        dict(re.findall(r"^  (--[\w-]+): (.+?);(?: /\*.*)?$", (ROOT / path).read_text("utf-8"), re.MULTILINE))
        for path in ("memories/exporters/page.css", "static/dashboard/dashboard.css")
    )
    assert len(ours) > 15
    assert ours == {name: theirs[name] for name in ours}
    used = re.findall(r"var\((--[\w-]+)", (ROOT / "memories/exporters/page.css").read_text("utf-8"))
    assert set(used) - set(ours) == {"--speaker", "--type"}

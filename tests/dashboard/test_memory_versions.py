"""The versions of a memory, and what changed between two of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from memories import versions
from memories.core import mirror, records
from memories.core.paths import DataFolder
from tests.dashboard.conftest import Remember
from tests.dashboard.narratives import write_narrative

HTMX = {"HX-Request": "true"}


def page(client: Client, address: str, status: int = 200, headers: dict[str, str] | None = None) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == status
    return response.content.decode()


@pytest.fixture
def narrated(memory_home: DataFolder) -> list[dict[str, Any]]:
    """Three narratives of one project, oldest first, each in the place of the one before."""
    texts = (
        "# Shop\n\nold words\n",
        "# Shop\n\nnew words\n",
        "# Shop\n\nnew words\n\n## Decisions\n\n- Use Postgres 16\n",
    )
    found: list[dict[str, Any]] = []
    for number, text in enumerate(texts):
        before = [{"to_uuid": one["uuid"], "relationship": "supersedes"} for one in found[-1:]]
        record = write_narrative(
            memory_home, text, created_at=f"2026-03-0{number + 1}T09:00:00", connections=before,
            origin=f"machine-{number}",
        )  # fmt: skip
        for old in found[-1:]:
            records.save(memory_home, {**old, "status": "archived", "archived_in": record["uuid"]})
        found.append(record)
    mirror.update(memory_home)
    return found


def test_a_narrative_lists_its_versions_newest_first_with_machine_size_and_state(
    client: Client, narrated: list[dict[str, Any]]
) -> None:
    text = page(client, f"/m/{narrated[1]['uuid']}/").split('class="versions"')[1].split("</section>")[0]
    days = [text.index(f">2026-03-0{day} 09:00<") for day in (3, 2, 1)]
    assert days == sorted(days)
    assert 'class="state">current' in text
    assert text.count('class="state">earlier') == 2
    assert "machine-0" in text
    assert f"{len(narrated[0]['content'])} characters" in text
    assert "this one" in text


def test_a_note_lists_what_it_supersedes_and_what_supersedes_it(client: Client, remember: Remember) -> None:
    first = remember("first", created_at="2026-03-01T09:00:00")
    link = [{"to_uuid": first["uuid"], "relationship": "supersedes"}]
    second = remember("second", created_at="2026-03-02T09:00:00", connections=link)
    link = [{"to_uuid": second["uuid"], "relationship": "supersedes"}]
    third = remember("third", created_at="2026-03-03T09:00:00", connections=link)
    for record in (first, second, third):
        text = page(client, f"/m/{record['uuid']}/").split('class="versions"')[1].split("</section>")[0]
        assert text.count("<li") == 3
        assert text.count('class="state">superseded') == 2
    assert 'class="versions"' not in page(client, f"/m/{remember('alone')['uuid']}/")


def test_each_pair_of_versions_is_offered_once(client: Client, narrated: list[dict[str, Any]]) -> None:
    oldest, middle, newest = (one["uuid"] for one in narrated)
    text = page(client, f"/m/{newest}/").split('class="versions"')[1].split("</section>")[0]
    assert text.count("Against this one") == 1
    assert f'href="/m/{newest}/?compare={oldest}">Against this one' in text
    text = page(client, f"/m/{middle}/").split('class="versions"')[1].split("</section>")[0]
    assert "Against this one" not in text
    assert text.count("?compare=") == 2


def test_two_versions_are_compared_side_by_side_and_inline(client: Client, narrated: list[dict[str, Any]]) -> None:
    old, new = narrated[0]["uuid"], narrated[1]["uuid"]
    for address in (f"/m/{new}/?compare={old}", f"/m/{old}/?compare={new}&view=side"):
        text = page(client, address)
        assert "<del>old</del> words" in text
        assert "<ins>new</ins> words" in text
        assert text.index("machine-0") < text.index("machine-1")
    text = page(client, f"/m/{new}/?compare={old}&view=inline")
    assert text.index("<del>old</del> words") < text.index("<ins>new</ins> words")


def test_equal_texts_say_so(client: Client, remember: Remember) -> None:
    one, other = remember("same"), remember("same")
    assert "Both texts are the same" in page(client, f"/m/{one['uuid']}/?compare={other['uuid']}")


def test_what_became_of_a_narrative_s_entries_is_asked_for_apart(
    client: Client, narrated: list[dict[str, Any]]
) -> None:
    address = f"/m/{narrated[2]['uuid']}/?compare={narrated[1]['uuid']}"
    assert "Postgres 16" not in page(client, address).split('class="entries"')[1]
    assert "Added: 1" in page(client, f"{address}&entries=1")
    part = page(client, f"{address}&entries=1", headers=HTMX)
    assert "Use Postgres 16" in part
    assert "<html" not in part
    assert client.get(address).headers["Vary"] == "HX-Request"


def test_an_address_that_names_no_version_or_view_is_refused(client: Client, narrated: list[dict[str, Any]]) -> None:
    uuid = narrated[0]["uuid"]
    assert "compare does not name" in page(client, f"/m/{uuid}/?compare=x", 400)
    assert "There is no view" in page(client, f"/m/{uuid}/?compare={uuid}&view=x", 400)
    assert "No such memory" in page(client, f"/m/{uuid}/?compare={'ab' * 16}", 404)


def test_hostile_text_is_compared_as_text(client: Client, remember: Remember) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>\x07 half"
    one = remember(f"{attack} one", origin=attack, project=attack)
    other = remember(f"{attack} other", origin=attack, project=attack)
    for view in ("side", "inline"):
        text = page(client, f"/m/{one['uuid']}/?compare={other['uuid']}&view={view}")
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "\x07" not in text


def test_of_many_versions_those_around_the_shown_one_are_listed(client: Client, memory_home: DataFolder) -> None:
    made = [
        write_narrative(
            memory_home, f"version {number}", status="archived",
            created_at=f"2026-03-{number // 24 + 1:02d}T{number % 24:02d}:00:00",
        )
        for number in range(70)
    ]  # fmt: skip
    mirror.update(memory_home)
    text = page(client, f"/m/{made[35]['uuid']}/")
    assert text.count("<li data-item") == versions.LISTED
    assert "this one" in text
    assert "Newer versions" in text
    assert "Older versions" in text
    assert "Newer versions" not in page(client, f"/m/{made[69]['uuid']}/")
    assert "Older versions" not in page(client, f"/m/{made[0]['uuid']}/")


def test_the_number_of_queries_does_not_grow_with_the_versions(client: Client, memory_home: DataFolder) -> None:
    counts = []
    for total in (2, 12):
        record = write_narrative(memory_home, "first", project=f"p{total}", status="archived")
        for number in range(total):
            link = [{"to_uuid": record["uuid"], "relationship": "supersedes"}]
            record = write_narrative(memory_home, f"version {number}", project=f"p{total}", connections=link)
        mirror.update(memory_home)
        with CaptureQueriesContext(connection) as queries:
            page(client, f"/m/{record['uuid']}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]

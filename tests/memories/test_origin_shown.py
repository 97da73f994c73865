"""Answers, terminal and dashboard say of what is not this machine's own where it is from."""

from __future__ import annotations

from django.test import Client

from memories import search, selectors
from memories.core import mirror, records
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.terminal.running import said


def _fill(folder: DataFolder, make_record: MakeRecord) -> dict[str, str]:
    uuids = {
        "own": make_record("deploy: own")["uuid"],
        "synced": make_record("deploy: synced", origin="laptop")["uuid"],
        "imported": make_record("deploy: imported", imported_from="<b>desk")["uuid"],
        "old": make_record("deploy: of the first release", origin=None)["uuid"],
    }
    mirror.update(folder)
    return uuids


def test_hits_and_lists_say_it_only_of_what_is_from_elsewhere(memory_home: DataFolder, make_record: MakeRecord) -> None:
    uuids = _fill(memory_home, make_record)
    for answer in (search.memory_search(memory_home, "deploy"), selectors.memory_recent(memory_home)):
        found = {hit["uuid"]: {key: hit.get(key) for key in ("origin", "imported_from")} for hit in answer["results"]}
        assert found == {
            uuids["own"]: {"origin": None, "imported_from": None},
            uuids["synced"]: {"origin": "laptop", "imported_from": None},
            uuids["imported"]: {"origin": None, "imported_from": "<b>desk"},
            uuids["old"]: {"origin": None, "imported_from": None},
        }


def test_a_whole_memory_always_says_its_origin(memory_home: DataFolder, make_record: MakeRecord) -> None:
    uuids = _fill(memory_home, make_record)
    assert selectors.memory_get(memory_home, uuids["own"])["origin"] == records.machine_name()
    assert selectors.memory_get(memory_home, uuids["imported"])["imported_from"] == "<b>desk"


def test_the_terminal_says_it(memory_home: DataFolder, make_record: MakeRecord) -> None:
    uuids = _fill(memory_home, make_record)
    lines = said("search", "deploy").splitlines()
    heads = {name: next(line for line in lines if uuids[name] in line) for name in uuids}
    assert "· from laptop" in heads["synced"]
    assert "· imported from <b>desk" in heads["imported"]
    assert "from" not in heads["own"] + heads["old"]


def test_the_dashboard_says_it(memory_home: DataFolder, make_record: MakeRecord) -> None:
    uuids = _fill(memory_home, make_record)
    client = Client(headers={"host": "127.0.0.1"})
    page = client.get("/").content.decode()
    assert page.count('class="whence"') == 2
    assert '<span class="whence">from laptop</span>' in page
    assert '<span class="whence">imported from &lt;b&gt;desk</span>' in page
    assert "<dt>Imported from</dt><dd>&lt;b&gt;desk</dd>" in client.get(f"/m/{uuids['imported']}/").content.decode()
    assert "Imported from" not in client.get(f"/m/{uuids['own']}/").content.decode()

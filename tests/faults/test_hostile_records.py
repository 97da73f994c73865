"""Records that nobody of ours wrote: each is read, or named with the reason; the rest is found, in bounded memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from memories.core import mirror, records
from tests.faults import check, hostile, survival
from tests.faults.home import WORDS, Home
from tests.faults.operations import Expected

MEMORY_BYTES = 900_000_000
"""Address space, of which a server that has imported everything takes a third."""

QUICK = 30
"""Every so many-th of the wrong values is in the quick test; everything else always."""


@pytest.fixture
def bounded(home: Home) -> Iterator[Home]:
    home.forks.memory_bytes = MEMORY_BYTES
    yield home
    home.forks.memory_bytes = 0


def _put(home: Home, makes: dict[str, hostile.Make]) -> dict[str, str]:
    """Make each at records/<uuid>.json; uuid -> what it is."""
    put = {}
    for number, (name, make) in enumerate(makes.items()):
        uuid = f"{number:08x}" + "f" * 24
        make(Path(home.folder.records, f"{uuid}.json"))
        put[uuid] = name
    return put


def _chosen(every: bool) -> dict[str, hostile.Make]:
    large = {"100 MB"}
    plain = {
        name: make for name, make in hostile.RECORDS.items() if " is " not in name and (every or name not in large)
    }
    values = [name for name in hostile.RECORDS if " is " in name]
    return plain | {name: hostile.RECORDS[name] for name in (values if every else values[::QUICK])}


def _accounted_for(home: Home, put: dict[str, str]) -> None:
    """Each is in the index or is named with the reason."""
    with closing(mirror.connect(home.folder.mirror)) as connection:
        rows = {uuid for (uuid,) in connection.execute("SELECT uuid FROM memory")}
        named = {name.removesuffix(".json") for name, _ in mirror.problems(connection)}
    assert {put[uuid] for uuid in put if uuid not in rows | named} == set()


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)], ids=["some", "every"])
def test_hostile_records_are_named_and_everything_else_goes_on(bounded: Home, every: bool) -> None:
    home = bounded
    put = _put(home, _chosen(every))
    with home.server() as server:
        assert len(server.ask("memory_search", query="reeds", limit=50)["results"]) == len(WORDS)
        for tool, arguments in _calls(put if every else dict(list(put.items())[::3])):
            answer = server.call(tool, **arguments)
            assert not (answer.is_error and _noise(answer.text)), (
                tool,
                put.get(arguments.get("uuid", "")),
                answer.text,
            )
    assert survival.hooks(home) == []
    done = home.sync()
    assert "Traceback" not in done.stderr
    _accounted_for(home, put)
    for words in (["doctor", "--json"], ["status"], ["search", "reeds"], ["brief"], ["export", "-"], ["rebuild_index"]):
        done = home.command(*words)
        assert "Traceback" not in done.stderr, (words, done.stderr[-500:])
        assert done.code in ((0, 1) if words[0] == "doctor" else (0,)), (words, done.stderr[-500:])
    _pages(home, put, every)
    expected = Expected(home)
    assert check.by_search(home, expected) == []


def _calls(put: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "memory_recent", {"limit": 100}
    yield "memory_search", {"query": "phalarope", "limit": 100}
    for uuid in put:
        yield "memory_get", {"uuid": uuid}
        yield "memory_explore", {"uuid": uuid}
    for uuid in list(put)[::5]:
        yield "memory_connect", {"from_uuid": uuid, "to_uuid": list(put)[-1], "relationship": "related_to"}


def _noise(text: str) -> bool:
    return any(noise in text for noise in survival.NOISE)


def _pages(home: Home, put: dict[str, str], every: bool) -> None:
    with home.dashboard() as ask:
        pages = ["/", "/?q=phalarope", "/p/", "/s/", "/graph/", "/graph/data/", "/status/", "/status/checks/"]
        assert {page: ask(page) for page in pages} == dict.fromkeys(pages, 200)
        odd = {put[uuid]: ask(f"/m/{uuid}/") for uuid in list(put)[:: 1 if every else 7]}
        wrong = {name: code for name, code in odd.items() if code not in (200, 404, 0)}
        assert wrong == {}, (home.root / "dashboard.stderr").read_text(encoding="utf-8")[-3000:]


def test_names_that_are_no_records_are_named_and_harm_nothing(home: Home) -> None:
    folder = os.fsencode(home.folder.records)
    for name in hostile.NAMES:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b'{"content": "A phalarope."}')
    done = home.sync()
    assert "phalarope" not in done.stdout
    named = home.command("doctor", "--json")
    assert f"{len(hostile.NAMES)} files are no records" in " ".join(
        one["text"] for one in check.faults_named(json.loads(named.stdout))
    )
    assert "\x1b" not in done.stdout + home.command("doctor").stdout
    with home.dashboard() as ask:
        assert [ask(page) for page in ("/", "/status/", "/status/checks/")] == [200, 200, 200]
    assert check.by_search(home, Expected(home)) == []
    assert survival.hooks(home) == []


def test_one_hostile_record_is_named_by_doctor_with_its_file(home: Home) -> None:
    for name in ("nested a million deep", "an integer of 100,000 digits", "a FIFO", "a dangling link", "broken UTF-8"):
        uuid = "e" * 32
        path = Path(home.folder.records, f"{uuid}.json")
        hostile.RECORDS[name](path)
        home.sync()
        named = check.faults_named(json.loads(home.command("doctor", "--json").stdout))
        assert any(uuid in one["text"] for one in named), name
        path.unlink()


def test_a_record_that_grows_while_it_is_read_is_read_whole_in_the_end(home: Home) -> None:
    record = records.new_record(type="note", content="A phalarope, if anything.")
    path = Path(records.record_path(home.folder, record["uuid"]))
    data = records.dump(record)
    for length in (0, 10, len(data) // 2, len(data) - 2, len(data)):
        path.write_bytes(data[:length])
        with home.server() as server:
            hits = server.ask("memory_search", query="phalarope")["results"]
            assert len(hits) == (length == len(data))
    assert check.by_search(home, Expected(home)) == []


@pytest.mark.parametrize("place", ["trash", "config", "state"])
def test_what_is_hostile_beside_the_records_harms_nothing(home: Home, place: str) -> None:
    base = {"trash": home.folder.trash, "config": home.folder.config, "state": home.folder.state}[place]
    names = {
        "trash": [f"{number:032x}.json" for number in range(4)],
        "config": ["settings.json", "CLAUDE.md"],
        "state": ["sweep.json", "session-logs-form", "merges.jsonl", "hooks.log"],
    }[place]
    for make in ("a FIFO", "a folder", "nested a million deep", "a dangling link"):
        for name in names:
            path = Path(base, name)
            path.unlink(missing_ok=True)
            hostile.RECORDS[make](path)
        done = home.command("sync")
        assert "Traceback" not in done.stderr, (make, done.stderr[-500:])
        assert survival.hooks(home) == [], make
        assert check.by_search(home, Expected(home)) == [], make
        for name in names:
            path = Path(base, name)
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)

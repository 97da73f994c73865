"""Disks that refuse: full, read-only, folders without permission. What is refused is said; nothing is half there."""

from __future__ import annotations

import os
import shutil

import pytest

from memories import doctor
from memories.core.files import remove_quietly
from tests.faults import check, disks, survival
from tests.faults.home import WORDS, Home
from tests.faults.operations import Expected
from tests.mcp_bridge.client import Server


def _is_refused(home: Home, server: Server) -> None:
    """A store is an error with a next step, and leaves nothing."""
    before = sorted(os.listdir(home.folder.records))
    answer = server.call("memory_store", content="A knot " * 4000, type="note")
    assert answer.is_error, answer.text
    assert survival.unfit(answer) == []
    assert sorted(os.listdir(home.folder.records)) == before


def _is_stored(server: Server) -> None:
    assert server.ask("memory_store", content="A knot was seen at the weir.", type="note")["status"] == "stored"


def _all_is_well(home: Home) -> None:
    expected = Expected(home)
    expected.found["knot"] = "A knot was seen"
    found = check.after(home, expected)
    assert [one for one in found if not one.startswith("doctor: disk: ")] == []  # it is a small one


@pytest.mark.parametrize("kilobytes", [1024, pytest.param(8192, marks=pytest.mark.long)])
def test_on_a_full_disk_stores_are_refused_searches_answered_and_all_works_when_there_is_room(
    home: Home, kilobytes: int
) -> None:
    with disks.small_disk(home, kilobytes):
        with home.server() as server:
            server.ask("memory_search", query="reeds", scope="all")
            disks.fill(home)
            _is_refused(home, server)
            assert len(server.ask("memory_search", query="reeds")["results"]) == len(WORDS)
            assert survival.hooks(home) == []
            with home.server() as fresh:
                _is_refused(home, fresh)
                assert len(fresh.ask("memory_search", query="reeds")["results"]) == len(WORDS)
            assert check.at_once(home) == []
            assert survival.named(home)
            disks.make_room(home)
            _is_stored(server)
        _all_is_well(home)


def test_on_a_full_disk_doctor_says_so_and_calls_no_index_damaged(home: Home) -> None:
    with disks.small_disk(home, 1024):
        for suffix in ("-wal", "-shm"):
            remove_quietly(home.folder.mirror + suffix)
        disks.fill(home)
        said = [check for check in doctor.run(home.folder, read_only=True) if check.name == "index"]
        assert [check.todo for check in said] == ["make room, then run `llm-memory doctor` again"]
        assert "damaged" not in said[0].text


def test_on_a_full_disk_a_server_that_starts_alone_searches_and_harms_no_index(home: Home) -> None:
    with disks.small_disk(home, 1024):
        for suffix in ("-wal", "-shm"):
            assert not os.path.exists(home.folder.mirror + suffix)
        size = os.stat(home.folder.mirror).st_size
        disks.fill(home)
        with home.server() as server:
            answer = server.call("memory_search", query="reeds")
            if answer.is_error:
                assert survival.unfit(answer) == []
            else:
                assert len(answer.structured["results"]) == len(WORDS)
            _is_refused(home, server)
            assert os.stat(home.folder.mirror).st_size == size
            disks.make_room(home)
            _is_stored(server)
        _all_is_well(home)


def test_on_a_read_only_disk_nothing_hangs_crashes_or_passes_for_complete(home: Home) -> None:
    with disks.small_disk(home, 4096):
        with home.server() as server:
            server.ask("memory_search", query="reeds", scope="all")
        disks.set_read_only(home, read_only=True)
        assert survival.hooks(home) == []
        with home.server() as server:
            _is_refused(home, server)
            answer = server.call("memory_search", query="reeds")
            if answer.is_error:
                assert survival.unfit(answer) == []
            else:
                assert len(answer.structured["results"]) == len(WORDS)
            assert survival.named(home)
            disks.set_read_only(home, read_only=False)
            _is_stored(server)
        _all_is_well(home)


@pytest.mark.parametrize("mode", [0o500, 0o000])
@pytest.mark.parametrize("name", ["state", "records", "trash", "transcripts", ""])
@pytest.mark.long
def test_folders_without_permission_are_said_and_all_works_when_it_is_given(home: Home, name: str, mode: int) -> None:
    place = os.path.join(home.folder.root, name)
    os.chmod(place, mode)
    assert survival.hooks(home, bound=True) == []
    with home.server(bound=True) as server:
        for tool, arguments in (
            ("memory_store", {"content": "A knot was seen at the weir.", "type": "note"}),
            ("memory_search", {"query": "reeds"}),
            ("memory_delete", {"uuid": home.notes["heron"]}),
        ):
            answer = server.call(tool, **arguments)
            if answer.is_error:
                assert survival.unfit(answer) == [], tool
            elif tool == "memory_search" and len(answer.structured["results"]) < len(WORDS) - 1:
                assert answer.structured["hint"]
        assert survival.named(home, bound=True)
        os.chmod(place, 0o700)
        server.call("memory_store", content="A knot was seen at the weir.", type="note")
    expected = Expected(home)
    expected.found.pop("heron")
    expected.either.add("heron")
    assert check.after(home, expected) == []


def test_a_state_folder_that_is_gone_is_made_again(home: Home) -> None:
    with home.server() as server:
        server.ask("memory_search", query="reeds")
        shutil.rmtree(home.folder.state)
        _is_stored(server)
    assert survival.hooks(home) == []
    shutil.rmtree(home.folder.state)
    _all_is_well(home)

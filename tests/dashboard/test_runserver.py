"""`llm-memory runserver`: where it listens, what it says, how it ends."""

from __future__ import annotations

import socket

import pytest
from django.core.management.base import CommandError

from memories.core import mirror
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from memories.management.commands.runserver import bind, next_free_port, parse_address
from tests.conftest import MakeRecord
from tests.dashboard import server


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8765", ("127.0.0.1", 8765)),
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("localhost:9000", ("localhost", 9000)),
        ("[::1]:9000", ("[::1]", 9000)),
    ],
)
def test_a_port_or_a_loopback_address_is_taken(text: str, expected: tuple[str, int]) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text", ["0.0.0.0:8765", "[::]:8765", "192.168.1.5:8765", "example.org:80", "0:8765", "::1:80"]
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(CommandError, match="this machine only"):
        parse_address(text)


@pytest.mark.parametrize("text", ["", "x", "70000", "127.0.0.1", "8765/", "٣"])
def test_what_is_no_port_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(CommandError, match="llm-memory runserver 8765"):
        parse_address(text)


def test_a_taken_port_names_the_next_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = next_free_port("127.0.0.1", port)
        assert free is not None
        assert free > port
        with pytest.raises(CommandError, match=rf"Port {port} is in use. {free} is free: llm-memory runserver {free}"):
            bind("127.0.0.1", port)


def test_it_serves_what_is_on_disk_and_ends_quietly_on_ctrl_c(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("written before any index existed")
    with server.running(folder, "0") as process:
        address = server.address_of(process)
        assert address.startswith("http://127.0.0.1:")
        status, headers, page = server.get(address)
        assert status == 200
        assert "written before any index existed" in page
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        status, headers, _ = server.get(f"{address}static/dashboard/dashboard.css")
        assert (status, headers["Content-Type"], headers["X-Content-Type-Options"]) == (200, "text/css", "nosniff")
        assert server.get(address, Host="evil.example")[0] == 400
        assert server.get(f"{address}nowhere")[0] == 404
        assert server.interrupt(process) == ("\n", "")  # no access log, no traceback
    assert process.returncode == 0


def test_a_memory_stored_while_it_runs_shows_on_the_next_page(folder: DataFolder, make_record: MakeRecord) -> None:
    with server.dashboard(folder) as address:
        record = make_record("stored later")
        mirror.apply_records(folder, [record["uuid"]])
        assert "stored later" in server.get(address)[2]


def test_a_taken_port_is_one_line_and_exit_1(folder: DataFolder) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        server.running(folder, str(taken.getsockname()[1])) as process,
    ):
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert "is in use" in errors


def test_all_interfaces_are_refused_with_exit_1(folder: DataFolder) -> None:
    with server.running(folder, "0.0.0.0:0") as process:
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "")
    assert "this machine only" in errors


def test_an_index_that_another_process_updates_does_not_keep_it_from_starting(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    make_record("indexed")
    mirror.update(folder)
    with FileLock(f"{folder.state}/mirror.lock"), server.running(folder, "0") as process:
        assert "indexed" in server.get(server.address_of(process))[2]
        _, errors = server.interrupt(process)
    assert "The newest memories may be missing" in errors

"""`llm-memory runserver`: where it listens, what it says, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management.base import CommandError

from llm_memory_site.browser import graphical_browser
from memories.core import mirror
from memories.core.errors import MirrorUnavailableError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from memories.management import refresher
from memories.management.commands.runserver import LAST_PORT, bind, next_free_port, parse_address
from memories.management.refresher import Refresher
from tests.conftest import MakeRecord
from tests.dashboard import server
from tests.memories.conversations import session_id, talk

needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts what /proc lists")


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
    with pytest.raises(CommandError, match="llm-memory dashboard 8765"):
        parse_address(text)


def test_a_taken_port_names_the_next_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = next_free_port("127.0.0.1", port)
        assert free > port
        with pytest.raises(CommandError, match=rf"Port {port} is in use. {free} is free: llm-memory dashboard {free}"):
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


def test_a_taken_port_of_ipv6_names_the_next_one_as_it_must_be_typed() -> None:
    try:
        taken = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            CommandError, match=rf"Port {port} is in use. \d+ is free: llm-memory dashboard '\[::1\]:\d+'"
        ):
            bind("[::1]", port)


def test_the_last_port_names_one_that_is_free() -> None:
    free = next_free_port("127.0.0.1", LAST_PORT)
    assert 0 < free < LAST_PORT
    bind("127.0.0.1", free).server_close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_way_to_stop_it_leaves_nothing_and_is_no_error(
    folder: DataFolder, make_record: MakeRecord, number: signal.Signals
) -> None:
    make_record("text")
    with server.running(folder, "0") as process:
        address = server.address_of(process)
        with closing(socket.create_connection(("127.0.0.1", urlsplit(address).port or 0))) as half:
            half.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")  # a request that never ends holds nothing up
            assert server.get(address)[0] == 200
            process.send_signal(number)
            output, errors = process.communicate(timeout=20)
    assert (process.returncode, output.strip(), errors) == (0, "", "")
    assert set(os.listdir(folder.root)) <= {"config", "memory.db.7", "records", "state", "transcripts", "trash"}
    connection = mirror.connect(folder.mirror)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_it_stops_while_pages_are_asked_for(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("text")
    with server.running(folder, "0") as process:
        address = server.address_of(process)

        def ask() -> None:
            try:
                while True:
                    server.get(f"{address}fresh/")
            except OSError:
                return  # it is gone

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        server.get(address)
        _, errors = server.interrupt(process)
        for thread in threads:
            thread.join(20)
    assert (process.returncode, errors) == (0, "")


@needs_proc
def test_500_requests_leave_no_open_file(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("text")
    with server.running(folder, "0") as process:
        address = server.address_of(process)

        def open_files() -> int:
            return len(os.listdir(f"/proc/{process.pid}/fd"))

        server.get(address)
        before = open_files()
        for number in range(500):
            server.get(f"{address}{('', 'status/', 'static/dashboard/dashboard.css', 'nowhere')[number % 4]}")
        assert open_files() <= before + 8  # a last request that is being tidied up, a round of the refresher
        server.interrupt(process)


def test_a_token_stands_in_every_address_and_nothing_else_is_answered(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    record = make_record("a secret plan", project="shop")
    with server.running(folder, "0", "--token") as process:
        address = server.address_of(process)
        found = re.fullmatch(r"(http://127\.0\.0\.1:\d+)(/k-[\w-]{32})/", address)
        assert found
        status, _, page = server.get(address)
        assert (status, "a secret plan" in page) == (200, True)
        links = re.findall(r'\s(?:href|src|action|hx-get)="([^"#?]*)', page)
        assert len(links) > 10
        assert [link for link in links if link and not link.startswith(f"{found[2]}/")] == []
        assert f'href="{found[2]}/m/{record["uuid"]}/"' in page
        assert server.get(f"{address}static/dashboard/dashboard.css")[0] == 200
        for path in (
            "/", "/static/dashboard/dashboard.css", "/status/", f"/m/{record['uuid']}/", found[2][:-1] + "/",
            "/k-/", f"/x{found[2]}/", f"{found[2].upper()}/", "/%ff%00/", "/k-%E2%98%83/",
        ):  # fmt: skip
            status, headers, text = server.get(found[1] + path)
            assert (status, text) == (404, "Nothing is at this address.\n"), path
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert headers["Referrer-Policy"] == "no-referrer"
        assert server.get(address, Host="evil.example")[0] == 400
        server.interrupt(process)
    assert process.returncode == 0


def test_each_start_has_another_token(folder: DataFolder) -> None:
    seen = set()
    for _ in range(2):
        with server.running(folder, "0", "--token") as process:
            seen.add(urlsplit(server.address_of(process)).path)
            server.interrupt(process)
    assert len(seen) == 2


@pytest.fixture
def fake_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """A graphical browser that notes what it was given; the function waits for that."""
    note = tmp_path / "given"
    os.mkfifo(note)
    program = tmp_path / "fancy-browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > "{note}"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(program))
    monkeypatch.setenv("DISPLAY", ":99")
    return lambda: note.read_text(encoding="utf-8")


def test_open_shows_the_address_in_the_browser(folder: DataFolder, fake_browser: Callable[[], str]) -> None:
    with server.running(folder, "0", "--open") as process:
        address = server.address_of(process)
        assert fake_browser() == address
        server.interrupt(process)


def test_a_token_does_not_pass_through_the_process_list(
    folder: DataFolder, fake_browser: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setenv("TMPDIR", str(temp))
    with server.running(folder, "0", "--open", "--token") as process:
        address = server.address_of(process)
        given = fake_browser()
        assert address not in given
        page = Path(given.removeprefix("file://"))
        assert temp in page.parents
        assert (page.stat().st_mode & 0o777, page.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        assert f'content="0; url={address}"' in page.read_text(encoding="utf-8")
        server.interrupt(process)
    assert os.listdir(temp) == []


@pytest.mark.parametrize("name", ["lynx", "w3m", "links", "elinks", "www-browser"])
def test_a_browser_for_the_terminal_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    program = tmp_path / name
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("DISPLAY", ":99")
    for browser in (str(program), f"{program} %s"):
        monkeypatch.setenv("BROWSER", browser)
        monkeypatch.setattr("webbrowser._tryorder", None)  # what it found before, in this process
        monkeypatch.setattr("webbrowser._browsers", {})
        assert graphical_browser() is None


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac has no DISPLAY")
def test_without_a_screen_no_browser_is_opened_and_nothing_said(
    folder: DataFolder, fake_browser: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert graphical_browser() is None
    with server.running(folder, "0", "--open") as process:
        assert server.get(server.address_of(process))[0] == 200
        assert server.interrupt(process) == ("\n", "")


def _rounds(folder: DataFolder, said: list[str]) -> Refresher:
    found = Refresher(folder, said.append)
    found.start(wait_seconds=20)
    return found


def test_the_thread_beside_the_pages_brings_in_what_a_sync_brought(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresher, "CHECK_SECONDS", 0.01)
    said: list[str] = []
    running = _rounds(folder, said)

    def wait_for(sql: str) -> None:
        connection = mirror.connect(folder.mirror, read_only=True)
        try:
            while not connection.execute(sql).fetchone()[0]:
                running._stop.wait(0.01)
        finally:
            connection.close()

    make_record("came with a sync")
    wait_for("SELECT count(*) FROM memory")
    Path(folder.transcripts, f"{session_id(1)}.jsonl").write_bytes(talk("a question", "an answer").dump())
    wait_for("SELECT count(*) FROM turn")
    running.stop()
    assert said == []
    assert not running._thread.is_alive()


def test_a_mirror_that_another_process_rebuilt_or_removed_is_made_again(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    make_record("text")
    said: list[str] = []
    _rounds(folder, said).stop()
    os.unlink(folder.mirror)
    _rounds(folder, said).stop()
    connection = mirror.connect(folder.mirror)
    assert connection.execute("SELECT count(*) FROM memory").fetchone() == (1,)
    connection.close()
    assert said == []


def test_a_failure_is_said_once_for_each_reason(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresher, "LOCK_SECONDS", 0.0)
    monkeypatch.setattr(refresher, "CHECK_SECONDS", 0.0)
    twice = threading.Event()
    said: list[str] = []
    attempts: list[int] = []
    update = mirror.update

    def counted(*args: object, **options: object) -> object:
        attempts.append(1)
        if len(attempts) > 3:
            twice.set()
        return update(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(mirror, "update", counted)
    with FileLock(f"{folder.state}/mirror.lock"):
        running = _rounds(folder, said)
        assert twice.wait(20)
        running.stop()
    assert len(said) == 1
    assert said[0].startswith("The newest memories may be missing: Another process is using mirror.lock")


def test_a_build_that_is_under_way_is_given_up_at_the_end(folder: DataFolder, make_record: MakeRecord) -> None:
    for number in range(40):
        make_record(f"text {number}")
    running = Refresher(folder, lambda said: None)
    running._stop.set()
    running.start(wait_seconds=20)
    running.stop()
    with pytest.raises(MirrorUnavailableError, match="still being built"):
        mirror.connect(folder.mirror)


def test_a_request_that_fails_is_told_of_unless_the_end_cut_it_short(capsys: pytest.CaptureFixture[str]) -> None:
    with bind("127.0.0.1", 0) as found, closing(socket.socket()) as request:
        for is_ending in (False, True):
            found.is_ending = is_ending
            try:
                raise RuntimeError("a fault")
            except RuntimeError:
                found.handle_error(request, ("127.0.0.1", 1))
            assert ("a fault" in capsys.readouterr().err) is not is_ending

"""The dashboard and the other users of the machine: whose connection it is, read from the kernel's tables."""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from llm_memory_site import peer
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.dashboard import server
from tests.other_user import NOBODY, as_nobody, as_root

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
little_endian = pytest.mark.skipif(sys.byteorder != "little", reason="the lines are of a little-endian machine")
linux = pytest.mark.skipif(not os.path.exists(peer.TABLES[0]), reason="reads /proc/net/tcp")


def _line(own: str, remote: str, uid: int) -> str:
    """A line as Linux 6 writes it."""
    return (
        f"  12: {own} {remote} 01 00000000:00000000 00:00000000 00000000 {uid:5}        0 40461 1 "
        "00000000a1b2c3d4 20 4 30 10 -1\n"
    )


@little_endian
@pytest.mark.parametrize(
    ("listed", "host", "port"),
    [
        ("0100007F:223D", "127.0.0.1", 8765),
        ("0501A8C0:0016", "192.168.1.5", 22),
        ("FFFFFFFF:0000", "255.255.255.255", 0),
        ("00000000000000000000000001000000:223D", "::1", 8765),
        ("B80D01200000000067452301EFCDAB89:FFFF", "2001:db8::123:4567:89ab:cdef", 65_535),
        ("0000000000000000FFFF00000100007F:223D", "127.0.0.1", 8765),
    ],
)
def test_an_address_as_the_kernel_lists_it(listed: str, host: str, port: int) -> None:
    assert peer.listed_address(listed) == peer.address(host, port)


@pytest.mark.parametrize("text", ["", "0100007F", "0100007G:223D", "0100007F:", ":223D:"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises((ValueError, struct.error)):
        peer.listed_address(text)


@little_endian
def test_the_owner_is_that_of_the_socket_at_the_other_end() -> None:
    own, remote = peer.address("127.0.0.1", 0xD431), peer.address("127.0.0.1", 8765)
    lines = [
        _line("0100007F:223D", "00000000:0000", 1000),  # the dashboard listens
        _line("0100007F:223D", "0100007F:D431", 1000),  # its end of the connection
        _line("0200007F:D431", "0100007F:223D", 1002),  # the same port of another address
        _line("0100007F:D431", "0100007F:223E", 1003),  # the same socket's port, to another
        "cut\n",
        _line("0100007G:D431", "0100007F:223D", 1004),
        _line("0100007F:D431", "0100007F:223D", 1001),
    ]
    assert peer.owner_in(lines, own, remote) == 1001
    assert peer.owner_in(lines[:-1], own, remote) is None
    assert peer.owner_in([], own, remote) is None


@little_endian
def test_an_ipv6_socket_that_connects_to_an_ipv4_address_is_found() -> None:
    own, remote = peer.address("127.0.0.1", 0xD431), peer.address("127.0.0.1", 8765)
    lines = [_line("0000000000000000FFFF00000100007F:D431", "0000000000000000FFFF00000100007F:223D", 1001)]
    assert peer.owner_in(lines, own, remote) == 1001


@linux
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_our_own_connection_is_ours(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"no {host} here")
    with listening, socket.create_connection(listening.getsockname()[:2]) as client:
        accepted, address = listening.accept()
        with accepted:
            assert peer.peer_uid(address, accepted.getsockname()) == os.geteuid()
            assert peer.peer_uid((host, 1), client.getsockname()) is None


def test_an_owner_that_is_unknown_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "TABLES", ("/nowhere/tcp", "/nowhere/tcp6"))
    assert peer.peer_uid(("127.0.0.1", 5), ("127.0.0.1", 6)) is None
    assert peer.peer_uid(("", 0), ("", 0)) is None
    assert [peer.is_let_in(uid) for uid in (None, 0, os.geteuid(), NOBODY)] == [True, True, True, False]


def test_a_refusal_names_the_way_in_and_has_every_header(client: Client) -> None:
    ours: dict[str, Any] = {peer.PEER_UID: os.geteuid()}
    theirs: dict[str, Any] = {peer.PEER_UID: NOBODY}
    assert client.get("/", **ours).status_code == 200
    for path in ("/", "/static/dashboard/dashboard.css", "/nothing/"):
        answer = client.get(path, **theirs)
        assert (answer.status_code, b"--token" in answer.content) == (403, True)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert b"canary" not in answer.content


def _ask_as_nobody(address: str, family: socket.AddressFamily, host: str) -> tuple[bytes, bytes]:
    """(status line, all of the answer) that another user gets on a socket of that family."""
    parts = urlsplit(address)

    def ask() -> bytes:
        with socket.socket(family) as asking:
            asking.connect((host, parts.port))
            asking.sendall(f"GET {parts.path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            return b"".join(iter(lambda: asking.recv(65_536), b""))

    answer = as_nobody(ask)
    return answer.split(b"\r\n", 1)[0], answer


@linux
@as_root
def test_another_user_of_the_machine_is_refused_and_let_in_by_a_token(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    make_record("canary of the dashboard's own user")
    with server.running(folder, "0") as process:
        address = server.address_of(process)
        assert server.get(address)[0] == 200
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::ffff:127.0.0.1")):
            status, answer = _ask_as_nobody(address, family, host)
            assert status.endswith(b" 403 Forbidden")
            assert b"--token" in answer
            assert b"canary" not in answer
    with server.running(folder, "0", "--token") as process:
        status, answer = _ask_as_nobody(server.address_of(process), socket.AF_INET, "127.0.0.1")
        assert status.endswith(b" 200 OK")
        assert b"canary" in answer


def test_a_dashboard_of_a_folder_that_others_can_change_does_not_start(folder: DataFolder) -> None:
    os.chmod(folder.root, 0o777)  # noqa: S103
    with server.running(folder, "0") as process:
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert errors.startswith(f"Error: {folder.root} can be written by other users")
    assert f"run chmod 700 {folder.root}" in errors

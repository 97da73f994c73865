"""Syncthing's REST API as we call it: what each kind of answer becomes, and where the API key goes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core.errors import SyncthingError
from memories.syncthing.client import Client, NotAnsweringError, NotThereError, RefusedKeyError, path
from tests.memories.rest_server import always, answering
from tests.syncthing import free_ports, running


def test_words_and_values_of_a_path_are_quoted() -> None:
    assert path("config", "folders", "a/b?c") == "/rest/config/folders/a%2Fb%3Fc"
    assert path("db", "status", folder="a&b=c") == "/rest/db/status?folder=a%26b%3Dc"


def test_an_answer_is_parsed_and_an_empty_one_is_none() -> None:
    with answering(always(200, b'{"a": 1}')) as server:
        assert Client(server.url, "k").get("/rest/x") == {"a": 1}
    with answering(always(200, b"\n")) as server:
        client = Client(server.url + "/", "k")
        assert [client.post("/rest/x", {}), client.patch("/rest/x", {}), client.delete("/rest/x")] == [None] * 3
        assert server.calls == [("POST /rest/x", "k"), ("PATCH /rest/x", "k"), ("DELETE /rest/x", "k")]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"Not Authorized", "does not accept the API key"),
        (403, b"Forbidden", "does not accept the API key"),
        (400, b"bad   folder\n", "refused GET /rest/x: bad folder (400)"),
        (500, b"", "refused GET /rest/x: Internal Server Error (500)"),
        (200, b"<html>", "is not Syncthing"),
        (200, b"[" * 100_000, "is not Syncthing"),
        (200, b"\xff\xfe", "is not Syncthing"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, body: bytes, said: str) -> None:
    with answering(always(status, body)) as server, pytest.raises(SyncthingError) as caught:
        Client(server.url, "k").get("/rest/x")
    assert said in str(caught.value)


def test_a_missing_thing_is_an_error_of_its_own() -> None:
    with answering(always(404)) as server, pytest.raises(NotThereError):
        Client(server.url, "k").get("/rest/x")


def test_a_redirect_is_not_followed_so_that_the_key_stays_here() -> None:
    with answering(always(200, b"{}")) as other:
        elsewhere = always(307, Location=other.url + "/rest/x")
        with answering(elsewhere) as server, pytest.raises(SyncthingError, match="--url https"):
            Client(server.url, "k").get("/rest/x")
        assert other.calls == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with answering(always(200, b"{}")) as server:
        assert Client(server.url, "k").get("/rest/x") == {}


def test_nobody_at_the_address_is_an_error_of_its_own() -> None:
    (port,) = free_ports(1)
    with pytest.raises(NotAnsweringError, match=r"does not answer at http://127\.0\.0\.1"):
        Client(f"http://127.0.0.1:{port}", "k").get("/rest/x")


def test_a_host_that_is_none_after_all_does_not_answer() -> None:
    with pytest.raises(NotAnsweringError):
        Client("http://[1:2]", "k").get("/rest/x")


def test_one_who_says_nothing_is_given_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotAnsweringError, match="timed out"):
        Client(f"http://127.0.0.1:{silent.getsockname()[1]}", "k", timeout=0.05).get("/rest/x")


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8384", "file:///etc/passwd", "http://", "http://a@b/", "http://a..b", "http://a:99999"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SyncthingError, match="--url http"):
        Client(url, "k")


@pytest.mark.parametrize("key", ["", "a b", "a\nX-Other: 1", "ä"])
def test_what_can_be_no_key_is_refused(key: str) -> None:
    with pytest.raises(SyncthingError, match="--api-key"):
        Client("http://127.0.0.1:1", key)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_address_and_key_is_taken_or_refused_with_the_next_step(url: str, key: str) -> None:
    try:
        Client(url, key)
    except SyncthingError as error:
        assert "--url" in str(error) or "--api-key" in str(error)


def test_https_is_taken_with_syncthings_own_certificate_only(tmp_path: Path) -> None:
    with running(tmp_path / "a", tls=True) as daemon:
        own, other = daemon.home / "https-cert.pem", daemon.home / "cert.pem"
        assert Client(daemon.url, daemon.api_key, certificate=str(own)).get("/rest/system/ping") == {"ping": "pong"}
        for certificate in (str(other), None):
            with pytest.raises(SyncthingError, match="is not the one in Syncthing's folder"):
                Client(daemon.url, daemon.api_key, certificate=certificate).get("/rest/system/ping")
        with pytest.raises(SyncthingError, match="--url https"):
            Client(daemon.url.replace("https", "http"), daemon.api_key).get("/rest/system/ping")
        with pytest.raises(SyncthingError, match="cannot be read"):
            Client(daemon.url, daemon.api_key, certificate=str(tmp_path / "none.pem"))
        (tmp_path / "broken.pem").write_text("not a certificate", "utf-8")
        with pytest.raises(SyncthingError, match="cannot be read"):
            Client(daemon.url, daemon.api_key, certificate=str(tmp_path / "broken.pem"))


def test_http_where_https_was_named_is_said() -> None:
    with answering(always(200, b"{}")) as server, pytest.raises(SyncthingError, match="does not speak HTTPS"):
        Client(server.url.replace("http", "https"), "k").get("/rest/x")


def test_what_is_wrong_and_what_to_do_about_it_come_apart() -> None:
    with answering(always(403)) as server, pytest.raises(RefusedKeyError) as caught:
        Client(server.url, "k").get("/rest/x")
    assert caught.value.what == f"Syncthing at {server.url} does not accept the API key"
    assert caught.value.todo.endswith("`llm-memory sync-setup --api-key KEY`")
    assert str(caught.value).startswith(f"{caught.value.what}. Give its own")

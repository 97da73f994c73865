"""bench.peers: the figures of a server, what is said of one that cannot be measured, the table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.peers import __main__ as command
from bench.peers import installing, measuring
from bench.peers.catalog import OURS, PEERS, Peer
from bench.peers.measuring import Figures

TOY = Peer(
    "toy",
    command=lambda _: [sys.executable, "-I", str(Path(__file__).with_name("toy_server.py"))],
    store=lambda _, text: ("keep", {"text": text}),
    search=lambda question: ("find", {"text": question}),
    hook=lambda _, home: ([sys.executable, "-I", "-S", "-c", "pass"], "{}"),
)


def test_a_server_s_figures_are_measured_over_its_pipe(tmp_path: Path) -> None:
    figures = measuring.measure(TOY, tmp_path, tmp_path / "home", count=30, questions=10)
    assert (figures.tools, figures.kept, figures.errors) == (2, 100, 0)
    assert figures.found > 0.5
    assert min(figures.start, figures.store, figures.search, figures.hook or 0, figures.disk, figures.memory) > 0
    assert figures.schemas == len('[{"name":"keep","inputSchema":{"type":"object"}},') + len(
        '{"name":"find","inputSchema":{"type":"object"}}]'
    )


def test_the_notes_are_the_same_on_every_run_and_each_has_its_marker() -> None:
    assert measuring.notes(3) == measuring.notes(3)
    assert [text.split()[0] for text in measuring.notes(2)] == ["Note00000", "Note00001"]


def test_a_peer_that_cannot_be_installed_or_does_not_run_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path))
    npm = next(peer for peer in PEERS if peer.npm)
    found, left_out = command.compare([npm], tmp_path, 1)
    assert found == []
    assert left_out == {npm.name: "npm is not on PATH"}


def test_an_installed_peer_is_not_installed_again_and_tells_its_version(tmp_path: Path) -> None:
    peer = Peer("x", TOY.command, TOY.store, TOY.search, npm="@some/x")
    place = tmp_path / "some-x"
    package = place / "node_modules" / "@some" / "x" / "package.json"
    package.parent.mkdir(parents=True)
    package.write_text('{\n  "name": "@some/x",\n  "version": "1.2.3"\n}\n', "utf-8")
    (place / "installed").touch()
    assert installing.install(peer, tmp_path) == place
    assert installing.version(peer, place) == "1.2.3"


def test_the_table_has_a_row_for_each_and_says_why_there_is_no_hook() -> None:
    rows = command.table(
        [Figures("a", kept=100, hook=12.0), Figures("b", "1.0", kept=83, errors=17, why_no_hook="none")]
    )
    header, _, first, second = rows.splitlines()
    assert header.count("|") == first.count("|") == second.count("|")
    assert "| 100 |" in first
    assert "| 12 |" in first
    assert "| 83 (17) |" in second
    assert "| none |" in second


def test_every_peer_has_a_name_of_its_own_and_one_source() -> None:
    assert len({peer.name for peer in (OURS, *PEERS)}) == len(PEERS) + 1
    assert all(bool(peer.npm) != bool(peer.pip) for peer in PEERS)

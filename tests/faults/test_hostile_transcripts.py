"""Transcripts that no client of a known version wrote: what can be read is found, nothing stops the rest."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from memories.core import conversation_index, mirror, transcripts
from tests.core.transcript_lines import short_session
from tests.faults import check, hostile, survival
from tests.faults.home import Home
from tests.faults.operations import Expected

MEMORY_BYTES = 900_000_000
LARGE = {"one line of 100 MB", "10 MB lines"}
UNREADABLE = {"a FIFO", "a link to outside", "a link to itself", "a folder", "a device that never ends", "a socket"}


@pytest.fixture
def bounded(home: Home) -> Iterator[Home]:
    home.forks.memory_bytes = MEMORY_BYTES
    yield home
    home.forks.memory_bytes = 0


def _put(home: Home, names: list[str], where: Path) -> dict[str, str]:
    """Make each at <where>/<session id>.jsonl; session id -> what it is."""
    where.mkdir(parents=True, exist_ok=True)
    put = {}
    for number, name in enumerate(names):
        session_id = f"7b1e2f04-0000-4000-8000-{number:012x}"
        hostile.TRANSCRIPTS[name](where / f"{session_id}.jsonl")
        put[session_id] = name
    return put


def _names(every: bool) -> list[str]:
    return [name for name in hostile.TRANSCRIPTS if every or name not in LARGE]


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)], ids=["some", "every"])
def test_hostile_transcripts_of_the_client_stop_neither_sweep_nor_hooks(bounded: Home, every: bool) -> None:
    home = bounded
    slug = home.projects_dir / transcripts.slug("/home/dev/orders-api")
    put = _put(home, _names(every), slug)
    done = home.sync()
    assert "Traceback" not in done.stderr
    assert survival.hooks(home) == []
    for session_id, name in put.items():
        given = {"transcript_path": str(slug / f"{session_id}.jsonl")}
        for event in ("pre_compact", "session_end"):
            ended = home.hook(event, session_id, given)
            assert (ended.code, ended.stderr) == (0, ""), name
        started = home.hook("session_start", session_id, {"source": "compact", **given})
        assert (started.code, started.stderr) == (0, ""), name
    home.sync()
    for session_id, name in put.items():
        archive = Path(transcripts.archive_path(home.folder, session_id))
        source = slug / f"{session_id}.jsonl"
        if name in UNREADABLE:
            assert not archive.exists(), name
        elif archive.exists():
            assert archive.read_bytes() == source.read_bytes(), name
    log = Path(home.folder.state, "hooks.log").read_text(encoding="utf-8")
    assert " failed: " not in log
    assert check.by_search(home, Expected(home)) == []


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)], ids=["some", "every"])
def test_hostile_archives_are_read_as_far_as_they_go(bounded: Home, every: bool) -> None:
    home = bounded
    put = _put(home, _names(every), Path(home.folder.transcripts))
    home.sync()
    with closing(mirror.connect(home.folder.mirror)) as connection:
        named = {path.removesuffix(".jsonl") for path, _ in conversation_index.problems(connection)}
    assert {put[session_id] for session_id in put if session_id in named} == UNREADABLE
    readable = {name for name in put.values() if name not in UNREADABLE | {"no line at all", "UTF-16", "a BOM"}}
    with home.server() as server:
        hits = server.ask("memory_search", query="dotterel", scope="transcripts", limit=100)["results"]
        assert {put[hit["session_id"]] for hit in hits if hit["session_id"] in put} >= readable
        for session_id, name in put.items():
            answer = server.call("transcript_read", session_id=session_id)
            assert not any(noise in answer.text for noise in survival.NOISE[1:]), (name, answer.text[:300])
    for words in (["doctor", "--json"], ["status"], ["search", "dotterel"]):
        assert "Traceback" not in home.command(*words).stderr, words
    with home.dashboard() as ask:
        codes = {name: ask(f"/t/{session_id}/") for session_id, name in put.items()}
        assert {name: code for name, code in codes.items() if code not in (200, 404)} == {}
        assert [ask("/s/"), ask("/status/checks/")] == [200, 200]
    assert check.by_search(home, Expected(home)) == []


def test_a_transcript_that_grows_while_it_is_archived_is_whole_in_the_end(home: Home) -> None:
    session_id = "7b1e2f04-0000-4000-8000-0000000000aa"
    data = short_session(str(home.project), session_id).dump()
    path = Path(home.source(session_id))
    over = threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as file:
            for number in range(400):
                half = len(data) // 2
                file.write(data[:half])
                file.write(data[half:])
                if over.is_set() and number > 50:
                    return

    writer = threading.Thread(target=grow)
    writer.start()
    for _ in range(6):
        ended = home.hook("session_end", session_id)
        assert (ended.code, ended.stderr) == (0, "")
        archive = Path(transcripts.archive_path(home.folder, session_id))
        if archive.exists():
            kept = archive.read_bytes()
            assert path.read_bytes()[: len(kept)] == kept
    over.set()
    writer.join(60)
    home.sync()
    assert Path(transcripts.archive_path(home.folder, session_id)).read_bytes() == path.read_bytes()
    assert os.listdir(Path(home.folder.state)) != []

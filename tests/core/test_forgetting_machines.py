"""Forgetting on one machine while another, cut off, goes on with the same session: both come to have nothing of it.

The quick version of tests/sync/test_forgetting.py: two data folders in this process, between which files are copied as
a file sync does it, at its worst: a changed file beats a deletion, and of two changes one becomes a copy.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from memories.core import forgetting, forgotten, records, session_logs
from tests.core.forgetting_scene import WORD, Scene
from tests.core.transcript_lines import OTHER_SESSION, SESSION

ENDED = 1_700_000_000
PLACES = ("records", "trash", "transcripts")


def _files(scene: Scene) -> dict[str, bytes]:
    """Path below the data folder -> content, of all that travels."""
    paths = (path for place in PLACES for path in Path(scene.folder.root, place).rglob("*") if path.is_file())
    return {str(path.relative_to(scene.folder.root)): path.read_bytes() for path in paths}


class Exchange:
    """What a file sync knows of two folders: the files that both had when they last met."""

    def __init__(self, here: Scene, there: Scene) -> None:
        self._pair = here, there
        self._base: dict[str, bytes] = {}

    def meet(self) -> None:
        here, there = self._pair
        mine, theirs = _files(here), _files(there)
        for name in sorted({*mine, *theirs, *self._base}):
            one, other, base = mine.get(name), theirs.get(name), self._base.get(name)
            if one == other:
                continue
            if one is not None and other is not None and base not in (one, other):
                copy = "{}.sync-conflict-20260314-091244-ABCDEFG{}".format(*os.path.splitext(name))
                os.replace(Path(there.folder.root, name), Path(there.folder.root, copy))
                _bring(here, there, name)
            elif other == base or (other is None and one is not None):
                _bring(here, there, name)
            else:
                _bring(there, here, name)
        self._base = _files(here)

    def converge(self) -> None:
        """Syncs and meetings until nothing changes any more."""
        for _ in range(6):
            before = [_files(one) for one in self._pair]
            self.meet()
            for one in self._pair:
                one.sync()
            after = [_files(one) for one in self._pair]
            if after == before and after[0] == after[1]:
                return
        raise AssertionError("they do not come to rest")


def _bring(source: Scene, target: Scene, name: str) -> None:
    path, goal = Path(source.folder.root, name), Path(target.folder.root, name)
    if path.exists():
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, goal)
    else:
        goal.unlink(missing_ok=True)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Scene, Scene]:
    return Scene(tmp_path / "alpha"), Scene(tmp_path / "beta")


def _tagged(record: dict[str, Any]) -> bool:
    record["tags"] = "edited on beta"
    return True


def _ended_at(seconds: int, *scenes: Scene) -> None:
    """Give the session's files in Claude Code's folder that time: both machines have the same ones."""
    for scene in scenes:
        for path in (scene.source, *scene.source.with_suffix("").rglob("*.*")):
            os.utime(path, (seconds, seconds))


def _goes_on(scene: Scene) -> None:
    scene.script.user(f"On beta it goes on about {WORD}")
    scene.source.write_bytes(scene.script.dump())
    scene.sync()
    with records.lock(scene.folder):
        records.update(scene.folder, session_logs.log_uuid(SESSION), _tagged)


def test_both_have_nothing_of_it_and_equal_folders(pair: tuple[Scene, Scene]) -> None:
    alpha, beta = pair
    exchange = Exchange(alpha, beta)
    exchange.converge()
    forgetting.forget(alpha.folder, [SESSION])
    _goes_on(beta)
    assert f"transcripts/{SESSION}.jsonl" in beta.holding()
    exchange.converge()
    assert (alpha.holding(), beta.holding()) == ([], [])
    assert _files(alpha) == _files(beta)
    assert f"trash/forgotten/{SESSION}" in _files(beta)
    assert f"transcripts/{OTHER_SESSION}.jsonl" in _files(beta)
    assert all(forgotten.is_settled(one.folder) for one in pair)


def test_forgotten_on_both_at_once_is_one_mark(pair: tuple[Scene, Scene]) -> None:
    alpha, beta = pair
    exchange = Exchange(alpha, beta)
    exchange.converge()
    for one in pair:
        forgetting.forget(one.folder, [SESSION])
    exchange.converge()
    assert _files(alpha) == _files(beta)
    assert [name for name in _files(alpha) if SESSION in name] == [f"trash/forgotten/{SESSION}"]


def test_a_copy_of_a_mark_is_the_mark(pair: tuple[Scene, Scene]) -> None:
    """A file sync that compares times, not bytes, may keep two."""
    alpha, _ = pair
    alpha.sync()
    place = Path(alpha.folder.trash, "forgotten")
    place.mkdir()
    (place / f"{SESSION} (1)").write_bytes(b"forgotten\n")
    (place / f".{SESSION}.tmp-{2**22 + 1}").write_bytes(b"")
    forgotten.mark(alpha.folder, OTHER_SESSION, forgotten.EXPIRED, 1)
    forgotten.sweep_marks(alpha.folder)
    assert os.listdir(place) == [SESSION]
    alpha.sync()
    assert alpha.holding() == []


def test_what_one_lets_go_while_the_other_goes_on_with_it_stays(pair: tuple[Scene, Scene]) -> None:
    alpha, beta = pair
    exchange = Exchange(alpha, beta)
    _ended_at(ENDED, *pair)
    exchange.converge()
    Path(alpha.folder.state, "retention-seen").write_text(f'{{"days": 30, "mb": 0, "since": {ENDED}}}', "utf-8")
    done = alpha.sync(transcripts_keep_days=30).let_go
    assert done is not None
    assert [one.session_id for one in done.sessions] == [SESSION]
    assert alpha.source.exists()
    _goes_on(beta)
    exchange.converge()
    assert _files(alpha) == _files(beta)
    assert _files(alpha)[f"transcripts/{SESSION}.jsonl"] == beta.source.read_bytes()


def test_what_one_lets_go_goes_on_the_other_and_both_logs_stay(pair: tuple[Scene, Scene]) -> None:
    alpha, beta = pair
    exchange = Exchange(alpha, beta)
    _ended_at(ENDED, *pair)
    exchange.converge()
    forgotten.mark(alpha.folder, SESSION, forgotten.EXPIRED, ENDED * 10**9)
    exchange.converge()
    assert _files(alpha) == _files(beta)
    assert not [name for name in _files(beta) if name.startswith(f"transcripts/{SESSION}")]
    assert f"records/{session_logs.log_uuid(SESSION)}.json" in _files(beta)

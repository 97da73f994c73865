"""A session is forgotten on one machine while the other, cut off, goes on with it and edits its log.

tests/core/test_forgetting_machines.py tells the same without machines and without Syncthing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from memories.core import session_logs
from tests.sync.ledger import assert_equal_folders, assert_equal_mirrors, assert_healthy, assert_tidy
from tests.sync.machine import Machine
from tests.sync.network import joined
from tests.sync.sessions import conversation, session_id
from tests.sync.story import DAY, REMOTES

pytestmark = [pytest.mark.install, pytest.mark.long, pytest.mark.xdist_group("sync")]

WORD = b"quokkazimbabwe"
NAME = "forgotten on alpha"


def holding(machine: Machine) -> list[str]:
    """Every file below the data folder, the program excepted, in whose bytes the session's own word is."""
    paths = (
        Path(parent, name)
        for parent, folders, names in os.walk(machine.folder.root)
        if not parent.startswith(machine.folder.lib)
        for name in names
    )
    return [str(path) for path in paths if path.is_file() and WORD in path.read_bytes()]


def test_a_forgotten_session_is_gone_from_both_machines(make_machine: Callable[..., Machine]) -> None:
    """beta's clock is a day ahead, so its edit is later than alpha's mark by every time there is."""
    alpha, beta = make_machine("alpha"), make_machine("beta", skew=DAY)
    here, there = alpha.project("code/orders", remote=REMOTES[0]), beta.project("work/api", remote=REMOTES[1])
    word, log = WORD.decode(), session_logs.log_uuid(session_id(NAME))
    with joined((alpha, beta)) as network:
        for machine, project in ((alpha, here), (beta, there)):  # their Claude folders were copied once
            machine.end_session(project, conversation(here, NAME, [f"the {word} of the queue"]))
        alpha.end_session(here, conversation(here, "kept", ["and the docs"]))
        network.converge()
        assert holding(alpha)
        network.cut(alpha, beta)
        alpha.llm_memory("forget", session_id(NAME), "--yes")
        assert holding(alpha) == []
        beta.end_session(there, conversation(here, NAME, [f"the {word} of the queue", "which goes on on beta"]))
        with beta.worker() as worker:
            assert "error" not in worker("edit", uuid=log, fields={"tags": "edited on beta"})
        assert holding(beta)
        network.heal(alpha, beta)
        network.converge()
        for machine, project in ((alpha, here), (beta, there)):  # nor by the next starts and ends of sessions
            machine.hook("session_start", project, session_id=session_id("new"), source="startup", transcript_path="")
            machine.end_session(project, conversation(here, NAME, [f"the {word} of the queue", "and on", "and on"]))
            machine.llm_memory("sync")
        network.converge()
        for machine in (alpha, beta):
            assert holding(machine) == [], machine.name
            assert log not in {**machine.records(), **machine.records("trash")}
            assert f"trash/forgotten/{session_id(NAME)}" in machine.files()
            assert f"transcripts/{session_id('kept')}.jsonl" in machine.files()
            assert_tidy(machine)
            assert_healthy(machine)
        assert_equal_folders((alpha, beta))
        assert_equal_mirrors((alpha, beta))

"""Folders that are copied to and fro, newer over older: no conflict is ever seen, and still both become one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sync.ledger import assert_equal_folders, assert_equal_mirrors, assert_healthy, assert_tidy
from tests.sync.machine import Machine
from tests.sync.other_syncs import PlainCopying
from tests.sync.story import DAY, Story

pytestmark = [pytest.mark.install, pytest.mark.long, pytest.mark.xdist_group("sync")]


def test_folders_copied_to_and_fro_become_one_memory(make_machine: Callable[..., Machine]) -> None:
    story = Story(PlainCopying([make_machine("alpha"), make_machine("beta", skew=DAY)]))
    story.tell()
    assert_equal_folders(story.network.machines)
    assert_equal_mirrors(story.network.machines)
    here, deleted = story.alpha.records(), story.alpha.records("trash")
    for machine in story.network.machines:
        assert_tidy(machine)
        assert_healthy(machine)
    # A deletion travels as its tombstone, although the copying brings the deleted file back.
    assert story.notes["given up"] in deleted
    assert story.notes["revised"] in deleted
    assert story.notes["restored"] in here
    assert here[story.notes["edited"]]["content"] in {"edited, as alpha has it", "edited, as beta has it"}
    for name in ("of alpha", "of beta", "narrative of alpha", "narrative of beta"):
        assert name in story.notes
        assert story.notes[name] in here

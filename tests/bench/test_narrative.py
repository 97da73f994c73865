"""The bench of rewritten narratives meets its bars, whatever is drawn."""

from __future__ import annotations

import json

import pytest

from bench.narrative import LEVELS, LOSSES, LOST, MOST_FALSE_ALARMS, Round, main, measured
from memories.core.narrative_items import items


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("level", LEVELS)
def test_every_loss_is_named_and_hardly_anything_else(seed: int, level: str) -> None:
    one = Round(seed, levels=(level,))
    found = measured(one)
    assert found["missed"] == []
    assert sum(found["named"].values()) == LOST
    assert set(found["named"]) == set(LOSSES)
    assert len(found["false_alarms"]) <= MOST_FALSE_ALARMS * found["kept"]


def test_a_round_is_what_it_says_and_the_same_each_time() -> None:
    one, again = Round(5), Round(5)
    assert (one.old, one.new, one.lost) == (again.old, again.new, again.lost)
    assert [item.text for item in items(one.old) if item.kind] != []
    assert len(items(one.old)) == len(one.items)
    gone = [one.items[at].text() for at, kind in one.lost.items() if kind == "gone"]
    assert len(gone) == LOST // len(LOSSES)
    assert not any(text in one.new for text in gone)


def test_the_command_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rounds", "1", "--seed", "3"]) == 0
    assert "false alarms" in capsys.readouterr().out
    assert main(["--rounds", "1", "--seed", "3", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {*LEVELS, "mixed"}

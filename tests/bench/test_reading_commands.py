"""The bench of the reading commands: every command that there is, beside the bare interpreter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import commands
from bench.product import Home
from memories.terminal import table
from tests.bench.test_commands import bench


def test_every_reading_command_is_measured_on_memories_that_are_there(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    built = commands.build(home, 3, 4)
    assert set(built) >= {"help", "search", "search --transcripts", "brief", "narrative", "transcript", "status"}
    assert {arguments[0] for arguments in built.values()} <= {*table.COMMANDS, "help"}
    assert built["search"][0] == "search"
    assert built["search --transcripts"][:2] == ["search", "--transcripts"]
    lines = commands.measure(home, {"transcript": built["transcript"]}, 1)
    assert [line.name for line in lines] == [commands.BASE, "transcript"]
    assert lines[0].ratio == 1
    assert lines[1].median_ms == lines[1].best_ms > 0


def test_the_table_has_a_line_for_each_command_and_names_what_is_above_the_target(
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands.show([commands.Line(commands.BASE, 14, 13.5, 1), commands.Line("status", 49, 45, 3.5)])
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["command", "median", "ms", "best", "ms", "ratio"]
    assert first.split()[-3:] == ["14.0", "13.5", "1.00x"]
    assert second.endswith("3.50x  above the target")


@pytest.mark.long
def test_commands_measures_them_all() -> None:
    done = bench("commands", "--runs", "1", "--records", "20", "--turns", "10", "--json")
    assert done.returncode == 0, done.stderr
    assert {line["name"] for line in json.loads(done.stdout)} >= {commands.BASE, "search", "recent", "show", "brief"}

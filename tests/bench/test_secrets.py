"""The bench of redaction: its figures, its bar, its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import secrets
from tests.core import secret_corpus


def test_no_secret_is_left_and_no_look_alike_found() -> None:
    figures = secrets.corpus(1)
    assert figures["left"] == {}
    assert sum(figures["found"].values()) < secrets.FALSE_ALARMS * figures["harmless"]
    assert figures["shapes"] >= 80
    assert figures["harmless"] >= 400


@pytest.mark.long
def test_other_values_of_the_same_shapes_are_found_too() -> None:
    figures = secrets.corpus(20)
    assert sum(figures["left"].values()) <= figures["secrets"] / 5000
    assert sum(figures["found"].values()) < secrets.FALSE_ALARMS * figures["harmless"]


def test_the_command_prints_its_figures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("password=hunter2\n", encoding="utf-8")
    assert secrets.main(["--json", "--seconds", "0", "--real", str(tmp_path)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["real"] == {"characters": 17, "found": {"password": 1}}
    assert set(figures["start"]) == {"import of the table", "import, and the first text with a secret"}
    assert all(speed["MB/s"] > 0 for speed in figures["speed"].values())
    secrets._print(figures)
    assert "| secrets left | 0 of" in capsys.readouterr().out


def test_each_seed_makes_other_secrets_of_the_same_shapes() -> None:
    one, other = secret_corpus.leaks(1), secret_corpus.leaks(2)
    assert [leak[:2] for leak in one] == [leak[:2] for leak in other]
    assert [leak.text for leak in one] == [leak.text for leak in secret_corpus.leaks(1)]
    assert not {leak.secrets for leak in one} & {leak.secrets for leak in other}

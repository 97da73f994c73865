"""The runner: it shrinks what it finds, says how to see it again, keeps a small corpus and writes the page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import corpora, engine, record, run
from tests.fuzz.targets import TARGETS

BROKEN = b"the part that counts is here: BOOM, and the rest does not"


def _fails_on_boom(data: bytes) -> None:
    if b"BOOM" in data:
        raise ValueError("boom")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A target that fails, with folders of its own."""
    monkeypatch.setitem(TARGETS, "broken", _fails_on_boom)
    monkeypatch.setattr(corpora, "CRASHES", corpora.ROOT / ".cache" / tmp_path.name)
    return "broken"


def test_a_finding_is_shrunk_to_what_counts_and_kept_with_the_command_that_shows_it(
    broken: str, tmp_path: Path
) -> None:
    (tmp_path / "crashes").mkdir()
    (tmp_path / "crashes" / "crash-x").write_bytes(BROKEN)
    found = run.Share(broken, 1)
    place = run._settle(broken, tmp_path, "the log", found)
    try:
        assert place.startswith("ValueError@test_run.py:")
        assert [path.read_bytes() for path in found.findings] == [b"BOOM"]
        told = found.findings[0].with_suffix(".txt").read_text("utf-8")
        assert told.startswith(f"python -m tests.fuzz --reproduce .cache/{tmp_path.name}/broken/crash-")
        assert "the log" in told
        assert list((tmp_path / "crashes").iterdir()) == []
    finally:
        for path in (corpora.CRASHES / broken).iterdir():
            path.unlink()
        (corpora.CRASHES / broken).rmdir()
        corpora.CRASHES.rmdir()


def test_a_finding_is_told_from_others_by_where_it_came_from() -> None:
    try:
        _fails_on_boom(BROKEN)
    except ValueError as error:
        assert engine.place_of(error) == f"ValueError@test_run.py:{_fails_on_boom.__code__.co_firstlineno + 2}"
    assert run.failure("rules_text", b"harmless") == ""


def test_the_corpus_keeps_what_reaches_something_new_the_shortest_first() -> None:
    target = TARGETS["rules_text"]
    plain, code, longer = b"a\n\0b\n", b"```\nx\n```\n\0b\n", b"a\n\0b\nb\n" * 40
    kept = corpora.chosen(target, [plain, code, longer, b"x" * (corpora.MOST_BYTES + 1)])
    assert code in kept
    assert set(kept) <= {plain, code, longer}
    assert set().union(*(corpora.steps(target, data) for data in kept)) == set().union(
        *(corpora.steps(target, data) for data in (plain, code, longer))
    )


def test_keeping_a_corpus_drops_what_is_no_longer_wanted_but_not_what_once_failed(tmp_path: Path) -> None:
    kept = tmp_path / "corpus"
    corpora.keep(kept, [b"old", b"new"])
    (kept / f"{corpora.PINNED}list-as-type").write_bytes(b"once failed")
    corpora.keep(kept, [b"new", b"newer"])
    assert corpora.load(kept) == [b"new", b"newer", b"once failed"]
    assert corpora.load(tmp_path / "missing") == []


def test_a_run_is_written_into_the_page_and_pushes_out_the_oldest(tmp_path: Path) -> None:
    page = tmp_path / "fuzzing.md"
    page.write_text(
        "# Fuzzing\n<!-- runs -->\n<!-- end of runs -->\n<!-- last run -->\nold\n<!-- end of last run -->\nend\n",
        "utf-8",
    )
    share = run.Share("record", 300)
    share.executions, share.coverage, share.coverage_before = 12_345, 900, 850
    for day in range(record.MOST_RUNS + 1):
        record.write(page, [share, run.Share("narrative", 300)], f"2026-03-{day:02}", "3.11.7", "atheris 3.0.0")
    text = page.read_text("utf-8")
    assert "| record | 300 | 12,345 | 900 | 50 | 0 |\n| narrative | 300 | 0 | - | - | 0 |\n<!-- end" in text
    assert "| 2026-03-20 | 3.11.7 | atheris 3.0.0 | 600 | 12,345 | 0 |\n<!-- end of runs -->" in text
    assert text.count("| 2026-03-") == record.MOST_RUNS
    assert "2026-03-00" not in text
    assert "old" not in text
    assert text.count("| Date |") == 1


def test_a_finding_of_hypothesis_ends_its_process_with_the_input_in_the_folder(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['atheris'] = None\n"
        "from tests.fuzz import engine\n"
        "engine.setup()\n"
        "from tests.fuzz.targets import TARGETS\n"
        "def broken(data):\n"
        "    assert len(data) < 9, 'nine'\n"
        "TARGETS['rules_text'] = broken\n"
        f"engine.main(['rules_text', '20', {str(tmp_path)!r}, {str(tmp_path)!r}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=corpora.ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == engine.FAILED, done.stderr
    assert engine.COUNTED in done.stderr
    assert [len(path.read_bytes()) for path in tmp_path.glob("crash-*")] == [9]


def test_from_a_bare_clone_it_says_what_to_run_first(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tests.fuzz"], cwd=corpora.ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{done.stderr.split()[0]} is not installed here: run ./scripts/test first, then .venv/bin/python -m tests.fuzz"
    ]

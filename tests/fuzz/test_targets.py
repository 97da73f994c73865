"""Every target: the whole corpus is replayed, and Hypothesis tries each briefly. For long: `python -m tests.fuzz`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.plugin import DjangoDbBlocker

from tests.fuzz import corpora
from tests.fuzz.targets import TARGETS

EXAMPLES = 20
"""Of each target, the same each time; the long run looks for what is new, among some hundred thousand."""


@pytest.fixture(autouse=True)
def _real_mirror(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Targets connect Django to the SQLite files of their own homes."""
    with django_db_blocker.unblock():
        yield


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_no_input_that_was_kept_breaks_the_promise(name: str) -> None:
    kept = corpora.load(corpora.folder(name))
    assert kept, "a target without a corpus: python -m tests.fuzz --target makes one"
    for data in kept:
        TARGETS[name](data)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_no_input_that_hypothesis_finds_breaks_the_promise(name: str) -> None:
    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(corpora.inputs(name))
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()


def test_every_corpus_belongs_to_a_target_and_is_few_and_small() -> None:
    assert {path.name for path in corpora.CORPUS.iterdir()} == set(TARGETS)
    for name in TARGETS:
        kept = list(corpora.folder(name).iterdir())
        assert len(kept) <= corpora.MOST_FILES, name
        assert all(path.stat().st_size <= corpora.MOST_BYTES for path in kept), name
        pinned = [path for path in kept if path.name.startswith(corpora.PINNED)]
        assert len(pinned) <= corpora.MOST_PINNED, name


@given(st.binary(max_size=40))
def test_any_bytes_are_decisions(data: bytes) -> None:
    from tests.fuzz.draw import Draw, to_json

    draw = Draw(data)
    made = draw.altered({"name": lambda draw: draw.text(("a", "b"))}, ("x",))
    to_json(made, draw)
    assert draw.below(70_000 % 65_537) >= 0
    assert len(draw.raw(4)) <= 4

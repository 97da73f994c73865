"""The digests of recorded sessions are those that a person has read and approved.

After a change on purpose: `python -m tests.golden.approve`, then read the difference.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.golden.approve import FOLDER, approved_paths, told, transcripts
from tests.golden.stories import STORIES

CORPUS = transcripts()
MAX_BYTES = 300_000


@pytest.mark.parametrize("transcript", CORPUS, ids=lambda path: path.stem)
def test_the_digest_is_the_approved_one(transcript: Path) -> None:
    log, compact = approved_paths(transcript)
    assert log.is_file(), f"{log.name} is missing: python -m tests.golden.approve, then read it"
    assert compact.is_file(), f"{compact.name} is missing: python -m tests.golden.approve, then read it"
    assert told(transcript) == (log.read_text("utf-8"), compact.read_text("utf-8"))


def test_each_story_is_recorded_and_nothing_else_is_there() -> None:
    assert {path.stem for path in CORPUS} == set(STORIES)
    approved = {path.name for transcript in CORPUS for path in approved_paths(transcript)}
    assert {path.name for path in FOLDER.iterdir() if path.suffix in {".md", ".json"}} == approved


def test_the_corpus_stays_small_and_names_no_machine() -> None:
    assert sum(path.stat().st_size for path in CORPUS) < MAX_BYTES
    for path in CORPUS:
        text = path.read_text("utf-8")
        assert set(re.findall(r"(?<!/var)/(?:home|root|tmp|work|Users)\b(?:/\w+)?", text)) <= {"/home/ada"}, path.name
        for line in text.splitlines():
            assert json.loads(line)["type"] in {"user", "assistant", "system", "attachment"}

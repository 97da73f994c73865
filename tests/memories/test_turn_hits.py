"""From a hit among the conversations to the page with its words on it."""

from __future__ import annotations

import pytest

from memories import search
from memories.core import transcript_page
from memories.core.paths import DataFolder
from tests.memories.conversations import archive, talk

LONG = " ".join(f"word{number}" for number in range(6000))


@pytest.mark.parametrize("wanted", ["word5", "word2500", "word5990"])
def test_every_hit_leads_to_a_page_that_shows_its_words(memory_home: DataFolder, wanted: str) -> None:
    archive(memory_home, talk("before", "yes", LONG, "after"))
    hit = search.memory_search(memory_home, wanted, scope="transcripts")["results"][0]
    place = {"cursor": hit["cursor"]} if "cursor" in hit else {"around": hit["line"]}
    page = transcript_page.read_page(memory_home, hit["session_id"], **place)
    assert wanted in page.text.split()


def test_only_words_far_inside_a_message_need_a_cursor(memory_home: DataFolder) -> None:
    archive(memory_home, talk("where are the crates", "in the mill", LONG))
    hits = search.memory_search(memory_home, "crates word5990", scope="transcripts")["results"]
    with_cursor = {hit["line"] for hit in hits if "cursor" in hit}
    assert with_cursor == {max(hit["line"] for hit in hits)}

"""Finding words in a transcript: literally, in any case, however JSON writes them, in what is shown alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from memories.core import line_places, transcript_find
from memories.core.paths import DataFolder
from memories.core.transcript_find import find
from tests.core.test_transcript_reading import archived
from tests.core.transcript_lines import Script


def lines_with(folder: DataFolder, script: Script, words: str) -> list[int]:
    return [hit.place[0] for hit in find(archived(folder, script.dump()), words).hits]


def test_words_are_found_in_text_thinking_input_and_output_and_told_context(folder: DataFolder) -> None:
    script = Script("/proj")
    script.user("the Needle here")
    script.assistant({"type": "thinking", "thinking": "a needle"})
    script.call("Bash", {"command": "grep NEEDLE ."}, result="x\nneedle.py\n")
    script.attachment({"type": "hook_additional_context", "content": ["needle"]})
    script.other(type="api-request-blob", body="needle")
    script.answer("nothing", needle="a field that is not shown")
    assert lines_with(folder, script, "needle") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("words", ["größe", "GRÖSSE".replace("SS", "ß"), 'say "hi"', "a\\b", "索引", "ÄÖÜÄÖÜ x", "日"])
def test_words_are_found_however_they_are_escaped(folder: DataFolder, words: str, ascii_only: bool) -> None:
    line = {"type": "user", "message": {"role": "user", "content": f"before {words.swapcase()} after {words}"}}
    data = json.dumps(line, ensure_ascii=ascii_only).encode() + b"\n"
    (hit,) = find(archived(folder, data), words).hits
    assert hit.words in {words, words.swapcase()}


def test_a_hit_says_where_and_how_often_and_shows_the_passage(folder: DataFolder) -> None:
    script = Script("/proj")
    script.user("x " * 100 + "\x1b[1mNEEDLE\nand needle " + "y " * 100)
    (hit,) = find(archived(folder, script.dump()), "needle").hits
    assert (hit.place, hit.count, hit.words, hit.block.kind) == ((1, 0), 2, "NEEDLE", "user")
    assert hit.before.startswith("…")
    assert hit.before.endswith("x [1m")
    assert hit.after.startswith(" and needle y")
    assert hit.after.endswith("…")


def test_many_hits_go_on_where_the_first_ones_end(folder: DataFolder) -> None:
    script = Script("/proj")
    for number in range(120):
        script.user(f"needle {number}")
    found = archived(folder, script.dump())
    places, begin = [], line_places.START
    for expected in (50, 50, 20):
        part = find(found, "needle", begin)
        assert len(part.hits) == expected
        places += [hit.place[0] for hit in part.hits]
        begin = part.after or begin
    assert part.after is None
    assert places == list(range(1, 121))


def test_a_word_of_every_line_s_fields_ends_the_search_with_a_place_to_go_on(folder: DataFolder) -> None:
    script = Script("/proj")
    for number in range(transcript_find.PARSED_LINES + 10):
        script.user(f"request {number}")
    part = find(archived(folder, script.dump()), "parentUuid")
    assert part.hits == []
    assert part.after is not None
    assert part.after[0] == transcript_find.PARSED_LINES + 1


def test_words_across_the_pieces_of_a_file_are_found_once(folder: DataFolder) -> None:
    script = Script("/proj")
    script.user("a" * (line_places.CHUNK_BYTES - 400) + " needle " + "b" * 900 + " needle")
    script.user("needle")
    for shift in range(0, 700, 97):
        script.lines[0]["pad"] = "p" * shift
        assert lines_with(folder, script, "needle") == [1, 2]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=6), data=st.data(), ascii_only=st.booleans())
def test_any_piece_of_a_text_is_found_in_its_line(
    folder: DataFolder, texts: list[str], data: st.DataObject, ascii_only: bool
) -> None:
    number = data.draw(st.integers(0, len(texts) - 1))
    text = texts[number].strip()
    start = data.draw(st.integers(0, max(0, len(text) - 1)))
    words = text[start : start + 12]
    assume(words.strip())
    lines = [{"type": "assistant", "message": {"content": [{"type": "text", "text": one}]}} for one in texts]
    raw = b"".join(json.dumps(line, ensure_ascii=ascii_only).encode("utf-8", "replace") + b"\n" for line in lines)
    assert number + 1 in [hit.place[0] for hit in find(archived(folder, raw), words).hits]

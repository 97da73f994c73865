"""A transcript read as pages: bounded both ways, nothing lost, calls with their outputs, whatever the lines hold."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories.core import (
    archived_sessions,
    conversation,
    line_places,
    transcript_blocks,
    transcript_find,
    transcript_reading,
)
from memories.core.archived_sessions import ArchivedTranscript
from memories.core.errors import TranscriptError
from memories.core.line_places import START, Place
from memories.core.paths import DataFolder
from memories.core.redact import Redactor
from memories.core.transcript_blocks import Block
from memories.core.transcript_reading import Page
from tests.core.conversations import put
from tests.core.transcript_lines import SESSION, Script


@pytest.fixture
def archive(folder: DataFolder) -> DataFolder:
    return folder


def archived(folder: DataFolder, data: bytes) -> ArchivedTranscript:
    put(folder, data)
    return archived_sessions.find(folder, SESSION)


def long_script(requests: int) -> Script:
    """Requests, each with an answer, a call and bookkeeping."""
    script = Script("/proj")
    for number in range(requests):
        script.user(f"request {number}")
        script.other(type="mode", mode="normal")
        script.answer(f"answer {number} " + "word " * 100)
        script.call("Bash", {"command": f"run {number}"}, result=f"output {number}\n" * 20)
    return script


def numbers(page: Page) -> list[int]:
    """Of all lines that a page shows, outputs within their calls too."""
    own = [line.number for line in page.lines]
    answers = [block.answer.place[0] for line in page.lines for block in line.blocks if block.answer]
    return sorted(set(own) | {number for number in answers if page.first <= number <= page.last})


def blocks(page: Page) -> list[Block]:
    return [block for line in page.lines for block in line.blocks]


def forwards(found: ArchivedTranscript) -> list[Page]:
    pages = [transcript_reading.page_from(found, START)]
    while pages[-1].after:
        pages.append(transcript_reading.page_from(found, pages[-1].after))
    return pages


def backwards(found: ArchivedTranscript) -> list[Page]:
    pages = [transcript_reading.page_before(found, transcript_reading.end_of(found))]
    while pages[-1].before:
        pages.append(transcript_reading.page_before(found, pages[-1].before))
    return pages[::-1]


@pytest.mark.parametrize("read", [forwards, backwards])
def test_pages_join_without_a_gap_or_an_overlap(archive: DataFolder, read: Any) -> None:
    found = archived(archive, long_script(60).dump())
    pages = read(found)
    assert len(pages) > 3
    assert [pages[0].first, *(page.last + 1 for page in pages[:-1])] == [page.first for page in pages]
    assert pages[-1].last == 60 * 5
    shown = [number for page in pages for number in numbers(page)]
    assert shown == [number for number in range(1, 301) if number % 5 != 2]
    assert sum(page.unshown for page in pages) == 60


def test_a_page_is_bounded_in_what_it_holds(archive: DataFolder) -> None:
    found = archived(archive, long_script(200).dump())
    for page in [*forwards(found), *backwards(found)]:
        size = sum(transcript_reading.cost(line) for line in page.lines)
        assert size <= transcript_reading.PAGE_BYTES + transcript_reading.LINE_BYTES + 8_000


def test_a_call_holds_its_output_and_the_output_s_line_is_no_line_of_its_own(archive: DataFolder) -> None:
    script = Script("/proj")
    script.call("Bash", {"command": "ls"}, result="a.py")
    (call,) = blocks(forwards(archived(archive, script.dump()))[0])
    assert (call.kind, call.name, call.fields) == ("tool", "Bash", [("command", "ls")])
    assert call.answer is not None
    assert (call.answer.text, call.answer.place[0]) == ("a.py", 2)


def test_outputs_of_calls_made_at_once_stand_with_their_calls(archive: DataFolder) -> None:
    script = Script("/proj")
    for name in "abc":
        script.assistant({"type": "tool_use", "id": name, "name": "Read", "input": {"file_path": name}})
    for name in "cab":
        script.user([{"type": "tool_result", "tool_use_id": name, "content": f"text of {name}"}])
    found = blocks(forwards(archived(archive, script.dump()))[0])
    assert [block.answer and block.answer.text for block in found] == ["text of a", "text of b", "text of c"]


def test_an_output_on_the_next_page_is_shown_with_its_call_and_names_it_there(archive: DataFolder) -> None:
    script = Script("/proj")
    script.assistant({"type": "tool_use", "id": "slow", "name": "Agent", "input": {"prompt": "look"}})
    for number in range(40):
        script.answer(f"meanwhile {number} " + "word " * 300)
    script.user([{"type": "tool_result", "tool_use_id": "slow", "content": "seen"}])
    pages = forwards(archived(archive, script.dump()))
    call = blocks(pages[0])[0]
    assert call.answer is not None
    assert (call.answer.text, call.answer.place[0]) == ("seen", 42)
    output = blocks(pages[-1])[-1]
    assert output.call is not None
    assert (output.kind, output.call.place) == ("output", (1, 0))


def test_a_page_around_a_line_has_it_with_something_before_it(archive: DataFolder) -> None:
    found = archived(archive, long_script(100).dump())
    for line in (1, 4, 251, 252, 500):
        place = transcript_reading.place_of(found, line)
        page = transcript_reading.page_around(found, place)
        assert page.first <= line <= page.last
        assert page.first < line or line == 1


def test_a_place_is_counted_from_a_known_one(archive: DataFolder) -> None:
    data = long_script(20).dump()
    found = archived(archive, data)
    begins = [0, *(at + 1 for at, byte in enumerate(data) if byte == 10)][:-1]
    for line in (1, 2, 50, 100):
        assert transcript_reading.place_of(found, line) == (line, begins[line - 1])
        known = (line // 2 + 1, begins[line // 2])
        assert transcript_reading.place_of(found, line, known) == (line, begins[line - 1])
    with pytest.raises(TranscriptError, match="its last line is 100"):
        transcript_reading.place_of(found, 101)
    with pytest.raises(TranscriptError, match="no line 0"):
        transcript_reading.place_of(found, 0)


def test_a_file_that_vanished_is_a_clear_error(archive: DataFolder) -> None:
    found = archived(archive, long_script(1).dump())
    os.unlink(found.path)
    for read in (lambda: transcript_reading.page_from(found, START), lambda: transcript_reading.end_of(found)):
        with pytest.raises(TranscriptError, match="Cannot read"):
            read()


@pytest.mark.parametrize("place", [(2, 0), (1, 5), (2, 7), (0, 0), (10**9, 3), (3, 10**12)])
def test_a_place_that_fits_no_line_is_refused(archive: DataFolder, place: Place) -> None:
    found = archived(archive, long_script(3).dump())
    for read in (transcript_reading.page_from, transcript_reading.page_before, transcript_reading.page_around):
        with pytest.raises(TranscriptError, match="was replaced since"):
            read(found, place)


def test_fifty_megabytes_are_read_where_they_are_looked_at_only(
    archive: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = long_script(20).dump() + b'{"type":"api-request-blob","x":"' + b"y" * 500_000 + b'"}\n'
    found = archived(archive, data * 60)
    parsed: list[int] = []
    read = transcript_blocks.read_line

    def noted(number: int, offset: int, raw: bytes, redactor: Redactor | None) -> transcript_blocks.Line | None:
        parsed.append(len(raw))
        return read(number, offset, raw, redactor)

    monkeypatch.setattr(transcript_blocks, "read_line", noted)
    place = transcript_reading.place_of(found, 101 * 30 + 1)
    parsed.clear()
    transcript_reading.page_around(found, place)
    transcript_reading.page_from(found, START)
    transcript_reading.page_before(found, transcript_reading.end_of(found))
    assert len(parsed) < 300
    assert sum(parsed) < 4 * transcript_reading.READ_BYTES


def test_bookkeeping_of_many_megabytes_ends_a_page_that_shows_nothing(archive: DataFolder) -> None:
    line = b'{"type":"api-request-blob","x":"' + b"y" * 1_000_000 + b'"}\n'
    found = archived(archive, line * 12 + long_script(1).dump())
    page = transcript_reading.page_from(found, START)
    assert (page.lines, page.unshown) == ([], 5)
    assert page.after is not None
    assert [one.first for one in forwards(found)] == [1, 6, 11]
    assert numbers(backwards(found)[-1])[-1] == 17


def test_a_line_over_the_limit_is_named_in_its_place(archive: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MAX_LINE_BYTES", 100_000)
    script = long_script(1).dump()
    found = archived(archive, script + b"x" * 350_000 + b"\n" + script + b"z" * 300_000)
    for pages in (forwards(found), backwards(found)):
        shown = [(line.number, block.text) for page in pages for line in page.lines for block in line.blocks]
        broken = [number for number, text in shown if "longer than" in text]
        assert broken == [6, 12]


def test_a_torn_or_broken_line_is_named_and_bookkeeping_is_counted(archive: DataFolder) -> None:
    data = b'not json\n\n{"type":"mode"}\n[1]\n{"type":"user","message":\n' + b'{"type":"user","mess'
    page = forwards(archived(archive, data))[0]
    assert [(line.number, line.blocks[0].kind) for line in page.lines] == [
        (1, "broken"),
        (4, "broken"),
        (5, "broken"),
        (6, "broken"),
    ]
    assert "still being written" in page.lines[-1].blocks[0].text
    assert page.unshown == 2


def test_what_hooks_told_and_thinking_and_pictures_are_blocks() -> None:
    script = Script("/proj")
    told = {"type": "hook_additional_context", "hookName": "SessionStart:startup", "content": ["remembered", 3]}
    lines = [
        script.attachment(told),
        script.attachment({"type": "hook_success", "hookName": "SessionStart:startup", "stdout": "plain"}),
        script.attachment({"type": "hook_success", "hookName": "SessionStart:startup", "stdout": '{"a":1}'}),
        script.attachment({"type": "hook_success", "hookName": "PostToolUse:Bash", "stdout": "unseen"}),
        script.assistant({"type": "thinking", "thinking": "hm"}, {"type": "redacted_thinking", "data": "x"}),
        script.user([{"type": "image", "source": {"media_type": "image/png", "data": "A" * 8192}}]),
        script.user("<system-reminder>be brief</system-reminder>do it"),
        script.user("<local-command-stdout>x</local-command-stdout>"),
        script.user("meta", isMeta=True),
    ]
    found = [[(block.kind, block.text) for block in transcript_blocks.blocks_of(line)] for line in lines]
    assert found == [
        [("told", "remembered")],
        [("told", "plain")],
        [],
        [],
        [("thinking", "hm")],
        [("image", "image, image/png, 6 KB")],
        [("user", "do it"), ("client", "be brief")],
        [("client", "<local-command-stdout>x</local-command-stdout>")],
        [],
    ]


def test_blocks_whose_type_is_no_text_are_passed_over() -> None:
    script = Script("/work")
    odd: list[Any] = [{"type": []}, {"type": {}}, {"type": "text", "text": "said"}]
    blocks = transcript_blocks.blocks_of(script.user(odd))
    assert [(block.kind, block.text) for block in blocks if block.kind == "user"] == [("user", "said")]
    result = {
        "type": "tool_result",
        "tool_use_id": "t",
        "content": [{"type": ["image"]}, {"type": "text", "text": "x"}],
    }
    transcript_blocks.blocks_of(script.user([result]))
    blocks = transcript_blocks.blocks_of(script.assistant(*odd))
    assert [(block.kind, block.text) for block in blocks if block.kind == "assistant"] == [("assistant", "said")]


def test_a_text_is_cut_to_what_it_takes_escaped() -> None:
    assert transcript_reading.cut("short", 10) == "short"
    assert transcript_reading.cut("one two three", 9) == "one two "
    assert transcript_reading.cut("<" * 100, 40) == "<" * 10
    assert transcript_reading.cut("é" * 100, 1) == "é"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "content", "id", "input", "name", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
KIND = st.sampled_from(
    ["user", "assistant", "attachment", "system", "text", "tool_use", "tool_result", "thinking", "zz"]
)
BLOCK = st.fixed_dictionaries(
    {"type": KIND},
    optional=dict.fromkeys(
        ["text", "content", "id", "tool_use_id", "input", "name", "thinking", "source", "is_error"], JSON
    ),
)
ENTRY = st.fixed_dictionaries(
    {"type": KIND},
    optional={
        "message": JSON | st.fixed_dictionaries({"content": JSON | st.lists(BLOCK, max_size=3)}),
        "attachment": JSON | st.fixed_dictionaries({"type": st.sampled_from(["queued_command", "hook_success"])}),
        **dict.fromkeys(["timestamp", "subtype", "compactMetadata", "toolUseResult", "isMeta", "origin", "uuid"], JSON),
    },
)
LINE = st.one_of(
    ENTRY.map(lambda entry: json.dumps(entry, separators=(",", ":")).encode()),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"")),
    st.builds(lambda size: b'{"type":"user","message":{"content":"' + b"w " * size + b'"}}', st.integers(0, 20_000)),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINE, max_size=12), ended=st.booleans())
def test_any_file_is_read_whole_in_both_directions(archive: DataFolder, lines: list[bytes], ended: bool) -> None:
    found = archived(archive, b"\n".join(lines) + (b"\n" if ended and lines else b""))
    count = transcript_reading.end_of(found)[0] - 1
    for pages in (forwards(found), backwards(found)):
        assert pages[0].first == 1
        assert pages[-1].last == count
        assert sum(page.last - page.first + 1 for page in pages) == count
        shown = sum(len(numbers(page)) for page in pages)
        assert shown + sum(page.unshown for page in pages) == count
        for page in pages:
            assert all(len(transcript_reading.limits(line)) == len(line.blocks) for line in page.lines)
            transcript_find.find(found, "w", page.before or START)


@settings(deadline=None)
@given(data=st.binary(max_size=300).map(lambda raw: raw.replace(b"\x00", b"\n")), most=st.integers(5, 400))
def test_lines_before_are_the_lines_backwards(tmp_path_factory: pytest.TempPathFactory, data: bytes, most: int) -> None:
    path = Path(tmp_path_factory.getbasetemp(), "lines")
    path.write_bytes(data)
    with open(path, "rb") as file:
        found = list(line_places.lines_before(file.fileno(), len(data), max(most, len(data) + 1)))
    lines = data.split(b"\n")
    expected = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    assert [line for _, line in found][::-1] == expected
    assert all(data[offset : offset + len(line)] == line for offset, line in found)

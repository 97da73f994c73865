"""From a transcript's lines to rows: what counts as said, where a row begins and ends, what its id tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import turn_ids, turn_rows
from memories.core.errors import TranscriptError
from tests.core.transcript_lines import Script


def rows_of(tmp_path: Path, script: Script | bytes) -> list[turn_rows.TurnRow]:
    path = tmp_path / "transcript.jsonl"
    data = script if isinstance(script, bytes) else script.dump()
    path.write_bytes(data)
    return list(turn_rows.iter_rows(str(path), 0, 0, len(data)))


def said(tmp_path: Path, script: Script | bytes) -> list[tuple[str, str]]:
    return [(row.role, row.text) for row in rows_of(tmp_path, script)]


def test_a_row_is_what_the_user_said_or_what_claude_said_with_the_calls_after_it(tmp_path: Path) -> None:
    script = Script("/proj")
    script.user("Make the uploader retry")
    script.answer("I add a loop.")
    script.call("Edit", {"file_path": "/proj/up.py", "old_string": "a", "new_string": "b"})
    script.call("Bash", {"command": "pytest -q"}, result="3 passed, and much other output")
    script.answer("Done.")
    assert said(tmp_path, script) == [
        ("user", "Make the uploader retry"),
        ("assistant", "I add a loop.\nEdit: /proj/up.py\nBash: pytest -q"),
        ("assistant", "Done."),
    ]


def test_calls_that_nobody_announced_have_a_row_of_their_own(tmp_path: Path) -> None:
    script = Script("/proj")
    script.user("Look around")
    script.call("LS", {"path": "/proj"})
    script.call("Read", {"file_path": "/proj/a.py"})
    assert said(tmp_path, script)[1:] == [("assistant", "LS: /proj\nRead: /proj/a.py")]


def test_twenty_calls_fill_a_row_and_the_next_one_begins_another(tmp_path: Path) -> None:
    script = Script("/proj")
    script.answer("Reading everything.")
    for number in range(turn_rows.MAX_TOOLS + 2):
        script.call("Read", {"file_path": f"/proj/{number}.py"})
    first, second = rows_of(tmp_path, script)
    assert first.text.count("Read:") == turn_rows.MAX_TOOLS
    assert second.text == "Read: /proj/20.py\nRead: /proj/21.py"
    assert second.line == 2 + 2 * turn_rows.MAX_TOOLS


def test_plans_questions_and_their_answers_are_words(tmp_path: Path) -> None:
    script = Script("/proj")
    script.call("ExitPlanMode", {"plan": "First measure, then cut."})
    question = {"question": "Which port?", "options": [{"label": "8080", "description": "as before"}]}
    script.call("AskUserQuestion", {"questions": [question]}, result=None)
    answers = {"questions": [question], "answers": {"Which port?": "9090"}}
    block = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "User has answered."}
    script.user([block], toolUseResult=answers)
    told = said(tmp_path, script)
    assert ("user", "Which port?: 9090") in told
    assert any(role == "assistant" and text.startswith("First measure, then cut.") for role, text in told)
    assert any(role == "assistant" and "Which port?\n- 8080: as before" in text for role, text in told)


def test_why_a_call_was_refused_is_the_users_word(tmp_path: Path) -> None:
    script = Script("/proj")
    script.call("Bash", {"command": "rm -rf build"}, result=None)
    text = "The user doesn't want to proceed with this tool use. To tell you how, the user said:\nkeep the build folder"
    script.user([{"type": "tool_result", "tool_use_id": "toolu_0", "content": text, "is_error": True}])
    assert said(tmp_path, script)[-1] == ("user", "keep the build folder")


def test_nothing_of_what_the_client_put_in_between_is_a_row(tmp_path: Path) -> None:
    script = Script("/proj")
    script.user("<system-reminder>secret one</system-reminder>Ship it<system-reminder>secret two</system-reminder>")
    script.assistant({"type": "thinking", "thinking": "secret thought", "signature": "x"})
    script.attachment({"type": "hook_additional_context", "content": ["secret memory"]})
    script.attachment({"type": "hook_success", "hookName": "SessionStart:startup", "stdout": "secret output"})
    script.user("<command-name>/compact</command-name><command-args></command-args>")
    script.user("<local-command-stdout>secret stdout</local-command-stdout>")
    script.user("secret caveat", isMeta=True)
    script.compaction("This session is being continued from a previous conversation: secret summary")
    script.other(type="api-request-blob", message={"role": "user", "content": "secret request"})
    script.other(type="ai-title", title="secret title")
    script.call("Bash", {"command": "make"}, result="secret output")
    assert said(tmp_path, script) == [("user", "Ship it"), ("assistant", "Bash: make")]


def test_a_message_queued_while_claude_worked_is_the_users(tmp_path: Path) -> None:
    script = Script("/proj")
    script.attachment({"type": "queued_command", "prompt": "Also fix the docs", "commandMode": "prompt"})
    assert said(tmp_path, script) == [("user", "Also fix the docs")]


@pytest.mark.parametrize("word", ["tool_result", "thinking", "text"])
def test_words_that_name_the_formats_own_parts_are_found_all_the_same(tmp_path: Path, word: str) -> None:
    script = Script("/proj")
    script.user(word)
    script.answer(f'The key is "{word}".')
    script.call("Grep", {"pattern": word, "path": "/proj"})
    script.call("mcp__db__put", {"title": "a row", "type": "tool_result"})
    assert said(tmp_path, script) == [
        ("user", word),
        ("assistant", f'The key is "{word}".\nGrep: {word} · /proj\nmcp__db__put: a row'),
    ]


def test_a_row_knows_its_line_offset_time_branch_and_side(tmp_path: Path) -> None:
    script = Script("/proj", branch="feature/x")
    script.other(type="mode", mode="normal")
    script.user("First")
    script.answer("Second", isSidechain=True, gitBranch="HEAD")
    first, second = rows_of(tmp_path, script)
    assert (first.line, first.time, first.branch, first.is_sidechain) == (2, 1_773_478_801, "feature/x", False)
    assert (second.line, second.branch, second.is_sidechain) == (3, None, True)
    assert script.dump()[second.offset :].startswith(b'{"parentUuid"')
    assert script.dump()[: second.offset].count(b"\n") == 2


def test_a_subagents_calls_do_not_join_the_main_conversations_row(tmp_path: Path) -> None:
    script = Script("/proj")
    script.answer("I ask an agent.")
    script.assistant({"type": "tool_use", "id": "t", "name": "LS", "input": {"path": "/proj"}}, isSidechain=True)
    assert said(tmp_path, script) == [("assistant", "I ask an agent."), ("assistant", "LS: /proj")]


def test_an_encoded_image_or_output_beside_words_leaves_the_words(tmp_path: Path) -> None:
    script = Script("/proj")
    output = {"type": "tool_result", "tool_use_id": "t", "content": "output"}
    script.user([output, {"type": "text", "text": "look at this"}, {"type": "image", "source": {}}])
    assert said(tmp_path, script) == [("user", "look at this")]


@given(
    st.text(st.sampled_from("ab \n漢é"), min_size=1, max_size=400),
    st.integers(0, 3),
    st.integers(4, 60),
)
def test_a_long_text_is_cut_into_rows_that_join_to_the_whole(
    tmp_path_factory: pytest.TempPathFactory, text: str, calls: int, most: int
) -> None:
    script = Script("/proj")
    script.answer(text)
    for _ in range(calls):
        script.call("LS", {"path": "/proj"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turn_rows, "MAX_CHARS", most)
        rows = rows_of(tmp_path_factory.mktemp("rows"), script)
    whole = "\n".join(filter(None, [text.strip(), *["LS: /proj"] * calls]))
    assert "".join(row.text for row in rows) == whole
    assert all(len(row.text) <= most for row in rows)
    assert [row.key is None for row in rows] == [position > 0 for position in range(len(rows))]


def test_a_long_text_is_cut_after_white_space_where_there_is_some(tmp_path: Path) -> None:
    script = Script("/proj")
    script.user("word " * 3000)
    assert {row.text.strip("word ") for row in rows_of(tmp_path, script)} == {""}
    assert all(row.text.endswith(" ") for row in rows_of(tmp_path, script)[:-1])


def test_reading_from_a_rows_line_gives_the_rows_from_there(tmp_path: Path) -> None:
    script = Script("/proj")
    script.user("One")
    script.answer("Two")
    script.call("LS", {"path": "/proj"})
    script.user("Three")
    data = script.dump()
    rows = rows_of(tmp_path, script)
    again = list(turn_rows.iter_rows(str(tmp_path / "transcript.jsonl"), rows[1].offset, rows[1].line - 1, len(data)))
    assert [(row.line, row.offset, row.text) for row in again] == [(r.line, r.offset, r.text) for r in rows[1:]]


def test_a_row_in_whose_line_a_call_of_the_row_before_stands_does_not_begin_that_line(tmp_path: Path) -> None:
    script = Script("/proj")
    script.answer("I have a plan.")
    call = {"type": "tool_use", "id": "t", "name": "LS", "input": {"path": "/"}}
    plan = {"type": "tool_use", "id": "u", "name": "ExitPlanMode", "input": {"plan": "The plan."}}
    script.assistant(call, plan)
    first, second = rows_of(tmp_path, script)
    assert first.text == "I have a plan.\nLS: /\nExitPlanMode"
    assert (first.begins_line, second.begins_line) == (True, False)


def test_a_call_whose_line_stands_twice_in_a_row_is_in_it_once(tmp_path: Path) -> None:
    script = Script("/proj")
    script.answer("I look.")
    script.call("Bash", {"command": "echo a"}, result=None)
    script.call("Bash", {"command": "echo b"}, result=None)
    script.lines += script.lines[1:]
    script.call("Bash", {"command": "echo a"}, result=None)
    assert said(tmp_path, script) == [("assistant", "I look.\nBash: echo a\nBash: echo b\nBash: echo a")]


def test_a_repeated_call_begins_no_row_after_a_full_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_rows, "MAX_TOOLS", 1)
    script = Script("/proj")
    script.call("Bash", {"command": "echo a"}, result=None)
    script.lines += script.lines
    assert said(tmp_path, script) == [("assistant", "Bash: echo a")]


def test_calls_of_one_line_or_without_an_id_are_no_repeats(tmp_path: Path) -> None:
    script = Script("/proj")
    call = {"type": "tool_use", "id": "t", "name": "LS", "input": {"path": "/"}}
    script.assistant(call, call)
    script.assistant(call, uuid=None)
    script.assistant(call, uuid=None)
    assert said(tmp_path, script) == [("assistant", "LS: /\nLS: /\nLS: /\nLS: /")]


def test_broken_lines_are_passed_over(tmp_path: Path) -> None:
    script = Script("/proj")
    script.user("Before")
    script.user("After")
    first, second = script.dump().splitlines(keepends=True)
    broken = [
        b'{"type":"user"', b"\0\0\0", b'["type","user"]', b'"type":"user"', b"\xff\xfe", b"[" * 100_000,
        b'{"type":"user","message":' + b"9" * 5000 + b"}", b'{"type":"new-kind","message":{"content":"x"}}',
    ]  # fmt: skip
    assert said(tmp_path, first + b"\n".join(broken) + b"\n" + second) == [("user", "Before"), ("user", "After")]


def test_a_line_of_ten_megabytes_is_cut_like_any_other(tmp_path: Path) -> None:
    script = Script("/proj")
    script.user("x" * 10_000_000)
    script.user("After")
    rows = rows_of(tmp_path, script)
    assert sum(len(row.text) for row in rows[:-1]) == 10_000_000
    assert rows[-1].line == 2


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["\ud800", "text", "tool_use"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "type text content name input role kind questions answers plan prompt tool_use_id id model".split()
            ),
            inner | st.sampled_from(["text", "tool_use", "tool_result", "queued_command", "ExitPlanMode", "user"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(
            "message attachment uuid timestamp gitBranch isSidechain isMeta origin toolUseResult subtype".split()
        ),
        _JSON,
    ),
    st.sampled_from(["user", "assistant", "attachment", "system"]),
)
def test_no_shape_of_a_line_raises(tmp_path_factory: pytest.TempPathFactory, fields: dict[str, Any], kind: str) -> None:
    line = json.dumps({"type": kind, **fields, "mark": "compact_boundary"}).encode() + b"\n"
    for row in rows_of(tmp_path_factory.mktemp("rows"), line):
        f"{row.text}{row.branch}".encode()
        assert row.role in {"user", "assistant"}
        turn_rows.extra_of(row.text, row.time).encode()


@pytest.mark.parametrize(
    "stamp",
    [None, 5, "", "2026-03-14", "2026-03-14T09:00:²³.250Z", "2026-03-14T09:00:1xZ", "0000-00-00T00:00:00Z",
     "9999-12-31T23:59:59.9-23:59", "1000-01-01T00:00:00+23:59", "2026-13-41T25:61:61.000Z"],
)  # fmt: skip
def test_a_strange_time_neither_raises_nor_drops_the_words(tmp_path: Path, stamp: object) -> None:
    script = Script("/proj")
    script.user("Hello", timestamp=stamp)
    (row,) = rows_of(tmp_path, script)
    assert turn_rows.extra_of(row.text, row.time) is not None


def test_a_missing_file_is_a_transcript_error(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError):
        list(turn_rows.iter_rows(str(tmp_path / "none.jsonl"), 0, 0, 10))


def test_a_key_is_the_same_for_the_same_message_only() -> None:
    key = turn_rows.message_key("u", "user", "hello")
    assert key == turn_rows.message_key("u", "user", "hello")
    assert (
        len({key, *(turn_rows.message_key(*one) for one in [("v", "user", "hello"), ("u", "assistant", "hello")])}) == 3
    )
    assert -(1 << 63) <= turn_rows.message_key("\ud800", "user", "\ud800") < 1 << 63


@given(st.integers(1, 1 << 34), st.integers(0, (1 << 24) - 1), st.integers(0, 10_000_000))
def test_an_id_tells_session_position_and_length(session: int, position: int, count: int) -> None:
    row_id = turn_ids.turn_id(session, position, count)
    place = turn_ids.place(row_id)
    assert turn_ids.session_at(place) == row_id >> turn_ids.SESSION_SHIFT == session
    low, high = turn_ids.session_range(session)
    assert low <= row_id <= high
    assert place - turn_ids.place(low) == position
    first, last = turn_ids.place_range(place)
    assert first <= row_id <= last
    assert row_id & turn_ids.CLASS_MASK == turn_ids.length_class(count)


def test_a_class_stands_for_about_as_many_words_as_it_was_given() -> None:
    for count in range(4, 724):
        assert 0.8 < turn_ids.class_words(turn_ids.length_class(count)) / count < 1.25
    assert [turn_ids.length_class(count) for count in (0, 1, 4, 724, 10**9)] == [0, 0, 0, 15, 15]


def test_a_day_is_found_beside_the_text() -> None:
    assert turn_rows.extra_of("retryCount", 1_773_478_801) == "retry count 14 March 2026 2026-03-14"
    assert turn_rows.extra_of("plain", None) == ""

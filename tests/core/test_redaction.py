"""Redaction of what is read: which redactor counts, records and transcript lines as they may be shown."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import redact, redaction, session_logs
from memories.core.errors import RecordNotFoundError
from memories.core.paths import DataFolder
from memories.core.redact import Redactor
from tests.conftest import MakeRecord
from tests.core import secret_corpus
from tests.core.transcript_lines import short_session

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
HIDDEN = "[redacted: github-token]"
PLAIN = Redactor()


def _settings(folder: DataFolder, text: str) -> None:
    Path(folder.settings).write_text(text, encoding="utf-8")


def test_the_patterns_of_the_settings_count(folder: DataFolder) -> None:
    _settings(folder, json.dumps({"redact_patterns": ["blue-\\d+"]}))
    assert redaction.of(folder).text("at blue-17") == "at [redacted: own-pattern]"
    _settings(folder, "{}")
    assert redaction.of(folder).text("at blue-17") == "at blue-17"


@pytest.mark.parametrize("slip", ["{not json", '{"redact_patterns": ["("]}', "[]", '{"redact_patterns": "blue"}'])
def test_while_the_settings_cannot_be_read_the_last_patterns_count_on(folder: DataFolder, slip: str) -> None:
    _settings(folder, json.dumps({"redact_patterns": ["blue-\\d+"]}))
    redaction.note_patterns(folder)
    _settings(folder, slip)
    redaction.note_patterns(folder)
    assert redaction.of(folder).text("at blue-17") == "at [redacted: own-pattern]"
    _settings(folder, "{}")
    redaction.note_patterns(folder)
    _settings(folder, slip)
    assert redaction.of(folder).text("at blue-17") == "at blue-17"


@pytest.mark.parametrize("kept", ["{", '["("]', "7", "[[]]"])
def test_what_is_kept_of_the_patterns_is_not_trusted(folder: DataFolder, kept: str) -> None:
    Path(folder.state, redaction.PATTERNS).write_text(kept, encoding="utf-8")
    _settings(folder, "{")
    assert redaction.of(folder).text("at blue-17") == "at blue-17"


def test_nothing_is_kept_for_users_without_patterns(folder: DataFolder) -> None:
    redaction.note_patterns(folder)
    assert list(Path(folder.state).iterdir()) == []


def test_a_record_is_loaded_as_it_may_be_shown_and_stays_as_it_is(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record(f"Key {TOKEN}", tags=TOKEN, extra={"deep": [TOKEN], "password": "vK7-q2Lm9xR"})
    shown = redaction.load(folder, record["uuid"])
    assert shown["content"] == f"Key {HIDDEN}"
    assert shown["extra"] == {"deep": [HIDDEN], "password": "[redacted: password]"}
    assert TOKEN.encode() in Path(folder.records, f"{record['uuid']}.json").read_bytes()
    with pytest.raises(RecordNotFoundError):
        redaction.load(folder, "0" * 32)


def test_a_tombstone_is_shown_without_its_secrets(folder: DataFolder, make_record: MakeRecord) -> None:
    from memories.core import records

    uuid = make_record(f"Key {TOKEN}")["uuid"]
    assert redaction.tombstone(folder, uuid) is None
    records.delete(folder, uuid)
    assert (redaction.tombstone(folder, uuid) or {})["content"] == f"Key {HIDDEN}"


def test_what_a_record_is_made_of_is_left_alone_by_both(folder: DataFolder) -> None:
    assert redaction.RECORD_STRUCTURE == redact._FIXED


def _line(*blocks: object, **fields: Any) -> dict[str, Any]:
    return {"type": "user", "uuid": TOKEN, "message": {"role": "user", "content": list(blocks)}, **fields}


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        ({"type": "text", "text": f"use {TOKEN}"}, {"type": "text", "text": f"use {HIDDEN}"}),
        ({"thinking": TOKEN, "signature": TOKEN}, {"thinking": HIDDEN, "signature": TOKEN}),
        ({"id": TOKEN, "input": {"a": [{"b": TOKEN}]}}, {"id": TOKEN, "input": {"a": [{"b": HIDDEN}]}}),
        ({"input": {TOKEN: 1, "id": TOKEN}}, {"input": {HIDDEN: 1, "id": HIDDEN}}),
        ({"input": {"password": "vK7-q2Lm9xR"}}, {"input": {"password": "[redacted: password]"}}),
        ({"type": "tool_result", "content": [{"text": TOKEN}]}, {"type": "tool_result", "content": [{"text": HIDDEN}]}),
        ({"source": {"media_type": TOKEN, "data": TOKEN}}, {"source": {"media_type": HIDDEN, "data": TOKEN}}),
        (TOKEN, HIDDEN),
        ([TOKEN, [TOKEN]], [HIDDEN, [HIDDEN]]),
    ],
)  # fmt: skip
def test_every_text_in_a_line_is_redacted_and_what_tells_its_structure_is_not(block: object, shown: object) -> None:
    assert redaction.line(_line(block), PLAIN) == _line(shown)


def test_a_text_for_content_a_branch_an_attachment_and_unknown_fields_are_redacted_too() -> None:
    entry = {"message": {"content": TOKEN}, "gitBranch": TOKEN, "attachment": {"prompt": TOKEN}, "new": {"x": [TOKEN]}}
    shown = {
        "message": {"content": HIDDEN},
        "gitBranch": HIDDEN,
        "attachment": {"prompt": HIDDEN},
        "new": {"x": [HIDDEN]},
    }
    assert redaction.line(entry, PLAIN) == shown


def test_of_the_clients_own_copy_of_a_result_only_what_is_told_stays() -> None:
    kept = {"answers": {"which?": TOKEN}, "stdout": TOKEN, "agentId": "a1"}
    entry = redaction.line(_line(toolUseResult=kept), PLAIN)
    assert entry["toolUseResult"] == {"answers": {"which?": HIDDEN}, "agentId": "a1"}
    assert "toolUseResult" not in redaction.line(_line(toolUseResult={"stdout": "x"}), PLAIN)
    assert "toolUseResult" not in redaction.line(_line(toolUseResult="text"), PLAIN)


def test_a_line_of_any_depth_is_redacted() -> None:
    deep: list[Any] = [TOKEN]
    for _ in range(20_000):
        deep = [deep]
    entry = redaction.line(_line(new=deep), PLAIN)
    found: Any = entry["new"]
    while isinstance(found[0], list):
        found = found[0]
    assert found == [HIDDEN]


def test_what_only_looks_like_a_message_is_no_obstacle() -> None:
    for odd in ({"message": 7}, {"message": {"content": None}}, {"message": None}, {"message": [TOKEN]}, {}):
        assert TOKEN not in json.dumps(redaction.line(copy.deepcopy(odd), PLAIN))


texts = st.one_of(st.text(max_size=30), st.just(TOKEN), st.just("<private>no"), st.just("password: vK7-q2Lm9xR"))
values = st.recursive(
    st.one_of(texts, st.integers(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.dictionaries(st.sampled_from(["message", "attachment", "uuid", "x"]), values), max_size=5))
def test_many_lines_at_once_give_what_one_by_one_does(entries: list[dict[str, Any]]) -> None:
    one_by_one = [redaction.line(copy.deepcopy(entry), PLAIN) for entry in entries]
    again = [redaction.line(copy.deepcopy(entry), PLAIN) for entry in one_by_one]
    together = [(number, entry) for number, entry in enumerate(copy.deepcopy(entries))]
    assert [entry for _, entry in redaction.batched(iter(together), PLAIN)] == one_by_one == again


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.sampled_from(["content", "tags", "extra", "password"]), values))
def test_a_record_is_redacted_as_the_redactor_does_it(record: dict[str, Any]) -> None:
    fast, slow = copy.deepcopy(record), copy.deepcopy(record)
    redaction.record(fast, PLAIN)
    PLAIN.record(slow)
    assert fast == slow


def test_a_secret_is_found_among_other_texts_wherever_it_is_found_alone() -> None:
    for leak in secret_corpus.leaks():
        if PLAIN.spans(leak.text):
            assert PLAIN.spans(f"what is\n{leak.text}\nand then"), leak


def test_a_pattern_of_the_users_sees_each_text_alone() -> None:
    redactor = Redactor(("^blue$",))
    assert redaction.line(_line("blue", "true blue"), redactor) == _line("[redacted: own-pattern]", "true blue")


def test_an_unclosed_private_tag_is_text_in_a_tools_result_only() -> None:
    code = "class A { <private> int x; }"
    shown = redaction.line(_line({"type": "tool_result", "content": code}, {"type": "text", "text": code}), PLAIN)
    output, said = shown["message"]["content"]
    assert (output["content"], said["text"]) == (code, "class A { [private]")
    nested = _line({"type": "tool_result", "content": [{"type": "text", "text": f"{code} {TOKEN}"}]})
    text = redaction.line(nested, PLAIN)["message"]["content"][0]["content"][0]["text"]
    assert text == f"{code} [redacted: github-token]"


def test_what_an_archive_has_masked_is_shown_as_masked_and_the_frames_of_comments_are_not() -> None:
    frame = "/************/\n/**************\n *************/ **bold** *** "
    for said, shown in (("*" * 40, "[masked]"), (f"a {'*' * 8} b", "a [masked] b"), (frame, frame), ("*" * 7, "*" * 7)):
        assert redaction.line(_line({"type": "text", "text": said}), PLAIN)["message"]["content"][0]["text"] == shown


def _counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    looked: list[int] = []
    spans, text = Redactor.spans, Redactor.text

    def counted_spans(self: Redactor, given: str, unclosed: bool = True) -> list[redact.Span]:
        looked.append(len(given))
        return spans(self, given, unclosed)

    def counted_text(self: Redactor, given: str, unclosed: bool = True) -> str:
        looked.append(len(given))
        return text(self, given, unclosed)

    monkeypatch.setattr(Redactor, "spans", counted_spans)
    monkeypatch.setattr(Redactor, "text", counted_text)
    return looked


@pytest.mark.parametrize("kind", ["user", "assistant"])
def test_of_texts_of_megabytes_a_session_log_looks_at_the_beginning_and_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    script = short_session("/p")
    said = f"First {TOKEN}. " + "password=hunter2Horse9 said. " * 100_000 + "\n\nWe will use SQLite from now on."
    script.user(said) if kind == "user" else script.answer(said)
    path = script.write(tmp_path)
    looked = _counting(monkeypatch)
    log = session_logs.build(path, None)
    assert log is not None
    assert sum(looked) < 400_000
    assert "First [redacted: github-token]" in log["content"]
    assert ("use SQLite from now on" in log["content"]) == (kind == "user")
    assert "hunter2" not in log["content"]


@pytest.mark.parametrize("filler", ["x", "word ", "a line of text\n"])
def test_a_long_text_is_cut_where_no_secret_is_split(filler: str) -> None:
    for shift in range(0, 60, 7):
        text = "y" * (redaction.PART_CHARS - shift) + f" {TOKEN} " + filler * 40_000
        text += f" {TOKEN} " + "z" * (redaction.PART_CHARS - shift)
        entry = _line({"type": "text", "text": text})
        redaction.shorten(entry)
        cut = entry["message"]["content"][0]["text"]
        assert len(cut) <= 2 * redaction.PART_CHARS + 3
        shown = redaction.line(entry, PLAIN)["message"]["content"][0]["text"]
        assert not [part for part in (TOKEN[:8], TOKEN[-8:]) if part in shown]


def test_a_private_passage_that_reaches_over_a_cut_stays_private() -> None:
    for closing in ("</private>", ""):
        text = "open <private>mine " + "and mine " * 20_000 + f"{closing} after"
        entry = _line({"type": "text", "text": text})
        redaction.shorten(entry)
        shown = redaction.line(entry, PLAIN)["message"]["content"][0]["text"]
        assert shown == ("open [private] after" if closing else "open [private]")
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIabcdefgh1234\n" * 9_000 + "-----END PRIVATE KEY-----\n"
    entry = _line({"type": "text", "text": key})
    redaction.shorten(entry)
    assert entry["message"]["content"][0]["text"] == key

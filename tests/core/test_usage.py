"""tail_usage: the newest main-chain answer's tokens, from the end of the file."""

from __future__ import annotations

import json
from pathlib import Path

from memories.core.usage import FIRST_WINDOW, MAX_WINDOW, tail_usage
from tests.core.transcript_lines import Script, short_session


def _tokens(path: Path) -> int | None:
    usage = tail_usage(str(path))
    return None if usage is None else usage.context_tokens


def test_counts_input_cache_and_output_tokens_of_the_newest_answer(tmp_path: Path) -> None:
    script = short_session("/p")
    script.lines[-1]["message"]["usage"] = {
        "input_tokens": 1, "cache_creation_input_tokens": 200, "cache_read_input_tokens": 3000, "output_tokens": 40000,
    }  # fmt: skip
    path = tmp_path / "t.jsonl"
    path.write_bytes(script.dump())
    assert _tokens(path) == 43201


def test_subagent_lines_errors_and_torn_lines_are_passed_over(tmp_path: Path) -> None:
    script = Script("/p")
    script.answer("main")
    script.answer("sub", isSidechain=True)["message"]["usage"]["input_tokens"] = 999
    script.answer("API Error: 529")["message"]["usage"] = {"input_tokens": 0, "output_tokens": 0}
    script.user('a user\'s words: "usage" of the "assistant"')
    path = tmp_path / "t.jsonl"
    path.write_bytes(script.dump() + b'{"type":"assistant","message":{"usage":{"input_to')
    assert _tokens(path) == 65


def test_an_answer_before_megabytes_of_other_lines_is_found(tmp_path: Path) -> None:
    script = Script("/p")
    script.answer("early")
    path = tmp_path / "t.jsonl"
    for filler in (FIRST_WINDOW - 10, FIRST_WINDOW * 5, MAX_WINDOW - 10_000):
        path.write_bytes(script.dump() + json.dumps({"type": "x", "y": "z" * filler}).encode() + b"\n")
        assert _tokens(path) == 65


def test_an_answer_further_back_than_the_limit_is_not_looked_for(tmp_path: Path) -> None:
    script = Script("/p")
    script.answer("early")
    path = tmp_path / "t.jsonl"
    path.write_bytes(script.dump() + (b"z" * 1_000_000 + b"\n") * 9)
    assert _tokens(path) is None


def test_a_missing_empty_or_strange_file_has_no_usage(tmp_path: Path) -> None:
    assert _tokens(tmp_path / "missing.jsonl") is None
    path = tmp_path / "t.jsonl"
    head = b'{"type":"assistant","message":{"usage":'
    broken = (
        b"",
        b"\n\n",
        b'"usage" "assistant"\n',
        b'["usage","assistant"]\n',
        b'{"type":"assistant","message":["usage"]}',
    )
    odd = (b"5}}", b'{"input_tokens":"9","output_tokens":true}}}', b"[" * 100_000, b"9" * 9000 + b"}}")
    for content in (*broken, *(head + tail for tail in odd)):
        path.write_bytes(content)
        assert _tokens(path) is None

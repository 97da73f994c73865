"""Masks: no secret left, nothing else touched, and the same bytes, lines and JSON otherwise."""

from __future__ import annotations

import json
import random
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memories.core.masking import Masker, masked, overwrite
from memories.core.redact import Redactor
from tests.core import secret_corpus
from tests.core.transcript_lines import Script, short_session

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"
RULES = Redactor()
OWN = Redactor(["ZEBRA[0-9]+", "heron=(\\S+)", 'é\\n"end'])


def _masked(value: Any, redactor: Redactor = RULES, **how: Any) -> Any:
    line = json.dumps(value, **how).encode("utf-8", "surrogatepass") + b"\n"
    found = masked(line, redactor)
    assert len(found) == len(line)
    assert masked(found, redactor) == found
    return json.loads(found.decode("utf-8", "surrogatepass"))


def test_a_line_without_a_secret_is_the_same_object() -> None:
    for line in short_session("/p").dump().splitlines(keepends=True):
        assert masked(line, RULES) is line


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_token_is_overwritten_byte_for_byte_wherever_it_stands(ascii_only: bool) -> None:
    said = f'é😀 the token\n\t"{TOKEN}" is here 😀'
    found = _masked({"a": [said, {"b": said}], TOKEN: 1, "n": 1.5}, ensure_ascii=ascii_only)
    hidden = said.replace(TOKEN, "*" * len(TOKEN))
    assert found == {"a": [hidden, {"b": hidden}], "*" * len(TOKEN): 1, "n": 1.5}


def test_escapes_within_a_secret_hide_nothing_and_every_byte_of_it_is_overwritten() -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in TOKEN)
    line = f'{{"a":"x {escaped} y"}}\n'.encode()
    assert masked(line, RULES) == b'{"a":"x ' + b"*" * len(escaped) + b' y"}\n'
    assert masked(b'{"a":"\\u003cPrivate\\u003e \xf0\x9f\x98\x80 mine \\/ to the end"}', RULES) == (
        b'{"a":"' + b"*" * len("\\u003cPrivate\\u003e 0000 mine \\/ to the end") + b'"}'
    )
    assert masked('{"a":"xé\\n\\"end."}'.encode(), OWN) == b'{"a":"x******end."}'.replace(b"end", b"***")


def test_surrogate_pairs_before_a_secret_count_as_one_character() -> None:
    line = b'{"a":"\\ud83d\\ude00\\ud83d\\n' + b"ZEBRA12" + b'\\ude00"}'
    assert masked(line, OWN) == line.replace(b"ZEBRA12", b"*******")


def test_a_private_passage_ends_with_its_string() -> None:
    value = {"a": "before <private>one</private> after", "b": "<PRIVATE>unclosed, to the end", "c": "not this"}
    found = _masked(value)
    assert found["a"] == "before " + "*" * len("<private>one</private>") + " after"
    assert set(found["b"]) == {"*"}
    assert found["c"] == "not this"


def test_a_value_whose_name_says_what_it_is_is_masked_whole() -> None:
    named = Redactor(['(?i)"\\w*password": "([^"]+)"'])
    found = _masked({"toolUseResult": {"env": {"DB_PASSWORD": 'x"9fK2vq8Zr7Lm', "HOME": "x9fK2vq8Zr7Lm"}}}, named)
    assert found["toolUseResult"]["env"] == {"DB_PASSWORD": "*" * 15, "HOME": "x9fK2vq8Zr7Lm"}
    said = "words that say more than a secret would"
    assert _masked({"password": f'{said} "and" {said}'}, named)["password"].endswith(f'"and" {said}')


STRUCTURE = Redactor(["[0-9a-z/:-]+"])


def test_what_the_product_reads_by_is_never_masked_and_the_same_names_elsewhere_are() -> None:
    script = short_session("/srv/orders")
    script.call("Bash", {"command": "ls", "type": "text", "cwd": "/srv", "uuid": "aa"})
    for line in script.lines:
        found = _masked(line, STRUCTURE)
        for name in ("uuid", "parentUuid", "sessionId", "timestamp", "type", "cwd", "version"):
            assert found.get(name) == line.get(name)
        message = line.get("message", {})
        assert found.get("message", {}).get("role") == message.get("role")
        if line["type"] in {"user", "assistant"} and isinstance(message["content"], list):
            for block, own in zip(found["message"]["content"], message["content"], strict=True):
                assert [block.get(name) for name in ("type", "id", "tool_use_id")] == [
                    own.get(name) for name in ("type", "id", "tool_use_id")
                ]
    call = _masked(script.lines[-2], STRUCTURE)["message"]["content"][0]
    assert call["input"] == {"command": "**", "type": "****", "cwd": "****", "uuid": "**"}


def test_a_branch_and_the_name_of_a_tool_are_masked() -> None:
    script = Script("/p", branch=f"fix/{TOKEN}")
    script.call(f"mcp__x__{TOKEN}", {}, result="ok")
    for line in script.lines:
        assert TOKEN not in json.dumps(_masked(line))


def test_what_is_left_in_fields_that_the_product_reads_by_is_told() -> None:
    script = Script(f"/srv/{TOKEN}/orders")
    script.user([{"type": "tool_result", "tool_use_id": TOKEN, "content": TOKEN}])
    line = json.dumps(script.lines[0]).encode() + b"\n"
    masker = Masker(RULES)
    assert sorted(masker.kept(line)) == [("cwd", "github-token"), ("tool_use_id", "github-token")]
    assert sorted(masker.kept(masker.masked(line))) == sorted(masker.kept(line))
    for kept in short_session("/srv/orders").dump().splitlines():
        assert masker.kept(kept) == []
    assert masker.kept(b"{cut off") == []


def test_an_unclosed_private_tag_in_what_a_tool_gave_back_is_text() -> None:
    code = "class A { <private> int x; }"
    script = Script("/p")
    script.call("Read", {"file_path": "/p/a"}, result=code)
    script.lines[-1]["toolUseResult"] = {"file": {"content": code}}
    script.lines[-1]["message"]["content"][0]["content"] = [{"type": "text", "text": code}]
    assert _masked(script.lines[-1]) == script.lines[-1]
    closed = {"toolUseResult": "a <private>b</private> c"}
    assert _masked(closed) == {"toolUseResult": "a " + "*" * 20 + " c"}
    script.user(code)
    assert "int" not in json.dumps(_masked(script.lines[-1]))


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_text_in_utf_16_is_masked(codec: str) -> None:
    said = f"first 😀 line\r\nthe token {TOKEN}\r\nend "
    data = said.encode(codec)
    for whole in (data, data + b"x"):
        found = masked(whole, RULES)
        assert len(found) == len(whole)
        assert found[: len(data)].decode(codec) == said.replace(TOKEN, "\u2a2a" * len(TOKEN))
        assert masked(found, RULES) == found


def test_what_is_no_json_is_masked_as_text_and_its_lines_stay() -> None:
    assert masked(f"token {TOKEN}\n".encode(), RULES) == b"token " + b"*" * len(TOKEN) + b"\n"
    assert masked(b"a\n<private>b\xff\nc</private>\nd", RULES) == b"a\n" + b"*" * 11 + b"\n" + b"*" * 11 + b"\nd"
    torn = json.dumps({"a": f"\n{TOKEN}", "b": "x"}).encode()[:-8]
    assert TOKEN.encode() not in masked(torn, RULES)
    assert masked(b'{"a":"\\q ' + TOKEN.encode() + b'"}', RULES).count(b"*") == len(TOKEN)


def test_names_that_stand_twice_and_huge_numbers_hide_nothing() -> None:
    line = b'{"a":"' + TOKEN.encode() + b'","a":"x","n":' + b"1" * 5000 + b"}"
    found = masked(line, RULES)
    assert found == line.replace(TOKEN.encode(), b"*" * len(TOKEN))


def test_deep_nesting_and_long_torn_lines_are_masked_in_no_time() -> None:
    deep = b"[" * 200_000 + b'"' + TOKEN.encode() + b'"' + b"]" * 200_000
    assert masked(deep, RULES) == deep.replace(TOKEN.encode(), b"*" * len(TOKEN))
    quotes = b'{"a":"' + b'\\"' * 50_000
    assert masked(quotes, RULES) == quotes


def test_masking_goes_on_until_no_rule_fits_any_more() -> None:
    growing = Redactor(["(a)\\*", "b"])
    assert masked(b'"aaab"', growing) == b'"****"'


def test_spans_tell_rules_and_places_in_bytes_and_no_byte_twice() -> None:
    line = f'{{"é":"<private>{TOKEN}</private>","b":"{TOKEN}"}}'.encode()
    spans = Masker(RULES).spans(line)
    assert [(rule, line[start:end]) for start, end, rule in spans][1] == ("github-token", TOKEN.encode())
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert TOKEN.encode() not in overwrite(line, spans)


def test_no_secret_of_the_corpus_is_left_in_a_line_that_is_not_left_in_a_text() -> None:
    for leak in secret_corpus.leaks()[::7]:
        found = _masked({"message": {"content": [{"type": "text", "text": leak.text}]}})
        shown = found["message"]["content"][0]["text"]
        redacted = RULES.text(leak.text)
        assert not [secret for secret in leak.secrets if secret in shown and secret not in redacted], leak


def test_every_name_of_the_corpus_tells_its_value_in_an_object_of_a_tools_input() -> None:
    rng = random.Random(5)  # noqa: S311 - the same secrets each time
    for name, _, make in secret_corpus.KEYED.values():
        for key in (name, name.lower()):
            secret = make(rng)
            found = _masked({"message": {"content": [{"input": {"env": {key: secret, "HOME": "/home/me"}}}]}})
            env = found["message"]["content"][0]["input"]["env"]
            assert secret not in env[key], key
            assert env["HOME"] == "/home/me"


PIECES = st.sampled_from([TOKEN, "ZEBRA7", "heron=x y", "<private>", "</private>", 'password: "abcdefg"', "\\", "*",
                          "é\n\"end", "\ud83d", "😀", "\0", "AKIA" + "Q" * 16]) | st.text(max_size=5)  # fmt: skip
TEXT = st.lists(PIECES, max_size=4).map("".join)
NAMES = st.sampled_from(["type", "uuid", "message", "content", "password", "a"]) | TEXT
DOCUMENTS = st.recursive(
    TEXT | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in _strings(one)]
    return [text for one in value for text in _strings(one)] if isinstance(value, list) else []


def _shape(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_shape(one) for _, one in value)
    return [_shape(one) for one in value] if isinstance(value, list) else "" if isinstance(value, str) else repr(value)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]))
def test_a_document_keeps_its_shape_and_size_and_loses_its_secrets(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    line = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    if b"\xed" in line and not ascii_only:
        return  # lone surrogates that are not escaped are no UTF-8
    found = masked(line, OWN)
    assert len(found) == len(line)
    assert masked(found, OWN) == found
    before, after = (json.loads(one, object_pairs_hook=tuple) for one in (line, found))
    assert _shape(before) == _shape(after)
    assert all(now == b"*"[0] or now == was for was, now in zip(line, found, strict=True))
    if not re.search(r'"(type|uuid)": ?"', line.decode()):
        assert not any("ZEBRA7" in text for text in _strings(json.loads(found)))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.lists(st.sampled_from(
    [b'"', b"\\", b"{", b"}", b"[", b":", b",", b"\n", b"ZEBRA1", b"\\u00", b"\\ud83d", b"\xff", b"\xc3", b"<private>",
     b"password="]
), max_size=12).map(b"".join))  # fmt: skip
@example(b'{"\\')
@example(b'"heron=\xc3\xa9\\u00e9"')
def test_any_bytes_keep_size_and_lines_and_mask_to_themselves(data: bytes) -> None:
    found = masked(data, OWN)
    assert len(found) == len(data)
    assert masked(found, OWN) == found
    assert [at for at, byte in enumerate(found) if byte == 10] == [at for at, byte in enumerate(data) if byte == 10]
    assert all(now in (was, b"*"[0]) for was, now in zip(data, found, strict=True))

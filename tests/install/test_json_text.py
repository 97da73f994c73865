"""Reading and rewriting JSON that a person also edits."""

from __future__ import annotations

import pytest

from hooks import json_text
from memories.core.errors import SettingsError

PATH = "/home/u/.claude/settings.json"


@pytest.mark.parametrize(
    "text",
    [
        '{\n  "a": [\n    1\n  ],\n  "b": "é"\n}\n',
        '{\n\t"a": {\n\t\t"b": null\n\t}\n}',
        '{\n    "a": 1.5\n}\n',
        '{"a":1,"b":[2]}',
        '{"a": 1, "b": [2]}\n',
        '{\r\n  "a": 1\r\n}\r\n',
        '\ufeff{\n  "a": 1\n}\n',
    ],
)
def test_a_file_is_written_back_in_the_style_it_had(text: str) -> None:
    data = text.encode("utf-8")
    assert json_text.render(json_text.parse(data, PATH), data, PATH) == data


def test_a_new_file_has_two_spaces_and_a_last_newline() -> None:
    assert json_text.render({"a": 1}, None, PATH) == b'{\n  "a": 1\n}\n'


@pytest.mark.parametrize("data", [None, b"", b" \n"])
def test_a_missing_or_blank_file_is_an_empty_object(data: bytes | None) -> None:
    assert json_text.parse(data, PATH) == {}


def test_a_syntax_error_names_file_line_and_column() -> None:
    with pytest.raises(SettingsError, match=r"settings\.json is not valid JSON: line 2, column 1[01]") as caught:
        json_text.parse(b'{\n  "a": 1,,\n}', PATH)
    assert "left as it is" in str(caught.value)


@pytest.mark.parametrize("data", [b"[1]", b'"text"', b"\xff\xfe", b"[" * 200_000, b'{"a": ' + b"9" * 5000 + b"}"])
def test_what_is_no_readable_object_is_refused(data: bytes) -> None:
    with pytest.raises(SettingsError):
        json_text.parse(data, PATH)


@pytest.mark.parametrize("data", [b'{"a": 1e999}', b'{"a": "\\ud800"}'])
def test_a_value_that_cannot_be_written_back_is_refused(data: bytes) -> None:
    with pytest.raises(SettingsError, match="cannot be rewritten"):
        json_text.render(json_text.parse(data, PATH), data, PATH)

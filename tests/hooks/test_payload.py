"""What a hook reads from stdin."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks import payload

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"5", b'"text"', b"null", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_json_object_is_none(data: bytes) -> None:
    assert payload.parse(data) is None


def test_the_fields_are_read() -> None:
    found = payload.parse(
        b'{"session_id": "s", "transcript_path": "/t", "cwd": "/c", "source": "clear", "agent_id": "a"}'
    )
    assert found is not None
    assert (found.session_id, found.transcript_path, found.cwd, found.source) == ("s", "/t", "/c", "clear")
    assert (found.agent_id, found.tool_name, found.folder) == ("a", "", "/c")


def test_the_launch_folder_wins_over_where_the_model_went(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", "/launch")
    found = payload.parse(b'{"cwd": "/launch/sub"}')
    assert found is not None
    assert (found.folder, found.cwd) == ("/launch", "/launch/sub")


@given(
    st.dictionaries(st.sampled_from(["session_id", "transcript_path", "cwd", "source", "tool_name", "agent_id"]), _json)
)
def test_a_field_of_another_type_counts_as_missing(raw: dict[str, object]) -> None:
    found = payload.parse(json.dumps(raw).encode())
    assert found is not None
    for name in ("session_id", "transcript_path", "cwd", "source", "tool_name", "agent_id"):
        value = raw.get(name)
        assert getattr(found, name) == (value.replace("\0", "?") if isinstance(value, str) else "")


def test_a_field_holds_nothing_that_no_path_or_index_can_take() -> None:
    found = payload.parse(b'{"session_id": "a\\ud800", "transcript_path": "/x\\u0000y", "cwd": "/caf\\u00e9"}')
    assert found is not None
    assert (found.session_id, found.transcript_path, found.cwd) == ("a?", "/x?y", "/caf\u00e9")

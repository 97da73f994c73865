"""Our entries in settings.json: what is added, and that taking them out gives back what was there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from hooks import claude_settings
from memories.core.errors import SettingsError

LIB = "/home/u/.claude/memory/lib"
PATH = "/home/u/.claude/settings.json"

_leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_json = st.recursive(_leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)
_foreign_hook = st.fixed_dictionaries(
    {"type": st.just("command"), "command": st.text()}, optional={"timeout": st.integers(), "args": st.lists(st.text())}
)
_group = st.fixed_dictionaries({"hooks": st.lists(_foreign_hook)}, optional={"matcher": st.text()}) | _json
_events = st.sampled_from([*claude_settings.HOOK_EVENTS, "Stop", "Anything"])
_hooks = st.dictionaries(_events, st.lists(_group))
_permissions = st.fixed_dictionaries(
    {},
    optional={
        "allow": st.lists(st.text() | st.sampled_from(claude_settings.ALLOWED_TOOLS)),
        "deny": st.lists(st.text()),
        "defaultMode": st.text(),
    },
)
_settings = st.builds(
    lambda other, shaped: {**other, **shaped},
    st.dictionaries(st.text(), _json),
    st.fixed_dictionaries({}, optional={"hooks": _hooks, "permissions": _permissions}),
)


def _text(value: object) -> str:
    return json.dumps(value)  # unlike ==, sees key order and 1 against True


@limits(max_examples=60, deadline=None)
@given(_settings)
def test_adding_and_removing_gives_back_any_settings_object(settings: dict[str, Any]) -> None:
    before = _text(settings)
    added = claude_settings.add_ours(settings, LIB)
    assert _text(settings) == before
    assert _text(claude_settings.remove_ours(added, settings)) == before


@given(st.dictionaries(st.sampled_from(["hooks", "permissions", "env"]), _json))
def test_settings_of_a_foreign_shape_are_refused_or_given_back(settings: dict[str, Any]) -> None:
    try:
        added = claude_settings.add_ours(settings, LIB)
    except SettingsError:
        return
    assert _text(claude_settings.remove_ours(added, settings)) == _text(settings)


@limits(max_examples=60, deadline=None)
@given(_settings, st.sampled_from([None, 0, 1, 2, 4, "\t", "   "]), st.booleans())
def test_the_file_is_given_back_in_its_own_indentation(settings: dict[str, Any], indent: Any, newline: bool) -> None:
    data = (json.dumps(settings, indent=indent, ensure_ascii=False) + "\n" * newline).encode("utf-8", "surrogatepass")
    try:
        added = claude_settings.add(data, LIB, PATH)
    except SettingsError:
        return  # a lone surrogate: not UTF-8, refused
    stripped = claude_settings.strip(added, data, PATH)
    assert stripped is not None
    assert _text(json.loads(stripped)) == _text(settings)
    assert claude_settings.strip(data, data, PATH) == data


def test_each_event_gets_one_exec_form_entry_with_absolute_paths_and_seconds() -> None:
    hooks = claude_settings.add_ours({}, LIB)["hooks"]
    assert {event: groups[0]["hooks"][0]["timeout"] for event, groups in hooks.items()} == {
        "SessionStart": 10,
        "PostToolUse": 5,
        "PreCompact": 30,
        "SessionEnd": 20,
    }
    assert hooks["SessionStart"] == [
        {
            "hooks": [
                {
                    "type": "command",
                    "command": f"{LIB}/venv/bin/python",
                    "args": ["-I", "-S", f"{LIB}/manage.py", "hook", "session_start"],
                    "timeout": 10,
                }
            ]
        }
    ]


def test_only_our_own_tools_are_allowed_and_deleting_is_not_among_them() -> None:
    allowed = claude_settings.add_ours({}, LIB)["permissions"]["allow"]
    assert len(allowed) == 9
    assert all(tool.startswith("mcp__llm_memory__") for tool in allowed)
    assert "mcp__llm_memory__memory_delete" not in allowed


def test_foreign_entries_and_key_order_stay_and_ours_come_last() -> None:
    foreign = {"hooks": [{"type": "command", "command": "notify.sh"}], "matcher": "startup"}
    settings = {
        "zeta": 1,
        "permissions": {"deny": ["Bash(rm:*)"], "allow": ["Bash(ls)"]},
        "hooks": {"Stop": [foreign], "SessionStart": [foreign]},
        "alpha": {"b": 1, "a": 2},
    }
    added = claude_settings.add_ours(settings, LIB)
    assert list(added) == ["zeta", "permissions", "hooks", "alpha"]
    assert list(added["permissions"]) == ["deny", "allow"]
    assert added["permissions"]["allow"][0] == "Bash(ls)"
    assert added["hooks"]["Stop"] == [foreign]
    assert added["hooks"]["SessionStart"][0] == foreign
    assert len(added["hooks"]["SessionStart"]) == 2


def test_an_entry_of_an_installation_in_another_folder_is_ours() -> None:
    added = claude_settings.add_ours({}, "/elsewhere/with space/lib")
    assert claude_settings.remove_ours(added, {}) == {}


def test_an_entry_of_ours_is_found_inside_a_group_shared_with_a_foreign_one() -> None:
    foreign = {"type": "command", "command": "other"}
    settings = {"hooks": {"Stop": [{"hooks": [foreign, claude_settings.hook_entry("SessionEnd", LIB)]}]}}
    assert claude_settings.remove_ours(settings, {}) == {"hooks": {"Stop": [{"hooks": [foreign]}]}}


def test_an_update_allows_what_an_earlier_install_did_not_and_removing_takes_all_of_it() -> None:
    earlier = claude_settings.add_ours({"permissions": {"allow": ["Bash(ls)"]}}, LIB)
    earlier["permissions"]["allow"].remove("mcp__llm_memory__transcript_read")
    data = json.dumps(earlier).encode()
    stripped = claude_settings.strip(data, b'{"permissions": {"allow": ["Bash(ls)"]}}', PATH)
    updated = claude_settings.add(stripped, LIB, PATH)
    assert json.loads(updated)["permissions"]["allow"] == ["Bash(ls)", *claude_settings.ALLOWED_TOOLS]
    assert json.loads(stripped or b"") == {"permissions": {"allow": ["Bash(ls)"]}}


def test_a_permission_that_the_user_had_granted_before_stays() -> None:
    original = {"permissions": {"allow": ["mcp__llm_memory__memory_search"]}}
    added = claude_settings.add_ours(original, LIB)
    assert claude_settings.remove_ours(added, original) == original


@pytest.mark.parametrize("broken", ['{"hooks": []}', '{"hooks": {"SessionEnd": {}}}', '{"permissions": {"allow": 1}}'])
def test_a_key_of_the_wrong_kind_is_refused_with_its_name(broken: str) -> None:
    with pytest.raises(SettingsError, match=r"must be (an object|a list)"):
        claude_settings.add(broken.encode(), LIB, PATH)

"""Sessions of one project that overlap: two at once, and one that is resumed after another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.sessions import finish, run_print, start_print
from tests.e2e.wire import hook_context

if TYPE_CHECKING:
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

OURS = "Decision: parcels leave from the nearest warehouse."
THEIRS = "Decision: parcels over 30 kg go by freight."


def store(content: str) -> dict[str, Any]:
    """A turn that stores a note."""
    return {"tool": "mcp__llm_memory__memory_store", "input": {"content": content, "type": "note", "importance": 8}}


def assert_archived(home: Home, session_id: str) -> None:
    assert home.archived(session_id).read_bytes() == home.source(session_id).read_bytes()
    assert len(home.session_logs(session_id)) == 1


def test_two_sessions_at_once_keep_their_own_memories(installed_home: Home) -> None:
    home = installed_home
    both_stored = threading.Event()
    ours, theirs = ({"text": f"{name} kept.", "until": both_stored} for name in ("Ours", "Theirs"))
    with home.model([store(OURS), ours]) as here, home.model([store(THEIRS), theirs]) as there:
        processes = [start_print(home, here, "Settle parcels"), start_print(home, there, "Settle freight")]
        for api in (here, there):
            api.wait_for("main", 2)
        both_stored.set()
        results = [finish(process) for process in processes]
    assert [result.answer() for result in results] == ["Ours kept.", "Theirs kept."]
    ids = [result.session_id for result in results]
    sessions = {note["content"]: note["session_id"] for note in home.records(type="note")}
    assert sessions == dict(zip((OURS, THEIRS), ids, strict=True))
    for session_id in ids:
        assert_archived(home, session_id)


def test_a_resumed_session_is_told_only_what_is_new_since(installed_home: Home) -> None:
    home = installed_home
    with home.model([store(OURS), "It is remembered."]) as api:
        first = run_print(home, api, "Settle parcels").session_id
    with home.model([store(THEIRS), "It is remembered."]) as api:
        run_print(home, api, "Settle freight")
    with home.model(["Here we go on."]) as api:
        resumed = run_print(home, api, "Go on", "--resume", first)
    assert resumed.session_id == first
    [output] = resumed.hook_outputs("SessionStart")
    told = output["hookSpecificOutput"]["additionalContext"]
    assert THEIRS in told
    assert OURS not in told
    assert THEIRS in hook_context(api.of_kind("main")[0].body, "SessionStart")
    assert_archived(home, first)
    [log] = home.session_logs(first)
    assert "Go on" in log["content"]

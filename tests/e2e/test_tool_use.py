"""What happens while Claude works: the reminder to store, and subagents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.sessions import run_print
from tests.e2e.wire import texts

if TYPE_CHECKING:
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

REMINDER = "PostToolUse:Bash hook additional context: "
AGENT = {"description": "Count", "prompt": "Count the crates", "subagent_type": "general-purpose"}


def command(tokens: int = 1000, delay: float = 0) -> dict[str, Any]:
    """A turn that runs a command when the context holds so many tokens."""
    call = {"tool": "Bash", "input": {"command": "echo 12", "description": "Count"}}
    return {**call, "usage": {"input_tokens": tokens}, "delay": delay}


def test_a_long_session_is_reminded_once_to_store(installed_home: Home) -> None:
    sizes = (1_000, 30_000, 55_000, 70_000, 80_000, 90_000, 100_000)
    with installed_home.model([*map(command, sizes), "Done."]) as api:
        run_print(installed_home, api, "Count for a long time", "--allowedTools", "Bash")
    reminded = [sum(text.count(REMINDER) for _, text in texts(request.body)) for request in api.of_kind("main")]
    assert reminded[:4] == [0, 0, 0, 0]
    assert reminded[-1] == 1


def test_subagents_are_archived_with_their_session_and_count_as_none(installed_home: Home) -> None:
    home = installed_home
    script: dict[str, list[Any]] = {
        "main": [{"tool": "Agent", "input": AGENT}, command(delay=2), "Done."],
        "subagent": ["Twelve crates, says the subagent."],
    }
    with home.model(script) as api:
        session_id = run_print(home, api, "Let somebody count", "--allowedTools", "Bash", "Agent").session_id
    assert api.of_kind("subagent")
    source, archive = home.source(session_id).with_suffix(""), home.archived(session_id).with_suffix("")
    names = sorted(path.name for path in (source / "subagents").iterdir())
    assert [name.partition("-")[0] for name in names] == ["agent"] * len(names)
    assert sorted(path.name for path in (archive / "subagents").iterdir()) == names
    for name in names:
        assert (archive / "subagents" / name).read_bytes() == (source / "subagents" / name).read_bytes()
    assert [record["session_id"] for record in home.records(type="session_log")] == [session_id]
    assert [path.stem for path in (home.data / "transcripts").glob("*.jsonl")] == [session_id]

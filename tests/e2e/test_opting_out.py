"""A project or a session that must not be remembered leaves nothing, later sweeps included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.sessions import PrintResult, run_print
from tests.e2e.wire import hook_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

SECRET = "the merger with Umbrella"


def talk(home: Home, prompt: str, env: Mapping[str, str] | None = None) -> tuple[PrintResult, str]:
    """One session in the project; its result and what our hook told it at its start."""
    with home.model(["Understood."]) as api:
        result = run_print(home, api, prompt, env=env)
    return result, hook_context(api.of_kind("main")[0].body, "SessionStart")


def assert_nothing_left(home: Home, session_id: str) -> None:
    assert home.source(session_id).exists()
    assert home.holding(SECRET) == []
    assert home.records(session_id=session_id) == []
    assert list((home.data / "transcripts").glob(f"{session_id}*")) == []


def test_a_disabled_project_leaves_nothing_and_is_told_nothing(installed_home: Home) -> None:
    home = installed_home
    (home.project / ".llm-memory.json").write_text('{"enabled": false}\n', "utf-8")
    result, context = talk(home, f"Think about {SECRET}")
    assert context == ""
    assert_nothing_left(home, result.session_id)
    with home.model(["Hello."]) as api:
        run_print(home, api, "Good morning", cwd=home.folder("elsewhere"))
    home.llm_memory("sync")
    assert_nothing_left(home, result.session_id)


def test_a_session_with_memory_switched_off_is_not_picked_up_later(installed_home: Home) -> None:
    home = installed_home
    off, context = talk(home, f"Think about {SECRET}", {"LLM_MEMORY_DISABLE": "1"})
    assert context == ""
    assert_nothing_left(home, off.session_id)
    on, _ = talk(home, "Good morning")
    home.llm_memory("sync")
    assert_nothing_left(home, off.session_id)
    assert home.archived(on.session_id).exists()

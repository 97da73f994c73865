"""PostToolUse: says once per threshold how many tokens have passed since anything was stored. The hottest hook."""

from __future__ import annotations

import json

from memories.core import state, usage
from memories.core.settings import read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from hooks.payload import Payload
    from memories.core.paths import DataFolder

STORE_TOOL = "memory_store"


def handle(given: Payload, folder: DataFolder) -> tuple[str, str]:
    """(stdout, outcome). No hook knows the context window's size, so what counts is the growth of the context as the
    API billed it: since the last memory_store or compaction, from the session's beginning when there was neither."""
    if not state.is_session_name(given.session_id):
        return "", "no session"
    kept = state.session_state(folder, given.session_id)
    if kept.get(state.OFF):
        return "", "disabled"
    found = usage.tail_usage(given.transcript_path)
    if found is None:
        return "", "no usage yet"
    return _count(given, folder, kept, found.context_tokens)


def _count(given: Payload, folder: DataFolder, kept: dict[str, Any], context: int) -> tuple[str, str]:
    baseline, reminded = _number(kept, "baseline"), _number(kept, "reminded")
    if given.tool_name.endswith("__" + STORE_TOOL):
        state.save_session_state(folder, given.session_id, {"baseline": context, "reminded": 0})
        return "", "stored: counting anew"
    settings, _ = read_settings(folder)
    threshold = settings["checkpoint_tokens"]
    passed = context - baseline
    if kept.get("compacted") or passed < threshold * reminded:  # the context has become smaller
        state.save_session_state(folder, given.session_id, {"baseline": context, "reminded": 0})
        return "", "compacted: counting anew"
    if passed < threshold * (reminded + 1):
        return "", "quiet"
    from memories.core.projects import identify  # only when there is something to say

    project = identify(given.folder, settings)
    if project is not None and not project.enabled:
        return "", "disabled"
    counted = {"baseline": baseline, "reminded": passed // threshold}
    if not state.save_session_state(folder, given.session_id, counted):
        return "", "not reminded: it cannot be noted, and would come with every tool call"
    return _reminder(passed), f"reminded at {passed} tokens"


def _number(kept: dict[str, Any], name: str) -> int:
    value = kept.get(name)
    return value if isinstance(value, int) and value >= 0 else 0


def _reminder(passed: int) -> str:
    text = (
        f"LLM Memory: about {round(passed, -3) or passed:,} tokens have passed in this session since anything was "
        "stored. "
        "Decisions, corrections and gotchas that later sessions need are kept with memory_store; what is not stored is "
        "only in the transcript. The user's current request comes first."
    )
    output = {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": text}}
    return json.dumps(output, ensure_ascii=False)

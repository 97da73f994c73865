"""Runs a hook: `manage.py hook EVENT` with JSON on stdin, before Django is imported.

The contract with Claude Code (docs/hooks.md): exit 0 whatever happens, valid JSON or nothing on stdout (pre_compact:
plain text), never a word on stderr. Trouble goes to state/hooks.log and shows in `llm-memory doctor`. A data folder
that is another's, or that others can change, is not touched: session_start says so to the user. The plugin's hooks
leave everything to an installation's where there is one.
"""

from __future__ import annotations

import gc
import os
import time

from hooks import payload as payloads
from memories.core import state
from memories.core.errors import StorageError
from memories.core.paths import check_private, data_folder
from memories.core.settings import disabled_by_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hooks.payload import Payload
    from memories.core.paths import DataFolder

    Handler = Callable[[Payload, DataFolder], tuple[str, str]]

EVENTS = ("session_start", "post_tool_use", "pre_compact", "session_end")
_CHUNK = 1 << 20


def main(argv: list[str]) -> int:
    """Run the hook named in argv[0]; always 0."""
    started = time.monotonic()
    gc.disable()  # a process of milliseconds: collecting over 10,000 stat results costs more than it frees
    event = argv[0] if argv else ""
    session_id: str | None = None
    try:
        folder = data_folder()
        output = ""
        if event not in EVENTS:
            outcome = "unknown event"
            event = "unknown"
        else:
            given = payloads.parse(_read_stdin())
            session_id = given.session_id if given is not None else None
            refusal = _stands_aside()
            if refusal is None:
                refusal = _refusal(folder)
            if refusal is not None:
                _write_stdout(refusal if event == "session_start" and given is not None else "")
                return 0
            output, outcome = _run(event, given, folder)
        _write_stdout(output)
        if outcome == "disabled":
            session_id = None
        state.log_hook(folder, event, outcome, time.monotonic() - started, session_id)
        state.beat(folder, event)
    except Exception as error:  # noqa: BLE001 - the boundary: nothing may reach Claude Code as a failure
        _log_failure(event, error, time.monotonic() - started)
    return 0


def _stands_aside() -> str | None:
    """What session_start says where this is the plugin and an installation's hooks do the work, None elsewhere."""
    if not os.environ.get("LLM_MEMORY_PLUGIN"):
        return None
    from hooks import plugin

    if plugin.installed_beside() is None:
        return None
    import json

    return "" if disabled_by_environment() else json.dumps({"systemMessage": plugin.ASIDE})


def _refusal(folder: DataFolder) -> str | None:
    """What session_start says of a data folder that is not this user's alone, None where it is."""
    try:
        check_private(folder)
    except StorageError as error:
        import json

        return json.dumps({"systemMessage": f"LLM Memory is not working: {error}"}, ensure_ascii=False)
    return None


def _run(event: str, given: Payload | None, folder: DataFolder) -> tuple[str, str]:
    """(stdout, outcome for the log)."""
    if given is None:
        return "", "bad input: not a JSON object"
    if given.agent_id:
        return "", "subagent"
    if disabled_by_environment():
        if given.session_id and os.path.isdir(folder.root):
            state.ignore_session(folder, given.session_id)
        return "", "disabled"
    return _handler(event)(given, folder)


def _handler(event: str) -> Handler:
    """The event's handler; only its own module is imported."""
    if event == "post_tool_use":
        from hooks import post_tool_use

        return post_tool_use.handle
    if event == "session_start":
        from hooks import session_start

        return session_start.handle
    if event == "pre_compact":
        from hooks import pre_compact

        return pre_compact.handle
    from hooks import session_end

    return session_end.handle


def _read_stdin() -> bytes:
    chunks = []
    room = payloads.MAX_BYTES
    try:
        while room > 0 and (chunk := os.read(0, _CHUNK)):
            chunks.append(chunk)
            room -= len(chunk)
    except OSError:
        pass  # closed stdin
    return b"".join(chunks)


def _write_stdout(text: str) -> None:
    """Write to the descriptor itself, so that a reader who has gone leaves nothing to fail at exit."""
    data = memoryview(text.encode("utf-8", "replace"))
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:
        pass


def _log_failure(event: str, error: Exception, seconds: float) -> None:
    try:
        state.log_hook(data_folder(), event or "unknown", f"failed: {type(error).__name__}: {error}", seconds, None)
    except Exception:  # noqa: BLE001, S110 - there is nobody left to tell
        pass

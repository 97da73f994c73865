"""Doctor's questions to Syncthing, where sync-setup has set it up: does it answer, is the folder well, who is there."""

from __future__ import annotations

from collections.abc import Iterator

from memories.core.paths import DataFolder
from memories.findings import Check, ago
from memories.syncthing.answers import Device
from memories.syncthing.state import DeviceState, sync_state

NAMED_ERRORS = 3
"""Errors of Syncthing's that one line names; the rest is counted."""


def sync(folder: DataFolder) -> Iterator[Check]:
    """Nothing where sync-setup has not been run; else how Syncthing and the other machines are."""
    state = sync_state(folder)
    if state is None:
        return
    if state.problem:
        yield Check("sync", "warn", state.problem, state.todo)
        return
    if not state.ignoring:
        text = ".stignore is not in force: what belongs to this machine alone may travel"
        yield Check("sync", "fail", text, "run `llm-memory sync-setup`")
    if state.paused:
        yield Check("sync", "warn", "the folder is paused", "resume it in Syncthing's page")
    if state.errors:
        more = f"; and {len(state.errors) - NAMED_ERRORS} more" if len(state.errors) > NAMED_ERRORS else ""
        text = "; ".join(state.errors[:NAMED_ERRORS]) + more
        yield Check("sync", "fail", f"Syncthing says: {text}", "see the folder in Syncthing's page")
    elif state.ignoring and not state.paused:
        yield Check("sync", "ok", _progress(state.state, state.needs))
    if not state.devices:
        yield Check("sync", "warn", "the folder is shared with no other machine", "run `llm-memory sync-setup`")
    for device in state.devices:
        yield _device(device)


def _progress(state: str, needs: int) -> str:
    return f"Syncthing is {state or 'starting'}, {f'{needs} items to come' if needs else 'nothing to come'}"


def _device(device: DeviceState) -> Check:
    name = Device(device.id, device.name).shown
    if device.paused:
        return Check("machine", "warn", f"{name} is paused", "resume it in Syncthing's page")
    if device.connected:
        has = "has everything" if not device.needs else f"lacks {device.needs} items so far"
        return Check("machine", "ok", f"{name} is connected and {has}")
    if device.last_seen is None:
        todo = "on that machine, run `llm-memory sync-setup` and say yes to this one"
        return Check("machine", "warn", f"{name} has never connected", todo)
    return Check("machine", "ok", f"{name} was last seen {ago(device.last_seen)}")

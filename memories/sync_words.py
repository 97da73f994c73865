"""What Syncthing says of our folder and of the other machines, in words: one wording for terminal and dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memories.findings import ago
from memories.named import counted

if TYPE_CHECKING:
    from memories.syncthing.state import DeviceState, SyncState


def folder_said(sync: SyncState) -> str:
    """How the folder is on this machine; sync: one without a problem."""
    if sync.paused:
        return "the folder is paused in Syncthing"
    if sync.errors:
        return f"the folder has {counted(len(sync.errors), 'error')}"
    if sync.needs:
        return f"{counted(sync.needs, 'file')} still to come to this machine"
    return "everything has come to this machine" if sync.state == "idle" else f"the folder is {sync.state}"


def device_said(device: DeviceState) -> str:
    """How another machine is: connected and what it lacks, or when it was last."""
    if device.paused:
        return "paused in Syncthing"
    if not device.connected:
        return f"not connected, last seen {'never' if device.last_seen is None else ago(device.last_seen)}"
    if device.needs is None:
        return "connected"
    return f"connected, lacks {counted(device.needs, 'file')}" if device.needs else "connected, has everything"

"""What Syncthing says of our folder and of the other machines, in words: one wording for doctor, terminal, dashboard.

What a user should act on is in memories/syncthing/troubles.py.
"""

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
    if sync.state != "idle":
        return f"the folder is {sync.state or 'starting'}"
    if not sync.devices:
        return "shared with no other machine yet"
    silent = all(device.is_silent for device in sync.devices)
    return "nothing has come from another machine yet" if silent else "everything has come to this machine"


def device_said(device: DeviceState) -> str:
    """How another machine is: connected and what it lacks, or when it was last."""
    if device.paused:
        return "paused in Syncthing"
    if not device.connected:
        seen = "never" if device.last_seen is None else ago(device.last_seen)
        return "not connected, nothing ever came" if device.has_sent is False else f"not connected, last seen {seen}"
    if device.remote == "paused":
        return "connected, the folder is paused there"
    if device.remote == "notSharing":
        return "connected, does not share the folder"
    if device.has_sent is False:
        return "connected, nothing ever came"
    if device.needs is None:
        return "connected"
    if device.needs:
        return f"connected, lacks {counted(device.needs, 'file')}"
    known = "" if device.remote == "valid" else ", as far as Syncthing knows"
    return f"connected, has everything{known}"

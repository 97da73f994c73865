"""Doctor's questions to Syncthing, where sync-setup has set it up: does it answer, is the folder well, who is there."""

from __future__ import annotations

from collections.abc import Iterator

from memories.core.paths import DataFolder
from memories.core.transcript_items import clean
from memories.findings import Check
from memories.sync_words import device_said, folder_said
from memories.syncthing.answers import Device
from memories.syncthing.state import sync_state
from memories.syncthing.troubles import Trouble, device_trouble, troubles


def sync(folder: DataFolder) -> Iterator[Check]:
    """Nothing where sync-setup has not been run; else what is amiss, then what is well here and on each machine."""
    state = sync_state(folder)
    if state is None:
        return
    found = troubles(state)
    yield from map(_check, found)
    if state.problem:
        return
    if not any(one.about == "sync" for one in found):
        yield Check("sync", "ok", folder_said(state))
    for device in state.devices:
        if device_trouble(device) is None:
            yield Check("machine", "ok", f"{Device(device.id, device.name).shown}: {device_said(device)}")


def _check(trouble: Trouble) -> Check:
    return Check(trouble.about, "fail" if trouble.is_failure else "warn", clean(trouble.text), trouble.todo)

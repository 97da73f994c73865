"""With which machines the folder is shared: those that a user names, picks from a list, or that offer it already."""

from __future__ import annotations

import re

from memories.core.errors import SyncthingError
from memories.syncthing import answers
from memories.syncthing.answers import Device
from memories.syncthing.client import path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.syncthing.access import Situation
    from memories.syncthing.client import Client


def offered(found: Situation) -> list[Device]:
    """Devices that Syncthing knows and that offer our folder, which is not shared with them yet."""
    return [one for one in candidates(found) if one.id in found.offering]


def candidates(found: Situation) -> list[Device]:
    """Devices that the folder could be shared with and is not: known ones, then machines that ask to connect."""
    have = found.ours.devices if found.ours else ()
    return [one for one in [*found.devices, *found.asking] if one.id not in have]


def worth_asking(found: Situation) -> bool:
    """Whether a user should be asked: someone waits for an answer, or the folder has no other machine yet."""
    alone = found.ours is None or not any(one.id in found.ours.devices for one in found.devices)
    return bool(found.asking or offered(found)) or (alone and bool(found.devices))


def describe(found: Situation, device: Device) -> str:
    """A line of the list to pick from."""
    if device.id in found.offering:
        return f"{device.shown}: offers this folder"
    if device in found.asking:
        return f"{device.shown}: asks to connect; take it only if the other machine shows this very id"
    return device.shown


def picked(devices: list[Device], answer: str) -> list[Device]:
    """The devices whose numbers (from 1, as listed) an answer holds. Raises SyncthingError for any other word."""
    found = []
    for word in re.split(r"[\s,]+", answer.strip()):
        if word and not (re.fullmatch("[0-9]{1,4}", word) and 0 < int(word) <= len(devices)):
            raise SyncthingError(f"{word} is not a number of the list. Nothing was changed: run this again.")
        if word:
            found.append(devices[int(word) - 1])
    return list(dict.fromkeys(found))


def resolve(client: Client, found: Situation, word: str) -> Device:
    """The device that a user means: the name of one that Syncthing knows, or any device's id.

    A machine that only asks to connect is taken by its id alone: its name is its own choice. Raises SyncthingError.
    """
    named = [one for one in found.devices if one.name.casefold() == word.strip().casefold()]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(one.id for one in named)
        raise SyncthingError(f"Several devices are called {word}: give the id ({ids}).")
    whole = answers.text(answers.fields(client.get(path("svc", "deviceid", id=word.strip()))).get("id"))
    if not whole:
        known = ", ".join(one.shown for one in found.devices) or "none"
        raise SyncthingError(
            f"{word} is neither a device that Syncthing knows ({known}) nor a device id (8 groups of 7 letters and "
            "digits). The other machine shows its id with `llm-memory sync-setup`."
        )
    if whole == found.my_id:
        raise SyncthingError("That is this machine's own device id: give it to the other machine, and its id here.")
    return next((one for one in [*found.devices, *found.asking] if one.id == whole), Device(whole, ""))

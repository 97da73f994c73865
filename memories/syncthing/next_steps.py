"""What is left to do after sync-setup, and on which machine: its last lines."""

from __future__ import annotations

from memories.syncthing.state import device_states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from memories.syncthing.access import Situation
    from memories.syncthing.answers import Device
    from memories.syncthing.client import Client

DONE = "Both sides run by themselves now: `llm-memory status` shows how it goes."


def waiting(found: Situation, chosen: Sequence[Device]) -> list[str]:
    """A line for each machine that asks to connect and was not chosen: only a person can let it in."""
    return [
        f"{one.shown} asks to connect. If that is the id which it shows, take it: "
        f"`llm-memory sync-setup --device {one.id}`"
        for one in found.asking
        if one not in chosen
    ]


def lines(client: Client, found: Situation, chosen: Sequence[Device]) -> list[str]:
    """The last lines, once all is done that chosen asked for. found: as it was before. Raises SyncthingError."""
    said = waiting(found, chosen)
    have = found.ours.devices if found.ours else ()
    new = [one for one in chosen if one.id not in have]
    shared = [one for one in found.devices if one.id in have]
    if not new and not shared:
        return said or _first_of_all(found.my_id)
    answered = {one.id for one in found.asking} | found.offering
    missing = [one for one in new if one.id not in answered] + _silent(client, found, shared)
    for one in missing:
        where = one.shown if one.name else "the first machine"
        said.append(f"Now on {where}: `llm-memory sync-setup`, and compare this id:")
    return [*said, f"  {found.my_id}"] if missing else [*said, DONE]


def _first_of_all(my_id: str) -> list[str]:
    return [
        f"This machine's device id is {my_id}",
        "On the other machine, where Syncthing and LLM Memory are installed too, run:",
        f"  llm-memory sync-setup --device {my_id}",
        "Then run `llm-memory sync-setup` here again: it offers the machine that asks to connect.",
    ]


def _silent(client: Client, found: Situation, shared: Sequence[Device]) -> list[Device]:
    """Those of the machines it was shared with before from which nothing has come yet."""
    if found.ours is None:
        return []
    states = {one.id: one for one in device_states(client, found.ours, {})}
    return [one for one in shared if one.id in states and states[one.id].is_silent]

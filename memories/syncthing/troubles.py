"""What a user should act on in Syncthing's state: one wording for doctor, the terminal's status and the dashboard."""

from __future__ import annotations

from dataclasses import dataclass

from memories.syncthing.answers import Device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from memories.syncthing.state import DeviceState, SyncState

NAMED_ERRORS = 3
"""Errors of Syncthing's that one line names; the rest is counted."""

SETUP = "run `llm-memory sync-setup`"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One of them. about: `sync` (the folder here) or `machine` (another one); is_failure: memories are at risk or
    nothing travels; else it works and is worth a look. todo: the next step. Neither text ends with a full stop."""

    about: str
    is_failure: bool
    text: str
    todo: str

    @property
    def sentence(self) -> str:
        """Both as a sentence; a machine's name stays as it is written."""
        text = self.text if self.about == "machine" else self.text[:1].upper() + self.text[1:]
        return f"{text}: {self.todo}."


def troubles(state: SyncState) -> list[Trouble]:
    """All of a state's, what concerns this machine first."""
    if state.problem:
        return [Trouble("sync", False, state.problem, state.todo)]
    return [*_folder(state), *filter(None, map(device_trouble, state.devices)), *_asking(state)]


def _folder(state: SyncState) -> Iterator[Trouble]:
    if not state.ignoring:
        text = ".stignore is not in force, so what belongs to this machine alone may travel"
        yield Trouble("sync", True, text, SETUP)
    if state.paused:
        yield Trouble("sync", False, "the folder is paused in Syncthing", f"resume it in Syncthing's page, or {SETUP}")
    if state.errors:
        more = f"; and {len(state.errors) - NAMED_ERRORS:,} more" if len(state.errors) > NAMED_ERRORS else ""
        said = "; ".join(state.errors[:NAMED_ERRORS]) + more
        yield Trouble("sync", True, f"Syncthing says ({said})", _remedy(state))
    if not state.devices and not state.pending:
        yield Trouble("sync", False, "the folder is shared with no other machine", SETUP)


def _remedy(state: SyncState) -> str:
    if any("folder marker missing" in error.casefold() for error in state.errors):
        return f"make sure that the memories are there, then `mkdir {state.marker}`"
    return "see the folder in Syncthing's page"


def device_trouble(device: DeviceState) -> Trouble | None:
    """What a user should act on with another machine; None where it is well, or away."""
    name = Device(device.id, device.name).shown
    if device.paused:
        return Trouble("machine", False, f"{name} is paused in Syncthing", "resume it in Syncthing's page")
    if device.connected and device.remote == "paused":
        return Trouble("machine", False, f"{name} is connected, but the folder is paused there", "resume it there")
    if device.connected and device.remote == "notSharing":
        return Trouble("machine", False, f"{name} is connected, but does not share the folder", f"{SETUP} there")
    if device.is_silent:
        text = f"{name} is {'' if device.connected else 'not '}connected, and nothing has ever come from it"
        return Trouble("machine", False, text, f"if it never said yes, {SETUP} there")
    return None


def _asking(state: SyncState) -> Iterator[Trouble]:
    for one in state.pending:
        text = f"{one.shown} asks to connect"
        yield Trouble("machine", False, text, f"{SETUP}, and compare the id; or dismiss it in Syncthing's page")

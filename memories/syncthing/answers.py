"""What Syncthing's REST answers hold, in our words. Anything may be missing or of another shape: versions differ."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

FOLDER_ID = "llm-memory"
"""The folder's id on every machine: how two Syncthings know that they share the same."""

_NEVER = 86_400.0
"""Unix seconds: Syncthing gives 1970-01-01 (or year 1) for a device that it has never seen."""


@dataclass(frozen=True, slots=True)
class Device:
    """A Syncthing: its id (8 groups of 7) and the name that it goes by, "" where none is known."""

    id: str
    name: str

    @property
    def shown(self) -> str:
        """Name and id for a terminal: the name may be another machine's own choice."""
        name = " ".join("".join(letter if letter.isprintable() else " " for letter in self.name).split())[:60]
        return f"{name} ({self.id})" if name else self.id


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that Syncthing shares. devices: ids, this machine's own among them; raw: the answer itself."""

    id: str
    label: str
    path: str
    devices: tuple[str, ...]
    raw: dict[str, Any]

    @property
    def name(self) -> str:
        """What its user calls it."""
        return self.label or self.id


def fields(value: Any) -> dict[str, Any]:
    """A JSON object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """A JSON list; empty for anything else (Syncthing has null for none)."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """A string; "" for anything else."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int:
    """A whole number of at least 0; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def time_of(value: Any) -> float | None:
    """Unix seconds of a time as Go writes it (2026-03-14T09:12:44.123456789+01:00); None where it was never."""
    written = text(value).replace("Z", "+00:00")
    whole, dot, rest = written.partition(".")
    if dot:  # Python 3.10 reads three or six digits of a second only
        written = whole + rest.lstrip("0123456789")
    try:
        seconds = datetime.datetime.fromisoformat(written).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return seconds if seconds > _NEVER else None


def devices(answer: Any) -> list[Device]:
    """The devices of /rest/config/devices."""
    return [Device(text(one["deviceID"]), text(one.get("name"))) for one in map(fields, items(answer)) if _id(one)]


def _id(one: dict[str, Any]) -> str:
    return text(one.get("deviceID"))


def pending_devices(answer: Any) -> list[Device]:
    """Machines that ask to connect, by /rest/cluster/pending/devices."""
    return [Device(id_, text(fields(one).get("name"))) for id_, one in fields(answer).items() if id_]


def offering(answer: Any) -> set[str]:
    """Ids of the devices that offer our folder, by /rest/cluster/pending/folders."""
    return set(fields(fields(fields(answer).get(FOLDER_ID)).get("offeredBy")))


def folder(answer: Any) -> Folder:
    """One folder of the configuration."""
    raw = fields(answer)
    ids = tuple(filter(None, (_id(fields(one)) for one in items(raw.get("devices")))))
    return Folder(text(raw.get("id")), text(raw.get("label")), text(raw.get("path")), ids, raw)


def folders(answer: Any) -> list[Folder]:
    """The folders of /rest/config/folders."""
    return [folder(one) for one in items(answer)]

"""The status as `llm-memory status --json` gives it to programs: objects with named fields, times in UTC with a Z."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from memories.core import clock
from memories.named import Named
from memories.status import Status, attention_of

if TYPE_CHECKING:
    from memories.syncthing.state import SyncState

_TIMES = ("last", "last_seen")
"""Fields that are times, besides those whose name ends in _at."""


def status_json(found: Status, sync: SyncState | None) -> dict[str, Any]:
    """All of it as JSON values. sync: what Syncthing says, None where it was not set up."""
    value = _fields(found)
    value["attention"] = [{"said": said, "section": section} for said, section in attention_of(found, sync)]
    if found.index is not None:
        value["index"]["types"] = [
            {"type": kind, "active": active, "archived": archived} for kind, active, archived in found.index.types
        ]
    value["syncthing"] = None if sync is None else _fields(sync)
    return value


def _fields(of: Any) -> dict[str, Any]:
    """A dataclass by its fields' names."""
    return {
        one.name: _time(getattr(of, one.name)) if _is_time(one.name) else _value(getattr(of, one.name))
        for one in dataclasses.fields(of)
    }


def _value(value: Any) -> Any:
    if isinstance(value, Named):
        return {"items": [{"name": name, "said": said} for name, said in value.items], "more": value.more}
    if dataclasses.is_dataclass(value):
        return _fields(value)
    return [_value(one) for one in value] if isinstance(value, list | tuple) else value


def _is_time(name: str) -> bool:
    return name in _TIMES or name.endswith("_at")


def _time(value: str | float | None) -> str | None:
    """A record's time or Unix seconds as a time with its zone; null for none."""
    seconds = clock.parse_time(value) if isinstance(value, str) else value
    return None if seconds is None else f"{clock.format_time(seconds)}Z"

"""The status as a terminal shows it: one screen of at most 80 columns, what needs a look first."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from memories.core import clock
from memories.core.transcript_items import clean
from memories.disk_use import DiskUse, said_size
from memories.findings import ago
from memories.merged_conflicts import MergedConflicts
from memories.named import Named, counted
from memories.status import Index, Status
from memories.status_machines import Machine
from memories.sync_words import device_said, folder_said
from memories.waiting_links import WaitingLinks

if TYPE_CHECKING:
    from memories.syncthing.state import SyncState

WIDTH = 80
LABEL = 15
"""Columns of the first word of a line."""

LISTED = 3
"""Conflicts, copies and links that one screen lists of each kind; the dashboard and --json have more."""

ID_DIGITS = 8
SESSION_DIGITS = 13
"""Characters of ids' beginnings that are shown where a command takes them."""

_AHEAD_SECONDS = 60


class Paint(NamedTuple):
    """How a terminal shows words: what needs a look, what is well, a line's label."""

    warn: Callable[[str], str] = str
    good: Callable[[str], str] = str
    label: Callable[[str], str] = str


def status_lines(found: Status, sync: SyncState | None, paint: Paint) -> Iterator[str]:
    """The screen, line by line. sync: what Syncthing says, None where it was not set up."""
    yield f"LLM Memory on {found.machine}, in {found.folder}"
    yield ""
    yield from _attention(found, paint)
    sections = {
        "Memories": _memories(found.index, found.problem),
        "Index": _index(found),
        "Machines": _machines(found.machines),
        "Syncthing": _sync(sync),
        "Conflicts": _conflicts(found),
        "Copies": _copies(found),
        "Awaited": _awaited(found.links),
        "Hooks": [_hooks(found)],
        "Disk": _disk(found.disk),
    }
    for label, said in sections.items():
        for place, line in enumerate(said):
            yield _line("" if place else label, line, paint)


def _line(label: str, said: str, paint: Paint) -> str:
    return f"{paint.label(label)}{' ' * (LABEL - len(label))}{said}".rstrip()


def _attention(found: Status, paint: Paint) -> Iterator[str]:
    if not found.attention:
        yield paint.good("Nothing needs a look.")
    else:
        yield paint.warn(f"{counted(len(found.attention), 'thing')} to look at:")
    for sentence, _ in found.attention:
        yield from textwrap.wrap(sentence, WIDTH - 2, initial_indent="- ", subsequent_indent="  ")
    yield ""


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - LABEL)


def _cut(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1].rstrip()}…"


def _when(stored: str) -> str:
    """How long ago a record's time is; the time itself where it lies ahead of this machine's clock."""
    seconds = clock.parse_time(stored)
    if seconds is None:
        return "at no known time"
    if seconds > time.time() + _AHEAD_SECONDS:
        return f"{stored[:16].replace('T', ' ')} UTC, ahead of this machine's clock"
    return ago(seconds)


def _memories(index: Index | None, problem: str) -> list[str]:
    if index is None:
        return _wrapped(problem)
    kinds = ", ".join(counted(active, kind.replace("_", " ")) for kind, active, _ in index.types)
    archived = sum(count for _, _, count in index.types)
    return [
        *_wrapped(f"{kinds}; {archived:,} archived, {index.trash:,} in trash/"),
        f"{counted(index.sessions, 'session')} with {counted(index.turns, 'turn')}",
    ]


def _index(found: Status) -> list[str]:
    index = found.index
    if index is None:
        return ["not ready: run `llm-memory sync`"]
    lines = [f"written {_when(index.written_at)}" + (", behind the files" if index.is_behind else ", up to date")]
    for group, what in ((index.broken, "record"), (index.unread, "transcript")):
        if group:
            lines += [f"{counted(group.count, what)} cannot be read:", *_named(group)]
    if index.foreign:
        lines.append(f"{counted(index.foreign.count, 'other file')} in records/")
    return lines


def _named(group: Named) -> Iterator[str]:
    for name, said in group.items[:LISTED]:
        yield f"  {_cut(name, WIDTH - LABEL - 2)}"
        if said:
            yield f"    {_cut(said, WIDTH - LABEL - 4)}"
    if group.count > LISTED:
        yield f"  and {group.count - LISTED:,} more"


def _machines(machines: list[Machine]) -> list[str]:
    if not machines:
        return ["none has stored a memory here yet"]
    names = [f"{one.name or 'not said'}{' (this one)' if one.is_this else ''}" for one in machines]
    wide = min(max(map(len, names)), 28)
    lines = []
    for name, one in zip(names, machines, strict=True):
        count = counted(one.memories, "memory", "memories") if one.memories else counted(one.session_logs, "log")
        lines.append(f"{_cut(name, wide):<{wide}}  {count:>14}  {_when(one.changed_at)}")
    return lines


def _conflicts(found: Status) -> list[str]:
    merged = found.merged
    lines = [] if merged is None else _merged(merged)
    for fork in found.forks:
        lines += _wrapped(f"{fork.project}: {len(fork.narratives)} narratives; in it, ask Claude to merge them")
        lines += [f"  {one.uuid} {one.machine}" for one in fork.narratives[:LISTED]]
    return lines or ["none"]


def _merged(merged: MergedConflicts) -> list[str]:
    lines = []
    if merged.contents:
        lines.append(f"{counted(merged.contents_count, 'memory', 'memories')} merged, both sides kept:")
        for one in merged.contents[:LISTED]:
            title = _cut(one.winner.title or one.kept.title, WIDTH - LABEL - 2)
            lines += [f"  {title}", f"    {one.kept.uuid} {one.kept.machine}, {_when(one.kept.changed_at)}"]
            lines.append(f"    {one.winner.uuid} {one.winner.machine or 'gone since'} (shown)")
        first = merged.contents[0].kept.uuid[:ID_DIGITS]
        lines.append(f"  see both: llm-memory status --diff {first}")
    if merged.transcripts:
        count = counted(merged.transcripts_count, "transcript")
        lines.append(f"{count} went on differently: llm-memory transcript NAME")
        for split in merged.transcripts[:LISTED]:
            names = [side.name for side in (split.own, split.kept) if side.name]
            lines += [f"  {split.session_id[:SESSION_DIGITS]}{name[len(split.session_id) :]}" for name in names]
    for file in merged.files[:LISTED]:
        lines.append(f"config/{file.name} merged {_when(file.merged_at)}; the versions, in state/merged/:")
        lines += [f"  {name}" for name in file.sides]
    return lines


def _copies(found: Status) -> list[str]:
    lines = []
    if found.copies.waiting:
        lines += [f"{found.copies.waiting.count:,} to be merged: run `llm-memory sync`", *_named(found.copies.waiting)]
    if found.copies.stuck:
        lines += [f"{found.copies.stuck.count:,} cannot be merged:", *_named(found.copies.stuck)]
    return lines or ["none waits to be merged"]


def _awaited(links: WaitingLinks | None) -> list[str]:
    if links is None:
        return ["not known"]
    if not links.count:
        return ["nothing: every linked memory is here"]
    lines = [f"{counted(links.count, 'linked memory', 'linked memories')} not here yet:"]
    lines += [
        f"  {one.to_uuid[:ID_DIGITS]}, linked by {_cut(one.title, WIDTH - LABEL - 22)}" for one in links.first[:LISTED]
    ]
    return lines


def _hooks(found: Status) -> str:
    last = max((hook.last for hook in found.capture.hooks), default="")
    return f"last ran {_when(last)}" if last else "have not run on this machine yet"


def _disk(disk: DiskUse) -> list[str]:
    free = "" if disk.free is None else f"; {said_size(disk.free)} are free"
    lines = [f"{said_size(disk.size)}{free}"]
    for part in disk.parts:
        name = part.name if "." in part.name else f"{part.name}/"
        how = "travels" if part.travels else "stays here"
        lines.append(f"  {name:<13}{said_size(part.size):>10}  {part.share:>3} %  {how}: {part.what}")
    return lines


def _sync(sync: SyncState | None) -> list[str]:
    if sync is None:
        return ["not set up here (llm-memory sync-setup)"]
    if sync.problem:
        return _wrapped(f"{sync.problem}; {sync.todo}")
    lines = [folder_said(sync)]
    lines += [f"  {_cut(clean(one.name or one.id), 28)}: {device_said(one)}" for one in sync.devices]
    for error in sync.errors[:LISTED]:
        lines += _wrapped(f"error: {clean(error)}")
    return lines

"""The status as a terminal shows it: one screen of at most 80 columns but for longer paths, what needs a look first."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from memories.core import clock
from memories.core.paths import MIRROR, MIRROR_VERSION
from memories.core.transcript_items import clean
from memories.disk_use import DiskUse, said_size
from memories.findings import ago
from memories.merged_conflicts import MergedConflicts, Side
from memories.named import Named, counted
from memories.status import Index, Status, attention_of
from memories.status_keeping import Keeping
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

MACHINE = 28
"""Characters that a machine's or project's name may take."""

ID_DIGITS = 8
SESSION_DIGITS = 13
"""Characters of ids' beginnings that are shown where a command takes them."""

_INDEX_NAME = f"{MIRROR}.{MIRROR_VERSION}"

_AHEAD_SECONDS = 60


class Paint(NamedTuple):
    """How a terminal shows words: what needs a look, what is well, a line's label."""

    warn: Callable[[str], str] = str
    good: Callable[[str], str] = str
    label: Callable[[str], str] = str


def status_lines(found: Status, sync: SyncState | None, paint: Paint) -> Iterator[str]:
    """The screen, line by line. sync: what Syncthing says, None where it was not set up."""
    title = f"LLM Memory on {found.machine}, in {found.folder}"
    yield from [title] if len(title) <= WIDTH else [f"LLM Memory on {found.machine}, in", f"  {found.folder}"]
    yield ""
    yield from _attention(attention_of(found, sync), paint)
    sections = {
        "Memories": _memories(found.index, found.problem),
        "Index": _index(found),
        "Machines": _machines(found.machines),
        "Syncthing": _sync(sync),
        "Conflicts": _conflicts(found),
        "Copies": _copies(found),
        "Awaited": _awaited(found.links),
        "Hooks": [_hooks(found)],
        "Auto memory": [found.capture.auto_memory] if found.capture.auto_memory else [],
        "Keeping": _keeping(found.keeping),
        "Disk": _disk(found.disk),
    }
    for label, said in sections.items():
        lines = [fitting for line in said for fitting in _fitting(line)]
        for place, line in enumerate(lines):
            yield _line("" if place else label, line, paint)


def _line(label: str, said: str, paint: Paint) -> str:
    return f"{paint.label(label)}{' ' * (LABEL - len(label))}{said}".rstrip()


class _Name(str):
    """A line that is a file's name: whole, however long, so that it can be used."""

    __slots__ = ()


def _fitting(line: str) -> list[str]:
    """A line as those that it takes, the later ones further in; a word is never cut: it may be a path or an id."""
    if isinstance(line, _Name) or len(line) <= WIDTH - LABEL:
        return [line]
    words = line.lstrip()
    indent = line[: len(line) - len(words)]
    return _wrap(words, WIDTH - LABEL, indent, f"{indent}  ")


def _wrap(text: str, width: int, first: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )


def _attention(attention: list[tuple[str, str]], paint: Paint) -> Iterator[str]:
    if not attention:
        yield paint.good("Nothing needs a look.")
    else:
        yield paint.warn(f"{counted(len(attention), 'thing')} to look at:")
    for sentence, _ in attention:
        yield from _wrap(sentence, WIDTH, "- ", "  ")
    yield ""


def _wrapped(text: str) -> list[str]:
    return _wrap(text, WIDTH - LABEL)


def _more(count: int, listed: int = LISTED) -> list[str]:
    return [f"  and {count - listed:,} more"] if count > listed else []


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
    lines = [f"written {_when(index.written_at)}, {_progress(index)}"]
    for group, what in ((index.broken, "record"), (index.unread, "transcript")):
        if group:
            lines += [f"{counted(group.count, what)} cannot be read:", *_named(group)]
    if index.foreign:
        lines.append(f"{counted(index.foreign.count, 'other file')} in records/")
    return lines


def _progress(index: Index) -> str:
    if index.is_behind:
        return "behind the files"
    if index.unindexed:
        return f"{counted(index.unindexed, 'transcript')} still being indexed"
    return "up to date"


def _named(group: Named) -> Iterator[str]:
    for name, said in group.items[:LISTED]:
        yield _Name(f"  {name}")
        if said:
            yield from _wrap(said, WIDTH - LABEL, "    ", "    ")
    yield from _more(group.count)


def _machines(machines: list[Machine]) -> list[str]:
    if not machines:
        return ["none has stored a memory here yet"]
    shown = [one for one in machines if one.name or one.memories]
    names = [f"{one.name or 'not said'}{' (this one)' if one.is_this else ''}" for one in shown]
    wide = min(max(map(len, names), default=0), MACHINE)
    lines = []
    for name, one in zip(names, shown, strict=True):
        has_logs_alone = one.session_logs and not one.memories
        count = counted(one.session_logs, "log") if has_logs_alone else counted(one.memories, "memory", "memories")
        lines.append(f"{_cut(name, wide):<{wide}}  {count:>14}  {_when(one.changed_at)}")
    logs = sum(one.session_logs for one in machines if not one.name)
    return lines + ([f"session logs (the same on every machine): {logs:,}"] if logs else [])


def _conflicts(found: Status) -> list[str]:
    merged = found.merged
    lines = [] if merged is None else [*_contents(merged), *_deleted(merged), *_transcripts(merged), *_files(merged)]
    for fork in found.forks[:LISTED]:
        project = _cut(fork.project, MACHINE)
        lines.append(f"{project}: {len(fork.narratives)} narratives; in it, ask Claude to merge them")
        lines += [f"  {one.uuid} {_cut(one.machine, MACHINE)}" for one in fork.narratives[:LISTED]]
        lines += _more(len(fork.narratives))
    if len(found.forks) > LISTED:
        lines.append(f"and {counted(len(found.forks) - LISTED, 'project')} more with several narratives")
    return lines or ["none"]


def _contents(merged: MergedConflicts) -> Iterator[str]:
    if not merged.contents:
        return
    yield f"{counted(merged.contents_count, 'memory', 'memories')} merged, both sides kept:"
    for one in merged.contents[:LISTED]:
        yield _title(one.winner.title if one.winner.is_here and not one.is_shown else one.kept.title)
        yield f"    {_edit(one.kept)}{' (restored)' if one.is_shown else ''}"
        if one.winner.deleted_at:
            yield f"    {_edit(one.winner)}, deleted {_when(one.winner.deleted_at)}"
        else:
            yield f"    {_edit(one.winner)} (shown)" if one.winner.is_here else f"    {one.winner.uuid} not here now"
    yield from _more(merged.contents_count)
    yield f"  see both: llm-memory status --diff {merged.contents[0].kept.uuid[:ID_DIGITS]}"


def _deleted(merged: MergedConflicts) -> Iterator[str]:
    if not merged.deleted:
        return
    count = counted(merged.deleted_count, "memory", "memories")
    yield f"{count} edited on one machine, deleted on another; in trash/:"
    for one in merged.deleted[:LISTED]:
        yield _title(one.kept.title)
        yield f"    edited on {_cut(one.kept.machine, MACHINE) or 'one machine'}, {_when(one.kept.changed_at)}"
        yield f"    deleted on another, {_when(one.kept.deleted_at)}"
        yield f"    llm-memory restore {one.kept.uuid}"
    yield from _more(merged.deleted_count)


def _title(title: str) -> str:
    return f"  {_cut(title, WIDTH - LABEL - 2)}"


def _edit(side: Side) -> str:
    return f"{side.uuid} {_cut(side.machine, MACHINE) or 'one machine'}, {_when(side.changed_at)}"


def _transcripts(merged: MergedConflicts) -> Iterator[str]:
    if not merged.transcripts:
        return
    yield f"{counted(merged.transcripts_count, 'transcript')} went on differently: llm-memory transcript NAME"
    for split in merged.transcripts[:LISTED]:
        for name in (side.name for side in (split.own, split.kept) if side.name):
            yield _Name(f"  {split.session_id[:SESSION_DIGITS]}{name[len(split.session_id) :]}")
    yield from _more(merged.transcripts_count)


def _files(merged: MergedConflicts) -> Iterator[str]:
    for file in merged.recent_files[:LISTED]:
        yield f"config/{file.name} merged {_when(file.merged_at)}"
        yield from (_Name(f"  {name}") for name in file.sides)
        if len(file.sides) > 1:
            yield f"  see both: llm-memory status --diff {file.sides[0].partition('-')[0]}"
        else:
            yield "  the versions are not kept any more"
    if merged.recent_files_count > LISTED:
        yield f"and {counted(merged.recent_files_count - LISTED, 'merge')} more of rules and settings"


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
    return [*lines, *_more(links.count)]


def _hooks(found: Status) -> str:
    last = max((hook.last for hook in found.capture.hooks), default="")
    return f"last ran {_when(last)}" if last else "have not run on this machine yet"


def _keeping(keeping: Keeping) -> list[str]:
    lines = [f"transcripts: {keeping.limits}; {keeping.said or 'not known'}" if keeping.limits else "every transcript"]
    gone = [counted(keeping.forgotten, "session") + " forgotten"] if keeping.forgotten else []
    gone += [counted(keeping.let_go, "transcript") + " let go"] if keeping.let_go else []
    return [*lines, *([", ".join(gone)] if gone else [])]


def _disk(disk: DiskUse) -> list[str]:
    free = "" if disk.free is None else f"; {said_size(disk.free)} are free"
    lines = [f"{said_size(disk.size)}{free}"]
    for part in disk.parts:
        name = _INDEX_NAME if part.name == MIRROR else f"{part.name}/"
        how = "travels" if part.travels else "stays here"
        lines.append(f"  {name:<13}{said_size(part.size):>10}  {part.share:>3} %  {how}: {part.what}")
    return lines


def _sync(sync: SyncState | None) -> list[str]:
    if sync is None:
        return ["not set up here (llm-memory sync-setup)"]
    if sync.problem:
        return _wrapped(f"{sync.problem}; {sync.todo}")
    lines = [folder_said(sync)]
    lines += [f"  {_cut(clean(one.name or one.id), MACHINE)}: {device_said(one)}" for one in sync.devices]
    for error in sync.errors[:LISTED]:
        lines += _wrapped(f"error: {clean(error)}")
    return [*lines, *_more(len(sync.errors))]

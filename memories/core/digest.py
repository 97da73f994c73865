"""The digest: what a project's newest session logs say together, without any model.

Everything in it is quoted from a session log, which quotes the transcript: requests and answers in their own words, a
decision only where the log says that it is one. Nothing is inferred; an entry begins with its place, [session:line].
"""

from __future__ import annotations

import re

from memories.core import budget, records
from memories.core.coverage import counted
from memories.core.page import shares
from memories.core.session_log_parts import parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SESSIONS = 20
"""Session logs that a digest is made from: about as many as a project sees in a fortnight."""

ROWS = 2 * SESSIONS
"""Rows to choose them from: one-shot runs (`claude -p`) come in dozens and must not push the others out."""

ENTRIES = {"Decided": 12, "Errors": 6, "Files": 10, "Commits": 10}
"""Most entries of each list; a briefing rarely has room for more."""

ENTRY_CHARS = 260
"""A quoted sentence of 240 characters (what a log cuts it to) with its place."""

ASKED_CHARS = 160
STOPPED_SHARES = {
    "Opening request": 0.25,
    "Last request": 0.2,
    "Last answer": 0.35,
    "Files edited": 0.08,
    "Commits": 0.08,
}
"""How the room for where a session stopped is divided among what its log says."""

STOPPED_UNITS = 1200
"""Most room for it; a log's own cuts add up to more."""

LINE_UNITS = 50
"""Below so many units a line that is cut says nothing."""

_ENTRY = r"(?m)^- (.+)$"
_MORE = r"^and ([\d,]+) (?:more|others)$"
"""What a log writes below a list that was cut."""

_ENDED = r"(?m)^Ended: (.+)$"
_PLACE = r"^\[[^\]]*\] "
_ENDING = r" -- ended: [^\n]*$"
_UNFIXED = r" -- ended: (?!fixed\b)(?!.* -- ended: )"


class Log:
    """A session log's row as a digest reads it. asked: the opening request. id: the session's first 8
    characters. ended_at: record time; day, time: the same for people. marks: what is said of the session behind that:
    whether it was a one-shot run, where it is from."""

    __slots__ = ("asked", "content", "day", "ended_at", "id", "marks", "one_shot", "parts", "session_id", "time")

    def __init__(self, row: dict[str, Any]) -> None:
        self.content: str = row["content"]
        self.parts = parts(self.content)
        self.session_id: str = row["session_id"] or ""
        self.id = budget.label(self.session_id[:8])
        self.ended_at: str = row["created_at"]
        self.day = self.ended_at[:10]
        self.time = self.ended_at[:16].replace("T", " ")
        self.one_shot = bool(row["one_shot"])
        marks = ("claude -p" if self.one_shot else "", budget.label(records.whence(row)))
        self.marks = "".join(f" ({mark})" for mark in marks if mark)
        self.asked = self.parts.get("Opening request") or self.content

    def entries(self, part: str) -> list[str]:
        """The entries of one of its lists, without what says that there are more."""
        return [entry for entry in self._listed(part) if not re.match(_MORE, entry)]

    def count(self, part: str) -> int:
        """How many entries one of its lists had before the log cut it."""
        cut = (re.match(_MORE, entry) for entry in self._listed(part))
        return len(self.entries(part)) + sum(int(found[1].replace(",", "")) for found in cut if found)

    def _listed(self, part: str) -> list[str]:
        return re.findall(_ENTRY, self.parts.get(part, ""))


class Part:
    """One part of a digest: a heading (ours) and list entries (quoted), best first. share: of a briefing's length, what
    it is meant to get at least."""

    __slots__ = ("entries", "heading", "share")

    def __init__(self, heading: str, entries: list[str], share: float) -> None:
        self.heading, self.entries, self.share = heading, entries, share

    def text(self, room: int) -> str:
        """Heading and as many entries as fit into so many units; "" where not one does."""
        room -= budget.units(self.heading) + 1
        kept: list[str] = []
        for entry in self.entries:
            line = budget.quoted(f"- {budget.one_line(entry, ENTRY_CHARS)}")
            room -= budget.units(line) + 1
            if room < 0:
                break
            kept.append(line)
        return "\n".join([self.heading, *kept]) if kept else ""


def newest(rows: list[dict[str, Any]]) -> list[Log]:
    """The logs of the newest SESSIONS sessions among rows (newest first); one-shot runs only as far as others leave
    places for them."""
    people = [row for row in rows if not row["one_shot"]][:SESSIONS]
    runs = [row for row in rows if row["one_shot"]][: SESSIONS - len(people)]
    chosen = {id(row) for row in [*people, *runs]}
    return [Log(row) for row in rows if id(row) in chosen]


def last(logs: list[Log]) -> Log:
    """The session that work stopped in: the newest that was not a one-shot run, where there is one."""
    return next((log for log in logs if not log.one_shot), logs[0])


def stopped(log: Log, room: int) -> str:
    """Where a session stopped, in at most so many units: first and last request, last answer, files, commits, how it
    ended; "" where there is no room for a sentence."""
    heading = f"Session {log.id}, ended {log.time} UTC{log.marks}"
    ended = re.search(_ENDED, log.content)
    last_line = f"\n{budget.quoted('Ended: ' + budget.one_line(ended[1], 80))}" if ended else ""
    room = min(room, STOPPED_UNITS) - budget.units(heading + last_line)
    lines = [f"{title}: {_flat(log.parts[title])}" for title in STOPPED_SHARES if title in log.parts]
    if not log.parts:
        lines = [_flat(log.content)]
    weights = [STOPPED_SHARES.get(line.partition(":")[0], 1.0) for line in lines]
    wants = [(budget.units(line) + 3, 0, int(share * room)) for line, share in zip(lines, weights, strict=True)]
    limits = [given - 3 for given in shares(wants, max(room, 0))]
    shown = [
        budget.shortened(line, limit)
        for line, limit in zip(lines, limits, strict=True)
        if limit >= min(budget.units(line), LINE_UNITS)
    ]
    if not shown and lines and room - 3 >= LINE_UNITS:
        shown = [budget.shortened(lines[0], room - 3)]
    return f"{heading}\n{budget.quoted(chr(10).join(shown))}{last_line}" if shown else ""


def _flat(body: str) -> str:
    """A part on one line: a list's entries with commas between them."""
    return " ".join(body.removeprefix("- ").replace("\n- ", ", ").split())


def gathered(logs: list[Log]) -> list[Part]:
    """What several sessions leave (logs newest first), best first: open items, decisions, errors not fixed, requests,
    files, commits. Parts without an entry are left out, and what stopped() says of the last session."""
    earlier = [log for log in logs if log is not last(logs)]
    open_log = next((log for log in logs if log.entries("Open items")), None)
    found = []
    if open_log:
        heading = f"Open items of session {open_log.id}, {open_log.day}{open_log.marks}"
        found.append(Part(heading, open_log.entries("Open items"), 0.1))
    decided = _unlike([entry for log in logs for entry in reversed(log.entries("Decided"))])
    errors = _unlike([entry for log in logs for entry in reversed(log.entries("Errors"))])
    errors = [entry for entry in errors if re.search(_UNFIXED, entry)]
    commits = [f"{log.day} {entry}" for log in earlier for entry in reversed(log.entries("Commits"))]
    before = {path for log in earlier for path in log.entries("Files edited")}
    files = [path for path in _files(logs) if path.rpartition(" (")[0] in before]
    found += [
        Part("Decided or corrected, newest first", decided[: ENTRIES["Decided"]], 0.13),
        Part("Errors after which the same command did not succeed in that session", errors[: ENTRIES["Errors"]], 0.06),
        requests(earlier, "What was asked before it, newest session first"),
        Part("Files edited in most sessions", files[: ENTRIES["Files"]], 0.04),
        Part("Commits before it, newest first", commits[: ENTRIES["Commits"]], 0.05),
    ]
    return [part for part in found if part.entries]


def _unlike(entries: list[str]) -> list[str]:
    """Entries without those that say what an earlier one says, but for their place and how it ended."""
    found: dict[str, str] = {}
    for entry in entries:
        found.setdefault(re.sub(_ENDING, "", without_place(entry)), entry)
    return list(found.values())


def without_place(entry: str) -> str:
    """An entry of a log's list without its `[session:line]`."""
    return re.sub(_PLACE, "", entry)


def requests(logs: list[Log], heading: str = "What was asked, newest session first") -> Part:
    """What was asked in each session, a line each."""
    return Part(heading, list(map(_asked, logs)), 0.15)


def _asked(log: Log) -> str:
    more = log.count("Further requests")
    text = f"{log.time} [{log.id}] {budget.one_line(log.asked, ASKED_CHARS)}"
    return text + log.marks + (f" (+{counted(more, 'request')})" if more else "")


def _files(logs: list[Log]) -> list[str]:
    """Files by the number of sessions that edited them, of equals the newest first."""
    sessions: dict[str, int] = {}
    for log in logs:
        for path in log.entries("Files edited"):
            sessions[path] = sessions.get(path, 0) + 1
    order = sorted(sessions, key=lambda path: -sessions[path])
    return [f"{path} ({counted(sessions[path], 'session')})" for path in order]

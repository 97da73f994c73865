"""What is wrong with a narrative that is to be stored: losses, citations and claims, which refuse it, and warnings."""

from __future__ import annotations

import os
import re

from memories.core import (
    archived_sessions,
    budget,
    citations,
    forgotten,
    narrative_losses,
    narrative_sections,
    transcripts,
)
from memories.core.errors import NarrativeRefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from memories.core.paths import DataFolder

MAX_CHARS = 12_000
"""A refusal is no longer than this: about 3,000 tokens, and far below what Claude Code shows of a tool's answer."""

LEAST_TEXT = 12
"""Characters of an item's beginning that name its loss in accept_losses; a shorter item is named by all of it."""

TOTAL_TOKENS = sum(narrative_sections.STORED_TOKENS.values())
_EVERYTHING = frozenset({"all", "*", "any", "everything", "true", "yes"})
_ROOM_FOR_THE_REST = 600
_SHORTEST_HANDLE = 6


class Finding:
    """Something that refuses a narrative. handle: what accept_losses names it by. text: a line that says what it is.
    kept: how the record keeps that it was accepted. begins: texts whose beginning names it as well."""

    __slots__ = ("begins", "handle", "kept", "text")

    def __init__(self, handle: str, text: str, kept: str, begins: str = "") -> None:
        self.handle = handle
        self.text = text
        self.kept = kept
        self.begins = begins

    def line(self) -> str:
        """The finding as the refusal lists it."""
        return f"- {self.handle}: {self.text}"

    def is_named_by(self, accepted: str) -> bool:
        """Whether an entry of accept_losses names this finding: its handle, or its text or the beginning of it."""
        given, handle = _folded(accepted), _folded(self.handle)
        if given == handle or (given.startswith(handle + " ") and len(handle) >= _SHORTEST_HANDLE):
            return True
        text = _folded(self.begins)
        return bool(given) and (given == text or (len(given) >= LEAST_TEXT and text.startswith(given)))


class Findings:
    """What a check found. losses, citations, absent: these refuse; warnings: sentences for beside `stored`."""

    __slots__ = ("absent", "citations", "losses", "warnings")

    def __init__(
        self, losses: list[Finding], faulty_citations: list[Finding], absent: list[Finding], warnings: list[str]
    ) -> None:
        self.losses = losses
        self.citations = faulty_citations
        self.absent = absent
        self.warnings = warnings

    def all(self) -> list[Finding]:
        """Everything that refuses."""
        return [*self.losses, *self.citations, *self.absent]


def _folded(text: str) -> str:
    return " ".join(re.sub(r"^[-*#\s]+|[`*~\[\]:…]", " ", text).casefold().split()).removesuffix("...").strip()


def check(
    folder: DataFolder, olds: list[str], content: str, claimed_refs: list[str], known_refs: Collection[str]
) -> Findings:
    """Check a narrative against those it would replace (olds, their texts) and against the archive.

    claimed_refs: the sessions that this call says it was written from. known_refs: those that its predecessors name;
    they may have been removed from the archive since.
    """
    found: dict[str, Finding] = {}
    for old in olds:
        for loss in narrative_losses.losses(old, content):
            found.setdefault(loss.handle, _loss(loss))
    return Findings(
        list(found.values()),
        [Finding(fault.text, fault.reason, f"citation {fault.text}") for fault in citations.faults(folder, content)],
        _absent(folder, [ref for ref in claimed_refs if ref not in known_refs]),
        warnings(content),
    )


def _loss(loss: narrative_losses.Loss) -> Finding:
    lost = f"lost {', '.join(loss.missing)}" if loss.missing else "gone"
    where = f"{loss.section}: " if loss.section else ""
    return Finding(loss.handle, f"[{lost}] {where}{loss.text}", f"{lost}: {loss.full}", loss.full)


def _absent(folder: DataFolder, refs: list[str]) -> list[Finding]:
    reason = (
        "claimed in transcript_ref, but not archived. A session that still runs is archived when it ends: leave it out."
    )
    return [
        Finding(ref, reason, f"transcript {ref}")
        for ref in refs
        if forgotten.kind_of(folder, ref) is None
        and ("\0" in ref or not os.path.isfile(transcripts.archive_path(folder, ref)))
    ]


def whole_refs(folder: DataFolder, refs: list[str]) -> list[str]:
    """Session ids as the archive has them, for ids of which the beginning was given; others stay as they are."""
    archived: list[str] | None = None
    found = []
    for ref in refs:
        if len(ref) >= archived_sessions.MIN_PREFIX and not transcripts.is_session_id(ref):
            archived = sorted(transcripts.archived_states(folder)) if archived is None else archived
            fitting = [one for one in archived if one.lower().startswith(ref.lower())]
            ref = fitting[0] if len(fitting) == 1 else ref  # noqa: PLW2901 - the same session
        found.append(ref)
    return list(dict.fromkeys(found))


def warnings(content: str) -> list[str]:
    """What a narrative lacks of its sections, and which of them, or the whole, are above their budget."""
    sections = narrative_sections.sections(content)
    found = []
    lacking = narrative_sections.missing(sections)
    if lacking:
        found.append(f"Sections that are missing: {', '.join(lacking)}.")
    kinds = [section.kind for section in sections if section.kind]
    twice = [kind for kind in dict.fromkeys(kinds) if kinds.count(kind) > 1]
    if twice:
        found.append(f"Sections that are there more than once: {', '.join(twice)}; merge them.")
    for section in sections:
        most, has = narrative_sections.stored_budget(section.kind), budget.tokens(section.body)
        if has > most:
            found.append(
                f"The section {section.heading or '(beginning)'!r} has about {has:,} tokens; at most {most:,}."
            )
    if budget.tokens(content) > TOTAL_TOKENS:
        found.append(
            f"The narrative has about {budget.tokens(content):,} tokens; at most {TOTAL_TOKENS:,}. "
            "Condense the history first; items under decisions and gotchas may be shortened, not dropped."
        )
    return found


def accept(findings: Findings, accepted: list[str] | None, olds: list[str]) -> list[str]:
    """Take accept_losses into account: gives what the record keeps of what was accepted.

    olds: uuids of the narratives that would be replaced. Adds a warning for each entry that names nothing. Raises
    NarrativeRefusedError, listing what is left, unless everything that was found is named.
    """
    given = [text.strip() for text in accepted or [] if text.strip()]
    everything = [text for text in given if text.lower() in _EVERYTHING]
    left = findings.all()
    if everything and left:
        raise NarrativeRefusedError(
            f"accept_losses takes no {everything[0]!r}: name each loss by its handle, so that none goes unseen.\n"
            + _refusal(findings, left, olds)
        )
    kept = [finding.kept for finding in left if any(finding.is_named_by(text) for text in given)]
    unused = [text for text in given if not any(finding.is_named_by(text) for finding in left)]
    findings.warnings += [f"accept_losses names nothing that was found: {text[:80]!r}." for text in unused]
    left = [finding for finding in left if not any(finding.is_named_by(text) for text in given)]
    if left:
        raise NarrativeRefusedError(_refusal(findings, left, olds))
    return kept


def _refusal(findings: Findings, left: list[Finding], olds: list[str]) -> str:
    """The text of a refusal: every finding a line, what to do about it, no longer than MAX_CHARS."""
    named = " and ".join(olds) or "none"
    head = (
        f"Not stored: {len(left)} finding{'s' * (len(left) != 1)}. Put items back, mark them done or dropped "
        "(`- [x] ...`, `~~...~~`, `(dropped: why)`), correct citations and transcript_ref, and store again. "
        "Only for what is meant to go, pass accept_losses=[handles], the codes before the colons."
    )
    before = f"The narrative before it ({named}) stands; memory_get shows it whole." if olds else ""
    lines = [head, *([before] if before else [])]
    groups = (
        (findings.losses, "Lost from the narrative before it:"),
        (findings.citations, "Citations that the archive does not have:"),
        (findings.absent, "Transcripts that are not in the archive:"),
    )
    size, listed = sum(len(line) + 1 for line in lines), 0
    for group, title in groups:
        of_group = [finding for finding in left if finding in group]
        if of_group:
            lines += ["", title]
            size += len(title) + 2
        for finding in of_group:
            line = finding.line()
            if size + len(line) > MAX_CHARS - _ROOM_FOR_THE_REST:
                break
            lines.append(line)
            size, listed = size + len(line) + 1, listed + 1
    if listed < len(left):
        lines += ["", f"... and {len(left) - listed} more; they are listed once these are dealt with."]
    return "\n".join(lines)[:MAX_CHARS]

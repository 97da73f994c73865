"""What `llm-memory redact` says: rules, counts and places, never a secret nor what stands beside it in a transcript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from memories.core.redact_existing import LOG, OTHER, OWN, RECORD, TOMBSTONE, TRANSCRIPT, Finding, Rescan
from memories.management.shown import shown

SHOWN_LINES = 5
"""Lines of a file that are named; the rest is counted."""

SHOWN_FILES = 10
"""Files that are named of those that stay as they are; the rest is counted."""

_KINDS = (RECORD, TOMBSTONE, TRANSCRIPT, LOG, OTHER, OWN)
_NAMES = {
    RECORD: ("memory", "memories"),
    TOMBSTONE: ("deleted memory", "deleted memories"),
    TRANSCRIPT: ("file of archived transcripts", "files of archived transcripts"),
    LOG: ("log", "logs"),
    OTHER: ("file that is no readable memory", "files that are no readable memories"),
    OWN: ("file of yours", "files of yours"),
}
_UNCHANGED = {
    OTHER: "not changed: `llm-memory sync` merges copies; repair or move away the others",
    OWN: "not changed: edit it yourself",
}
OUTSIDE = (
    "Not looked at: Claude Code's own transcripts, bundles that were exported, Syncthing's .stversions, backups, other "
    "machines' folders (run it there too)."
)


def as_json(found: Rescan, *, applies: bool, scrubbed: bool) -> dict[str, Any]:
    """The run for programs."""
    return {
        "applied": applies,
        "clean": found.is_empty and scrubbed,
        "index_scrubbed": scrubbed if applies else None,
        "looked_at": found.looked,
        "findings": [_finding(one) for one in found.findings],
        "unmasked_transcripts": found.unmasked,
        "left": [{"path": path, "reason": reason} for path, reason in found.left],
        "kept": [{"path": path, "what": what} for path, what in found.kept],
    }


def _finding(one: Finding) -> dict[str, Any]:
    lines = [{"line": line, "rule": rule} for line, rule in one.lines]
    return {
        "path": one.path, "kind": one.kind, "title": one.title or None, "rules": one.counts, "lines": lines,
        "redacted": one.is_done,
    }  # fmt: skip


def lines(found: Rescan, *, applies: bool, scrubbed: bool) -> Iterator[str]:
    """The run for people."""
    looked = ", ".join(_counted(count, kind) for kind, count in found.looked.items())
    yield f"Looked at {looked or 'nothing: the data folder is empty'}."
    for kind in _KINDS:
        of_kind = [one for one in found.findings if one.kind == kind]
        if of_kind:
            verb = "redacted" if applies and kind not in _UNCHANGED else "with what looks like a secret"
            why = f" ({_UNCHANGED[kind]})" if kind in _UNCHANGED else ""
            yield f"{_counted(len(of_kind), kind)} {verb}{why}:"
            yield from (f"  {_told(one)}" for one in of_kind)
    if found.unmasked:
        yield (
            f"{_counted(len(found.unmasked), TRANSCRIPT)} with what looks like a secret (kept as they are: the setting "
            "redact_transcripts is off; with true the archive is masked, new transcripts at once and these by "
            "`llm-memory redact --apply`):"
        )
        yield from _named([shown(path) for path in found.unmasked])
    if found.kept:
        yield "Left as it is, and no run changes it:"
        yield from _named([shown(f"{path}: {what}") for path, what in found.kept])
    for path, reason in found.left:
        yield f"  not done: {shown(path)}: {shown(reason)}"
    if not scrubbed:
        yield "The index is being read by another process: its old text goes with the next `llm-memory redact --apply`."
    yield _conclusion(found, applies=applies)
    yield OUTSIDE


def _conclusion(found: Rescan, *, applies: bool) -> str:
    if not found.is_clean:
        if applies:
            return "Not all of it could be redacted: see above."
        return "Nothing was changed: this was a dry run. `llm-memory redact --apply` redacts it, for good."
    if found.is_empty:
        return "Done. Nothing is left." if any(one.is_done for one in found.findings) else "Nothing to redact."
    done = "All else is redacted" if any(one.is_done for one in found.findings) else "Nothing was redacted"
    return f"{done}; {' and '.join(_rest(found))}."


def _rest(found: Rescan) -> Iterator[str]:
    """What is left by a run that did all it could, and why."""
    raw = len(found.unmasked)
    if raw:
        files = "1 file of archived transcripts stays" if raw == 1 else f"{raw} files of archived transcripts stay"
        yield f"{files} raw because redact_transcripts is off"
    own = sum(one.kind == OWN for one in found.findings)
    if own:
        yield f"{_counted(own, OWN)} {'is' if own == 1 else 'are'} not changed"
    if found.kept:
        yield "what stands in names of files and in fields that are kept is left (listed above)"


def _named(texts: list[str]) -> Iterator[str]:
    yield from (f"  {text}" for text in texts[:SHOWN_FILES])
    if len(texts) > SHOWN_FILES:
        yield f"  and {len(texts) - SHOWN_FILES} more"


def _told(one: Finding) -> str:
    rules = ", ".join(f"{rule} ({count})" if count > 1 else rule for rule, count in one.counts.items())
    title = f' "{one.title}"' if one.title else ""
    return shown(f"{one.path}{title}: {rules}{_places(one)}")


def _places(one: Finding) -> str:
    numbers = list(dict.fromkeys(line for line, _ in one.lines))
    if not numbers:
        return ""
    named = ", ".join(map(str, numbers[:SHOWN_LINES]))
    more = f" and {len(numbers) - SHOWN_LINES} more" if len(numbers) > SHOWN_LINES else ""
    return f", line{'s' * (len(numbers) > 1)} {named}{more}"


def _counted(count: int, kind: str) -> str:
    return f"{count} {_NAMES[kind][count != 1]}"

"""Redaction: what looks like a secret, or stands in <private>...</private>, reaches no record, no index and no page.

A rule is tried only where one of its literal keywords occurs, so that text without any costs next to nothing.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

PRIVATE = "private"
"""The id under which a <private> passage is found."""

_FIXED = frozenset(
    {
        "schema_version", "uuid", "type", "created_at", "updated_at", "deleted_at", "origin", "status", "archived_in",
        "session_id", "project_id", "transcript_ref", "connections", "conflict_of", "importance",
    }
)  # fmt: skip
"""Fields of a record that hold no free text."""

_RULES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("aws-access-key", ("akia",), r"\b(AKIA[0-9A-Z]{16})\b"),
    ("github-token", ("ghp_",), r"\b(ghp_[0-9A-Za-z]{36})\b"),
    ("password", ("password",), r"(?i)password\s*[=:]\s*(\S{6,})"),
    (PRIVATE, ("<private>",), r"(?is)(<private>.*?(?:</private>|\Z))"),
)


class Redactor:
    """Finds and replaces secrets. patterns: the user's own, as regular expressions that compile; the first group of one
    that has groups is the secret, else all that it matches.

    fingerprint: 31 bits that differ where rules or patterns do, for whoever keeps redacted text.
    """

    __slots__ = ("_patterns", "fingerprint")

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        import zlib

        self._patterns = tuple(patterns)
        self.fingerprint = zlib.crc32(repr((_RULES, self._patterns)).encode()) >> 1

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """(start, end, rule id) of each secret in a text, sorted, none overlapping; patterns of the user are `user`."""
        lower = text.lower()
        found = []
        for rule, keywords, pattern in _RULES:
            if any(keyword in lower for keyword in keywords):
                found += [(*match.span(1), rule) for match in re.finditer(pattern, text)]
        for pattern in self._patterns:
            found += [(*match.span(bool(match.re.groups)), "user") for match in re.finditer(pattern, text)]
        return _disjoint(found)

    def text(self, text: str) -> str:
        """A text with each secret replaced by placeholder(rule); the same object where there is none.

        Doing it again changes nothing.
        """
        parts, end = [], 0
        for start, stop, rule in self.spans(text):
            parts += [text[end:start], placeholder(rule)]
            end = stop
        return "".join([*parts, text[end:]]) if parts else text

    def record(self, record: dict[str, Any]) -> list[str]:
        """Redact every free text of a record in place, unknown fields included; the ids of the rules that found
        something, each once, [] where it is as before."""
        found: dict[str, None] = {}
        for name, value in record.items():
            if name not in _FIXED and isinstance(value, str):
                found.update(dict.fromkeys(rule for _, _, rule in self.spans(value)))
                record[name] = self.text(value)
        return list(found)


def placeholder(rule: str) -> str:
    """What stands in a secret's place: `[redacted: github-token]`, `[private]`."""
    return "[private]" if rule == PRIVATE else f"[redacted: {rule}]"


def redactor(settings: dict[str, Any]) -> Redactor:
    """The redactor that settings ask for (read_settings), made once for each set of patterns."""
    patterns = tuple(settings["redact_patterns"])
    if patterns not in _made:
        _made[patterns] = Redactor(patterns)
    return _made[patterns]


_made: dict[tuple[str, ...], Redactor] = {}


def _disjoint(found: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    kept: list[tuple[int, int, str]] = []
    for one in sorted(found, key=lambda span: (span[0], -span[1])):
        if one[0] < one[1] and (not kept or one[0] >= kept[-1][1]):
            kept.append(one)
    return kept

"""Redaction: what looks like a secret, or stands in <private>...</private>, reaches no record, no index and no page.

A rule is tried only where one of its literal keywords occurs, so that text without any costs next to nothing. What the
rules are: secret_rules.py (tokens, places, keys in PEM), secret_keys.py (KEY=value), secret_values.py (what is none).
"""

from __future__ import annotations

import re

from memories.core import secret_rules
from memories.core.patterns import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

PRIVATE = "private"
"""The id under which a <private> passage is found."""

OWN = "own-pattern"
"""The id under which a pattern of the user finds something."""

VERSION = 2
"""Raise it when code finds something else than before: with the tables it makes the fingerprint."""

_FIXED = frozenset(
    {
        "schema_version", "uuid", "type", "created_at", "updated_at", "deleted_at", "origin", "status", "archived_in",
        "session_id", "project_id", "transcript_ref", "connections", "conflict_of", "importance",
    }
)  # fmt: skip
"""Fields of a record that hold no free text."""

_STEMS = tuple((stem, stem.encode()) for stem in secret_rules.KEY_STEMS)
_LONG_STEMS = tuple((stem, stem.encode()) for stem in secret_rules.LONG_KEY_STEMS)
_STEMS_ABROAD = ("contraseñ", "парол", "密码", "密碼", "口令", "パスワード", "비밀번호", "hasło")
"""Words for passwords that only texts with letters beyond ASCII are searched for (secret_keys.py knows their forms)."""
_PLACES: dict[str, list[tuple[str, bytes]]] = {}
for _, _word, _gate, _, _ in secret_rules.PLACES:
    if (_word, _word.encode()) not in _PLACES.setdefault(_gate, []):
        _PLACES[_gate].append((_word, _word.encode()))
_BEFORE = 40  # characters before a place's literal and
_REACH = 1000  # behind it that say whether a pattern that searches a line matches
_VERDICTS = 500  # values of one place whose verdict is remembered
_SHORT = 15  # characters of a word that is too short for a token
_MARKS = bytes.maketrans(b"\"'`,;<>(){}|", b" " * 12)
"""Marks that no token holds part words as blanks do: code and JSON have few long words then."""

_MIXED = lazy(b"[0-9A-Z]")
_KEPT = lazy(r"\[redacted: [a-z0-9-]{1,40}\]|\[private\]")

_HEADS = lazy(r"(?<![0-9A-Za-z])[0-9A-Za-z]{2}")

Span = tuple[int, int, str]
Row = tuple[int, str, str, str, int]


def _rows() -> tuple[dict[str, list[Row]], list[Row]]:
    """The table by the first two characters of its literals, and what has no such head or begins within a token."""
    by_head: dict[str, list[Row]] = {}
    inner = []
    for number, (rule, literal, rest, before) in enumerate(secret_rules.TOKENS):
        row = (number, rule, literal, rest, before)
        if before or not literal[:2].isalnum():
            inner.append(row)
        else:
            by_head.setdefault(literal[:2], []).append(row)
    return by_head, inner


_BY_HEAD, _INNER = _rows()


class Redactor:
    """Finds and replaces secrets. patterns: the user's own, as regular expressions that compile; the first group of one
    that has groups is the secret, else all that it matches.

    fingerprint: 31 bits that differ where rules or patterns do, for whoever keeps redacted text; never 0.
    """

    __slots__ = ("_patterns", "fingerprint")

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        import zlib

        self._patterns = tuple(re.compile(pattern) for pattern in patterns)
        rules = (VERSION, secret_rules.TOKENS, secret_rules.PLACES, secret_rules.PEM, secret_rules.PUTTY)
        self.fingerprint = (zlib.crc32(repr((rules, tuple(patterns))).encode("utf-8", "replace")) >> 1) or 1

    def spans(self, text: str, unclosed: bool = True) -> list[Span]:
        """(start, end, rule id) of each secret in a text, sorted, none overlapping; patterns of the user are OWN.

        Placeholders that stand in the text are no part of any. Where rules overlap, their union is one span.
        unclosed: whether a <private> that nothing closes takes the rest of the text; else it is text.
        """
        return self._spans(text, unclosed, None)

    def text(self, text: str, unclosed: bool = True) -> str:
        """A text with each secret replaced by placeholder(rule); the same object where there is none. unclosed: as in
        spans().

        Doing it again changes nothing: it is done until nothing is found. Each time fewer characters are left outside
        placeholders, so it ends.
        """
        return self._replaced(text, self.spans(text, unclosed), unclosed)

    def _spans(self, text: str, unclosed: bool, near: list[tuple[int, int]] | None) -> list[Span]:
        found = list(_built_in(text, unclosed, near))
        for pattern in self._patterns:
            found += [(*match.span(bool(pattern.groups)), OWN) for match in pattern.finditer(text)]
        return _disjoint(text, found) if found else []

    def _replaced(self, text: str, spans: list[Span], unclosed: bool) -> str:
        """The text without these spans, and without what is found once they are gone."""
        while spans:
            parts: list[str] = []
            near: list[tuple[int, int]] = []  # where placeholders stand now: names are looked at again around them only
            end = size = 0
            for start, stop, rule in spans:
                shown = placeholder(rule)
                size += start - end
                near.append((size, size + len(shown)))
                size += len(shown)
                parts += [text[end:start], shown]
                end = stop
            text = "".join([*parts, text[end:]])
            spans = self._spans(text, unclosed, near)
        return text

    def record(self, record: dict[str, Any]) -> list[str]:
        """Redact every free text of a record in place, unknown fields included, at any depth; the ids of the rules that
        found something, each once, [] where it is as before. Keys and types stay."""
        found: dict[str, None] = {}
        waiting: list[tuple[dict[Any, Any] | list[Any], list[Any]]] = [
            (record, [name for name in record if name not in _FIXED])
        ]
        while waiting:
            holder, places = waiting.pop()
            for place in places:
                value = holder[place]
                if isinstance(value, str):
                    holder[place] = self._field(place, value, found)
                elif isinstance(value, dict):
                    waiting.append((value, list(value)))
                elif isinstance(value, list):
                    waiting.append((value, list(range(len(value)))))
        return list(found)

    def _field(self, name: Any, value: str, found: dict[str, None]) -> str:
        spans = self.spans(value)
        if not spans and isinstance(name, str):
            from memories.core import secret_keys

            rule = secret_keys.field_rule(name, value)
            if rule:
                found[rule] = None
                return placeholder(rule)
        found.update(dict.fromkeys(rule for _, _, rule in spans))
        return self._replaced(value, spans, True)


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
_compiled: dict[str, re.Pattern[str]] = {}


def _built_in(text: str, unclosed: bool, near: list[tuple[int, int]] | None) -> Iterator[Span]:
    """What our rules find, the surest first; overlapping ones too. On most texts only what looks for literals runs.
    near: the places around which names are looked for, None for everywhere."""
    raw = text.encode("utf-8", "surrogatepass")
    data = raw.lower()
    mixed = _MIXED.search
    long = [word for word in raw.translate(_MARKS).split() if len(word) > _SHORT and mixed(word)]
    stems = [stem for stem, coded in _STEMS if coded in data]
    if len(raw) != len(text):
        small = text.lower()
        stems += [stem for stem in _STEMS_ABROAD if stem in small]
    if (
        b"private" in data
        or (long and (b"-----begin " in data or b"cookie" in data))
        or ("secret" in stems and b"kind" in data)
    ):
        from memories.core import secret_blocks

        yield from secret_blocks.find(text, data, unclosed)
    if long:
        yield from _tokens(text, b"\n".join(long).decode("utf-8", "surrogatepass"))
        stems += [stem for stem, coded in _LONG_STEMS if coded in data]
    places = {
        word
        for gate, words in _PLACES.items()
        if (long if gate == "long" else gate.encode() in data)
        for word, coded in words
        if coded in data
    }
    if places or stems:
        lower = text.lower()
        if len(lower) != len(text):  # the only letter whose small form is longer
            lower = text.replace("\u0130", "i").lower()
        yield from _in_places(text, lower, places)
        if stems:
            from memories.core import secret_keys, secret_outputs

            yield from secret_keys.keyed(text, lower, stems, near)
            yield from secret_outputs.find(text, lower, stems)


def _candidates(words: str) -> list[Row]:
    """The rows of the table whose literal stands in words: looked up by the two characters after each boundary."""
    if "\x1b" in words or "u001b" in words:  # a colour's last letter hides the boundary
        heads = set(_BY_HEAD)
    else:
        heads = _BY_HEAD.keys() & _HEADS.findall(words.replace("\\n", " ").replace("\\t", " ").replace("\\r", " "))
    rows = [row for head in heads for row in _BY_HEAD[head] if row[2] in words]
    return sorted(rows + [row for row in _INNER if row[2] in words])


def _tokens(text: str, words: str) -> Iterator[Span]:
    """Tokens by their marks. words: the long words of the text, one a line, which say whether to look at all of it."""
    for row in _candidates(words):
        if next(_matches(words, row), None):
            yield from _matches(text, row)


def _matches(text: str, row: Row) -> Iterator[Span]:
    _, rule, literal, rest, before = row
    pattern = _pattern(rest + "(?![0-9A-Za-z])", 0)
    within = before < 0 or not (before or literal[0].isalnum())
    at = text.find(literal)
    while at >= 0:
        after = at + len(literal)
        match = pattern.match(text, after) if within or _begins(text, at - before) else None
        if match:
            start = match.start(1) if pattern.groups else at - before
            after = match.end()
            from memories.core.secret_values import is_token

            if is_token(text[start:after]):
                yield start, match.end(pattern.groups), rule
        at = text.find(literal, after)


def _begins(text: str, at: int) -> bool:
    """Whether a token may begin here: not within a word, but after `\\n` written out and after a terminal's colour."""
    if at <= 0 or not (text[at - 1].isascii() and text[at - 1].isalnum()):
        return at >= 0
    before = text[at - 2 : at]
    return before in ("\\n", "\\t", "\\r") or (before[1:] == "m" and before[0] in "[0123456789")


def _in_places(text: str, lower: str, places: set[str]) -> Iterator[Span]:
    if not places:
        return
    from memories.core.secret_values import is_secret

    for rule, word, _, rest, kind in secret_rules.PLACES:
        if word not in places:
            continue
        pattern = _pattern(rest, re.IGNORECASE)
        searches, failed = "}?" in rest, ""  # such a pattern costs much where it fails, and fails on the same again
        verdicts: dict[str, bool] = {}
        at = lower.find(word)
        while at >= 0:
            after = at + len(word)
            around = text[at - _BEFORE if at > _BEFORE else 0 : after + _REACH] if searches else ""
            match = None if around and around == failed else pattern.match(text, after)
            if match:
                value = match.group(1)
                if value not in verdicts:
                    if len(verdicts) >= _VERDICTS:
                        verdicts.clear()
                    verdicts[value] = is_secret(value, kind)
                if verdicts[value]:
                    yield (*match.span(1), rule)
            else:
                failed = around
            at = lower.find(word, after)


def _pattern(source: str, flags: int) -> re.Pattern[str]:
    if source not in _compiled:
        _compiled[source] = re.compile(source, flags)
    return _compiled[source]


def _disjoint(text: str, found: Iterable[Span]) -> list[Span]:
    """Spans sorted, overlapping ones as one under the name of the surest, cut where a placeholder stands."""
    ranked = sorted((start, -end, rank, rule) for rank, (start, end, rule) in enumerate(found) if start < end)
    joined: list[tuple[int, int, int, str]] = []
    for start, minus_end, rank, rule in ranked:
        end = -minus_end
        if joined and start < joined[-1][1]:
            first, last, best, name = joined[-1]
            joined[-1] = (first, max(last, end), *min((best, name), (rank, rule)))
        else:
            joined.append((start, end, rank, rule))
    kept = [match.span() for match in _KEPT.finditer(text)]
    if not kept:
        return [(start, end, rule) for start, end, _, rule in joined]
    pieces: list[Span] = []
    at = 0
    for start, end, _, rule in joined:
        while at < len(kept) and kept[at][1] <= start:
            at += 1
        past = at
        while past < len(kept) and kept[past][0] < end:
            past += 1
        pieces += _around(start, end, rule, kept[at:past])
    return pieces


def _around(start: int, end: int, rule: str, inside: list[tuple[int, int]]) -> Iterator[Span]:
    """The parts of a span beside the placeholders inside it; all of it where it holds a placeholder and more."""
    if not inside:
        yield start, end, rule
        return
    whole = [(first, last) for first, last in inside if start <= first and last <= end]
    if inside[0][0] < start:
        start = inside[0][1]
    if inside[-1][1] > end:
        end = inside[-1][0]
    if start < end and end - start > sum(last - first for first, last in whole):
        yield start, end, rule

"""What tools print beside a secret's name: table cells, name and value apart, coloured lines, what URLs encode.

Each finder is tried only where its literal stands, and looks a bounded way around it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from memories.core.patterns import lazy
from memories.core.secret_keys import keyed, name_kind
from memories.core.secret_values import is_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Span = tuple[int, int, str]

_COLOUR = lazy(r"(?:\x1b|\\u001b|\\x1b|\\033|\\e)\[[0-9;]{0,20}[mK]", re.IGNORECASE)
_CELLS = lazy(
    r"\|[ \t*`\"]{0,40}([\w][\w .\-]{1,60}?)[ \t*`\"]{0,60}\|"
    r"[ \t]{0,40}[`\"]?([^\s|`\"]{3,4000})[`\"]?[ \t]{0,400}(?=\|)"
)
_FIELD = lazy(
    r"(?<!\w)(?:value|default)(?:\\{0,3}[\"'])?\s{0,4}[:=]\s{0,4}"
    r"(?:\\{0,3}[\"']([^\s\"'\\]{3,4000})(?=\\{0,3}[\"'])|([^\s\"'\\,;{}\[\]<>]{3,4000}))"
)
_SIBLING = lazy(r"(?<!\w)(?:name|key)(?:\\{0,3}[\"'])?\s{0,4}[:=]\s{0,4}(?:\\{0,3}[\"'])?([\w./\-]{2,200})")
_OWNER = lazy(r"(?<![\w.\-])([\w.\-]{2,80})(?:\\{0,3}[\"'])?\s{0,4}[:=]?\s{0,8}\Z")
_PARENT = lazy(r"(?<![\w.\-])([\w.\-]{2,80})[\"']?:[ \t]{0,4}(?:\\n|\r?\n)[ \t]{1,20}\Z")
_ENTRY_STARTS = lazy(r"\n[ \t]{0,20}- |\n[ \t]{0,20}\n|\n---")
_REACH = 400
"""Characters on either side of a value in which its name is looked for."""

_ENCODED = lazy(
    r"(?<![\w.\-])([\w.\-]{2,60})(?:%22|%27)?%3[ad](?:%20)?(?:%22|%27)?"
    r"((?:(?!%2[0267]|%7d|%0[ad]|%3)[^\s&\"'<>\\]){3,400})",
    re.IGNORECASE,
)
_TWICE = lazy(r"(?<![\w.\-])([\w.\-]{2,60})\\\"\s{0,4}:\s{0,4}\\\"((?:[^\"\\\n]|\\\\(?:\\.|[^\\\"\n])){3,400})\\\"")
_DOUBLED = lazy(r"(?<![\w.\-])([\w.\-]{2,60}):[ \t]{1,4}'((?:[^'\n]|''){3,400})'(?!')")
_PATH_LINE = lazy(r"^([^\s=:\"']{3,300})=([^\s\"'`]{3,400})$", re.MULTILINE)
_PASS_LINE = lazy(r"^[\w.*\-]{1,100}:(?:\d{2,5}|\*):[\w*\-]{1,64}:[\w.@\-]{1,64}:([^\s\"'`\\]{3,200})$", re.MULTILINE)
_KEY_END = lazy(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINE = lazy(r"[ \t\"'+>|#*]{0,40}(?:\d{1,6}[:\t→|\-][ \t]?)?([0-9A-Za-z+/]{1,200}={0,2})[ \t\"',]{0,10}\r?$")
_KEY_PART = 20  # characters of a line that is base64, not a word; the last may be shorter
_SIBLINGS = 4
_kind = lru_cache(maxsize=1000)(name_kind)
_FACT = lazy(r"v?\d{1,4}(?:[.\-:/]\d{1,4}){1,3}$")
"""A date or a version, which tables have beside such names."""


def find(text: str, lower: str, stems: Sequence[str]) -> Iterator[Span]:
    """(start, end, rule id) of each. lower: text in lower case, of the same length; stems: those of a secret's name
    that it has (secret_rules)."""
    if "|" in text:
        yield from _named(_CELLS, text, kinds=("password", "secret", "token"))
    if "value" in lower or "default" in lower:
        yield from _fields(text, lower, stems)
    if "[" in text and (first := _COLOUR.search(text)):
        yield from _coloured(text, stems, first)
    if "%3" in text:
        yield from _named(_ENCODED, text)
    if '\\\\\\"' in text:
        yield from _named(_TWICE, text)
    if "''" in text:
        yield from _named(_DOUBLED, text)
    if "/" in text and "=" in text and "-" in text:
        yield from _path_lines(text)
    if "pgpass" in lower:
        yield from ((*line.span(1), "pgpass") for line in _PASS_LINE.finditer(text) if is_secret(line[1], "word"))
    if "-----end " in lower:
        yield from _key_tails(text)


def _rule(kind: str) -> str:
    return "password" if kind == "password" else "secret"


def _named(pattern: re.Pattern[str], text: str, kinds: Sequence[str] = ()) -> Iterator[Span]:
    """Group 1 of a match names what group 2 holds. The next match may begin within what is no secret."""
    match = pattern.search(text)
    while match:
        kind = _kind(match.group(1))
        found = kind and (not kinds or kind in kinds) and _holds(match.group(2), kind)
        if kind and found:
            yield (*match.span(2), _rule(kind))
        match = pattern.search(text, match.end() if found or not kinds else match.end(1))


def _holds(value: str, kind: str) -> bool:
    return not _FACT.match(value) and is_secret(value, kind, quoted=False)


def _fields(text: str, lower: str, stems: Sequence[str]) -> Iterator[Span]:
    """`value` and `default` of an object whose name, beside or before it, says that it is a secret."""
    for field in _FIELD.finditer(lower):
        start, end = field.span(field.lastindex or 0)
        first, last = max(0, field.start() - _REACH), min(len(text), end + _REACH)
        around = lower[first:last]
        if any(stem in around for stem in stems):
            kind = _field_kind(text, lower, (first, field.start(), end, last))
            value = text[start:end]
            if kind and not _FACT.match(value) and is_secret(value, kind, quoted=field.lastindex == 1):
                yield start, end, _rule(kind)


def _field_kind(text: str, lower: str, places: tuple[int, int, int, int]) -> str | None:
    """What the name of a field's object says (name_kind), None without one. places: where to look from, where
    the field begins and ends, where to look to."""
    first, start, end, last = places
    brace = max(text.rfind("{", first, start), text.rfind("}", first, start))
    begin = max(brace + 1, first)
    for cut in _ENTRY_STARTS.finditer(text, begin, start):
        begin = cut.end()
    after = min((at for at in (text.find("{", end, last), text.find("}", end, last)) if at >= 0), default=last)
    cut_after = _ENTRY_STARTS.search(text, end, after)
    after = cut_after.start() if cut_after else after
    for name in islice(_SIBLING.finditer(lower, begin, after), _SIBLINGS):
        kind = _kind(text[slice(*name.span(1))].rpartition("/")[2])
        if kind:
            return kind
    inside = brace >= 0 and text[brace] == "{"
    owner = _OWNER.search(text, max(0, brace - 120), brace) if inside else None
    owner = owner or _PARENT.search(text, max(0, start - 120), start)
    return _kind(owner.group(1)) if owner else None


def _coloured(text: str, stems: Sequence[str], first: re.Match[str]) -> Iterator[Span]:
    """What stands beside a name once colours are gone, at its place in the text that has them."""
    parts, places, size, at = [], [(0, 0)], 0, 0
    for colour in _COLOUR.finditer(text, first.start()):
        parts.append(text[at : colour.start()])
        size += colour.start() - at
        at = colour.end()
        places.append((size, at - size))
    plain = "".join([*parts, text[at:]])
    low = plain.replace("\u0130", "i").lower()
    number = 0
    for start, end, rule in keyed(plain, low, stems):
        while number + 1 < len(places) and places[number + 1][0] <= start:
            number += 1
        last = number
        while last + 1 < len(places) and places[last + 1][0] < end:
            last += 1
        yield start + places[number][1], end + places[last][1], rule


def _path_lines(text: str) -> Iterator[Span]:
    """`folder/.env-NAME=value`: how grep shows the lines around what it found."""
    for line in _PATH_LINE.finditer(text):
        head = line.group(1)
        kind = _kind(head.rpartition("-")[2]) if "/" in head and "-" in head else None
        if kind and is_secret(line.group(2), kind, quoted=False):
            yield (*line.span(2), _rule(kind))


def _key_tails(text: str) -> Iterator[Span]:
    """The lines before the end of a private key whose beginning is not there."""
    done = 0
    for mark in _KEY_END.finditer(text):
        start, line_start = mark.start(), text.rfind("\n", done, mark.start()) + 1
        sure = False
        while line_start > done:
            before = text.rfind("\n", done, line_start - 1) + 1
            line = _KEY_LINE.match(text, max(before, done), line_start - 1)
            if line is None or (sure and len(line.group(1)) < _KEY_PART):
                break
            sure = sure or len(line.group(1)) >= _KEY_PART
            start, line_start = line.start(), before
        if sure:
            yield start, mark.end(), "private-key"
        done = mark.end()

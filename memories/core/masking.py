"""Masks: secrets overwritten byte by byte with `*`, so that a file's size, offsets, lines and JSON stay what they were.

In a JSON document (a transcript's line) secrets are looked for in what its strings say, not in how they are written:
an escape in between hides none. A value whose name alone says what it is ({"password": "..."}) counts with its name.
What the product reads by (ids, times, types, the working folder) is never masked: Masker.kept tells what is left there.
All else is masked as plain text, in UTF-16 too. In tools' output an unclosed <private> is text: nobody marks anything.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left

from memories.core.patterns import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from memories.core.redact import Redactor

    Span = tuple[int, int, str]

_TOP, _LINE, _CHILD, _BLOCKS, _BLOCK, _RESULT, _ELSEWHERE = range(7)
"""Where in a document something stands: the document itself, in a transcript's line, in its message, in the message's
content, in a block of that, in a tool's result, anywhere else."""

_RESULTS = {_LINE: "toolUseResult", _BLOCK: "content"}
"""By place, the name of what a tool gave back."""

_CHILDREN = frozenset({"message", "attachment", "origin"})

_STRUCTURAL = {
    _LINE: frozenset(
        "uuid parentUuid logicalParentUuid sessionId session_id timestamp type subtype level role cwd version "
        "userType entrypoint requestId promptId promptSource permissionMode agentId leafUuid messageId "
        "toolUseID parentToolUseID sourceToolUseID sourceToolAssistantUUID toolDenialKind".split()
    ),
    _CHILD: frozenset("id type role model kind stop_reason hookName hookEvent commandMode tool_use_id".split()),
    _BLOCK: frozenset("id type tool_use_id".split()),
}
"""Names whose values are never masked, by place. Anywhere else (a tool's input, its output) they mean nothing."""

_PLAIN = lazy(r"[0-9a-fA-F-]{1,36}|[0-9T:.Z-]{1,30}|(?:toolu|msg|req)_[0-9A-Za-z]{1,40}|[a-z_-]{1,30}")
"""Ids, times and types as the client writes them: values in which no secret is looked for."""

_TOKEN = lazy(r'"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?\Z)|[{}\[\],:]', re.DOTALL)
"""A string, closed or cut off by the text's end, or a character of JSON's structure."""

_ESCAPE = lazy(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL
)  # what stands for one character

_FIELD = lazy(r"[A-Za-z_][A-Za-z_-]{0,39}")
"""Names that are a field's, whatever a user's pattern says of them: without them nothing of a line could be read. Other
names (a path, an answered question) are masked like values."""

_STARS = lazy(rb"\*+")
_NO_LINE_END = lazy(rb"[^\n]")

_PROBE = "q7Zk29XvLm4TwB8sRj5PyH3d"
"""A value that is taken for a secret beside every name that says so."""

_WHOLE_CHARS = 512
"""A value without white space, up to this long, goes whole where its name makes any of it a secret."""

_LOOKED_AT = 4096
"""Bytes of a text that tell whether it is UTF-16."""

_JSON_BEGINS = ("{", "[", '"')
_NOTHING: frozenset[str] = frozenset()
_MAX_NAMES = 10_000
_MAX_NAME_CHARS = 100

_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=str, strict=False)
"""Objects as tuples of pairs, so that a name which stands twice hides nothing; numbers of any length."""


def masked(line: bytes, redactor: Redactor) -> bytes:
    """Masker.masked of one line."""
    return Masker(redactor).masked(line)


class Masker:
    """Masks by a redactor's rules. One for many lines: it remembers which names tell secrets."""

    __slots__ = ("_harmless", "_names", "_redactor")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._names: dict[str, tuple[bool, bool]] = {}
        self._harmless: set[str] = set()

    def masked(self, data: bytes) -> bytes:
        """The data with each secret overwritten, line ends excepted; the same object where there is none. Masking that
        again changes nothing. data: one JSON document (a transcript's line), or any text."""
        found = self.spans(data)
        while found:
            overwritten = overwrite(data, found)
            if overwritten == data:
                break
            data = overwritten
            found = self.spans(data)  # a mask may make a rule fit what is beside it
        return data

    def spans(self, data: bytes) -> list[Span]:
        """(first byte, byte behind the last, rule id) of each secret, sorted, none overlapping."""
        wide = _utf16(data)
        if wide:
            text = data[: len(data) // 2 * 2].decode(wide, "surrogatepass")
            return _in_bytes(text, self._redactor.spans(text, unclosed=False), wide)
        text = data.decode("utf-8", "surrogateescape")
        if text.lstrip("\ufeff \t\r\n")[:1] not in _JSON_BEGINS:
            return _in_bytes(text, self._redactor.spans(text, unclosed=False))
        is_json, has_any = self._look(text)
        if not has_any:
            return []
        found = list(self._in_strings(text))
        if not is_json:  # cut off, say: what may be JSON once the rest is there must be so then
            found += _without_structure(text, self._redactor.spans(text))
        return _in_bytes(text, found)

    def kept(self, line: bytes) -> list[tuple[str, str]]:
        """(name, rule id) of each secret in a transcript's line that masks leave: the product reads by that field."""
        try:
            pending: list[tuple[Any, int]] = [([_DECODER.decode(line.decode("utf-8", "replace"))], _TOP)]
        except (ValueError, RecursionError):
            return []
        found: list[tuple[str, str]] = []
        while pending:
            inner, place = pending.pop()
            fixed = _STRUCTURAL.get(place, _NOTHING)
            for name, one in inner if isinstance(inner, tuple) else ((None, one) for one in inner):
                if isinstance(one, str) and name in fixed:
                    found += ((name, rule) for rule in self._rules_in(one))
                elif isinstance(one, tuple | list) and place < _BLOCK:
                    pending.append((one, _inside(place, name, isinstance(one, list))))
        return found

    def _rules_in(self, value: str) -> list[str]:
        """The rules that find something in what the client writes. The same folder stands in each line."""
        if _PLAIN.fullmatch(value) or value in self._harmless:
            return []
        rules = [rule for _, _, rule in self._redactor.spans(value)]
        if not rules and len(self._harmless) < _MAX_NAMES:
            self._harmless.add(value)
        return rules

    def _look(self, text: str) -> tuple[bool, bool]:
        """Whether a text is JSON, and whether a secret may be in it: most lines are JSON and hold none."""
        try:
            value = _DECODER.decode(text)
        except RecursionError:
            return True, True
        except ValueError:
            return False, True
        clean: set[tuple[str, bool]] = set()  # a tool's output stands in its line twice
        pending: list[tuple[Any, int]] = [([value], _TOP)]
        while pending:
            inner, place = pending.pop()
            fixed = _STRUCTURAL.get(place, _NOTHING)
            for name, one in inner if isinstance(inner, tuple) else ((None, one) for one in inner):
                if name is not None and self._told(name)[0]:
                    return True, True
                if isinstance(one, str):
                    unclosed = not _is_result(place, name)
                    if name in fixed or ((one, unclosed) in clean and not (name and self._told(name)[1])):
                        continue
                    if self._in_value(name, one, unclosed=unclosed):
                        return True, True
                    clean.add((one, unclosed))
                elif isinstance(one, tuple | list):
                    pending.append((one, _inside(place, name, isinstance(one, list))))
        return True, False

    def _in_strings(self, text: str) -> Iterator[Span]:
        """The secrets in a JSON text's strings, at the places where they stand in the text."""
        opened: list[tuple[bool, int]] = []
        is_object, place, name, is_name = False, _TOP, "", False
        for token in _TOKEN.finditer(text):
            inside, kind = token[1], token[0][0]
            if inside is None:
                if kind in "{[":
                    opened.append((is_object, place))
                    place = _inside(place, name if is_object else None, kind == "[")
                    is_object = kind == "{"
                elif kind in "}]" and opened:
                    is_object, place = opened.pop()
                is_name = is_object and kind in "{,"
                continue
            decoded = _decoded(inside)
            if decoded is None:
                continue
            if is_name:
                name, found = decoded, self._in_name(decoded)
            elif is_object and name in _STRUCTURAL.get(place, _NOTHING):
                continue
            else:
                its = name if is_object else None
                found = self._in_value(its, decoded, unclosed=not _is_result(place, its))
            if found:
                yield from _written(inside, token.start(1), found)

    def _told(self, name: str) -> tuple[bool, bool]:
        """Of an object's name: whether it holds a secret, and whether it says that its value is one."""
        told = self._names.get(name)
        if told is None:
            says_so = len(name) <= _MAX_NAME_CHARS and bool(self._beside(name, _PROBE))
            told = bool(self._in_name(name)), says_so
            if len(self._names) < _MAX_NAMES:
                self._names[name] = told
        return told

    def _in_name(self, name: str) -> list[Span]:
        return [] if _FIELD.fullmatch(name) else self._redactor.spans(name)

    def _in_value(self, name: str | None, value: str, *, unclosed: bool) -> list[Span]:
        """The secrets in what a string says. name: its name in its object; None: it has none. unclosed: as in
        Redactor.spans."""
        found = self._redactor.spans(value, unclosed=unclosed)
        if name is None or not self._told(name)[1]:
            return found
        return [*found, *self._beside(name, value)]

    def _beside(self, name: str, value: str) -> list[Span]:
        """What of a value is a secret because of its name."""
        before = f'"{name}": "'
        spans = self._redactor.spans(f'{before}{value}"', unclosed=False)
        at, end = len(before), len(value)
        found = [(max(0, start - at), min(end, stop - at), rule) for start, stop, rule in spans]
        found = [one for one in found if one[0] < one[1]]
        if found and end <= _WHOLE_CHARS and not re.search(r"\s", value):
            return [(0, end, found[0][2])]
        return found


def overwrite(data: bytes, spans: list[Span]) -> bytes:
    """The data with `*` for each byte in these ranges but for line ends."""
    result = bytearray(data)
    for start, stop, _ in spans:
        piece = data[start:stop]
        result[start:stop] = _NO_LINE_END.sub(b"*", piece) if b"\n" in piece else b"*" * len(piece)
    return bytes(result)


def with_stars_of(data: bytes, other: bytes) -> bytes:
    """The data with `*` where other bytes, as many, have one, line ends excepted: masks leave lines their length."""
    return overwrite(data, [(run.start(), run.end(), "") for run in _STARS.finditer(other, 0, len(data))])


def are_alike(one: bytes, other: bytes) -> bool:
    """Whether two pieces of files are the same but for what is `*` in either: masked by other rules, or not at all."""
    return one == other or with_stars_of(one, other) == with_stars_of(other, one)


def _inside(place: int, name: str | None, is_list: bool) -> int:
    """The place of what is in an object or list at a place, which has that name there."""
    if place == _TOP:
        return _LINE
    if _is_result(place, name):
        return _RESULT
    if place == _LINE and name in _CHILDREN and not is_list:
        return _CHILD
    if place == _CHILD and name == "content" and is_list:
        return _BLOCKS
    return _BLOCK if place == _BLOCKS and not is_list else _ELSEWHERE


def _is_result(place: int, name: str | None) -> bool:
    """Whether what has that name at a place is what a tool gave back, or a part of it."""
    return place == _RESULT or (name is not None and _RESULTS.get(place) == name)


def _utf16(data: bytes) -> str:
    """The codec of a text in UTF-16, as tools on Windows write them; "" for any other."""
    head = data[:_LOOKED_AT]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16-le" if head[:1] == b"\xff" else "utf-16-be"
    if b"\0" not in head:
        return ""
    halves = {"utf-16-le": head[1::2], "utf-16-be": head[::2]}
    return next((codec for codec, half in halves.items() if half.count(0) * 2 > len(half)), "")


def _decoded(inside: str) -> str | None:
    """What a JSON string says; None where its escapes are none."""
    if "\\" not in inside:
        return inside
    try:
        return str(_DECODER.decode(f'"{inside}"'))
    except ValueError:
        return None


def _written(inside: str, start: int, spans: list[Span]) -> Iterator[Span]:
    """Ranges of what a JSON string says as ranges of the text it is written in. start: where its inside begins."""
    if "\\" not in inside:
        yield from ((start + one[0], start + one[1], one[2]) for one in spans)
        return
    places: dict[int, int] = {}
    wanted = sorted({place for one in spans for place in one[:2]}, reverse=True)
    said = written = 0
    for escape in _ESCAPE.finditer(inside):
        while wanted and wanted[-1] <= said + escape.start() - written:
            places[wanted[-1]] = written + wanted[-1] - said
            wanted.pop()
        said, written = said + escape.start() - written + 1, escape.end()
    places.update((place, written + place - said) for place in wanted)
    yield from ((start + places[one[0]], start + places[one[1]], one[2]) for one in spans)


def _without_structure(text: str, spans: list[Span]) -> Iterator[Span]:
    """The ranges without the quotes, braces, brackets, commas and colons that JSON would read there."""
    tokens = _TOKEN.finditer(text) if spans else iter(())
    marks = sorted({place for token in tokens for place in (token.start(), token.end() - 1)})
    marks = [place for place in marks if text[place] in '"{}[],:']
    for start, stop, rule in spans:
        begin = start
        for place in marks[bisect_left(marks, start) : bisect_left(marks, stop)]:
            yield begin, place, rule
            begin = place + 1
        yield begin, stop, rule


def _in_bytes(text: str, spans: list[Span], codec: str = "utf-8") -> list[Span]:
    """Ranges of a text as ranges of its bytes, sorted; of those that overlap one."""
    found: list[Span] = []
    errors = "surrogateescape" if codec == "utf-8" else "surrogatepass"
    at = place = 0  # the bytes before a place in the text
    for start, stop, rule in sorted(spans):
        if found and start < place:
            start = place  # noqa: PLW2901 - a part of it is in the one before
        if start >= stop:
            continue
        first = at + len(text[place:start].encode(codec, errors))
        at = first + len(text[start:stop].encode(codec, errors))
        place = stop
        found.append((first, at, rule))
    return found

"""Two machines' versions of config/CLAUDE.md and config/settings.json made into one: the rules alone, no files.

Each gives the same for a set of versions whatever their order, and the same again when one of them is merged once more.
Nothing says which version came first, so nothing is ever taken out: a line or setting that one machine removed while
another changed something else is back.
"""

from __future__ import annotations

import json
import math
import re

from memories.core import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence
    from typing import Any

_FENCE = re.compile(rb"[ \t]*(`{3,}(?!`)(?!.*`)|~{3,})")
"""What opens a block of code in Markdown. It may be indented, in a list by any number of spaces."""


def merge_texts(texts: Iterable[bytes], shipped: Sequence[str]) -> bytes:
    """Join versions of the rules text (at least one).

    shipped: sha256 of each text of ours, oldest first. One of ours gives way to any other; of several of ours the
    newest stays. Users' texts lose no line: where all of one's lines are in the other, the other stays; else the longer
    (then the greater) is the base, and the lines that it lacks are put in, each behind the line that it follows in the
    other; a block of code between fences comes whole. Lines are told apart without the white space at their end, blank
    ones do not count.
    """
    import hashlib

    ranks = {digest: rank for rank, digest in enumerate(shipped)}
    ours = {text: ranks.get(hashlib.sha256(text).hexdigest()) for text in texts}
    users = sorted(text for text, rank in ours.items() if rank is None)
    if not users:
        return max(ours, key=lambda text: ours[text] or 0)
    merged = users[0]
    for text in users[1:]:
        merged = _with_lines_of(*sorted((merged, text), key=lambda one: (len(one), one), reverse=True))
    return merged


def _with_lines_of(one: bytes, other: bytes) -> bytes:
    """Both texts' lines; the first is the base unless all of its lines, and more, are in the second."""
    lacking = _counted(other) - _counted(one)
    if not lacking:
        return one
    if not _counted(one) - _counted(other):
        return other
    return _insert(one, other, lacking)


def _counted(text: bytes) -> Counter[bytes]:
    return _count(text.splitlines())


def _count(lines: Iterable[bytes]) -> Counter[bytes]:
    from collections import Counter

    return Counter(key for line in lines if (key := line.rstrip()))


def _insert(base: bytes, other: bytes, lacking: Counter[bytes]) -> bytes:
    """The base with what it lacks of the other: of the units that the other has more often, those that hold a line
    which is still lacking. What stands in both, wherever, is not put in again: it would be there once more after each
    conflict of a text whose parts were moved."""
    import difflib
    from collections import Counter

    woven, theirs = _Woven(_units(base)), _units(other)
    keys = [_key(unit) for unit in theirs]
    wanted = Counter(keys) - Counter(woven.keys)
    for kind, start, stop, first, last in difflib.SequenceMatcher(_is_blank, woven.keys, keys).get_opcodes():
        if kind == "equal":
            for index in range(start, stop):
                woven.pass_by(index)
            continue
        woven.begin_behind(stop - 1, is_close=kind == "replace" and all(woven.keys[start:stop] + keys[first:last]))
        for key, unit in zip(keys[first:last], theirs[first:last]):  # noqa: B905 - of one length
            lines = _count(unit)
            if wanted[key] > 0 and any(lacking[line] > 0 for line in lines):
                wanted[key] -= 1
                lacking.subtract(lines)
                woven.put(unit)
            else:
                woven.find(key)
    return woven.text()


def _units(text: bytes) -> list[list[bytes]]:
    """A text's lines, with their ends, in units that stay whole: a block of code with its fences, else one line."""
    lines = text.splitlines(keepends=True)
    units: list[list[bytes]] = []
    open_ended = {b"`": math.inf, b"~": math.inf}  # length from which on no fence is closed any more
    start = 0
    while start < len(lines):
        stop, opened = start + 1, _FENCE.match(lines[start])
        if opened and len(opened[1]) < open_ended[opened[1][:1]]:
            stop = next((end for end in range(stop, len(lines)) if _closes(lines[end], opened[1])), -1) + 1
            if not stop:
                stop, open_ended[opened[1][:1]] = start + 1, len(opened[1])
        units.append(lines[start:stop])
        start = stop
    return units


def _closes(line: bytes, fence: bytes) -> bool:
    line = line.strip()
    return line.startswith(fence) and not line.strip(fence[:1])


def _key(unit: list[bytes]) -> bytes:
    return b"\n".join(line.rstrip() for line in unit)


def _is_blank(key: bytes) -> bool:
    """Blank lines are alike everywhere: taken for common ground they would mix two sections line by line."""
    return not key


class _Woven:
    """A text into which units of another are put, while that one is gone through from its beginning to its end.

    keys: what tells its units apart. position: behind which of them the next unit is put; -1: before all.
    """

    __slots__ = ("_behind", "_end", "_is_after_blank", "_places", "_units", "keys", "position")

    def __init__(self, units: list[list[bytes]]) -> None:
        self._units = units
        self.keys = [_key(unit) for unit in units]
        self.position = -1
        self._behind: dict[int, list[list[bytes]]] = {}
        self._end = b"\r\n" if units[0][0].endswith(b"\r\n") else b"\n"
        self._is_after_blank = False
        self._places: dict[bytes, list[int]] = {}
        for index, key in enumerate(self.keys):
            self._places.setdefault(key, []).append(index)

    def pass_by(self, index: int) -> None:
        """Go on to one of our units, which the other text has at this place too."""
        if self.keys[index]:
            self._go_to(index)
        else:
            self._is_after_blank = True
            self.position = max(self.position, index)  # put() may be past a blank line already

    def begin_behind(self, index: int, *, is_close: bool) -> None:
        """Go on to the end of what stands here in place of the other's lines. is_close: no blank line is in either, so
        they are two wordings, to stand together."""
        self.position = index
        self._is_after_blank = self._is_after_blank and not is_close

    def find(self, key: bytes) -> None:
        """Go on to a unit of ours that the other text has somewhere else: the next such, else the first; what follows
        it there belongs behind it. Where there is none, or for a blank line, stay."""
        from bisect import bisect

        if not key:
            self._is_after_blank = True
        elif places := self._places.get(key):
            following = bisect(places, self.position)
            self._go_to(places[following] if following < len(places) else places[0])

    def _go_to(self, index: int) -> None:
        if self._is_after_blank and index == self.position + 1 and self._behind.get(self.position):
            self._behind[self.position].append([self._end])
        self.position = index
        self._is_after_blank = False

    def put(self, unit: list[bytes]) -> None:
        """Put in a unit of the other text, behind a blank line if it has one there."""
        if self._is_after_blank and self._is_behind_text():
            following = self.position + 1
            if self.position not in self._behind and following < len(self.keys) and not self.keys[following]:
                self.position = following
            if self._is_behind_text():
                self._behind.setdefault(self.position, []).append([self._end])
        self._behind.setdefault(self.position, []).append([line.rstrip(b"\r\n") + self._end for line in unit])
        self._is_after_blank = False

    def _is_behind_text(self) -> bool:
        """Whether no blank line is before what is put in next."""
        if self.position in self._behind:
            return bool(_key(self._behind[self.position][-1]))
        return self.position >= 0 and bool(self.keys[self.position])

    def text(self) -> bytes:
        """Both."""
        lines: list[bytes] = []
        for index in range(-1, len(self._units)):
            behind = self._behind.get(index, [])
            if index >= 0:
                lines += self._units[index]
            if behind and lines and not lines[-1].endswith((b"\n", b"\r")):
                lines.append(self._end)
            for unit in behind:
                lines += unit
        return b"".join(lines)


def merge_settings(values: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Join settings (at least one): objects key by key, lists that differ united and sorted, false over true (but for
    TRUE_WINS), the smaller number, else the lesser JSON text. A key that only one has stays, known or not.

    A value that settings cannot use gives way to one that they can, and one of another type than the default's to any
    of its type; what can be used of a list or an object that cannot stays.
    """
    first, *rest = values
    for other in rest:
        both = {name: _joined_setting(name, first[name], other[name]) for name in first.keys() & other.keys()}
        first = {name: both.get(name, first.get(name, other.get(name))) for name in sorted(first.keys() | other.keys())}
    return first


TRUE_WINS = frozenset({"redact_transcripts"})
"""Switches of which the safer position is on: what one machine masks, another must not keep in the clear."""


def _joined_setting(name: str, one: Any, other: Any) -> Any:
    if name not in settings.DEFAULTS or _canonical(one) == _canonical(other):
        return _joined(one, other)
    ranks = [_usefulness(name, value) for value in (one, other)]
    if max(ranks) < _OTHER_TYPE and isinstance(one, list | dict):
        return _joined_entries(name, one, other, only_usable=_USABLE in ranks)
    if ranks[0] != ranks[1]:
        return one if ranks[0] < ranks[1] else other
    if name in TRUE_WINS and ranks[0] == _USABLE:
        return True  # they differ
    return _joined(one, other)


_USABLE, _DEFAULTS_TYPE, _OTHER_TYPE = range(3)


def _usefulness(name: str, value: Any) -> int:
    if settings.problem_of(name, value) is None:
        return _USABLE
    return _DEFAULTS_TYPE if type(value) is type(settings.DEFAULTS[name]) else _OTHER_TYPE


def _is_usable_item(name: str, item: object) -> bool:
    """Whether a list keeps an item beside those that can be used. What says which secrets must not be kept stays even
    where it is wrong: memory is off until its user corrects it, rather than on without it."""
    return name == "redact_patterns" or (isinstance(item, str) and settings.problem_of(name, [item]) is None)


def _joined_entries(name: str, one: Any, other: Any, *, only_usable: bool) -> Any:
    """Two lists, or two objects, united; in settings only text is of use in them, so it goes before anything else."""
    if isinstance(one, list):
        items = {_canonical(item): item for item in one + other if not only_usable or _is_usable_item(name, item)}
        return [items[key] for key in sorted(items)]
    entries: dict[str, Any] = {}
    for key in sorted(one.keys() | other.keys()):
        values = [each[key] for each in (one, other) if key in each]
        texts = [value for value in values if isinstance(value, str)]
        if texts or not only_usable:
            entries[key] = min(texts, key=_canonical) if texts else _joined(values[0], values[-1])
    return entries


def merge_settings_texts(texts: Iterable[bytes]) -> bytes:
    """Join versions of settings.json (at least one). One that says all there is to say stays byte for byte, of several
    the greatest. Raises ValueError or RecursionError where one is no JSON object."""
    values = {text: parse_settings(text) for text in texts}
    merged = merge_settings(values.values())
    same = [text for text, value in values.items() if _canonical(value) == _canonical(merged)]
    return max(same) if same else _dump(merged)


def parse_settings(text: bytes) -> dict[str, Any]:
    """The object in a settings file. Raises ValueError or RecursionError where there is none."""
    value = json.loads(text.decode(json.detect_encoding(text)))  # given bytes, it takes surrogates for UTF-8
    if not isinstance(value, dict):
        raise ValueError("it holds no JSON object")
    return value


def _dump(value: Any) -> bytes:
    try:
        return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which came as an escape and goes as one
        return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode("ascii")


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _joined(one: Any, other: Any) -> Any:
    if _canonical(one) == _canonical(other):
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        both = {name: _joined(one[name], other[name]) for name in one.keys() & other.keys()}
        return {name: both.get(name, one.get(name, other.get(name))) for name in sorted(one.keys() | other.keys())}
    if isinstance(one, list) and isinstance(other, list):
        items = {_canonical(item): item for item in one + other}
        return [items[key] for key in sorted(items)]
    return min(one, other, key=_size)


def _size(value: Any) -> tuple[float, str]:
    """What makes the lesser of two values: a number's size, and the JSON text (in which false is before true)."""
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return (value if is_number and not isinstance(value, bool) else math.inf), _canonical(value)

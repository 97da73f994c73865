"""Two machines' versions of config/CLAUDE.md and config/settings.json made into one: the rules alone, no files.

Each gives the same for a set of versions whatever their order, and the same again when one of them is merged once more.
Nothing says which version came first, so nothing is ever taken out: a line or setting that one machine removed while
another changed something else is back.
"""

from __future__ import annotations

import json
import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence
    from typing import Any


def merge_texts(texts: Iterable[bytes], shipped: Sequence[str]) -> bytes:
    """Join versions of the rules text (at least one).

    shipped: sha256 of each text of ours, oldest first. One of ours gives way to any other; of several of ours the
    newest stays. Users' texts lose no line: where all of one's lines are in the other, the other stays; else the longer
    (then the greater) is the base, and each hunk of the other that holds a line which the base lacks is put in at its
    place. Lines are told apart without the white space at their end, blank ones do not count.
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
    return _insert(one.splitlines(keepends=True), other.splitlines(), lacking)


def _counted(text: bytes) -> Counter[bytes]:
    from collections import Counter

    return Counter(key for line in text.splitlines() if (key := line.rstrip()))


def _insert(base: list[bytes], other: list[bytes], lacking: Counter[bytes]) -> bytes:
    """The base with those hunks of the other in which a line stands that is still lacking."""
    import difflib

    end = b"\r\n" if base[0].endswith(b"\r\n") else b"\n"
    keys = [line.rstrip() for line in base], [line.rstrip() for line in other]
    merged: list[bytes] = []
    for kind, start, stop, other_start, other_stop in difflib.SequenceMatcher(_is_blank, *keys).get_opcodes():
        merged += base[start:stop]
        hunk = other[other_start:other_stop] if kind in {"insert", "replace"} else []
        if any(lacking.get(line.rstrip(), 0) > 0 for line in hunk):
            lacking.subtract(line.rstrip() for line in hunk)
            if merged and not merged[-1].endswith((b"\n", b"\r")):
                merged[-1] += end
            merged += [line + end for line in hunk]
    return b"".join(merged)


def _is_blank(key: bytes) -> bool:
    """Blank lines are alike everywhere: taken for common ground they would mix two sections line by line."""
    return not key


def merge_settings(values: Iterable[Any]) -> Any:
    """Join JSON values (at least one): objects key by key, lists that differ united and sorted, false over true, the
    smaller number, else the lesser JSON text. A key that only one has stays, known or not."""
    first, *rest = values
    for value in rest:
        first = _joined(first, value)
    return first


def merge_settings_texts(texts: Iterable[bytes]) -> bytes:
    """Join versions of settings.json (at least one). One that says all there is to say stays byte for byte, of several
    the greatest. Raises ValueError or RecursionError where one is no JSON object."""
    values = {text: parse_settings(text) for text in texts}
    merged = merge_settings(values.values())
    same = [text for text, value in values.items() if _canonical(value) == _canonical(merged)]
    return max(same) if same else _dump(merged)


def parse_settings(text: bytes) -> dict[str, Any]:
    """The object in a settings file. Raises ValueError or RecursionError where there is none."""
    value = json.loads(text)
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

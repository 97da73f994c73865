"""Bytes read as decisions: what makes a JSON document, a transcript or a tar archive out of a fuzzer's input.

Raw bytes seldom get past a parser's first check. An input that begins with STRUCTURED is therefore not the text itself:
each of its bytes chooses the next part of a text of the kind that the target reads, so that a fuzzer that changes bytes
changes parts. Any bytes are valid, and where they end every further choice is the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

STRUCTURED = 0x01
"""The first byte of an input whose other bytes are decisions."""

_ODD_NUMBERS = (0, 1, -1, 10, 0.5, -0.0, 1e308, float("nan"), float("inf"), 1 << 63, -(1 << 63), 10**400, 2**31)
_ODD_TEXTS = (
    "", " ", "\n", "\0", "\ud800", "\udfff\ud800", "é", "e\u0301", "漢字かな", "🙂", "\u2028", "\ufeff", "\x1b[31m",
    "<",    "&lt;", "`", "```\n", "../", "/", "~", "%00", "null",
    "a" * 300, "\r\n", "|", "- ", "# ", "[x]", "<!--", "-->",
    "\x85", "ß", "İ",
)  # fmt: skip


class Draw:
    """Decisions, in the order of an input's bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_spent(self) -> bool:
        """Whether every further choice will be the first."""
        return self._at >= len(self._data)

    def byte(self) -> int:
        """0 to 255; 0 where there are none left."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def below(self, count: int) -> int:
        """0 to count - 1; count is at most 65,536."""
        return (self.byte() if count <= 256 else self.byte() << 8 | self.byte()) % count

    def one_of(self, options: Sequence[Any]) -> Any:
        """One of the options."""
        return options[self.below(len(options))]

    def raw(self, most: int) -> bytes:
        """So many of the input's own bytes at most."""
        count = self.below(most + 1)
        self._at += count
        return self._data[self._at - count : self._at]

    def text(self, words: Sequence[str] = ()) -> str:
        """A text of up to 7 pieces: given words, odd texts, the input's own bytes."""
        pieces = []
        for _ in range(self.below(8)):
            kind = self.below(4)
            if kind == 0 and words:
                pieces.append(self.one_of(words))
            elif kind == 1:
                pieces.append(self.one_of(_ODD_TEXTS))
            elif kind == 2:
                pieces.append(self.raw(12).decode("utf-8", "replace"))
            else:
                pieces.append(self.one_of((" ", "\n", *words)))
        return "".join(pieces)

    def value(self, names: Sequence[str], words: Sequence[str], depth: int = 3) -> Any:
        """Any JSON value; names: of an object's fields; words: what texts are made of."""
        kind = self.below(8)
        if kind <= 2 or (depth <= 0 and kind >= 6):
            return self.text(words)
        if kind == 6:
            return [self.value(names, words, depth - 1) for _ in range(self.below(4))]
        if kind == 7:
            return {self.one_of(names): self.value(names, words, depth - 1) for _ in range(self.below(5))}
        return (None, self.below(2) == 1, self.one_of(_ODD_NUMBERS))[kind - 3]

    def altered(self, fields: dict[str, Callable[[Draw], Any]], words: Sequence[str]) -> dict[str, Any]:
        """An object of the given fields, each made by its own function; a few of them, so many as the input says, left
        out or with any value."""
        made = {name: make(self) for name, make in fields.items()}
        names = [*fields, "unheard_of", ""]
        for _ in range(self.below(4)):
            name = self.one_of(names)
            if self.below(3) == 0:
                made.pop(name, None)
            else:
                made[name] = self.value(names, words)
        return made


def is_structured(data: bytes) -> bool:
    """Whether an input's bytes are decisions."""
    return data[:1] == bytes([STRUCTURED])


def to_json(value: Any, draw: Draw | None = None) -> bytes:
    """A value as JSON, in the forms in which other programs write it."""
    style = draw.below(3) if draw else 0
    text = json.dumps(value, ensure_ascii=style != 1, indent=2 if style == 2 else None)
    return text.encode("utf-8", "surrogatepass")

"""A turn's row id: it tells session, position and length, so that the ranking needs no look-up for them."""

from __future__ import annotations

import math
from functools import lru_cache

POSITION_BITS = 24
CLASS_BITS = 4
CLASS_MASK = (1 << CLASS_BITS) - 1
SESSION_SHIFT = POSITION_BITS + CLASS_BITS

_SMALLEST_CLASS = 4
"""Classes are half octaves of the number of words, from 4 words (class 0) to 724 (class 15)."""


def turn_id(session: int, position: int, count: int) -> int:
    """A turn's row id: its session's number, its position there, and the class of its number of words.

    The id alone tells the ranking all it needs of a row: neighbours are positions beside it, in the same session.
    """
    return session << SESSION_SHIFT | position << CLASS_BITS | length_class(count)


@lru_cache(maxsize=4096)
def length_class(count: int) -> int:
    """The class, 0 to 15, of a number of words."""
    return min(CLASS_MASK, max(0, round(2 * math.log2(max(count, 1))) - _SMALLEST_CLASS))


def class_words(length: int) -> float:
    """The number of words that a class stands for."""
    return float(2 ** ((length + _SMALLEST_CLASS) / 2))


def session_range(session: int) -> tuple[int, int]:
    """The first and the last row id that a session's turns can have."""
    return session << SESSION_SHIFT, ((session + 1) << SESSION_SHIFT) - 1


def place(row_id: int) -> int:
    """Session and position as one number: consecutive turns of a session are consecutive places."""
    return row_id >> CLASS_BITS


def place_range(place_: int) -> tuple[int, int]:
    """The row ids that a place's turn can have, whatever its length."""
    return place_ << CLASS_BITS, (place_ << CLASS_BITS) + CLASS_MASK


def session_at(place_: int) -> int:
    """The session number in a place."""
    return place_ >> POSITION_BITS

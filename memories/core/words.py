"""What counts as a word, in texts and queries alike: identifiers and their parts, base forms, scripts without spaces.

The index's tokenizer (porter unicode61) splits at everything that is neither letter nor digit and stems English. What
it cannot do is written beside a text when it is indexed (see extras): the parts of camelCase, the base forms of
irregular words, and pairs of neighbouring characters for scripts that put no spaces between words.
"""

from __future__ import annotations

import re
from functools import lru_cache

from memories.core.patterns import lazy
from memories.core.word_lists import IRREGULAR

CHUNK = lazy(r"\w+(?:[.\-/:@+#'’]+\w+)*")
"""What a person would call one word: `rate_limiter`, `src/app.py`, `v2.14.3`, `don't`."""

WORD = lazy(r"[^\W_]+")
"""What the index's tokenizer calls one."""

_CAMEL = lazy(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_MAX_PARTS = 6
"""More parts than this has no identifier that a person chose: hashes, ids, encoded data."""

_FEWEST = 2
_PART_CHARS = 2
"""Of three parts and more, so many characters each on average: `4d0b9` is no word of four parts."""

_PLAIN = lazy(r"[^\W\d_]?[^\W\d_A-Z]*")
_VERSION = r"(?<![^\W_])[vV](\d+(?:\.\d+)+)"
_SPACELESS = (
    "[\u0e00-\u0eff\u0f40-\u0fbc\u1000-\u109f\u1100-\u11ff\u1780-\u17d3\u3005-\u3007\u3040-\u312f\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)

_MONTHS = "January February March April May June July August September October November December".split()


@lru_cache(maxsize=1)
def spaceless() -> re.Pattern[str]:
    """Finds a run of Thai, Lao, Tibetan, Burmese, Hangul, Khmer, kana, bopomofo or Han characters.

    Compiled when a text first needs it: the ranges take 3 ms, a fifth of what Python takes to start.
    """
    return re.compile(_SPACELESS)


def words(text: str) -> list[str]:
    """Every word of a text, lower-cased, in order; identifiers fall apart at punctuation and underscores."""
    return split(text.lower())


def camel_parts(word: str) -> list[str]:
    """The parts of a camelCase or letter-digit identifier, lower-cased; empty for a plain word, a hash, other data."""
    parts = _CAMEL.findall(word)
    is_chosen = 1 < len(parts) <= _MAX_PARTS and (len(parts) == _FEWEST or len(word) >= _PART_CHARS * len(parts))
    return [part.lower() for part in parts] if is_chosen else []


def pairs(run: str) -> list[str]:
    """Each two neighbouring characters of a run, and its last one alone: a prefix search finds any single one."""
    return [run[place : place + 2] for place in range(len(run))]


class _Extras(dict[str, str]):
    """Word -> what is indexed beside it ("" for nearly all), remembered: a text's words are mostly those of others."""

    MOST = 1 << 16
    LONGEST = 64
    """Characters of a word that is remembered: encoded data and sentences of Han characters do not come again."""

    def __missing__(self, word: str) -> str:
        extra = _beside(word)
        if len(word) <= self.LONGEST:
            if len(self) >= self.MOST:
                self.clear()
            self[word] = extra
        return extra


def _beside(word: str) -> str:
    """Its base form and parts; of a word with spaceless characters in it (`使用Django框架`) what is between them."""
    if not word.isascii() and spaceless().search(word):
        between = split(spaceless().sub(" ", word))
        return " ".join([*between, *filter(None, map(_beside, between))])
    parts = [] if _PLAIN.fullmatch(word) else camel_parts(word)
    return " ".join(filter(None, [IRREGULAR.get(word.lower(), ""), *parts]))


_extras = _Extras()
_ASCII_GAPS = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalnum()})


def split(text: str) -> list[str]:
    """Every word of a text as it is written, in order: WORD's, an order of magnitude sooner where the text is ASCII."""
    return text.translate(_ASCII_GAPS).split() if text.isascii() else WORD.findall(text)


def extras(text: str, found: list[str] | None = None) -> str:
    """What is indexed beside a text. found: its words as split() finds them, where the caller has them already."""
    distinct = dict.fromkeys(split(text) if found is None else found)
    extra = list(filter(None, map(_extras.__getitem__, distinct)))
    if any(part.startswith("v ") for part in extra):
        extra += [version.replace(".", " ") for version in re.findall(_VERSION, text)]
    if not text.isascii():
        for run in spaceless().findall(text):
            extra += pairs(run)
    return " ".join(extra)


def date_words(created_at: str) -> str:
    """A time as a person would type its day: `8 May 2023 2023-05-08`."""
    year, month, day = created_at[:10].split("-")
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year} {created_at[:10]}"


def similarity(left: str, right: str) -> float:
    """Share of distinct words that two texts have in common (Jaccard index), 0 to 1."""
    ours, theirs = set(words(left)), set(words(right))
    return len(ours & theirs) / len(ours | theirs) if ours or theirs else 1.0

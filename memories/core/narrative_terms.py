"""What an entry of a narrative is made of, to compare it with its rewording: identifiers, numbers, dates, names, words.

Identifiers, numbers and dates are what a rewording keeps; words are what it may change.
"""

from __future__ import annotations

import re
from functools import lru_cache

from memories.core import citations, narrative_values, words
from memories.core.patterns import lazy
from memories.core.word_lists import IRREGULAR, SAME, STOP_WORDS

STEM_CHARS = 6
"""Words are compared by so many characters of their stem: `authenticate` and `authentication` are the same."""

NAME_CHARS = 3
"""A name and a longer form of it (`Postgres`, `PostgreSQL`; `Tue`, `Tuesday`) share at least so many characters."""

_EMPHASIS = frozenset(
    "todo done note nb warning important must never always only please wip tbd ok fixme and or if else now no yes all "
    "both each any most least new old what how big small why".split()
)
"""Words that are written in capitals to be heard, not because they are names."""

_COMMON = frozenset("api apis sql ram cpu cpus http https url urls ui id ids ci db os io".split())
"""Abbreviations of everyday use: words, which a rewording may leave out (`300 GB of RAM`), rather than identifiers."""

_ARTICLES = frozenset({"a", "an"})

_URL = lazy(r"\b(?:https?|ssh|git|file|ftp)://[^\s<>()\[\]{}\"'`|]+")
_CODE = lazy(r"(`{1,3})(?!`)(.+?)\1")
_DASHES = lazy(r"[—–→←⇒]|\.{2,}|…|(?<=\s)->|=>")
_MARKS = lazy(r"\*+|~~|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)|`")
_BEGINNING = lazy(r"[•✅❌⚠]")
_CHUNK = lazy(r"(?:[^\s,;\"“”„«»|<>()\[\]{}]|(?<=\d),(?=\d{3}(?!\d)))+(?:\(\))?")
_FLAG = lazy(r"--[A-Za-z][\w-]*|-[A-Za-z]")
_DOTTED = lazy(r"\.?[A-Za-z_$]\w*(?:\.\w+)+")
_CAMEL = lazy(r"[a-z]+[A-Z]\w*|[A-Z]+[a-z]+[A-Z]\w*")
_CAPITALS = lazy(r"[A-Z][A-Z0-9]+s?")
_VERSION = lazy(r"[vV]?(\d+(?:\.\d+)+(?:[-+]?[A-Za-z][\w.]*)?)|[vV](\d+)")
_MIXED = lazy(r"(?=\w*\d)(?=\w*[A-Za-z])\w+")
_NUMBERED = lazy(r"[A-Za-z]+(?:-[A-Za-z]+)*-\d+(?:-[A-Za-z]+)*")
_FILE_END = lazy(r"\w\.[A-Za-z]\w{0,5}$")
_WHOLE = lazy(r"\w+")
_SENTENCE_END = (".", "!", "?", ":")
_SUFFIXES = ("ations", "ation", "ingly", "ings", "ing", "edly", "ied", "ies", "ed", "es", "ly", "s", "e")
_LEAST_STEM = 3
_SLASHES_OF_A_PATH = 2
_LONG = 20_000
"""Characters of one entry that are taken apart; nothing that a narrative lists is longer."""


class Terms:
    """The terms of a text.

    identifiers: as compared -> as written. numbers, dates: of narrative_values.
    names: in lower case -> as written, words that begin with a capital within a sentence. named: words in lower case
    that begin with a capital anywhere. lowered: words that stand within a sentence without one.
    stems: of all words but stop words. parts: the same of the words within identifiers.
    plain: every word in lower case. whole: the same, where underscores divide no words.
    flat: the text in lower case without emphasis. spaced: its words with spaces between them.
    """

    __slots__ = (
        "dates",
        "flat",
        "identifiers",
        "lowered",
        "named",
        "names",
        "numbers",
        "parts",
        "plain",
        "spaced",
        "stems",
        "whole",
    )

    def __init__(self, text: str) -> None:
        text = citations.without_citations(text[:_LONG])
        self.flat = " ".join(_MARKS.sub("", text).casefold().split())
        split = words.split(self.flat)
        self.spaced = f" {' '.join(split)} "
        self.plain = set(split)
        self.whole = set(_WHOLE.findall(self.flat))
        self.identifiers: dict[str, str] = {}
        self.named: set[str] = set()
        self.numbers: list[narrative_values.Number] = []
        self.names: dict[str, str] = {}
        self.lowered: set[str] = set()
        self.stems: set[str] = set()
        self.parts: set[str] = set()
        self._read(text)

    def _read(self, text: str) -> None:
        text = _URL.sub(self._url, text)
        text = _CODE.sub(self._code, text)
        text, self.dates = narrative_values.take_dates(text)
        text = _BEGINNING.sub(" : ", text)
        text = _MARKS.sub("", _DASHES.sub(" : ", text))
        kept: list[str] = []
        begins = True
        for match in _CHUNK.finditer(text):
            before = text[match.start() - 1 : match.start()]
            begins = begins or before in set('("“„«[|')
            chunk = match[0]
            bare = chunk.strip("'’‘!?*~")
            rest = self._identifier(bare.rstrip(".:")) if bare else ""
            if rest:
                kept += [rest, *(" ; " if chunk[-1] in ".:!?" else "")]
                self._word(rest, begins)
            begins = chunk.endswith(_SENTENCE_END)
        left, numbers = narrative_values.take_numbers(" ".join(kept))
        self.numbers += numbers
        lower = [word.lower() for word in words.split(left)]
        spelled = {at for first, end, number in self._spelled(lower) for at in range(first, end)}
        self.stems.update(self._stems_of([word for at, word in enumerate(lower) if at not in spelled]))

    def _spelled(self, lower: list[str]) -> list[tuple[int, int, narrative_values.Number]]:
        found = list(narrative_values.in_words(lower))
        self.numbers += [number for _, _, number in found]
        return found

    def _stems_of(self, found: list[str]) -> set[str]:
        stems: set[str] = set()
        for word in found:
            if word not in STOP_WORDS and not word.isdigit():
                stems.update(words.pairs(word) if words.spaceless().search(word) else [stem(word)])
        return stems

    def _url(self, match: re.Match[str]) -> str:
        url = match[0].rstrip(".,:;!?*_~'’")
        self._add(url)
        return " "

    def _code(self, match: re.Match[str]) -> str:
        """Code in backticks: each piece of it is an identifier; numbers, dates and line numbers stay."""
        left = []
        for piece in match[2].split():
            bare = piece.strip("\"'“”‘’,;()[]{}<>|*")
            if not re.search(r"\w", bare):
                continue
            if re.fullmatch(r"[\d.,:%/-]+[A-Za-zµ%]{0,3}", bare):
                return f" {match[2]} "
            name, _, line = bare.rpartition(":")
            if name and line.isdigit():
                bare = name
                left.append(line)
            self._add(bare.rstrip(".:"))
        return f" {' '.join(left)} "

    def _add(self, written: str) -> None:
        key = written.removesuffix("()").casefold().removeprefix("./").strip("_").rstrip("/") or written.casefold()
        self.identifiers.setdefault(key, written)
        parts = [part for word in words.split(written) for part in [word, *words.camel_parts(word)]]
        self.parts.update(self._stems_of([part.lower() for part in parts]))

    def _identifier(self, chunk: str) -> str:
        """Take an identifier, or those within; what is left is words and numbers."""
        if not chunk or chunk.isalpha():
            if _CAMEL.fullmatch(chunk) or (_CAPITALS.fullmatch(chunk) and self._is_acronym(chunk)):
                self._add(chunk.removesuffix("s") if _CAPITALS.fullmatch(chunk) else chunk)
                return ""
            return chunk
        if _FLAG.fullmatch(chunk) or chunk[:1] in {"$", "@"} or "::" in chunk or chunk.endswith("()"):
            self._add(chunk)
            return ""
        for divider in ("=", ":"):
            if divider in chunk:
                return " ".join(filter(None, map(self._identifier, chunk.split(divider))))
        if "/" in chunk:
            return self._slashed(chunk)
        return self._compound(chunk)

    def _slashed(self, chunk: str) -> str:
        parts = [part for part in chunk.split("/") if part]
        is_path = (
            chunk[:1] in {"/", "~"} or chunk[:2] == "./" or chunk[:3] == "../" or chunk.endswith("/")
            or _FILE_END.search(chunk) or "_" in chunk or len(parts) > _SLASHES_OF_A_PATH
        )  # fmt: skip
        if is_path and parts and not all(part.isdigit() for part in parts):
            self._add(chunk)
            return ""
        return " ".join(filter(None, map(self._identifier, parts)))

    def _compound(self, chunk: str) -> str:
        """A chunk without colons and slashes that is not letters alone."""
        version = _VERSION.fullmatch(chunk)
        if version:
            value = version[1] or version[2]
            if chunk[0] in "vV" or not re.fullmatch(r"\d+\.\d+", value):
                self.numbers.append(narrative_values.Number(value.casefold(), "", chunk))
                return ""
            return chunk
        if "_" in chunk.strip("_") and not re.fullmatch(r"[\d_]+", chunk):
            self._add(chunk)
            return ""
        if _DOTTED.fullmatch(chunk) and max(map(len, chunk.split("."))) > 1:
            self._add(chunk)
            return ""
        if "-" in chunk.strip("-"):
            if _NUMBERED.fullmatch(chunk):
                self._add(chunk)
                return ""
            return " ".join(filter(None, map(self._identifier, chunk.split("-"))))
        if _MIXED.fullmatch(chunk) and not narrative_values.take_numbers(chunk)[1]:
            self._add(chunk)
            return ""
        return chunk

    def _is_acronym(self, chunk: str) -> bool:
        low = chunk.lower()
        return low not in STOP_WORDS | _EMPHASIS | _COMMON and not narrative_values.is_unit(chunk)

    def _word(self, rest: str, begins: bool) -> None:
        """Note whether a word that stands within a sentence is written with a capital."""
        for word in words.split(rest):
            low = word.lower()
            if word[0].isupper():
                self.named.add(low)
            if not begins and word.isalpha() and low not in STOP_WORDS and len(word) >= NAME_CHARS:
                if word[0].isupper() and not word.isupper():
                    self.names[low] = word
                elif word.islower():
                    self.lowered.add(low)
            begins = False

    def has_identifier(self, key: str) -> bool:
        """Whether an identifier of another text is here, as a word or part of a longer path; case does not matter."""
        if key in self.identifiers:
            return True
        if key.isalnum():
            return any(form in self.whole for form in (key, f"{key}s", *SAME.get(key, ())))
        if "-" in key and f" {' '.join(words.split(key))} " in self.spaced:
            return True
        pattern = rf"(?<![\w-]){re.escape(key)}(?!\w|[-./]\w)"
        return key in self.flat and re.search(pattern, self.flat) is not None

    def has_number(self, number: narrative_values.Number, of: Terms) -> bool:
        """Whether a number of another text is here. A word that may stand for it (`twice`) does not where the other
        text has that word besides."""
        if any(number.fits(one) for one in self.numbers):
            return True
        return number.value in narrative_values.loosely(self.plain - (of.plain - _ARTICLES))

    def has_name(self, name: str) -> bool:
        """Whether a name (in lower case) of another text is here, in any case and form."""
        base = _singular(name)
        if base in self.plain or name in self.plain:
            return True
        return any(
            (one.startswith(base) or base.startswith(one)) and min(len(one), len(base)) >= NAME_CHARS
            for one in self.plain
            if one[:NAME_CHARS] == base[:NAME_CHARS]
        )


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and len(name) > NAME_CHARS + 1 else name


@lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """What a lower-case word is compared by."""
    if word in SAME:
        word = min(word, *SAME[word])
    word = IRREGULAR.get(word, word)
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _LEAST_STEM:
            word = word[: -len(suffix)]
            break
    return word[:STEM_CHARS]

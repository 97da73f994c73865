"""Dates and numbers in a text, however they are written: `10,000` is 10000, `three` is 3, `30s` is 30 seconds."""

from __future__ import annotations

import re

from memories.core.patterns import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Day = tuple[int, int, int]  # year, month, day; 0: not said

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<![\w.-])(?P<year>\d{4})(?P<sep>[-/.])(?P<number>\d{1,2})(?P=sep)(?P<day>\d{1,2})(?:(?=T\d)|(?![\w-]))",
        r"(?<![\w.-])(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<year>\d{4})(?![\w-])",
        r"(?<![\w./-])(?P<number>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})(?![\w/-])",
        rf"(?<![\w.-])(?P<day>\d{{1,2}})(?:st|nd|rd|th)? +(?:of +)?{_MONTH}(?:,? +(?P<year>\d{{4}})\b)?",
        rf"(?<!\w){_MONTH} +(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?![.:]\d)(?:,? +(?P<year>\d{{4}})\b)?",
        rf"(?<!\w){_MONTH} +(?P<year>\d{{4}})\b",
        r"(?<![\w./-])(?P<year>(?:19|20)\d\d)-(?P<number>0[1-9]|1[0-2])(?![\w-])",
    )
)

_UNITS = {
    form: forms.split()[0]
    for forms in (
        "ms millisecond milliseconds msec", "s sec secs second seconds", "min mins minute minutes m",
        "h hr hrs hour hours", "d day days", "week weeks wk", "month months", "year years yr yrs",
        "kb kib kilobyte kilobytes", "mb mib megabyte megabytes", "gb gib gigabyte gigabytes", "tb tib",
        "byte bytes", "% percent", "px pixel pixels", "char chars character characters",
        "us microsecond microseconds µs",
    )
    for form in forms.split()
}  # fmt: skip
"""As written, in lower case -> as compared."""

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: value for value, word in enumerate(_SMALL)} | {word: 20 + 10 * at for at, word in enumerate(_TENS)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000, "k": 1000, "dozen": 12}
_LOOSE = {
    "once": 1, "single": 1, "first": 1, "sole": 1, "only": 1, "both": 2, "twice": 2, "double": 2, "pair": 2,
    "couple": 2, "second": 2, "third": 3, "triple": 3, "thrice": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "no": 0, "none": 0, "a": 1, "an": 1, "one": 1,
}  # fmt: skip
"""Words that may stand for a number in a rewording, but whose absence says nothing."""

_NUMBER = lazy(
    r"(?<![\w.])(?P<digits>\d{1,3}(?:[,_]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)*|\.\d+)(?![\d_]|\.\d|,\d{3}(?!\d))"
    r"(?P<suffix>[A-Za-zµ%]{0,12})(?!\w)"
)
_WORD = lazy(r"[A-Za-zµ]+|%")
_GAP = lazy(r"[ \u00a0-]{0,2}")
_ORDINALS = frozenset({"st", "nd", "rd", "th", "x", "ish"})
_MONTHS_A_YEAR = 12
_DAYS_A_MONTH = 31
_MOST_DIGITS = 18
"""Longer ones are compared as they are written."""


class Number:
    """A number as compared: value (digits, no separators) and unit ("" for none); shown: as written."""

    __slots__ = ("shown", "unit", "value")

    def __init__(self, value: str, unit: str, shown: str) -> None:
        self.value = value
        self.unit = unit
        self.shown = shown

    def fits(self, other: Number) -> bool:
        """Whether both say the same; without a unit the value decides."""
        return self.value == other.value and (self.unit == other.unit or not (self.unit and other.unit))


class Date:
    """A date as compared: what it may mean (`3/4/2026` two days); shown: as written."""

    __slots__ = ("days", "shown")

    def __init__(self, days: list[Day], shown: str) -> None:
        self.days = days
        self.shown = shown

    def fits(self, other: Date) -> bool:
        """Whether other says what this says; it may say more (the year, the day)."""
        return any(
            month == its_month and day in {0, its_day} and (year == its_year or 0 in {year, its_year})
            for year, month, day in self.days
            for its_year, its_month, its_day in other.days
        )


def take_dates(text: str) -> tuple[str, list[Date]]:
    """A text without its dates, and the dates."""
    found: list[Date] = []

    def take(match: re.Match[str]) -> str:
        parts = match.groupdict()
        year, day = int(parts.get("year") or 0), int(parts.get("day") or 0)
        name = parts.get("month")
        month = _MONTHS.index(name[:3].lower()) + 1 if name else int(parts["number"])
        days = [(year, month, day)]
        if "/" in match[0] and parts.get("sep") is None:
            days.append((year, day, month))
        days = [one for one in days if 1 <= one[1] <= _MONTHS_A_YEAR and 0 <= one[2] <= _DAYS_A_MONTH]
        if not days:
            return match[0]
        found.append(Date(days, match[0].strip()))
        return " ; "

    for pattern in _DATES:
        text = pattern.sub(take, text)
    return text, found


def take_numbers(text: str) -> tuple[str, list[Number]]:
    """A text without the numbers written in digits, and those; a number that is part of a name stays in the text."""
    found: list[Number] = []
    kept: list[str] = []
    at = 0
    for match in _NUMBER.finditer(text):
        if match.start() < at:
            continue
        number, end = _in_digits(text, match)
        if number is not None:
            found.append(number)
            kept += [text[at : match.start()], " "]
            at = end
    kept.append(text[at:])
    return "".join(kept), found


def _in_digits(text: str, match: re.Match[str]) -> tuple[Number | None, int]:
    """The number that a match is and where it ends, its unit included; None when it is part of a name (`4xx`)."""
    value = match["digits"].replace(",", "").replace("_", "")
    suffix, end = match["suffix"], match.end()
    if not suffix or suffix in _SCALES or suffix == "M":
        following = _following(text, end)
        scale = _SCALES.get(suffix) or (1_000_000 if suffix == "M" else 0)
        if following and not scale and following[0].lower() in _SCALES:
            scale, end = _SCALES[following[0].lower()], following.end()
            following = _following(text, end)
        if scale:
            value = _scaled(value, scale)
        unit = _unit_of(following[0]) if following else ""
        if following and unit:
            end = following.end()
        return Number(value, unit, text[match.start() : end].strip()), end
    if suffix.lower() in _ORDINALS:
        return Number(value, "", match[0]), end
    unit = _unit_of(suffix)
    return (Number(value, unit, match[0]), end) if unit else (None, end)


def _following(text: str, end: int) -> re.Match[str] | None:
    gap = _GAP.match(text, end)
    return _WORD.match(text, gap.end()) if gap else None


def is_unit(word: str) -> bool:
    """Whether a word is a unit of more than one letter (`MB`)."""
    return len(word) > 1 and word.lower() in _UNITS


def _unit_of(word: str) -> str:
    return "" if word in {"M", "D", "S", "H"} else _UNITS.get(word.lower(), "")


def _scaled(value: str, scale: int) -> str:
    whole, _, part = value.partition(".")
    if not (whole + part).isdecimal() or len(whole + part) > _MOST_DIGITS:
        return f"{value}*{scale}"
    number, rest = divmod(int(whole + part) * scale, 10 ** len(part))
    return f"{value}*{scale}" if rest else str(number)


def in_words(words: list[str]) -> Iterator[tuple[int, int, Number]]:
    """The numbers that lower-case words spell: (first word, word after the last, number)."""
    at = 0
    while at < len(words):
        end, value = _spelled(words, at)
        if end == at:
            at += 1
            continue
        unit = _unit_of(words[end]) if end < len(words) else ""
        stop = end + bool(unit)
        yield at, stop, Number(str(value), unit, " ".join(words[at:stop]))
        at = stop


def _follows(before: int, value: int) -> bool:
    """Whether a number word goes on with the one before: after hundreds any, after tens from twenty up a digit."""
    return before % 100 == 0 or (before % 10 == 0 and before % 100 >= _WORDS["twenty"] and value < _WORDS["ten"])


def _spelled(words: list[str], at: int) -> tuple[int, int]:
    """Where the number ends that begins at a word, and its value; (at, 0) for none. `one` alone is none."""
    end, total, part = at, 0, 0
    while end < len(words) and part < 10**_MOST_DIGITS:
        word = words[end]
        scale = _SCALES.get(word, 0) if word != "k" else 0
        if word in _WORDS and _follows(part, _WORDS[word]):
            part += _WORDS[word]
        elif scale and scale <= _SCALES["hundred"]:
            part = (part or 1) * scale
        elif scale:
            total, part = total + (part or 1) * scale, 0
        else:
            break
        end += 1
    return (at, 0) if words[at:end] == ["one"] else (end, total + part)


def loosely(words: set[str]) -> set[str]:
    """Values that words may stand for where a number is looked for (`both`: 2, `third`: 3)."""
    return {str(_LOOSE[word]) for word in words & _LOOSE.keys()}

"""How an entry says that it is done or dropped. A mere `done` within a sentence does not."""

from __future__ import annotations

import re

from memories.core.citations import without_citations
from memories.core.patterns import lazy

_FINISHED = "done|dropped|completed?|fixed|closed|finished|resolved|shipped"
"""Words that also occur in ordinary brackets (`done by the worker`): what may follow them is limited."""

_REPLACED = "cancell?ed|superseded|obsolete|abandoned|replaced|won['’]?t ?(?:fix|do)|no longer (?:needed|relevant)"
_DATE = (
    r"(?:(?:v|version|release|pr|commit|session|sprint|issue|adr|[a-z]{3,9}\.?)\s*)?"
    r"#?[a-z]{0,4}-?\d[\w.:/-]*(?:,?\s+(?:[a-z]{3,9}\.?,?\s+)?\d{2,4})?"
)
_REST = rf"(?:\s*[,;:—–-].*|\s+(?:(?:in|on|at|as of|since|with|via|by|per)\s+)?(?:{_DATE}|(?:this|last) session))?"
_ADVERB = r"(?:now\s+|already\s+|all\s+)?"
_MARK = rf"{_ADVERB}(?:(?:{_FINISHED}){_REST}|(?:{_REPLACED})\b.*)"
_PLAIN = rf"{_ADVERB}(?:{_FINISHED}|{_REPLACED})"
_TICK = "[✅✔☑]\ufe0f?"

_LEADING = lazy(
    rf"(?:{_TICK}|~~[^~]+~~\s*(?:[(\[—–:-].*)?$|"
    rf"[*_]{{1,3}}\s*{_PLAIN}\b[^*_]{{0,60}}[*_]{{1,3}}|"  # **Done**, **Done:**, **Superseded by X**
    rf"[\[(]\s*{_MARK}\s*[\])]|"  # [done], (dropped)
    rf"{_PLAIN}(?:\s+\(?\d[\d./-]+\)?|\s*\([^)]*\))?(?:\s*:|\s+[—–-]{{1,2}})\s)",  # Done: , DONE 2026-03-01:
    re.IGNORECASE,
)
_BRACKETS = lazy(r"[(\[]([^()\[\]]*)[)\]][\s.!*_]*$")
_DASHED = lazy(rf"\s[—–-]{{1,2}}\s+[*_]{{0,3}}{_MARK}[*_]{{0,3}}\s*[.!]?$", re.IGNORECASE)
_SHOUTED = lazy(r"(?:^|[\s.:;,])[*_]{0,3}(?:DONE|DROPPED|FIXED|RESOLVED|CANCELL?ED|OBSOLETE|SUPERSEDED)[*_.!]{0,4}$")
_TICKED = lazy(rf"{_TICK}[\s.]*$")
_WHOLE = lazy(rf"[*_]{{0,3}}(?:{_TICK}\s*)?(?:{_MARK})?[*_]{{0,3}}", re.IGNORECASE)
_IS_MARK = lazy(_MARK, re.IGNORECASE)
_STRUCK = lazy(r"~~.+?~~")
_TITLE = lazy(
    rf"(?:{_TICK}\s*)?(?:recently |already )?(?:{_PLAIN}|done and dropped)"
    r"(?: (?:items?|tasks?|work|steps?|this session|recently|lately))?",
    re.IGNORECASE,
)
_MOSTLY = 0.5
_SEEN_CHARS = 1000
"""A mark stands at the beginning or end: so much of each is looked at."""


def closes(text: str, *, is_row: bool) -> bool:
    """Whether an entry's text carries a mark of being done or dropped: at its beginning or end, or struck through.

    is_row: it is a table row, cells divided by `|`; a cell that is nothing but such a mark counts.
    """
    if len(text) > 2 * _SEEN_CHARS:
        text = f"{text[:_SEEN_CHARS]} … {text[-_SEEN_CHARS:]}"
    text = without_citations(text).strip()
    if is_row and any(cell.strip() and _WHOLE.fullmatch(cell.strip()) for cell in text.split("|")[1:]):
        return True
    if _LEADING.match(text):
        return True
    struck = sum(len(found) for found in _STRUCK.findall(text))
    if struck and (struck >= len(text) * _MOSTLY):
        return True
    bracket = _BRACKETS.search(text)
    if bracket and (_IS_MARK.fullmatch(bracket[1].strip()) or _TICKED.fullmatch(bracket[1].strip())):
        return True
    return any(mark.search(text) for mark in (_DASHED, _SHOUTED, _TICKED))


def is_closing_title(title: str) -> bool:
    """Whether a sub-heading says that all below it is done or dropped (`### Done`, `### Resolved items`)."""
    return _TITLE.fullmatch(title.strip(" *_:")) is not None

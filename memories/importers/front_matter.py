"""The front matter of a Markdown file: the simple YAML that note tools write, read without a YAML library.

`key: value`, and lists as `[a, b]` or as lines of `- item`. Everything else (nesting, block texts, anchors) stays as
the text that it is: nothing is ever evaluated.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    Value = str | list[str]

MAX_LINES = 1000
"""A block with no end after so many lines is none."""

_FENCE = re.compile(r"---[ \t]*")
_KEY = re.compile(r"([^\s:#\-][^:]{0,200}?)[ \t]*:(?:[ \t]+(.*)|)")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)")


def split(text: str) -> tuple[dict[str, Value], str]:
    """(front matter, body) of a file's text; ({}, text) where it has none. A key's first value counts."""
    lines = text.split("\n", MAX_LINES)
    if not _FENCE.fullmatch(lines[0].rstrip("\r").lstrip("\ufeff")):
        return {}, text
    end = next((at for at in range(1, min(len(lines), MAX_LINES)) if _FENCE.fullmatch(lines[at].rstrip("\r"))), 0)
    if not end:
        return {}, text
    found: dict[str, Value] = {}
    block = [line.rstrip("\r") for line in lines[1:end]]
    at = 0
    while at < len(block):
        line = block[at]
        at += 1
        match = _KEY.fullmatch(line)
        if match is None:
            continue
        rest = []
        while at < len(block) and not _KEY.fullmatch(block[at]):
            rest.append(block[at])
            at += 1
        found.setdefault(match[1].strip(), _value(match[2] or "", rest))
    return found, "\n".join(lines[end + 1 :])


def _value(given: str, rest: list[str]) -> Value:
    given = given.strip()
    rest = [line for line in rest if line.strip()]
    matches = [_ITEM.fullmatch(line) for line in rest]
    if rest and not given and all(matches):
        return [_plain(match[1]) for match in matches if match]
    if rest:
        return "\n".join([given, *rest]).strip()
    if given.startswith("[") and given.endswith("]") and not given.startswith("[["):
        return [_plain(part) for part in given[1:-1].split(",") if part.strip()]
    return _plain(given)


def _plain(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text

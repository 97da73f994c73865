"""Fitting text into a budget of UTF-16 code units (Claude Code counts these), cut between items, and quoting it.

Text from memory is data: every line of it gets a `> ` in front, so nothing in it can look like the briefing itself,
and the client's own tags are defused.
"""

from __future__ import annotations

import re

_CLIENT_NAMES = (
    "system-reminder", "system>", "system ", "persisted-output", "local-command", "command-", "task-notification",
    "user-prompt-submit-hook", "session-start-hook", "bash-", "ide_", "tool_", "new-diagnostics", "teammate-message",
    "antml:", "function", "invoke ", "parameter ", "mcp-", "human>", "assistant>",
)  # fmt: skip
"""How the names begin of the tags in which Claude Code and the API put what is not the user's text (2.1.197, 2.1.330;
tool calls and results, turns)."""

_TAG_OPENS = "<\uff1c\ufe64"
_TAG_CHARS = 200
"""Characters behind a tag's `<` among which its name is looked for, those that nobody sees included."""

_UNSEEN_MARKS = "\u034f" + "".join(map(chr, range(0xFE00, 0xFE10)))
"""Of what nobody sees, that which str.isprintable counts as printable; all beyond U+E0000 is too."""

_ITEM_START = r"^(?:[-*+] |\d+[.)] |\||#)"
_HEADING = r"^#{1,6} [^\n]*$"
_UNSHOWN = (
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
    r"\U000e0000-\U000e0fff]"
)
"""Control characters, a terminal's escapes among them, those that turn the direction of what follows, and those that
nobody sees and no script or emoji needs: a whole text can be written in them."""

FENCES = ("```", "~~~")
"""What begins and ends a block of code in Markdown."""

TOKEN_UNITS = 4
"""UTF-16 units a token of English prose takes, about: "approximately 4 characters" in Anthropic's and OpenAI's own
guides. Code runs to 3, Chinese and Japanese to 1 or 2: an estimate, for people and for budgets, never a limit."""

BYTES_PER_TOKEN = 3
"""The same of a transcript's page in UTF-8: English and code run to 3 to 4 bytes, CJK to about 3, so that a page is
never much longer than asked for."""

LABEL_CHARS = 80
QUOTE_UNITS = 2
"""What quoted() adds to each line."""


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "replace")) // 2


def tokens(text: str) -> int:
    """About how many tokens a text is, rounded up."""
    return -(-units(text) // TOKEN_UNITS)


def quoted(text: str) -> str:
    """Text from memory, each line behind `> `, without control characters, with the client's own tags defused."""
    lines = "\n".join(map(_shown, text.splitlines()))
    return "\n".join(f"> {line}".rstrip() for line in defused(lines).split("\n")) if lines else ""


def defused(text: str) -> str:
    """A text in which nothing is one of the client's own tags any more; as long as before, character by character."""
    if not any(mark in text for mark in _TAG_OPENS):
        return text  # most texts: the pattern takes 0.5 ms to compile
    return re.sub(f"[{_TAG_OPENS}]", _tag_open, text)


def _tag_open(found: re.Match[str]) -> str:
    """What stands for a `<`: another character where the name behind it, as a reader takes it, is a client tag's."""
    behind = found.string[found.end() : found.end() + _TAG_CHARS]
    if not behind.isprintable() or not behind.isascii():
        behind = "".join(one for one in behind if one.isspace() or _is_seen(one))
    name = behind.lstrip(" \t\r\n\v\f\x85\xa0\u2028\u2029/\uff0f").lower()
    return "‹" if name.startswith(_CLIENT_NAMES) else found[0]


def _is_seen(character: str) -> bool:
    return character.isprintable() and character not in _UNSEEN_MARKS and character < "\U000e0000"


def _shown(line: str) -> str:
    """A line with spaces for what is not shown."""
    return line if line.isprintable() and line.isascii() else re.sub(_UNSHOWN, " ", line)


def named(text: str) -> str:
    """An id, however long, as it may stand outside quotes: one line."""
    return defused(" ".join(_shown(text).split()))


def label(text: str) -> str:
    """A name (a project's, which a repository's marker may choose) as it may stand outside quotes: one short line."""
    return defused(one_line(_shown(text), LABEL_CHARS))


def one_line(text: str, limit: int) -> str:
    """Text on one line of at most limit characters, cut between words where that keeps half of it."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    space = head.rfind(" ", limit // 2)
    return (head[:space] if space > 0 else head) + "…"


def items(text: str) -> list[str]:
    """A Markdown text as the pieces it may be cut between: list entries, table rows, headings, paragraphs, whole blocks
    of code."""
    pieces: list[str] = []
    open_paragraph = False
    fence = ""
    for line in text.splitlines():
        mark = line.strip()[:3]
        if fence:
            pieces[-1] += "\n" + line
            fence = "" if mark == fence else fence
            open_paragraph = False
        elif not line.strip():
            open_paragraph = False
        elif not (open_paragraph and pieces) or re.match(_ITEM_START, line) or line.startswith(FENCES):
            pieces.append(line)
            open_paragraph = not re.match(_HEADING, line)
            fence = mark if line.startswith(FENCES) else ""
        else:
            pieces[-1] += "\n" + line
            fence = mark if mark in FENCES else ""
    return pieces


def cut(text: str, limit: int) -> tuple[str, int]:
    """The first items of a text that fit into limit units once they are quoted, and how many were left out, headings
    not counted.

    Never ends with a heading. A first item that alone is too long is shortened rather than dropped.
    """
    pieces = items(text)
    kept: list[str] = []
    room = limit
    for piece in pieces:
        cost = units(piece) + 1 + QUOTE_UNITS * (piece.count("\n") + 1)
        if cost > room:
            break
        kept.append(piece)
        room -= cost
    while kept and len(kept) < len(pieces) and re.match(_HEADING, kept[-1]):
        kept.pop()
    if pieces and not kept:
        first = next((piece for piece in pieces if not re.match(_HEADING, piece)), pieces[0])
        return shortened(first, max(limit - QUOTE_UNITS - 1, 20)), _said(pieces) - (not re.match(_HEADING, first))
    return "\n".join(kept), _said(pieces[len(kept) :])


def _said(pieces: list[str]) -> int:
    """How many pieces are more than headings."""
    return sum(1 for piece in pieces if not re.match(_HEADING, piece))


def shortened(text: str, limit: int) -> str:
    """Text on one line of at most limit units."""
    line = one_line(text, limit)
    return line if units(line) <= limit else one_line(text, limit // 2)

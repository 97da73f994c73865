"""The marked block in the user's CLAUDE.md: one line that imports our rules. The rest of the file is the user's."""

from __future__ import annotations

import os
import re

from memories.core.paths import home_dir

BEGIN = "<!-- LLM Memory: begin (written by its install; `llm-memory uninstall` takes it out) -->"
END = "<!-- LLM Memory: end -->"

_BLOCK = re.compile(
    rb"(?:\A|(?<=\n))<!-- LLM Memory: begin[^\n]*\n(?:.*?\n)??<!-- LLM Memory: end -->[ \t]*\r?(?:\n|\Z)", re.S
)
_SEPARATED_BLOCK = re.compile(rb"(?:(?<=\n)\r?\n)?" + _BLOCK.pattern, re.S)


def import_path(rules: str) -> str:
    """The rules file as an @import spells it: from ~ where it lies below home, spaces escaped."""
    home = home_dir()
    for prefix in (os.path.expanduser("~"), home):
        if rules.startswith(prefix.rstrip("/") + "/"):
            rules = "~" + rules[len(prefix.rstrip("/")) :]
            break
    return rules.replace(" ", "\\ ")


def block(rules: str) -> bytes:
    """The block's lines for a rules file (absolute path)."""
    return f"{BEGIN}\n@{import_path(rules)}\n{END}\n".encode()


def has_block(text: bytes | None) -> bool:
    """True when the text carries our block, of any version."""
    return text is not None and _BLOCK.search(text) is not None


def add(text: bytes | None, rules: str) -> bytes:
    """The text with our block: in the place of the one it has, else at the end after a blank line."""
    new = block(rules)
    text = text or b""
    if _BLOCK.search(text):
        return _BLOCK.sub(lambda _: new, text, count=1)
    gap = b"" if not text else b"\n" if text.endswith(b"\n") else b"\n\n"
    return text + gap + new


def strip(text: bytes | None) -> bytes | None:
    """The text without our block and the blank line before it; None when nothing else is left."""
    if text is None or not _BLOCK.search(text):
        return text
    rest = _SEPARATED_BLOCK.sub(b"", text)
    return rest if rest.strip() else None

"""A session log's parts: the Markdown that session_logs writes, taken apart again."""

from __future__ import annotations

import re

_PART = r"(?m)^## (.+)\n((?:(?!## ).*\n?)*)"

_OPENING = r"(?m)^## Opening request\n> ?(\S.*)$"


def opening_request(content: str) -> str:
    """The first line of what the session was asked first; "" where the log has none."""
    found = re.search(_OPENING, content)
    return found[1].strip() if found else ""


def parts(content: str) -> dict[str, str]:
    """A session log's parts by heading, unquoted."""
    return {title: re.sub(r"^> ?", "", body.strip(), flags=re.MULTILINE) for title, body in re.findall(_PART, content)}

"""Names and reasons as a command prints them."""

from __future__ import annotations

from memories.core.cleaning import clean


def shown(text: str) -> str:
    """A file's name, which whoever wrote to the folder chose, or what is said of it: one line, in which nothing acts on
    a terminal and everything can be encoded."""
    return clean(text).replace("\n", " ").replace("\t", " ")

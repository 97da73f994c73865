"""A conversation as Markdown: who said what under headings, tools folded into callouts that Obsidian opens."""

from __future__ import annotations

import re

from memories import transcript_words
from memories.core import clock
from memories.exporters import conversations
from memories.exporters.markdown_notes import alias, closed, front_matter, quoted, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from memories.core.archived_sessions import ArchivedTranscript
    from memories.core.transcript_blocks import Block
    from memories.exporters.material import Session

VERSION = 1
"""Raise it when a conversation's text changes: files of another version are written anew."""

_TICKS = re.compile("`+")


def pieces(
    title: str, project: str, session: Session, links: list[str], transcripts: list[ArchivedTranscript]
) -> Iterator[bytes]:
    """A session's file, piece by piece. links: wikilinks to what is from it; transcripts: its own first, then its
    subagents'. Raises TranscriptError."""
    begun, ended = (None if at is None else clock.format_time(at) for at in (session.started_at, session.ended_at))
    fields = [
        ("session", quoted(session.session_id)),
        ("type", '"conversation"'),
        ("project", quoted(project) if project else "null"),
        ("created", time(begun)),
        ("ended", time(ended)),
        ("aliases", f"[{quoted(session.session_id)}]"),
    ]
    listed = "".join(f"- {link}\n" for link in links)
    yield f"{front_matter(fields)}# {alias(title)}\n\n{listed}".encode("utf-8", "replace")
    for found in transcripts:
        if found.is_subagent:
            yield f"\n## Subagent {found.name.partition('/')[2]}\n".encode()
        previous = ""
        for line in conversations.lines(found):
            role = transcript_words.role_of(line)
            who = transcript_words.speaker(role, is_subagent=found.is_subagent)
            at = (clock.normalise_time(line.time) or "").replace("T", " ")[:16]
            text = "\n".join(_block(block) for block in line.blocks)
            heading = f"\n### {who}{' · ' if at else ''}{at}\n" if who and who != previous else ""
            previous = who or previous
            yield f"{heading}\n{text}".encode("utf-8", "replace")


def _block(block: Block) -> str:
    """A block, with a newline at its end."""
    if block.kind == "assistant":
        return closed(conversations.shown(block.text)) + "\n"
    if block.kind == "user":
        return _quote(conversations.shown(block.text))
    if block.kind == "tool":
        inside = "".join(f"{name}:\n\n{_fenced(text)}\n" for name, text in conversations.input_of(block))
        failed = block.answer is not None and block.answer.failed
        if block.answer is not None:
            inside += (
                f"{'Error' if block.answer.failed else 'Output'}:\n\n{_fenced(conversations.shown(block.answer.text))}"
            )
        failed = block.answer is not None and block.answer.failed
        return _callout("failure" if failed else "example", block.text, inside)
    if block.kind in {"mark", "image", "broken"}:
        return f"*{_literal(conversations.shown(block.text))}*\n"
    label = transcript_words.label(block)
    return _callout(
        "note", f"{label}: {transcript_words.summary(block.text)}", _fenced(conversations.shown(block.text))
    )


def _callout(kind: str, title: str, inside: str) -> str:
    """A part that is folded."""
    return f"> [!{kind}]- {_literal(title)}\n{_quote(inside)}"


def _quote(text: str) -> str:
    return "".join(f"> {line}".rstrip() + "\n" for line in text.split("\n"))


def _literal(text: str) -> str:
    """A text on one line in which nothing is markup."""
    line = " ".join(conversations.shown(text).split())
    ticks = _longer(line, 2)
    return f"{ticks} {line} {ticks}" if line else ""


def _fenced(text: str) -> str:
    fence = _longer(text, 3)
    return f"{fence}\n{text}\n{fence}\n"


def _longer(text: str, least: int) -> str:
    """More backticks than there are in a row in a text: they enclose it whatever it is."""
    return "`" * max([least, *(len(run) + 1 for run in _TICKS.findall(text))])

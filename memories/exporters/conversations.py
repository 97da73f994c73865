"""An archived conversation from its first line to its last, in bounded memory, each output with its call only."""

from __future__ import annotations

import os

from memories.core import archived_sessions, line_places, transcript_reading
from memories.core.errors import TranscriptError
from memories.transcript_words import cleaned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from memories.core.archived_sessions import ArchivedTranscript
    from memories.core.paths import DataFolder
    from memories.core.transcript_blocks import Block, Line

MAX_CHARS = 200_000
"""Of one block: what a build printed for hours is in the transcript itself."""


def lines(found: ArchivedTranscript) -> Iterator[Line]:
    """Every line that has something to show, in the file's order, redacted. Raises TranscriptError."""
    begin, told = line_places.START, set[tuple[int, int]]()  # told: (byte offset, index) of outputs shown with a call
    while True:
        page = transcript_reading.page_from(found, begin)
        for line in page.lines:
            line.blocks = [block for block in line.blocks if (block.place[1], block.index) not in told]
            answers = [block.answer for block in line.blocks if block.answer is not None]
            told.update((answer.place[1], answer.index) for answer in answers)
            if line.blocks:
                yield line
        if page.after is None:
            return
        begin = page.after
        told = {one for one in told if one[0] >= begin[1]}


def shown(text: str) -> str:
    """A block's text as a reader gets it: cleaned, and cut where it is beyond all bounds."""
    if len(text) <= MAX_CHARS:
        return cleaned(text)
    return f"{cleaned(text[:MAX_CHARS])}\n… {len(text) - MAX_CHARS:,} more characters are in the transcript."


def input_of(call: Block) -> list[tuple[str, str]]:
    """(name, text) of what a tool was called with, as shown."""
    return [(" ".join(cleaned(name).split()), shown(text)) for name, text in call.fields]


def subagents(folder: DataFolder, session_id: str) -> list[ArchivedTranscript]:
    """The transcripts of a session's subagents, by name."""
    stems = [stem for stem in archived_sessions.beside(folder, session_id) if stem.startswith("agent-")]
    found = []
    for stem in stems:
        try:
            found.append(archived_sessions.find(folder, f"{session_id}/{stem}"))
        except TranscriptError:
            continue  # gone meanwhile
    return found


def state(transcripts: list[ArchivedTranscript]) -> str:
    """What changes whenever one of these files, or what redacts them, does."""
    parts = [f"{one.name}:{one.size}:{os.stat(one.path).st_mtime_ns}" for one in transcripts]
    return " ".join([*parts, str(transcripts[0].redactor.fingerprint)])

"""A session as one HTML page: the whole conversation, those of its subagents, the memories made in it."""

from __future__ import annotations

import shutil
import tempfile

from memories.core import clock, transcript_page
from memories.exporters import conversations, html_memories, html_page
from memories.exporters.html_lines import Lines
from memories.shown_text import plain_line
from memories.transcript_words import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from _typeshed import SupportsWrite

    from memories.core.archived_sessions import ArchivedTranscript
    from memories.core.paths import DataFolder
    from memories.exporters.material import Material

_IN_MEMORY_BYTES = 4 * 1024 * 1024
"""How much of the page is kept in memory before a file takes it: what stands above it is known at its end."""


def write(folder: DataFolder, material: Material, found: ArchivedTranscript, file: BinaryIO) -> int:
    """Write the page; how many lines it shows. Raises TranscriptError."""
    agents = conversations.subagents(folder, found.session_id)
    places = {one.name.partition("/")[2]: f"a{number}" for number, one in enumerate(agents, 1)}
    requests: list[tuple[str, str, str]] = []
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as body:
        count, first, last = _conversation(found, Lines(found, "", places), body, requests)
        for number, agent in enumerate(agents, 1):
            name = html_page.escaped(agent.name.partition("/")[2])
            html_page.write(body, f'</section>\n<section id="a{number}"><h2>Subagent {name}</h2>\n')
            count += _conversation(agent, Lines(agent, f"a{number}-", places), body, [])[0]
        body.seek(0)
        title = requests[0][1] if requests else f"Session {found.session_id}"
        html_page.write(file, html_page.head(title, _facts(material, found, first, last, len(requests))))
        html_page.write(file, html_page.outline("Requests", requests))
        html_page.write(file, '<div class="content" id="content">\n')
        html_page.write(file, _memories(material))
        html_page.write(file, '<section id="conversation"><h2>Conversation</h2>\n')
        shutil.copyfileobj(body, file)
        html_page.write(file, f"</section>\n{html_page.FOOT}")
    return count


def _conversation(
    found: ArchivedTranscript,
    lines: Lines,
    body: SupportsWrite[bytes],
    requests: list[tuple[str, str, str]],
) -> tuple[int, str, str]:
    """Write a conversation's lines; (how many, the first time, the last one). requests: gets the places of
    the user's words, as html_page.outline takes them."""
    count, first, last = 0, "", ""
    for line in conversations.lines(found):
        html_page.write(body, lines.html(line))
        count += 1
        time = clock.normalise_time(line.time) or ""
        first, last = first or time, time or last
        said = next((block.text for block in line.blocks if block.kind == "user"), "")
        if said and not line.is_aside:
            text = summary(plain_line(said[:2000]))
            requests.append((lines.place(line.number), text or "…", ""))
    return count, first, last


def _facts(material: Material, found: ArchivedTranscript, first: str, last: str, requests: int) -> list[str]:
    session = next(iter(material.sessions()), None)
    project = material.group_of(session.project_id, session.project_key).name if session else ""
    times = [time.replace("T", " ")[:16] for time in (first, last) if time]
    return [
        project,
        " – ".join(dict.fromkeys(times)),
        f"{requests:,} request{'' if requests == 1 else 's'}",
        transcript_page.shown_size(found.size),
        f"session {found.session_id}",
    ]


def _memories(material: Material) -> str:
    """The session's log and what was stored in it, folded."""
    if not material.heads:
        return ""
    entries = "".join(html_memories.entry(material, head, is_folded=True) for head in material.heads.values())
    return f'<section id="memories"><h2>Memories of this session</h2>\n{entries}</section>\n'

"""The lines of a conversation as HTML: words whole, tools and what they gave folded, nothing of it active."""

from __future__ import annotations

import html

from memories import transcript_words
from memories.core import clock
from memories.exporters import conversations
from memories.exporters.html_page import escaped, when
from memories.markdown import rendered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.archived_sessions import ArchivedTranscript
    from memories.core.transcript_blocks import Block, Line


class Lines:
    """Makes the lines of one transcript, in their order. prefix: of the ids that its lines get; agents: the stem of a
    subagent's transcript in this page -> the id of where it is."""

    def __init__(self, found: ArchivedTranscript, prefix: str, agents: dict[str, str]) -> None:
        self._found = found
        self._prefix = prefix
        self._agents = agents
        self._speaker = ""
        self._day = ""

    def place(self, number: int) -> str:
        """The id of a line."""
        return f"{self._prefix}L{number}"

    def html(self, line: Line) -> str:
        """A line, with a heading before it where its day begins."""
        role = transcript_words.role_of(line)
        time = clock.normalise_time(line.time) or ""
        day = f'<h3 class="day">{when(time, "date")}</h3>\n' if time and time[:10] != self._day else ""
        self._day = time[:10] or self._day
        speaker = f"{role}{line.is_aside}"
        named = speaker != self._speaker or bool(day)
        label = transcript_words.speaker(role, is_subagent=self._found.is_subagent) if named else ""
        self._speaker = speaker
        who = f"<strong>{escaped(label)}</strong> " if label else ""
        aside = '<span class="tag">subagent</span> ' if line.is_aside else ""
        place = self.place(line.number)
        number = f'<a class="number" href="#{place}" aria-label="Line {line.number}">{line.number}</a>'
        blocks = "".join(self._block(block) for block in line.blocks)
        head = f'<p class="who">{who}{aside}{number} {when(time, "clock")}</p>'
        return (
            f'{day}<article class="line {role}{" begins" if label else ""}" id="{place}">\n'
            f'{head}\n<div class="blocks">{blocks}</div>\n</article>\n'
        )

    def _block(self, block: Block) -> str:
        text = conversations.shown(block.text)
        if block.kind == "assistant":
            return f'<div class="said">{rendered(text)}</div>\n'
        if block.kind == "user":
            return f'<div class="said typed">{html.escape(text)}</div>\n'
        if block.kind == "tool":
            return self._call(block)
        if block.kind in {"mark", "image", "broken"}:
            label = f"{transcript_words.label(block)}: " if block.kind == "image" else ""
            return f'<p class="{block.kind}">{label}{html.escape(text)}</p>\n'
        inside = f'<div class="said">{rendered(text)}</div>' if block.kind == "summary" else _pre(text)
        failed = _FAILED if block.failed else ""
        label = f"<strong>{escaped(transcript_words.label(block))}</strong>"
        told = f"{label}{failed} {escaped(transcript_words.summary(text))}"
        return (
            f'<details class="folded"><summary><span class="call">{told}</span></summary>\n{inside}</details>\n'
            f"{self._agent(block.agent)}"
        )

    def _call(self, block: Block) -> str:
        answer = block.answer
        failed = _FAILED if answer and answer.failed else ""
        fields = "".join(
            f"<dt>{html.escape(name)}</dt><dd>{_pre(text)}</dd>" for name, text in conversations.input_of(block)
        )
        inside = f"<dl>{fields}</dl>\n" if fields else ""
        if answer is None:
            inside += '<p class="unshown">Its output is not in the transcript.</p>\n'
        else:
            word = "Error" if answer.failed else "Output"
            head = f'<strong>{word}</strong> <span class="number">{answer.place[0]}</span>'
            text = _pre(conversations.shown(answer.text))
            inside += f'<div class="answer"><p class="who">{head}</p>\n{text}</div>\n'
        return (
            f'<details><summary><span class="call">{escaped(block.text)}</span>{failed}</summary>\n{inside}</details>\n'
            f"{self._agent(answer.agent if answer else '')}"
        )

    def _agent(self, stem: str) -> str:
        place = self._agents.get(stem)
        return f'<p class="agent"><a href="#{place}">Conversation of this subagent</a></p>\n' if place else ""


_FAILED = ' <span class="state">failed</span>'


def _pre(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>" if text else '<p class="unshown">No text.</p>'

"""A page of a transcript as the dashboard shows it: blocks cut to size and rendered, with the addresses around them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.urls import reverse

from memories import transcript_words
from memories.core import clock, transcript_reading
from memories.core.archived_sessions import ArchivedTranscript
from memories.core.line_places import Place
from memories.core.transcript_blocks import Block
from memories.core.transcript_items import clean
from memories.core.transcript_reading import Page
from memories.markdown import rendered
from memories.transcript_words import cleaned

WHOLE_BYTES = 40_000
"""What one page of a block's whole text holds."""


@dataclass(frozen=True)
class ShownBlock:
    """A block. number: its line. html: said text, rendered. text: other text. fields: a call's input. summary: what
    stands when it is folded. more_url: where the whole of it is, "" when it is here; more: how many characters it has.
    answer: a call's output. anchor: the line that links to it are to find here, 0 when that is elsewhere. call: the
    line of the call that an output belongs to, 0 when unknown. agent_url: the subagent's transcript."""

    kind: str
    number: int
    label: str
    summary: str
    html: str = ""
    text: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    more_url: str = ""
    more: int = 0
    failed: bool = False
    answer: ShownBlock | None = None
    anchor: int = 0
    call: int = 0
    agent_url: str = ""
    is_open: bool = False


@dataclass(frozen=True)
class ShownLine:
    """A line: role decides its look; label is "" where the line before is of the same speaker."""

    number: int
    role: str
    label: str
    time: str
    is_aside: bool
    is_target: bool
    blocks: list[ShownBlock]


class TranscriptView:
    """Renders one transcript's pages. target: the line that is marked, 0 for none; beside: the stems of the transcripts
    beside it, which may be linked to."""

    def __init__(self, found: ArchivedTranscript, beside: list[str], target: int = 0) -> None:
        self._found = found
        self._beside = frozenset(beside)
        self._target = target
        self._address = reverse("transcript", args=[found.name])
        self._free: set[int] = set()  # lines of the page that no element stands for yet

    def address(self, **values: object) -> str:
        """The transcript's address with these values."""
        return f"{self._address}?{urlencode(values)}" if values else self._address

    def line_url(self, number: int) -> str:
        """Where a line is shown in its place."""
        return f"{self.address(line=number)}#L{number}"

    def lines(self, page: Page) -> list[ShownLine]:
        """The lines of a page. The target, where it is bookkeeping, is the first shown line after it."""
        shown: list[ShownLine] = []
        self._free = set(range(page.first, page.last + 1)) - {line.number for line in page.lines}
        target = _target_of(page, self._target)
        previous = ""
        for line in page.lines:
            role = transcript_words.role_of(line)
            speaker = f"{role}{line.is_aside}"
            limits = transcript_reading.limits(line)
            blocks = [self._block(block, limit) for block, limit in zip(line.blocks, limits, strict=True)]
            label = "" if speaker == previous else transcript_words.speaker(role, is_subagent=self._found.is_subagent)
            time = clock.normalise_time(line.time) or ""
            shown.append(ShownLine(line.number, role, label, time, line.is_aside, line.number == target, blocks))
            previous = speaker
        return shown

    def _block(self, block: Block, limit: int) -> ShownBlock:
        number = block.place[0]
        if block.kind == "tool":
            return self._tool(block, limit)
        text = cleaned(transcript_reading.cut(block.text, limit))
        is_cut = len(block.text) > limit or transcript_reading.escaped_size(block.text) > limit
        said = block.kind in {"assistant", "summary"}
        agent = block.agent in self._beside
        return ShownBlock(
            kind=block.kind,
            number=number,
            label=transcript_words.label(block),
            summary=transcript_words.summary(text),
            html=rendered(text) if said and text else "",
            text="" if said else text,
            more_url=self.whole_url(block) if is_cut else "",
            more=len(block.text),
            failed=block.failed,
            call=block.call.place[0] if block.call else 0,
            agent_url=self._agent_url(block.agent) if agent else "",
            is_open=number == self._target,
        )

    def _tool(self, block: Block, limit: int) -> ShownBlock:
        room, fields, is_cut = limit, [], False
        for name, text in block.fields:
            shown = transcript_reading.cut(text, max(room, 1)) if room > 0 else ""
            is_cut = is_cut or len(shown) < len(text)
            room -= transcript_reading.escaped_size(shown)
            fields += [(clean(name), cleaned(shown))] if shown or not text else []
        answer = block.answer
        shown_answer = self._answer(answer) if answer else None
        return ShownBlock(
            kind="tool",
            number=block.place[0],
            label=clean(block.name),
            summary=clean(block.text),
            fields=fields,
            more_url=self.whole_url(block) if is_cut else "",
            more=sum(len(text) for _, text in block.fields),
            failed=bool(answer and answer.failed),
            answer=shown_answer,
            agent_url=shown_answer.agent_url if shown_answer else "",
            is_open=block.place[0] == self._target or bool(answer and answer.place[0] == self._target),
        )

    def _answer(self, block: Block) -> ShownBlock:
        shown = self._block(block, transcript_reading.FOLDED_BYTES)
        if shown.number not in self._free:  # on another page, or beside other blocks of its line
            return shown
        self._free.discard(shown.number)
        return replace(shown, anchor=shown.number)

    def whole_url(self, block: Block, at: int = 0) -> str:
        """Where the whole text of a block is, from a character on."""
        values = {"whole": place_text(block.place), "part": block.index} | ({"at": at} if at else {})
        return self.address(**values)

    def _agent_url(self, stem: str) -> str:
        return reverse("transcript", args=[f"{self._found.session_id}/{stem}"])


def place_text(place: Place) -> str:
    """A place as addresses carry it."""
    return f"{place[0]}:{place[1]}"


def whole_text(block: Block) -> str:
    """All of a block as one text."""
    if not block.fields:
        return block.text
    return "\n\n".join(f"{name}:\n{text}" for name, text in block.fields)


def _target_of(page: Page, target: int) -> int:
    """The number of the shown line that stands for the target: itself, the next one, else the last; 0 for none."""
    if not target or not page.first <= target <= page.last:
        return 0
    answers = {
        block.answer.place[0]: line.number for line in page.lines for block in line.blocks if block.answer is not None
    }
    if target in answers:
        return answers[target]
    after = (line.number for line in page.lines if line.number >= target)
    return next(after, page.lines[-1].number if page.lines else 0)


def name_of(block: Block, found: ArchivedTranscript) -> str:
    """What a block is where it stands without its line: You, Claude, Tool Bash, Output."""
    if block.kind == "tool":
        return f"Tool {clean(block.name)}"
    return (
        transcript_words.speaker("user", is_subagent=found.is_subagent)
        if block.kind == "user"
        else transcript_words.label(block)
    )

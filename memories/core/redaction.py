"""Redaction of what is read: the redactor that a data folder asks for, a record, a line of a transcript.

Whatever is indexed, shown to a person or told to the model comes through here before it is cut to size, so that no cut
leaves half of a secret. The files themselves stay as they are: `llm-memory redact` changes those.
"""

from __future__ import annotations

import json
import os
import re

from memories.core import files, records
from memories.core.errors import StorageError
from memories.core.patterns import lazy
from memories.core.settings import CLOSED, read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeVar

    from memories.core.paths import DataFolder
    from memories.core.redact import Redactor

    Line = TypeVar("Line", tuple[int, dict[str, Any]], tuple[int, int, dict[str, Any]])
    Slot = tuple[Any, Any, str]  # what holds a text, its place there, the text

PATTERNS = "redact-patterns.json"
"""In state/: the user's patterns as they were last in force, for the time in which the settings cannot be read."""

_MAX_PATTERNS_BYTES = 1_000_000

_STRUCTURE = frozenset(
    "uuid parentUuid logicalParentUuid sessionId session_id timestamp type subtype role id model cwd version userType "
    "promptId promptSource permissionMode requestId usage stop_reason stop_sequence tool_use_id sourceToolUseID "
    "sourceToolAssistantUUID isSidechain isMeta is_error signature".split()
)
"""Fields of a line, of its message and of its blocks that tell what they are: ids, times, kinds. What a block's picture
or signature holds is shown of none."""

RECORD_STRUCTURE = frozenset(
    "schema_version uuid type created_at updated_at deleted_at origin status archived_in session_id project_id "
    "transcript_ref connections conflict_of importance".split()
)
"""Fields of a record that Redactor.record leaves alone."""

TOLD_IN_RESULTS = frozenset({"questions", "answers", "plan", "task", "agentId"})
"""Of `toolUseResult`, the client's own copy of a result: answers to questions, an approved plan, a task that was made,
the subagent that was started. Nothing else of it is read."""

BATCH_LINES = 32
"""Lines that are looked at as one text: a look costs some 20 us, however little there is to see."""

_SECRET_NAME = lazy(r"(?i)pass|pwd|secret|token|key|credential|psk|pat")
"""What secret_keys.NAME accepts holds one of these; other names are not worth its import."""

_MAX_PROBED = 4096
"""Characters of a value that may be a secret by its name alone; longer ones are texts."""

WHOLE_CHARS = 60_000
"""A longer text is read only in part for a session log, which quotes some hundred characters of it."""

PART_CHARS = 20_000
"""Of such a text, how much of its beginning and of its end is read."""

_EDGE_CHARS = 2_000
"""Where a part is cut: at a line's end or a blank among so many characters, which are left out if there is none. No
token is longer."""

MASKED = "[masked]"
_MASK = r"(?<![*/])\*{8,}(?![*/])"
"""What an archive that is masked has in a secret's place; not the frames of comments in code."""

_known_names: dict[str, bool] = {}
_MAX_NAMES = 1000


def of(folder: DataFolder) -> Redactor:
    """The redactor that a data folder's settings ask for. While they cannot be read, the patterns that were last in
    force count on: a slip in the file must not show what the user wanted hidden."""
    from memories.core.redact import redactor  # its rules are not for the hooks that show nothing

    settings, problems = read_settings(folder)
    if problems and settings["excluded_paths"] == CLOSED["excluded_paths"] and not settings["redact_patterns"]:
        settings = {**settings, "redact_patterns": _last_patterns(folder)}
    return redactor(settings)


def _last_patterns(folder: DataFolder) -> list[str]:
    from memories.core.settings import problem_of

    try:
        with files.open_plain(os.path.join(folder.state, PATTERNS)) as file:
            patterns = json.loads(file.read(_MAX_PATTERNS_BYTES))
    except (OSError, ValueError, RecursionError):
        return []
    return patterns if problem_of("redact_patterns", patterns) is None else []


def note_patterns(folder: DataFolder) -> None:
    """Keep the user's patterns for the time in which the settings cannot be read. A disk that refuses is no matter."""
    settings, problems = read_settings(folder)
    path = os.path.join(folder.state, PATTERNS)
    if problems or not (settings["redact_patterns"] or os.path.lexists(path)):
        return
    try:
        files.write_atomic(path, json.dumps(settings["redact_patterns"]).encode(), durable=False)
    except StorageError:
        pass


def load(folder: DataFolder, uuid: str, redactor: Redactor | None = None) -> dict[str, Any]:
    """The record with that uuid as it may be shown: for whatever does not write it back. Raises as records.load.

    redactor: of(folder), for whoever loads many.
    """
    found = records.load(folder, uuid)
    record(found, redactor or of(folder))
    return found


def tombstone(folder: DataFolder, uuid: str) -> dict[str, Any] | None:
    """The deleted record in trash/ as it may be shown; None when there is none that can be read."""
    grave = records.tombstone(folder, uuid)
    if grave is not None:
        record(grave, of(folder))
    return grave


def default() -> Redactor:
    """The redactor without patterns of anybody's: for a line that is read outside of any data folder."""
    from memories.core.redact import Redactor

    if not _default:
        _default.append(Redactor())
    return _default[0]


_default: list[Redactor] = []


def record(found: dict[str, Any], redactor: Redactor) -> None:
    """Redact a record as Redactor.record does, in place; sooner where there is nothing to redact, as nearly always."""
    slots: list[Slot] = []
    _gather([{name: value for name, value in found.items() if name not in RECORD_STRUCTURE}], slots, [])
    if not _is_clean(slots, [], redactor):
        redactor.record(found)


def line(entry: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    """A parsed line of a transcript as it may be shown: every text in it redacted, in place. Returns the same object.

    Of the client's own copy of a tool's result only TOLD_IN_RESULTS stays. In a tool's result an unclosed <private> is
    text. What an archive has masked is MASKED.
    """
    lines([entry], redactor)
    return entry


def lines(entries: list[dict[str, Any]], redactor: Redactor) -> None:
    """Redact parsed lines as line does, in place: sooner than one by one, as they are looked at as one text first, in
    which nearly always nothing is found."""
    slots: list[Slot] = []
    outputs: list[Slot] = []
    named: list[dict[str, Any]] = []
    for entry in entries:
        _gather_line(entry, slots, outputs, named)
    is_clean = _is_clean([*slots, *outputs], named, redactor)
    for found, unclosed in ((slots, True), (outputs, False)):
        for holder, place, text in found:
            shown = text if is_clean else redactor.text(text, unclosed=unclosed)
            if not is_clean and shown is text and isinstance(place, str):
                shown = _by_name(place, text)
            if "********" in shown:
                shown = re.sub(_MASK, MASKED, shown)
            if shown is not text:
                holder[place] = shown
    if is_clean:
        return
    for fields in named:
        if redactor.text(names := "\n".join(fields)) is not names:
            renamed = [(redactor.text(name), value) for name, value in fields.items()]
            fields.clear()
            fields.update(renamed)


def shorten(entry: dict[str, Any]) -> None:
    """Cut the texts of a parsed line that are longer than WHOLE_CHARS to their beginning and their end, in place and
    before they are redacted. No cut leaves half of a secret, nor a part of a private passage."""
    slots: list[Slot] = []
    outputs: list[Slot] = []
    _gather_line(entry, slots, outputs, [])
    for holder, place, text in slots:
        if len(text) > WHOLE_CHARS:
            holder[place] = _shortened(text, unclosed=True)
    for holder, place, text in outputs:
        if len(text) > WHOLE_CHARS:
            holder[place] = _shortened(text, unclosed=False)


def _shortened(text: str, *, unclosed: bool) -> str:
    if "rivate" in text or "RIVATE" in text:  # a passage or a key may reach from one part into the other
        from memories.core import private_passages, redact

        end, parts = 0, []
        for start, stop in private_passages.private(text, unclosed):
            parts += [text[end:start], redact.placeholder(redact.PRIVATE)]
            end = stop
        text = "".join([*parts, text[end:]])
        if len(text) <= WHOLE_CHARS or "PRIVATE KEY" in text:
            return text
    head, tail = text[:PART_CHARS], text[-PART_CHARS:]
    cut = max(head.rfind(mark, PART_CHARS - _EDGE_CHARS) for mark in "\n ")
    starts = [at for at in (tail.find("\n", 0, _EDGE_CHARS), tail.find(" ", 0, _EDGE_CHARS), _EDGE_CHARS) if at >= 0]
    return f"{head[: cut if cut > 0 else -_EDGE_CHARS]}\n…\n{tail[starts[0] :]}"


def batched(found: Iterator[Line], redactor: Redactor) -> Iterator[Line]:
    """Parsed lines, each behind what tells its place, redacted; up to BATCH_LINES are read ahead."""
    waiting: list[Line] = []
    for one in found:
        waiting.append(one)
        if len(waiting) == BATCH_LINES:
            lines([entry for *_, entry in waiting], redactor)
            yield from waiting
            waiting = []
    lines([entry for *_, entry in waiting], redactor)
    yield from waiting


def _gather_line(entry: dict[str, Any], slots: list[Slot], outputs: list[Slot], named: list[dict[str, Any]]) -> None:
    """Note the texts of a line: of itself, of its message and of the blocks in that, all but what tells its structure;
    below them all there are. outputs: for those of what tools gave back."""
    kept = entry.pop("toolUseResult", None)
    if isinstance(kept, dict) and not TOLD_IN_RESULTS.isdisjoint(kept):
        entry["toolUseResult"] = {name: kept[name] for name in TOLD_IN_RESULTS if name in kept}
    waiting: list[Any] = []
    given: list[Any] = []
    levels, known = [entry], set()  # known: containers that are levels themselves, or hold nothing else
    message = entry.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(message, dict):
        levels.append(message)
        known.add(id(message))
    if isinstance(content, list):
        known.add(id(content))
        levels += [block for block in content if isinstance(block, dict)]
        slots += [(content, place, block) for place, block in enumerate(content) if isinstance(block, str)]
        waiting += [block for block in content if isinstance(block, list)]
    for level in levels:
        for name, value in level.items():
            if name in _STRUCTURE or id(value) in known:
                continue
            is_output = name == "content" and level.get("type") == "tool_result"
            if isinstance(value, str):
                (outputs if is_output else slots).append((level, name, value))
            elif name == "source" and isinstance(value, dict) and level is not entry:
                slots += [(value, key, one) for key, one in value.items() if isinstance(one, str) and key != "data"]
            elif isinstance(value, dict | list):
                (given if is_output else waiting).append(value)
    _gather(waiting, slots, named)
    _gather(given, outputs, named)


def _gather(waiting: list[Any], slots: list[Slot], named: list[dict[str, Any]]) -> None:
    """Note the texts in dicts and lists of anybody's making, and the dicts. No recursion: whoever wrote them chose how
    deep they are."""
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            named.append(value)
        for place, one in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(one, str):
                slots.append((value, place, one))
            elif isinstance(one, dict | list):
                waiting.append(one)


def _is_clean(slots: list[Slot], named: list[dict[str, Any]], redactor: Redactor) -> bool:
    """Whether nothing is to be redacted, found out by looking at all texts as one; False where that does not tell."""
    if redactor.fingerprint != default().fingerprint:
        return False  # a pattern of the user's may ask where a text begins
    if any(isinstance(place, str) and _by_name(place, text) is not text for _, place, text in slots):
        return False
    texts = [text for _, _, text in slots]
    for fields in named:
        texts += fields
    return not redactor.spans("\n".join(texts))


def _by_name(name: str, value: str) -> str:
    """The placeholder where only its name tells that a value is a secret: `{"password": "..."}`; else the value."""
    if len(_known_names) > _MAX_NAMES:
        _known_names.clear()
    if name not in _known_names:
        _known_names[name] = _SECRET_NAME.search(name) is not None
    if not _known_names[name] or len(value) > _MAX_PROBED:
        return value
    from memories.core import redact, secret_keys

    rule = secret_keys.field_rule(name, value)
    return redact.placeholder(rule) if rule else value

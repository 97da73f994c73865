"""The text of a session log: what a session's transcript says, in Markdown, within MAX_CHARS."""

from __future__ import annotations

from memories.core import clock, conversation, shell_commands
from memories.core.patterns import lazy
from memories.core.session_facts import SAID, STILL_FAILING, Fact, SessionFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.projects import Project
    from memories.core.session_reading import Session

MAX_CHARS = 6000
"""Characters a session log's content never exceeds: the sum of the caps below and of what stands around them."""

OPENING_CHARS = 700
LAST_REQUEST_CHARS = 400
LAST_ANSWER_CHARS = 800
REQUESTS_CHARS = 850
DECIDED_CHARS = 900
ERRORS_CHARS = 500
LIST_CHARS = 290
TOOLS_CHARS = 150
COMMAND_CHARS = 100
REQUEST_CHARS = 200
"""One of the further requests: two of them say more than one at length."""

_CONTROL = lazy(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")


def content(session: Session, project: Project | None, place: str) -> str:
    """A session's log as Markdown. place: what stands for the session in `[place:line]`."""
    opening, (request, answer) = session.opening, session.shown_exchange
    first, last = (conversation.without_paste_marks(one.text) for one in (opening, request))
    commands, commits = _commands_and_commits(session)
    tools = ", ".join(f"{name} {count}" for name, count in _most_used(session.tools))
    parts = [
        _head(session, project),
        _part("Opening request", _quoted(first, OPENING_CHARS)),
        _part("Further requests", _further(session.facts, {opening.line, request.line}, place)),
        _part("Decided", _decided(session.facts.decisions, place)),
        _part("Last request", "" if request.line == opening.line else _quoted(last, LAST_REQUEST_CHARS)),
        _part("Last answer", _quoted(answer, LAST_ANSWER_CHARS)),
        _part("Errors", _errors(session.facts, place)),
        _part("Open items", _listed([_cut(item, COMMAND_CHARS) for item in session.facts.open_items], "")),
        _part("Files edited", _listed([_shown(name, session.cwd, project) for name in session.edited], "")),
        _part("Commits", _listed(commits, "")),
        _part("Commands", _listed(commands, "`")),
        _part("Tools used", _cut(tools, TOOLS_CHARS)),
    ]
    return "\n\n".join(filter(None, parts))


def _head(session: Session, project: Project | None) -> str:
    where = f"Project: {_cut(project.name, 80) if project else 'none'}"
    if session.branch:
        where += f" · branch: {_cut(session.branch, 80)}"
    said = f"Said: {_count(session.requests, 'request')}, {_count(session.answers, 'answer')}"
    if session.compactions:
        said += f", compacted {_count(session.compactions, 'time')}"
    return "\n".join(filter(None, (where, _when(session.times), said, f"Ended: {session.ending}")))


def _further(facts: SessionFacts, shown: set[int], place: str) -> str:
    """The requests that no other part shows: of the newest, as many as there is room for."""
    quoted: dict[int, str] = {}
    for fact in facts.decisions:
        if fact.text.startswith(SAID):
            quoted[fact.line] = f"{quoted.get(fact.line, '')} {fact.text[len(SAID) + 1 : -1]}".strip()
    further = [
        f"[{place}:{one.line}] {_cut(one.text, REQUEST_CHARS)}"
        for one in facts.requests
        if one.line not in shown and quoted.get(one.line) != one.text
    ]
    return _newest(further, further[::-1], REQUESTS_CHARS)


def _decided(decisions: list[Fact], place: str) -> str:
    """What was decided; where there is no room for all, plans and answers before sentences, newer before older."""
    lines = {fact.text: f"[{place}:{fact.line}] {_one_line(fact.text)}" for fact in decisions}
    settled = [line for text, line in lines.items() if not text.startswith(SAID)]
    said = [line for text, line in lines.items() if text.startswith(SAID)]
    return _newest(list(lines.values()), settled[::-1] + said[::-1], DECIDED_CHARS)


def _errors(facts: SessionFacts, place: str) -> str:
    """What failed and how it ended; where there is no room for all, what is not fixed before the rest."""
    failures = facts.failures
    lines = [
        f"[{place}:{one.line}] {_cut(one.what, COMMAND_CHARS)}: {_cut(one.error, COMMAND_CHARS)} -- ended: {one.ended}"
        for one in failures
    ]
    best = sorted(range(len(lines)), key=lambda i: (failures[i].is_fixed, failures[i].ended != STILL_FAILING, -i))
    return _newest(lines, [lines[i] for i in best], ERRORS_CHARS)


def _when(times: list[str]) -> str:
    if not times:
        return ""
    start, end = min(times), max(times)
    minutes = ((clock.parse_time(end) or 0) - (clock.parse_time(start) or 0)) // 60
    hours, rest = divmod(minutes, 60)
    lasted = f"{hours} h {rest} min" if hours else f"{minutes} min"
    return f"Time: {start.replace('T', ' ')} to {end.replace('T', ' ')} UTC ({lasted})"


def _part(title: str, body: str) -> str:
    return f"## {title}\n{body}" if body else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _most_used(tools: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(tools.items(), key=lambda item: (-item[1], item[0]))


def _one_line(text: str) -> str:
    """Text on one line, without control characters or halves of surrogate pairs."""
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode("utf-8")).strip()


def _cut(text: str, limit: int) -> str:
    """One line of at most limit characters, cut between words where there is a space in its second half."""
    looked_at = limit * 16  # of a message of megabytes only its beginning is seen
    while len(line := _one_line(text[:looked_at])) <= limit:
        if looked_at >= len(text):
            return line
        looked_at *= 16
    head = line[: limit - 1]
    space = head.rfind(" ", limit // 2)
    return (head[:space] if space > 0 else head).rstrip() + "…"


def _quoted(text: str, limit: int) -> str:
    line = _cut(text, limit)
    return f"> {line}" if line else ""


def _listed(items: list[str], quote: str) -> str:
    """A Markdown list within LIST_CHARS; what does not fit is counted."""
    lines: list[str] = []
    room = LIST_CHARS - len("- and 1000000 more")
    for position, item in enumerate(items):
        line = f"- {quote}{item}{quote}"
        room -= len(line) + 1
        if room < 0:
            lines.append(f"- and {len(items) - position} more")
            break
        lines.append(line)
    return "\n".join(lines)


def _newest(items: list[str], best: list[str], chars: int) -> str:
    """A Markdown list of the items, in their order, that fit when the best are taken first; the others are counted."""
    room = chars - len("- and 1000000 others\n")
    kept = set()
    for item in best:
        room -= len(item) + len("- \n")
        if room < 0:
            break
        kept.add(item)
    lines = [f"- {item}" for item in items if item in kept]
    return "\n".join(lines + [f"- and {len(items) - len(lines)} others"] * (len(lines) < len(items)))


def _shown(path: str, cwd: str, project: Project | None) -> str:
    """A file's path relative to the project's root or the session's folder where it lies inside."""
    for root in (project.root if project else "", cwd):
        if root and path.startswith(root.rstrip("/") + "/"):
            path = path[len(root.rstrip("/")) + 1 :]
            break
    return _cut(path, COMMAND_CHARS)


def _commands_and_commits(session: Session) -> tuple[list[str], list[str]]:
    """(commands, most telling first; subjects of the commits made), each once, calls that failed only as commands."""
    commands: dict[str, int] = {}
    commits: dict[str, None] = {}
    for call_id, command in session.commands.items():
        subject = _cut(shell_commands.commit_subject(command), COMMAND_CHARS)
        if subject and call_id in session.succeeded:
            commits[subject] = None
            continue
        commands.setdefault(_cut(command.replace("`", "'"), COMMAND_CHARS), shell_commands.rank(command))
    commands.pop("", None)
    return sorted(commands, key=lambda name: commands[name]), list(commits)

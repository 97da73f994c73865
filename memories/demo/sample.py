"""A made-up year of work in three projects, so that every page of the dashboard has something to show.

Sessions are written as Claude Code writes transcripts and go through the same sweep as real ones; notes and narratives
are records. Times count back from now; everything else is the same on every run.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from typing import Any

from memories.core import clock, projects, record_merge, records, sync
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from memories.core.transcripts import slug

VERSION = "2.1.330"
TURN_SECONDS = 40
FILLER_DAYS = 4
"""Days between two of a project's short sessions."""

FILLERS = 60
FILLER_TURNS = 2
DAY = 86_400
_NAMESPACE = uuid.UUID("6f1d9a52-2f0e-4d5a-9f0b-3a7d5c1e8b40")
_WAIT_SECONDS = 5.0


def write(root: str) -> DataFolder:
    """Make the sample's data folder below root, a folder that is ours alone, and bring its index up to date.

    Raises LLMMemoryError, OSError.
    """
    folder = DataFolder(os.path.join(root, "memory"))
    folder.create()
    claude_projects = os.path.join(root, "claude", "projects")
    with open(os.path.join(os.path.dirname(__file__), "sample.json"), encoding="utf-8") as file:
        sample = json.load(file)
    midnight = int(time.time()) // DAY * DAY
    for number, project in enumerate(sample["projects"]):
        project["sessions"] = _sessions(project)
        sessions = [_write_session(claude_projects, project, session, midnight) for session in project["sessions"]]
        machines = [sample["machines"][(number + one) % len(sample["machines"])] for one in range(2)]
        _write_records(folder, project, sessions, midnight, machines)
    sync.run(folder, claude_projects, dict(DEFAULTS), wait_seconds=_WAIT_SECONDS)
    return folder


def _sessions(project: dict[str, Any]) -> list[dict[str, Any]]:
    """The project's told sessions, then short ones that fill its year."""
    fillers = project["fillers"]
    step = FILLER_DAYS + len(fillers)
    told: list[dict[str, Any]] = project["sessions"]
    return told + [
        {
            "days_ago": 2 + number * step + number % 3,
            "at": f"{8 + number * 5 % 12:02d}:{number * 7 % 60:02d}",
            "turns": [["user", fillers[number % len(fillers)][0]], ["assistant", fillers[number % len(fillers)][1]]],
        }
        for number in range(FILLERS // len(fillers))
    ]


def _id(*parts: object) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, "/".join(map(str, parts)))


def _seconds(midnight: int, days_ago: int, at: str) -> int:
    hours, minutes = at.split(":")
    return midnight - days_ago * DAY + int(hours) * 3600 + int(minutes) * 60


class _Transcript:
    """Lines of one transcript file, in the client's format."""

    def __init__(self, project: dict[str, Any], session: dict[str, Any], session_id: str, began: int) -> None:
        self.lines: list[dict[str, Any]] = []
        self.agents: dict[str, _Transcript] = {}
        self._project, self._session, self.session_id = project, session, session_id
        self.at = began
        self.is_agent = False

    def add(self, kind: str, **fields: Any) -> None:
        number = len(self.lines)
        self.at += TURN_SECONDS
        self.lines.append(
            {
                "parentUuid": self.lines[-1]["uuid"] if self.lines else None,
                "isSidechain": self.is_agent,
                "type": kind,
                **fields,
                "uuid": str(_id(self.session_id, self.is_agent, number)),
                "timestamp": f"{clock.format_time(self.at)}.000Z",
                "userType": "external",
                "entrypoint": "cli",
                "cwd": self._project["cwd"],
                "sessionId": self.session_id,
                "version": VERSION,
                "gitBranch": self._session.get("branch", self._project["branch"]),
            }
        )

    def say(self, turns: list[list[Any]]) -> None:
        """Add the sample's turns: [kind, what belongs to it ...]."""
        for kind, *values in turns:
            getattr(self, f"_{kind}")(*values)

    def _user(self, text: str) -> None:
        self.add("user", message={"role": "user", "content": text}, origin={"kind": "human"})

    def _assistant(self, text: str) -> None:
        self._answer({"type": "text", "text": text})

    def _answer(self, block: dict[str, Any]) -> None:
        usage = {"input_tokens": 900, "cache_read_input_tokens": 18_000, "output_tokens": 140}
        number = len(self.lines)
        message = {"id": f"msg_{number}", "role": "assistant", "model": "claude-demo", "usage": usage}
        self.add("assistant", message={**message, "content": [block]})

    def _tool(self, name: str, arguments: dict[str, Any], output: str, **result: Any) -> None:
        call = f"toolu_{len(self.lines):03d}"
        self._answer({"type": "tool_use", "id": call, "name": name, "input": arguments})
        found = {"type": "tool_result", "tool_use_id": call, "content": output, "is_error": False}
        self.add("user", message={"role": "user", "content": [found]}, **result)

    def _task(self, description: str, prompt: str, turns: list[list[Any]]) -> None:
        agent_id = f"a{len(self.agents) + 1:06x}"
        agent = _Transcript(self._project, self._session, self.session_id, self.at)
        agent.is_agent = True
        agent.say(turns)
        self.agents[agent_id] = agent
        arguments = {"description": description, "prompt": prompt, "subagent_type": "general-purpose"}
        self._tool("Task", arguments, turns[-1][1], toolUseResult={"agentId": agent_id, "status": "completed"})
        self.at = agent.at

    def _compact(self, summary: str) -> None:
        about = {"trigger": "auto", "preTokens": 152_000}
        self.add("system", subtype="compact_boundary", content="Conversation compacted", compactMetadata=about)
        text = f"This session is being continued from a previous conversation. {summary}"
        self.add("user", message={"role": "user", "content": text}, isCompactSummary=True)

    def write(self, path: str) -> None:
        """Write the file, and its subagents' beside it, with the mtime that the session's end gives them."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines)
        os.utime(path, (self.at, self.at))
        for agent_id, agent in self.agents.items():
            agent.write(os.path.join(path.removesuffix(".jsonl"), "subagents", f"agent-{agent_id}.jsonl"))


def _write_session(claude_projects: str, project: dict[str, Any], session: dict[str, Any], midnight: int) -> str:
    """Write one session's transcript; its id."""
    began = _seconds(midnight, session["days_ago"], session["at"])
    session_id = str(_id(project["name"], session["days_ago"], session["at"]))
    transcript = _Transcript(project, session, session_id, began)
    transcript.say(session["turns"])
    transcript.write(os.path.join(claude_projects, slug(project["cwd"]), f"{session_id}.jsonl"))
    return session_id


def _write_records(
    folder: DataFolder, project: dict[str, Any], sessions: list[str], midnight: int, machines: list[str]
) -> None:
    """machines: the one that the project is worked on, and another."""
    found = projects.identify(project["cwd"], dict(DEFAULTS))
    assert found is not None  # noqa: S101 - the sample's folders are no home folders
    common = {"project": found.name, "project_id": found.id, "origin": machines[0]}
    name = project["name"]
    for note in project["notes"]:
        links = [{"to_uuid": _id(name, to).hex, "relationship": kind} for to, kind in note.get("links", ())]
        fields = {**common, "importance": note["importance"], "tags": note["tags"], "connections": links}
        if "session" in note:
            fields |= {"session_id": sessions[note["session"]], "transcript_ref": sessions[note["session"]]}
        written = _seconds(midnight, note["days_ago"], "17:30")
        _save(folder, "note", note["text"], written, _id(name, note["id"]).hex, fields)
        if "other" in note:
            _edit_elsewhere(folder, _id(name, note["id"]).hex, note["other"], written + DAY, machines[1])
    for number, narrative in enumerate(project["narratives"]):
        text = narrative["text"].format(*(session[:8] for session in sessions))
        written = _seconds(midnight, narrative["days_ago"], "18:00")
        fields = {**common, **_narrative_fields(project, sessions, number)}
        _save(folder, "narrative", text, written, _id(name, "narrative", number).hex, fields)


def _edit_elsewhere(folder: DataFolder, uuid: str, text: str, seconds: int, machine: str) -> None:
    """Change a note as another machine did before a sync brought what this one changed an hour later: merged."""
    record = records.load(folder, uuid)
    times = [clock.format_time(seconds), clock.format_time(seconds + 3600)]
    theirs = {**record, "content": text, "origin": machine, "updated_at": times[0]}
    found = record_merge.merge([theirs, {**record, "updated_at": times[1]}])
    for one in [found.record, *found.kept]:
        records.save(folder, one)


def _narrative_fields(project: dict[str, Any], sessions: list[str], number: int) -> dict[str, Any]:
    """What a narrative's record says beside its text: what it was read from, what it replaces."""
    narrative = project["narratives"][number]
    read = [
        session_id
        for index, session_id in enumerate(sessions)
        if index in narrative["sessions"]
        or (not _is_told(project, index) and project["sessions"][index]["days_ago"] > narrative["days_ago"])
    ]
    size, turns = narrative.get("read_of_the_last", (0, 0))
    last = sessions[narrative["sessions"][-1]]
    before = _id(project["name"], "narrative", number - 1).hex
    return {
        "importance": 9,
        "transcript_ref": ",".join(read),
        "connections": [{"to_uuid": before, "relationship": "supersedes"}] if number else [],
        "accepted_losses": narrative.get("accepted", []),
        "status": "active" if number == len(project["narratives"]) - 1 else "archived",
        **({"processed_bytes": {last: size}, "processed_turns": {last: turns}} if size else {}),
    }


def _is_told(project: dict[str, Any], index: int) -> bool:
    """Whether a session's turns stand in sample.json, and are not one of its fillers."""
    return "branch" in project["sessions"][index] or len(project["sessions"][index]["turns"]) > FILLER_TURNS


def _save(folder: DataFolder, kind: str, text: str, seconds: int, own: str, fields: dict[str, Any]) -> None:
    record = records.new_record(type=kind, content=text, created_at=clock.format_time(seconds), **fields)
    records.save(folder, {**record, "uuid": own})

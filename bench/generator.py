"""Made-up data in the real formats, deterministic by seed and quick: transcripts as Claude Code 2.1.330 writes them.

Lines are made by templates, which is quicker than json.dumps. A turn is a user's or Claude's text of 480 characters in
the mean; tool calls and their results, thinking and the client's own lines stand between.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field

from bench.vocabulary import Vocabulary

SEED = 20260314
TURNS_PER_SESSION = (100, 200)
SUBAGENT_TURNS = 20
SUBAGENT_EVERY = 8
"""Every eighth session has a subagent's transcript beside it."""

PROJECTS = 40
FIRST_DAY = 1_704_100_000
"""Seconds since 1970: early January 2024. The sessions spread over the two years after it."""

SPREAD_SECONDS = 2 * 365 * 86_400
SECONDS_PER_LINE = 20
BLOB_BYTES = 30_000
"""The client's log of what it sent (system prompt, tool schemas), once a session."""

WORDS_PER_TURN = (8, 15, 25, 40, 55, 70, 90, 115, 150)
"""Equally likely lengths of a turn, which make 480 characters in the mean."""

WORDS_PER_RECORD = (20, 40, 60, 80, 100)

_COMMON = (
    '"uuid":"%s","parentUuid":%s,"isSidechain":%s,"userType":"external","entrypoint":"cli","cwd":"/home/dev/code/%s",'
    '"sessionId":"%s","version":"2.1.330","gitBranch":"%s","timestamp":"%s"'
)
_USAGE = (
    '"usage":{"input_tokens":4,"cache_creation_input_tokens":812,"cache_read_input_tokens":40211,"output_tokens":212,'
    '"service_tier":"standard"}'
)
_ASSISTANT = '{"type":"assistant",%s,"requestId":"req_%s","message":{"id":"msg_%s","type":"message","role":"assistant",'
_ASSISTANT += '"model":"claude-opus-5-5","content":[%s],"stop_reason":null,' + _USAGE + "}}\n"
_USER = (
    '{"type":"user",%s,"promptId":"p%s","permissionMode":"default","origin":{"kind":"human"},"promptSource":"typed",'
)
_USER += '"message":{"role":"user","content":"%s"}}\n'
_RESULT = '{"type":"user",%s,"message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_%s",'
_RESULT += '"content":"%s","is_error":false}]},"toolUseResult":{"stdout":"%s","stderr":"","interrupted":false}}\n'
_RECORD = """{
  "schema_version": 1,
  "uuid": "%s",
  "type": "note",
  "content": "%s",
  "project": "%s",
  "session_id": null,
  "importance": %d,
  "transcript_ref": null,
  "tags": "%s",
  "created_at": "%s",
  "connections": [],
  "status": "active"
}
"""


@dataclass
class Sample:
    """A text that was written and where: session id and line of a turn, or a record's uuid and 0."""

    source: str
    line: int
    text: str


@dataclass
class Written:
    """What was written: turns with a text (subagents' among them), tool calls, all lines; bytes of the turns' texts and
    of the files; one sample a session."""

    turns: int = 0
    subagent_turns: int = 0
    calls: int = 0
    lines: int = 0
    text_bytes: int = 0
    file_bytes: int = 0
    samples: list[Sample] = field(default_factory=list)

    def add(self, other: Written) -> None:
        """Count what another holds as well."""
        for name in ("turns", "subagent_turns", "calls", "lines", "text_bytes", "file_bytes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.samples += other.samples


class Generator:
    """Writes sessions into a transcripts folder, and records into a records folder; goes on where it stopped."""

    def __init__(self, seed: int = SEED) -> None:
        """The same seed and the same calls give the same files."""
        self._rng = random.Random(seed)  # noqa: S311 - made-up text, the same on every run
        self.vocabulary = Vocabulary(self._rng)
        self._projects = self.vocabulary.rare(self._rng, PROJECTS)
        self._sessions = 0

    def write_turns(self, transcripts: str, count: int) -> Written:
        """Write sessions that hold that many turns with a text. Raises OSError."""
        written = Written()
        while written.turns < count:
            wanted = min(self._rng.randint(*TURNS_PER_SESSION), count - written.turns)
            self._sessions += 1
            session = _Session(self, self._sessions, self._rng.choice(self._projects))
            beside = SUBAGENT_TURNS if self._sessions % SUBAGENT_EVERY == 0 and wanted > SUBAGENT_TURNS else 0
            path = os.path.join(transcripts, session.id + ".jsonl")
            written.add(session.write(path, wanted - beside))
            if beside:
                folder = os.path.join(transcripts, session.id, "subagents")
                os.makedirs(folder)
                agent = os.path.join(folder, f"agent-a{self._sessions:07x}")
                with open(agent + ".meta.json", "w", encoding="utf-8") as file:
                    file.write('{"agentType":"general-purpose","description":"look around"}')
                written.add(session.write(agent + ".jsonl", beside, subagent=True))
        return written

    def write_session(self, transcripts: str, turns: int) -> tuple[str, Written]:
        """Write one session of that many turns, below 40,000; its id beside what was written. Raises OSError."""
        self._sessions += 1
        session = _Session(self, self._sessions, self._rng.choice(self._projects))
        return session.id, session.write(os.path.join(transcripts, session.id + ".jsonl"), turns)

    def write_records(self, folder: str, count: int) -> Written:
        """Write that many notes; a sample for every fiftieth. Raises OSError."""
        written = Written()
        rng = self._rng
        for number in range(count):
            uuid = f"{rng.getrandbits(128):032x}"
            text = self.text(rng.choice(WORDS_PER_RECORD))
            when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(FIRST_DAY + rng.randrange(SPREAD_SECONDS)))
            tags = ", ".join(self.vocabulary.draw(rng, 2))
            project = rng.choice(self._projects)
            data = _RECORD % (uuid, escaped(text), project, rng.randint(1, 10), tags, when)
            with open(os.path.join(folder, uuid + ".json"), "w", encoding="utf-8") as file:
                file.write(data)
            written.text_bytes += len(text.encode())
            written.file_bytes += len(data.encode())
            if number % 50 == 0:
                written.samples.append(Sample(uuid, 0, text))
        return written

    def text(self, count: int, topic: list[str] | None = None) -> str:
        """Running text of about that many words: sentences, now and then an identifier, a path, an error, another
        script. A sixth of the words is drawn from the topic."""
        rng = self._rng
        words = self.vocabulary.draw(rng, count)
        for _ in range(count // 6 if topic else 0):
            words[rng.randrange(count)] = rng.choice(topic or words)
        for _ in range(count // 30):
            words[rng.randrange(count)] = self.identifier()
        length = rng.randint(9, 15)
        sentences = [" ".join(words[start : start + length]) for start in range(0, count, length)]
        text = ". ".join(sentences) + "."
        chance = rng.random()
        if chance < 0.1:
            text += f'\n\n```\n{self.identifier()}("{words[0]}")\n```'
        elif chance < 0.12:
            text += " 索引を再構築しました。"
        return text

    def identifier(self) -> str:
        """A name as it stands in code: snake_case, camelCase, dotted, a path, a version, a flag."""
        rng = self._rng
        one, two = self.vocabulary.draw(rng, 2)
        return rng.choice(
            (
                f"{one}_{two}", f"{one}{two.title()}", f"{one}.{two}", f"src/{one}/{two}.py", f"--{one}-{two}",
                f"v{rng.randint(0, 9)}.{rng.randint(0, 40)}.{rng.randint(0, 9)}",
            )
        )  # fmt: skip


class _Session:
    """One session's own: id, project, branch, topic, time; writes its files."""

    def __init__(self, generator: Generator, number: int, project: str) -> None:
        self._generator = generator
        self._rng = rng = generator._rng
        self.id = f"{number:08x}-5ca1-4000-8000-00000000be4c"
        self._number = number
        self._project = project
        self._branch = rng.choice(("main", "main", f"feature/{project}", "fix/retry"))
        self._topic = generator.vocabulary.rare(rng, 40)
        self._began = FIRST_DAY + number * 9_973 * 60 % SPREAD_SECONDS

    def write(self, path: str, turns: int, *, subagent: bool = False) -> Written:
        """Write a transcript with that many turns; its mtime is the session's own end."""
        found = Written(turns=turns, subagent_turns=turns if subagent else 0)
        lines = [] if subagent else self._opening()
        sampled = self._rng.randrange(turns)
        for turn in range(turns):
            text = self._generator.text(self._rng.choice(WORDS_PER_TURN), self._topic)
            found.text_bytes += len(text.encode())
            by_user = turn == 0 or (not subagent and turn % 10 in {0, 4, 7})
            if by_user:
                lines.append(_USER % (self._common(lines, subagent), turn, escaped(text)))
            else:
                if turn % 4 == 1:
                    lines.append(self._answer(lines, subagent, '{"type":"thinking","thinking":"","signature":"c2ln"}'))
                lines.append(self._answer(lines, subagent, f'{{"type":"text","text":"{escaped(text)}"}}'))
            if turn == sampled and not subagent:
                found.samples.append(Sample(self.id, len(lines), text))
            if not by_user and turn % 5 in {1, 3}:
                found.calls += 1
                lines += self._tool_use(lines, subagent)
        data = "".join(lines).encode()
        with open(path, "wb") as file:
            file.write(data)
        end = self._began + len(lines) * SECONDS_PER_LINE
        os.utime(path, (end, end))
        found.lines, found.file_bytes = len(lines), len(data)
        return found

    def _opening(self) -> list[str]:
        """What the client writes at a session's start: its own lines, no part of the conversation."""
        common = self._common([], subagent=False)
        blob = "You are an agent that works in a terminal. " * (BLOB_BYTES // 43)
        return [
            f'{{"type":"mode","mode":"normal","sessionId":"{self.id}"}}\n',
            f'{{"type":"attachment",{common},"attachment":{{"type":"hook_additional_context","content":["memory"]}}}}\n',
            f'{{"type":"api-request-blob","sessionId":"{self.id}","body":"{blob}"}}\n',
            f'{{"type":"file-history-snapshot","messageId":"{self.id}","snapshot":{{"trackedFileBackups":{{}}}}}}\n',
        ]

    def _common(self, lines: list[str], subagent: bool) -> str:
        """The fields that every line of the conversation has."""
        number = len(lines)
        kind = 0xA if subagent else 0x8
        parent = f'"{self._uuid(kind, number - 1)}"' if number else "null"
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self._began + number * SECONDS_PER_LINE))
        return _COMMON % (
            self._uuid(kind, number), parent, "true" if subagent else "false", self._project, self.id, self._branch,
            when + ".250Z",
        )  # fmt: skip

    def _uuid(self, kind: int, line: int) -> str:
        return f"{self._number:08x}-{line:04x}-4000-{kind:x}000-0000000011fe"

    def _answer(self, lines: list[str], subagent: bool, block: str) -> str:
        number = len(lines)
        return _ASSISTANT % (self._common(lines, subagent), number, number, block)

    def _tool_use(self, lines: list[str], subagent: bool) -> list[str]:
        """A call and its result: an edit or a command."""
        number = len(lines)
        name = self._generator.identifier()
        path = f"/home/dev/code/{self._project}/src/{self._rng.choice(self._topic)}.py"
        if number % 2:
            call = f'"name":"Edit","input":{{"file_path":"{path}","old_string":"{name} = 1","new_string":"{name} = 2"}}'
        else:
            call = f'"name":"Bash","input":{{"command":"pytest -k {name}","description":"Run the tests"}}'
        lines = [*lines, self._answer(lines, subagent, f'{{"type":"tool_use","id":"toolu_{number}",{call}}}')]
        output = f"src/{name}.py ..........................................\\n" * self._rng.randint(2, 14)
        return [lines[-1], _RESULT % (self._common(lines, subagent), number, output, output)]


def escaped(text: str) -> str:
    """Text as it stands in a JSON string; the generator makes no other control character than a newline."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

"""Record the golden corpus anew by driving the real client through the stories.

    python -m tests.golden.record [NAME ...]

Writes tests/golden/<name>.jsonl: of each transcript the lines of the conversation alone, without the client's system
prompt, tool schemas and instructions, and with this machine's paths told as /home/ada. Needs what the e2e tests need
(the client, tmux); nothing leaves the loopback network. Then `python -m tests.golden.approve`, and read what changed.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from memories.core import conversation
from tests.e2e.client import claude_binary, require_system_tools
from tests.e2e.home import Home
from tests.e2e.loopback import LoopbackNetwork
from tests.golden.stories import STORIES, prepare

FOLDER = Path(__file__).resolve().parent
HOME = "/home/ada"
PATH = "/usr/local/bin:/usr/bin:/bin"
"""The session's own PATH: this machine's way to its interpreters is nobody's business."""
KEPT = (
    "type", "subtype", "uuid", "parentUuid", "timestamp", "sessionId", "cwd", "version", "gitBranch", "entrypoint",
    "isSidechain", "isCompactSummary", "isVisibleInTranscriptOnly", "isApiErrorMessage", "origin", "toolDenialKind",
    "attachment", "toolUseResult", "content",
)  # fmt: skip
"""What of a line is kept, beside its message: what our readers look at, and what tells where it comes from."""
KEPT_OF_RESULTS = ("questions", "answers", "plan", "task", "agentId", "status", "filePath", "planWasEdited")
KEPT_OF_MESSAGES = ("role", "model", "id", "content")


CLIENT_TEXT_CHARS = 80
"""Of what the client itself tells the model about a compaction or a subagent, the beginning is enough."""


def reduced(entry: dict[str, Any]) -> dict[str, Any]:
    """A line of the conversation without what no reader of ours looks at."""
    line = {name: entry[name] for name in KEPT if name in entry}
    if isinstance(line.get("toolUseResult"), dict):
        line["toolUseResult"] = {
            name: line["toolUseResult"][name] for name in KEPT_OF_RESULTS if name in line["toolUseResult"]
        }
    message = entry.get("message")
    if isinstance(message, dict):
        line["message"] = {name: message[name] for name in KEPT_OF_MESSAGES if name in message}
        if line.get("isCompactSummary"):
            line["message"]["content"] = line["message"]["content"][:CLIENT_TEXT_CHARS]
        if _is_launch(line):
            for block in line["message"]["content"]:
                block["content"] = [{"type": "text", "text": block["content"][0]["text"][:CLIENT_TEXT_CHARS]}]
    return line


def _is_launch(line: dict[str, Any]) -> bool:
    result = line.get("toolUseResult")
    return isinstance(result, dict) and result.get("status") == "async_launched"


def reduce(path: Path, home: Path) -> str:
    """The corpus file of a transcript: its conversation's lines, without this machine's paths."""
    entries = [reduced(entry) for _, entry in conversation.iter_entries(str(path))]
    text = "".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n" for entry in entries)
    slug = re.sub(r"[^A-Za-z0-9]", "-", str(home))
    text = (
        text.replace(str(home / "tmp"), "/var/tmp")
        .replace(str(home), HOME)
        .replace(slug, re.sub(r"[^A-Za-z0-9]", "-", HOME))
    )
    for place in (tempfile.gettempdir(), str(FOLDER.parents[1]), str(Path.home())):
        assert not re.search(rf"(?<!/var){re.escape(place)}/", text), f"{place} is left in {path}"
    return text


def record(name: str, network: LoopbackNetwork) -> None:
    """Play one story and write its corpus file."""
    story, version = STORIES[name]
    with tempfile.TemporaryDirectory(prefix="g") as place:
        home = Home(Path(place) / "h", claude_binary(version), network).create()
        prepare(home)
        try:
            text = reduce(story(home), home.path)
        finally:
            home.wait_until_quiet()
            home.stop_all()
    (FOLDER / f"{name}.jsonl").write_text(text, "utf-8")
    print(f"{name}: {len(text):,} bytes")


def main(names: list[str]) -> None:
    """Record the named stories, or all."""
    require_system_tools()
    os.environ["PATH"] = PATH
    network = LoopbackNetwork()
    try:
        for name in names or STORIES:
            record(name, network)
    finally:
        network.close()


if __name__ == "__main__":
    main(sys.argv[1:])

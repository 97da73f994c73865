"""A data folder in which a session has left something in every place that one can, for tests of forgetting it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from memories.core import clock, records, session_logs, sync
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.core.transcript_lines import OTHER_SESSION, SESSION, Script, short_session

WORD = "quokkazimbabwe"
"""Occurs in the session that is to be forgotten and nowhere else."""

KEPT_WORD = "wombatlesotho"
"""Occurs in another session, which stays."""


class Scene:
    """folder: the data folder; projects: Claude Code's; source: the session's transcript there."""

    def __init__(self, place: Path) -> None:
        self.folder = DataFolder(str(place / "memory"))
        self.folder.create()
        self.projects = place / "projects"
        self.script = short_session("/srv/shop", SESSION, f"Tell the {WORD} about the uploader")
        self.source = Path(self.script.write(self.projects))
        other = short_session("/srv/shop", OTHER_SESSION, f"Look at the {KEPT_WORD}")
        other.write(self.projects)
        beside = self.source.with_suffix("") / "subagents" / "agent-1.jsonl"
        beside.parent.mkdir(parents=True)
        beside.write_bytes(Script("/srv/shop", SESSION).dump() + self.script.dump().replace(b"Tell", b"Agent, tell"))
        results = self.source.with_suffix("") / "tool-results" / "1.txt"
        results.parent.mkdir()
        results.write_text(f"The output names {WORD}.", "utf-8")

    def sync(self, **settings: Any) -> sync.SyncResult:
        """A whole sync."""
        return sync.run(self.folder, str(self.projects), {**DEFAULTS, **settings}, wait_seconds=0)

    def spread(self) -> None:
        """Archive the session and let a file sync, people and hooks leave more of it."""
        self.sync()
        folder = self.folder
        log = session_logs.log_uuid(SESSION)
        record = Path(records.record_path(folder, log))
        text = record.read_text("utf-8")
        assert WORD in text
        stamp = "20260314-091244-ABCDEFG"
        for path, content in {
            f"transcripts/{SESSION}.sync-conflict-{stamp}.jsonl": f"{WORD} copy\n",
            f"transcripts/{SESSION} (1).jsonl": f"{WORD} numbered\n",
            f"transcripts/{SESSION}/diverged-0123456789ab.jsonl": f"{WORD} diverged\n",
            f"transcripts/{SESSION}/tool-results/1-diverged-0123456789ab.txt": f"{WORD} diverged result\n",
            f"transcripts/{SESSION}/tool-results/.hidden": f"{WORD} hidden\n",
            f"records/{log}.sync-conflict-{stamp}.json": text.replace("Tell", "Tells"),
            f"records/{log}.json~": text,
            f"trash/{log} (1).json": text,
            f"records/.syncthing.{log}.json.tmp": text,
            f"transcripts/.syncthing.{SESSION}.jsonl.tmp": f"{WORD} arriving\n",
        }.items():
            Path(folder.root, path).write_text(content, "utf-8")
        self._log("0" * 31 + "1", "records")
        self._log("0" * 31 + "2", "trash", deleted_at=clock.now())
        Path(folder.state, "sessions").mkdir(exist_ok=True)
        Path(folder.state, "sessions", SESSION).write_text(json.dumps({"baseline": 1}), "utf-8")
        note = records.new_record(type="note", content="A note that was stored in it.", session_id=SESSION)
        records.save(folder, note)

    def _log(self, uuid: str, place: str, **fields: Any) -> None:
        """A log under another id than ours: the first LLM Memory's, or one that a tool stored."""
        record = records.new_record(type="session_log", content=f"A log of {WORD}.", session_id=SESSION)
        Path(self.folder.root, place, f"{uuid}.json").write_bytes(records.dump({**record, "uuid": uuid, **fields}))

    def holding(self, word: str = WORD) -> list[str]:
        """Every file below the data folder in whose bytes a word is, in any case and in UTF-16 too."""
        needles = {word.encode(), word.upper().encode(), word.encode("utf-16-le")}
        found = []
        for parent, _, names in os.walk(self.folder.root):
            for name in names:
                path = Path(parent, name)
                if not path.is_symlink() and any(needle in path.read_bytes() for needle in needles):
                    found.append(str(path.relative_to(self.folder.root)))
        return sorted(found)

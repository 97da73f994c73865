"""The golden corpus' approved files: made anew, and shown where they change.

    python -m tests.golden.approve

Writes `<name>.log.md` (the session log's content) and `<name>.compact.json` (what is recovered after a compaction)
beside each transcript. Read what it says changed (`git diff tests/golden`) with your own eyes before committing it: is
it true, useful, free of noise?
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from memories.core import projects, recovery, session_logs

FOLDER = Path(__file__).resolve().parent
ROOT = "/home/ada/code/orders-api"


def transcripts() -> list[Path]:
    """The corpus' transcripts."""
    return sorted(FOLDER.glob("*.jsonl"))


def approved_paths(transcript: Path) -> tuple[Path, Path]:
    """Where a transcript's approved session log and recovery are."""
    return transcript.with_suffix(".log.md"), transcript.with_suffix(".compact.json")


def told(transcript: Path) -> tuple[str, str]:
    """(the session log's content, what is recovered as JSON) that the code makes of a transcript now."""
    session_id = json.loads(transcript.read_text("utf-8").partition("\n")[0])["sessionId"]
    with tempfile.TemporaryDirectory() as place:
        path = shutil.copy(transcript, f"{place}/{session_id}.jsonl")
        log = session_logs.build(path, projects.identify(ROOT, {}))
        found = recovery.gather(path)
    assert log is not None
    fields = {name: log[name] for name in ("turns", "entrypoint") if name in log}
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    gathered = {name: getattr(found, name) for name in sorted(recovery.Recovery.__slots__)}
    return f"{head}\n{log['content']}\n", json.dumps(gathered, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write what differs, and say what it was."""
    for transcript in transcripts():
        for path, text in zip(approved_paths(transcript), told(transcript), strict=True):
            if not path.exists() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")
                print(f"changed: {path.name}")


if __name__ == "__main__":
    main()

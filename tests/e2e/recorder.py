"""A hook that writes down what it is given: `python recorder.py LOG [TEXT]`, TEXT to standard output."""

from __future__ import annotations

import json
import os
import sys

EVENTS = ("SessionStart", "PostToolUse", "PreCompact", "SessionEnd")


def hooks(log: str, **outputs: str) -> dict[str, list[dict[str, object]]]:
    """A settings.json "hooks" value that records our four events; outputs: what to print, per event."""
    return {
        event: [
            {"hooks": [{"type": "command", "command": sys.executable, "args": _arguments(log, outputs.get(event))}]}
        ]
        for event in EVENTS
    }


def _arguments(log: str, output: str | None) -> list[str]:
    return ["-I", "-S", os.path.abspath(__file__), log, *([output] if output else [])]


def main(log: str, output: str = "") -> None:
    """Append the payload as one line, then print the output."""
    payload = json.loads(sys.stdin.read())
    with open(log, "a", encoding="utf-8") as lines:
        lines.write(json.dumps(payload) + "\n")
    sys.stdout.write(output)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The stories that the golden corpus is recorded from: what the scripted model answers, what the user types.

Each story is a function (home) -> the path of the transcript that the real client wrote. The project is a small shop's
`orders-api` with a real test, real files and real git, so that results, errors and diffs are the client's and the
tools' own.
"""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.e2e.home import SETTINGS
from tests.e2e.sessions import run_print
from tests.e2e.tui import Tui

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.home import Home

ALLOWED = ["Bash", "Edit", "Write", "Read", "Agent", "TaskCreate", "TaskUpdate", "TodoWrite"]
FILES = {
    "orders.py": "def total(prices, discount=0):\n    return sum(prices) - discount * len(prices)\n",
    "test_orders.py": (
        "import unittest\n\nfrom orders import total\n\n\nclass Totals(unittest.TestCase):\n"
        "    def test_discount_is_taken_once(self):\n        self.assertEqual(total([10, 10], discount=2), 18)\n"
    ),
    "README.md": "# orders-api\n\nTakes orders of the shop.\n",
}
TEST = "python3 -m unittest -q test_orders"


def prepare(home: Home) -> None:
    """Fill the project folder, and let the tools run without asking."""
    home.write_settings({"permissions": {**SETTINGS["permissions"], "allow": ALLOWED}})
    for name, content in FILES.items():
        (home.project / name).write_text(content, "utf-8")
    (home.path / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n", "utf-8"
    )
    for command in ("git init -q", "git add -A", "git commit -q -m 'First version'"):
        subprocess.run(["sh", "-c", command], cwd=home.project, env=home.env(None), check=True)


def call(tool: str, text: str = "", **arguments: Any) -> dict[str, Any]:
    """A turn of the model that calls a tool."""
    return {"tool": tool, "text": text, "input": arguments}


def bash(command: str, text: str = "") -> dict[str, Any]:
    """A turn that runs a command."""
    return call("Bash", text, command=command, description="Run it")


def write(home: Home, name: str, content: str) -> dict[str, Any]:
    """A turn that writes a file of the project."""
    return call("Write", file_path=str(home.project / name), content=content)


def edit(home: Home, name: str, old: str, new: str) -> dict[str, Any]:
    """A turn that edits a file of the project."""
    return call("Edit", file_path=str(home.project / name), old_string=old, new_string=new)


def read(home: Home, name: str) -> dict[str, Any]:
    """A turn that reads a file of the project."""
    return call("Read", file_path=str(home.project / name))


@contextmanager
def terminal(home: Home, script: Any) -> Iterator[Tui]:
    """A terminal session on a script, left with /exit."""
    with home.model(script) as api, Tui(home, api) as tui:
        yield tui
        tui.settle()
        tui.submit("/exit")
        tui.ended()


def paste(tui: Tui, text: str) -> None:
    """Paste text of several lines, as a terminal does: in brackets, so that line ends do not send it."""
    tui._tmux("set-buffer", text)
    tui._tmux("paste-buffer", "-p", "-t", "t")
    tui.settle()


def _only_transcript(home: Home) -> Path:
    [path] = (home.config / "projects").glob("*/*.jsonl")
    return path


def bug_fixed(home: Home) -> Path:
    """A test fails, an edit misses, the next one is right, the test passes, it is committed."""
    script = [
        bash(TEST, "I run the test first."),
        read(home, "orders.py"),
        edit(home, "orders.py", "discount * len(price)", "discount"),
        edit(home, "orders.py", "discount * len(prices)", "discount"),
        bash(TEST),
        bash("git add -A && git commit -q -m 'Take the discount once per order'"),
        "The discount was taken once per item. It is now taken once per order; the test passes and it is committed.",
        bash("git push origin main"),
        "There is no remote named origin, so the commit is only local. Add the remote and I push it.",
    ]
    with terminal(home, script) as tui:
        tui.say("test_orders fails since yesterday, find out why and fix it", "committed")
        tui.say("Push it", "remote")
    return _only_transcript(home)


def plan_approved(home: Home) -> Path:
    """A question is answered, a plan refused, the changed plan approved and begun."""
    question = {
        "question": "Which database should hold the orders?",
        "header": "Database",
        "multiSelect": False,
        "options": [
            {"label": "SQLite", "description": "One file, no server"},
            {"label": "PostgreSQL", "description": "A server to run"},
        ],
    }
    plan = "# Keep orders in a database\n\n1. Write store.py with save() and load()\n2. Use it in orders.py\n"
    first, second = write(home, "-", plan), write(home, "-", plan + "3. Test a restart between save and load\n")
    script = [
        call("AskUserQuestion", questions=[question]),
        first,
        call("ExitPlanMode", plan=plan),
        second,
        call("ExitPlanMode", plan=second["input"]["content"]),
        write(home, "store.py", "import sqlite3\n"),
        "store.py is begun: it opens the database. Next comes save().",
    ]
    with terminal(home, script) as tui:
        for mode in ("accept edits on", "plan mode on"):
            tui.key("BTab")
            tui.wait(mode)
        tui.submit("Orders are lost on a restart. Plan how to keep them in a database.")
        screen = tui.wait("PostgreSQL")
        place = re.search(r"Planning: (\S+\.md)", screen)
        for turn in (first, second):
            turn["input"]["file_path"] = place[1] if place else str(home.project / "plan.md")
        tui.settle()
        tui.key("Enter")
        tui.wait("exit plan mode|Ready to code|would you like to proceed")
        tui.settle()
        tui.key("Escape")
        tui.wait(r"plan mode on")
        tui.say("The plan lacks a test for the restart", "exit plan mode|Ready to code|would you like to proceed")
        tui.settle()
        tui.key("Enter")
        tui.wait("begun", 60)
    return _only_transcript(home)


def tasks_left_open(home: Home) -> Path:
    """A task list of which one is done; the user stops Claude in the middle of the second."""
    script = [
        call("TaskCreate", subject="Write the export as CSV", description="export.py"),
        call("TaskCreate", subject="Stream it for large shops", description="no list in memory"),
        call("TaskCreate", subject="Document the columns", description="README"),
        call("TaskUpdate", taskId="1", status="in_progress"),
        write(home, "export.py", "import csv\n"),
        call("TaskUpdate", taskId="1", status="completed"),
        call("TaskUpdate", taskId="2", status="in_progress"),
        bash("sleep 30", "Now the large shops: I look how long a full export takes."),
        "never said",
    ]
    with terminal(home, script) as tui:
        tui.submit("Add a CSV export of all orders, then make it stream, then document it")
        tui.wait("takes", 60)
        time.sleep(2)
        tui.key("Escape")
        tui.wait("Interrupted|interrupted")
    return _only_transcript(home)


def corrections(home: Home) -> Path:
    """The user corrects and decides, once while Claude works; one command is refused with a reason."""
    home.write_settings(
        {"permissions": {**SETTINGS["permissions"], "allow": ["Edit", "Write", "Read", "Bash(sleep *)"]}}
    )
    script = [
        read(home, "orders.py"),
        edit(
            home, "orders.py", "def total(prices, discount=0):", "def total(prices: list[float], discount: float = 0):"
        ),
        "Prices are floats now.",
        edit(home, "orders.py", "list[float], discount: float = 0", "list[int], discount: int = 0"),
        "Done: cents everywhere.",
        bash("pip install mypy"),
        {**bash("sleep 4"), "text": "Without a type checker then; I look at the other files."},
        "All functions are annotated; no tool was added.",
    ]
    with terminal(home, script) as tui:
        tui.say("Add type hints to orders.py", "floats")
        tui.say("No, prices are cents: use int, not float. Never round a price.", "everywhere")
        tui.submit("Check the types as well. Is mypy there?")
        tui.wait("Do you want to proceed")
        tui.settle()
        tui.key("Down", "Down")
        tui.settle()
        tui.key("Tab")
        tui.settle()
        tui._tmux("send-keys", "-t", "t", "-l", "we don't add dependencies, read the code instead")
        time.sleep(1)
        tui.key("Enter")
        tui.wait("Without", 60)
        tui.submit("and from now on every public function gets a docstring")
        tui.wait("annotated", 60)
    return _only_transcript(home)


def compacted(home: Home) -> Path:
    """Decisions, a compaction in the middle, work that goes on, a command that still fails."""
    script = [
        write(home, "cache.py", "CACHE = {}\n"),
        "cache.py holds the cache in memory.",
        bash("make lint"),
        "There is no Makefile yet.",
        edit(home, "cache.py", "CACHE = {}", "CACHE: dict[str, int] = {}"),
        bash("make lint"),
        "make lint still fails: there is no rule for it.",
    ]
    with terminal(home, script) as tui:
        tui.say("Add a cache for the totals. Let's keep it in memory, we decided against Redis.", "holds")
        tui.say("Run make lint", "There")
        tui.say("/compact", "Compacted")
        tui.say("Annotate the cache, then lint again", "rule")
    return _only_transcript(home)


def subagent(home: Home) -> Path:
    """A subagent looks for something, and its finding is used."""
    task = {
        "description": "Find callers of total",
        "prompt": "Find callers of total()",
        "subagent_type": "general-purpose",
    }
    script = {
        "main": [
            call("Agent", "I let somebody look.", **task),
            {**bash("sleep 3"), "text": ""},
            "Only test_orders.py calls total(), so its signature can change.",
        ],
        "subagent": [bash("grep -rn 'total(' --include=*.py ."), "total() is called in test_orders.py only."],
    }
    with terminal(home, script) as tui:
        tui.say("Who calls total()? Use a subagent.", "signature")
    return _only_transcript(home)


def one_shot(home: Home) -> Path:
    """`claude -p` with a command that nobody was there to allow."""
    home.write_settings({"permissions": {**SETTINGS["permissions"], "allow": ["Read"]}})
    script = [
        read(home, "README.md"),
        bash("pip download requests"),
        "orders-api takes the shop's orders. I was not allowed to look at its dependencies.",
    ]
    with home.model(script) as api:
        run_print(home, api, "Summarize this repository in one sentence")
    return _only_transcript(home)


def german(home: Home) -> Path:
    """German with English in between; a pasted stack trace says "must" and "never", which nobody decided."""
    script = [
        bash(TEST),
        read(home, "orders.py"),
        "Der Rabatt wird je Artikel abgezogen, der Test erwartet ihn einmal.",
        edit(home, "orders.py", "discount * len(prices)", "discount"),
        bash(TEST),
        "Der Rabatt gilt jetzt je Bestellung, der Test läuft durch.",
        write(home, "NOTES.md", "Rabatt je Bestellung.\n"),
        "Notiert in NOTES.md.",
    ]
    trace = (
        "Warum schlägt der Test fehl?\nTraceback (most recent call last):\n"
        '  File "orders.py", line 2, in total\nValueError: prices must never be None, use 0 instead'
    )
    with terminal(home, script) as tui:
        paste(tui, trace)
        tui.key("Enter")
        tui.wait("abgezogen", 60)
        tui.say("Nein, der Rabatt gilt je Bestellung. Bitte nicht den Test ändern!", "durch")
        tui.say("Wir nehmen Cent statt Euro, ab jetzt überall. Schreib das in NOTES.md", "Notiert")
    return _only_transcript(home)


STORIES = {
    "bug_fixed": (bug_fixed, "2.1.330"),
    "plan_approved": (plan_approved, "2.1.330"),
    "plan_approved_197": (plan_approved, "2.1.197"),
    "tasks_left_open": (tasks_left_open, "2.1.197"),
    "corrections": (corrections, "2.1.330"),
    "compacted": (compacted, "2.1.330"),
    "subagent": (subagent, "2.1.330"),
    "one_shot": (one_shot, "2.1.330"),
    "german": (german, "2.1.330"),
}
"""Name -> (the story, the client's version): 2.1.330 has no task tools with a custom base URL, 2.1.197 has."""

"""What search finds: LoCoMo's questions and our own about code, through the product itself.

    python -m bench.retrieval PATH [--conversations N] [--together] [--noise N] [--mcp] [--notes] [--json] [--set N=V]

PATH is a LoCoMo file. Each conversation becomes Claude Code transcripts in a data folder of its own, is archived and
indexed by a sync, and its questions are asked with memory_search, scope transcripts. Exit code 1 below a bar.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from bench import code_questions, dialogues, generator, locomo, metrics, notes
from bench.baselines import PlainIndex
from bench.dialogues import Conversation, Place
from bench.metrics import Tally
from bench.product import Home, start_django
from memories.core import conversation as transcript_lines
from memories.core import query

DEPTH = 50
"""Hits asked for: enough to rank ten sessions; hit@k looks at the first k of them."""

BARS = (
    ("session hit@5", "session", "hit@5", 0.92, 0.95),
    ("turn hit@10", "turn", "hit@10", 0.80, 0.86),
)
"""(name, level, figure, bar, goal) for LoCoMo."""

Search = Callable[[str], list[Place]]
OURS = "LLM Memory"
LEVELS = ("turn", "session")


class Scores:
    """Tallies of one system by level and category, and the milliseconds of each question."""

    def __init__(self) -> None:
        self.tallies: dict[str, dict[str, Tally]] = {level: defaultdict(Tally) for level in LEVELS}
        self.milliseconds: list[float] = []

    def ask(self, search: Search, conversation: Conversation, places: dict[str, Place]) -> None:
        """Ask every question of a conversation and count what is found. places: turn's key -> where it stands."""
        for question in conversation.questions:
            started = time.perf_counter()
            found = search(question.text)
            self.milliseconds.append((time.perf_counter() - started) * 1000)
            right = {places[key] for key in question.evidence}
            self.tallies["turn"][question.category].add(found, set(right))
            sessions = metrics.distinct([session for session, _ in found])
            self.tallies["session"][question.category].add(sessions, {session for session, _ in right})

    def overall(self, level: str) -> Tally:
        """All categories together."""
        total = Tally()
        for tally in self.tallies[level].values():
            total = total.merged(tally)
        return total

    def figures(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            **{
                level: {
                    "overall": self.overall(level).figures(),
                    **{name: tally.figures() for name, tally in sorted(self.tallies[level].items())},
                }
                for level in LEVELS
            },
            "median_ms": statistics.median(self.milliseconds) if self.milliseconds else 0.0,
        }


def evaluate(groups: Sequence[Sequence[Conversation]], place: Path, *, mcp: bool, noise: int) -> dict[str, Scores]:
    """Scores by system. Each group of conversations shares one data folder. mcp: ask through the MCP pipe."""
    scores: dict[str, Scores] = defaultdict(Scores)
    noise_files = _write_noise(place / "noise", noise)
    for number, group in enumerate(groups):
        home = Home(place / f"home-{number}")
        for path in noise_files:
            os.link(path, os.path.join(home.folder.transcripts, path.name))
        places = {one.name: dialogues.write(one, home.projects_dir, home.launch_folder(one.name)) for one in group}
        home.sync()
        with ExitStack() as stack:
            plain = stack.enter_context(closing(PlainIndex(_turns(home), DEPTH)))
            systems = {
                OURS: _through_pipe(home, stack) if mcp else _in_process(home),
                "OR of all words": plain.any_word,
                "AND of all words": plain.every_word,
            }
            for one in group:
                for name, search in systems.items():
                    scores[name].ask(search, one, places[one.name])
    return scores


def evaluate_notes(conversations: Sequence[Conversation], place: Path) -> dict[str, Scores]:
    """Scores of the memories' search, each conversation's turns as notes in a data folder of its own."""
    scores = Scores()
    for number, one in enumerate(conversations):
        home = Home(place / f"notes-{number}")
        by_key, by_uuid = notes.write(one, home.folder)
        start_django(home)
        scores.ask(_among_notes(home, by_uuid), one, by_key)
    return {OURS: scores}


def _among_notes(home: Home, by_uuid: dict[str, Place]) -> Search:
    return lambda text: [by_uuid[hit["uuid"]] for hit in home.search(text, "memories", DEPTH, notes.OWN)]


def _write_noise(folder: Path, turns: int) -> list[Path]:
    folder.mkdir(parents=True)
    if turns:
        generator.Generator().write_turns(str(folder), turns)
    return sorted(folder.glob("*.jsonl"))


def _turns(home: Home) -> list[tuple[Place, str]]:
    """Every turn with a text in the archive, noise too: what the baselines search."""
    found = []
    for path in sorted(Path(home.folder.transcripts).glob("*.jsonl")):
        found += [((path.stem, turn.line), turn.text) for turn in transcript_lines.iter_turns(str(path)) if turn.text]
    return found


def _in_process(home: Home) -> Search:
    start_django(home)
    return lambda text: _places(home.search(text, "transcripts", DEPTH))


def _through_pipe(home: Home, stack: ExitStack) -> Search:
    server = stack.enter_context(home.server())
    return lambda text: _places(
        server.call("memory_search", query=text, scope="transcripts", limit=DEPTH)[0]["results"]
    )


def _places(hits: list[dict[str, Any]]) -> list[Place]:
    return [(hit["session_id"], hit["line"]) for hit in hits]


def show(title: str, scores: dict[str, Scores]) -> None:
    """Print the tables of one set: ours by category, then every system's overall figures."""
    for level in LEVELS:
        print(metrics.heading(f"{title}, {level}s"))
        categories = scores[OURS].tallies[level]
        if len(categories) > 1:
            for name in sorted(categories):
                print(metrics.row(f"  {OURS}, {name}", categories[name]))
        for name, found in scores.items():
            print(metrics.row(f"{name}, all", found.overall(level)))
        print()
    times = ", ".join(f"{name} {statistics.median(found.milliseconds):.1f}" for name, found in scores.items())
    print(f"Median ms a question ({DEPTH} hits): {times}\n")


def judge(ours: Scores) -> tuple[list[str], bool]:
    """LoCoMo's figures beside bars and goals as lines of a table; whether every bar is met."""
    met = True
    lines = [f"{'LoCoMo':<16}{'figure':>8}{'bar':>8}{'goal':>8}"]
    for name, level, figure, bar, goal in BARS:
        value = float(ours.overall(level).figures()[figure])
        met &= value >= bar
        lines.append(f"{name:<16}{value:>8.3f}{bar:>8.2f}{goal:>8.2f}  {metrics.verdict(value >= bar, value >= goal)}")
    empty = ours.overall("turn").empty
    lines.append(f"{'empty answers':<16}{empty:>8}{0:>8}{0:>8}  {metrics.verdict(not empty, not empty)}")
    return lines, met and not empty


def _constant(text: str) -> tuple[str, Any]:
    """A ranking constant of memories.core.query and a value for this run: what docs/searching.md is measured with."""
    name, _, value = text.partition("=")
    if not (name.isupper() and hasattr(query, name)):
        raise argparse.ArgumentTypeError(f"{name} is no constant of memories/core/query.py")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        raise argparse.ArgumentTypeError(f"{value!r} is no number or tuple of numbers") from None


def main() -> int:
    """Measure and print; 1 when a bar is missed, 2 when the file cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="a LoCoMo file")
    parser.add_argument("--conversations", type=int, help="only the first N conversations")
    parser.add_argument("--together", action="store_true", help="all conversations in one data folder")
    parser.add_argument("--noise", type=int, default=0, metavar="N", help="N generated turns in each data folder")
    parser.add_argument("--mcp", action="store_true", help="ask through the MCP server's stdio pipe")
    parser.add_argument("--notes", action="store_true", help="turns as notes with importance, age, project at random")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", type=_constant, help="another value of a constant"
    )
    options = parser.parse_args()
    for name, value in options.set:
        setattr(query, name, value)
    try:
        conversations = locomo.read(options.path, options.conversations)
    except (OSError, ValueError, KeyError) as error:
        print(f"bench.retrieval: cannot use {options.path}: {error!r}. Name a LoCoMo file.", file=sys.stderr)
        return 2
    if options.notes:
        with tempfile.TemporaryDirectory(prefix="llm-memory-bench-") as place:
            show("LoCoMo as notes", evaluate_notes(conversations, Path(place)))
        return 0
    groups = [conversations] if options.together else [[one] for one in conversations]
    with tempfile.TemporaryDirectory(prefix="llm-memory-bench-") as place:
        measured = {
            "LoCoMo": evaluate(groups, Path(place, "locomo"), mcp=options.mcp, noise=options.noise),
            "Code": evaluate([[code_questions.read()]], Path(place, "code"), mcp=options.mcp, noise=options.noise),
        }
    lines, met = judge(measured["LoCoMo"][OURS])
    if options.json:
        figures = {title: {name: one.figures() for name, one in found.items()} for title, found in measured.items()}
        print(json.dumps(figures, indent=2))
        return int(not met)
    for title, scores in measured.items():
        show(title, scores)
    print("\n".join(lines))
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())

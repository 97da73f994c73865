"""`llm-memory narrative [PROJECT]`: a project's narrative, its versions, and what changed between two of them."""

from __future__ import annotations

from memories import narratives, selectors
from memories.core import budget, scope
from memories.core.cleaning import clean
from memories.core.errors import ProjectError, RecordNotFoundError
from memories.terminal import command
from memories.terminal.here import Here, make_index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

    from memories.narratives import Difference, Version

ENTRY_CHARS = 160


class Command(command.Command):
    """Print the narrative, the list of versions, or a difference."""

    help = "Show a project's narrative (default: of the current folder's), its versions, or what changed."
    examples = ("narrative", "narrative orders-api --versions", "narrative orders-api --diff --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The project and what to show of it."""
        parser.usage = "%(prog)s [PROJECT] [--diff [UUID] | --versions] [--json]"
        parser.add_argument("project", nargs="?", metavar="PROJECT", help="default: the project of the current folder")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--diff",
            nargs="?",
            const="",
            metavar="UUID",
            help="what changed since the version before the current one, or since the version UUID",
        )
        what.add_argument("--versions", action="store_true", help="every version, newest first")
        parser.add_argument("--json", action="store_true", help="the answer as JSON")

    def handle(self, **options: Any) -> None:
        """Find the project and print. Raises ProjectError, RecordNotFoundError, MirrorUnavailableError."""
        project = self._project(options["project"])
        versions = narratives.history(self.folder, project)
        if not versions:
            raise RecordNotFoundError(
                f"{project.name} has no narrative yet: in the project, ask Claude to write the project memory. "
                "A project of another name: llm-memory narrative NAME."
            )
        if options["diff"] is not None:
            self._show_difference(project, narratives.difference(versions, options["diff"]), as_json=options["json"])
        elif options["versions"]:
            self._show_versions(project, versions, as_json=options["json"])
        else:
            self._show_current(project, versions, as_json=options["json"])

    def _project(self, named: str | None) -> scope.Scope:
        make_index(self.folder)
        here = Here(self.folder)
        found = here.scope(named) or (scope.of_project(here.own) if here.own else None)
        if found is None:
            raise ProjectError("This folder is no project: go to one, or name it: llm-memory narrative NAME.")
        return found

    def _show_current(self, project: scope.Scope, versions: list[Version], *, as_json: bool) -> None:
        found = selectors.narrative_coverage(self.folder, project)
        current = narratives.current_of(versions)
        if as_json:
            narrative = {**current.as_data(), "content": current.content} if current else None
            self.say_json({"project": project.name, "narrative": narrative, "coverage": found})
            return
        if current is None:
            self._say_head(f"{project.name}: all {len(versions)} versions are archived; --versions lists them.")
            return
        several = selectors.several_projects_hint(project)
        self._say_head(f"{project.name} · {current.uuid} · about {current.tokens:,} tokens")
        for line in filter(None, (found["summary"], several)):
            self._say_head(line)
        self.say(f"\n{clean(current.content)}")

    def _say_head(self, line: str) -> None:
        self.say(self.style.warning(clean(line)))

    def _show_versions(self, project: scope.Scope, versions: list[Version], *, as_json: bool) -> None:
        if as_json:
            self.say_json({"project": project.name, "versions": [one.as_data() for one in versions]})
            return
        for one in versions:
            when = one.created_at.replace("T", " ")[:16]
            told = f"{when}  {one.uuid}  {one.tokens:>6,} tokens  {one.sessions:>3} sessions  {one.machine or '-'}"
            self.say(clean(told) + self._marks(one))

    def _marks(self, version: Version) -> str:
        marks = [] if version.state == "earlier" else [version.state]
        if len(version.before) > 1:
            marks.append(f"merges {len(version.before)}")
        if version.accepted:
            marks.append(f"left out {len(version.accepted)} on purpose")
        return f"  {self.style.warning(', '.join(marks))}" if marks else ""

    def _show_difference(self, project: scope.Scope, found: Difference | None, *, as_json: bool) -> None:
        if as_json:
            self.say_json({"project": project.name, "difference": found.as_data() if found else None})
            return
        if found is None:
            self.say("This is the first version of the narrative: there is none before it to compare with.")
            return
        self._say_head(f"{project.name}: {found.changes.summary}")
        told = {**found.changes.as_data(), "left out on purpose": list(found.accepted)}
        for title, entries in told.items():
            for entry in entries:
                self.say(f"  {title}: {clean(budget.one_line(entry, ENTRY_CHARS))}")
        self.say()
        styles = {"+": self.style.good, "-": self.style.bad, "@": self.style.heading}
        for line in found.lines:
            self.say(styles.get(line[:1], str)(_shown(line)))


def _shown(line: str) -> str:
    """A line without what acts on a terminal, its indentation kept."""
    return clean(f"|{line}|")[1:-1]

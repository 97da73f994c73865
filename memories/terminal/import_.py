"""`llm-memory import [PATH]`: take over a bundle, or what another memory tool kept. (No module may be named import.)"""

from __future__ import annotations

from memories.core.errors import ImportSourceError
from memories.importers import formats, take
from memories.management.shown import shown
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

    from memories.importers.take import Result

NAMED = 20
"""Of what was skipped, how much is named; the rest is counted."""


class Command(command.Command):
    """Exit 0 also with things that could not be taken over, which it names; 1 where nothing could."""

    help = (
        "Take over a memory: a bundle that `llm-memory export` wrote, or what the first LLM Memory, claude-mem, "
        "server-memory or basic-memory kept. A bundle is verified first, and refused whole; of the others, what cannot "
        "be read is named and left out. Nothing here is overwritten, nothing there is written to, and importing again "
        "changes nothing."
    )
    examples = (
        "import memory.tar.gz --dry-run",
        "import --from claude-mem",
        "import ~/basic-memory --project notes",
        "import memory.jsonl --json",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to import and how."""
        parser.add_argument(
            "path",
            nargs="?",
            metavar="PATH",
            help="file or folder; - is a bundle from stdin; none with --from: where that product keeps its memory",
        )
        parser.add_argument(
            "--from",
            dest="format",
            choices=formats.FORMATS,
            help="what it is; without it, seen from the file or folder",
        )
        parser.add_argument("--project", metavar="PROJECT", help="file what names no project under this one")
        parser.add_argument("--dry-run", action="store_true", help="say what it would do, and do nothing")
        parser.add_argument(
            "--forget",
            action="store_true",
            help="bundles: also let marks in it remove sessions that are here, without asking",
        )
        parser.add_argument("--json", action="store_true", help="the report as JSON")

    def handle(self, **options: Any) -> None:
        """Import and report."""
        path, kind = self._source(options["path"], options["format"])
        if kind == formats.BUNDLE:
            from memories.terminal import import_bundle  # what it needs of bundles is not for the others

            if options["project"]:
                raise ImportSourceError("A bundle's memories have their projects: leave --project out.")
            import_bundle.run(self, path, forget=options["forget"], dry_run=options["dry_run"], as_json=options["json"])
            return
        if options["forget"]:
            raise ImportSourceError("--forget is for bundles, which may hold marks of forgotten sessions.")
        result = self._import(path, kind, options)
        if options["json"]:
            self.say_json(_as_data(result, path, kind, dry_run=options["dry_run"]))
        else:
            self._report(result, path, dry_run=options["dry_run"])

    def _source(self, path: str | None, kind: str | None) -> tuple[str, str]:
        """(path, format) of what is meant. Raises ImportSourceError."""
        if path is None:
            if kind is None:
                raise ImportSourceError(f"Name a file or folder, or say --from: {', '.join(formats.FORMATS)}.")
            return formats.usual_place(kind, self.folder), kind
        if path == formats.STDIN and kind not in {None, formats.BUNDLE}:
            raise ImportSourceError("Only a bundle can be read from stdin: name the file.")
        return path, kind or (formats.BUNDLE if path == formats.STDIN else formats.recognise(path))

    def _import(self, path: str, kind: str, options: dict[str, Any]) -> Result:
        from memories.management.progress import ProgressBars

        project = (options["project"] or "").strip() or None
        reading = formats.read(kind, path, self.folder, project)
        with ProgressBars(shown=not options["json"]) as bars:
            return take.run(self.folder, reading, formats.SOURCES[kind], dry_run=options["dry_run"], progress=bars)

    def _report(self, result: Result, path: str, *, dry_run: bool) -> None:
        done = "Would import" if dry_run else "Imported"
        self.say(f"{done} from {result.source}: {shown(path)}")
        for name, counts in result.counts.items():
            told = [f"{counts[outcome]:,} {outcome}" for outcome in take.OUTCOMES if counts[outcome]]
            self.say(f"  {name}: {counts[take.READ]:,} read: {', '.join(told)}")
        if not result.counts:
            self.say("  nothing is in it")
        if result.secrets:
            self.say(f"  {result.secrets:,} secret{'s' * (result.secrets != 1)} replaced")
        for note in result.notes:
            self.say(f"  {shown(note)}")
        for where, reason in result.skipped[:NAMED]:
            self.say(f"  skipped: {shown(where)}: {shown(reason)}")
        if len(result.skipped) > NAMED:
            self.say(f"  ... and {len(result.skipped) - NAMED:,} more: --json names them")
        if result.problem:
            self.warn(f"Stored, but not searchable yet: {shown(result.problem)}")


def _as_data(result: Result, path: str, kind: str, *, dry_run: bool) -> dict[str, Any]:
    return {
        "from": kind,
        "path": path,
        "dry_run": dry_run,
        "kinds": {
            name: {outcome.replace(" ", "_"): many for outcome, many in counts.items()}
            for name, counts in result.counts.items()
        },
        "secrets": result.secrets,
        "notes": result.notes,
        "skipped": [{"where": where, "reason": reason} for where, reason in result.skipped],
        "problem": result.problem or None,
    }

"""`llm-memory sync`: archive new transcripts, make missing session logs, merge what a file sync brought, bring the
index up to date."""

from __future__ import annotations

from hooks.shipped_files import shipped_order
from memories.core import merge_copies, sync
from memories.core.errors import LockTimeoutError
from memories.core.paths import claude_projects_dir
from memories.core.settings import OFF, disabled_by_environment, read_settings, why_off
from memories.disk_use import said_size
from memories.management.progress import ProgressBars
from memories.management.shown import shown
from memories.named import counted
from memories.status_keeping import said_outlook
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable
    from typing import Any

WAIT_SECONDS = 600.0


class Command(command.Command):
    """Complete when it returns; exit 0 also with files that could not be read, which it names."""

    help = (
        "Archive Claude Code's transcripts, write missing session logs, merge what a file sync brought, bring the "
        "index up to date."
    )
    examples = ("sync", "sync --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--detached: run by a hook; gives way to another sync and says nothing."""
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--detached", action="store_true", help="say nothing, and leave it to a sync that runs")
        how.add_argument("--json", action="store_true", help="what was done as JSON")

    def handle(self, **options: Any) -> None:
        """Sync and report."""
        settings, problems = read_settings(self.folder)
        source = None if disabled_by_environment() else claude_projects_dir()
        quiet = options["detached"]
        try:
            with ProgressBars(shown=not (quiet or options["json"])) as bars:
                wait = 0.0 if quiet else WAIT_SECONDS
                result = sync.run(
                    self.folder, source, settings, wait_seconds=wait, progress=bars, shipped_rules=shipped_order
                )
        except LockTimeoutError:
            if quiet:
                return
            raise
        if options["json"]:
            self.say_json(_as_json(result, problems))
        elif not quiet:
            self._report(result, settings, problems)

    def _report(self, result: sync.SyncResult, settings: dict[str, Any], problems: list[str]) -> None:
        off = why_off(settings)
        if off is not None:
            self.say(shown(f"{OFF}{off}"))
        if result.swept is None:
            self.say("Transcripts: left alone (LLM_MEMORY_DISABLE is set)")
        else:
            swept = result.swept
            whose = "" if off else " of excluded projects"
            excluded = f", {swept.excluded}{whose} left alone" if swept.excluded else ""
            logs = counted(swept.logged, "session log")
            self.say(f"Transcripts: {len(swept.archived):,} archived, {logs} written{excluded}")
            for path, reason in swept.skipped:
                self.say(f"  not archived: {shown(path)}: {shown(reason)}")
        self._report_merged(result.merged)
        found = result.remembered
        if found is not None and (found.mirrored or found.written or found.removed):
            changes = f"{found.written} written, {found.removed} removed"
            self.say(f"Claude's auto memory: {counted(found.mirrored, 'file')} mirrored; {changes}")
        done = result.mirrored
        rebuilt = " (rebuilt)" if done.rebuilt else ""
        changes = f"{done.added:,} added, {done.changed:,} read again, {done.removed:,} removed"
        self.say(f"Index: {counted(done.total, 'record')}{rebuilt}; {changes}; {len(done.skipped):,} skipped")
        for name, reason in done.skipped:
            self.say(f"  skipped: {shown(name)}: {shown(reason)}")
        if result.indexed is None:
            self.say("Conversations: another process is indexing them")
        else:
            self.say(f"Conversations: {counted(result.indexed.total, 'turn')}; {result.indexed.turns:,} added")
            for name, reason in result.indexed.problems:
                self.say(f"  skipped: {shown(name)}: {shown(reason)}")
        self._report_removed(result)
        for uuid in dict.fromkeys([*result.merged.revived, *done.revived]):
            self.say(f"  kept: {uuid} was edited after another machine deleted it")
        for problem in problems[off is not None :]:  # the first of those that switch memory off was said above
            self.say(f"  {shown(problem)}" if problem.startswith(OFF) else f"  setting ignored: {shown(problem)}")

    def _report_removed(self, result: sync.SyncResult) -> None:
        """What went because somebody wanted it: by marks that came from another machine, or by the settings."""
        if result.merged.forgotten:
            self.say(f"Removed: {counted(result.merged.forgotten, 'session')} marked as forgotten or let go")
        done = result.let_go
        if done is not None and done.sessions:
            size = said_size(sum(one.size for one in done.sessions))
            self.say(f"Retention: {counted(len(done.sessions), 'transcript')} let go, {size}; the session logs stay")
            for one in done.sessions:
                self.say(f"  {one.session_id}")
        elif done is not None and done.outlook.due:
            self.say(f"Retention: {said_outlook(done.outlook)}")
        for path, reason in [*(done.left if done else ()), *(result.forgotten.left if result.forgotten else ())]:
            self.say(f"  not removed: {shown(path)}: {shown(reason)}")
        if result.forgotten is not None and not result.forgotten.is_settled:
            self.say("Forgotten: another process uses the index; the next sync cleans it of what was forgotten")
        for problem in result.problems:
            self.say(f"  {shown(problem)}")

    def _report_merged(self, merged: merge_copies.MergeResult) -> None:
        """Nothing where there was nothing to merge: a user without a file sync never reads of one."""
        counts = (("record", merged.records), ("transcript", merged.transcripts), ("configuration file", merged.config))
        parts = [f"{count} {what}{'s' * (count != 1)}" for what, count in counts if count]
        if parts:
            kept = f"; {len(merged.kept)} kept beside" if merged.kept else ""
            self.say(
                f"Merged: {', '.join(parts)} that two machines changed{kept} (`llm-memory status` shows both sides)"
            )
        if merged.busy:
            self.say("Merged: left to another process that is merging")
        for path, reason in merged.left:
            self.say(f"  not merged: {shown(path)}: {shown(reason)}")


def _as_json(result: sync.SyncResult, problems: list[str]) -> dict[str, Any]:
    """The same facts as the lines."""
    swept, merged, mirrored, indexed = result.swept, result.merged, result.mirrored, result.indexed
    return {
        "transcripts": None
        if swept is None
        else {
            "archived": len(swept.archived),
            "session_logs": swept.logged,
            "left_alone": swept.excluded,
            "skipped": _named(swept.skipped),
        },
        "auto_memory": None
        if result.remembered is None
        else {
            "mirrored": result.remembered.mirrored,
            "written": result.remembered.written,
            "removed": result.remembered.removed,
        },
        "merged": {
            "records": merged.records,
            "transcripts": merged.transcripts,
            "config": merged.config,
            "kept": len(merged.kept),
            "busy": merged.busy,
            "left": _named(merged.left),
        },
        "index": {
            "records": mirrored.total,
            "added": mirrored.added,
            "changed": mirrored.changed,
            "removed": mirrored.removed,
            "rebuilt": mirrored.rebuilt,
            "skipped": _named(mirrored.skipped),
        },
        "conversations": None
        if indexed is None
        else {"turns": indexed.total, "added": indexed.turns, "skipped": _named(indexed.problems)},
        "forgotten": merged.forgotten,
        "let_go": [one.session_id for one in result.let_go.sessions] if result.let_go else [],
        "problems": [*problems, *result.problems],
    }


def _named(files: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"path": path, "reason": reason} for path, reason in files]

"""`manage.py forget SESSION...`: forget sessions for good, or let go what the retention settings let go."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from memories import forget_listing
from memories.core import conversation_index, forgetting, mirror, retention
from memories.core.errors import ForgetError
from memories.core.paths import claude_projects_dir
from memories.core.settings import read_settings
from memories.disk_use import said_size
from memories.forget_listing import Known, Listed
from memories.management.base import MemoryCommand
from memories.management.progress import ProgressBars
from memories.management.shown import shown
from memories.named import counted

WAIT_SECONDS = 60.0
"""How long the listing waits for another process that updates the index."""


class Command(MemoryCommand):
    """Lists first, always; exit 1 when it was not done, or not to its end."""

    help = "Forget sessions for good, here and on your other machines: a listing first, then it asks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which sessions, and how much to ask."""
        parser.add_argument(
            "session", nargs="*", metavar="SESSION", help="session id or its first characters; archived or not"
        )
        parser.add_argument("--project", metavar="P", help="every session of a project: its name or id")
        parser.add_argument(
            "--expired", action="store_true", help="only the transcripts that the retention settings let go now"
        )
        parser.add_argument("--dry-run", action="store_true", help="only list what would go and what stays")
        parser.add_argument("--yes", action="store_true", help="do it without asking")
        parser.add_argument("--json", action="store_true", help="the listing and the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, ask, do."""
        if sum((bool(options["session"]), options["project"] is not None, options["expired"])) != 1:
            raise ForgetError("Say what to forget: sessions by their ids, or --project P, or --expired. One of them.")
        if options["json"] and not (options["yes"] or options["dry_run"]):
            raise ForgetError("--json does not ask: say --dry-run to list only, or --yes to do it.")
        mirror.update(self.folder, wait_seconds=WAIT_SECONDS)
        if options["expired"]:
            self._let_go(options)
        else:
            self._forget(options)

    @contextmanager
    def _known(self) -> Iterator[Known]:
        with closing(mirror.connect(self.folder.mirror, read_only=True)) as connection:
            yield Known(self.folder, claude_projects_dir(), connection)

    def _forget(self, options: dict[str, Any]) -> None:
        with self._known() as known:
            if options["project"] is not None:
                meant, wanted = known.of_project(options["project"])
                head = f"{counted(len(wanted), 'session')} of {shown(meant.name)} to forget:"
            else:
                wanted = known.resolve(options["session"])
                head = f"{counted(len(wanted), 'session')} to forget:"
            listed = known.listed(wanted)
        answer = self._show(head, listed, options, log_stays=False)
        if not self._agreed(answer, options, f"Forget {counted(len(listed), 'session')} for good?"):
            return
        with ProgressBars(shown=not options["json"]) as bars:
            removed = forgetting.forget(self.folder, wanted, progress=bars)
        if options["json"]:
            left = [{"path": path, "reason": reason} for path, reason in removed.left]
            self.say_json({**answer, "done": True, "left": left, "is_settled": removed.is_settled})
        else:
            self._report(len(wanted), removed)
        if removed.left or not removed.is_settled:
            raise SystemExit(1)

    def _report(self, count: int, removed: forgetting.Removed) -> None:
        self.say(f"Forgotten: {counted(count, 'session')}.")
        for path, reason in removed.left:
            self.say(f"  left: {shown(path)}: {shown(reason)}")
        if removed.is_settled:
            self.say("Nothing of it is left in the data folder." if count == 1 else _NOTHING_LEFT)
        elif not removed.left:
            self.say("Another process uses the index, whose file may still hold some of it: run `llm-memory sync`.")

    def _let_go(self, options: dict[str, Any]) -> None:
        settings, _ = read_settings(self.folder)
        if not retention.is_on(settings):
            raise ForgetError(
                "transcripts_keep_days and transcripts_keep_mb are 0: every transcript is kept. Set one of them in "
                f"{self.folder.settings} first."
            )
        with self._known() as known, closing(mirror.connect(self.folder.mirror, read_only=True)) as connection:
            found = retention.outlook(self.folder, claude_projects_dir(), settings, connection)
            due = found.due if found else []
            listed = known.listed(place.session_id for place in due)
        if not due and not options["json"]:
            self.say("Nothing is old or large enough to be let go by the retention settings.")
            return
        size = said_size(sum(place.size for place in due))
        head = f"{counted(len(due), 'transcript')} to let go, {size}; the session logs stay:"
        answer = self._show(head, listed, options, log_stays=True)
        if not self._agreed(answer, options, f"Let go {counted(len(due), 'transcript')}?"):
            return
        with closing(mirror.connect(self.folder.mirror)) as connection:
            done = retention.run(self.folder, claude_projects_dir(), settings, connection, at_once=True)
        conversation_index.update(self.folder, wait_seconds=forgetting.WAIT_SECONDS)
        sessions, left = (done.sessions, done.left) if done else ([], [])
        if options["json"]:
            self.say_json({**answer, "done": True, "left": [{"path": path, "reason": why} for path, why in left]})
        else:
            self.say(f"Let go: {counted(len(sessions), 'transcript')}.")
            for path, reason in left:
                self.say(f"  left: {shown(path)}: {shown(reason)}")
        if left:
            raise SystemExit(1)

    def _show(self, head: str, listed: list[Listed], options: dict[str, Any], *, log_stays: bool) -> dict[str, Any]:
        """Print the listing; what --json says of it."""
        outside = forget_listing.outside(self.folder)
        if not options["json"]:
            running = retention.running(self.folder)
            self.say(head)
            for one in listed:
                self.say()
                for line in forget_listing.lines_of(
                    one, is_running=one.session_id in running and not log_stays, log_stays=log_stays
                ):
                    self.say(line)
            self.say()
            self.say("Out of reach, if it is there:")
            for line in outside:
                self.say(f"  - {line}")
            self.say()
        return {"sessions": [forget_listing.as_json(one) for one in listed], "out_of_reach": outside}

    def _agreed(self, answer: dict[str, Any], options: dict[str, Any], question: str) -> bool:
        """Whether to go on; False after a dry run."""
        if options["dry_run"]:
            if options["json"]:
                self.say_json({**answer, "done": False})
            else:
                self.say("Dry run: nothing was changed.")
            return False
        if options["yes"]:
            return True
        if not sys.stdin.isatty():
            raise ForgetError("Without a terminal nobody can be asked: say --yes. Nothing was changed.")
        self.stdout.flush()
        try:
            said = input(f"{question} [y/N] ")
        except EOFError:
            said = ""
        if said.strip().lower() not in {"y", "yes"}:
            self.say("Nothing was changed.")
            raise SystemExit(1)
        return True


_NOTHING_LEFT = "Nothing of them is left in the data folder."

"""`llm-memory forget SESSION...`: forget sessions for good, or let go what the retention settings let go."""

from __future__ import annotations

from contextlib import closing, contextmanager

from memories import forget_listing
from memories.core import clock, conversation_index, forgetting, forgotten, mirror, retention
from memories.core.archived_sessions import MIN_PREFIX
from memories.core.errors import ForgetError, StorageError
from memories.core.paths import claude_projects_dir
from memories.core.settings import read_settings
from memories.disk_use import said_size
from memories.forget_listing import Known, Listed
from memories.management.progress import ProgressBars
from memories.management.shown import shown
from memories.named import counted
from memories.status_keeping import said_ahead
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator
    from typing import Any

WAIT_SECONDS = 60.0
"""How long the listing waits for another process that updates the index."""


class Command(command.Command):
    """Lists first, always; exit 1 when it was not done, or not to its end."""

    help = "Forget sessions for good, here and on your other machines: a listing first, then it asks."
    examples = ("forget 7af41c2e --dry-run", "forget --project orders-api", "forget --expired --yes --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which sessions, and how much to ask."""
        parser.add_argument(
            "session",
            nargs="*",
            metavar="SESSION",
            help=f"session id or its first {MIN_PREFIX} characters at least; archived or not",
        )
        parser.add_argument("--project", metavar="PROJECT", help="every session of a project: its name or id")
        parser.add_argument(
            "--expired", action="store_true", help="only the transcripts that the retention settings let go now"
        )
        parser.add_argument("--dry-run", action="store_true", help="only list what would go and what stays")
        parser.add_argument("--yes", action="store_true", help="do it without asking")
        parser.add_argument("--json", action="store_true", help="the listing and the outcome as JSON")

    def handle(self, **options: Any) -> None:
        """List, ask, do."""
        if sum((bool(options["session"]), options["project"] is not None, options["expired"])) != 1:
            raise ForgetError("Say what to forget: sessions by their ids, or --project P, or --expired. One of them.")
        if options["json"] and not (options["yes"] or options["dry_run"]):
            raise ForgetError("--json does not ask: say --dry-run to list only, or --yes to do it.")
        try:
            mirror.update(self.folder, wait_seconds=WAIT_SECONDS)
        except StorageError:  # as on a full disk: forgetting makes room, and needs no index
            if not options["session"]:
                raise
        if options["expired"]:
            self._let_go(options)
        else:
            self._forget(options)

    @contextmanager
    def _known(self) -> Iterator[Known]:
        connection = forget_listing.index(self.folder)
        if connection is None:
            self.warn("The index cannot be read: titles, and what was stored in a session, are not listed.")
        with closing(connection or forget_listing.no_index()) as index:
            yield Known(self.folder, claude_projects_dir(), index)

    def _forget(self, options: dict[str, Any]) -> None:
        whose = ""
        with self._known() as known:
            if options["project"] is not None:
                meant, wanted = known.of_project(options["project"])
                whose = f" of {shown(meant.name)}"
            else:
                wanted = known.resolve(options["session"])
            listed = known.listed(wanted)
        gone = [one.session_id for one in listed if one.is_gone and forgotten.is_settled(self.folder)]
        if gone and not options["json"]:
            self.say(f"Already forgotten: {', '.join(gone)}.")
        listed = [one for one in listed if one.session_id not in gone]
        if not listed:
            if options["json"]:
                self.say_json({"sessions": [], "done": True, "already": gone, "left": [], "is_settled": True})
            return
        self._refuse_unknown(listed, options)
        count = counted(len(listed), "session")
        answer = {**self._show(f"{count}{whose} to forget:", listed, options, log_stays=False), "already": gone}
        if not self._agreed(answer, options, f"Forget {count} for good? This cannot be undone."):
            return
        with ProgressBars(shown=not options["json"]) as bars:
            removed = forgetting.forget(self.folder, [one.session_id for one in listed], progress=bars)
        if options["json"]:
            left = [{"path": path, "reason": reason} for path, reason in removed.left]
            settled = {"is_settled": removed.is_settled, "problem": removed.problem or None}
            self.say_json({**answer, "done": True, "left": left, **settled})
        else:
            self._report(listed, removed)
        if removed.left or not removed.is_settled:
            raise SystemExit(1)

    def _refuse_unknown(self, listed: list[Listed], options: dict[str, Any]) -> None:
        """A slip in a whole id must not pass for a session that was forgotten."""
        unknown = [one.session_id for one in listed if one.is_unknown]
        if unknown and not (options["yes"] or options["dry_run"]):
            raise ForgetError(
                f"Nothing of session {unknown[0]} is here, nor in Claude Code's folder. Check its id; where it is on "
                "another machine, say --yes: that makes a mark, which removes it there at its next sync. "
                "Nothing was changed."
            )

    def _report(self, listed: list[Listed], removed: forgetting.Removed) -> None:
        here = sum(not one.is_unknown for one in listed)
        if here:
            self.say(f"Forgotten: {counted(here, 'session')}.")
        if here < len(listed):
            self.say(
                f"Marked: {counted(len(listed) - here, 'session')} of which nothing was here; other machines remove "
                "what they have at their next sync."
            )
        for path, reason in removed.left:
            self.say(f"  left: {shown(path)}: {shown(reason)}")
        if removed.problem:
            self.say(f"The index has not followed yet, and may still hold some of it: {shown(removed.problem)}")
            self.say("The next `llm-memory sync` finishes it.")
        elif removed.is_settled and here:
            self.say("Nothing of it is left in the data folder." if here == 1 else _NOTHING_LEFT)
        elif not removed.left and not removed.is_settled:
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
        self._check_clock(found, options)
        size = said_size(sum(place.size for place in due))
        head = f"{counted(len(due), 'transcript')} to let go, {size}; the session logs stay:"
        answer = self._show(head, listed, options, log_stays=True)
        if not self._agreed(answer, options, f"Let go {counted(len(due), 'transcript')}? This cannot be undone."):
            return
        with closing(mirror.connect(self.folder.mirror)) as connection:
            done = retention.run(
                self.folder, claude_projects_dir(), settings, connection, at_once=True, trust_clock=options["yes"]
            )
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

    def _check_clock(self, found: retention.Outlook | None, options: dict[str, Any]) -> None:
        if found is None or found.newest is None or options["yes"]:
            return
        why = f"{said_ahead(clock.format_time(found.newest))}: set it, or where it is right say --yes."
        if not options["dry_run"]:
            raise ForgetError(f"Nothing was let go, as {why}")
        self.warn(f"Nothing of this goes by itself, as {why}")

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
        self.agree(question, ForgetError)
        return True


_NOTHING_LEFT = "Nothing of them is left in the data folder."

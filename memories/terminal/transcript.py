"""`llm-memory transcript [SESSION]`: read an archived conversation from a terminal."""

from __future__ import annotations

from memories.core import archived_sessions, transcript_page
from memories.management.shown import shown
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

    from memories.core.transcript_page import Item, Page

LISTED = 20


class Command(command.Command):
    """Print a page of a session, or all of it; without a session, list the newest."""

    help = "Read an archived session page by page; without SESSION, list the newest."
    examples = (
        "transcript",
        "transcript 7af41c2e",
        "transcript 7af41c2e --around 120",
        "transcript 7af41c2e --all --json",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The session and the place in it."""
        parser.add_argument(
            "session",
            nargs="?",
            metavar="SESSION",
            help="session id or its first characters; <session id>/agent-<id> for a subagent",
        )
        place = parser.add_mutually_exclusive_group()
        place.add_argument("--line", type=int, metavar="LINE", help="begin at this line of the file")
        place.add_argument("--around", type=int, metavar="LINE", help="begin a little before this line and mark it")
        place.add_argument("--cursor", metavar="CURSOR", help="go on where the page before ended, as it says")
        length = parser.add_mutually_exclusive_group()
        length.add_argument(
            "--max-tokens",
            type=int,
            metavar="N",
            default=transcript_page.DEFAULT_TOKENS,
            help=f"about how long a page is (default {transcript_page.DEFAULT_TOKENS})",
        )
        length.add_argument("--all", action="store_true", help="to the end, not only a page")
        parser.add_argument("--json", action="store_true", help="each page, or the list, as JSON")

    def handle(self, **options: Any) -> None:
        """Print the page, the pages or the list."""
        if options["session"] is None:
            self._list(as_json=options["json"])
            return
        place = {name: options[name] for name in ("line", "around", "cursor")}
        tokens = transcript_page.MAX_TOKENS if options["all"] else options["max_tokens"]
        first = True
        while True:
            page = transcript_page.read_page(self.folder, options["session"], max_tokens=tokens, **place)
            last = page.next_cursor is None or not options["all"]
            if options["json"]:
                self.say_json(page.as_data())
            else:
                self._show(page, first=first, last=last)
            if last:
                return
            first = False
            place = {"cursor": page.next_cursor}

    def _show(self, page: Page, *, first: bool, last: bool) -> None:
        if first:
            self.say(self.style.warning(page.header))
        for item in page.items:
            self.say(self._styled(item))
        if last:
            self.say(f"\n{page.footer}")

    def _styled(self, item: Item) -> str:
        styles = {"user": self.style.heading, "assistant": self.style.good, "mark": self.style.warning}
        if not item.is_said:
            return styles.get(item.role, str)(item.shown())
        return f"\n{styles[item.role](item.head)}{item.body}"

    def _list(self, *, as_json: bool) -> None:
        folder = self.folder
        found: list[dict[str, Any]] = [
            {
                "session_id": one.session_id,
                "ended_at": one.ended_at,
                "project": archived_sessions.project_name(folder, one.session_id) or None,
                "size": one.size,
            }
            for one in archived_sessions.newest(folder, LISTED)
        ]
        if as_json:
            self.say_json({"sessions": found})
            return
        for session in found:
            when = session["ended_at"].replace("T", " ")[:16]
            size = transcript_page.shown_size(session["size"])
            self.say(f"{session['session_id']}  {when}  {size:>9}  {shown(session['project'] or '-')}")
        if not found:
            self.say("No session is archived yet: `llm-memory sync` archives what Claude Code has.")

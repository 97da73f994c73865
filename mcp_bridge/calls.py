"""How a tool call runs: on one thread with one database connection, with every failure turned into a useful answer."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from mcp.server.mcpserver.exceptions import ToolError

from mcp_bridge import context
from mcp_bridge.roots import Roots
from memories import selectors
from memories.core import mirror, projects, redaction, scope
from memories.core.errors import LLMMemoryError, MirrorUnavailableError
from memories.core.paths import DataFolder, check_private
from memories.core.settings import read_settings
from memories.services import Session

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Calls:
    """What every tool needs: the data folder, the caller's session and project, and run()."""

    def __init__(self, folder: DataFolder, sync: context.BackgroundSync, roots: Roots) -> None:
        self.folder = folder
        self._sync = sync
        self._roots = roots

    async def run(self, body: Callable[[], dict[str, Any]]) -> Any:
        """Run a tool's body and give its answer. Raises ToolError, whose text is all the model sees of a failure."""
        return await sync_to_async(self._run, thread_sensitive=True)(body)

    async def glance(self, body: Callable[[], T], otherwise: T) -> T:
        """What a look into the index gives, `otherwise` where it cannot be read now: for lists and completions, which
        clients ask for by themselves. Waits for no update, and fails with nothing."""
        found: T = await sync_to_async(self._glance, thread_sensitive=True)(body, otherwise)
        return found

    def _glance(self, body: Callable[[], T], otherwise: T) -> T:
        try:
            check_private(self.folder)
            return body()
        except LLMMemoryError:
            return otherwise  # said by whatever is called in earnest
        except sqlite3.Error as error:
            selectors.close_mirror(self.folder)
            logger.info("Nothing is listed: %s", error)
            return otherwise
        except Exception:  # the boundary: as for _run
            logger.exception("A list or completion crashed")
            selectors.close_mirror(self.folder)
            return otherwise

    def _run(self, body: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            check_private(self.folder)
            self._sync.wait_until_usable()
            return _sendable(body())
        except MirrorUnavailableError as error:
            raise ToolError(self._shown(self._sync.explain(error))) from error
        except LLMMemoryError as error:
            raise ToolError(self._shown(str(error))) from error
        except (DatabaseError, sqlite3.Error) as error:
            raise ToolError(self._index_fault(error)) from error
        except (
            Exception
        ) as error:  # the boundary: one tool's crash must leave the server up and tell the model something
            logger.exception("A tool crashed")
            connection.close()
            raise ToolError(
                f"Unexpected {type(error).__name__} in LLM Memory; nothing was changed unless an answer said so. "
                "Try once more, or ask the user to run `llm-memory doctor`."
            ) from error

    def _shown(self, text: str) -> str:
        """An error's text without the secrets that it may quote of a file or of the call."""
        return redaction.of(self.folder).text(text)

    def _index_fault(self, error: Exception) -> str:
        """Have a damaged index made again, waiting a bounded time for it, and say what to do."""
        connection.close()
        cause = error if isinstance(error, sqlite3.Error) else error.__cause__
        if not (isinstance(cause, sqlite3.Error) and mirror.is_damage(cause)):
            return f"The index cannot be read now ({error}). Try again in a moment, or run `llm-memory doctor`."
        self._sync.wait(context.FIRST_CALL_SECONDS)  # for an update that runs: it rebuilds nothing
        self._sync.start(rebuild=True)
        self._sync.wait(context.FIRST_CALL_SECONDS)
        return (
            f"The index was damaged ({error}) and is made again from the records and transcripts, which are whole. "
            "Try once more."
        )

    def searching(self, where: str, search: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer of a search, which says so where it looked into conversations that are still being indexed."""
        if where == "memories":
            return search()
        self._sync.wait_for_conversations()
        was_indexing = self._sync.is_indexing
        answer = search()
        if was_indexing:
            note = "Conversations are still being indexed: there may be more hits in a moment."
            answer["hint"] = " ".join(filter(None, [answer["hint"], note]))
        return answer

    def session(self) -> Session:
        """The session that calls."""
        return context.current_session(self.folder, self._roots.folders)

    def own(self) -> scope.Scope | None:
        """The scope of the session's project; None outside any project."""
        project = self.session().project
        return scope.of_project(project) if project is not None else None

    def own_or_named(self, name: str) -> scope.Scope | None:
        """The scope of a project by its name: the session's own where that is called so, else as named."""
        own = self.own()
        return own if own is not None and projects.fold_name(name) in own.keys else self.named(name)

    def named(self, name: str | None) -> scope.Scope | None:
        """The scope of a project that the caller named; None when none was."""
        if not name or not name.strip():
            return None
        settings, _ = read_settings(self.folder)
        return selectors.named_scope(self.folder, name.strip(), self.session().project, settings)


def _sendable(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer as JSON that every client can parse: a record's file may hold half surrogate pairs and NaN."""
    text = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
    found: dict[str, Any] = json.loads(text, parse_constant=lambda _: None)
    return found

"""The resources: a memory and a project's narrative as Markdown, and a short list of what is at hand."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp_types import Annotations, Resource, ResourceTemplate

from mcp_bridge.calls import Calls
from memories import offered, offered_text
from memories.core import budget, scope
from memories.core.errors import InvalidRecordError, ProjectError, RecordNotFoundError

MARKDOWN = "text/markdown"
MEMORY = "memory://"
NARRATIVE = "narrative://"
DATE = len("2026-03-14")
MOST_IMPORTANT = 10
SHOWN_CHARS = 200
"""Of an address that is none, in an error."""

TEMPLATES = (
    ResourceTemplate(
        uri_template=MEMORY + "{uuid}",
        name="memory",
        title="Memory",
        description="One memory whole, with its links, by its uuid (32 hex digits)",
        mime_type=MARKDOWN,
    ),
    ResourceTemplate(
        uri_template=NARRATIVE + "{project}",
        name="narrative",
        title="Narrative",
        description="A project's living document and how far it has come, by the project's name, URL-encoded",
        mime_type=MARKDOWN,
    ),
)
_NOT_THERE = (RecordNotFoundError, InvalidRecordError, ProjectError)


def is_ours(uri: str) -> bool:
    """Whether an address is of a memory or a narrative."""
    return uri.lower().startswith((MEMORY, NARRATIVE))


async def listed(calls: Calls) -> list[Resource]:
    """The narrative of the session's project and its newest notes; outside any project, the newest of all.

    Empty while there is no index, and where memory is switched off: a list is asked for without anybody's wish.
    """
    found: list[Resource] = await calls.glance(lambda: _listed(calls), [])
    return found


def _listed(calls: Calls) -> list[Resource]:
    project = calls.session().project
    if project is not None and not project.enabled:
        return []
    where = scope.of_project(project) if project is not None else None
    found = []
    written_at = offered.narrative_time(calls.folder, where) if where is not None else None
    if where is not None and written_at:
        found.append(_narrative(where.name, written_at))
    return found + [_note(row) for row in offered.newest_notes(calls.folder, where)]


def _narrative(project: str, written_at: str) -> Resource:
    title = f"Narrative of {budget.label(project)}"
    return Resource(
        uri=NARRATIVE + quote(project, safe="", errors="replace"),
        name=title,
        title=title,
        description=f"The project's living document, written {written_at[:DATE]}",
        mime_type=MARKDOWN,
        annotations=Annotations(priority=1.0, last_modified=f"{written_at}Z"),
    )


def _note(row: dict[str, Any]) -> Resource:
    title = budget.label(row["title"]) or row["uuid"]
    about = ["note", row["project"], row["created_at"][:DATE], row["tags"]]
    return Resource(
        uri=MEMORY + row["uuid"],
        name=title,
        title=title,
        description=" · ".join(budget.label(part) for part in about if part),
        mime_type=MARKDOWN,
        annotations=Annotations(
            priority=min(max(row["importance"] / MOST_IMPORTANT, 0.0), 1.0), last_modified=f"{row['created_at']}Z"
        ),
    )


async def read(calls: Calls, uri: str) -> ReadResourceContents:
    """What is at an address of ours. Raises ResourceNotFoundError or ResourceError, with the next step."""
    try:
        found = await calls.run(lambda: {"text": _text(calls, uri)})
    except ToolError as error:
        kind = ResourceNotFoundError if isinstance(error.__cause__, _NOT_THERE) else ResourceError
        raise kind(str(error)) from error
    return ReadResourceContents(content=found["text"], mime_type=MARKDOWN)


def _text(calls: Calls, uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    name = unquote(rest.removesuffix("/"), errors="replace").strip()
    if scheme.lower() == "memory":
        return offered_text.memory(calls.folder, name.lower())
    session = calls.session()
    where = calls.own_or_named(name)
    if where is None:
        raise ProjectError("narrative:// needs a project's name, URL-encoded: narrative://orders-api.")
    if session.project is not None and not session.project.enabled and session.project.id in where.ids:
        raise ProjectError(f"Memory is switched off in this project: {session.project.reason}.")
    return offered_text.narrative(calls.folder, where, session.session_id)


def unknown(uri: str) -> ResourceNotFoundError:
    """The error for an address that is nothing of ours."""
    return ResourceNotFoundError(
        f"There is no resource {uri[:SHOWN_CHARS]!r}. {MEMORY}<uuid> and {NARRATIVE}<project> are read here; "
        "resources/list has the newest."
    )

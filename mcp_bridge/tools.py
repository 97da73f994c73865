"""The tools: each parses its arguments, calls one service or selector, and gives the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from pydantic import Field

from mcp_bridge import schemas
from mcp_bridge.calls import Calls
from memories import brief, search, selectors, services
from memories.core import transcript_page
from memories.core.errors import ProjectError
from memories.core.scope import Scope

T = TypeVar("T", bound=Callable[..., Any])
Type = Literal["narrative", "note", "session_log"]
Where = Literal["memories", "transcripts", "all"]
Relationship = Literal["supersedes", "related_to"]
Source = Literal["startup", "resume", "clear", "compact"]
Uuid = Annotated[str, Field(description="32 hex digits")]
Limit = Annotated[int, Field(ge=1, le=selectors.MAX_LIMIT)]
ProjectFilter = Annotated[str | None, Field(description="Only this project; default: all, this session's first")]

READ = ToolAnnotations(read_only_hint=True, open_world_hint=False)
ADD = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
DELETE = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
ALWAYS_LOAD = {"anthropic/alwaysLoad": True}
"""Claude Code defers tools behind a search step unless told otherwise; these two must be at hand from the start."""


def _tool(
    server: MCPServer[Any], annotations: ToolAnnotations, meta: dict[str, Any] | None = None, *, plain: bool = False
) -> Callable[[T], T]:
    """Register a function as a tool; its docstring, on one line, is what the model reads.

    plain: the answer is text alone; Claude Code shows the model structured content instead, as escaped JSON.
    """

    def decorate(function: T) -> T:
        description = " ".join((function.__doc__ or "").split())
        structured = False if plain else None  # None: by the function's annotation
        server.add_tool(
            function, description=description, annotations=annotations, meta=meta, structured_output=structured
        )
        return function

    return decorate


def register(server: MCPServer[Any], calls: Calls) -> None:
    """Add the tools to a server. calls runs each body on one thread and turns domain errors into tool errors."""
    _register_writes(server, calls)
    _register_search(server, calls)
    _register_reads(server, calls)
    _register_transcripts(server, calls)
    _register_brief(server, calls)


def _register_writes(server: MCPServer[Any], calls: Calls) -> None:
    @_tool(server, ADD, ALWAYS_LOAD)
    async def memory_store(
        content: Annotated[str, Field(description="Markdown; say what, why and what follows")],
        type: Type,  # noqa: A002 - the name that existing prompts use
        project: Annotated[str | None, Field(description="Default: this session's")] = None,
        session_id: Annotated[str | None, Field(description="Default: this session")] = None,
        importance: Annotated[int, Field(ge=1, le=10)] = 5,
        transcript_ref: Annotated[
            str | list[str] | None, Field(description="Session ids that this was written from (narratives: all read)")
        ] = None,
        tags: Annotated[str | list[str] | None, Field(description="Comma-separated")] = None,
        connections: Annotated[
            list[dict[str, str]] | None, Field(description='[{"to_uuid", "relationship": supersedes|related_to}]')
        ] = None,
        accept_losses: Annotated[
            list[str] | None, Field(description="Narratives: codes from a refusal, of what is meant to go")
        ] = None,
    ) -> schemas.StoreAnswer:
        """Keep a memory: a decision with its reason, a correction, a gotcha, an outcome (note), or the project's living
        document (narrative; replaces the active one, older versions are kept). Exact duplicates are skipped."""
        return await calls.run(
            lambda: services.memory_store(
                calls.folder,
                calls.session(),
                content=content,
                type=type,
                project=project,
                session_id=session_id,
                importance=importance,
                transcript_ref=transcript_ref,
                tags=tags,
                connections=connections,
                accept_losses=accept_losses,
            )
        )

    @_tool(server, ADD)
    async def memory_connect(from_uuid: Uuid, to_uuid: Uuid, relationship: Relationship) -> schemas.ConnectAnswer:
        """Link two memories. supersedes: from replaces to, which search then hides; related_to: see also."""
        return await calls.run(lambda: services.memory_connect(calls.folder, from_uuid, to_uuid, relationship))

    @_tool(server, DELETE)
    async def memory_delete(uuid: Uuid) -> schemas.DeleteAnswer:
        """Delete a memory, only when the user asks for it. It goes to a trash from which the user can restore it.
        To replace an outdated memory, store the new one with a supersedes connection instead."""
        return await calls.run(lambda: services.memory_delete(calls.folder, uuid))


def _register_search(server: MCPServer[Any], calls: Calls) -> None:
    @_tool(server, READ, ALWAYS_LOAD)
    async def memory_search(
        query: Annotated[str, Field(description="A question or key words, in any form")],
        project: ProjectFilter = None,
        type: Type | None = None,  # noqa: A002 - the name that existing prompts use
        limit: Limit = 10,
        scope: Annotated[Where, Field(description="transcripts: every word ever said, by user or Claude")] = "memories",
        since: Annotated[str | None, Field(description="YYYY[-MM[-DD]], included")] = None,
        until: Annotated[str | None, Field(description="YYYY[-MM[-DD]], included")] = None,
        tags: Annotated[str | list[str] | None, Field(description="All of these")] = None,
        include_archived: Annotated[bool, Field(description="Superseded ones too")] = False,
        offset: Annotated[int, Field(ge=0, le=search.MAX_OFFSET)] = 0,
    ) -> schemas.ListAnswer:
        """Search what earlier sessions kept (decisions with reasons, gotchas, outcomes, session logs, narratives), or
        with scope transcripts the archived conversations themselves. memory_get gives a memory whole, transcript_read
        (session_id, around=line, or its cursor) what was said around a hit."""
        return await calls.run(
            lambda: calls.searching(
                scope,
                lambda: search.memory_search(
                    calls.folder,
                    query,
                    project=calls.named(project),
                    boosted=calls.own(),
                    type=type,
                    limit=limit,
                    scope=scope,
                    since=since,
                    until=until,
                    tags=tags,
                    include_archived=include_archived,
                    offset=offset,
                ),
            )
        )


def _register_reads(server: MCPServer[Any], calls: Calls) -> None:
    @_tool(server, READ)
    async def memory_recent(
        project: ProjectFilter = None,
        type: Type | None = None,  # noqa: A002 - the name that existing prompts use
        limit: Limit = 10,
    ) -> schemas.ListAnswer:
        """The newest memories, newest first."""
        return await calls.run(
            lambda: selectors.memory_recent(
                calls.folder, project=calls.named(project), boosted=calls.own(), type=type, limit=limit
            )
        )

    @_tool(server, READ)
    async def memory_get(uuid: Uuid) -> dict[str, Any]:
        """One memory whole, with its links both ways."""
        return await calls.run(lambda: selectors.memory_get(calls.folder, uuid))

    @_tool(server, READ)
    async def memory_explore(uuid: Uuid, depth: Annotated[int, Field(ge=1, le=3)] = 1) -> schemas.ExploreAnswer:
        """The memories linked to one, in both directions, up to `depth` steps away."""
        return await calls.run(lambda: selectors.memory_explore(calls.folder, uuid, depth))

    @_tool(server, READ)
    async def narrative_coverage(
        project: Annotated[str | None, Field(description="Default: this session's")] = None,
    ) -> schemas.CoverageAnswer:
        """Which archived sessions the project's narrative covers, and which are unprocessed or grew since;
        transcript_read reads them."""
        return await calls.run(
            lambda: selectors.narrative_coverage(
                calls.folder, _required(calls.named(project) or calls.own()), calls.session().session_id
            )
        )


def _register_transcripts(server: MCPServer[Any], calls: Calls) -> None:
    @_tool(server, READ, plain=True)
    async def transcript_read(
        session_id: Annotated[str, Field(description="Or its first characters, or <session id>/agent-<id>")],
        line: Annotated[int | None, Field(description="Begin at this line")] = None,
        around: Annotated[int | None, Field(description="Begin a little before this line, e.g. a search hit's")] = None,
        cursor: Annotated[str | None, Field(description="Go on: from the page before")] = None,
        max_tokens: Annotated[
            int, Field(ge=transcript_page.MIN_TOKENS, le=transcript_page.MAX_TOKENS)
        ] = transcript_page.DEFAULT_TOKENS,
    ) -> str:
        """Read an archived session: what was said, with line numbers; tools and their output folded to a line each."""
        page = await calls.run(
            lambda: {
                "text": transcript_page.read_page(
                    calls.folder, session_id, line=line, around=around, cursor=cursor, max_tokens=max_tokens
                ).text
            }
        )
        return str(page["text"])


def _register_brief(server: MCPServer[Any], calls: Calls) -> None:
    @_tool(server, READ, plain=True)
    async def memory_brief(
        project: Annotated[str | None, Field(description="Default: this session's")] = None,
        source: Source = "startup",
    ) -> str:
        """What a session is told at its start, with its size; compact: what this session was in the middle of."""
        found = await calls.run(lambda: brief.brief(calls.folder, calls.session(), project, source))
        return f"({brief.headline(found)})\n\n{found['text']}"


def _required(found: Scope | None) -> Scope:
    if found is None:
        raise ProjectError("No project is detected here: pass project.")
    return found

"""The tools' answers as types: what structured output promises. Names and fields are those of docs/records.md."""

from __future__ import annotations

from typing import Any

from typing_extensions import NotRequired, TypedDict


class StoreAnswer(TypedDict):
    """memory_store."""

    uuid: str
    status: str
    near_duplicates: NotRequired[list[str]]
    warnings: NotRequired[list[str]]
    message: NotRequired[str]


class ListAnswer(TypedDict):
    """memory_search and memory_recent."""

    results: list[dict[str, Any]]
    hint: str | None


class ConnectAnswer(TypedDict):
    """memory_connect."""

    status: str
    from_uuid: str
    to_uuid: str
    relationship: str
    warnings: list[str]


class ExploreAnswer(TypedDict):
    """memory_explore."""

    start_uuid: str
    depth: int
    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]


class DeleteAnswer(TypedDict):
    """memory_delete."""

    uuid: str
    status: str
    warnings: list[str]


class CoverageAnswer(TypedDict):
    """narrative_coverage."""

    project: str
    narrative_uuid: str | None
    status: str
    on_disk: int
    processed: int
    sessions_since: int
    turns_since: int
    since: str | None
    unprocessed: list[dict[str, Any]]
    grown: list[dict[str, Any]]
    stale_refs: list[str]
    forks: list[str]
    summary: str

"""Completions: projects, tags and ids for the arguments of prompts and the variables of resource templates."""

from __future__ import annotations

from collections.abc import Callable

from mcp_types import Completion, CompletionArgument, PromptReference, ResourceTemplateReference

from mcp_bridge import resources
from mcp_bridge.calls import Calls
from memories import offered

Source = Callable[[Calls, str], offered.Values]


def _projects(calls: Calls, beginning: str) -> offered.Values:
    project = calls.session().project
    return offered.projects(calls.folder, beginning, project.name if project is not None else None)


def _tags(calls: Calls, beginning: str) -> offered.Values:
    return offered.tags(calls.folder, beginning)


def _uuids(calls: Calls, beginning: str) -> offered.Values:
    return offered.uuids(calls.folder, beginning)


OF_PROMPTS: dict[tuple[str, str], Source] = {("recall", "topic"): _tags, ("narrative", "project"): _projects}
"""(prompt, argument) -> what completes it. What to remember is nobody's to guess."""

OF_TEMPLATES: dict[tuple[str, str], Source] = {
    (resources.MEMORY, "uuid"): _uuids,
    (resources.NARRATIVE, "project"): _projects,
}


async def complete(
    calls: Calls, reference: PromptReference | ResourceTemplateReference, argument: CompletionArgument
) -> Completion:
    """What an argument may go on to, the likeliest first; nothing for one that is not known, or without an index."""
    source = _source(reference, argument.name)
    found: offered.Values = ([], 0)
    if source is not None:
        found = await calls.glance(lambda: source(calls, argument.value), found)
    values, total = found
    return Completion(values=values, total=total, has_more=total > len(values))


def _source(reference: PromptReference | ResourceTemplateReference, name: str) -> Source | None:
    if isinstance(reference, PromptReference):
        return OF_PROMPTS.get((reference.name, name))
    scheme, mark, _ = reference.uri.lower().partition("://")
    return OF_TEMPLATES.get((scheme + mark, name))

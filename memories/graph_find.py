"""What "Find in the graph" finds: one rule for the drawing and the table, asked where whole titles are known."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from memories import selectors
from memories.core.paths import DataFolder
from memories.graph_filters import GraphFilters
from memories.graph_titles import whole_title
from memories.models import Memory
from memories.project_groups import ProjectGroup


class Finder:
    """Says of titles and projects whether they have filters.find, in any case and any language."""

    def __init__(self, filters: GraphFilters) -> None:
        self._wanted = _folded(filters.find)
        self.projects: list[ProjectGroup] = [one for one in filters.groups if one.scope and self.has(one.name)]

    def has(self, title: str) -> bool:
        """Whether the title, as a page shows it, has the text."""
        return self._wanted in _folded(whole_title(title))

    def narrowed(self, folder: DataFolder, memories: QuerySet[Memory]) -> QuerySet[Memory]:
        """Those of the memories whose title, or whose project's name, has the text."""
        raw = selectors.mirror_connection(folder)
        raw.create_function("graph_finds", 1, self.has)
        condition = Func(F("title"), function="graph_finds", output_field=BooleanField())
        wanted = Q(graph_finds=Value(1))
        for group in self.projects:
            wanted |= group.condition()
        found: QuerySet[Memory] = memories.alias(graph_finds=condition).filter(wanted)
        return found

    def places(self, titles: Iterable[str], projects: Iterable[ProjectGroup | None]) -> list[int]:
        """The places in two columns where the title, or the project's name, has the text."""
        names = {one.value for one in self.projects}
        columns = enumerate(zip(titles, projects, strict=True))
        return [place for place, (title, group) in columns if (group and group.value in names) or self.has(title)]


def _folded(text: str) -> str:
    return text.casefold() if text.isascii() else unicodedata.normalize("NFC", text).casefold()

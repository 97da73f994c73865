"""Whether memories have come since a page was made, told by their row ids: a new one gets the highest."""

from __future__ import annotations

import sqlite3

from memories.facets import FacetIndex
from memories.timeline import Filters
from memories.timeline_search import Hits


def newest_id(raw: sqlite3.Connection) -> int:
    """The highest row id; 0 without memories. One look-up, however many there are. Raises sqlite3.Error."""
    found: int = raw.execute("SELECT coalesce(max(id), 0) FROM memory").fetchone()[0]
    return found


def count_new(raw: sqlite3.Connection, index: FacetIndex, filters: Filters, since: int) -> int:
    """How many memories above a row id the filters leave. Raises sqlite3.Error."""
    found = index.chosen(filters) & index.of_ids(row_id for row_id in index.ids if row_id > since)
    return (found & Hits(raw, index, filters).memories if filters.q and found else found).bit_count()

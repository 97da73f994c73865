"""What completes an argument of a command line: projects, tags, ids with what they are called. Read from the mirror."""

from __future__ import annotations

from memories import offered, selectors
from memories.core import redaction
from memories.terminal import ids, listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memories.core.paths import DataFolder

MOST = 50
"""Values that a shell is given: more is a wall of text."""

Value = tuple[str, str]
"""What is put into the line, and what is said of it; "" for nothing."""


def projects(folder: DataFolder, beginning: str) -> list[Value]:
    """Names of projects, that of most memories first. Raises MirrorUnavailableError, as all of these."""
    return [(name, "") for name in offered.projects(folder, beginning)[0][:MOST]]


def tags(folder: DataFolder, beginning: str) -> list[Value]:
    """The last of several tags in a word, the others kept before it."""
    before, comma, last = beginning.rpartition(",")
    return [(before + comma + tag, "") for tag in offered.tags(folder, last)[0][:MOST]]


def memories(folder: DataFolder, beginning: str) -> list[Value]:
    """Ids of memories with their titles, the newest first."""
    return _titled(folder, "uuid", "1", beginning)


def sessions(folder: DataFolder, beginning: str) -> list[Value]:
    """Ids of sessions with what was asked in them first, the newest first."""
    return _titled(folder, "session_id", "type = 'session_log' AND session_id IS NOT NULL", beginning)


def _titled(folder: DataFolder, column: str, condition: str, beginning: str) -> list[Value]:
    sql = (
        f"SELECT {column}, title, project FROM memory WHERE {condition} AND {column} >= ? AND {column} < ? "
        f"ORDER BY created_at DESC LIMIT {MOST}"
    )
    prefix = beginning.lower()
    rows = selectors.mirror_connection(folder).execute(sql, (prefix, prefix + "\U0010ffff"))
    return [(found, " · ".join(filter(None, (project, title)))) for found, title, project in rows]


def deleted(folder: DataFolder, beginning: str) -> list[Value]:
    """Ids in the trash with their titles, the last deleted first."""
    found = [uuid for uuid in ids.deleted(folder) if uuid.startswith(beginning.lower())][:MOST]
    graves = ((uuid, redaction.tombstone(folder, uuid)) for uuid in found)
    return [(uuid, listing.title(grave)) for uuid, grave in graves if grave is not None]


VALUES: dict[str, Callable[[DataFolder, str], list[Value]]] = {
    "PROJECT": projects,
    "TAGS": tags,
    "ID": memories,
    "OTHER_ID": memories,
    "UUID": memories,
    "SESSION": sessions,
    "DELETED": deleted,
}
"""What an argument is called in the help (its metavar) -> what completes it."""

"""Writes: the file first, then the mirror's row. A store has succeeded when its record is renamed into place."""

from __future__ import annotations

import os
import sqlite3

from memories import narrative_store, selectors
from memories.core import mirror, records, redaction, scope
from memories.core.errors import InvalidRecordError, LLMMemoryError, MirrorUnavailableError, ProjectError
from memories.core.projects import fold_name
from memories.core.settings import disabled_by_environment, read_settings
from memories.memory_rows import NEWEST_FIRST, uuids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.projects import Project

MAX_CONTENT_CHARS = 1_000_000

_MIRROR_FAULTS = (MirrorUnavailableError, sqlite3.Error)
"""What reading a missing, locked or damaged mirror raises; for a write none of them is more than a warning."""


class Session:
    """Where a call comes from: the project of the launch folder (None: no project) and the session's id."""

    def __init__(self, project: Project | None = None, session_id: str | None = None) -> None:
        self.project = project
        self.session_id = session_id


def memory_store(
    folder: DataFolder,
    session: Session,
    *,
    content: str,
    type: str,  # noqa: A002 - the tool's argument
    project: str | None = None,
    session_id: str | None = None,
    importance: int = records.DEFAULT_IMPORTANCE,
    transcript_ref: str | list[str] | None = None,
    tags: str | list[str] | None = None,
    connections: list[dict[str, str]] | None = None,
    accept_losses: list[str] | None = None,
) -> dict[str, Any]:
    """Store a memory; the answer is {"uuid", "status", "near_duplicates", "warnings"} or that of an exact duplicate.

    Secrets and private passages are replaced before anything else sees them, and a warning says so. accept_losses:
    findings that shall not refuse a narrative (see core/narrative_check.py). Raises InvalidRecordError (also where
    there is nothing but a private passage), NarrativeRefusedError, ProjectError (a narrative without a project, memory
    switched off here), StorageError.
    """
    _refuse_where_switched_off(session)
    _refuse_too_long(content)
    warnings: list[str] = []
    name, project_id = _project_of(folder, session, project, warnings)
    _refuse_without_project(type, name)
    record = records.new_record(
        type=type,
        content=content,
        project=name,
        project_id=project_id,
        session_id=session_id or session.session_id,
        importance=importance,
        transcript_ref=narrative_store.ref_text(records.session_refs(transcript_ref), transcript_ref),
        tags=_tags_text(tags),
        connections=_links(connections),
    )
    _redact(folder, record, warnings)
    where = _scope_of(name, project_id, session)
    existing, near = _alike(folder, record, where, warnings)
    if existing is not None:
        return _duplicate(folder, existing, record)
    warnings.extend(_absent_targets(folder, record))
    with records.lock(folder):
        existing = _exact_or_none(folder, record, where)  # another session may have stored the same meanwhile
        if existing is None:
            _write(folder, record, where, warnings, accept_losses)
    if existing is not None:
        return _duplicate(folder, existing, record)
    return {"uuid": record["uuid"], "status": "stored", "near_duplicates": near, "warnings": warnings}


def _refuse_without_project(kind: str, project: str | None) -> None:
    if kind == "narrative" and project is None:
        raise ProjectError("A narrative belongs to a project and none is detected here: pass project.")


def _refuse_too_long(content: str) -> None:
    if len(content) > MAX_CONTENT_CHARS:
        raise InvalidRecordError(f"{len(content):,} characters are too many for one memory: store it in parts.")


def _redact(folder: DataFolder, record: dict[str, Any], warnings: list[str]) -> None:
    """Take secrets and private passages out of a new record, and say so. Raises InvalidRecordError where nothing else
    is left to keep."""
    from memories.core import private_passages, redact  # whoever deletes or only names a session does without

    records.dump(record)  # text that no file can hold is refused here, before the mirror is asked about it
    redactor = redaction.of(folder)
    counts: dict[str, int] = {}
    content = record["content"]
    for _, _, rule in redactor.spans(content):
        counts[rule] = counts.get(rule, 0) + 1
    found = redactor.record(record)
    for name in ("session_id", "transcript_ref"):  # ids and paths, but whoever calls may pass anything
        text = record[name] or ""
        found += [rule for _, _, rule in redactor.spans(text)]
        record[name] = redactor.text(text) or None
    for rule in found:
        counts.setdefault(rule, 1)
    if (
        set(counts) == {redact.PRIVATE}
        and not record["content"].replace(redact.placeholder(redact.PRIVATE), "").strip()
    ):
        raise InvalidRecordError(
            "All of the content is marked as private, which is never stored: nothing was stored. Store only what may "
            "be kept, without the tags that mark it."
        )
    private = counts.pop(redact.PRIVATE, 0)
    if private:
        what = "1 private passage was" if private == 1 else f"{private} private passages were"
        shown = redact.placeholder(redact.PRIVATE)
        rest = private_passages.taken_by_unclosed(content)
        ended = f" A <private> that is never closed took the rest of the text, {rest} characters." if rest else ""
        warnings.append(f"{what} left out before storing: the record holds {shown}.{ended}")
    if counts:
        total = sum(counts.values())
        what = "1 secret was" if total == 1 else f"{total} secrets were"
        shown = " and ".join(redact.placeholder(rule) for rule in counts)
        warnings.append(f"{what} replaced before storing ({', '.join(counts)}): the record holds {shown}.")


def _refuse_where_switched_off(session: Session) -> None:
    if disabled_by_environment():
        raise ProjectError("LLM_MEMORY_DISABLE is set for this session: nothing is stored. Go on without storing.")
    if session.project is not None and not session.project.enabled:
        raise ProjectError(
            f"Memory is switched off in this project: {session.project.reason}. Go on without storing; "
            "only the user can switch it on."
        )


def _alike(
    folder: DataFolder, record: dict[str, Any], where: scope.Scope | None, warnings: list[str]
) -> tuple[str | None, list[str]]:
    """The exact duplicate of a new record, if any, and its near duplicates. A narrative replaces what it is near to."""
    content, kind = record["content"], record["type"]
    try:
        existing = _exact(folder, record, where)
        if existing is not None:
            return existing, []
        raw = selectors.mirror_connection(folder)
        return None, selectors.near_duplicates_of(raw, content, kind, where) if kind != "narrative" else []
    except _MIRROR_FAULTS as error:
        warnings.append(f"Not checked for duplicates: {error}")
        return None, []


def _exact(folder: DataFolder, record: dict[str, Any], where: scope.Scope | None) -> str | None:
    raw = selectors.mirror_connection(folder)
    existing = selectors.duplicate_of(raw, record["content"], record["type"], where)
    return existing if existing and os.path.exists(records.record_path(folder, existing)) else None


def _exact_or_none(folder: DataFolder, record: dict[str, Any], where: scope.Scope | None) -> str | None:
    try:
        return _exact(folder, record, where)
    except _MIRROR_FAULTS:
        return None  # _alike has said so


def _write(
    folder: DataFolder,
    record: dict[str, Any],
    where: scope.Scope | None,
    warnings: list[str],
    accept_losses: list[str] | None,
) -> None:
    """Store a checked record; the caller holds records.lock()."""
    if record["type"] == "narrative" and where is not None:
        _store_narrative(folder, record, where, warnings, accept_losses)
    else:
        records.save(folder, record)
        _mirror(folder, [record["uuid"]], warnings)


def _duplicate(folder: DataFolder, existing: str, record: dict[str, Any]) -> dict[str, Any]:
    """The answer for an exact duplicate; nothing is written, except what else a narrative turned out to cover."""
    message = f"The same {record['type']} is already stored as {existing}; nothing was written."
    given = records.session_refs(record["transcript_ref"])
    if record["type"] == "narrative" and given:
        with records.lock(folder):
            fields = narrative_store.covered(folder, _mirror_or_none(folder), given, [existing])
            records.update(folder, existing, lambda narrative: narrative_store.cover(narrative, fields))
            _mirror(folder, [existing], [])
        message = f"The same narrative is already stored as {existing}; the sessions it was written from were added."
    return {"uuid": existing, "status": "duplicate_skipped", "message": message}


def _project_of(
    folder: DataFolder, session: Session, named: str | None, warnings: list[str]
) -> tuple[str | None, str | None]:
    """Display name and id for a new record: the session's project by default, else what the given name stands for."""
    own = session.project
    named = (named or "").strip()
    if not named:
        return (own.name, own.id) if own else (None, None)
    if own is not None and (fold_name(named) in own.names or named in own.ids):
        return own.name, own.id
    try:
        found = selectors.named_scope(folder, named, own, read_settings(folder)[0])
        if found.several:
            listed = ", ".join(found.several)
            warnings.append(
                f"The name {named!r} fits {len(found.several)} projects ({listed}): pass one's id to choose."
            )
        only = next(iter(found.ids)) if len(found.ids) == 1 else None
        return _display_name(folder, found.name, only), only
    except (*_MIRROR_FAULTS, UnicodeEncodeError):
        return named, None


def _display_name(folder: DataFolder, name: str, project_id: str | None) -> str:
    """What a project is called that was given as an id: the name its newest record carries."""
    if name != project_id:
        return name
    sql = f"SELECT project FROM memory WHERE project_id = ? AND project IS NOT NULL ORDER BY {NEWEST_FIRST} LIMIT 1"
    known = selectors.mirror_connection(folder).execute(sql, (project_id,)).fetchone()
    return str(known[0]) if known and known[0] else name


def _scope_of(name: str | None, project_id: str | None, session: Session) -> scope.Scope | None:
    """The scope in which a new record's duplicates and predecessors are looked for; None outside any project."""
    if name is None:
        return None
    if session.project is not None and project_id == session.project.id:
        return scope.of_project(session.project)
    return scope.Scope(name, frozenset({project_id} if project_id else ()), frozenset({fold_name(name)}))


def _tags_text(tags: str | list[str] | None) -> str | None:
    parts = (tags if isinstance(tags, str) else ",".join(tags or [])).split(",")
    return ", ".join(dict.fromkeys(part.strip() for part in parts if part.strip())) or None


def _links(connections: list[dict[str, str]] | None) -> list[dict[str, str]]:
    links = []
    for item in connections or []:
        to_uuid, relationship = item.get("to_uuid"), item.get("relationship")
        if not records.is_uuid(to_uuid) or relationship not in records.RELATIONSHIPS:
            raise InvalidRecordError(
                "Each connection needs to_uuid (32 lowercase hex digits) and relationship "
                f"({' or '.join(records.RELATIONSHIPS)}); got {str(item)[:120]}."
            )
        links.append({"to_uuid": str(to_uuid), "relationship": str(relationship)})
    return links


def _absent_targets(folder: DataFolder, record: dict[str, Any]) -> list[str]:
    absent = [
        uuid for uuid, _ in records.valid_connections(record) if not os.path.exists(records.record_path(folder, uuid))
    ]
    return [f"No record {uuid} here (yet); the link is kept." for uuid in absent]


def _mirror(folder: DataFolder, uuids: list[str], warnings: list[str]) -> None:
    """Update rows of records that are safely on disk; a mirror that cannot follow is a warning, not a failure."""
    try:
        mirror.apply_records(folder, uuids)
    except MirrorUnavailableError as error:
        warnings.append(f"Stored, but not searchable yet: {error}")


def _mirror_or_none(folder: DataFolder) -> sqlite3.Connection | None:
    try:
        return selectors.mirror_connection(folder)
    except _MIRROR_FAULTS:
        return None


def _store_narrative(
    folder: DataFolder,
    record: dict[str, Any],
    where: scope.Scope,
    warnings: list[str],
    accept_losses: list[str] | None,
) -> None:
    """Check a narrative, store it and archive the one(s) it replaces; what they were written from stays covered.

    The caller holds records.lock(), so that no other session replaces what it is checked against.
    """
    try:
        old = narrative_store.unarchived(selectors.mirror_connection(folder), where)
    except _MIRROR_FAULTS as error:
        old = []
        warnings.append(f"The narrative before this one could not be archived: {error}")
    narrative_store.checked(folder, record, old, accept_losses, warnings)
    given = records.session_refs(record["transcript_ref"])
    record.update(narrative_store.covered(folder, _mirror_or_none(folder), given, old))
    superseded = [{"to_uuid": uuid, "relationship": "supersedes"} for uuid in old]
    record["connections"] = [*[link for link in record["connections"] if link not in superseded], *superseded]
    # The new one first: a crash between leaves the old hidden behind its successor, not lost.
    records.save(folder, record)
    for uuid in old:
        try:
            records.update(folder, uuid, lambda previous: narrative_store.archive(previous, record["uuid"]))
        except LLMMemoryError as error:  # its successor is stored and hides it
            warnings.append(f"The narrative {uuid} is superseded but could not be marked as archived: {error}")
    _mirror(folder, [record["uuid"], *old], warnings)


def memory_connect(folder: DataFolder, from_uuid: str, to_uuid: str, relationship: str) -> dict[str, Any]:
    """Link two records; linking again changes nothing.

    Raises InvalidRecordError (not a relationship, a link to itself, a supersedes circle), RecordNotFoundError,
    StorageError, LockTimeoutError.
    """
    _links([{"to_uuid": to_uuid, "relationship": relationship}])
    if from_uuid == to_uuid:
        raise InvalidRecordError("A record cannot be connected to itself: pass two different uuids.")
    warnings: list[str] = []
    link = {"to_uuid": to_uuid, "relationship": relationship}

    def add(record: dict[str, Any]) -> bool:
        if (to_uuid, relationship) in records.valid_connections(record):
            return False
        record["connections"] = [*(record.get("connections") or []), link]
        return True

    with records.lock(folder):
        records.load(folder, to_uuid)
        if relationship == "supersedes" and _supersedes(folder, to_uuid, from_uuid):
            raise InvalidRecordError(f"{to_uuid} already supersedes {from_uuid}: a circle would hide both. Swap them?")
        records.update(folder, from_uuid, add)
        _mirror(folder, [from_uuid], warnings)
    return {"status": "connected", "from_uuid": from_uuid, **link, "warnings": warnings}


def _supersedes(folder: DataFolder, newer: str, older: str) -> bool:
    """Whether one record supersedes another, directly or through others, by the records themselves."""
    seen: set[str] = set()
    border = [newer]
    while border:
        uuid = border.pop()
        if uuid == older:
            return True
        if uuid in seen:
            continue
        seen.add(uuid)
        try:
            links = records.valid_connections(records.load(folder, uuid))
        except LLMMemoryError:
            continue  # absent or unreadable: nothing is known of what it supersedes
        border.extend(to_uuid for to_uuid, relationship in links if relationship == "supersedes")
    return False


def memory_delete(folder: DataFolder, uuid: str) -> dict[str, Any]:
    """Move a record to trash/; `llm-memory restore` brings it back. Raises what records.delete raises.

    Deleting a project's narrative shows the one that it replaced again.
    """
    deleted = records.delete(folder, uuid)
    warnings: list[str] = []
    _mirror(folder, [uuid], warnings)
    if deleted["type"] == "narrative" and deleted.get("status", "active") == "active":
        _revive_predecessors(folder, uuid, warnings)
    if "source_path" in deleted:
        from memories.core import auto_memory  # few deletions are of such a note

        warnings += auto_memory.on_deletion(deleted)
    return {"uuid": uuid, "status": "deleted", "warnings": warnings}


def _revive_predecessors(folder: DataFolder, successor: str, warnings: list[str]) -> None:
    """Make the narratives active again that a deleted one had archived; not a text that lost a conflict against it."""
    try:
        condition = "memory.archived_in = ? AND memory.type = 'narrative' AND memory.conflict_of IS NULL"
        before = uuids(selectors.mirror_connection(folder), condition, [successor])
    except _MIRROR_FAULTS as error:
        warnings.append(f"The narrative before this one could not be looked up: {error}")
        return
    for uuid in before:
        with records.lock(folder):
            records.update(folder, uuid, narrative_store.revive)
        warnings.append(f"The narrative before it, {uuid}, is shown again.")
    _mirror(folder, before, warnings)


def memory_restore(folder: DataFolder, uuid: str) -> dict[str, Any]:
    """Bring a deleted record back. Raises what records.restore raises."""
    records.restore(folder, uuid)
    warnings: list[str] = []
    _mirror(folder, [uuid], warnings)
    return {"uuid": uuid, "status": "restored", "warnings": warnings}

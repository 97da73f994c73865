"""The memory as a folder of Markdown files that opens in Obsidian: one file for each memory, a folder for each project.

Exporting again brings the folder up to date: vault.py says which files are ours. The same memory gives the same bytes.
"""

from __future__ import annotations

import hashlib
import os

from memories.core import archived_sessions, clock, transcripts
from memories.core.errors import TranscriptError
from memories.exporters import conversations, markdown_conversation, markdown_notes
from memories.exporters.file_names import Names
from memories.exporters.vault import Entry, Vault
from memories.project_groups import NO_PROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memories.core.archived_sessions import ArchivedTranscript
    from memories.core.paths import DataFolder
    from memories.exporters.material import Head, Material, Session
    from memories.project_groups import ProjectGroup

    Progress = Callable[[str, int, int], None]

CONVERSATION, PROJECT, TOP = "conversation", "project", "top"
"""Kinds of files beside those of memories, which are of their records' types."""

LOGS_FOLDER, CONVERSATIONS_FOLDER = "Session logs", "Conversations"
TOP_TITLE = "LLM Memory index"
_SUFFIX = ".md"


class MarkdownExport:
    """One export into a folder. sessions: whose conversations go into it; left: (session id, reason) of those that
    could not be read."""

    def __init__(self, folder: DataFolder, material: Material, vault: Vault, progress: Progress | None = None) -> None:
        self._folder = folder
        self._material = material
        self._vault = vault
        self._progress = progress
        self._all = material.everything()
        self.sessions = material.sessions() if material.choice.conversations else []
        self._chosen = frozenset(session.session_id for session in self.sessions)
        self._of_session: dict[str | None, list[Head]] = {}
        for head in material.heads.values():
            self._of_session.setdefault(head.session_id, []).append(head)
        self._carried = [(path, entry) for path, entry in vault.before.items() if self._stays(entry)]
        self._names: dict[str, Names] = {}
        self._folders: dict[str, str] = {}
        self._paths: dict[tuple[str, str], str] = {}  # (memory or CONVERSATION, its id) -> path
        self.left: list[tuple[str, str]] = []

    def run(self) -> None:
        """Write what changed, remove what is gone. Raises StorageError."""
        self._name_folders()
        self._name_files()
        heads = list(self._material.heads.values())
        for done, head in enumerate(heads, 1):
            self._write_note(head)
            self._tell("memories", done, len(heads))
        for done, session in enumerate(self.sessions, 1):
            self._write_conversation(session)
            self._tell("conversations", done, len(self.sessions))
        self._write_indexes()
        self._vault.finish(self._stays)

    def _tell(self, what: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(what, done, total)

    def _stays(self, entry: Entry) -> bool:
        """Whether a file of an earlier export stays that this one does not write: what it is of is there, but was not
        asked for this time."""
        if entry.kind == CONVERSATION:
            path = transcripts.archive_path(self._folder, entry.of) if transcripts.is_session_id(entry.of) else ""
            return entry.of not in self._chosen and bool(path) and os.path.isfile(path)
        return entry.kind not in {PROJECT, TOP} and entry.of in self._all and entry.of not in self._material.heads

    def _group(self, one: Head | Session) -> ProjectGroup:
        return self._material.group_of(one.project_id, one.project_key)

    def _name_folders(self) -> None:
        """Find each project's folder: the one that it has, else one by its name."""
        had = {entry.of: path.partition("/")[0] for path, entry in self._vault.before.items() if entry.kind == PROJECT}
        names = self._names[""] = Names(self._vault.others_in("", folders=True))
        chosen: list[Head | Session] = [*self._material.heads.values(), *self.sessions]
        groups = {self._group(one).value: self._group(one) for one in chosen}
        for value, name in had.items():
            if value not in groups:
                names.take(name)
        self._paths[TOP, ""] = self._choose("", TOP_TITLE, TOP, "", had="")
        for value in sorted(groups, key=lambda one: (one not in had, one)):
            digits = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:32]
            self._folders[value] = names.choose(groups[value].name, "", digits, had.get(value, ""))

    def _choose(self, place: str, title: str, kind: str, of: str, *, had: str) -> str:
        """The path of a file in a folder."""
        if place not in self._names:
            self._names[place] = Names(self._vault.others_in(place))
            for path, _ in self._carried:
                if os.path.dirname(path) == place:
                    self._names[place].take(os.path.basename(path))
        digits = of if len(of) == 32 else hashlib.sha256(f"{kind}:{of}".encode("utf-8", "replace")).hexdigest()[:32]  # noqa: PLR2004
        name = self._names[place].choose(title, _SUFFIX, digits, had)
        return f"{place}/{name}" if place else name

    def _name_files(self) -> None:
        """Find each file's path: the one that it has where that fits its title still, else one by its title, the
        oldest memory first."""
        had = {(entry.kind, entry.of): path for path, entry in self._vault.before.items()}
        wanted: list[tuple[str, str, str, str]] = []  # kind, id, folder, title
        for group, place in self._folders.items():
            wanted.append((PROJECT, group, place, f"{place} index"))
        for head in self._material.heads.values():
            place = self._folders[self._group(head).value]
            is_log = head.type == "session_log"
            title = f"{head.created_at[:10]} {head.title}" if is_log else head.title
            wanted.append((head.type, head.uuid, f"{place}/{LOGS_FOLDER}" if is_log else place, title))
        for session in self.sessions:
            place = f"{self._folders[self._group(session).value]}/{CONVERSATIONS_FOLDER}"
            wanted.append((CONVERSATION, session.session_id, place, self._title_of(session)))
        for is_new in (False, True):
            for kind, of, place, title in wanted:
                before = had.get((kind, of), "")
                stood = os.path.basename(before) if os.path.dirname(before) == place else ""
                if bool(stood) != is_new:
                    self._paths[_whose(kind), of] = self._choose(place, title, kind, of, had=stood)
        for path, entry in self._carried:
            self._paths.setdefault((_whose(entry.kind), entry.of), path)

    def _title_of(self, session: Session) -> str:
        """What a session is called: the day, and what it was asked first where its log says so."""
        found = self._of_session.get(session.session_id, [])
        log = next((one for one in found if one.type == "session_log"), None)
        day = clock.format_time(session.started_at)[:10] if session.started_at is not None else ""
        return f"{day} {log.title if log else 'Session ' + session.session_id[:8]}".strip()

    def _project(self, one: Head | Session) -> str:
        group = self._group(one)
        return "" if group.value == NO_PROJECT else group.name

    def _write_note(self, head: Head) -> None:
        links = [(said, self._link(other)) for said, other in self._material.links(head.uuid)]
        conversation = self._paths.get((CONVERSATION, head.session_id or ""))
        if conversation and head.type == "session_log":
            links.append(("the conversation", markdown_notes.wikilink(conversation, "whole")))
        content = self._material.content(head.uuid)
        entry = Entry(head.type, head.uuid, head.title, head.created_at, hidden=head.is_hidden)
        data = markdown_notes.note(head, self._project(head), content, links)
        self._vault.write(self._paths[_MEMORY, head.uuid], entry, data)

    def _link(self, uuid: str) -> str:
        path = self._paths.get((_MEMORY, uuid))
        title = self._material.title(uuid)
        if path:
            return markdown_notes.wikilink(path, title or uuid)
        return f"“{markdown_notes.alias(title)}”, `{uuid}`, not in this folder" if title else f"`{uuid}`, not there"

    def _write_conversation(self, session: Session) -> None:
        path = self._paths[CONVERSATION, session.session_id]
        try:
            found = self._found(session)
            before = self._vault.before.get(path)
            source = f"{markdown_conversation.VERSION} {conversations.state(found)}"
            if before and before.source == source and self._vault.keep(path):
                return
            title = self._title_of(session)
            begun = clock.format_time(session.started_at) if session.started_at is not None else ""
            entry = Entry(
                CONVERSATION, session.session_id, title.removeprefix(begun[:10]).strip(), begun, source=source
            )
            links = [
                markdown_notes.wikilink(self._paths[_MEMORY, one.uuid], one.title)
                for one in self._material.heads.values()
                if one.session_id == session.session_id
            ]
            pieces = markdown_conversation.pieces(title, self._project(session), session, links, found)
            self._vault.write_pieces(path, entry, pieces)
        except (TranscriptError, FileNotFoundError) as error:
            self.left.append((session.session_id, str(error)))

    def _found(self, session: Session) -> list[ArchivedTranscript]:
        main = archived_sessions.find(self._folder, session.session_id)
        return [main, *conversations.subagents(self._folder, session.session_id)]

    def _write_indexes(self) -> None:
        """An index for each project that was exported, and the one above all that are in the folder."""
        inside: dict[str, list[tuple[str, Entry]]] = {}
        for path, entry in [*self._vault.now.items(), *self._carried]:
            inside.setdefault(path.partition("/")[0], []).append((path, entry))
        names = {group.value: group.name for group in self._material.groups}
        for value, place in self._folders.items():
            data = markdown_notes.project_index(names[value], inside.get(place, []))
            self._vault.write(self._paths[PROJECT, value], Entry(PROJECT, value, names[value]), data)
        for path, entry in self._vault.before.items():
            if entry.kind == PROJECT and entry.of not in self._folders and path.partition("/")[0] in inside:
                self._vault.keep(path)
        listed = [
            (path, entry, len(inside.get(path.partition("/")[0], [])))
            for path, entry in self._vault.now.items()
            if entry.kind == PROJECT
        ]
        self._vault.write(self._paths[TOP, ""], Entry(TOP, "", TOP_TITLE), markdown_notes.top_index(listed))


_MEMORY = "memory"


def _whose(kind: str) -> str:
    """What a file is looked up by: a memory's type may change, its id does not."""
    return kind if kind in {CONVERSATION, PROJECT, TOP} else _MEMORY

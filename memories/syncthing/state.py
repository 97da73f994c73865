"""What sync-setup has done here (state/syncthing.json), and how Syncthing gets on with it: for status and doctor."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

from memories.core.errors import SyncthingError
from memories.core.files import write_atomic
from memories.syncthing import NOTE_NAME, answers
from memories.syncthing.answers import FOLDER_ID, Device
from memories.syncthing.client import Client, NotAnsweringError, NotThereError, UnreachedError, path
from memories.syncthing.home import read_home
from memories.syncthing.ignores import judge
from memories.syncthing.troubles import troubles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from memories.core.paths import DataFolder

MARKER = ".stfolder"
"""A folder in the shared one that Syncthing makes, and without which it stops."""

REQUEST_SECONDS = 0.5
"""How long one question may take: status and doctor ask several, of a program on this machine."""


@dataclass(frozen=True, slots=True)
class Note:
    """state/syncthing.json. config: path of the config.xml that the API key is read from, "" where --api-key gave it;
    url: of the API; path: the folder as Syncthing was told; devices_added: ids that were not in Syncthing before us."""

    config: str
    url: str
    path: str
    devices_added: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One other machine. last_seen: Unix seconds, None for never; needs: files and folders of ours that it lacks, None
    where Syncthing cannot say (not connected, paused, or it has not answered yet). has_sent: whether it ever told what
    it has of the folder, None where Syncthing cannot say; remote: how the folder is there (valid, notSharing, paused,
    unknown), "" for a Syncthing that does not tell (1.19): such a one takes a folder that was removed or paused
    there for one that has everything."""

    id: str
    name: str
    connected: bool
    paused: bool
    last_seen: float | None
    needs: int | None
    has_sent: bool | None = None
    remote: str = ""

    @property
    def is_silent(self) -> bool:
        """Whether nothing ever came from it. A connection that the other side refused counts as seen, not as sent."""
        return self.has_sent is False or (self.has_sent is None and not self.connected and self.last_seen is None)


@dataclass(frozen=True, slots=True)
class SyncState:
    """How the folder is. problem: why nothing else is known ("" when it is); todo: the next step then; neither ends
    with a full stop.

    state: Syncthing's word (idle, scanning, syncing, error ...); paused; needs: files, folders and deletions still to
    come to this machine; errors: what Syncthing says is wrong, one line each; ignoring: .stignore is in force,
    and keeps here what is this machine's own; pending: machines that ask to connect; marker: path of .stfolder here,
    without which Syncthing stops.
    """

    problem: str = ""
    todo: str = ""
    state: str = ""
    paused: bool = False
    needs: int = 0
    errors: list[str] = field(default_factory=list)
    ignoring: bool = False
    devices: list[DeviceState] = field(default_factory=list)
    pending: list[Device] = field(default_factory=list)
    marker: str = ""

    @property
    def attention(self) -> list[str]:
        """What a user should act on, a sentence each: not answering, paused, errors, machines that ask or are silent.
        They may hold what another machine or Syncthing says: for a terminal, clean them of control characters."""
        return [one.sentence for one in troubles(self)]


def note_path(folder: DataFolder) -> str:
    """Where the note is."""
    return os.path.join(folder.state, NOTE_NAME)


def read_note(folder: DataFolder) -> Note | None:
    """What sync-setup noted here; None where it has not set anything up (or the note cannot be read)."""
    try:
        with open(note_path(folder), "rb") as file:
            value = json.loads(file.read(100_000))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    added = tuple(one for one in answers.items(value.get("devices_added")) if isinstance(one, str))
    config, url, where = (answers.text(value.get(name)) for name in ("config", "url", "path"))
    return Note(config, url, where, added)


def write_note(folder: DataFolder, note: Note) -> None:
    """Keep the note. Raises StorageError where the disk refuses."""
    value = {
        "config": note.config,
        "url": note.url,
        "path": note.path,
        "devices_added": sorted(note.devices_added),
    }
    os.makedirs(folder.state, mode=0o700, exist_ok=True)
    write_atomic(note_path(folder), json.dumps(value, indent=2).encode() + b"\n")


def sync_state(folder: DataFolder) -> SyncState | None:
    """How Syncthing gets on with the data folder; None where sync-setup has not been run. Never raises.

    Asks the Syncthing on this machine a handful of questions of REQUEST_SECONDS at most; the first that fails is the
    last.
    """
    note = read_note(folder)
    if note is None:
        return None
    if not note.config:
        return SyncState(
            problem=f"the API key of {note.url} is not kept, so it cannot be asked",
            todo="look at Syncthing's own page",
        )
    if not os.path.lexists(note.config):
        return SyncState(
            problem=f"Syncthing's {note.config} is gone",
            todo="run `llm-memory sync-setup` again, or end it with `llm-memory sync-setup --remove`",
        )
    try:
        home = read_home(note.config)
        client = Client(note.url or home.url, home.api_key, certificate=home.certificate, timeout=REQUEST_SECONDS)
        return _asked(client, os.path.join(folder.root, MARKER))
    except UnreachedError as error:
        return SyncState(problem=error.what, todo=error.todo)
    except SyncthingError as error:
        return SyncState(problem=str(error).rstrip("."), todo="see Syncthing's page, or run `llm-memory sync-setup`")


def _asked(client: Client, marker: str) -> SyncState:
    """The state as Syncthing tells it. Raises SyncthingError."""
    shared = next((one for one in answers.folders(client.get(path("config", "folders"))) if one.id == FOLDER_ID), None)
    if shared is None:
        return SyncState(problem="Syncthing no longer shares the folder", todo="run `llm-memory sync-setup`")
    status = answers.fields(client.get(path("db", "status", folder=FOLDER_ID)))
    ignored = answers.fields(client.get(path("db", "ignores", folder=FOLDER_ID)))
    known = answers.devices(client.get(path("config", "devices")))
    ids = {one.id for one in known}
    return SyncState(
        state=answers.text(status.get("state")),
        paused=shared.raw.get("paused") is True,
        needs=answers.count(status.get("needTotalItems")),
        errors=_errors(client, status, ignored),
        ignoring=not judge("\n".join(map(answers.text, answers.items(ignored.get("ignore"))))).more,
        devices=device_states(client, shared, {one.id: one.name for one in known}),
        pending=[one for one in _pending(client) if one.id not in ids],
        marker=marker,
    )


def _pending(client: Client) -> list[Device]:
    try:
        return answers.pending_devices(client.get(path("cluster", "pending", "devices")))
    except NotThereError:
        return []  # a Syncthing before 1.18, which sync-setup has not set up


def _errors(client: Client, status: dict[str, Any], ignored: dict[str, Any]) -> list[str]:
    found = [answers.text(one) for one in (status.get("error"), status.get("watchError"), ignored.get("error"))]
    if answers.count(status.get("pullErrors")) or answers.count(status.get("errors")):
        listed = answers.fields(client.get(path("folder", "errors", folder=FOLDER_ID))).get("errors")
        found += [
            f"{answers.text(one.get('path'))}: {answers.text(one.get('error'))}"
            for one in map(answers.fields, answers.items(listed))
        ]
    return [line for line in found if line]


def device_states(client: Client, shared: answers.Folder, names: Mapping[str, str]) -> list[DeviceState]:
    """The other machines that a folder is shared with; names: what each is called, by id. Raises SyncthingError."""
    me = answers.text(answers.fields(client.get(path("system", "status"))).get("myID"))
    connections = answers.fields(answers.fields(client.get(path("system", "connections"))).get("connections"))
    seen = answers.fields(client.get(path("stats", "device")))
    found = []
    for one in (one for one in shared.devices if one != me):
        connection = answers.fields(connections.get(one))
        connected, paused = connection.get("connected") is True, connection.get("paused") is True
        told = {} if paused or shared.raw.get("paused") is True else _completion(client, one)
        needs = answers.count(told.get("needItems")) + answers.count(told.get("needDeletes"))
        found.append(
            DeviceState(
                id=one,
                name=names.get(one, ""),
                connected=connected,
                paused=paused,
                last_seen=answers.time_of(answers.fields(seen.get(one)).get("lastSeen")),
                needs=needs if connected and told else None,
                has_sent=answers.count(told["sequence"]) > 0 if "sequence" in told else None,
                remote=answers.text(told.get("remoteState")),
            )
        )
    return found


def _completion(client: Client, device: str) -> dict[str, Any]:
    """What Syncthing knows of a device's side of the folder; empty where it does not say, as of a folder that does not
    run. Raises NotAnsweringError."""
    try:
        return answers.fields(client.get(path("db", "completion", folder=FOLDER_ID, device=device)))
    except NotAnsweringError:
        raise
    except SyncthingError:
        return {}

"""Undoing sync-setup: the folder leaves Syncthing, the files stay, here and on the other machines.

And what must come before the data folder is removed: files that vanish from a folder that Syncthing still shares are
deleted on every machine. Without .stfolder it stops instead ("folder marker missing"), so that goes before any file.
"""

from __future__ import annotations

import os
import shutil
from functools import partial

from hooks import plugin
from memories.core.errors import SyncthingError
from memories.core.files import remove_quietly
from memories.syncthing import answers
from memories.syncthing.access import Access, reach
from memories.syncthing.answers import FOLDER_ID
from memories.syncthing.client import NotAnsweringError, NotThereError, RefusedKeyError, path
from memories.syncthing.home import places, read_home, relation
from memories.syncthing.plan import Plan
from memories.syncthing.state import MARKER, note_path, read_note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from memories.core.paths import DataFolder
    from memories.syncthing.client import Client
    from memories.syncthing.home import Home, SharedFolder
    from memories.syncthing.state import Note


def removal_plan(folder: DataFolder, reached: Access | None, environ: Mapping[str, str]) -> Plan:
    """What is left to undo; what somebody has undone by hand is no step. reached: None where Syncthing is gone.

    Raises SyncthingError where Syncthing does not answer.
    """
    plan = Plan()
    note = read_note(folder)
    if reached is not None:
        _plan_syncthing(plan, folder, reached.client, note.devices_added if note else (), environ)
    marker = os.path.join(folder.root, MARKER)
    if os.path.lexists(marker):
        plan.add(f"remove {marker}", partial(_remove_marker, marker))
    if os.path.lexists(note_path(folder)):
        plan.add(f"remove {note_path(folder)}", partial(remove_quietly, note_path(folder)))
    return plan


def _plan_syncthing(
    plan: Plan, folder: DataFolder, client: Client, added: tuple[str, ...], environ: Mapping[str, str]
) -> None:
    folders = answers.folders(client.get(path("config", "folders")))
    ours = next((one for one in folders if one.id == FOLDER_ID), None)
    if ours is not None and relation(ours.path, folder.root, environ) != "same":
        plan.notes.append(f"Syncthing's folder {FOLDER_ID} is at {ours.path}, not at this data folder: left alone.")
    elif ours is not None:
        action = partial(_delete, client, path("config", "folders", FOLDER_ID))
        plan.add(f"take the folder {FOLDER_ID} out of Syncthing (the files stay)", action)
    used = {device for one in folders if one is not ours for device in one.devices}
    for one in answers.devices(client.get(path("config", "devices"))):
        if one.id in added and one.id not in used:
            action = partial(_delete, client, path("config", "devices", one.id))
            plan.add(f"remove the device {one.shown}, which sync-setup had added and no other folder uses", action)


def _delete(client: Client, what: str) -> None:
    try:
        client.delete(what)
    except NotThereError:
        pass  # gone meanwhile


def _remove_marker(marker: str) -> None:
    if os.path.isdir(marker) and not os.path.islink(marker):
        shutil.rmtree(marker)
    else:
        remove_quietly(marker)


def sharing(folder: DataFolder, environ: Mapping[str, str]) -> list[tuple[Home, SharedFolder, str]]:
    """Which folders of Syncthing's carry the data folder or a part of it, by config.xml: (home, folder, how it lies to
    the data folder: `same`, `above` or `below`). Raises SyncthingError where a config.xml cannot be read."""
    return [
        (home, shared, how)
        for home in map(read_home, places(environ))
        for shared in home.folders
        if (how := relation(shared.path, folder.root, environ))
    ]


def purge_plan(folder: DataFolder, environ: Mapping[str, str]) -> Plan:
    """What must be done before the data folder's files may be removed without being removed on other machines.

    Raises SyncthingError, with what to do first, where that cannot be made sure of.
    """
    note = read_note(folder)
    if note is not None and not note.config:
        raise SyncthingError(
            f"The Syncthing at {note.url} may still share this folder, and would delete the memories on your other "
            f"machines too. Run `llm-memory sync-setup --remove --url {note.url} --api-key KEY` (its page, Actions > "
            f"Settings > General, shows the key), or remove the folder {FOLDER_ID} in its page and delete "
            f"{note_path(folder)}; then purge again."
        )
    try:
        found = sharing(folder, environ)
    except SyncthingError as error:
        if note is None and not os.path.lexists(os.path.join(folder.root, MARKER)):
            return Plan()
        raise SyncthingError(f"Whether Syncthing still shares this folder cannot be told. {error}") from error
    for _, shared, how in found:
        if how != "same" or shared.id != FOLDER_ID:
            raise SyncthingError(
                f"Syncthing shares {shared.path} as {shared.name}: it would delete the memories on your other machines "
                "too. Remove that folder in Syncthing's page (its files stay), then purge again."
            )
    plan = Plan()
    for home, *_ in found:
        try:
            plan.steps += removal_plan(folder, reach(home, url=note.url if note else ""), environ).steps
        except SyncthingError as error:
            raise SyncthingError(
                "Syncthing shares this folder, and would delete the memories on your other machines too: it has to "
                f"be taken out of it first. {_first(error, folder, note)}"
            ) from error
    return plan if found else removal_plan(folder, None, environ)


def _first(error: SyncthingError, folder: DataFolder, note: Note | None) -> str:
    """What to do before a purge where Syncthing could not be asked. Its config.xml is never to be deleted: it holds
    everything else that Syncthing does, and the machine's id."""
    uninstall = "./install.sh --uninstall" if plugin.data() is None else plugin.client_command("uninstall")
    by_hand = (
        f"Or: `{uninstall}`, then remove the folder {FOLDER_ID} in Syncthing's page (its files stay; "
        f"nothing to do where Syncthing is gone for good), and delete {folder.root} after that."
    )
    if isinstance(error, NotAnsweringError):
        return f"{error.what}. Start it, then purge again. {by_hand}"
    if isinstance(error, RefusedKeyError):
        url = f" --url {note.url}" if note and note.url else ""
        return (
            f"{error.what}. Run `llm-memory sync-setup --remove{url} --api-key KEY` (its page, Actions > Settings > "
            f"General, shows the key), then purge again. {by_hand}"
        )
    return f"{error} Then purge again. {by_hand}"

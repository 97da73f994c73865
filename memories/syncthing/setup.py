"""sync-setup: what has to be done so that Syncthing carries the data folder, and doing it.

First a plan that touches nothing, then its steps in order: .stignore is there before Syncthing hears of the folder, so
that the mirror, state/ and lib/ never travel. A plan made again after it was carried out, or after a kill in the
middle, has only the steps that are left.
"""

from __future__ import annotations

import os
import secrets
from functools import partial

from hooks.shipped_files import STIGNORE, STIGNORE_TEXT, ShippedFiles
from memories.core.errors import SyncthingError
from memories.core.paths import SYNCED_FOLDERS
from memories.syncthing import answers, ignores
from memories.syncthing.access import restart_required
from memories.syncthing.answers import FOLDER_ID
from memories.syncthing.client import NotThereError, path
from memories.syncthing.home import is_windows_path, relation, windows_path
from memories.syncthing.plan import Plan
from memories.syncthing.state import Note, read_note, write_note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.syncthing.access import Access, Situation
    from memories.syncthing.answers import Device
    from memories.syncthing.client import Client

LABEL = "LLM Memory"

WINDOWS_RESCAN_SECONDS = 60
"""Windows is not told of changes inside WSL's own files, so it has to look."""

NO_WATCHING = (
    f"Windows is not told of changes in WSL's files: Syncthing there looks every {WINDOWS_RESCAN_SECONDS} s, and file "
    "permissions do not travel. A Syncthing inside WSL has neither limit."
)


def make_plan(
    folder: DataFolder, access: Access, found: Situation, chosen: Sequence[Device], environ: Mapping[str, str]
) -> Plan:
    """What is left to do so that the data folder is shared with the chosen devices. Touches nothing.

    Raises SyncthingError where something stands in the way that is the user's to decide.
    """
    root = os.path.realpath(folder.root)
    where = windows_path(root, environ) if found.windows else root
    _refuse_what_is_in_the_way(folder, found, environ)
    plan = Plan()
    missing = [one for one in (folder.root, folder.state, *_synced(folder)) if not os.path.isdir(one)]
    if missing:
        plan.add(f"make {folder.root} with its folders", folder.create)
    _plan_ignores(plan, folder)
    _plan_note(plan, folder, access, found, chosen, where)
    known = {one.id for one in found.devices}
    for one in (one for one in chosen if one.id not in known):
        device = {**found.new_device, "deviceID": one.id, "name": one.name}
        plan.add(f"add the device {one.shown}", partial(access.client.post, path("config", "devices"), device))
    _plan_folder(plan, folder, access.client, found, chosen, where)
    if is_windows_path(where) and where.startswith("\\\\"):
        plan.notes.append(NO_WATCHING)
    return plan


def _synced(folder: DataFolder) -> list[str]:
    return [os.path.join(folder.root, name) for name in SYNCED_FOLDERS]


def _refuse_what_is_in_the_way(folder: DataFolder, found: Situation, environ: Mapping[str, str]) -> None:
    for one in _synced(folder):
        if os.path.islink(one):
            raise SyncthingError(
                f"{one} is a symbolic link: Syncthing carries the link, not what it leads to. Put the folder itself "
                "there (or move the whole data folder and set LLM_MEMORY_HOME), then run this again."
            )
    for shared in found.folders:
        how = relation(shared.path, folder.root, environ)
        if shared.id == FOLDER_ID and how != "same":
            raise SyncthingError(
                f"Syncthing already has a folder {FOLDER_ID}, at {shared.path}. If that is the data folder that you "
                "mean, set LLM_MEMORY_HOME to it; else remove that folder in Syncthing's page (its files stay)."
            )
        if how and shared.id != FOLDER_ID:
            place = {"same": "is already", "above": "lies in what is already", "below": "holds what is already"}[how]
            raise SyncthingError(
                f"{folder.root} {place} shared by Syncthing, as {shared.name} ({shared.path}): one folder inside "
                "another is carried twice. Remove that folder in Syncthing's page (its files stay), or move the memory "
                "out of it and set LLM_MEMORY_HOME."
            )


def _plan_ignores(plan: Plan, folder: DataFolder) -> None:
    """Our .stignore where it is missing or an older one of ours; an edited one is judged and left."""
    shipped = ShippedFiles(folder.root, os.path.join(folder.state, "install", "shipped.json"))
    state = shipped.state(STIGNORE, STIGNORE_TEXT)
    file = shipped.path(STIGNORE)
    if state == "write":
        only = ", ".join(f"{name}/" for name in SYNCED_FOLDERS)
        plan.add(f"write {file}, so that only {only} travel", partial(_write_ignores, folder, shipped))
    if state != "edited":
        return
    with open(file, encoding="utf-8", errors="replace") as lines:
        judged = ignores.judge(lines.read())
    if judged.more or judged.unclear:
        what = ", ".join(judged.more) or f"what these lines bring in: {'; '.join(judged.unclear)}"
        raise SyncthingError(
            f"{file} was edited, and lets travel what must stay on this machine: {what}. Move it away and run this "
            "again; ours is then written."
        )
    less = f"; it keeps back: {', '.join(judged.less)}" if judged.less else ""
    plan.notes.append(f"{file} was edited and is left as it is{less}.")


def _write_ignores(folder: DataFolder, shipped: ShippedFiles) -> None:
    os.makedirs(os.path.join(folder.state, "install"), mode=0o700, exist_ok=True)
    shipped.write(STIGNORE, STIGNORE_TEXT)


def _plan_note(
    plan: Plan, folder: DataFolder, access: Access, found: Situation, chosen: Sequence[Device], where: str
) -> None:
    """The note first and the devices after it: a kill in between makes --remove look for one device in vain."""
    before = read_note(folder)
    known = {one.id for one in found.devices}
    added = {one.id for one in chosen} - known
    if before is not None:
        added |= set(before.devices_added) & known
    note = Note(access.config, access.url or ("" if access.config else access.client.url), where, tuple(sorted(added)))
    if note != before:
        plan.add("note in state/ what is set up here", partial(write_note, folder, note))


def _wanted(where: str, *, windows: bool) -> dict[str, Any]:
    """The folder's settings that matter to us; every other is as the user has it in Syncthing."""
    wanted: dict[str, Any] = {
        "type": "sendreceive",
        "paused": False,
        "ignorePerms": windows,
        "fsWatcherEnabled": True,
        "maxConflicts": -1,  # its own limit deletes the oldest conflict copies, which we have yet to merge
    }
    if windows and where.startswith("\\\\"):
        wanted.update(fsWatcherEnabled=False, rescanIntervalS=WINDOWS_RESCAN_SECONDS)
    return wanted


def _plan_folder(
    plan: Plan, folder: DataFolder, client: Client, found: Situation, chosen: Sequence[Device], where: str
) -> None:
    wanted = _wanted(where, windows=found.windows)
    ours = found.ours
    shown = ", ".join(one.shown for one in chosen)
    if ours is None:
        # the defaults may name devices that get every folder: none gets this one that was not shown
        devices = [{"deviceID": one} for one in (found.my_id, *(one.id for one in chosen))]
        new = {**found.new_folder, "id": FOLDER_ID, "label": LABEL, "path": where, "devices": devices, **wanted}
        action = partial(_create, client, folder, where, new)
        plan.add(f"share {where} as {FOLDER_ID}" + (f" with {shown}" if chosen else ", with no machine yet"), action)
        return
    changed = {name: value for name, value in wanted.items() if ours.raw.get(name) != value}
    if changed:
        words = ", ".join(f"{name} {str(value).lower()}" for name, value in sorted(changed.items()))
        plan.add(f"set for the folder: {words}", partial(client.patch, path("config", "folders", FOLDER_ID), changed))
    new_devices = [one for one in chosen if one.id not in ours.devices]
    if new_devices:
        listed = [*answers.items(ours.raw.get("devices")), *({"deviceID": one.id} for one in new_devices)]
        action = partial(client.patch, path("config", "folders", FOLDER_ID), {"devices": listed})
        plan.add(f"share the folder with {', '.join(one.shown for one in new_devices)}", action)


def _create(client: Client, folder: DataFolder, where: str, new: dict[str, Any]) -> None:
    if not _sees(client, folder, where):
        raise SyncthingError(
            f"The Syncthing at {client.url} does not see {where}: it runs in a container, as another user or on "
            "another machine. Run one as yourself on this machine, or let it see the folder under the same path."
        )
    client.post(path("config", "folders"), new)


def _sees(client: Client, folder: DataFolder, where: str) -> bool:
    """Whether Syncthing sees the very folder that we see: a new folder in state/ (which stays here) shows up there."""
    name = f"syncthing-{secrets.token_hex(8)}"
    probe = os.path.join(folder.state, name)
    slash = "\\" if is_windows_path(where) else "/"
    os.mkdir(probe, 0o700)
    try:
        listed = answers.items(client.get(path("system", "browse", current=f"{where}{slash}state{slash}")))
        return any(answers.text(one).rstrip("\\/").endswith(name) for one in listed)
    finally:
        os.rmdir(probe)


def aftermath(client: Client) -> list[str]:
    """What the user should know once the steps are done: what Syncthing says is wrong. Raises SyncthingError."""
    found = []
    try:
        status = answers.fields(client.get(path("db", "status", folder=FOLDER_ID)))
    except NotThereError:
        status = {"error": "the folder has not started"}
    problems = [answers.text(status.get(name)) for name in ("error", "watchError")]
    found += [f"Syncthing says: {problem}" for problem in problems if problem]
    if restart_required(client):
        found.append("Syncthing has to be restarted for this to take effect (its page: Actions > Restart).")
    return found


def size(folder: DataFolder) -> tuple[int, int]:
    """(files, bytes) of what travels."""
    count = total = 0
    for top in _synced(folder):
        for place, _, names in os.walk(top):
            for name in names:
                try:
                    total += os.lstat(os.path.join(place, name)).st_size
                    count += 1
                except OSError:
                    continue  # gone meanwhile
    return count, total

"""Finding the Syncthing that runs on this machine, or the one that is named, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from memories.core.errors import SyncthingError
from memories.syncthing import answers
from memories.syncthing.answers import Device, Folder
from memories.syncthing.client import (
    HOW_TO_START,
    Client,
    NotAnsweringError,
    NotSyncthingError,
    NotThereError,
    UnreachedError,
    path,
)
from memories.syncthing.home import Home, is_wsl, places, read_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

HOW_TO_GET_IT = """Syncthing was not found on this machine.
  Debian, Ubuntu: sudo apt install syncthing    macOS: brew install syncthing    others: https://syncthing.net/downloads
Start it once (`syncthing`; as a service: `systemctl --user enable --now syncthing`, `brew services start syncthing`),
then run this again. One in a container or run by another user: give --url and --api-key."""


@dataclass(frozen=True, slots=True)
class Access:
    """A Syncthing that answers. config: the config.xml that its API key is in, "" where --api-key gave it; url: as
    --url gave it, "" where config.xml has it."""

    client: Client
    config: str
    url: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What Syncthing knows. my_id: this machine's device id; windows: it runs on Windows; devices: the others;
    asking: machines that ask to connect; offering: ids of devices that offer our folder; new_folder, new_device: what
    it starts a folder and a device from."""

    my_id: str
    windows: bool
    devices: list[Device]
    folders: list[Folder]
    asking: list[Device]
    offering: set[str]
    new_folder: dict[str, object]
    new_device: dict[str, object]

    @property
    def ours(self) -> Folder | None:
        """The folder with our id."""
        return next((one for one in self.folders if one.id == answers.FOLDER_ID), None)


def find(environ: Mapping[str, str], *, url: str = "", api_key: str = "") -> Access:
    """The Syncthing to talk to: the first of this machine's that answers, or the one at url, whose key may be given.

    Raises SyncthingError: none is there, none answers, or one refuses.
    """
    if url and api_key:
        return _reached(Access(Client(url, api_key), _config_with(environ, api_key), url))
    first: SyncthingError | None = None
    for config in places(environ):
        try:
            home = read_home(config)
            try:
                return reach(home, url=url, api_key=api_key)
            except NotAnsweringError as error:
                raise SyncthingError(
                    f"{error.what}. It is set up in {config}: {_how_to_start(home, environ)}"
                ) from error
        except SyncthingError as error:
            first = first or error
    raise first or SyncthingError(HOW_TO_GET_IT)


def reach(home: Home, *, url: str = "", api_key: str = "") -> Access:
    """The Syncthing of a config.xml, or the one at url; its key may be given. Raises SyncthingError."""
    address = url or home.url
    if not address:
        what = f"The API in {home.config} is switched off or on no TCP port"
        raise UnreachedError(what, "give its address and its key: `llm-memory sync-setup --url URL --api-key KEY`")
    client = Client(address, api_key or home.api_key, certificate=home.certificate)
    return _reached(Access(client, "" if api_key else home.config, url))


def _config_with(environ: Mapping[str, str], api_key: str) -> str:
    """The config.xml that holds a key which was given by hand; "" for none."""
    for config in places(environ):
        try:
            if read_home(config).api_key == api_key:
                return config
        except SyncthingError:
            continue
    return ""


def _how_to_start(home: Home, environ: Mapping[str, str]) -> str:
    if is_wsl(environ) and home.config.startswith("/mnt/"):
        return (
            "start it on Windows. WSL reaches it only with networkingMode=mirrored in %UserProfile%\\.wslconfig; a "
            "Syncthing inside WSL is simpler."
        )
    return f"{HOW_TO_START}, then run this again."


def _reached(access: Access) -> Access:
    """The access, once it has answered. Raises SyncthingError."""
    if answers.fields(access.client.get(path("system", "ping"))).get("ping") != "pong":
        raise NotSyncthingError(access.client.url)
    return access


def situation(access: Access) -> Situation:
    """Ask Syncthing what there is. Raises SyncthingError, also for a version that is too old."""
    client = access.client
    me = answers.text(answers.fields(client.get(path("system", "status"))).get("myID"))
    version = answers.fields(client.get(path("system", "version")))
    try:
        folders = answers.folders(client.get(path("config", "folders")))
        devices = answers.devices(client.get(path("config", "devices")))
        new_folder = answers.fields(client.get(path("config", "defaults", "folder")))
        new_device = answers.fields(client.get(path("config", "defaults", "device")))
        asking = answers.pending_devices(client.get(path("cluster", "pending", "devices")))
        offers = answers.offering(client.get(path("cluster", "pending", "folders")))
    except NotThereError as error:
        found = answers.text(version.get("version")) or "of an unknown version"
        raise SyncthingError(
            f"This Syncthing is {found}; 1.18 or later is needed. Update it, then try again."
        ) from error
    others = [one for one in devices if one.id != me]
    known = {one.id for one in devices}
    return Situation(
        my_id=me,
        windows=answers.text(version.get("os")) == "windows",
        devices=others,
        folders=folders,
        asking=[one for one in asking if one.id not in known],
        offering=offers & {one.id for one in others},
        new_folder=new_folder,
        new_device=new_device,
    )


def restart_required(client: Client) -> bool:
    """Whether what was changed needs a restart of Syncthing. Raises SyncthingError."""
    return answers.fields(client.get(path("config", "restart-required"))).get("requiresRestart") is True

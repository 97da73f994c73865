"""Where Syncthing keeps its config.xml, and what that says: how its API is reached, which folders it shares.

The file is only ever read: what changes goes through the API of the running Syncthing.
Places: https://docs.syncthing.net/users/config (1.27 moved them from ~/.config to ~/.local/state), and where the snap
and flatpak packages have theirs.
"""

from __future__ import annotations

import glob
import os
import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from memories.core.errors import SyncthingError
from memories.syncthing.client import UnreachedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_LIMIT = 20_000_000
"""Bytes: a config.xml with thousands of folders has less."""

WINDOWS_USERS = "/mnt/c/Users"
"""Where WSL shows the Windows users' folders."""

_ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - only compared: such an API is asked on loopback
_DRIVE = re.compile(r"/mnt/([a-z])(/.*)?")


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A folder in config.xml: its id, label and path as written there (`~` unexpanded)."""

    id: str
    label: str
    path: str

    @property
    def name(self) -> str:
        """What its user calls it."""
        return self.label or self.id


@dataclass(frozen=True, slots=True)
class Home:
    """What a config.xml says. url: of the API, empty where it cannot be reached (switched off, on a Unix socket).
    certificate: of the HTTPS API, None where that is plain HTTP."""

    config: str
    url: str
    api_key: str
    certificate: str | None
    folders: tuple[SharedFolder, ...]


def is_wsl(environ: Mapping[str, str]) -> bool:
    """Whether this is Linux inside Windows."""
    return bool(environ.get("WSL_DISTRO_NAME"))


def places(environ: Mapping[str, str], *, system: str = sys.platform, windows_users: str = WINDOWS_USERS) -> list[str]:
    """Paths of config.xml that exist, the likeliest first (under WSL: this Linux's own before Windows')."""
    home = environ.get("HOME") or os.path.expanduser("~")
    folders = [environ[name] for name in ("STHOMEDIR", "STCONFDIR") if environ.get(name)]
    if system == "darwin":
        folders.append(f"{home}/Library/Application Support/Syncthing")
    folders.append(os.path.join(environ.get("XDG_STATE_HOME") or f"{home}/.local/state", "syncthing"))
    folders.append(os.path.join(environ.get("XDG_CONFIG_HOME") or f"{home}/.config", "syncthing"))
    patterns = [f"{glob.escape(home)}/snap/syncthing/*/{below}syncthing" for below in ("", ".config/", ".local/state/")]
    patterns += [f"{glob.escape(home)}/.var/app/*/{below}/syncthing" for below in ("config", ".local/state")]
    if is_wsl(environ):
        patterns.append(f"{glob.escape(windows_users)}/*/AppData/Local/Syncthing")
    folders += [path for pattern in patterns for path in sorted(glob.glob(pattern))]
    found = dict.fromkeys(os.path.join(folder, "config.xml") for folder in folders)
    return [path for path in found if os.path.isfile(path)]


def read_home(config: str) -> Home:
    """What a config.xml says. Raises SyncthingError where it cannot be read."""
    try:
        with open(config, "rb") as file:
            data = file.read(CONFIG_LIMIT + 1)
    except OSError as error:
        raise UnreachedError(
            f"{config} cannot be read ({error.strerror or error})",
            "run this as the user that Syncthing runs as, or give its address and its key (its page, Actions > "
            "Settings > General): `llm-memory sync-setup --url URL --api-key KEY`",
        ) from error
    try:
        if len(data) > CONFIG_LIMIT:
            raise ValueError("it is too large")
        root = ET.fromstring(data)  # noqa: S314 - the user's own file; expat bounds what entities expand to
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UnreachedError(
            f"{config} is not a configuration of Syncthing ({error})",
            "start Syncthing once, or give its address and its key: `llm-memory sync-setup --url URL --api-key KEY`",
        ) from error
    gui = root.find("gui")
    tls = gui is not None and gui.get("tls") == "true"
    certificate = os.path.join(os.path.dirname(config), "https-cert.pem")
    return Home(
        config=config,
        url="" if gui is None or gui.get("enabled") == "false" else api_url(_text(gui, "address"), tls=tls),
        api_key="" if gui is None else _text(gui, "apikey"),
        certificate=certificate if tls else None,
        folders=tuple(
            SharedFolder(one.get("id", ""), one.get("label", ""), one.get("path", "")) for one in root.findall("folder")
        ),
    )


def _text(parent: ET.Element, name: str) -> str:
    return (parent.findtext(name) or "").strip()


def api_url(address: str, *, tls: bool) -> str:
    """The API's URL for an address as config.xml has it (`127.0.0.1:8384`); empty for what is no TCP address."""
    host, _, port = address.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if (
        not re.fullmatch(r"[0-9]{1,5}", port)
        or not 0 < int(port) < 1 << 16
        or not re.fullmatch(r"[\w.:-]*", host, re.A)
    ):
        return ""
    if host in _ANY_ADDRESS:
        host = "127.0.0.1"
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def windows_path(path: str, environ: Mapping[str, str]) -> str:
    """A path of this WSL as Windows sees it. Raises SyncthingError where WSL does not say what it is called."""
    drive = _DRIVE.fullmatch(path)
    if drive:
        return f"{drive[1].upper()}:" + (drive[2] or "/").replace("/", "\\")
    distribution = environ.get("WSL_DISTRO_NAME")
    if not distribution:
        raise SyncthingError(
            "That Syncthing runs on Windows, and this is not WSL: it cannot see this folder. Start a Syncthing here."
        )
    return f"\\\\wsl.localhost\\{distribution}" + path.replace("/", "\\")


def is_windows_path(path: str) -> bool:
    """Whether a folder's path is one of Windows (`C:\\...`, `\\\\server\\...`)."""
    return re.match(r"[A-Za-z]:[\\/]|\\\\", path) is not None


def _same_form(path: str, home: str) -> str:
    """A folder's path in a form that can be compared: absolute, links resolved, one kind of slash, one at the end."""
    if is_windows_path(path):
        return path.replace("/", "\\").replace("\\\\wsl$\\", "\\\\wsl.localhost\\").rstrip("\\").casefold() + "\\"
    if path == "~" or path.startswith("~/"):
        path = home + path[1:]
    return os.path.realpath(path).rstrip("/") + "/"


def relation(path: str, root: str, environ: Mapping[str, str]) -> str:
    """How a folder of Syncthing's lies to the data folder: `same`, `above`, `below`, or empty for elsewhere."""
    home = environ.get("HOME") or os.path.expanduser("~")
    if not path:
        return ""
    ours = os.path.realpath(root)
    if is_windows_path(path):
        if not (is_wsl(environ) or _DRIVE.fullmatch(ours)):
            return ""
        ours = windows_path(ours, environ)
    try:
        theirs, ours = _same_form(path, home), _same_form(ours, home)
    except ValueError:  # no path can be that: a NUL, half of a surrogate pair
        return ""
    if theirs == ours:
        return "same"
    if ours.startswith(theirs):
        return "above"
    return "below" if theirs.startswith(ours) else ""

"""Where an installation gets its versions: addresses, of which kind they are, never kept or shown with credentials."""

from __future__ import annotations

import os
import re

from memories.core.errors import UpdateError

GIT, RELEASE, FOLDER = "git", "release", "folder"
"""A git remote; a folder on the web (or file://) with SHA256SUMS and tarballs; neither, and then nobody is asked."""

_URL = re.compile(r"([a-z][a-z0-9+.-]*)://([^/]*)(.*)", re.I | re.S)
_SCP_LIKE = re.compile(r"[^/:\s]+:(?!//)([^@]*)", re.S)
_UNTOLD = re.compile(r"[a-z0-9+.-]*::|(?:https?|ftps?|git|ssh|file):", re.I)
"""Of what is no URL: git's `helper::address`, and a URL with a slash too few."""

_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_IN_TEXT = re.compile(r"(?<=://)[^\s'\"]+")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def cleaned(address: str, base: str = "") -> str:
    """An address as it may be stored and shown: no user and password (but ssh's user), no query, no control characters.

    A path becomes absolute. "" for what cannot be told from a password. base: the folder to which a relative path
    belongs, default the current one.
    """
    address = _UNSHOWN.sub("", address)
    url = _URL.fullmatch(address)
    if url is None:
        if _UNTOLD.match(address):
            return ""
        if not address or _SCP_LIKE.match(address):
            return address if not address or _SCP_LIKE.fullmatch(address) else ""
        return os.path.normpath(os.path.join(base or os.getcwd(), os.path.expanduser(address)))
    scheme, authority, path = url[1].lower(), url[2], re.split(r"[?#]", url[3], maxsplit=1)[0]
    if "@" in url[3]:
        return ""  # a password with a slash in it, which no program reads as one
    user, _, host = authority.rpartition("@")
    if scheme in {"ssh", "git+ssh", "ssh+git"} and user:
        host = f"{user.partition(':')[0]}@{host}"
    return f"{scheme}://{host}{path}"


def without_credentials(text: str) -> str:
    """A program's message without the user, the password and the query of any address in it."""
    return _IN_TEXT.sub(_without_secret, text)


def _without_secret(address: re.Match[str]) -> str:
    """What follows the `://` of an address, as it may be shown."""
    before, _, after = address[0].rpartition("@")
    if re.search(r"[?#]", before):
        return "..."  # an @ in the query, or a ? in the password: nobody knows
    return re.split(r"[?#]", after, maxsplit=1)[0]


def kind_of(address: str) -> str:
    """RELEASE for a URL of http(s) or file that ends in a slash, else GIT; FOLDER for no address."""
    if not address:
        return FOLDER
    url = _URL.fullmatch(address)
    is_web = url is not None and url[1].lower() in {"https", "http", "file"}
    return RELEASE if is_web and address.endswith("/") else GIT


def check(address: str, kind: str) -> None:
    """Refuse what must not be asked: an address without encryption (but of this machine), or of an unknown form.

    Raises UpdateError.
    """
    url = _URL.fullmatch(address)
    if kind not in {GIT, RELEASE} or not address or address.startswith("-") or _UNSHOWN.search(address):
        raise UpdateError(
            "This LLM Memory was installed from a folder, so there is no address to ask for versions: run ./install.sh "
            "of a newer clone, or say where versions are: LLM_MEMORY_REPO=<git URL> llm-memory update"
        )
    shown = cleaned(address)
    if kind == RELEASE and url is not None and "@" in address:
        raise UpdateError(
            f"{shown or 'This'} was given with a user or a password, and a release address takes no user or password: "
            "give one of https without them."
        )
    if not shown or (url is None and (kind == RELEASE or not (os.path.isabs(address) or _SCP_LIKE.match(address)))):
        raise UpdateError(f"{shown or 'This'} is no address to fetch versions from; give one of https, ssh or file.")
    if url is None:
        return
    scheme = url[1].lower()
    allowed = {"https", "file"} if kind == RELEASE else {"https", "file", "ssh", "git+ssh", "ssh+git"}
    if scheme not in allowed and not (scheme == "http" and is_loopback(url[2])):
        raise UpdateError(f"{shown} is not encrypted, and what comes from there is run: give one of https or ssh.")


def is_loopback(authority: str) -> bool:
    """Whether a URL's host (with port) is this machine."""
    host = authority.rpartition("@")[2]
    return re.sub(r":\d+$", "", host).lower() in _LOOPBACK

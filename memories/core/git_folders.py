"""What git's own files say about a folder, without running git: its worktree, main worktree and `origin` remote.

A subprocess would cost a hot hook more than all else it does, and `git` may refuse a folder of another owner.
"""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CONFIG_BYTES = 1_000_000

_SECTION = r'\[\s*([\w.-]+)\s*(?:"((?:[^"\\]|\\.)*)")?\s*\]'  # compiled in a repository only
_REMOTE_URL = r"^(?:ssh|git|https?|ftps?|git\+ssh|ssh\+git|git\+https?)$"


class Repository:
    """A git repository around a folder.

    top: the worktree's own root (str). root: the main worktree's root, or a bare repository's folder. common: the git
    folder with the config. root equals top except in linked worktrees and bare repositories.
    """

    __slots__ = ("common", "root", "top")

    def __init__(self, top: str, root: str, common: str) -> None:
        self.top = top
        self.root = root
        self.common = common


def find_repository(folder: str, stop: str) -> Repository | None:
    """The repository that an existing folder lies in; None outside git.

    The search goes upwards and ends below `/` and below stop (the home folder): a repository there claims nothing.
    """
    while folder not in {stop, os.path.dirname(folder)}:
        dot_git = os.path.join(folder, ".git")
        if os.path.isfile(dot_git):
            return _from_git_file(folder, dot_git)
        if _is_git_folder(dot_git):
            return Repository(folder, folder, dot_git)
        if _is_git_folder(folder):
            return Repository(folder, _main_root(folder, ""), folder)
        folder = os.path.dirname(folder)
    return None


def _is_git_folder(path: str) -> bool:
    return os.path.isfile(os.path.join(path, "HEAD")) and os.path.isdir(os.path.join(path, "objects"))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline=None) as file:
            return file.read(MAX_CONFIG_BYTES)
    except (OSError, ValueError):
        return ""


def _from_git_file(top: str, dot_git: str) -> Repository:
    """The repository of a `.git` file: a linked worktree or a submodule."""
    target = _read(dot_git).strip().removeprefix("gitdir:").strip()
    git_folder = os.path.realpath(os.path.join(top, target)) if target and "\0" not in target else top
    parent, name = os.path.split(os.path.dirname(git_folder))
    if common_dir := _read(os.path.join(git_folder, "commondir")).strip():
        common = os.path.realpath(os.path.join(git_folder, common_dir))
    elif name == "worktrees" and _is_git_folder(parent):
        common = parent  # the worktree's own entry was pruned; the main repository is still there
    else:
        return Repository(top, top, git_folder)
    worktree = _setting(common, "core", "worktree") or ""
    return Repository(top, _main_root(common, worktree), common)


def _main_root(common: str, worktree: str) -> str:
    """The main worktree of a git folder: core.worktree where set (submodules), its parent for `.git` and other hidden
    names, else the (bare) git folder itself."""
    if worktree:
        return os.path.realpath(os.path.join(common, worktree))
    return os.path.dirname(common) if os.path.basename(common).startswith(".") else common


def origin_url(repository: Repository) -> str | None:
    """The fetch URL of the remote `origin` as configured (it may hold credentials); None when there is none."""
    return _setting(repository.common, "remote.origin", "url")


def _setting(git_folder: str, section: str, key: str) -> str | None:
    """The first value of a setting in a git folder's config that is not empty."""
    for found_section, found_key, value in _entries(_read(os.path.join(git_folder, "config"))):
        if (found_section, found_key) == (section, key) and value:
            return value
    return None


def _entries(config: str) -> Iterator[tuple[str, str, str]]:
    """(section, key, value) of every setting in a git config; section is `name` or `name.sub`, key lower case."""
    section = ""
    for line in config.replace("\\\n", " ").split("\n"):
        rest = line.strip()
        header = re.match(_SECTION, rest)
        if header:
            name, subsection = header.groups()
            section = name.lower() if subsection is None else f"{name.lower()}.{_unescape(subsection)}"
            rest = rest[header.end() :].strip()
        key, equals, value = rest.partition("=")
        if equals and key[:1] not in {"#", ";"}:
            yield section, key.strip().lower(), _value(value.strip())


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _value(raw: str) -> str:
    """A config value without quotes and without a comment outside them."""
    out = []
    quoted = escaped = False
    for char in raw:
        if escaped:
            out.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char in "#;" and not quoted:
            break
        else:
            out.append(char)
    return "".join(out).strip()


def normalise_remote(url: str) -> tuple[str, str] | None:
    """(host, path) of a remote URL in any of git's spellings, without scheme, credentials, port, query and `.git`.

    None for a local path, `file:` or a remote helper, which identify nothing across machines.
    """
    scheme, separator, rest = url.partition("://")
    if separator:
        if not re.match(_REMOTE_URL, scheme.lower()):
            return None
        authority, _, path = rest.partition("/")
        host, port = _host_and_port(authority)
        if "@" in path and not port.isdigit() and port:
            # A password with an unescaped slash: what stands before the last @ must never be shown.
            authority, _, path = path.rpartition("@")[2].partition("/")
            host, _ = _host_and_port(authority)
    else:
        head, slash, tail = url.partition("/")
        head = head.rpartition("@")[2]
        host, colon, path = _scp_parts(head)
        if not colon or (len(host) == 1 and (not path or path.startswith("\\"))):  # C:\repo, C:/repo
            return None
        path += slash + tail
    path = _clean_path(path)
    return (host, path) if host and path else None


def _scp_parts(head: str) -> tuple[str, str, str]:
    if head.startswith("["):
        host, _, rest = head[1:].partition("]")
        return host, rest[:1] if rest.startswith(":") else "", rest[1:]
    host, colon, path = head.partition(":")
    return host, "" if path.startswith(":") else colon, path


def _host_and_port(authority: str) -> tuple[str, str]:
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        host, _, port = host[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = host.partition(":")
    return host, port


def _clean_path(path: str) -> str:
    path = re.split(r"[?#]", path, maxsplit=1)[0]
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if parts and parts[-1].lower() == ".git":
        parts.pop()
    elif parts and parts[-1].lower().endswith(".git"):
        parts[-1] = parts[-1][:-4]
    return "/".join(parts).strip()

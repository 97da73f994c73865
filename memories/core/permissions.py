"""Who else can change the data folder: the long look that paths.check_private takes where the short one is not enough.

Refused: a folder of another user (for root: of any user, who could not use what root makes in it); one that others can
write, or enter while a part of it can be written; one below a folder that others can write and so put another in its
place. Only said by doctor: a folder further up that a group can write, as some systems make home folders.

A group of the user's own (no other member) counts as the user, and root's as root. A file system that keeps no modes
(FAT, Windows' disks in WSL) shows the same for all files, whatever chmod says: it is let through, and doctor says so.
"""

from __future__ import annotations

import os
import stat

from memories.core.errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from memories.core.paths import DataFolder

MODELESS = frozenset(("vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "drvfs", "cifs", "smb3", "smbfs"))
"""File systems (fields of /proc/self/mountinfo) whose modes are the mount's. fuseblk: NTFS and exFAT by FUSE."""

_MOUNTS = "/proc/self/mountinfo"
_ROOT = 0
OTHERS = "other users"


class NotPrivateError(StorageError):
    """Somebody else can change the data folder. what: who and how; todo: the command that mends it."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what}. Nothing was read or written: {todo}.")
        self.what = what
        self.todo = todo


def check(folder: DataFolder) -> None:
    """Raise NotPrivateError, with the command that mends it, unless nobody else can change the data folder.

    A folder that is not there yet: unless root would make it among a user's files (sudo), or below an unsafe one.
    """
    root = folder.root
    own = os.geteuid()
    place = _nearest(root)
    if place != root:
        found = os.stat(place)
        if own == _ROOT != found.st_uid:
            _refuse(f"{root} would be made in {place}, which belongs to {user_name(found.st_uid)}", _as_user(found, ""))
    else:
        _check_owner(root, own)
        _check_mode(folder)
    _check_above(root, own)


def _check_above(root: str, own: int) -> None:
    for above, found in _above(root):
        who = _writers(found)
        nearest = above in (os.path.dirname(root), os.path.dirname(os.path.realpath(root)))
        if who == OTHERS or (who and nearest):
            todo = f"chmod {'o' if who == OTHERS else 'g'}-w {_quoted(above)}"
            if found.st_uid != own != _ROOT:
                todo = f"have {user_name(found.st_uid)} run {todo}, or set LLM_MEMORY_HOME to a folder elsewhere"
            else:
                todo = f"run {todo}"
            _refuse(f"{above}, which holds {root}, can be written by {who}, who could put another in its place", todo)


def group_writable_above(root: str) -> list[str]:
    """Folders further up that a group can write: not refused, worth a word."""
    return [place for place, found in _above(root) if _writers(found) not in {"", OTHERS}]


def is_modeless(path: str) -> bool:
    """Whether a path lies on a file system that keeps no modes, as the mount table says (Linux; elsewhere False)."""
    try:
        device = os.stat(path).st_dev
    except OSError:
        return False
    return _modeless_device(device)


def user_name(uid: int) -> str:
    """A user's name, `user <number>` where the system knows none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _check_owner(root: str, own: int) -> None:
    link = os.lstat(root)
    if stat.S_ISLNK(link.st_mode) and link.st_uid not in {own, _ROOT}:
        todo = "remove it, or set LLM_MEMORY_HOME to a folder of your own"
        _refuse(f"{root} is a link that {user_name(link.st_uid)} made", todo)
    found = os.stat(root)
    if found.st_uid == own:
        return
    text = f"{root} belongs to {user_name(found.st_uid)}"
    if own == _ROOT:
        _refuse(f"{text}, and this runs as root", _as_user(found, root))
    todo = f"look at what is in it, then run sudo chown -R {user_name(own)} {_quoted(root)}"
    _refuse(f"{text}, not to {user_name(own)}", f"{todo}, or set LLM_MEMORY_HOME to a folder of your own")


def _as_user(found: os.stat_result, path: str) -> str:
    """What root can do about a folder of another user's. path: what root may take over, "" for nothing."""
    name = user_name(found.st_uid)
    name = f"'#{found.st_uid}'" if name.startswith("user ") else name
    take = f"take it over after a look at what is in it (chown -R root {_quoted(path)}), " if path else ""
    return f"run it as that user (sudo -u {name} ...), {take}or set LLM_MEMORY_HOME to a folder of root's"


def _check_mode(folder: DataFolder) -> None:
    """The folder's own mode; the modes of its parts too where others can enter it."""
    found = os.stat(folder.root)
    if not stat.S_ISDIR(found.st_mode):
        return  # said by whoever needs a folder there
    todo = f"run chmod 700 {_quoted(folder.root)} after looking at what is in it"
    who = _writers(found, sticky_is_safe=False)
    if who:
        _refuse(f"{folder.root} can be written by {who}: any of them could plant memories", todo)
    if found.st_mode & (stat.S_IXGRP | stat.S_IXOTH):
        for part in folder.parts()[1:]:
            try:
                who = _writers(os.stat(part), sticky_is_safe=False)
            except OSError:
                continue  # not there yet
            if who:
                _refuse(f"{part} can be written by {who}: any of them could plant memories", todo)


def _writers(found: os.stat_result, *, sticky_is_safe: bool = True) -> str:
    """Who but its user and root can write a folder, in words; "" for nobody."""
    mode = found.st_mode
    if not mode & (stat.S_IWGRP | stat.S_IWOTH) or (sticky_is_safe and mode & stat.S_ISVTX):
        return ""
    if _modeless_device(found.st_dev):
        return ""
    if mode & stat.S_IWOTH:
        return OTHERS
    return "" if _is_own_group(found.st_gid) else f"its group {_group_name(found.st_gid)}"


def _is_own_group(gid: int) -> bool:
    """Whether a group is the user's alone: the one of the user's name that most systems make with each user. Root's
    (`root`, on macOS `wheel`) holds nobody who is not root anyway."""
    import grp
    import pwd

    if gid == _ROOT:
        return True
    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return user.pw_gid == gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


def _group_name(gid: int) -> str:
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _above(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """The folders above root, nearest first: along the path as it is written, then along the real one where a link is
    in it."""
    seen: set[str] = set()
    for start in (root, os.path.realpath(root)):
        place = start
        while (parent := os.path.dirname(place)) != place:
            place = parent
            if place in seen:
                continue
            seen.add(place)
            try:
                yield place, os.stat(place)
            except OSError:
                continue  # to be made yet


def _nearest(root: str) -> str:
    """The path itself where it is there, a dangling link too, else the nearest folder above it that is."""
    while not os.path.exists(root) and os.path.dirname(root) != root:
        root = os.path.dirname(root)
    return root


def _modeless_device(device: int) -> bool:
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as file:
            return any(modeless_mount(line) for line in file if line.split(" ", 3)[2] == number)
    except (OSError, IndexError):
        return False


def modeless_mount(line: str) -> bool:
    """Whether a line of /proc/self/mountinfo is a mount that keeps no modes. Windows' disks in WSL (9p, virtiofs or
    drvfs, named drvfs in it) keep them where they are mounted with `metadata`."""
    _, _, after = line.rstrip("\n").partition(" - ")
    kind, _, rest = after.partition(" ")
    if "drvfs" in f"{kind} {rest}":
        return "metadata" not in rest.replace(";", ",").split(",")
    return kind in MODELESS


def _quoted(path: str) -> str:
    import shlex

    return shlex.quote(path)


def _refuse(what: str, todo: str) -> NoReturn:
    raise NotPrivateError(what, todo)

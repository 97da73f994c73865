"""Which formats can be imported, how each is recognised, and where its product keeps it."""

from __future__ import annotations

import os

from memories.core.errors import ImportSourceError
from memories.core.paths import claude_config_dir, home_dir
from memories.importers import basic_memory, claude_mem, first_memory, server_memory, source_files
from memories.importers.items import NotOfFormatError
from memories.importers.source_files import UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from memories.core.paths import DataFolder
    from memories.importers.items import Reading

BUNDLE, FIRST, CLAUDE_MEM, SERVER_MEMORY, BASIC_MEMORY = FORMATS = (
    "bundle", "llm-memory", "claude-mem", "server-memory", "basic-memory",
)  # fmt: skip

SOURCES = {
    FIRST: first_memory.SOURCE,
    CLAUDE_MEM: claude_mem.SOURCE,
    SERVER_MEMORY: server_memory.SOURCE,
    BASIC_MEMORY: basic_memory.SOURCE,
}
"""Format -> what its records say in imported_from."""

STDIN = "-"
"""In a path's place: a bundle that comes in."""

_HEAD_BYTES = 65_536
_TAR_MAGIC = slice(257, 262)
_DATABASE = "claude-mem.db"


def usual_place(format: str, folder: DataFolder, environ: Mapping[str, str] | None = None) -> str:  # noqa: A002
    """Where a format's product keeps its memory. Raises ImportSourceError where there is none, or where it cannot be
    known."""
    env = os.environ if environ is None else environ
    home = home_dir()
    if format == SERVER_MEMORY and not env.get("MEMORY_FILE_PATH"):
        raise ImportSourceError(
            "server-memory keeps its file beside its own code unless MEMORY_FILE_PATH says where: name the file."
        )
    places = {
        FIRST: [folder.root, os.path.join(claude_config_dir(env), "memory"), os.path.join(home, ".llm-memory")],
        CLAUDE_MEM: [
            os.path.join(env.get("CLAUDE_MEM_DATA_DIR") or os.path.join(home, ".claude-mem"), _DATABASE),
        ],
        SERVER_MEMORY: [env.get("MEMORY_FILE_PATH", "")],
        BASIC_MEMORY: [env.get("BASIC_MEMORY_HOME") or os.path.join(home, "basic-memory")],
    }.get(format, [])
    if not places:
        raise ImportSourceError("Name the bundle: `llm-memory import FILE`.")
    for place in places:
        if format == FIRST and not _is_of_first(place, is_here=_is_same(place, folder.root)):
            continue
        if os.path.exists(place):
            return place
    raise ImportSourceError(f"Nothing of {format} is in {places[-1]}: name the file or folder.")


def recognise(path: str) -> str:
    """The format of a file or folder. Raises ImportSourceError: with the list of formats where it is none of them."""
    found = _of_folder(path) if os.path.isdir(path) else _of_file(path)
    if not found:
        raise ImportSourceError(
            f"{path} is of no format that can be imported. Say what it is with --from: {', '.join(FORMATS)}."
        )
    return found


def read(format: str, path: str, folder: DataFolder, project: str | None = None) -> Reading:  # noqa: A002
    """What a source holds, read whole. project: for what names none. Raises ImportSourceError."""
    if not os.path.exists(path):
        raise ImportSourceError(f"There is no {path}: check its name.")
    try:
        return _read(format, os.path.realpath(path), folder, project)
    except NotOfFormatError as error:
        raise ImportSourceError(f"{error} Say what it is with --from: {', '.join(FORMATS)}.") from error


def _read(format: str, path: str, folder: DataFolder, project: str | None) -> Reading:  # noqa: A002
    if format == FIRST:
        if os.path.isfile(path):
            return first_memory.read_lines(path, project)
        return first_memory.read(path, project, is_here=_is_same(path, folder.root))
    if format == CLAUDE_MEM:
        path = os.path.join(path, _DATABASE) if os.path.isdir(path) else path
        _require(os.path.isfile(path), path, format, "a database")
        return claude_mem.read(path, project)
    if format == SERVER_MEMORY:
        _require(os.path.isfile(path), path, format, "a file")
        return server_memory.read(path, project)
    _require(os.path.isdir(path) or path.endswith(basic_memory.ENDINGS), path, format, "a folder or a .md file")
    return basic_memory.read(path, project)


def _require(is_so: bool, path: str, format: str, what: str) -> None:  # noqa: A002
    if not is_so:
        raise ImportSourceError(f"{path} is not {what}, as {format}'s memory is: check what --from says.")


def _is_same(path: str, root: str) -> bool:
    return os.path.realpath(path) == os.path.realpath(root)


def _is_of_first(path: str, *, is_here: bool = False) -> bool:
    """is_here: the data folder has records/ anyway; only the later versions' ledgers tell."""
    names = first_memory.FOLDERS[1:] if is_here else first_memory.FOLDERS
    return any(os.path.isdir(os.path.join(path, name)) for name in names)


def _of_folder(path: str) -> str:
    path = os.path.realpath(path)
    if os.path.isfile(os.path.join(path, _DATABASE)):
        return CLAUDE_MEM
    if any(os.path.isdir(os.path.join(path, name)) for name in ("records", "items")):
        return FIRST
    ledgers = os.path.join(path, "projects")
    if os.path.isdir(ledgers) and next(iter(source_files.walk(ledgers, (".json",))), None):
        return FIRST
    return BASIC_MEMORY if next(iter(source_files.walk(path, basic_memory.ENDINGS)), None) else ""


def _of_file(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            head = file.read(_HEAD_BYTES)
            if b"\n" not in head.strip():  # a first line that is longer
                head += file.readline(source_files.MAX_LINE_BYTES)
    except OSError as error:
        raise ImportSourceError(f"Cannot read {path}: {error.strerror}. Check its name and permissions.") from error
    if head.startswith(b"SQLite format 3\0"):
        return CLAUDE_MEM
    if head.startswith(b"\x1f\x8b") or head[_TAR_MAGIC] == b"ustar" or path.endswith((".tar", ".tar.gz", ".tgz")):
        return BUNDLE
    if path.lower().endswith(basic_memory.ENDINGS):
        return BASIC_MEMORY
    first = next((line for line in head.split(b"\n") if line.strip()), b"")
    try:
        value = source_files.json_of(first)
    except UnreadableError:
        return ""
    if first_memory.is_record(value):
        return FIRST
    is_graph = isinstance(value, dict) and value.get("type") in ("entity", "relation")
    return SERVER_MEMORY if is_graph else ""

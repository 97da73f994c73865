"""Files that no program of ours wrote, put where records and transcripts are."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from memories.core import records
from tests.core.transcript_lines import Script

Make = Callable[[Path], object]
"""Makes one file at a path."""

DEEP = 1_000_000
HUGE = 100_000_000
MANY_DIGITS = 100_000


def _record(path: Path, **fields: Any) -> str:
    record = records.new_record(type="note", content="A phalarope, if anything.")
    record.update({"uuid": path.stem, **fields})
    return json.dumps(record)


def _with(more: str) -> Make:
    """A record with a field as it is written."""
    return lambda path: path.write_text(_record(path)[:-1] + f", {more}}}", encoding="utf-8")


def _field(name: str, value: Any) -> Make:
    return lambda path: path.write_text(_record(path, **{name: value}), encoding="utf-8")


def _text(change: Callable[[str], bytes]) -> Make:
    return lambda path: path.write_bytes(change(_record(path)))


def _socket(path: Path) -> None:
    place = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{place}/{path.name}")  # a socket's whole path may have 107 bytes
    finally:
        os.close(place)


def _device(path: Path) -> None:
    if os.geteuid() == 0:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero: never ends
    else:
        path.symlink_to("/dev/zero")


def _folder_with_a_record(path: Path) -> None:
    path.mkdir()
    (path / path.name).write_text("{}", encoding="utf-8")


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'{"schema_version": 1, "content": "')
        for _ in range(HUGE // 1_000_000):
            file.write(b"x" * 1_000_000)


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


WRONG_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    10**30,
    "",
    " ",
    "\0",
    "\ud800",
    [],
    [[]],
    [None, {}],
    {},
    {"a": []},
)
FIELDS = (
    "schema_version uuid type content project project_id session_id importance transcript_ref tags created_at "
    "connections status archived_in updated_at origin deleted_at conflict_of imported_from"
).split()

RECORDS: dict[str, Make] = {
    "broken UTF-8": _text(lambda text: text.encode().replace(b"phalarope", b"ph\xff\xfe\x80")),
    "NUL bytes": lambda path: path.write_bytes(b"\0" * 5000),
    "a NUL in its text": _field("content", "a\0b phalarope"),
    "nested a million deep": _with('"deep": ' + "[" * DEEP + "]" * DEEP),
    "a million opened objects": lambda path: path.write_text('{"a":' * DEEP, encoding="utf-8"),
    "duplicate keys": _with('"content": "the second content", "uuid": "' + "0" * 32 + '"'),
    "100 MB": _large,
    "a sparse terabyte": _sparse,
    "an integer of 100,000 digits": _with('"importance": ' + "9" * MANY_DIGITS),
    "a field of 100,000 digits": _with('"more": ' + "9" * MANY_DIGITS),
    "NaN and Infinity": _with('"importance": NaN, "more": [Infinity, -Infinity, NaN]'),
    "a link to a record": lambda path: path.symlink_to(next(path.parent.glob("*.json"))),
    "a link to outside": lambda path: path.symlink_to("/etc/passwd"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a dangling link": lambda path: path.symlink_to(path.with_name("nothing")),
    "a FIFO": os.mkfifo,
    "a socket": _socket,
    "a device that never ends": _device,
    "a folder": lambda path: path.mkdir(),
    "a folder with a record in it": _folder_with_a_record,
    "a hard link to a record": lambda path: os.link(next(path.parent.glob("*.json")), path),
    "0 bytes": lambda path: path.touch(),
    "a BOM": _text(lambda text: b"\xef\xbb\xbf" + text.encode()),
    "UTF-16": _text(lambda text: text.encode("utf-16")),
    "CRLF": _text(lambda text: json.dumps(json.loads(text), indent=2).replace("\n", "\r\n").encode()),
    "a list": lambda path: path.write_text("[1, 2]", encoding="utf-8"),
    "a string": lambda path: path.write_text('"x"', encoding="utf-8"),
    "cut in the middle": _text(lambda text: text.encode()[: len(text) // 2]),
    "a newer schema": _field("schema_version", 2),
    "a year without end": _field("created_at", "99999-01-01T00:00:00"),
    "10,000 links": _field(
        "connections", [{"to_uuid": f"{n:032x}", "relationship": "related_to"} for n in range(10_000)]
    ),
    "a link to itself as its own successor": lambda path: path.write_text(
        _record(path, connections=[{"to_uuid": path.stem, "relationship": "supersedes"}]), encoding="utf-8"
    ),
    **{f"{field} is {json.dumps(value)[:12]}": _field(field, value) for field in FIELDS for value in WRONG_VALUES},
}
"""Each put at records/<uuid>.json."""

NAMES: tuple[bytes, ...] = (
    b"with spaces.json",
    b'it\'s "quoted".json',
    b"two\nlines.json",
    "\N{BIRD}\N{COLLISION SYMBOL}.json".encode(),
    b"not \xff\xfe utf-8.json",
    b"\x1b[31mred.json",
    b"-rf.json",
    b"$(reboot).json",
    b"x" * 250 + b".json",
    b"0" * 31 + b".json",
    b"A" * 32 + b".json",
    b"%2e%2e%2fetc.json",
)
"""Names beside the records'."""


def _talk(session_id: str) -> Script:
    script = Script("/home/dev/orders-api", session_id)
    for line in (script.user("What did the dotterel do?"), script.answer("It stayed.")):
        line["uuid"] = f"{line['uuid'][:24]}{session_id[24:]}"  # else it would be one message, repeated by forks
    return script


def _line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def _around(middle: Callable[[], bytes], *, newline: bytes = b"\n") -> Make:
    """A conversation with something between its request and its answer."""

    def make(path: Path) -> None:
        first, second = _talk(path.stem).dump().splitlines(keepends=True)
        path.write_bytes(first + middle() + newline + second)

    return make


def _message(content: Any, kind: str = "user") -> bytes:
    return _line(type=kind, message={"role": kind, "content": content})


def _one_long_line(path: Path) -> None:
    first, second = _talk(path.stem).dump().splitlines(keepends=True)
    with path.open("wb") as file:
        file.write(first + b'{"type":"user","message":{"role":"user","content":"')
        for _ in range(HUGE // 1_000_000):
            file.write(b"long word " * 100_000)
        file.write(b'"}}\n' + second)


TRANSCRIPTS: dict[str, Make] = {
    "cut in mid-line": lambda path: path.write_bytes(_talk(path.stem).dump() + b'{"type":"assistant","message":{"con'),
    "without a newline at its end": lambda path: path.write_bytes(_talk(path.stem).dump()[:-1]),
    "unknown line types": _around(
        lambda: _line(type="quantum-turn", payload=[1]) + _line(type=7) + _line(kind="user") + b"[]\n7\nnull\n\n"
    ),
    "a future version's shapes": _around(
        lambda: _line(type="user", version="9.0.0", message=[{"role": "user"}])
        + _line(type="assistant", message={"content": {"parts": [{"text": "x"}]}})
        + _line(type="user", message={"role": "user", "content": [{"type": "hologram", "text": {"a": 1}}, None, 5]})
    ),
    "10 MB lines": _around(lambda: _message("ten million " * 850_000) + _message("again " * 1_600_000, "assistant")),
    "one line of 100 MB": _one_long_line,
    "NULs": _around(lambda: b"\0" * 100_000),
    "deep nesting": _around(lambda: b'{"type":"user","message":' + b"[" * DEEP + b"]" * DEEP + b"}"),
    "a number of 100,000 digits": _around(lambda: b'{"type":"user","message":{"content":' + b"9" * MANY_DIGITS + b"}}"),
    "broken UTF-8": _around(lambda: _message("x").replace(b"x", b"\xff\xfe\x80\xc3")),
    "half surrogate pairs": _around(lambda: _message("\ud83d alone")),
    "no line at all": lambda path: path.touch(),
    "lines without end": lambda path: path.write_bytes(_talk(path.stem).dump() + b"\n" * 1_000_000),
    "a FIFO": os.mkfifo,
    "a link to outside": lambda path: path.symlink_to("/etc/passwd"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a folder": lambda path: path.mkdir(),
    "a device that never ends": _device,
    "a socket": _socket,
    "CRLF": lambda path: path.write_bytes(_talk(path.stem).dump().replace(b"\n", b"\r\n")),
    "a BOM": lambda path: path.write_bytes(b"\xef\xbb\xbf" + _talk(path.stem).dump()),
    "UTF-16": lambda path: path.write_bytes(_talk(path.stem).dump().decode().encode("utf-16")),
    "every value of the wrong type": _around(
        lambda: b"".join(
            _line(type="user", uuid=value, parentUuid=value, timestamp=value, cwd=value, sessionId=value, isMeta=value,
                  message={"role": value, "content": value}, toolUseResult=value, gitBranch=value)
            for value in WRONG_VALUES
        )
    ),
}  # fmt: skip
"""Each put where Claude Code keeps a session, and where the archive does."""

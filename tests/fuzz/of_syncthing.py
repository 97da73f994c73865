"""Targets: what Syncthing answers, its config.xml, and our note of what was set up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from memories.core.errors import SyncthingError
from memories.syncthing import answers, home, ignores, state
from memories.syncthing.client import Client, NotThereError, RefusedKeyError
from tests.fuzz import home as homes
from tests.fuzz.draw import Draw, is_structured, to_json

_IDS = ("AAAAAAA-BBBBBBB", "CCCCCCC-DDDDDDD", "")
_WORDS = (
    *_IDS, answers.FOLDER_ID, "idle", "error", "2026-03-14T09:12:44.123456789+01:00", "0001-01-01T00:00:00Z",
    "2026-03-14T25:00:00Z", "9999-12-31T23:59:59-23:59", "!/records", "*", "#include x", "notSharing", "\x1b[31mred",
)  # fmt: skip
_NAMES = (
    "deviceID", "name", "id", "label", "path", "devices", "paused", "state", "needTotalItems", "errors", "error",
    "ignore", "watchError", "pullErrors", "connections", "connected", "lastSeen", "needItems", "needDeletes",
    "sequence", "remoteState", "myID", "offeredBy", *_IDS, answers.FOLDER_ID,
)  # fmt: skip


class _Answers(Client):
    """A Syncthing that answers what the input says."""

    def __init__(self, draw: Draw) -> None:
        super().__init__("http://127.0.0.1:1", "key")
        self._draw = draw

    def get(self, path: str) -> Any:
        kind = self._draw.below(12)
        if kind == 11:
            raise NotThereError(path)
        if kind == 10:
            raise RefusedKeyError(path, "see its page")
        if path.startswith("/rest/config/folders") and kind > 1:
            ids = [{"deviceID": self._draw.one_of(_IDS)} for _ in range(self._draw.below(4))]
            return [{"id": answers.FOLDER_ID, "path": "/x", "devices": ids, "paused": self._draw.below(4) == 0}]
        value = self._draw.value(_NAMES, _WORDS, 4)
        return self._draw.one_of((value, {self._draw.one_of(_NAMES): value}))


def syncthing_answers(data: bytes) -> None:
    """Syncthing's answers: whatever their shape, a state comes of them, or SyncthingError; all can be printed."""
    if is_structured(data):
        draw = Draw(data[1:])
        try:
            found = state._asked(_Answers(draw), "/x/.stfolder")
        except SyncthingError as error:
            assert str(error)
            return
        "\n".join(found.attention).encode("utf-8", "replace")
        values = [draw.value(_NAMES, _WORDS, 4) for _ in range(3)]
    else:
        values = [_json(data)]
    for value in values:
        shown = [*answers.devices(value), *answers.pending_devices(value)]
        assert all("\n" not in one.shown and "\x1b" not in one.shown for one in shown if one.id in _IDS)
        for shared in answers.folders(value):
            assert isinstance(shared.name, str)
        answers.offering(value)
        seconds = answers.time_of(value)
        assert seconds is None or seconds > 0
        assert answers.count(value) >= 0
        ignores.judge("\n".join(map(answers.text, answers.items(value))))


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace")


def syncthing_files(data: bytes) -> None:
    """config.xml and state/syncthing.json: read, or SyncthingError; a note that was read is written back the same."""
    own = homes.home("syncthing")
    config = os.path.join(own.scratch, "config.xml")
    Path(config).write_bytes(_config(Draw(data[1:])) if is_structured(data) else data)
    try:
        found = home.read_home(config)
    except SyncthingError as error:
        assert str(error)
    else:
        assert found.url == "" or found.url.startswith(("http://", "https://"))
        with own.environment():
            for shared in found.folders:
                home.relation(shared.path, own.folder.root, os.environ)
    own.folder.create()
    note = (
        to_json(Draw(data[1:]).value(("config", "url", "path", "devices_added"), _WORDS))
        if is_structured(data)
        else data
    )
    Path(state.note_path(own.folder)).write_bytes(note)
    kept = state.read_note(own.folder)
    if kept is not None:
        try:
            state.write_note(own.folder, kept)
        except UnicodeEncodeError:
            return
        assert state.read_note(own.folder) == kept or len(kept.devices_added) > 1


def _config(draw: Draw) -> bytes:
    address = draw.one_of(
        ("127.0.0.1:8384", "[::1]:8384", ":::", "/run/x.sock", "unix:///x", ":80", "[", "a:b:c", draw.text(_WORDS))
    )
    tls, enabled = draw.one_of(("true", "false", "")), draw.one_of(("true", "false", "no"))
    where = draw.one_of(("~", "~/x", "/y", "C:\\x", ""))
    folder = f'<folder id="{draw.one_of(_IDS)}" label="x" path="{where}"/>'
    parts = [f'<gui tls="{tls}" enabled="{enabled}"><address>{address}</address><apikey>k</apikey></gui>', folder]
    body = "".join(part for part in parts if draw.below(8))
    return f"<configuration>{body}</configuration>".encode("utf-8", "surrogatepass")

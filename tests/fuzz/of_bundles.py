"""Target: bundles that were damaged, or made by somebody who means harm, imported for real."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path
from typing import Any

from memories.core import bundle_import, bundle_reading
from memories.core.errors import BundleError, StorageError
from tests.core.bundles import bundle_of, everything, manifest_of, tar_of
from tests.fuzz import home as homes
from tests.fuzz.draw import Draw, is_structured

_UUID = "a" * 32
_SESSION = "22c27cac-b859-4875-a798-6d086e9ce27f"
_RECORD = (
    b'{"schema_version":1,"uuid":"'
    + _UUID.encode()
    + b'","type":"note","content":"x","created_at":"2026-03-14T09:12:44"}'
)
_NAMES = (
    f"records/{_UUID}.json", f"trash/{_UUID}.json", f"transcripts/{_SESSION}.jsonl",
    f"transcripts/{_SESSION}/tool-results/a.txt", "config/CLAUDE.md", "config/settings.json",
    f"records/{'b' * 32}.json", "../elsewhere/canary", "/etc/x", "records/../../x",
    f"transcripts/{_SESSION}/../../../elsewhere/canary", "transcripts/..", f"transcripts/{_SESSION}/a\0b",
    "manifest.json", "memory.db", "state/locks", f"transcripts/{_SESSION}/.hidden",
    f"transcripts/{_SESSION}/x/" + "y" * 300, "records", "", f"transcripts/{_SESSION}.jsonl/x",
    f"transcripts/{_SESSION}/é\udcff",
)  # fmt: skip
_CONTENTS = (
    _RECORD,
    b"",
    b"{}",
    b'{"briefing_chars": 10}',
    b"# Rules\n",
    b'{"type":"user"}\n',
    b"\xff\0",
    _RECORD[:-1],
)
_TYPES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE)


def _archive(draw: Draw) -> bytes:
    """A tar of members that are mostly valid, with the manifest that goes with them, then perhaps damaged."""
    files = {draw.one_of(_NAMES): draw.one_of((*_CONTENTS, draw.raw(20))) for _ in range(draw.below(5))}
    try:
        if draw.below(4) == 3:
            data = tar_of([_odd_member(draw) for _ in range(1 + draw.below(3))])
        elif draw.below(6) == 5:
            manifest: Any = manifest_of(files) | {
                draw.one_of(("version", "files", "members", "bytes")): draw.value(("name",), _NAMES)
            }
            data = bundle_of(files, manifest)
        else:
            data = bundle_of(files)
    except (ValueError, UnicodeError, OverflowError, tarfile.TarError):
        return b""  # nothing that Python's own tarfile can write
    for _ in range(draw.below(4)):
        at = draw.below(min(len(data), 65_536))
        data = draw.one_of((data[:at], data[:at] + draw.raw(3) + data[at:], data[:at] + draw.raw(8) + data[at + 8 :]))
        if not data:
            break
    return gzip.compress(data, 1) if draw.below(5) == 4 else data


def _odd_member(draw: Draw) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(draw.one_of(_NAMES))
    info.type = draw.one_of(_TYPES)
    info.linkname = draw.one_of(("", "../elsewhere/canary", "/etc/passwd"))
    info.pax_headers = draw.one_of(
        ({}, {"path": draw.one_of(_NAMES)}, {"size": draw.one_of(("5", "-1", "9" * 30, "x"))})
    )
    return info, draw.one_of(_CONTENTS)


def import_bundle(data: bytes) -> None:
    """Bundles: imported, or refused with BundleError before anything is touched; nothing is written elsewhere."""
    home = homes.home("bundles")
    text = _archive(Draw(data[1:])) if is_structured(data) else data
    try:
        bundle_reading.verify(io.BytesIO(text), lambda name, size: None, lambda done: None)
        is_valid = True
    except BundleError as error:
        is_valid = False
        assert str(error)
    home.reset()
    before = everything(home.folder)
    path = os.path.join(home.scratch, "bundle.tar")
    Path(path).write_bytes(text)
    with home.environment(), home.guarded(), open(path, "rb") as file:
        try:
            bundle_import.run(home.folder, file, shipped_rules=tuple)
            assert is_valid, "imported although it cannot be verified"
        except BundleError:
            assert not is_valid, "refused although it can be verified"
            assert everything(home.folder) == before, "refused, and yet something was changed"
        except StorageError as error:
            assert is_valid, error

"""Data folders full of everything a bundle holds, and bundles made by hand, also ones that nobody should make."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

from memories.core import bundle, bundle_export, bundle_import, records
from memories.core.bundle import Member
from memories.core.bundle_export import Chosen, Contents
from memories.core.bundle_import import ImportResult
from memories.core.paths import DataFolder
from tests.core.transcript_lines import OTHER_SESSION, SESSION

EXPORTER = "workstation"
"""The machine that bundles made by hand name."""

MTIME_NS = 1_773_480_000_123_456_789


def data_folder(root: Path) -> DataFolder:
    """An empty data folder."""
    folder = DataFolder(str(root))
    folder.create()
    return folder


def store(folder: DataFolder, content: str, **fields: Any) -> str:
    """Store a note; gives its uuid."""
    record = records.new_record(type="note", content=content, created_at="2026-03-14T09:12:44")
    record.update({"origin": "workstation", **fields})
    records.save(folder, record)
    return str(record["uuid"])


def write_transcript(folder: DataFolder, name: str, text: bytes, mtime_ns: int = MTIME_NS) -> None:
    """Put a file into the archive."""
    path = Path(folder.transcripts, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(text)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def fill(folder: DataFolder) -> None:
    """Three memories, a deleted one, two sessions with all that can be beside them, rules and settings."""
    for number in range(3):
        store(folder, f"note {number}: Grüße, 漢字", uuid=f"{number:032x}")
    store(folder, "gone", uuid="d" * 32)
    records.delete(folder, "d" * 32)
    write_transcript(folder, f"{SESSION}.jsonl", b'{"line": 1}\n' * 3)
    write_transcript(folder, f"{OTHER_SESSION}.jsonl", b"", MTIME_NS + 1)
    write_transcript(folder, f"{SESSION}/subagents/agent-a1.jsonl", b'{"agent": 1}\n')
    write_transcript(folder, f"{SESSION}/tool-results/Ausgabe ü {'x' * 90}.txt", bytes(range(256)) * 5)
    diverged = b'{"line": "another and longer than the file that it differs from"}\n'
    name = f"diverged-{hashlib.sha256(diverged).hexdigest()[:12]}.jsonl"
    write_transcript(folder, f"{SESSION}/{name}", diverged)
    Path(folder.rules).write_text("# Rules\n\nBe brief.\n", encoding="utf-8")
    Path(folder.settings).write_text('{"briefing_chars": 5000}\n', encoding="utf-8")


def contents(folder: DataFolder) -> dict[str, tuple[bytes, int]]:
    """Path -> (bytes, a transcript's mtime_ns) of every file that travels."""
    found = {}
    for top in ("records", "trash", "transcripts", "config"):
        for path in sorted(Path(folder.root, top).rglob("*")):
            if path.is_file():
                mtime = path.stat().st_mtime_ns if top == "transcripts" else 0
                found[path.relative_to(folder.root).as_posix()] = (path.read_bytes(), mtime)
    return found


def as_exported(folder: DataFolder) -> dict[str, tuple[bytes, int]]:
    """contents() without what an import writes into records: who exported them."""
    return {name: (_without_exporter(name, data), mtime) for name, (data, mtime) in contents(folder).items()}


def _without_exporter(name: str, data: bytes) -> bytes:
    if bundle.kind_of(name) not in bundle.OF_RECORDS or b'"imported_from"' not in data:
        return data
    record = json.loads(data)
    del record["imported_from"]
    return records.dump(record)


def everything(folder: DataFolder) -> dict[str, bytes]:
    """Path -> bytes of every file in a folder, the mirror and the machine's own state included."""
    return {str(path): path.read_bytes() for path in Path(folder.root).rglob("*") if path.is_file()}


def export(folder: DataFolder, path: Path, chosen: Chosen | None = None) -> Contents:
    """Export to a file."""
    return bundle_export.export(folder, str(path), chosen or Chosen(), overwrite=True)


def import_(folder: DataFolder, path: Path, *, dry_run: bool = False, agreed: bool = False) -> ImportResult:
    """Import a file. agreed: marks in it may remove what is here."""
    with open(path, "rb") as file:
        agree = (lambda _: True) if agreed else None
        return bundle_import.run(folder, file, shipped_rules=tuple, dry_run=dry_run, agree=agree)


def counts(result: ImportResult) -> dict[str, dict[str, int]]:
    """The counts that are not 0."""
    found = {kind: {what: n for what, n in kinds.items() if n} for kind, kinds in result.counts.items()}
    return {kind: kinds for kind, kinds in found.items() if kinds}


def members_of(path: Path) -> dict[str, bytes]:
    """Name -> bytes of a bundle's members, in order, as Python's own tarfile reads them."""
    with tarfile.open(path) as archive:
        found = {}
        for info in archive:
            assert info.isreg()
            member = archive.extractfile(info)
            assert member is not None
            found[info.name] = member.read()
    return found


def tar_of(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A tar with any members."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in members:
            info.size = len(data) if info.type in {tarfile.REGTYPE, tarfile.AREGTYPE} else 0
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def bundle_of(files: dict[str, bytes], manifest: Any = None) -> bytes:
    """A bundle made by hand of any names; manifest: instead of the right one."""
    members = [(tarfile.TarInfo(name), data) for name, data in files.items()]
    if manifest is None:
        manifest = manifest_of(files)
    data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return tar_of([*members, (tarfile.TarInfo(bundle.MANIFEST), data)])


def manifest_of(files: dict[str, bytes]) -> dict[str, Any]:
    """The manifest that goes with these files, whatever their names."""
    listed = [
        Member(name, len(data), hashlib.sha256(data).hexdigest(), 0 if name.startswith("transcripts/") else None)
        for name, data in files.items()
    ]
    value: dict[str, Any] = json.loads(bundle.manifest_bytes(listed, EXPORTER))
    return value

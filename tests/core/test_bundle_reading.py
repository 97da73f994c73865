"""Bundles that are damaged or hostile: each is refused with a reason, and nothing outside or inside is touched."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import bundle, bundle_reading, bundle_staging, records
from memories.core.errors import BundleError
from memories.core.paths import DataFolder
from tests.core.bundles import (
    as_exported,
    bundle_of,
    contents,
    data_folder,
    everything,
    export,
    fill,
    import_,
    manifest_of,
    store,
    tar_of,
    write_transcript,
)
from tests.core.transcript_lines import OTHER_SESSION, SESSION

RECORD = f"records/{'a' * 32}.json"
DATA = b'{"schema_version": 1, "uuid": "%s", "type": "note", "content": "x", "created_at": "2026-03-14T09:12:44"}\n' % (
    b"a" * 32
)


def refused(folder: DataFolder, data: bytes, said: str) -> None:
    """The bundle is refused with that reason and a next step, and the folder is as it was."""
    before = everything(folder)
    outside = sorted(os.listdir(os.path.dirname(folder.root)))
    path = Path(tempfile.mkdtemp(dir=os.environ["HOME"]), "in.tar")
    path.write_bytes(data)
    for dry_run in (False, True):
        with pytest.raises(BundleError, match=said):
            import_(folder, path, dry_run=dry_run)
    assert everything(folder) == before
    assert sorted(os.listdir(os.path.dirname(folder.root))) == outside


@pytest.mark.parametrize(
    "data",
    [b"", b"\x1f", b"hello", b"\x1f\x8b", bytes(512), bytes(10240), b"x" * 5000, gzip.compress(b"hello"),
     b"PK\x03\x04" + bytes(1000), b"\x1f\x8b" + bytes(range(256))],
    ids=["empty", "a byte", "text", "gzip's mark", "a block", "tar without files", "long text", "gzip of text", "zip",
         "gzip's mark and more"],
)  # fmt: skip
def test_a_file_that_is_no_bundle_is_refused(folder: DataFolder, data: bytes) -> None:
    refused(folder, data, "damaged|part is missing|no manifest")


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd", "../outside", f"records/../../{'a' * 32}.json", f"transcripts/{SESSION}/../../x",
        f"./{RECORD}", "memory.db", "state/x", "lib/manage.py", "config/../../x", f"records/{'A' * 32}.json",
        f"transcripts/{SESSION}/.hidden", f"transcripts/{SESSION}/a\\\n", "records/" + "a" * 5000,
    ],
)  # fmt: skip
def test_a_name_of_another_shape_is_refused(folder: DataFolder, name: str) -> None:
    refused(folder, bundle_of({RECORD: DATA, name: DATA}), "a name that no bundle|cannot be read")


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE,
     tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE, b"Z", tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
     tarfile.XGLTYPE],
)  # fmt: skip
def test_links_devices_and_folders_are_refused(folder: DataFolder, kind: bytes) -> None:
    info = tarfile.TarInfo(f"transcripts/{SESSION}")
    info.type = kind
    info.linkname = "/etc/passwd"
    inside = tarfile.TarInfo(f"transcripts/{SESSION}/x")
    refused(folder, tar_of([(info, b""), (inside, b"root::0:0")]), "which is no regular file")


@pytest.mark.parametrize(
    "names",
    [
        [RECORD, RECORD],
        [f"transcripts/{SESSION}/a", f"transcripts/{SESSION}/a/b"],
        [f"transcripts/{SESSION}/a/b", f"transcripts/{SESSION}/a"],
    ],
)
def test_a_name_given_twice_is_refused(folder: DataFolder, names: list[str]) -> None:
    members = [(tarfile.TarInfo(name), DATA) for name in names]
    refused(folder, tar_of(members), "twice")


@pytest.mark.parametrize(
    "name", [RECORD, RECORD.replace("records", "trash"), "config/CLAUDE.md", "config/settings.json"]
)
def test_a_file_that_is_too_large_is_refused_before_it_is_read(folder: DataFolder, name: str) -> None:
    header = bundle.header(name, bundle.MAX_BYTES[bundle.kind_of(name) or ""] + 1)
    refused(folder, header, "at most .* are read")


def test_more_than_the_disk_has_room_for_is_refused_before_it_is_read(folder: DataFolder) -> None:
    size = 1 << 60
    refused(folder, bundle.header(f"transcripts/{SESSION}.jsonl", size), "more than the disk has room for")
    half = os.statvfs(folder.root).f_bavail * os.statvfs(folder.root).f_frsize // 2
    room = bundle_staging.room_on_disk(folder)
    room(f"transcripts/{SESSION}.jsonl", half)
    with pytest.raises(BundleError, match="room"):
        room(f"transcripts/{OTHER_SESSION}.jsonl", half + (1 << 40))


def test_a_transcript_that_is_here_already_needs_no_room(folder: DataFolder) -> None:
    write_transcript(folder, f"{SESSION}.jsonl", b"")
    os.truncate(Path(folder.transcripts, f"{SESSION}.jsonl"), 1 << 43)  # a hole
    bundle_staging.room_on_disk(folder)(f"transcripts/{SESSION}.jsonl", 1 << 43)


def test_a_bomb_of_empty_files_is_refused(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MAX_FILES", 10)
    files = {f"records/{number:032x}.json": b"" for number in range(11)}
    refused(folder, bundle_of(files), "more than 10 files")


def test_a_manifest_or_header_as_large_as_it_says_is_not_read(folder: DataFolder) -> None:
    refused(folder, bundle.header("manifest.json", 1 << 40), "far too many for 0 files")
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    refused(folder, info.tobuf(), "a header of .* bytes")


def test_a_negative_size_is_refused(folder: DataFolder) -> None:
    info = tarfile.TarInfo(f"transcripts/{SESSION}.jsonl")
    info.size = -512
    refused(folder, info.tobuf(tarfile.GNU_FORMAT) + bytes(2048), "size")


@pytest.mark.parametrize(
    "fields",
    [b"x", b"9 path=\n", b"20 path=x\n", b"0 path=x\n", b"99999999 path=x\n", b"7 pathx\n", b"14 size=-1234\n",
     b"13 size=12e4\n"],
)  # fmt: skip
def test_a_broken_pax_header_is_refused(folder: DataFolder, fields: bytes) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, len(fields)
    data = info.tobuf() + fields + bundle.padding(len(fields)) + bundle.header(RECORD, len(DATA)) + DATA
    refused(folder, data + bytes(4096), "cannot be read|a name that no bundle")


def test_a_changed_content_is_refused(folder: DataFolder) -> None:
    whole = bundle_of({RECORD: DATA})
    refused(folder, whole.replace(b'"x"', b'"y"'), "not what its manifest says")


def test_a_manifest_that_lists_other_files_is_refused(folder: DataFolder) -> None:
    other = RECORD.replace("a", "b")
    refused(folder, bundle_of({RECORD: DATA}, manifest_of({})), "holds 1 files and its manifest lists 0")
    refused(folder, bundle_of({}, manifest_of({RECORD: DATA})), "holds 0 files and its manifest lists 1")
    refused(folder, bundle_of({RECORD: DATA}, manifest_of({other: DATA})), "not what its manifest says")


def test_a_newer_format_is_refused_with_the_next_step(folder: DataFolder) -> None:
    manifest = manifest_of({RECORD: DATA}) | {"version": 2}
    refused(folder, bundle_of({RECORD: DATA}, manifest), "update this one first")


def test_what_follows_the_end_is_refused(folder: DataFolder) -> None:
    whole = bundle_of({RECORD: DATA})
    refused(folder, whole + b"x", "Something follows its end")
    refused(folder, whole + whole, "Something follows its end")
    refused(folder, gzip.compress(whole) + b"x", "damaged")
    refused(folder, gzip.compress(whole) + gzip.compress(b"x"), "Something follows its end")
    refused(folder, gzip.compress(whole + bytes(1 << 25)), "Something follows its end")


def test_every_cut_is_refused(folder: DataFolder) -> None:
    whole = bundle_of({RECORD: DATA, f"transcripts/{SESSION}.jsonl": b"x" * 700})
    packed = gzip.compress(whole, mtime=0)
    end = len(whole.rstrip(b"\0")) + 1024  # tar's own padding to 10,240 bytes may be missing
    for data in (*(whole[:length] for length in range(0, end - 512, 97)), *(packed[:at] for at in range(len(packed)))):
        with pytest.raises(BundleError):
            bundle_reading.verify(io.BytesIO(data), lambda *_: None, lambda _: None)


def test_a_bundle_packed_by_another_tool_is_read(folder: DataFolder, tmp_path: Path) -> None:
    """Owner, mode and time mean nothing; so do fields that others put into pax headers."""
    files = {RECORD: records.dump(json.loads(DATA)), f"transcripts/{SESSION}/{'ü' * 70}": b"y"}
    members = []
    for name, data in {**files, "manifest.json": bundle.manifest_bytes(_members(files), "workstation")}.items():
        info = tarfile.TarInfo(name)
        info.uid, info.uname, info.mode, info.mtime = 1000, "ann", 0o644, 1_773_480_000
        info.pax_headers = {"atime": "1773480000.5", "comment": "packed by hand"}
        members.append((info, data))
    (tmp_path / "in.tar").write_bytes(tar_of(members))
    import_(folder, tmp_path / "in.tar")
    assert {name: data for name, (data, _) in as_exported(folder).items()} == files


def _members(files: dict[str, bytes]) -> list[bundle.Member]:
    return bundle.parse_manifest(json.dumps(manifest_of(files)).encode()).members


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, dict[str, tuple[bytes, int]]]:
    """A bundle, the same compressed, and what an import of it gives."""
    root = tmp_path_factory.mktemp("exported")
    folder = data_folder(root / "memory")
    fill(folder)
    export(folder, root / "all.tar")
    export(folder, root / "all.tar.gz")
    return (root / "all.tar").read_bytes(), (root / "all.tar.gz").read_bytes(), contents(folder)


def _mutate(data: st.DataObject, whole: bytes) -> bytes:
    kind = data.draw(st.sampled_from(["flip", "cut", "append", "remove", "insert", "swap"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    if kind == "flip":
        return whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    if kind == "cut":
        return whole[:at]
    if kind == "append":
        return whole + data.draw(st.binary(min_size=1, max_size=600))
    length = data.draw(st.integers(1, 1024))
    if kind == "remove":
        return whole[:at] + whole[at + length :]
    if kind == "insert":
        return whole[:at] + data.draw(st.binary(min_size=1, max_size=600)) + whole[at:]
    first, second = (block * 512 for block in data.draw(st.tuples(*[st.integers(0, len(whole) // 512)] * 2)))
    blocks = bytearray(whole)
    blocks[first : first + 512], blocks[second : second + 512] = whole[second:][:512], whole[first:][:512]
    return bytes(blocks)


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_any_change_of_a_bundle_is_refused_or_means_the_same(
    exported: tuple[bytes, bytes, dict[str, tuple[bytes, int]]], data: st.DataObject
) -> None:
    *wholes, expected = exported
    changed = _mutate(data, data.draw(st.sampled_from(wholes)))
    try:
        found = bundle_reading.verify(io.BytesIO(changed), lambda *_: None, lambda _: None)
    except BundleError:
        return
    assert {one.name: (one.sha256, one.mtime_ns or 0) for one in found.members} == {
        name: (hashlib.sha256(content).hexdigest(), mtime_ns) for name, (content, mtime_ns) in expected.items()
    }


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_an_import_of_a_changed_bundle_brings_all_or_nothing(
    exported: tuple[bytes, bytes, dict[str, tuple[bytes, int]]], data: st.DataObject
) -> None:
    *wholes, expected = exported
    changed = _mutate(data, data.draw(st.sampled_from(wholes)))
    with tempfile.TemporaryDirectory() as root:
        folder = data_folder(Path(root, "inside", "memory"))
        path = Path(root, "in.tar")
        path.write_bytes(changed)
        try:
            import_(folder, path)
        except BundleError:
            expected = {}
        assert as_exported(folder) == expected
        assert sorted(os.listdir(root)) == ["in.tar", "inside"]
        assert os.listdir(Path(root, "inside")) == ["memory"]
        own = {
            "records",
            "trash",
            "transcripts",
            "config",
            "state",
            "memory.db.7",
            "memory.db.7-wal",
            "memory.db.7-shm",
        }
        assert set(os.listdir(folder.root)) <= own
        assert not [name for name in os.listdir(folder.state) if name.startswith("import-")]


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_without_another_failure(data: bytes) -> None:
    with pytest.raises(BundleError):
        bundle_reading.verify(io.BytesIO(data), lambda *_: None, lambda _: None)


@given(st.lists(st.tuples(st.binary(max_size=600), st.integers(0, 600)), max_size=4))
def test_any_header_with_a_right_checksum_is_read_without_another_failure(blocks: list[tuple[bytes, int]]) -> None:
    data = b""
    for fields, size in blocks:
        block = bytearray((fields + bytes(512))[:512])
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        data += bytes(block) + bytes(size)
    with pytest.raises(BundleError):
        bundle_reading.verify(io.BytesIO(data), lambda *_: None, lambda _: None)


def test_a_bundle_of_many_records_is_verified_whole(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "memory")
    for number in range(300):
        store(folder, f"note {number}")
    export(folder, tmp_path / "all.tar")
    told: list[int] = []
    with open(tmp_path / "all.tar", "rb") as file:
        found = bundle_reading.verify(file, lambda *_: None, told.append)
    assert len(found.members) == 300
    assert told[-1] == sum(one.size for one in found.members)

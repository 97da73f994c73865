"""A release's tarball: what is not plain files below one folder is refused, and nothing is written beside it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.update import unpack
from tests.install.conftest import snapshot
from tests.install.updates import tarball


def member(name: str, kind: bytes = tarfile.REGTYPE, **fields: object) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type = kind
    for field, value in fields.items():
        setattr(found, field, value)
    return found


def test_files_and_folders_are_unpacked_private_and_runnable_ones_stay_so(tmp_path: Path) -> None:
    members = [
        (member("r", tarfile.DIRTYPE, mode=0o777), b""),
        (member("r/a.py", mode=0o666), b"one"),
        (member("r/deep/install.sh", mode=0o4755), b"two"),
    ]
    (tmp_path / "into").mkdir()
    root = unpack.unpack(str(tarball(tmp_path / "a.tar.gz", members)), str(tmp_path / "into"))
    assert root == str(tmp_path / "into" / "r")
    found = snapshot(tmp_path / "into")
    assert found["r/a.py"] == (0o600, b"one")
    assert found["r/deep/install.sh"] == (0o700, b"two")
    assert found["r"][0] == found["r/deep"][0] == 0o700


HOSTILE = {
    "absolute": member("/etc/passwd"),
    "above": member("r/../../out"),
    "dots": member("../out"),
    "beside the folder": member("out"),
    "another folder": member("s/out"),
    "empty part": member("r//out"),
    "backslash": member("r\\..\\out"),
    "newline": member("r/a\nb"),
    "turning": member("r/a\u202eb"),
    "deep": member("r/" + "d/" * 40 + "out"),
    "symbolic link": member("r/link", tarfile.SYMTYPE, linkname="/etc"),
    "hard link": member("r/link", tarfile.LNKTYPE, linkname="r/a"),
    "device": member("r/null", tarfile.CHRTYPE),
    "disk": member("r/disk", tarfile.BLKTYPE),
    "pipe": member("r/pipe", tarfile.FIFOTYPE),
    "twice": member("r/a"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_member_is_refused_and_nothing_is_written_outside(tmp_path: Path, case: str) -> None:
    hostile = HOSTILE[case]
    content = b"x" if hostile.isreg() else b""
    archive = tarball(tmp_path / "a.tar.gz", [(member("r/a"), b"1"), (hostile, content)])
    (tmp_path / "into").mkdir()
    with pytest.raises(ValueError, match=r"no place|neither|characters|outside|twice|beside"):
        unpack.unpack(str(archive), str(tmp_path / "into"))
    assert set(snapshot(tmp_path)) <= {"a.tar.gz", "into", "into/r", "into/r/a", "home"}


def test_more_than_a_release_can_hold_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_BYTES", 100_000)
    (tmp_path / "into").mkdir()
    bomb = tarball(tmp_path / "a.tar.gz", [(member("r/a"), bytes(300_000))])
    with pytest.raises(ValueError, match="more than"):
        unpack.unpack(str(bomb), str(tmp_path / "into"))
    header = member("r/b", pax_headers={"comment": "x" * 300_000})
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(header)
    with pytest.raises(ValueError, match="more than"):
        unpack.unpack(str(tmp_path / "b.tar.gz"), str(tmp_path / "into"))
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 3)
    many = tarball(tmp_path / "c.tar.gz", [(member(f"r/{number}"), b"1") for number in range(5)])
    with pytest.raises(ValueError, match="more than 3 files"):
        unpack.unpack(str(many), str(tmp_path / "into"))


@pytest.mark.parametrize("content", [b"", b"no tarball", b"\x1f\x8b\x08\x00broken"])
def test_what_is_no_tarball_is_named_as_such(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged|empty"):
        unpack.unpack(str(tmp_path / "a.tar.gz"), str(tmp_path))


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_tarball_is_refused_or_unpacked_and_never_more(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        one = member("r/a")
        one.size = 600
        tar.addfile(one, io.BytesIO(bytes(range(200)) * 3))
    data = bytearray(out.getvalue())
    at %= len(data)
    (folder / "a.tar.gz").write_bytes(data[:at] if cut else data[:at] + bytes([byte]) + data[at + 1 :])
    (folder / "into").mkdir()
    try:
        unpack.unpack(str(folder / "a.tar.gz"), str(folder / "into"))
    except ValueError:
        pass
    assert {path.name for path in folder.iterdir()} == {"a.tar.gz", "into"}

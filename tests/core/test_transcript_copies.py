"""Copies of archived files: one file again, and no byte lost, whatever came in which order."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import archived_sessions, conversation_index, diverged, files, mirror, transcript_copies
from memories.core.copies import Outcome
from memories.core.errors import StorageError, TranscriptError
from memories.core.paths import DataFolder
from tests.core.killed import killed_before
from tests.core.transcript_lines import OTHER_SESSION, SESSION

MAIN = f"{SESSION}.jsonl"
AGENT = f"{SESSION}/subagents/agent-a1.jsonl"
COPIES = (
    ".sync-conflict-20260314-091244-ABCDEFG",
    ".sync-conflict-20260315-091244-HIJKLMN",
    " (ann's conflicted copy 2026-03-14)",
    " (1)",
)


def _put(folder: DataFolder, name: str, content: bytes, mtime: int = 1_773_478_800) -> Path:
    path = Path(folder.transcripts, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))
    return path


def _copy(name: str, mark: str = COPIES[0]) -> str:
    stem, extension = os.path.splitext(name)
    return stem + mark + extension


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _beside(name: str, content: bytes) -> str:
    if "/" not in name:
        return f"{SESSION}/diverged-{_hash(content)}.jsonl"
    stem, extension = os.path.splitext(name)
    return f"{stem}-diverged-{_hash(content)}{extension}"


def _files(folder: DataFolder) -> dict[str, bytes]:
    root = Path(folder.transcripts)
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def _settle_all(folder: DataFolder) -> list[Outcome]:
    return [transcript_copies.settle(folder, name) for name in transcript_copies.with_copies(folder)]


@contextmanager
def _new_folder() -> Iterator[DataFolder]:
    with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: None)
        folder = DataFolder(root)
        folder.create()
        yield folder


def test_an_archive_without_copies_has_nothing_to_settle(folder: DataFolder) -> None:
    for name in (MAIN, AGENT, f"{SESSION}/tool-results/out (1).txt", "notes.jsonl"):
        _put(folder, name, b"longer")
    _put(folder, _beside(MAIN, b"other"), b"other")
    for name in (f".syncthing.{MAIN}.tmp", f"~syncthing~{MAIN}.tmp", f".{MAIN}.AbC123", f"{MAIN}.part"):
        _put(folder, name, b"half")
    before = _files(folder)
    assert transcript_copies.with_copies(folder) == []
    outcome = transcript_copies.settle(folder, MAIN)
    assert (outcome.changed, outcome.kept, outcome.left) == (False, [], [])
    assert _files(folder) == before
    os.rename(folder.transcripts, folder.transcripts + "-gone")
    assert transcript_copies.with_copies(folder) == []


@pytest.mark.parametrize("name", [MAIN, AGENT, f"{SESSION}/tool-results/deep/out.txt", f"{SESSION}/tool-results/bare"])
def test_copies_are_found_at_any_depth_and_named_by_their_file(folder: DataFolder, name: str) -> None:
    _put(folder, name, b"one\n")
    for mark in COPIES[:3]:
        _put(folder, _copy(name, mark), b"one\ntwo\n")
    assert transcript_copies.with_copies(folder) == [name]
    assert _settle_all(folder)[0].changed
    assert _files(folder) == {name: b"one\ntwo\n"}
    assert transcript_copies.with_copies(folder) == []


def test_beside_a_transcript_itself_copies_without_a_date_are_found_too(folder: DataFolder) -> None:
    _put(folder, MAIN, b"one\n")
    _put(folder, _copy(MAIN, " (1)"), b"one\ntwo\n")
    _put(folder, MAIN + "~", b"one\n")
    assert _settle_all(folder)[0].changed
    assert _files(folder) == {MAIN: b"one\ntwo\n"}


def test_files_that_claude_code_named_like_copies_stay_as_they_are(folder: DataFolder) -> None:
    place = f"{SESSION}/tool-results"
    names = ("x.txt", "x (1).txt", "notes.txt", "notes.txt~", "deep/y (2).txt", "deep/y.txt")
    for name in names:
        _put(folder, f"{place}/{name}", name.encode())
    copy = f"{place}/x (1){COPIES[0]}.txt"
    _put(folder, copy, b"x (1).txt, and more")
    assert transcript_copies.with_copies(folder) == [f"{place}/x (1).txt"]
    for name in names:
        transcript_copies.settle(folder, f"{place}/{name}")
    expected = {f"{place}/{name}": name.encode() for name in names}
    assert _files(folder) == expected | {f"{place}/x (1).txt": b"x (1).txt, and more"}


@pytest.mark.parametrize("mtime_ns", [1_773_478_800_000_000_000, 1_773_478_800_000_000_999])
def test_a_file_that_holds_all_of_its_copy_counts_as_changed_for_a_file_sync_and_not_for_the_sweep(
    folder: DataFolder, mtime_ns: int
) -> None:
    main = _put(folder, MAIN, b"one\ntwo\n")
    os.utime(main, ns=(mtime_ns, mtime_ns))
    _put(folder, _copy(MAIN), b"one\n")
    assert transcript_copies.settle(folder, MAIN).changed
    assert main.stat().st_mtime_ns != mtime_ns
    assert main.stat().st_mtime_ns // 1000 == mtime_ns // 1000


@pytest.mark.parametrize("longer", ["file", "copy"])
@pytest.mark.parametrize("name", [MAIN, AGENT])
def test_of_a_transcript_and_its_beginning_the_longer_stays_with_its_time(
    folder: DataFolder, name: str, longer: str
) -> None:
    _put(folder, name if longer == "file" else _copy(name), b"one\ntwo\n", mtime=1_000_000_000)
    _put(folder, _copy(name) if longer == "file" else name, b"one\n", mtime=1_700_000_000)
    outcome = transcript_copies.settle(folder, name)
    assert (outcome.changed, outcome.kept, outcome.left) == (True, [], [])
    assert _files(folder) == {name: b"one\ntwo\n"}
    assert os.stat(Path(folder.transcripts, name)).st_mtime == 1_000_000_000


@pytest.mark.parametrize("name", [MAIN, AGENT])
def test_of_two_that_differ_the_longer_is_the_file_and_the_other_is_kept_beside(folder: DataFolder, name: str) -> None:
    _put(folder, name, b"one\nhere\n", mtime=1_000_000_000)
    _put(folder, _copy(name), b"one\nthere, and more\n", mtime=1_700_000_000)
    outcome = transcript_copies.settle(folder, name)
    beside = _beside(name, b"one\nhere\n")
    assert (outcome.changed, outcome.kept, outcome.left) == (True, [f"transcripts/{beside}"], [])
    assert _files(folder) == {name: b"one\nthere, and more\n", beside: b"one\nhere\n"}
    assert os.stat(Path(folder.transcripts, beside)).st_mtime == 1_000_000_000
    assert os.stat(Path(folder.transcripts, name)).st_mtime == 1_700_000_000


def test_of_two_of_one_length_the_greater_hash_decides(folder: DataFolder) -> None:
    greater, lesser = sorted((b"one\n", b"two\n"), key=_hash, reverse=True)
    for first, second in ((greater, lesser), (lesser, greater)):
        _put(folder, MAIN, first)
        _put(folder, _copy(MAIN), second)
        transcript_copies.settle(folder, MAIN)
        assert _files(folder) == {MAIN: greater, _beside(MAIN, lesser): lesser}


def test_a_copy_whose_file_is_gone_becomes_the_file(folder: DataFolder) -> None:
    _put(folder, _copy(MAIN), b"one\n")
    _put(folder, _copy(AGENT), b"two\n")
    _settle_all(folder)
    assert _files(folder) == {MAIN: b"one\n", AGENT: b"two\n"}


def test_a_copy_that_continues_what_is_kept_beside_takes_its_place(folder: DataFolder) -> None:
    _put(folder, MAIN, b"a" * 100)
    _put(folder, _beside(MAIN, b"b\n"), b"b\n")
    _put(folder, _copy(MAIN), b"b\nc\n")
    transcript_copies.settle(folder, MAIN)
    assert _files(folder) == {MAIN: b"a" * 100, _beside(MAIN, b"b\nc\n"): b"b\nc\n"}
    _put(folder, _copy(MAIN), b"b\n")
    assert transcript_copies.settle(folder, MAIN).kept == []
    _put(folder, _copy(_beside(MAIN, b"b\nc\n")), b"b\nc\n" + b"d" * 100)
    assert transcript_copies.with_copies(folder) == [MAIN]
    _settle_all(folder)
    assert _files(folder) == {MAIN: b"b\nc\n" + b"d" * 100, _beside(MAIN, b"a" * 100): b"a" * 100}


def test_other_bytes_under_the_name_of_a_version_are_not_written_over(folder: DataFolder) -> None:
    _put(folder, MAIN, b"aaaa")
    _put(folder, _beside(MAIN, b"bb"), b"not bb")
    _put(folder, _copy(MAIN), b"bb")
    transcript_copies.settle(folder, MAIN)
    assert sorted(_files(folder).values()) == [b"aaaa", b"bb", b"not bb"]


def test_what_is_brought_is_moved_in_or_removed(folder: DataFolder, tmp_path: Path) -> None:
    brought = tmp_path / "brought"

    def bring(content: bytes, name: str = MAIN) -> Outcome:
        brought.write_bytes(content)
        os.utime(brought, (1_000_000_000, 1_000_000_000))
        outcome = transcript_copies.settle(folder, name, str(brought))
        assert not brought.exists()
        return outcome

    assert bring(b"one\n").changed
    assert os.stat(Path(folder.transcripts, MAIN)).st_mtime == 1_000_000_000
    assert not bring(b"one\n").changed
    assert not bring(b"on").changed
    assert bring(b"one\ntwo\n").kept == []
    assert bring(b"other").kept == [f"transcripts/{_beside(MAIN, b'other')}"]
    assert not bring(b"other", _beside(MAIN, b"other")).changed
    assert bring(b"deep", AGENT).changed
    assert _files(folder) == {MAIN: b"one\ntwo\n", _beside(MAIN, b"other"): b"other", AGENT: b"deep"}
    assert oct(os.stat(Path(folder.transcripts, SESSION, "subagents")).st_mode)[-3:] == "700"


@pytest.mark.parametrize("name", ["", "x.jsonl", "../x", f"{SESSION}/../x", f"{SESSION}//x", "/etc/passwd", SESSION,
                                  f"{SESSION}/x\0", f"x/{MAIN}", f"{SESSION}/."])  # fmt: skip
def test_no_place_outside_of_a_sessions_files_is_settled(folder: DataFolder, tmp_path: Path, name: str) -> None:
    brought = tmp_path / "brought"
    brought.write_bytes(b"x")
    with pytest.raises(TranscriptError, match="no place"):
        transcript_copies.settle(folder, name, str(brought))
    assert brought.exists()


def test_what_is_no_regular_file_is_left_and_named(folder: DataFolder, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"one\ntwo\n")
    main = _put(folder, MAIN, b"one\n")
    os.symlink(secret, Path(folder.transcripts, _copy(MAIN)))
    Path(folder.transcripts, _copy(MAIN, COPIES[1])).mkdir()
    _put(folder, _copy(MAIN, COPIES[2]), b"one\nmore\n")
    [outcome] = _settle_all(folder)
    assert outcome.changed
    assert [path for path, _ in outcome.left] == [f"transcripts/{_copy(MAIN, mark)}" for mark in sorted(COPIES[:2])]
    assert main.read_bytes() == b"one\nmore\n"
    assert secret.read_bytes() == b"one\ntwo\n"
    main.unlink()
    os.symlink(secret, main)
    copy = _put(folder, _copy(MAIN, COPIES[2]), b"one\n")
    [outcome] = _settle_all(folder)
    assert not outcome.changed
    assert outcome.left[0] == (f"transcripts/{MAIN}", "not a regular file: move it away")
    assert copy.exists()


def test_nothing_is_settled_through_a_folder_that_is_a_symlink(folder: DataFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "agent-a1.jsonl").write_bytes(b"one\n")
    (outside / _copy("agent-a1.jsonl")).write_bytes(b"one\ntwo\n")
    Path(folder.transcripts, SESSION).mkdir()
    os.symlink(outside, Path(folder.transcripts, SESSION, "subagents"))
    assert transcript_copies.with_copies(folder) == []
    outcome = transcript_copies.settle(folder, AGENT)
    assert (outcome.changed, [path for path, _ in outcome.left]) == (False, [f"transcripts/{AGENT}"])
    assert (outside / "agent-a1.jsonl").read_bytes() == b"one\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_copy_is_left_and_named(folder: DataFolder) -> None:
    _put(folder, MAIN, b"one\n")
    _put(folder, _copy(MAIN), b"one\ntwo\n").chmod(0)
    outcome = transcript_copies.settle(folder, MAIN)
    assert (outcome.changed, outcome.left[0][0]) == (False, f"transcripts/{_copy(MAIN)}")


def test_a_file_that_changes_while_it_is_compared_is_left_for_the_next_sync(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = _put(folder, MAIN, b"one\n")
    copy = _put(folder, _copy(MAIN), b"one\ntwo\n")
    compare = diverged.is_beginning

    def and_write(path: str, longer: str) -> bool:
        main.write_bytes(b"one\ntwo\nthree\n")
        return compare(path, longer)

    with monkeypatch.context() as patch:
        patch.setattr(diverged, "is_beginning", and_write)
        outcome = transcript_copies.settle(folder, MAIN)
    assert (outcome.changed, outcome.left[0][0]) == (False, f"transcripts/{MAIN}")
    assert copy.exists()
    assert transcript_copies.settle(folder, MAIN).changed
    assert _files(folder) == {MAIN: b"one\ntwo\nthree\n"}


@pytest.mark.parametrize("written", ["file", "copy", "other copy"])
@pytest.mark.parametrize("longer", ["file", "copy"])
def test_what_is_written_to_while_versions_move_is_not_lost(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch, written: str, longer: str
) -> None:
    main = _put(folder, MAIN, b"one\ntwo\n" if longer == "file" else b"one\n")
    copy = _put(folder, _copy(MAIN), b"one\n" if longer == "file" else b"one\ntwo\n")
    other = _put(folder, _copy(MAIN, COPIES[1]), b"one\n")
    path = {"file": main, "copy": copy, "other copy": other}[written]
    fsync_folder = files.fsync_folder
    written_to: list[str] = []

    def and_write(place: str) -> None:  # after everything was looked at, before copies go and move
        if not written_to:
            path.write_bytes(b"another session's words\n")
        written_to.append(place)
        fsync_folder(place)

    with monkeypatch.context() as patch:
        patch.setattr(files, "fsync_folder", and_write)
        transcript_copies.settle(folder, MAIN)
    assert written_to
    _settle_all(folder)
    assert transcript_copies.with_copies(folder) == []
    assert _beginning_of_any(b"another session's words\n", folder)
    assert _beginning_of_any(b"one\ntwo\n", folder) or (written, longer) in {("file", "file"), ("copy", "copy")}


def test_many_versions_are_sorted_not_each_compared_with_every_other(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        _put(folder, _copy(MAIN, f" ({number})"), b"one\n" * (number % 7) + b"%d\n" % number)
    compared: list[str] = []

    def count(compare: Callable[[str, str], int]) -> Callable[[str, str], int]:
        def counted(one: str, other: str) -> int:
            compared.append(one)
            return compare(one, other)

        return counted

    monkeypatch.setattr(diverged, "order", count(diverged.order))
    monkeypatch.setattr(diverged, "is_beginning", count(diverged.is_beginning))
    assert len(transcript_copies.settle(folder, MAIN).kept) == 99
    assert len(compared) < 1000


def test_a_file_system_without_hard_links_will_do(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    _put(folder, MAIN, b"one\n")
    _put(folder, _copy(MAIN), b"two two\n")
    transcript_copies.settle(folder, MAIN)
    assert _files(folder) == {MAIN: b"two two\n", _beside(MAIN, b"one\n"): b"one\n"}


def test_a_disk_that_refuses_is_an_error_with_a_next_step(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(folder, MAIN, b"one\n")
    _put(folder, _copy(MAIN), b"two two\n")
    Path(folder.transcripts, SESSION).write_bytes(b"a file in the way")
    with pytest.raises(StorageError, match="then sync"):
        transcript_copies.settle(folder, MAIN)
    assert sorted(_files(folder).values()) == [b"a file in the way", b"one\n", b"two two\n"]


def test_what_is_kept_beside_is_found_and_searched(folder: DataFolder) -> None:
    def line(number: int, text: str) -> bytes:
        found = (
            '{"type":"user","uuid":"00000000-0000-4000-8000-%012d","timestamp":"2026-03-14T09:00:%02d.000Z","cwd":"/p",'
            '"sessionId":"%s","message":{"role":"user","content":"%s"}}\n'
        )
        return (found % (number, number, SESSION, text)).encode()

    _put(folder, MAIN, line(1, "zebra"))
    _put(folder, _copy(MAIN), line(2, "giraffe in the tall grass"))
    _put(folder, AGENT, line(3, "walrus"))
    _put(folder, _copy(AGENT), line(4, "penguin on the ice"))
    _settle_all(folder)
    kept = [name for name in archived_sessions.beside(folder, SESSION) if "diverged-" in name]
    assert [name.rpartition("diverged-")[0] for name in kept] == ["agent-a1-", ""]
    for name in kept:
        assert archived_sessions.find(folder, f"{SESSION}/{name}").size
    mirror.update(folder)
    conversation_index.update(folder)
    connection = mirror.connect(folder.mirror)
    texts = {text for (text,) in connection.execute("SELECT text FROM turn")}
    connection.close()
    assert texts == {"zebra", "giraffe in the tall grass", "walrus", "penguin on the ice"}


CONTENT = st.lists(st.sampled_from((b"a", b"b", b"cc")), max_size=4).map(b"".join)
WHERE = st.sampled_from((MAIN, AGENT))
STEPS = st.lists(st.tuples(WHERE, st.sampled_from((*COPIES[:3], "", "brought", "settle")), CONTENT), max_size=10)


def _beginning_of_any(content: bytes, folder: DataFolder) -> bool:
    return any(found.startswith(content) for found in _files(folder).values())


def _play(folder: DataFolder, steps: list[tuple[str, str, bytes]]) -> dict[str, set[bytes]]:
    """Copies arrive, are brought and are settled; returns what every file was at some time."""
    written: dict[str, set[bytes]] = {MAIN: set(), AGENT: set()}
    for name, kind, content in steps:
        if kind == "settle":
            _settle_all(folder)
        elif kind == "brought":
            written[name].add(content)
            brought = Path(folder.root, "brought")
            brought.write_bytes(content)
            transcript_copies.settle(folder, name, str(brought))
        elif not Path(folder.transcripts, _copy(name, kind)).exists():  # a sync writes over nothing that is not synced
            written[name].add(content)
            _put(folder, _copy(name, kind), content)
    _settle_all(folder)
    return written


@settings(max_examples=120, deadline=None)
@given(STEPS)
def test_every_byte_string_is_the_beginning_of_a_file_that_is_left_whatever_the_order(
    steps: list[tuple[str, str, bytes]],
) -> None:
    with _new_folder() as folder:
        written = _play(folder, steps)
        files = _files(folder)
        for name, contents in written.items():
            longest = {one for one in contents if not any(o != one and o.startswith(one) for o in contents)}
            ranked = sorted(longest, key=lambda one: (len(one), hashlib.sha256(one).hexdigest()))
            expected = {_beside(name, one): one for one in ranked[:-1]} | dict(zip([name], ranked[-1:], strict=False))
            family = {path: one for path, one in files.items() if ("/agent" in path) == (name == AGENT)}
            assert family == expected
        assert transcript_copies.with_copies(folder) == []
        assert not any(transcript_copies.settle(folder, name).changed for name in written)


@settings(max_examples=25, deadline=None)
@given(WHERE, st.dictionaries(st.sampled_from(("", *COPIES[:3])), CONTENT, min_size=2), st.none() | CONTENT,
       st.lists(CONTENT, max_size=2))  # fmt: skip
def test_a_kill_at_any_file_operation_loses_nothing_and_comes_to_the_same_end(
    name: str, copies: dict[str, bytes], brought: bytes | None, beside: list[bytes]
) -> None:
    def work(folder: DataFolder) -> None:
        path = None
        if brought is not None:
            path = os.path.join(folder.root, "brought")  # an import that was killed is begun anew
            Path(path).write_bytes(brought)
        transcript_copies.settle(folder, name, path)

    def end(kill_before: int | None) -> dict[str, bytes] | None:
        """The files at the end; None where the work was done before it could be killed."""
        with _new_folder() as folder:
            for mark, content in copies.items():
                _put(folder, _copy(name, mark), content)
            for content in beside:
                _put(folder, _beside(name, content), content)
            if kill_before is not None and not killed_before(kill_before, lambda: work(folder)):
                return None
            assert all(_beginning_of_any(content, folder) for content in (*copies.values(), *beside))
            if brought is not None or transcript_copies.with_copies(folder):
                work(folder)
            return _files(folder)

    expected = end(None)
    number = 0
    while (found := end(number)) is not None:
        assert found == expected
        number += 1
    assert number


def test_copies_of_other_sessions_stay(folder: DataFolder) -> None:
    other = _put(folder, _copy(f"{OTHER_SESSION}.jsonl"), b"one\n")
    _put(folder, _copy(MAIN), b"one\n")
    transcript_copies.settle(folder, MAIN)
    assert other.exists()

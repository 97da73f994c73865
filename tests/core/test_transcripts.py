"""Finding transcripts and archiving them byte for byte."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import transcripts
from memories.core.errors import StorageError, TranscriptError
from memories.core.paths import DataFolder
from tests.core.transcript_lines import OTHER_SESSION, SESSION, Script, short_session


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    """Claude Code's projects folder."""
    path = tmp_path / "claude" / "projects"
    path.mkdir(parents=True)
    return path


def _archived(folder: DataFolder, relative: str = SESSION + ".jsonl") -> bytes:
    return (Path(folder.transcripts) / relative).read_bytes()


def _is_archived(folder: DataFolder, path: str) -> bool:
    source = transcripts.source_at(path)
    assert source is not None
    by_listing = transcripts.is_archived(folder, source, transcripts.archived_states(folder))
    assert transcripts.is_archived(folder, source) == by_listing
    return by_listing


def test_session_ids_are_uuids() -> None:
    assert transcripts.is_session_id(SESSION)
    assert transcripts.is_session_id(SESSION.upper())
    for text in ("", "agent-1234", SESSION[:-1], SESSION + "0", SESSION.replace("-", "_"), f"../{SESSION}", None, 5):
        assert not transcripts.is_session_id(text)


def test_the_slug_is_claude_codes() -> None:
    assert transcripts.slug("/home/u/My_Repo/.claude/worktrees/feat") == "-home-u-My-Repo--claude-worktrees-feat"
    assert transcripts.slug("/é/😀") == "-----"
    long = "/x" * 150
    assert len(transcripts.slug(long)) == 200
    assert transcripts.in_slug_folder(long, transcripts.slug(long) + "-k3f9zq")
    assert not transcripts.in_slug_folder("/a/b", "-a-b-c")


def test_sources_are_regular_session_files_only(claude: Path, tmp_path: Path) -> None:
    path = Path(short_session("/p").write(claude))
    (path.parent / f"agent-{SESSION}.jsonl").write_bytes(b"{}")
    (path.parent / f"{OTHER_SESSION}.jsonl").symlink_to(path)
    (path.parent / f"{SESSION}.json").write_bytes(b"{}")
    (path.parent / "7b1e2f04-0000-4000-8000-000000000001.jsonl").mkdir()
    (path.parent / SESSION / "subagents").mkdir(parents=True)
    (path.parent / SESSION / "subagents" / f"{OTHER_SESSION}.jsonl").write_bytes(b"{}")
    (claude / "linked").symlink_to(path.parent)
    (claude / "a-file").write_bytes(b"")
    found = list(transcripts.iter_sources(str(claude)))
    assert [(s.path, s.session_id, s.size, s.folder) for s in found] == [
        (str(path), SESSION, path.stat().st_size, str(path.parent))
    ]
    assert list(transcripts.iter_sources(str(tmp_path / "missing"))) == []


def test_the_launch_folder_is_the_cwd_that_the_slug_stands_for(claude: Path) -> None:
    script = Script("/srv/orders")
    script.user("x", cwd="/srv/orders/src")
    script.user("x")
    assert transcripts.launch_cwd(script.write(claude)) == "/srv/orders"


def test_a_transcript_moved_elsewhere_has_the_first_cwd(claude: Path, tmp_path: Path) -> None:
    script = short_session("/srv/orders")
    script.lines[1]["message"]["content"] = [{"type": "tool_use", "input": {"cwd": "/not/this"}}]
    path = tmp_path / f"{SESSION}.jsonl"
    path.write_bytes(b'{"cwd":5}\n"cwd"\n' + script.dump())
    assert transcripts.launch_cwd(str(path)) == "/srv/orders"
    path.write_bytes(b'{"type":"mode"}\n')
    assert transcripts.launch_cwd(str(path)) is None


def test_a_session_is_archived_byte_for_byte_with_its_own_folder(claude: Path, folder: DataFolder) -> None:
    path = short_session("/p").write(claude)
    beside = Path(path).with_suffix("")
    (beside / "subagents/deep/er").mkdir(parents=True)
    (beside / "subagents/agent-1.jsonl").write_bytes(b"agent\n")
    (beside / "subagents/deep/er/x.meta.json").write_bytes(b"{}")
    (beside / "tool-results").mkdir()
    (beside / "tool-results/out.txt").write_bytes(b"\0\xff" * 1_000_000)
    (beside / "tool-results/link").symlink_to("/etc/passwd")
    (beside / "elsewhere").symlink_to("/etc")
    assert not _is_archived(folder, path)
    assert transcripts.archive(folder, path)
    assert _is_archived(folder, path)
    assert _archived(folder) == Path(path).read_bytes()
    kept = {str(p.relative_to(folder.transcripts)) for p in Path(folder.transcripts).rglob("*") if p.is_file()}
    names = ("subagents/agent-1.jsonl", "subagents/deep/er/x.meta.json", "tool-results/out.txt")
    assert kept == {f"{SESSION}.jsonl", *(f"{SESSION}/{name}" for name in names)}
    for kept_path in Path(folder.transcripts).rglob("*"):
        assert stat.S_IMODE(kept_path.stat().st_mode) == (0o700 if kept_path.is_dir() else 0o600)
    assert not transcripts.archive(folder, path)


def test_a_grown_transcript_is_appended_in_place_and_a_torn_line_healed(claude: Path, folder: DataFolder) -> None:
    path = Path(short_session("/p").write(claude))
    whole = path.read_bytes()
    for size in (10, 100, len(whole) - 7, len(whole)):
        path.write_bytes(whole[:size])
        assert transcripts.archive(folder, str(path))
        assert _archived(folder) == whole[:size]
        inode = os.stat(transcripts.archive_path(folder, SESSION)).st_ino
        assert _is_archived(folder, str(path))
    assert os.stat(transcripts.archive_path(folder, SESSION)).st_ino == inode


def test_an_append_that_was_cut_off_is_finished(claude: Path, folder: DataFolder) -> None:
    path = Path(short_session("/p").write(claude))
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(path.read_bytes()[:300])
    assert not _is_archived(folder, str(path))
    assert transcripts.archive(folder, str(path))
    assert _archived(folder) == path.read_bytes()


def test_the_same_bytes_with_another_time_only_get_the_mark(claude: Path, folder: DataFolder) -> None:
    path = short_session("/p").write(claude)
    transcripts.archive(folder, path)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert not transcripts.archive(folder, path)
    assert _is_archived(folder, path)


def test_a_longer_archive_is_kept(claude: Path, folder: DataFolder) -> None:
    path = Path(short_session("/p").write(claude))
    whole = path.read_bytes()
    transcripts.archive(folder, str(path))
    path.write_bytes(whole[:200])
    assert not transcripts.archive(folder, str(path))
    assert _archived(folder) == whole


@pytest.mark.parametrize("size", [100, 200_000])
def test_a_diverged_archive_is_kept_beside_the_new_one(claude: Path, folder: DataFolder, size: int) -> None:
    path = Path(short_session("/p").write(claude))
    path.write_bytes(b"a" * size)
    transcripts.archive(folder, str(path))
    path.write_bytes(b"b" * size + b"more")
    assert transcripts.archive(folder, str(path))
    assert _archived(folder) == b"b" * size + b"more"
    kept = list((Path(folder.transcripts) / SESSION).iterdir())
    assert [p.read_bytes() for p in kept] == [b"a" * size]
    assert kept[0].name.startswith("diverged-")
    assert len(kept[0].name) == len("diverged-") + 12 + len(".jsonl")


def _archive(folder: DataFolder, path: Path, content: bytes) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return transcripts.archive(folder, str(path))


def _is_held(folder: DataFolder, path: Path) -> bool:
    source = transcripts.source_at(str(path))
    assert source is not None
    return transcripts.is_held(folder, source)


def _all(folder: DataFolder) -> dict[str, bytes]:
    root = Path(folder.transcripts)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _beside(content: bytes) -> str:
    return f"{SESSION}/diverged-{hashlib.sha256(content).hexdigest()[:12]}.jsonl"


@pytest.mark.parametrize("more", [b"", b"and more\n"])
@pytest.mark.parametrize("is_beside", [False, True])
def test_a_source_whose_words_differ_only_far_from_its_end_is_kept(
    claude: Path, folder: DataFolder, more: bytes, is_beside: bool
) -> None:
    path, tail = claude / "-p" / f"{SESSION}.jsonl", b"same\n" * 20_000
    theirs, mine = b"theirs\n" + tail + more, b"mine..\n" + tail
    if is_beside:
        _archive(folder, claude / "-r" / path.name, b"longest\n" * 100_000)
    _archive(folder, claude / "-q" / path.name, theirs)
    path.parent.mkdir()
    path.write_bytes(mine)
    assert not _is_held(folder, path)
    assert transcripts.archive(folder, str(path))
    assert {mine, theirs} <= set(_all(folder).values())
    assert _is_held(folder, path)
    assert not transcripts.archive(folder, str(path))


@pytest.mark.parametrize("common", [b"", b"c" * 100_000])
def test_of_two_machines_continuations_the_longer_is_the_archive_and_neither_flips_it(
    claude: Path, folder: DataFolder, common: bytes
) -> None:
    mine, theirs = claude / "-p" / f"{SESSION}.jsonl", claude / "-q" / f"{SESSION}.jsonl"
    assert _archive(folder, mine, common + b"mine, longer\n")
    assert _archive(folder, theirs, common + b"theirs\n")
    expected = {f"{SESSION}.jsonl": common + b"mine, longer\n", _beside(common + b"theirs\n"): common + b"theirs\n"}
    assert _all(folder) == expected
    for path in (mine, theirs, mine):
        assert _is_held(folder, path)
        assert not transcripts.archive(folder, str(path))
    assert _all(folder) == expected
    assert not _archive(folder, theirs, common + b"the")
    assert _is_held(folder, theirs)
    assert _all(folder) == expected


def test_a_source_that_goes_on_where_a_version_beside_ended_takes_its_place(claude: Path, folder: DataFolder) -> None:
    mine, theirs = claude / "-p" / f"{SESSION}.jsonl", claude / "-q" / f"{SESSION}.jsonl"
    _archive(folder, mine, b"mine, for a long time\n")
    _archive(folder, theirs, b"theirs\n")
    theirs.write_bytes(b"theirs\nand on\n")
    assert not _is_held(folder, theirs)
    assert transcripts.archive(folder, str(theirs))
    assert _all(folder) == {
        f"{SESSION}.jsonl": b"mine, for a long time\n",
        _beside(b"theirs\nand on\n"): b"theirs\nand on\n",
    }
    longest = b"theirs\nand on\nand longer than mine\n"
    assert _archive(folder, theirs, longest)
    assert _all(folder) == {
        f"{SESSION}.jsonl": longest,
        _beside(b"mine, for a long time\n"): b"mine, for a long time\n",
    }
    assert _is_archived(folder, str(theirs))
    assert not transcripts.archive(folder, str(mine))


def test_a_version_is_dropped_only_where_every_byte_of_it_is_in_the_longer_one(
    claude: Path, folder: DataFolder
) -> None:
    path = claude / "-p" / f"{SESSION}.jsonl"
    same_end = b"e" * transcripts.COMPARED_BYTES
    _archive(folder, path, b"a" * 300_000)
    _archive(folder, path, b"early" + same_end)
    assert _archive(folder, path, b"other" + same_end + b"more")
    assert sorted(_all(folder).values()) == [b"a" * 300_000, b"early" + same_end, b"other" + same_end + b"more"]


def test_a_file_beside_that_differs_is_kept_too(claude: Path, folder: DataFolder) -> None:
    path = Path(short_session("/p").write(claude))
    meta = path.with_suffix("") / "subagents" / "agent-1.meta.json"
    meta.parent.mkdir(parents=True)
    contents = (b'{"a":1}', b'{"b":22}', b'{"c":3}')
    for content in (*contents, contents[0]):
        meta.write_bytes(content)
        transcripts.archive(folder, str(path))
    kept = {name: one for name, one in _all(folder).items() if "agent-1" in name}
    assert kept.pop(f"{SESSION}/subagents/agent-1.meta.json") == contents[1]
    assert sorted(kept.values()) == [contents[0], contents[2]]
    for name, content in kept.items():
        digest = hashlib.sha256(content).hexdigest()[:12]
        assert name == f"{SESSION}/subagents/agent-1.meta-diverged-{digest}.json"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.lists(st.sampled_from((b"a", b"b", b"cc")), max_size=4).map(b"".join)),
                max_size=8))  # fmt: skip
def test_every_state_of_every_machines_source_is_the_beginning_of_an_archived_file(
    steps: list[tuple[int, bytes]],
) -> None:
    with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: None)
        folder = DataFolder(os.path.join(root, "memory"))
        folder.create()
        present: dict[Path, bytes] = {}
        for machine, content in steps:
            path = Path(root, f"-p{machine}", f"{SESSION}.jsonl")
            present[path] = content
            _archive(folder, path, content)
            os.utime(path, (machine, machine))
        kept = _all(folder)
        for _, content in steps:
            assert any(one.startswith(content) for one in kept.values())
        assert all(len(one) <= len(kept[f"{SESSION}.jsonl"]) for one in kept.values())
        for path in present:
            assert _is_held(folder, path)
            assert not transcripts.archive(folder, str(path))
        assert _all(folder) == kept


def test_a_source_that_is_gone_or_a_link_is_not_held(claude: Path, folder: DataFolder) -> None:
    path = Path(short_session("/p").write(claude))
    source = transcripts.source_at(str(path))
    assert source is not None
    assert not transcripts.is_held(folder, source)
    transcripts.archive(folder, str(path))
    assert transcripts.is_held(folder, source)
    os.utime(transcripts.archive_path(folder, SESSION), (1, 1))
    assert transcripts.is_held(folder, source)
    path.unlink()
    assert not transcripts.is_held(folder, source)


def test_subagents_grow_with_their_session(claude: Path, folder: DataFolder) -> None:
    path = Path(short_session("/p").write(claude))
    agent = path.with_suffix("") / "subagents" / "agent-1.jsonl"
    agent.parent.mkdir(parents=True)
    agent.write_bytes(b"one\n")
    transcripts.archive(folder, str(path))
    agent.write_bytes(b"one\ntwo\n")
    assert transcripts.archive(folder, str(path))
    assert _archived(folder, f"{SESSION}/subagents/agent-1.jsonl") == b"one\ntwo\n"


def test_what_is_no_transcript_is_refused(claude: Path, folder: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_bytes(b"{}")
    link = tmp_path / f"{SESSION}.jsonl"
    link.symlink_to(tmp_path / "notes.jsonl")
    for path in (tmp_path / "notes.jsonl", link, tmp_path / f"{OTHER_SESSION}.jsonl", tmp_path):
        with pytest.raises(TranscriptError):
            transcripts.archive(folder, str(path))
    assert transcripts.source_at("\0") is None


def test_an_archive_that_cannot_be_written_says_what_to_do(claude: Path, folder: DataFolder) -> None:
    path = short_session("/p").write(claude)
    os.rmdir(folder.transcripts)
    Path(folder.transcripts).write_bytes(b"a file in the way")
    with pytest.raises(StorageError, match="permissions"):
        transcripts.archive(folder, path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_subagent_file_is_reported_after_the_rest_was_kept(claude: Path, folder: DataFolder) -> None:
    path = Path(short_session("/p").write(claude))
    agent = path.with_suffix("") / "agent.jsonl"
    agent.parent.mkdir()
    agent.write_bytes(b"x")
    agent.chmod(0)
    with pytest.raises(TranscriptError):
        transcripts.archive(folder, str(path))
    assert _archived(folder) == path.read_bytes()

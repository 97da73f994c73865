"""The masked archive: no secret in it, as complete as the raw one, and one version where only masks differ."""

from __future__ import annotations

import json
import os
import stat
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import masked_archive, transcripts
from memories.core.masking import are_alike, masked
from memories.core.paths import DataFolder
from memories.core.redact import Redactor
from tests.core.killed import killed_before
from tests.core.transcript_lines import SESSION, short_session

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"
RULES = Redactor()
MORE = Redactor(["heron[0-9]+"])


def _line(text: str) -> bytes:
    return json.dumps({"type": "user", "message": {"content": text}}).encode() + b"\n"


def _mask(data: bytes, redactor: Redactor = RULES) -> bytes:
    return b"".join(masked(line, redactor) for line in data.splitlines(keepends=True))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Where Claude Code keeps the session; not written yet."""
    path = tmp_path / "claude" / "projects" / "-p" / f"{SESSION}.jsonl"
    path.parent.mkdir(parents=True)
    return path


def _archived(folder: DataFolder) -> bytes:
    return Path(transcripts.archive_path(folder, SESSION)).read_bytes()


def _inode(folder: DataFolder) -> int:
    return os.stat(transcripts.archive_path(folder, SESSION)).st_ino


def _is_complete(folder: DataFolder, path: Path) -> bool:
    found = transcripts.source_at(str(path))
    assert found is not None
    return transcripts.is_archived(folder, found)


def _all(folder: DataFolder) -> dict[str, bytes]:
    root = Path(folder.transcripts)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_transcripts_are_masked_only_where_the_setting_says_so() -> None:
    assert transcripts.archive_redactor({"redact_transcripts": False, "redact_patterns": []}) is None
    assert isinstance(transcripts.archive_redactor({"redact_transcripts": True, "redact_patterns": ["x+y"]}), Redactor)


def test_a_masked_archive_has_the_sources_size_lines_and_time_and_no_secret(folder: DataFolder, source: Path) -> None:
    script = short_session("/p")
    script.user(f"Use {TOKEN} for it\n<private>mine alone")
    source.write_bytes(script.dump())
    beside = source.with_suffix("") / "tool-results" / "out.txt"
    beside.parent.mkdir(parents=True)
    beside.write_bytes(b"first\n" + TOKEN.encode() + b" \xff\n<private>unclosed\nis code")
    agent = source.with_suffix("") / "subagents" / "agent-1.jsonl"
    agent.parent.mkdir()
    agent.write_bytes(_line(TOKEN))
    assert transcripts.archive(folder, str(source), RULES)
    assert _archived(folder) == _mask(source.read_bytes())
    assert b"ghp_" not in b"".join(_all(folder).values())
    assert (
        _all(folder)[f"{SESSION}/tool-results/out.txt"] == b"first\n" + b"*" * 40 + b" \xff\n<private>unclosed\nis code"
    )
    assert _all(folder)[f"{SESSION}/subagents/agent-1.jsonl"] == _mask(agent.read_bytes())
    assert [json.loads(line)["type"] for line in _archived(folder).splitlines()] == [
        one["type"] for one in script.lines
    ]
    assert _is_complete(folder, source)
    for path in Path(folder.transcripts).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert not transcripts.archive(folder, str(source), RULES)


def test_a_line_that_is_cut_off_waits_for_its_end(folder: DataFolder, source: Path) -> None:
    whole = _line("one") + _line(TOKEN) + _line("three")
    second = len(_line("one") + _line(TOKEN))
    source.write_bytes(whole[:5])
    assert not transcripts.archive(folder, str(source), RULES)
    assert _all(folder) == {}
    for size in (second - 20, second, second + 3, len(whole)):
        source.write_bytes(whole[:size])
        transcripts.archive(folder, str(source), RULES)
        end = whole.rfind(b"\n", 0, size) + 1
        assert _archived(folder) == _mask(whole[:end])
        assert _is_complete(folder, source) == (end == size)


@pytest.mark.parametrize("before", [b"", _line("one") + _line(TOKEN)])
def test_a_last_line_that_is_json_is_archived_without_its_end_and_goes_on(
    folder: DataFolder, source: Path, before: bytes
) -> None:
    whole = before + _line("last " + TOKEN)
    source.write_bytes(whole[:-1])
    assert transcripts.archive(folder, str(source), RULES)
    assert _archived(folder) == _mask(whole[:-1])
    assert _is_complete(folder, source)
    for more in (whole, whole + _line("more " + TOKEN)):
        source.write_bytes(more)
        assert transcripts.archive(folder, str(source), RULES)
        assert _archived(folder) == _mask(more)
        assert list(_all(folder)) == [f"{SESSION}.jsonl"]


def test_a_last_line_that_is_cut_off_is_archived_once_nobody_writes_to_it_and_may_still_go_on(
    folder: DataFolder, source: Path
) -> None:
    whole = _line("one") + _line(f"{TOKEN} and <private>two</private> three")
    source.write_bytes(whole[:-20])
    old = time.time() - masked_archive.QUIET_SECONDS - 5
    os.utime(source, (old, old))
    assert transcripts.archive(folder, str(source), RULES)
    assert b"ghp_" not in _archived(folder)
    assert are_alike(_archived(folder), whole[:-20])
    assert _is_complete(folder, source)
    source.write_bytes(whole + _line("four"))
    assert transcripts.archive(folder, str(source), RULES)
    assert list(_all(folder)) == [f"{SESSION}.jsonl"]
    assert [json.loads(line)["type"] for line in _archived(folder).splitlines()] == ["user"] * 3
    assert are_alike(_archived(folder), _mask(whole + _line("four")))


def test_what_is_to_be_masked_is_counted_with_the_files_beside_and_without_what_is_done(
    folder: DataFolder, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masked_archive, "MARKED_BYTES", 100)
    content = _line("one " * 50)
    source.write_bytes(content)
    beside = source.with_suffix("") / "tool-results" / "out.txt"
    beside.parent.mkdir(parents=True)
    beside.write_bytes(b"x" * 70)

    def left() -> int:
        found = transcripts.source_at(str(source))
        assert found is not None
        return masked_archive.to_mask(folder, found, RULES)

    assert left() == len(content) + 70
    transcripts.archive(folder, str(source), RULES)
    assert left() == 0
    source.write_bytes(content + _line("two"))
    assert left() == len(_line("two"))


def test_a_grown_transcript_is_appended_in_place_once_all_of_it_is_known_to_be_masked(
    folder: DataFolder, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masked_archive, "MARKED_BYTES", 1000)
    monkeypatch.setattr(masked_archive, "COMPARED_BYTES", 200)
    content = b"".join(_line(f"number {number}, {TOKEN}") for number in range(50))
    source.write_bytes(content)
    transcripts.archive(folder, str(source), RULES)
    inode = _inode(folder)
    for number in range(3):
        content += _line(f"more {number}, {TOKEN}")
        source.write_bytes(content + b'{"cut')
        assert transcripts.archive(folder, str(source), RULES)
        assert _archived(folder) == _mask(content)
        assert _inode(folder) == inode
    with open(transcripts.archive_path(folder, SESSION), "r+b") as file:
        file.truncate(len(content) - 30)  # an append that was cut off
    source.write_bytes(content)
    assert transcripts.archive(folder, str(source), RULES)
    assert _archived(folder) == _mask(content)
    content += _line("heron5")
    source.write_bytes(content)
    assert transcripts.archive(folder, str(source), MORE)
    assert _archived(folder) == _mask(content, MORE)


def test_a_large_archive_of_which_nothing_is_known_is_masked_whole(
    folder: DataFolder, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masked_archive, "MARKED_BYTES", 1000)
    content = _line(TOKEN) + b"".join(_line(f"number {number}") for number in range(1000))
    source.write_bytes(content)
    transcripts.archive(folder, str(source))
    assert _archived(folder) == content
    for more in (_line("one"), _line("two")):
        content += more
        source.write_bytes(content)
        assert transcripts.archive(folder, str(source), RULES)
        assert _archived(folder) == _mask(content)
    assert list(_all(folder)) == [f"{SESSION}.jsonl"]


@pytest.mark.parametrize("marks", [b"[]", b"{", b'{"a": 1}'])
def test_marks_that_cannot_be_read_are_made_again(
    folder: DataFolder, source: Path, monkeypatch: pytest.MonkeyPatch, marks: bytes
) -> None:
    monkeypatch.setattr(masked_archive, "MARKED_BYTES", 10)
    Path(folder.state, "masked.json").write_bytes(marks)
    source.write_bytes(_line(TOKEN))
    transcripts.archive(folder, str(source), RULES)
    assert f"{SESSION}.jsonl" in json.loads(Path(folder.state, "masked.json").read_bytes())


def test_a_raw_archive_that_is_longer_than_its_source_is_masked_and_kept(folder: DataFolder, source: Path) -> None:
    content = _line("one") + _line(TOKEN) + _line("three " + TOKEN)
    source.write_bytes(content)
    transcripts.archive(folder, str(source))
    os.utime(transcripts.archive_path(folder, SESSION), (1_000_000_000, 1_000_000_000))
    source.write_bytes(_line("one") + b'{"cut')
    assert transcripts.archive(folder, str(source), RULES)
    assert _archived(folder) == _mask(content)
    assert os.stat(transcripts.archive_path(folder, SESSION)).st_mtime == 1_000_000_000
    assert not transcripts.archive(folder, str(source), RULES)


def test_a_raw_archive_with_a_line_that_is_cut_off_loses_only_what_its_source_has(
    folder: DataFolder, source: Path
) -> None:
    content = _line("one") + b'{"password": "' + TOKEN.encode()
    source.write_bytes(content)
    transcripts.archive(folder, str(source))
    later = time.time() - 10
    os.utime(source, (later, later))
    transcripts.archive(folder, str(source), RULES)
    assert _archived(folder) == _line("one")
    source.write_bytes(content + b'"}\n')
    transcripts.archive(folder, str(source), RULES)
    assert _archived(folder) == _mask(content + b'"}\n')
    assert _is_complete(folder, source)


def test_masks_of_other_rules_are_one_version_and_add_up(folder: DataFolder, source: Path) -> None:
    content = _line(f"{TOKEN} heron12")
    source.write_bytes(content)
    transcripts.archive(folder, str(source), MORE)
    content += _line("heron34")
    source.write_bytes(content)
    assert transcripts.archive(folder, str(source), RULES)
    assert _archived(folder) == _mask(_line(f"{TOKEN} heron12"), MORE) + _line("heron34")
    content += _line("end")
    source.write_bytes(content)
    assert transcripts.archive(folder, str(source), MORE)
    assert _archived(folder) == _mask(content, MORE)
    assert list(_all(folder)) == [f"{SESSION}.jsonl"]


def test_what_is_masked_stays_so_once_the_setting_is_off_and_the_rest_comes_raw(
    folder: DataFolder, source: Path
) -> None:
    first = _line(TOKEN)
    source.write_bytes(first)
    transcripts.archive(folder, str(source), RULES)
    os.utime(transcripts.archive_path(folder, SESSION), (1, 1))
    found = transcripts.source_at(str(source))
    assert found is not None
    assert transcripts.is_held(folder, found)
    source.write_bytes(first + _line(TOKEN))
    assert transcripts.archive(folder, str(source))
    assert _archived(folder) == _mask(first) + _line(TOKEN)
    assert _is_complete(folder, source)


def test_another_machines_version_stays_beside_and_is_continued(folder: DataFolder, tmp_path: Path) -> None:
    mine, theirs = (tmp_path / place / f"{SESSION}.jsonl" for place in ("-p", "-q"))
    for path, content in ((mine, _line("mine, longer " + TOKEN)), (theirs, _line(TOKEN))):
        path.parent.mkdir()
        path.write_bytes(content)
        assert transcripts.archive(folder, str(path), RULES)
    assert sorted(_all(folder).values()) == sorted([_mask(_line("mine, longer " + TOKEN)), _mask(_line(TOKEN))])
    assert not transcripts.archive(folder, str(theirs), RULES)
    more = _line(TOKEN) + _line("and on, longer than the other one " * 9)
    theirs.write_bytes(more)
    assert transcripts.archive(folder, str(theirs), RULES)
    assert sorted(_all(folder).values()) == sorted([_mask(_line("mine, longer " + TOKEN)), _mask(more)])
    assert _archived(folder) == _mask(more)
    for path in (mine, theirs):
        found = transcripts.source_at(str(path))
        assert found is not None
        assert transcripts.is_held(folder, found)
        assert not transcripts.archive(folder, str(path), RULES)


LINES = st.sampled_from([_line("a"), _line("b"), _line(TOKEN), _line("heron1"), b"\n", b"cut", b'{"cut'])
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2), st.lists(LINES, max_size=4).map(b"".join), st.sampled_from([None, RULES, RULES, MORE])
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_every_whole_line_of_every_machines_source_is_archived_masked_or_not(
    steps: list[tuple[int, bytes, Redactor | None]],
) -> None:
    with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: None)
        folder = DataFolder(os.path.join(root, "memory"))
        folder.create()
        seen, now = [], int(time.time())
        for machine, content, redactor in steps:
            path = Path(root, f"-p{machine}", f"{SESSION}.jsonl")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (now + machine, now + machine))
            transcripts.archive(folder, str(path), redactor)
            seen.append(content[: content.rfind(b"\n") + 1])
            kept = list(_all(folder).values())
            for one in seen:
                assert not one or any(are_alike(one, other[: len(one)]) for other in kept if len(other) >= len(one))
            if redactor is not None:
                before = _all(folder)
                assert not transcripts.archive(folder, str(path), redactor)
                assert _all(folder) == before


def test_a_kill_at_any_point_leaves_a_whole_archive_and_no_secret_in_it(folder: DataFolder, source: Path) -> None:
    raw = _line("one " + TOKEN)
    source.write_bytes(raw + _line("two"))
    target = Path(transcripts.archive_path(folder, SESSION))
    number = 0
    while True:
        target.write_bytes(raw)
        if not killed_before(number, lambda: transcripts.archive(folder, str(source), RULES)):
            break
        assert target.read_bytes() in (raw, _mask(raw + _line("two")))
        number += 1
    assert number > 0
    assert _archived(folder) == _mask(raw + _line("two"))


def test_lines_and_texts_beyond_the_limit_are_masked_in_pieces(
    folder: DataFolder, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masked_archive, "CHUNK_BYTES", 100)
    monkeypatch.setattr(masked_archive, "PIECE_BYTES", 200)
    content = b"x" * 230 + b" " + TOKEN.encode() + b" " + b"y" * 500 + b"\nlast " + TOKEN.encode() + b"\n"
    source.write_bytes(content)
    transcripts.archive(folder, str(source), RULES)
    assert _archived(folder) == content.replace(TOKEN.encode(), b"*" * len(TOKEN))

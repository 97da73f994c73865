"""Importing bundles: what comes, what is merged, what stays; killed and repeated imports; dry runs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memories.core import bundle_import, config_copies, merge_log, mirror, record_copies, records, transcript_copies
from memories.core.errors import BundleError, StorageError
from memories.core.paths import DataFolder
from tests.core.bundles import (
    MTIME_NS,
    as_exported,
    bundle_of,
    contents,
    counts,
    data_folder,
    everything,
    export,
    fill,
    import_,
    store,
    write_transcript,
)
from tests.core.transcript_lines import OTHER_SESSION, SESSION

UUID = "0f3c9a7d21b84e55a6c07e19d2f4b888"


@pytest.fixture
def other(tmp_path: Path) -> DataFolder:
    """A second machine's data folder."""
    return data_folder(tmp_path / "other")


@pytest.fixture
def bundle_path(tmp_path: Path) -> Path:
    return tmp_path / "all.tar"


def edit(folder: DataFolder, uuid: str, when: str, **fields: Any) -> None:
    """Make a record say something else, edited at a time."""
    record = records.load(folder, uuid)
    records.save(folder, {**record, **fields, "updated_at": when})


def in_mirror(folder: DataFolder) -> set[str]:
    connection = mirror.connect(folder.mirror)
    try:
        return {uuid for (uuid,) in connection.execute("SELECT uuid FROM memory")}
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["all.tar", "all.tar.gz"])
def test_an_empty_folder_becomes_equal_to_the_exported_one(
    folder: DataFolder, other: DataFolder, tmp_path: Path, name: str
) -> None:
    fill(folder)
    export(folder, tmp_path / name)
    result = import_(other, tmp_path / name)
    assert as_exported(other) == contents(folder)
    assert counts(result) == {
        "record": {"new": 3}, "tombstone": {"new": 1}, "transcript": {"new": 5}, "rules": {"new": 1},
        "settings": {"new": 1},
    }  # fmt: skip
    assert (result.kept, result.left, result.files) == ([], [], 11)
    assert in_mirror(other) == {f"{number:032x}" for number in range(3)}


def test_a_folder_that_is_not_there_yet_is_made(folder: DataFolder, tmp_path: Path, bundle_path: Path) -> None:
    fill(folder)
    export(folder, bundle_path)
    fresh = DataFolder(str(tmp_path / "fresh" / "memory"))
    import_(fresh, bundle_path)
    assert as_exported(fresh) == contents(folder)
    modes = {os.stat(path).st_mode & 0o777 for path in Path(fresh.root).rglob("*")}
    assert modes == {0o600, 0o700}


def test_the_same_bundle_a_second_time_changes_nothing(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    fill(folder)
    export(folder, bundle_path)
    import_(other, bundle_path)
    inodes = {path: path.stat().st_ino for path in Path(other.root).rglob("*") if "state" not in str(path)}
    before = contents(other)
    result = import_(other, bundle_path)
    assert contents(other) == before
    assert {path: path.stat().st_ino for path in inodes} == inodes
    assert {what for kinds in counts(result).values() for what in kinds} == {"same"}


def test_what_is_here_stays_and_what_comes_joins(folder: DataFolder, other: DataFolder, bundle_path: Path) -> None:
    fill(folder)
    own = store(other, "of this machine")
    write_transcript(other, f"{SESSION}/tool-results/own.txt", b"own")
    export(folder, bundle_path)
    import_(other, bundle_path)
    assert records.load(other, own)["content"] == "of this machine"
    assert contents(folder).items() <= as_exported(other).items()
    assert in_mirror(other) == {own, *(f"{number:032x}" for number in range(3))}


def test_a_memory_edited_on_both_sides_keeps_both_contents(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    for place, when in ((folder, "2026-03-15T00:00:00"), (other, "2026-03-16T00:00:00")):
        store(place, "at first", uuid=UUID)
        edit(
            place,
            UUID,
            when,
            content=f"edited {when}",
            connections=[{"to_uuid": when[8:10] * 16, "relationship": "related_to"}],
        )
    export(folder, bundle_path)
    result = import_(other, bundle_path)
    merged = records.load(other, UUID)
    assert merged["content"] == "edited 2026-03-16T00:00:00"
    assert {"15" * 16, "16" * 16} <= {to_uuid for to_uuid, _ in records.valid_connections(merged)}
    (kept,) = result.kept
    assert records.load(other, kept)["content"] == "edited 2026-03-15T00:00:00"
    assert counts(result) == {"record": {"merged": 1}}
    (line,) = merge_log.read(other, 10)
    assert (line["kind"], line["name"], line["kept"]) == ("record", UUID, [kept])


def test_a_deletion_comes_too_and_an_edit_after_it_wins(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    for place in (folder, other):
        store(place, "deleted there", uuid="1" * 32)
        store(place, "deleted there, edited here later", uuid="2" * 32)
    for uuid in ("1" * 32, "2" * 32):
        records.delete(folder, uuid)
    edit(other, "2" * 32, "2099-01-01T00:00:00")
    export(folder, bundle_path)
    result = import_(other, bundle_path)
    assert os.listdir(other.records) == [f"{'2' * 32}.json"]
    assert os.listdir(other.trash) == [f"{'1' * 32}.json"]
    assert counts(result)["tombstone"].keys() <= {"merged", "same"}


def test_of_two_transcripts_the_longer_stays_and_one_that_differs_is_kept(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    write_transcript(folder, f"{SESSION}.jsonl", b"1\n2\n3\n", MTIME_NS)
    write_transcript(other, f"{SESSION}.jsonl", b"1\n2\n", MTIME_NS - 10)
    write_transcript(folder, f"{OTHER_SESSION}.jsonl", b"1\nhere\n", MTIME_NS)
    write_transcript(other, f"{OTHER_SESSION}.jsonl", b"1\nthere and more\n", MTIME_NS + 10)
    export(folder, bundle_path)
    result = import_(other, bundle_path)
    found = contents(other)
    assert found[f"transcripts/{SESSION}.jsonl"] == (b"1\n2\n3\n", MTIME_NS)
    assert found[f"transcripts/{OTHER_SESSION}.jsonl"] == (b"1\nthere and more\n", MTIME_NS + 10)
    digest = hashlib.sha256(b"1\nhere\n").hexdigest()
    beside = f"diverged-{digest[:12]}.jsonl"
    assert found[f"transcripts/{OTHER_SESSION}/{beside}"] == (b"1\nhere\n", MTIME_NS)
    assert result.kept == [f"transcripts/{OTHER_SESSION}/{beside}"]
    assert counts(result) == {"transcript": {"merged": 2}}


def test_rules_and_settings_lose_no_line(folder: DataFolder, other: DataFolder, bundle_path: Path) -> None:
    for place, name in ((folder, "here"), (other, "there")):
        Path(place.rules).write_text(f"# Rules\n\n{name}\n", encoding="utf-8")
        Path(place.settings).write_text(json.dumps({"excluded_paths": [name]}), encoding="utf-8")
    export(folder, bundle_path)
    import_(other, bundle_path)
    assert {"# Rules", "here", "there"} <= set(Path(other.rules).read_text(encoding="utf-8").splitlines())
    assert json.loads(Path(other.settings).read_text(encoding="utf-8")) == {"excluded_paths": ["here", "there"]}
    assert {line["kind"] for line in merge_log.read(other, 10)} == {"rules", "settings"}


def both_ways(first: DataFolder, second: DataFolder, tmp_path: Path) -> None:
    """Export both, then import each into the other."""
    export(first, tmp_path / "first.tar")
    export(second, tmp_path / "second.tar")
    import_(second, tmp_path / "first.tar")
    import_(first, tmp_path / "second.tar")


def test_two_machines_that_import_each_others_bundle_are_equal(
    folder: DataFolder, other: DataFolder, tmp_path: Path
) -> None:
    fill(folder)
    fill(other)
    for number, (place, name) in enumerate(((folder, "here"), (other, "there"))):
        store(place, f"only {name}")
        edit(place, f"{0:032x}", f"2026-04-0{number + 1}T00:00:00", content=f"edited {name}", tags=name)
        edit(place, f"{1:032x}", "2026-04-01T00:00:00", content=f"edited at once {name}")
        write_transcript(place, f"{SESSION}.jsonl", b'{"line": 1}\n' * 3 + name.encode(), MTIME_NS + number)
        write_transcript(place, f"{SESSION}/subagents/agent-{name}.jsonl", b"x\n")
        Path(place.rules).write_text(f"# Rules\n\nBe brief.\n{name}\n", encoding="utf-8")
    records.delete(folder, f"{2:032x}")
    both_ways(folder, other, tmp_path)
    assert as_exported(folder) == as_exported(other)
    before, before_there = contents(folder), contents(other)
    both_ways(folder, other, tmp_path)
    assert (contents(folder), contents(other)) == (before, before_there)
    said = b"".join(data for data, _ in before.values())
    for text in (b"only here", b"only there", b"edited here", b"edited there", b"edited at once here",
                 b"edited at once there"):  # fmt: skip
        assert text in said


def test_what_this_version_cannot_read_is_left_and_named(other: DataFolder, bundle_path: Path) -> None:
    newer = json.dumps({"schema_version": 2, "uuid": UUID, "type": "note", "content": "x"}).encode()
    no_time = json.dumps({"uuid": UUID, "type": "note", "content": "x", "created_at": "2026-03-14T09:12:44"}).encode()
    files = {"config/settings.json": b"{", f"records/{UUID}.json": newer, f"trash/{UUID}.json": no_time}
    bundle_path.write_bytes(bundle_of(files))
    result = import_(other, bundle_path)
    assert contents(other) == {}
    reasons = dict(result.left)
    assert "newer LLM Memory" in reasons[f"records/{UUID}.json"]
    assert "deleted_at" in reasons[f"trash/{UUID}.json"]
    assert any(name.startswith("config/settings.json") for name in reasons)
    assert {what for kinds in counts(result).values() for what in kinds} == {"left"}


def test_what_stands_in_the_way_is_left_and_named(folder: DataFolder, other: DataFolder, bundle_path: Path) -> None:
    fill(folder)
    Path(other.records, f"{1:032x}.json").mkdir()
    Path(other.transcripts, f"{SESSION}.jsonl").symlink_to("/nowhere")
    Path(other.transcripts, SESSION).symlink_to(other.state)
    export(folder, bundle_path)
    state_before = set(os.listdir(other.state))
    result = import_(other, bundle_path)
    assert len(result.left) >= 3
    assert Path(other.records, f"{1:032x}.json").is_dir()
    assert Path(other.transcripts, SESSION).is_symlink()
    assert Path(other.records, f"{2:032x}.json").is_file()
    assert not {"subagents", "tool-results"} & (set(os.listdir(other.state)) - state_before)


def test_a_pipe_is_imported_as_a_file_is(folder: DataFolder, other: DataFolder, bundle_path: Path) -> None:
    fill(folder)
    export(folder, bundle_path)
    with subprocess.Popen(["cat", bundle_path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        bundle_import.run(other, process.stdout, shipped_rules=tuple)  # type: ignore[arg-type]
    assert as_exported(other) == contents(folder)
    assert not [name for name in os.listdir(other.state) if name.startswith("import-")]


@pytest.mark.parametrize("same", [True, False])
def test_a_dry_run_says_the_same_and_writes_nothing(
    folder: DataFolder, other: DataFolder, bundle_path: Path, same: bool
) -> None:
    fill(folder)
    export(folder, bundle_path)
    if same:
        import_(other, bundle_path)
    store(other, "another content", uuid=f"{1:032x}")
    write_transcript(other, f"{SESSION}.jsonl", b"another\n")
    Path(other.rules).write_text("# Rules of this machine\n", encoding="utf-8")
    records.delete(other, f"{1:032x}")
    store(other, "back again", uuid="d" * 32)
    before = everything(other)
    said = import_(other, bundle_path, dry_run=True)
    assert everything(other) == before
    done = import_(other, bundle_path)
    assert (counts(said), sorted(said.kept), said.left) == (counts(done), sorted(done.kept), done.left)


def test_a_dry_run_makes_no_data_folder(folder: DataFolder, tmp_path: Path, bundle_path: Path) -> None:
    fill(folder)
    export(folder, bundle_path)
    fresh = DataFolder(str(tmp_path / "fresh"))
    assert counts(import_(fresh, bundle_path, dry_run=True))["record"] == {"new": 3}
    assert not os.path.exists(fresh.root)


class _KilledError(BaseException):
    """What a process that is killed looks like from within: no handler of ours catches it."""


@pytest.mark.parametrize("step", range(0, 40, 3))
def test_an_import_killed_at_any_step_comes_to_the_same_end_when_run_again(
    folder: DataFolder, other: DataFolder, tmp_path: Path, bundle_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    fill(folder)
    export(folder, bundle_path)
    expected = data_folder(tmp_path / "expected")
    for place in (expected, other):
        store(place, "another content", uuid=f"{1:032x}")
        write_transcript(place, f"{SESSION}.jsonl", b"another that is longer than the file in the bundle\n")
        store(place, "alive", uuid="d" * 32)
    import_(expected, bundle_path)
    left = [step]

    def counted(function: Any) -> Any:
        def run(*args: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise _KilledError
            return function(*args, **named)

        return run

    with monkeypatch.context() as patched:
        for name in ("replace", "unlink", "link"):
            patched.setattr(os, name, counted(getattr(os, name)))
        try:
            import_(other, bundle_path)
        except _KilledError:
            pass
    import_(other, bundle_path)
    assert {name: data for name, (data, _) in contents(other).items()} == {
        name: data for name, (data, _) in contents(expected).items()
    }


def test_a_killed_import_is_cleared_away_by_the_next(folder: DataFolder, other: DataFolder, bundle_path: Path) -> None:
    fill(folder)
    export(folder, bundle_path)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    dead, alive = (Path(other.state, f"import-{pid}") for pid in (process.pid, os.getppid()))
    for place in (dead, alive):
        place.mkdir()
        (place / "bundle").write_bytes(b"half")
    import_(other, bundle_path)
    assert not dead.exists()
    assert alive.exists()


def test_a_bundle_that_changes_between_the_two_readings_is_refused(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    fill(folder)
    export(folder, bundle_path)

    def change(what: str, done: int, total: int) -> None:
        if what == "merging" and done == 1:
            data = bundle_path.read_bytes()
            bundle_path.write_bytes(data.replace(b"note 2", b"note X").replace(b'{"agent": 1}', b'{"agent": 2}'))

    with open(bundle_path, "rb", buffering=0) as file, pytest.raises(BundleError, match="changed while it was read"):
        bundle_import.run(other, file, shipped_rules=tuple, progress=change)
    assert b"note X" not in b"".join(data for data, _ in contents(other).values())


def test_a_full_disk_stops_the_import_with_the_next_step(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    fill(folder)
    write_transcript(folder, f"{OTHER_SESSION}.jsonl", b"x" * 200_000)
    export(folder, bundle_path)
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
        "from memories.core import bundle_import, errors, paths\n"
        "try: bundle_import.run(paths.DataFolder(sys.argv[1]), open(sys.argv[2], 'rb'), shipped_rules=tuple)\n"
        "except errors.StorageError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, other.root, str(bundle_path)],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert "run it again: it goes on from what is there" in done.stdout
    assert not [name for name in os.listdir(other.state) if name.startswith("import-")]
    import_(other, bundle_path)
    assert as_exported(other) == contents(folder)


def test_a_data_folder_that_cannot_be_made_is_said(folder: DataFolder, tmp_path: Path, bundle_path: Path) -> None:
    export(folder, bundle_path)
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(StorageError, match="file"):
        import_(DataFolder(str(tmp_path / "file")), bundle_path)


def test_an_import_waits_its_turn_among_those_who_merge(
    folder: DataFolder, other: DataFolder, bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memories.core.errors import LockTimeoutError
    from memories.core.locks import FileLock

    fill(folder)
    export(folder, bundle_path)
    monkeypatch.setattr(bundle_import, "WAIT_SECONDS", 0.0)
    with FileLock(os.path.join(other.state, "merge.lock")), pytest.raises(LockTimeoutError):
        import_(other, bundle_path)
    assert contents(other) == {}


def test_copies_that_wait_are_merged_with_what_comes(folder: DataFolder, other: DataFolder, bundle_path: Path) -> None:
    for place, content in ((folder, "theirs"), (other, "ours")):
        store(place, content, uuid=UUID)
    edit(other, UUID, "2026-03-20T00:00:00", content="a copy's")
    path = Path(other.records, f"{UUID}.json")
    path.rename(path.with_name(f"{UUID}.sync-conflict-20260314-091244-ABCDEFG.json"))
    store(other, "ours", uuid=UUID)
    export(folder, bundle_path)
    import_(other, bundle_path)
    said = {json.loads(path.read_bytes())["content"] for path in Path(other.records).iterdir()}
    assert said == {"theirs", "ours", "a copy's"}
    assert list(record_copies.find(other)) == transcript_copies.with_copies(other) == []
    assert config_copies.with_copies(other) == []


def test_a_file_read_in_part_already_is_read_from_where_it_is(
    folder: DataFolder, other: DataFolder, bundle_path: Path
) -> None:
    """As stdin that is a file, of which a shell's `read` took the first line."""
    fill(folder)
    export(folder, bundle_path)
    bundle_path.write_bytes(b"a line\n" + bundle_path.read_bytes())
    with open(bundle_path, "rb") as file:
        file.readline()
        bundle_import.run(other, file, shipped_rules=tuple)
    assert as_exported(other) == contents(folder)


def test_the_reader_needs_no_file_at_all() -> None:
    from memories.core import bundle_reading

    assert bundle_reading.verify(io.BytesIO(bundle_of({})), lambda *_: None, lambda _: None).members == []

"""Copies of the rules text and of the settings: merged into the file, with both versions to look at."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import config_copies, config_merge
from memories.core.copies import Outcome
from memories.core.errors import StorageError
from memories.core.paths import DataFolder
from tests.core.killed import killed_before

RULES, SETTINGS = "CLAUDE.md", "settings.json"
OURS = b"# Rules\n"
SHIPPED = (hashlib.sha256(OURS).hexdigest(),)
CONFLICT = ".sync-conflict-20260314-091244-ABCDEFG"


def _put(folder: DataFolder, name: str, content: bytes) -> Path:
    path = Path(folder.config, name)
    path.write_bytes(content)
    return path


def _copy(name: str, mark: str = CONFLICT) -> str:
    stem, extension = os.path.splitext(name)
    return stem + mark + extension


def _files(folder: DataFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder.config).iterdir() if path.is_file()}


def _kept(content: bytes, name: str = RULES) -> str:
    return f"state/merged/{hashlib.sha256(content).hexdigest()[:12]}-{name}"


def _settle(folder: DataFolder, name: str = RULES, brought: bytes | None = None) -> Outcome:
    return config_copies.settle(folder, name, SHIPPED, brought)


def test_a_folder_without_copies_has_nothing_to_settle(folder: DataFolder) -> None:
    _put(folder, RULES, b"a\n")
    _put(folder, f".syncthing.{RULES}.tmp", b"half")
    assert config_copies.with_copies(folder) == []
    outcome = _settle(folder)
    assert (outcome.changed, outcome.kept, outcome.left) == (False, [], [])
    assert len(_files(folder)) == 2
    os.rename(folder.config, folder.config + "-gone")
    assert config_copies.with_copies(folder) == []
    assert not _settle(folder).changed


def test_rules_edited_on_both_machines_have_all_lines_and_both_versions_are_kept(folder: DataFolder) -> None:
    one, other = b"# Rules\n\n- one\n- mine\n", b"# Rules\n\n- one\n- other\n"
    _put(folder, RULES, one)
    _put(folder, _copy(RULES), other)
    assert config_copies.with_copies(folder) == [RULES]
    outcome = _settle(folder)
    assert (outcome.changed, outcome.kept, outcome.left) == (True, sorted(map(_kept, (one, other))), [])
    assert _files(folder) == {RULES: b"# Rules\n\n- one\n- other\n- mine\n"}
    for content in (one, other):
        kept = Path(folder.root, _kept(content))
        assert kept.read_bytes() == content
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert config_copies.with_copies(folder) == []


def test_settings_of_both_machines_are_joined(folder: DataFolder) -> None:
    _put(folder, SETTINGS, b'{"excluded_paths": ["~/a"]}')
    _put(folder, _copy(SETTINGS), b'{"excluded_paths": ["~/b"], "briefing_chars": 4000}')
    _put(folder, _copy(SETTINGS, " (1)"), b'{"narrative_upkeep": false}')
    assert _settle(folder, SETTINGS).changed
    merged = json.loads(_files(folder)[SETTINGS])
    assert merged == {"briefing_chars": 4000, "excluded_paths": ["~/a", "~/b"], "narrative_upkeep": False}
    assert list(_files(folder)) == [SETTINGS]


def test_a_file_whose_copies_say_nothing_new_is_written_all_the_same(folder: DataFolder) -> None:
    # Else a file sync that brings another version, which replaced the file elsewhere, finds nothing changed here and
    # puts it over the last place of a text whose copy is gone.
    path = _put(folder, RULES, b"- mine\n")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    _put(folder, _copy(RULES), OURS)
    _put(folder, _copy(RULES, " (1)"), b"- mine\n")
    assert _settle(folder).changed
    assert _files(folder) == {RULES: b"- mine\n"}
    assert path.stat().st_mtime != 1_000_000_000


def test_a_copy_whose_file_is_gone_becomes_the_file(folder: DataFolder) -> None:
    _put(folder, _copy(RULES), b"- mine\n")
    outcome = _settle(folder)
    assert (outcome.changed, outcome.kept) == (True, [])
    assert _files(folder) == {RULES: b"- mine\n"}


def test_what_is_brought_is_merged_once(folder: DataFolder) -> None:
    assert _settle(folder, brought=OURS).changed
    assert not _settle(folder, brought=OURS).changed
    assert _settle(folder, brought=b"- mine\n").changed
    assert not _settle(folder, brought=OURS).changed
    assert _files(folder) == {RULES: b"- mine\n"}
    outcome = _settle(folder, SETTINGS, brought=b"[]")
    assert (outcome.changed, [path for path, _ in outcome.left]) == (False, ["config/settings.json (brought)"])
    assert not os.path.exists(folder.settings)


@pytest.mark.parametrize(
    "broken", [b"", b"{", b"[]", b"\xff", b"[" * 200_000, b" " * 1_000_001],
    ids=["empty", "cut", "list", "binary", "deep", "long"],
)  # fmt: skip
def test_settings_that_cannot_be_read_are_left_and_named(folder: DataFolder, broken: bytes) -> None:
    _put(folder, SETTINGS, b'{"a": 1}')
    _put(folder, _copy(SETTINGS), broken)
    _put(folder, _copy(SETTINGS, " (1)"), b'{"b": 1}')
    outcome = _settle(folder, SETTINGS)
    assert (outcome.changed, [path for path, _ in outcome.left]) == (True, [f"config/{_copy(SETTINGS)}"])
    assert json.loads(_files(folder)[SETTINGS]) == {"a": 1, "b": 1}
    assert _files(folder)[_copy(SETTINGS)] == broken
    _put(folder, SETTINGS, broken)
    _put(folder, _copy(SETTINGS), b'{"c": 1}')
    before = _files(folder)
    outcome = _settle(folder, SETTINGS)
    assert (outcome.changed, [path for path, _ in outcome.left]) == (False, ["config/settings.json"])
    assert _files(folder) == before


def test_what_is_no_regular_file_is_left_and_named(folder: DataFolder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles"
    elsewhere.write_bytes(b"- elsewhere\n")
    _put(folder, RULES, b"- mine\n")
    os.symlink(elsewhere, Path(folder.config, _copy(RULES)))
    Path(folder.config, _copy(RULES, " (1)")).mkdir()
    outcome = _settle(folder)
    assert (outcome.changed, len(outcome.left)) == (False, 2)
    os.unlink(folder.rules)
    os.symlink(elsewhere, folder.rules)
    copy = _put(folder, _copy(RULES, " (2)"), b"- more\n")
    outcome = _settle(folder)
    assert (outcome.changed, outcome.left[0][0]) == (False, f"config/{RULES}")
    assert copy.exists()
    assert elsewhere.read_bytes() == b"- elsewhere\n"


def test_a_backup_of_an_editor_brings_nothing_back_that_its_user_removed(folder: DataFolder) -> None:
    _put(folder, RULES, b"- kept\n")
    backup = _put(folder, RULES + "~", b"- kept\n- removed\n")
    outcome = _settle(folder)
    assert (outcome.changed, outcome.left) == (False, [])
    assert config_copies.with_copies(folder) == []
    assert Path(folder.rules).read_bytes() == b"- kept\n"
    assert backup.exists()


def test_copies_of_other_files_are_left_and_named(folder: DataFolder) -> None:
    _put(folder, "mine.txt", b"a")
    _put(folder, _copy("mine.txt"), b"b")
    assert config_copies.with_copies(folder) == ["mine.txt"]
    outcome = _settle(folder, "mine.txt")
    assert (outcome.changed, [path for path, _ in outcome.left]) == (False, [f"config/{_copy('mine.txt')}"])
    assert len(_files(folder)) == 2


def test_a_file_that_is_edited_meanwhile_is_left_for_the_next_sync(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _put(folder, RULES, b"- mine\n")
    _put(folder, _copy(RULES), b"- other\n")
    merge = config_merge.merge_texts

    def and_edit(texts: set[bytes], shipped: tuple[str, ...]) -> bytes:
        path.write_bytes(b"- mine, edited\n")
        return merge(texts, shipped)

    with monkeypatch.context() as patch:
        patch.setattr(config_merge, "merge_texts", and_edit)
        outcome = _settle(folder)
    assert (outcome.changed, outcome.left[0][0]) == (False, f"config/{RULES}")
    assert path.read_bytes() == b"- mine, edited\n"
    assert _settle(folder).changed


@pytest.mark.parametrize("name", [RULES, SETTINGS])
@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_saved_at_the_last_moment_before_the_file_is_replaced_stays(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch, name: str, is_there: bool
) -> None:
    mine, other, saved = b'{"a": 1}\n', b'{"b": 1}\n', b'{"a": 1, "saved by hand": 1}\n'
    if is_there:
        _put(folder, name, mine)
    _put(folder, _copy(name), other)
    _put(folder, _copy(name, " (1)"), mine)
    fsync = os.fsync

    def and_save(fd: int) -> None:
        fsync(fd)
        if not is_saved and f"/.{name}.tmp-" in os.readlink(f"/proc/self/fd/{fd}"):
            is_saved.append(True)
            os.replace(_put(folder, ".saved", saved), Path(folder.config, name))

    is_saved: list[bool] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", and_save)
        outcome = _settle(folder, name)
    assert is_saved
    assert (outcome.changed, outcome.kept, outcome.left[0][0]) == (False, [], f"config/{name}")
    assert _files(folder) == {name: saved, _copy(name): other, _copy(name, " (1)"): mine}
    assert os.listdir(Path(folder.state, "merged")) == []
    assert _settle(folder, name).changed
    assert b"saved by hand" in _files(folder)[name]


def test_a_copy_that_is_written_to_while_it_is_merged_stays(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(folder, RULES, b"- mine\n")
    copy = _put(folder, _copy(RULES), b"- other\n")
    merge = config_merge.merge_texts

    def and_write(texts: set[bytes], shipped: tuple[str, ...]) -> bytes:
        copy.write_bytes(b"- yet another\n")
        return merge(texts, shipped)

    with monkeypatch.context() as patch:
        patch.setattr(config_merge, "merge_texts", and_write)
        assert _settle(folder).changed
    assert _files(folder)[copy.name] == b"- yet another\n"
    _settle(folder)
    assert set(_files(folder)[RULES].split(b"\n")) == {b"- mine", b"- other", b"- yet another", b""}


@pytest.mark.parametrize("name", [RULES, SETTINGS])
def test_what_would_be_too_large_to_be_read_again_is_not_merged(folder: DataFolder, name: str) -> None:
    def large(letter: str) -> bytes:
        return json.dumps({"excluded_paths": [f"/{letter}/{number:060d}" for number in range(9000)]}, indent=0).encode()

    _put(folder, name, large("a"))
    _put(folder, _copy(name), large("b"))
    outcome = _settle(folder, name)
    assert (outcome.changed, [path for path, _ in outcome.left]) == (False, [f"config/{name}"])
    assert "by hand" in outcome.left[0][1]
    assert _files(folder) == {name: large("a"), _copy(name): large("b")}


def test_a_disk_that_refuses_is_an_error_and_nothing_is_lost(folder: DataFolder) -> None:
    _put(folder, RULES, b"- mine\n")
    _put(folder, _copy(RULES), b"- other\n")
    Path(folder.state, "merged").write_bytes(b"a file in the way")
    with pytest.raises(StorageError, match="run sync"):
        _settle(folder)
    assert sorted(_files(folder).values()) == [b"- mine\n", b"- other\n"]


CONTENT = st.lists(st.sampled_from((b"a", b"b", b"c", b"")), max_size=4).map(b"\n".join) | st.just(OURS)


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.sampled_from(("", CONFLICT, " (1)", "_conflict-20260314-091244")), CONTENT, min_size=2))
def test_a_kill_at_any_file_operation_loses_no_line_and_comes_to_the_same_end(versions: dict[str, bytes]) -> None:
    def end(kill_before: int | None) -> dict[str, bytes] | None:
        with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", lambda fd: None)
            folder = DataFolder(root)
            folder.create()
            for mark, content in versions.items():
                _put(folder, _copy(RULES, mark), content)
            if kill_before is not None and not killed_before(kill_before, lambda: _settle(folder)):
                return None
            _settle(folder)
            assert config_copies.with_copies(folder) == []
            return _files(folder)

    expected = end(None)
    number = 0
    while (found := end(number)) is not None:
        assert found == expected
        number += 1
    assert number

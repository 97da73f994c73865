"""Claude's auto memory as notes: kept current, never against its user, and nothing is written to Claude's folders."""

from __future__ import annotations

import json
import os
import random
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from memories import capture_status, doctor_capture, search, services
from memories.core import auto_memory, auto_memory_folders, files, merge_copies, mirror, records, scope, sync
from memories.core.briefing_material import AUTO_MEMORY, Material
from memories.core.errors import RecordNotFoundError, StorageError
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from memories.core.transcripts import slug
from memories.terminal.sync import Command
from tests.conftest import MakeRecord
from tests.core.secret_corpus import MARKED, SEED
from tests.core.transcript_lines import short_session

OLD = time.time() - 1000


def made(rule: str) -> str:
    """A made-up secret of a kind."""
    return MARKED[rule](random.Random(SEED))  # noqa: S311 - no secret, and the same in every run


class Claude:
    """Claude Code's folder with a project's memory, and the data folder that mirrors it."""

    def __init__(self, tmp_path: Path, folder: DataFolder, project: Path) -> None:
        self.folder = folder
        self.projects = tmp_path / "claude" / "projects"
        self.project = project
        self.settings: dict[str, Any] = dict(DEFAULTS)
        short_session(str(project)).write(self.projects)
        self.memory = self.projects / slug(str(project)) / "memory"
        self.memory.mkdir()
        (self.memory / "MEMORY.md").write_text("- [Deploys](deploy.md)\n", "utf-8")

    def write(self, name: str, text: str | bytes, at: float = OLD) -> Path:
        path = self.memory / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(path, (at, at))
        return path

    def uuid(self, name: str) -> str:
        return auto_memory.uuid_of(records.machine_name(), str(self.memory / name))

    def settle(self, **settings: Any) -> auto_memory.Settled:
        return auto_memory.settle(self.folder, str(self.projects), {**self.settings, **settings})

    def note(self, name: str) -> dict[str, Any]:
        return records.load(self.folder, self.uuid(name))

    def is_deleted(self, name: str) -> bool:
        with pytest.raises(RecordNotFoundError):
            self.note(name)
        return records.tombstone(self.folder, self.uuid(name)) is not None

    def count(self) -> int:
        return len(list(Path(self.folder.records).glob("*.json")))


@pytest.fixture
def claude(tmp_path: Path, folder: DataFolder) -> Claude:
    project = tmp_path / "orders-api"
    project.mkdir()
    return Claude(tmp_path, folder, project)


def _snapshot(place: Path) -> dict[str, tuple[int, int, int]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino, path.lstat().st_size)
        for path in [place, *place.rglob("*")]
    }


def test_a_file_becomes_a_note_that_says_where_it_is_from(claude: Claude) -> None:
    claude.write("deploy.md", "---\nname: deploys\nmetadata:\n  type: project\n---\nTuesdays only.")
    done = claude.settle()
    note = claude.note("deploy.md")
    assert (done.mirrored, done.written, done.removed, done.problems) == (1, 1, 0, [])
    assert (note["type"], note["content"]) == ("note", "# deploys\n\nTuesdays only.")
    assert (note["project"], note["project_id"]) == ("orders-api", f"path:{claude.project}")
    assert (note["imported_from"], note["tags"]) == ("Claude auto memory", "auto-memory, project")
    assert (note["origin"], note["source_path"]) == (records.machine_name(), str(claude.memory / "deploy.md"))
    assert note["created_at"] == time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(OLD))
    assert records.whence(note) == "imported from Claude auto memory"
    records.validate(note)


def test_a_path_below_home_is_written_with_a_tilde(tmp_path: Path, folder: DataFolder) -> None:
    home = tmp_path / "home"
    claude = Claude(home, folder, tmp_path / "shop")
    claude.write("a.md", "Use tabs.")
    claude.settle()
    assert claude.note("a.md")["source_path"].startswith("~/claude/projects/")


def test_a_second_sync_writes_nothing_and_opens_no_note(claude: Claude, monkeypatch: pytest.MonkeyPatch) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.write("empty.md", "")
    claude.settle()
    before = _snapshot(Path(claude.folder.records)), Path(auto_memory_folders.state_path(claude.folder)).stat().st_ino
    written: list[str] = []
    opened: list[str] = []
    monkeypatch.setattr(files, "write_atomic", lambda path, *_, **__: written.append(path))

    def read(path: str) -> str:
        opened.append(path)
        return "- [Deploys](deploy.md)\n"

    monkeypatch.setattr(auto_memory, "_read", read)
    done = claude.settle()
    assert (done.mirrored, done.written, written) == (1, 0, [])
    assert opened == [str(claude.memory / "MEMORY.md")]  # what it says depends on the files beside it
    assert before == (
        _snapshot(Path(claude.folder.records)),
        Path(auto_memory_folders.state_path(claude.folder)).stat().st_ino,
    )


def test_nothing_below_claudes_folder_is_written(claude: Claude) -> None:
    path = claude.write("deploy.md", "Tuesdays only.")
    before = _snapshot(claude.projects)
    claude.settle()
    records.delete(claude.folder, claude.uuid("deploy.md"))
    claude.settle()
    claude.settle(auto_memory=False)
    assert _snapshot(claude.projects) == before
    path.unlink()
    before = _snapshot(claude.projects)
    claude.settle()
    assert _snapshot(claude.projects) == before


def test_a_changed_file_changes_its_note_and_keeps_what_others_added(claude: Claude) -> None:
    claude.write("deploy.md", "---\ntype: project\n---\nTuesdays only.")
    claude.settle()
    with records.lock(claude.folder):
        records.update(
            claude.folder,
            claude.uuid("deploy.md"),
            lambda note: bool(note.update(tags=f"{note['tags']}, ops", importance=8) or True),
        )
    assert claude.settle().written == 0
    claude.write("deploy.md", "---\ntype: feedback\n---\nThursdays too.", OLD + 10)
    assert claude.settle().written == 1
    note = claude.note("deploy.md")
    assert (note["content"], note["tags"]) == ("# deploy\n\nThursdays too.", "auto-memory, feedback, ops")
    assert (note["importance"], note["created_at"][:4]) == (8, time.strftime("%Y", time.gmtime(OLD)))
    assert note["updated_at"] is not None


def test_an_edit_of_the_note_stays_until_the_file_changes(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    with records.lock(claude.folder):
        records.update(claude.folder, claude.uuid("deploy.md"), lambda note: bool(note.update(content="Mine.") or True))
    claude.settle()
    assert claude.note("deploy.md")["content"] == "Mine."
    claude.write("deploy.md", "Thursdays.", OLD + 10)
    claude.settle()
    assert claude.note("deploy.md")["content"] == "# deploy\n\nThursdays."


def test_a_merge_that_brings_an_older_text_back_is_made_good(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    older = claude.note("deploy.md")
    claude.write("deploy.md", "Thursdays.", OLD + 10)
    claude.settle()
    path = Path(claude.folder.records, f"{older['uuid']}.json")
    other = {**older, "tags": "auto-memory, ops", "updated_at": "2099-01-01T00:00:00", "origin": "desk"}
    path.with_name(f"{older['uuid']}.sync-conflict-20260314-091244-ABCDEFG.json").write_bytes(records.dump(other))
    merge_copies.run(claude.folder, shipped_rules=tuple)
    assert claude.note("deploy.md")["content"] == older["content"]
    assert claude.settle().written == 1
    assert claude.note("deploy.md")["content"] == "# deploy\n\nThursdays."
    assert "ops" in claude.note("deploy.md")["tags"]


def test_a_note_goes_with_its_file_and_comes_back_with_it(claude: Claude) -> None:
    path = claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    path.unlink()
    done = claude.settle()
    assert (done.mirrored, done.removed) == (0, 1)
    assert claude.is_deleted("deploy.md")
    assert claude.settle().removed == 0
    claude.write("deploy.md", "Tuesdays only.")
    assert claude.settle().mirrored == 1
    assert claude.note("deploy.md")["content"] == "# deploy\n\nTuesdays only."


def test_a_file_that_was_emptied_counts_as_gone(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    claude.write("deploy.md", "", OLD + 10)
    assert claude.settle().removed == 1
    claude.write("deploy.md", "Tuesdays only.", OLD + 20)
    claude.settle()
    assert claude.note("deploy.md")["content"] == "# deploy\n\nTuesdays only."


def test_what_its_user_deleted_stays_deleted_until_the_file_changes(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    records.delete(claude.folder, claude.uuid("deploy.md"))
    for _ in range(2):
        done = claude.settle()
        assert (done.written, done.mirrored) == (0, 0)
    os.unlink(auto_memory_folders.state_path(claude.folder))  # what tells is the tombstone
    assert claude.settle().mirrored == 0
    assert claude.is_deleted("deploy.md")
    assert "1 not, as their memories were deleted" in auto_memory.said(claude.folder, claude.settings)
    claude.write("deploy.md", "Thursdays.", OLD + 10)
    claude.settle()
    assert claude.note("deploy.md")["content"] == "# deploy\n\nThursdays."


def test_a_users_deletion_outlives_the_file_and_the_setting(claude: Claude) -> None:
    path = claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    records.delete(claude.folder, claude.uuid("deploy.md"))
    claude.settle()
    claude.settle(auto_memory=False)
    claude.settle()
    assert claude.is_deleted("deploy.md")
    path.unlink()
    claude.settle()
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    assert claude.is_deleted("deploy.md")


def test_a_note_that_its_user_restored_is_mirrored_again(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    records.delete(claude.folder, claude.uuid("deploy.md"))
    claude.settle()
    records.restore(claude.folder, claude.uuid("deploy.md"))
    assert claude.settle().mirrored == 1


def test_off_moves_all_of_it_to_the_trash_and_on_brings_it_back(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.write("style.md", "Tabs.")
    claude.settle()
    done = claude.settle(auto_memory=False)
    assert (done.removed, done.mirrored, claude.count()) == (2, 0, 0)
    assert "false" in auto_memory.said(claude.folder, {**claude.settings, "auto_memory": False})
    assert claude.settle(auto_memory=False).removed == 0
    assert (claude.settle().mirrored, claude.count()) == (2, 2)


def test_off_from_the_beginning_reads_nothing(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle(auto_memory=False)
    assert claude.count() == 0


@pytest.mark.parametrize("how", ["path", "marker", "everything"])
def test_an_excluded_projects_memory_is_left_alone(claude: Claude, how: str) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    excluded = {"path": [str(claude.project)], "marker": [], "everything": ["/"]}[how]
    if how == "marker":
        (claude.project / ".llm-memory.json").write_text('{"enabled": false}', "utf-8")
    done = claude.settle(excluded_paths=excluded)
    assert (done.written, done.problems, claude.count()) == (0, [], 0)


def test_a_folder_of_which_nothing_tells_the_project_goes_by_its_name(claude: Claude) -> None:
    for path in claude.memory.parent.glob("*.jsonl"):
        path.unlink()
    claude.write("deploy.md", "Tuesdays only.")
    assert claude.settle(excluded_paths=["*/secret"]).problems[0].endswith("cannot be told")
    assert claude.count() == 0
    claude.settle()
    note = claude.note("deploy.md")
    assert (note["project"], note["project_id"]) == (slug(str(claude.project)).strip("-"), None)


def test_a_project_is_told_by_the_clients_own_list_too(claude: Claude) -> None:
    for path in claude.memory.parent.glob("*.jsonl"):
        path.unlink()
    claude.write("deploy.md", "Tuesdays only.")
    noted: dict[str, Any] = {"projects": {"/elsewhere": {}, str(claude.project): {}, "relative": {}}}
    (claude.projects.parent / ".claude.json").write_text(json.dumps(noted), "utf-8")
    claude.settle()
    assert claude.note("deploy.md")["project_id"] == f"path:{claude.project}"


def test_worktrees_share_their_repositorys_memory(claude: Claude, tmp_path: Path) -> None:
    """The client files the memory under the main worktree, whichever of them a session ran in."""
    for path in claude.memory.parent.glob("*.jsonl"):
        path.unlink()
    git = claude.project / ".git"
    (git / "objects").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    (git / "worktrees" / "feat").mkdir(parents=True)
    (git / "worktrees" / "feat" / "commondir").write_text("../..\n", "utf-8")
    tree = tmp_path / "feat"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {git / 'worktrees' / 'feat'}\n", "utf-8")
    (claude.projects.parent / ".claude.json").write_text(json.dumps({"projects": {str(tree): {}}}), "utf-8")
    claude.write("deploy.md", "Tuesdays only.")
    assert claude.settle().mirrored == 1
    assert claude.note("deploy.md")["project_id"] == f"path:{claude.project}"


def test_secrets_and_private_passages_are_left_out(claude: Claude) -> None:
    secret = made("github personal")
    claude.write("token.md", f"The token is {secret}.\n<private>the door code</private>")
    claude.settle()
    whole = Path(records.record_path(claude.folder, claude.uuid("token.md"))).read_text("utf-8")
    assert secret not in whole
    assert "door code" not in whole
    assert "[private]" in whole
    state = Path(auto_memory_folders.state_path(claude.folder)).read_text("utf-8")
    assert secret not in state


def test_what_a_session_with_memory_off_wrote_is_not_kept(claude: Claude) -> None:
    session = "7b1e2f04-0000-4000-8000-00000000c0de"
    os.makedirs(os.path.join(claude.folder.state, "ignored"))
    Path(claude.folder.state, "ignored", session).touch()
    claude.write("deploy.md", f"---\nmetadata:\n  originSessionId: {session}\n---\nTuesdays only.")
    claude.settle()
    assert claude.count() == 0


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("large.md", b"x" * 200_001, "200,001 bytes are more than 200,000"),
        ("latin.md", b"caf\xe9", "no UTF-8 text"),
        ("binary.md", b"a\0b", "not text"),
    ],
)
def test_what_cannot_be_a_memory_is_said_and_left_alone(claude: Claude, name: str, data: bytes, why: str) -> None:
    claude.write(name, data)
    claude.write("deploy.md", "Tuesdays only.")
    done = claude.settle()
    assert (done.mirrored, len(done.problems)) == (1, 1)
    assert why in done.problems[0]
    assert name in done.problems[0]


def test_no_symbolic_link_is_followed(claude: Claude, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("elsewhere", "utf-8")
    (claude.memory / "link.md").symlink_to(outside / "secret.md")
    (claude.memory / "more").symlink_to(outside)
    other = claude.projects / "-other"
    other.mkdir()
    (other / "memory").symlink_to(outside)
    os.mkfifo(claude.memory / "pipe.md")
    done = claude.settle()
    assert claude.count() == 0
    assert sum("symbolic link" in problem for problem in done.problems) == 2
    assert sum("pipe.md: no file" in problem for problem in done.problems) == 1


def test_hostile_names_are_no_matter(claude: Claude) -> None:
    names = ["a b.md", "ü.md", "team/deep/er.md", "…\n.md", "%2e%2e.md", "$(x).md", ".hidden.md", "x.txt", "'\".md"]
    for name in names:
        claude.write(name, f"In {names.index(name)}.")
    Path(os.fsdecode(os.fsencode(claude.memory) + b"/\xff.md")).write_text("odd", "utf-8")
    done = claude.settle()
    assert (done.mirrored, done.problems) == (len(names) - 2 + 1, [])
    for path in Path(claude.folder.records).glob("*.json"):
        records.validate(json.loads(path.read_text("utf-8")))
    assert claude.settle().written == 0


def test_files_beyond_the_most_are_said_and_not_taken_for_gone(claude: Claude, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        claude.write(f"{name}.md", name)
    claude.settle()
    monkeypatch.setattr(auto_memory, "MAX_FILES", 3)
    done = claude.settle()
    assert (done.removed, done.mirrored) == (0, 4)
    assert "holds 2 files beyond the first 3" in done.problems[0]


def test_a_folder_that_is_not_mounted_takes_nothing_with_it(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    claude.projects.rename(claude.projects.with_name("away"))
    assert (claude.settle().removed, claude.count()) == (0, 1)


def test_another_configuration_of_the_client_leaves_the_first_ones_notes_alone(
    claude: Claude, tmp_path: Path, folder: DataFolder
) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    other = Claude(tmp_path / "other", folder, tmp_path / "site")
    other.write("site.md", "Static.")
    assert (other.settle().removed, claude.count()) == (0, 2)


def test_two_machines_with_the_same_path_have_a_note_each(claude: Claude, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other machine receives the first one's notes by a file sync, and has no such file."""
    path = claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    first = claude.uuid("deploy.md")
    os.unlink(auto_memory_folders.state_path(claude.folder))  # state/ does not travel
    monkeypatch.setattr(records, "machine_name", lambda: "desk")
    path.unlink()
    assert (claude.settle().removed, claude.count()) == (0, 1)
    claude.write("deploy.md", "Thursdays.")
    claude.settle()
    assert claude.count() == 2
    assert records.load(claude.folder, first)["content"] == "# deploy\n\nTuesdays only."
    assert claude.note("deploy.md")["origin"] == "desk"


def test_a_machine_that_was_renamed_keeps_its_notes(claude: Claude, monkeypatch: pytest.MonkeyPatch) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    monkeypatch.setattr(records, "machine_name", lambda: "renamed")
    claude.write("deploy.md", "Thursdays.", OLD + 10)
    assert (claude.settle().written, claude.count()) == (1, 1)


def test_state_that_is_lost_or_damaged_costs_a_look_and_no_note(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    for damage in (b"", b"[]", b'{"files": {"/x": 3}, "folders": [], "machine": 7}', b"\xff"):
        Path(auto_memory_folders.state_path(claude.folder)).write_bytes(damage)
        done = claude.settle()
        assert (done.mirrored, done.written, done.removed) == (1, 0, 0)


def test_a_broken_note_is_said_and_left_alone(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    path = Path(records.record_path(claude.folder, claude.uuid("deploy.md")))
    path.write_text("{", "utf-8")
    assert "not a readable record" in claude.settle().problems[0]
    assert path.read_text("utf-8") == "{"


def test_an_index_with_more_than_pointers_is_a_note_too(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.write("MEMORY.md", "- [Deploys](deploy.md)\n- The staging host is heron.\n")
    assert claude.settle().mirrored == 2
    assert claude.note("MEMORY.md")["content"] == "# MEMORY.md\n\n- The staging host is heron."


def test_a_file_that_may_change_within_its_timestamp_is_looked_at_again(claude: Claude) -> None:
    path = claude.write("deploy.md", "Tuesdays only.", time.time())
    claude.settle()
    found = path.stat()
    path.write_text("Thursday only.", "utf-8")
    os.utime(path, ns=(found.st_mtime_ns, found.st_mtime_ns))
    claude.settle()
    assert "Thursday" in claude.note("deploy.md")["content"]


def test_a_sync_mirrors_indexes_and_says_what_it_left_alone(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.write("binary.md", b"\0")
    result = sync.run(claude.folder, str(claude.projects), claude.settings, wait_seconds=0)
    assert result.remembered is not None
    assert result.remembered.mirrored == 1
    assert result.mirrored.total == 2  # and the session's log
    assert result.problems[0].startswith("Claude's auto memory: ")
    assert sync.run(claude.folder, None, claude.settings, wait_seconds=0).remembered is None


def test_a_state_that_cannot_be_written_does_not_stop_a_sync(claude: Claude) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    os.mkdir(auto_memory_folders.state_path(claude.folder))
    with pytest.raises(StorageError):
        claude.settle()
    result = sync.run(claude.folder, str(claude.projects), claude.settings, wait_seconds=0)
    assert (result.remembered, result.mirrored.total) == (None, 2)
    assert "was not mirrored" in result.problems[0]


def _notes(folder: DataFolder, project: Path, *, with_auto_memory: bool = False) -> list[str]:
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    try:
        where = scope.Scope("orders-api", frozenset({f"path:{project}"}), frozenset({"orders-api"}))
        material = Material(connection, folder, where, "", with_auto_memory=with_auto_memory)
        return [row["content"] for row in material.notes]
    finally:
        connection.close()


def test_a_briefing_leaves_out_what_claude_gives_the_session_itself(
    claude: Claude, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    make_record("our own", project_id=f"path:{claude.project}")
    assert _notes(claude.folder, claude.project) == ["our own"]
    assert len(_notes(claude.folder, claude.project, with_auto_memory=True)) == 2
    monkeypatch.setattr(records, "machine_name", lambda: "desk")
    assert len(_notes(claude.folder, claude.project)) == 2
    assert AUTO_MEMORY == auto_memory.SOURCE


def test_whoever_deletes_such_a_note_is_told_of_the_file(claude: Claude, memory_home: DataFolder) -> None:
    path = claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    answer = services.memory_delete(memory_home, claude.uuid("deploy.md"))
    assert str(path) in answer["warnings"][0]
    assert "MEMORY.md" in answer["warnings"][0]
    assert path.exists()
    foreign = {"imported_from": auto_memory.SOURCE, "source_path": "~/x.md", "origin": "desk"}
    assert "its file on desk: ~/x.md" in auto_memory.on_deletion(foreign)[0]
    assert auto_memory.on_deletion({"imported_from": "laptop", "source_path": "~/x.md"}) == []


def test_search_says_where_it_is_from_and_a_store_of_the_same_finds_it(claude: Claude, memory_home: DataFolder) -> None:
    claude.write(
        "deploy.md", "---\nmetadata:\n  type: project\n---\nDeploys go out on Tuesdays only, never on a Friday."
    )
    claude.settle()
    mirror.update(memory_home)
    hit = search.memory_search(memory_home, "deploys on tuesdays")["results"][0]
    assert (hit["uuid"], hit["imported_from"]) == (claude.uuid("deploy.md"), "Claude auto memory")
    assert hit["tags"] == "auto-memory, project"
    content, project = claude.note("deploy.md")["content"], f"path:{claude.project}"
    answer = services.memory_store(memory_home, services.Session(), content=content, type="note", project=project)
    assert (answer["status"], answer["uuid"]) == ("duplicate_skipped", hit["uuid"])


def test_doctor_and_status_say_how_much_is_mirrored_or_why_none(claude: Claude) -> None:
    assert auto_memory.said(claude.folder, claude.settings) == ""
    assert capture_status.capture(claude.folder).auto_memory == ""
    claude.write("deploy.md", "Tuesdays only.")
    claude.settle()
    assert capture_status.capture(claude.folder).auto_memory == "1 of Claude's files mirrored"
    checks = {check.name: check for check in doctor_capture.capture(claude.folder)}
    assert (checks["auto memory"].status, checks["auto memory"].text) == ("ok", "1 of Claude's files mirrored")
    Path(claude.folder.settings).write_text('{"auto_memory": false}', "utf-8")
    assert "auto_memory is false" in capture_status.capture(claude.folder).auto_memory


def test_the_command_says_what_it_did(claude: Claude, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude.projects.parent))
    claude.write("deploy.md", "Tuesdays only.")
    out = StringIO()
    Command(stdout=out).run("llm-memory sync", [])
    assert "Claude's auto memory: 1 file mirrored; 1 written, 0 removed\n" in out.getvalue()
    out = StringIO()
    Command(stdout=out).run("llm-memory sync", ["--json"])
    assert json.loads(out.getvalue())["auto_memory"] == {"mirrored": 1, "written": 0, "removed": 0}

"""`llm-memory forget` as a user runs it: a listing, a question, and then nothing of the session is left."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from memories.core import conversation_index, forgotten, mirror, records, session_logs, sync
from memories.core.errors import ForgetError, LLMMemoryError, ProjectError, TranscriptError
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.core.forgetting_scene import WORD, Scene
from tests.core.transcript_lines import OTHER_SESSION, SESSION, short_session
from tests.hooks.conftest import Hooks
from tests.terminal.cli import MANAGE
from tests.terminal.running import call

LOG = session_logs.log_uuid(SESSION)
DAY = 86_400

Forget = Callable[..., str]


@pytest.fixture
def scene(tmp_path: Path, folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Two archived sessions, in the data folder and Claude Code's folder that the environment names."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path))
    made = Scene(tmp_path)
    assert made.folder.root == folder.root
    made.sync()
    return made


@pytest.fixture
def forget(scene: Scene, capsys: pytest.CaptureFixture[str]) -> Forget:
    """forget(*words, code=0): what the command prints, run in this process."""

    def run(*words: str, code: int = 0) -> str:
        assert call("forget", *words) == code
        return capsys.readouterr().out

    assert scene
    return run


def test_the_listing_says_what_goes_and_what_stays_and_a_dry_run_ends_there(scene: Scene, forget: Forget) -> None:
    note = records.new_record(type="note", content="The uploader retries.", session_id=SESSION)
    refs = json.dumps([SESSION])
    narrative = records.new_record(type="narrative", content="# Shop", project="shop", transcript_ref=refs)
    for record in (note, narrative):
        records.save(scene.folder, record)
    said = forget(SESSION[:34], "--dry-run").splitlines()
    assert said[0] == "1 session to forget:"
    assert said[2] == f"{SESSION}  2026-03-14 09:00  shop  2 turns"
    assert said[3] == f"  Tell the {WORD} about the uploader"
    assert said[4].startswith("  goes:  its transcript (3 files, ")
    assert said[4].endswith(f"), its session log {LOG}, its rows in the index")
    assert said[5:8] == [
        f"  stays: note {note['uuid']} The uploader retries. (stored in it; to remove it: memory_delete)",
        f"         narrative {narrative['uuid']} Shop (written from it; to remove it: memory_delete)",
        f"         {scene.source} (Claude Code's own, until it deletes it)",
    ]
    assert said[9:12] == [
        "Out of reach, if it is there:",
        "  - bundles that you exported, and backups",
        "  - your other machines, until they have synced: what they have of it goes then",
    ]
    assert said[-1] == "Dry run: nothing was changed."
    assert forgotten.marked(scene.folder) == {}
    assert f"transcripts/{SESSION}.jsonl" in scene.holding()


def test_with_yes_it_is_done_and_said(scene: Scene, forget: Forget) -> None:
    said = forget(SESSION, "--yes")
    assert said.endswith("Forgotten: 1 session.\nNothing of it is left in the data folder.\n")
    assert scene.holding() == []


def test_what_is_forgotten_already_is_said_and_nothing_is_asked_or_done(scene: Scene, forget: Forget) -> None:
    forget(SESSION, "--yes")
    assert forget(SESSION) == f"Already forgotten: {SESSION}.\n"
    assert json.loads(forget(SESSION, "--yes", "--json"))["already"] == [SESSION]
    said = forget(SESSION, OTHER_SESSION, "--yes")
    assert said.startswith(f"Already forgotten: {SESSION}.\n1 session to forget:")
    assert "Forgotten: 1 session." in said


def test_a_whole_id_that_nobody_knows_is_refused_unless_a_mark_for_other_machines_is_wanted(
    scene: Scene, forget: Forget
) -> None:
    unknown = "abcdef12-0000-4000-8000-000000000000"
    with pytest.raises(ForgetError, match=r"Nothing of session abcdef12.* on another machine, say --yes"):
        forget(unknown)
    assert forgotten.marked(scene.folder) == {}
    said = forget(unknown, "--yes")
    assert "Marked: 1 session of which nothing was here; other machines remove what they have" in said
    assert "Forgotten:" not in said
    assert forgotten.marked(scene.folder) == {unknown: forgotten.FORGOTTEN}


def test_without_an_index_that_can_be_read_a_session_is_forgotten_by_its_files(scene: Scene, forget: Forget) -> None:
    index = Path(scene.folder.mirror)
    index.unlink()
    index.mkdir()
    said = forget(SESSION, "--yes", code=1)
    assert f"its session log {LOG}" in said
    assert "Forgotten: 1 session.\nThe index has not followed yet" in said
    assert said.endswith("The next `llm-memory sync` finishes it.\n")
    assert scene.holding() == []


def test_where_the_mark_cannot_be_written_nothing_is_forgotten(scene: Scene, forget: Forget) -> None:
    Path(scene.folder.trash, "forgotten").write_text("no folder", "utf-8")
    before = scene.holding()
    with pytest.raises(LLMMemoryError, match=r"^Nothing was forgotten: "):
        forget(SESSION, "--yes")
    assert scene.holding() == before


def test_the_help_says_how_much_of_an_id_it_takes(forget: Forget) -> None:
    assert "first 6 characters at least" in " ".join(forget("--help").split())


def test_syncthing_s_versions_are_named_where_there_are_any(scene: Scene, forget: Forget) -> None:
    Path(scene.folder.root, ".stversions").mkdir()
    assert "older versions of files that Syncthing keeps in" in forget(SESSION, "--dry-run")


def test_without_a_terminal_and_yes_nothing_is_done(scene: Scene, forget: Forget) -> None:
    with pytest.raises(ForgetError, match="say --yes"):
        forget(SESSION)
    assert f"transcripts/{SESSION}.jsonl" in scene.holding()


@pytest.mark.parametrize("words", [[], [SESSION, "--expired"], [SESSION, "--project", "shop"], [SESSION, "--json"]])
def test_what_is_not_clear_is_refused_with_what_to_say(forget: Forget, words: list[str]) -> None:
    with pytest.raises(ForgetError, match=r"Say what to forget|say --dry-run"):
        forget(*words)


def test_for_programs_there_is_the_same_as_json(scene: Scene, forget: Forget) -> None:
    shown = json.loads(forget(SESSION, "--dry-run", "--json"))
    (session,) = shown["sessions"]
    assert (session["session_id"], session["logs"], session["turns"]) == (SESSION, [LOG], 2)
    assert (session["files"], session["marked"], session["ended_at"]) == (3, None, "2026-03-14T09:00:08Z")
    assert (shown["done"], session["claude_path"]) == (False, str(scene.source))
    done = json.loads(forget(SESSION, "--yes", "--json"))
    assert (done["done"], done["left"], done["is_settled"]) == (True, [], True)
    assert scene.holding() == []


def test_a_beginning_that_several_sessions_have_names_them(forget: Forget) -> None:
    with pytest.raises(TranscriptError, match=f"2 sessions begin with 7b1e2f04: {OTHER_SESSION}, {SESSION}"):
        forget("7b1e2f04", "--yes")
    for word in ("../../etc", "7b1e", "zzzzzzzz"):
        with pytest.raises(TranscriptError, match="is no session"):
            forget(word, "--yes")
    with pytest.raises(TranscriptError, match="No session begins with abcdef12"):
        forget("abcdef12", "--yes")


def test_sessions_that_are_not_archived_or_only_logged_or_elsewhere_can_be_forgotten(
    scene: Scene, forget: Forget
) -> None:
    waiting, logged, elsewhere = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abc")
    short_session("/srv/shop", waiting, f"Only in Claude Code's folder: {WORD}").write(scene.projects)
    records.save(scene.folder, records.new_record(type="session_log", content="Only a log", session_id=logged))
    said = forget(waiting[:8], logged[:8], elsewhere, "--yes")
    assert "goes:  nothing here; it is not archived later either" in said
    assert set(forgotten.marked(scene.folder)) == {waiting, logged, elsewhere}
    scene.sync()
    with closing(mirror.connect(scene.folder.mirror, read_only=True)) as connection:
        sql = "SELECT count(*) FROM memory WHERE session_id IN (?, ?, ?)"
        assert connection.execute(sql, (waiting, logged, elsewhere)).fetchone() == (0,)


def test_a_project_s_sessions_go_those_that_are_not_archived_yet_too(scene: Scene, forget: Forget) -> None:
    waiting, other = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "ab")
    short_session("/srv/shop", waiting).write(scene.projects)
    short_session("/srv/other", other).write(scene.projects)
    said = forget("--project", "Shop", "--yes")
    assert said.startswith("3 sessions of shop to forget:")
    assert set(forgotten.marked(scene.folder)) == {SESSION, OTHER_SESSION, waiting}
    assert scene.holding() == []


def test_a_project_name_that_fits_several_is_asked_back(scene: Scene, forget: Forget) -> None:
    short_session("/home/me/shop", "aaaaaaaa-0000-4000-8000-000000000000").write(scene.projects)
    scene.sync()
    with pytest.raises(ProjectError, match="fits several projects: path:/home/me/shop, path:/srv/shop"):
        forget("--project", "shop", "--yes")
    assert forget("--project", "path:/home/me/shop", "--dry-run").startswith("1 session of path:/home/me/shop")
    with pytest.raises(ProjectError, match="No session of a project 'nothing'"):
        forget("--project", "nothing", "--yes")


def test_a_session_that_runs_is_forgotten_all_the_same(scene: Scene, forget: Forget) -> None:
    clients = Path(scene.folder.state, "clients")
    clients.mkdir()
    (clients / str(os.getpid())).write_text(json.dumps({"session_id": SESSION}), "utf-8")
    assert "runs:  it is forgotten all the same" in forget(SESSION, "--yes")


def test_a_hostile_title_does_not_reach_the_terminal(scene: Scene, forget: Forget) -> None:
    text = "Tell\x1b[31m me\u202e about\u2028it"
    short_session("/srv/shop", "aaaaaaaa-0000-4000-8000-000000000000", text).write(scene.projects)
    scene.sync()
    said = forget("aaaaaaaa", "--dry-run")
    assert not set(said) & {"\x1b", "\u202e", "\u2028"}


# --expired.


def _old(scene: Scene) -> None:
    ended = time.time() - 40 * DAY
    os.utime(scene.source, (ended, ended))
    for path in scene.source.with_suffix("").rglob("*.*"):
        os.utime(path, (ended, ended))
    scene.sync()
    Path(scene.folder.settings).write_text('{"transcripts_keep_days": 30}', "utf-8")


def test_expired_lists_and_lets_go_what_the_settings_say_without_waiting_a_day(scene: Scene, forget: Forget) -> None:
    _old(scene)
    said = forget("--expired", "--dry-run").splitlines()
    assert said[0].startswith("1 transcript to let go, ")
    assert said[4].startswith("  goes:  its transcript (3 files, ")
    assert said[5] == f"  stays: its session log {LOG}"
    assert forget("--expired", "--yes").endswith("Let go: 1 transcript.\n")
    assert not os.path.exists(os.path.join(scene.folder.transcripts, SESSION))
    assert records.load(scene.folder, LOG)["session_id"] == SESSION
    assert conversation_index.update(scene.folder).removed == 0
    assert forget("--expired", "--yes").startswith("Nothing is old or large enough")
    assert json.loads(forget("--expired", "--yes", "--json"))["sessions"] == []
    with pytest.raises(LLMMemoryError, match="let go by the retention settings"):
        call("transcript", SESSION)


def test_expired_with_the_settings_off_says_how_to_set_them(forget: Forget) -> None:
    with pytest.raises(ForgetError, match="every transcript is kept"):
        forget("--expired", "--yes")


def test_sync_says_what_it_will_let_go_and_what_it_let_go(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    _old(scene)
    call("sync")
    said = capsys.readouterr().out
    assert "Retention: 1 transcript," in said
    assert "will go after" in said
    seen = Path(scene.folder.state, "retention-seen")
    seen.write_text(json.dumps({**json.loads(seen.read_bytes()), "since": time.time() - 2 * DAY}), "utf-8")
    call("sync")
    said = capsys.readouterr().out
    assert "Retention: 1 transcript let go," in said
    assert SESSION in said
    call("sync")
    said = capsys.readouterr().out
    assert "Retention" not in said
    assert "let go" not in said  # what went before is no news


def test_expired_lets_nothing_go_by_a_clock_that_jumped_unless_told_that_it_is_right(
    scene: Scene, forget: Forget
) -> None:
    _old(scene)
    scene.sync(transcripts_keep_days=30)
    seen = Path(scene.folder.state, "retention-seen")
    for path in (seen, *scene.projects.rglob("*.jsonl"), *Path(scene.folder.transcripts).rglob("*.jsonl")):
        ended = time.time() - 40 * DAY
        os.utime(path, (ended, ended))
    with pytest.raises(ForgetError, match="Nothing was let go, as this machine's clock is far ahead"):
        forget("--expired")
    assert os.path.exists(os.path.join(scene.folder.transcripts, f"{SESSION}.jsonl"))
    assert "Let go: " in forget("--expired", "--yes")


# As whole processes, on a terminal.


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"\n", 1), (b"\x04", 1)])
def test_on_a_terminal_it_asks(scene: Scene, tmp_path: Path, answer: bytes, code: int) -> None:
    ours, theirs = pty.openpty()
    env = {**os.environ, "LLM_MEMORY_HOME": scene.folder.root, "CLAUDE_CONFIG_DIR": str(tmp_path)}
    command = [sys.executable, "-I", str(MANAGE), "forget", SESSION]
    child = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    os.close(theirs)
    os.write(ours, answer)
    said, _ = child.communicate(timeout=120)
    os.close(ours)
    assert child.returncode == code, said
    assert b"Forget 1 session for good? This cannot be undone. [y/N]" in said
    assert (scene.holding() == []) == (code == 0)
    assert (b"Nothing was changed." in said) == (code == 1)


def test_a_whole_life_leaves_nothing(tmp_path: Path, folder: DataFolder) -> None:
    """Hooks, server state and logs included: what real processes wrote down of the session."""
    hooks = Hooks(tmp_path, folder)
    path = short_session(str(hooks.project), SESSION, f"Tell the {WORD}").write(hooks.projects_dir)
    given = hooks.payload(path, source="startup", tool_name="Bash")
    for event in ("session_start", "post_tool_use", "pre_compact", "session_end", "session_start"):
        hooks.run(event, given)
    command = [sys.executable, "-I", str(MANAGE), "forget", SESSION, "--yes"]
    subprocess.run(command, check=True, env=hooks.env, stdin=subprocess.DEVNULL, timeout=120, capture_output=True)
    for event in ("session_start", "pre_compact", "session_end"):
        hooks.run(event, given)
    sync.run(folder, str(hooks.projects_dir), dict(DEFAULTS), wait_seconds=30)
    held = [str(one) for one in Path(folder.root).rglob("*") if one.is_file() and WORD.encode() in one.read_bytes()]
    assert held == []
    outcomes = [line.split()[1:3] for line in hooks.log.splitlines()]
    assert outcomes[-2:] == [["pre_compact", "forgotten"], ["session_end", "forgotten"]]

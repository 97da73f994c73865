"""What a shell is given when somebody presses Tab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories.core import mirror, records, session_logs
from memories.core.paths import DataFolder
from memories.terminal import table
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION
from tests.terminal.running import said

ROOT = Path(__file__).resolve().parents[2]


def offered(*words: str) -> dict[str, str]:
    """Value -> what is said of it, in order."""
    lines = said("complete", "--", *words).splitlines()
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines}


def test_commands_are_offered_with_what_they_do(project: DataFolder) -> None:
    names = ("search", "show", "store", "status", "sync", "sync-setup", "setup_claude")
    assert offered("s") == {name: table.COMMANDS[name][1] for name in names}
    assert set(offered("help", "comp")) == {"completion"}
    assert list(offered("")) == [name for _, names in table.GROUPS for name in names]
    assert offered("make-tea", "") == {}


def test_options_are_offered_with_their_help(project: DataFolder) -> None:
    assert list(offered("search", "--t")) == ["--transcripts", "--type", "--tags"]
    assert offered("search", "--lim") == {"--limit": "how many hits (1-100, default 10)"}


@pytest.mark.parametrize(
    "words", [("store", "--type", ""), ("store", "--type", "=", ""), ("store", "some", "text", "--type", "")]
)
def test_what_an_option_takes_is_offered(project: DataFolder, words: tuple[str, ...]) -> None:
    assert set(offered(*words)) == set(records.TYPES)


def test_an_option_and_its_value_may_be_one_word(project: DataFolder) -> None:
    assert set(offered("store", "--type=no")) == {"--type=note"}


def test_projects_and_tags_come_from_the_index(keep: MakeRecord) -> None:
    keep("one", project="orders-api", tags="deploy, db")
    keep("two", project="orders-api", tags="deploy")
    keep("three", project="two words")
    assert list(offered("recent", "--project", "")) == ["orders-api", "two words"]
    assert list(offered("narrative", "Ord")) == ["orders-api"]
    assert list(offered("recent", "--project", '"two')) == ["two words"]
    assert list(offered("search", "--tags", "")) == ["deploy", "db"]
    assert list(offered("search", "--tags", "db,d")) == ["db,deploy", "db,db"]


def test_ids_carry_a_title(keep: MakeRecord, project: DataFolder) -> None:
    uuid = keep("# Choice\n\nPostgres \x1b[2J", project="shop")["uuid"]
    assert offered("show", uuid[:3]) == {uuid: "shop · Choice"}
    assert offered("connect", uuid, uuid[:3]) == {uuid: "shop · Choice"}
    assert uuid in offered("delete", "--yes", "")
    assert uuid in offered("store", "text", "--related", "")
    assert offered("restore", "") == {}
    said("delete", uuid, "--yes")
    assert offered("restore", "") == {uuid: "Choice"}


def test_session_ids_carry_what_was_asked_first(keep: MakeRecord) -> None:
    content = "shop\n\nRequests:\n- why did we leave redis?"
    keep(content, uuid=session_logs.log_uuid(SESSION), type="session_log", session_id=SESSION, project="shop")
    (value,) = offered("transcript", "")
    assert value == SESSION
    assert list(offered("forget", SESSION[:5])) == [SESSION]
    assert list(offered("brief", "--session", "")) == [SESSION]


def test_a_secret_in_a_title_is_not_shown(keep: MakeRecord) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    keep(f"{token} is the token")
    assert token not in said("complete", "--", "show", "")


@pytest.mark.parametrize("words", [("show", ""), ("recent", "--project", ""), ("restore", "")])
def test_without_an_index_or_a_folder_nothing_is_said(
    project: DataFolder, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    os.unlink(project.mirror)
    assert offered(*words) == {}
    Path(project.mirror).write_bytes(b"no database")
    assert offered(*words) == {}
    os.chmod(project.root, 0o777)  # noqa: S103 - what is refused
    assert offered(*words) == {}
    os.chmod(project.root, 0o700)
    monkeypatch.setenv("LLM_MEMORY_HOME", "/nowhere/at/all")
    assert offered(*words) == {}
    assert capsys.readouterr().err == ""


WORD = st.one_of(st.text(max_size=12), st.sampled_from(["search", "show", "--type", "--", "=", "--tags=", "restore"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(words=st.lists(WORD, max_size=5))
def test_any_words_are_answered_in_values_that_a_shell_can_read(
    project: DataFolder, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for line in said("complete", "--", *words).splitlines():
        value, tab, _ = line.partition("\t")
        assert value
        assert tab
        assert line.replace("\t", " ").isprintable()
    assert capsys.readouterr().err == ""


def test_it_starts_without_django_and_without_what_only_others_need(
    make_record: MakeRecord, folder: DataFolder
) -> None:
    make_record("note", project="shop")
    mirror.update(folder)
    command = [sys.executable, "-I", "-S", "-X", "importtime", str(ROOT / "manage.py"), "complete", "--", "st"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"LLM_MEMORY_HOME": folder.root})
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["store", "status"]
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"django", "sqlite3", "tqdm", "subprocess", "typing", "dataclasses", "shutil", "pathlib"}

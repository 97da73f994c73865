"""`llm-memory connect`, `delete`, `restore`: links, the trash and the way back, and the question before."""

from __future__ import annotations

import io
import json
import sys

import pytest

from memories.core import records
from memories.core.errors import InvalidRecordError, RecordNotFoundError
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.terminal.running import call, said


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_a_link_is_made_from_two_beginnings(keep: MakeRecord, project: DataFolder) -> None:
    one, two = keep("first")["uuid"], keep("second")["uuid"]
    assert said("connect", one[:8], two[:8]) == f"{one} is related to {two}\n"
    answer = json.loads(said("connect", one, two, "--relationship", "supersedes", "--json"))
    assert answer == {
        "status": "connected", "from_uuid": one, "to_uuid": two, "relationship": "supersedes", "warnings": [],
    }  # fmt: skip
    assert len(records.load(project, one)["connections"]) == 2
    with pytest.raises(InvalidRecordError, match="circle"):
        call("connect", two, one, "--relationship", "supersedes")


def test_what_is_deleted_goes_to_the_trash_and_the_way_back_is_said(keep: MakeRecord, project: DataFolder) -> None:
    one, two = keep("first")["uuid"], keep("second")["uuid"]
    lines = said("delete", one[:8], two, one, "--yes").splitlines()
    assert lines == [f"Deleted {one}", f"Deleted {two}", f"To bring it back: llm-memory restore {one} {two}"]
    assert "No such memories yet" in said("recent")
    assert said("restore", one[:8], two) == f"Restored {one}\nRestored {two}\n"
    assert one in said("recent")


def test_the_trash_is_listed_with_titles(keep: MakeRecord, project: DataFolder) -> None:
    assert said("restore") == "Nothing is in the trash.\n"
    uuid = keep("# Choice of database\n\nPostgres.", project="shop")["uuid"]
    answer = json.loads(said("delete", uuid, "--yes", "--json"))
    assert answer == {"deleted": [{"uuid": uuid, "status": "deleted", "warnings": []}]}
    head, title = said("restore").splitlines()
    assert head.endswith(f" note · shop  {uuid}")
    assert title == "  Choice of database"
    (one,) = json.loads(said("restore", "--json"))["deleted"]
    assert list(one) == ["uuid", "type", "project", "deleted_at", "title"]
    assert json.loads(said("restore", uuid, "--json"))["restored"][0]["uuid"] == uuid


@pytest.mark.parametrize(("typed", "code", "stays"), [("y\n", 0, False), ("n\n", 1, True), ("", 1, True)])
def test_on_a_terminal_it_asks(
    keep: MakeRecord, project: DataFolder, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, stays: bool
) -> None:
    uuid = keep("Deploys go out on Tuesdays.")["uuid"]
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    shown = said("delete", uuid[:8], code=code)
    assert shown.startswith(f"{uuid}  note  Deploys go out on Tuesdays.\n")
    assert ("Nothing was changed." in shown) == stays
    assert (uuid in said("recent")) == stays


def test_ctrl_c_at_the_question_changes_nothing_and_says_so(
    keep: MakeRecord, project: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = keep("Deploys go out on Tuesdays.")["uuid"]

    def interrupted(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", interrupted)
    assert said("delete", uuid, code=130).endswith("\nNothing was changed.\n")
    assert uuid in said("recent")


def test_without_a_terminal_nobody_is_asked_and_nothing_goes(keep: MakeRecord, project: DataFolder) -> None:
    uuid = keep("Deploys go out on Tuesdays.")["uuid"]
    with pytest.raises(InvalidRecordError, match="say --yes"):
        call("delete", uuid)
    with pytest.raises(InvalidRecordError, match="--json does not ask"):
        call("delete", uuid, "--json")
    with pytest.raises(RecordNotFoundError):
        call("delete", uuid, "0" * 32, "--yes")  # all are looked at before any goes
    assert uuid in said("recent")

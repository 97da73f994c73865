"""`llm-memory recent` and `llm-memory show`: the newest, and one whole."""

from __future__ import annotations

import json

import pytest

from memories.core import records
from memories.core.errors import RecordNotFoundError
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.memories.conversations import archive, session_id, talk
from tests.terminal.running import call, said


def test_the_newest_stand_first_with_where_they_belong(keep: MakeRecord) -> None:
    old = keep("Deploys go out on Tuesdays.", created_at="2026-01-02T10:00:00", project="shop")
    new = keep("# Choice\n\nPostgres.", created_at="2026-03-04T10:00:00", project="shop", origin="laptop")
    assert said("recent").splitlines() == [
        f"2026-03-04 note · shop  {new['uuid']}  from laptop",
        "  # Choice Postgres.",
        f"2026-01-02 note · shop  {old['uuid']}",
        "  Deploys go out on Tuesdays.",
    ]


def test_a_session_log_stands_by_what_the_session_was_asked_first(keep: MakeRecord) -> None:
    keep(
        "Project: shop\nTime: 2026-03-04\n\n## Opening request\n> Number the orders.\n> By year.\n", type="session_log"
    )
    assert said("recent").splitlines()[1] == "  Number the orders."


def test_a_session_logs_snippet_has_no_marks_of_headings(keep: MakeRecord) -> None:
    log = "Project: shop\nSaid: 1 request\n\n## Opening request\n> Number the orders.\n"
    keep(log, type="session_log", project="shop")
    snippet = said("search", "number", "orders").splitlines()[1]
    assert "Opening request: Number the orders." in snippet
    assert "#" not in snippet


def test_recent_keeps_to_the_project_type_and_number(keep: MakeRecord) -> None:
    for number in range(3):
        keep(f"note {number}", project="shop", created_at=f"2026-01-0{number + 1}T10:00:00")
    keep("elsewhere", project="bank")
    keep("a log", type="session_log", project="shop")
    answer = json.loads(said("recent", "--project", "shop", "--type", "note", "--limit", "2", "--json"))
    assert [memory["content"] for memory in answer["results"]] == ["note 2", "note 1"]
    assert list(answer) == ["results", "hint"]
    assert "No such memories in this project" in said("recent", "--project", "nowhere")


def test_an_empty_memory_says_how_to_begin(project: DataFolder) -> None:
    assert said("recent") == 'No such memories yet: `llm-memory store "TEXT"` keeps one.\n'
    assert json.loads(said("recent", "--json"))["hint"] == said("recent").strip()
    assert said("brief").splitlines()[-1] == 'Here in the terminal, `llm-memory store "TEXT"` keeps a memory.'


def test_a_memory_is_shown_whole_with_its_links_both_ways(keep: MakeRecord) -> None:
    old = keep("We use MySQL.", created_at="2026-01-02T10:00:00")
    gone = "f" * 32
    links = [
        {"to_uuid": old["uuid"], "relationship": "supersedes"}, {"to_uuid": gone, "relationship": "related_to"},
    ]  # fmt: skip
    new = keep("We chose Postgres.\n\n" + "why " * 200, project="shop", tags="db", connections=links)
    shown = said("show", new["uuid"][:6])
    assert shown.splitlines()[0] == f"{new['created_at'][:10]} note · shop  {new['uuid']}"
    assert "  tags: db\n" in shown
    assert f"\nWe chose Postgres.\n\n{('why ' * 200).strip()}\n" in shown
    assert f"supersedes  {old['uuid']}  We use MySQL.\n" in shown
    assert f"related to  {gone}  (not here)\n" in shown
    assert f"superseded by  {new['uuid']}  We chose Postgres." in said("show", old["uuid"])


def test_a_memory_as_json_has_every_field_and_its_links(keep: MakeRecord) -> None:
    record = keep("We chose Postgres.", tags="db")
    answer = json.loads(said("show", record["uuid"], "--json"))
    assert set(record) <= set(answer)
    assert answer["connections"] == {"outgoing": [], "incoming": []}


def test_what_is_no_memory_is_said_with_what_it_is(keep: MakeRecord, project: DataFolder) -> None:
    archive(project, talk("shall we deploy?"))
    with pytest.raises(RecordNotFoundError, match=f"is a session: `llm-memory transcript {session_id(1)}` reads it"):
        call("show", session_id(1))
    with pytest.raises(RecordNotFoundError, match="is no id: take a memory's"):
        call("show", "abc")
    deleted = keep("gone soon")["uuid"]
    records.delete(project, deleted)
    call("sync")
    with pytest.raises(RecordNotFoundError, match=f"llm-memory restore {deleted}"):
        call("show", deleted[:10])

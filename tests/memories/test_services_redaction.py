"""What memory_store does with secrets: replaced before anything else sees them, and said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from memories import services
from memories.core import records
from memories.core.errors import InvalidRecordError, NarrativeRefusedError
from memories.core.paths import DataFolder
from memories.core.projects import identify
from memories.core.redact import Redactor
from memories.services import Session

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
OTHER = "ghp_" + "z9Y8x7W6v5U4" * 3
HIDDEN = "[redacted: github-token]"
PASSWORD = "[redacted: password]"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session in a project's folder."""
    place = tmp_path / "orders"
    place.mkdir()
    return Session(identify(str(place), {}), "7b1e2f04-0000-4000-8000-00000000c0de")


def store(folder: DataFolder, session: Session, content: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Store a note; (answer, the record's file)."""
    answer = services.memory_store(folder, session, **{"content": content, "type": "note", **more})
    return answer, json.loads(Path(folder.records, f"{answer['uuid']}.json").read_bytes())


def test_a_secret_is_replaced_before_storing_and_the_answer_says_so(memory_home: DataFolder, session: Session) -> None:
    answer, record = store(memory_home, session, f"The key is {TOKEN}.")
    assert record["content"] == f"The key is {HIDDEN}."
    assert answer["warnings"] == [f"1 secret was replaced before storing (github-token): the record holds {HIDDEN}."]


def test_several_secrets_are_counted_and_each_rule_is_named_once(memory_home: DataFolder, session: Session) -> None:
    answer, record = store(memory_home, session, f"{TOKEN}, {OTHER} and DB_PASSWORD=vK7-q2Lm9xR")
    assert record["content"] == f"{HIDDEN}, {HIDDEN} and DB_PASSWORD={PASSWORD}"
    assert answer["warnings"] == [
        f"3 secrets were replaced before storing (github-token, password): the record holds {HIDDEN} and {PASSWORD}."
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("keep <private>a</private>", "1 private passage was left out before storing: the record holds [private]."),
        (
            "keep <private>a</private> and <PRIVATE>b",
            (
                "2 private passages were left out before storing: the record holds [private]. A <private> that is "
                "never closed took the rest of the text, 10 characters."
            ),
        ),
    ],
)
def test_private_passages_are_left_out_and_counted(
    memory_home: DataFolder, session: Session, content: str, says: str
) -> None:
    answer, record = store(memory_home, session, content)
    assert record["content"].startswith("keep [private]")
    assert answer["warnings"] == [says]


@pytest.mark.parametrize(
    "content", ["<private>all of it</private>", " <Private>all of it", "<private>a</private>\n<private>b"]
)
def test_nothing_but_a_private_passage_is_refused(memory_home: DataFolder, session: Session, content: str) -> None:
    with pytest.raises(InvalidRecordError, match="nothing was stored") as refused:
        services.memory_store(memory_home, session, content=content, type="note")
    assert Redactor().text(str(refused.value)) == str(refused.value)  # as the server shows it
    assert os.listdir(memory_home.records) == []


def test_a_content_without_secrets_is_stored_without_a_word(memory_home: DataFolder, session: Session) -> None:
    answer, record = store(memory_home, session, "The token bucket holds 20; the password check is in auth.py.")
    assert answer["warnings"] == []
    assert record["content"] == "The token bucket holds 20; the password check is in auth.py."


@pytest.mark.parametrize("name", ["tags", "project", "session_id", "transcript_ref"])
def test_a_secret_in_another_field_is_replaced_too(memory_home: DataFolder, session: Session, name: str) -> None:
    answer, record = store(memory_home, session, "Kept.", **{name: f"a {TOKEN}"})
    assert TOKEN not in json.dumps([record, answer])
    assert HIDDEN in record[name]
    assert "1 secret was replaced before storing (github-token)" in answer["warnings"][-1]


def test_duplicates_are_looked_for_with_what_would_be_stored(memory_home: DataFolder, session: Session) -> None:
    first, _ = store(memory_home, session, f"The deploy key of the orders service is {TOKEN}.")
    again = services.memory_store(
        memory_home, session, content=f"The deploy key of the orders service is {OTHER}.", type="note"
    )
    assert (again["status"], again["uuid"]) == ("duplicate_skipped", first["uuid"])


def test_a_record_written_by_hand_is_a_duplicate_of_the_redacted_text(
    memory_home: DataFolder, session: Session
) -> None:
    first, record = store(memory_home, session, "The key of the orders service is to be written down.")
    records.save(memory_home, record | {"content": f"The key of the orders service is {TOKEN}."})
    services._mirror(memory_home, [first["uuid"]], [])
    again = services.memory_store(
        memory_home, session, content=f"The key of the orders service is {TOKEN}.", type="note"
    )
    assert again["status"] == "duplicate_skipped"


def test_a_narrative_loses_nothing_by_redaction(memory_home: DataFolder, session: Session) -> None:
    text = f"# Orders\n\n## Decisions\n\n- We deploy with the key {TOKEN} of the robot.\n- Invoices are unique.\n"
    old, record = store(memory_home, session, "# Orders\n\n## Decisions\n\n- Nothing.\n", type="narrative")
    records.save(memory_home, record | {"content": text})  # by hand
    services._mirror(memory_home, [old["uuid"]], [])
    answer, record = store(memory_home, session, text + "- A third.\n", type="narrative")
    assert answer["status"] == "stored"
    assert TOKEN not in record["content"]


def test_what_a_refused_narrative_loses_is_told_without_secrets(memory_home: DataFolder, session: Session) -> None:
    text = f"# Orders\n\n## Decisions\n\n- We deploy with the key {TOKEN} of the robot.\n- Invoices are unique.\n"
    old, record = store(memory_home, session, "# Orders\n\n## Decisions\n\n- Nothing.\n", type="narrative")
    records.save(memory_home, record | {"content": text})
    services._mirror(memory_home, [old["uuid"]], [])
    with pytest.raises(NarrativeRefusedError) as refused:
        store(memory_home, session, "# Orders\n\n## Decisions\n\n- Invoices are unique.\n", type="narrative")
    assert TOKEN not in str(refused.value)
    assert HIDDEN in str(refused.value)


def test_the_users_patterns_count(memory_home: DataFolder, session: Session) -> None:
    Path(memory_home.settings).write_text('{"redact_patterns": ["blue-\\\\d+"]}', encoding="utf-8")
    answer, record = store(memory_home, session, "We meet at blue-17.")
    assert record["content"] == "We meet at [redacted: own-pattern]."
    assert "(own-pattern)" in answer["warnings"][0]

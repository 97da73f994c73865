"""Files that two machines changed before they met, as a file sync leaves them, and merged as `llm-memory sync` does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from memories.core import conversation_index, merge_copies, mirror, record_merge, records
from memories.core.paths import DataFolder
from memories.selectors import mirror_connection
from tests.memories.conversations import session_id, talk

MARK = ".sync-conflict-20260314-101010-ABCDEFG"


@contextmanager
def statements(folder: DataFolder) -> Iterator[list[str]]:
    """The SQL that SQLite is given meanwhile on the connection that selectors read by, Django's or not."""
    raw, found = mirror_connection(folder), list[str]()
    raw.set_trace_callback(found.append)
    try:
        yield found
    finally:
        raw.set_trace_callback(None)


def edited_twice(folder: DataFolder, shown: str, kept: str, **fields: Any) -> str:
    """A note that two machines edited, the laptop first: its file, and the copy beside it. Its uuid."""
    record = records.new_record(type="note", content="Deploys go out on Mondays", created_at="2026-03-01T08:00:00")
    record.update(fields)
    records.save(folder, record | {"content": shown, "origin": "desktop", "updated_at": "2026-03-14T09:00:00"})
    other = record | {"content": kept, "origin": "laptop", "updated_at": "2026-03-13T09:00:00"}
    Path(folder.records, f"{record['uuid']}{MARK}.json").write_bytes(records.dump(other))
    return str(record["uuid"])


def edited_and_deleted(folder: DataFolder, text: str = "Deploys go out on Fridays", **fields: Any) -> dict[str, str]:
    """A note that the laptop edited and another machine deleted later, merged. record: its uuid, kept: the edit's."""
    record = records.new_record(type="note", content="Deploys go out on Mondays", created_at="2026-03-01T08:00:00")
    record |= {"origin": "desktop", **fields}
    grave = record | {"deleted_at": "2026-03-14T09:00:00"}
    Path(folder.trash, f"{record['uuid']}.json").write_bytes(records.dump(grave))
    records.save(folder, record | {"content": text, "origin": "laptop", "updated_at": "2026-03-13T09:00:00"})
    merge(folder)
    return {"record": str(record["uuid"]), "kept": record_merge.kept_uuid(str(record["uuid"]), text)}


def continued_twice(folder: DataFolder, number: int = 1) -> str:
    """A session that went on on two machines; its id."""
    found = session_id(number)
    common = talk("When do deploys go out?", number=number).dump()
    Path(folder.transcripts, f"{found}.jsonl").write_bytes(common + talk("On Tuesdays, and never at night.").dump())
    Path(folder.transcripts, f"{found}{MARK}.jsonl").write_bytes(common + talk("On Fridays.").dump())
    return found


def ruled_twice(folder: DataFolder) -> None:
    """The rules text as two machines have it."""
    Path(folder.rules).write_text("# Rules\n\nBe brief.\nSay <b>so</b>.\n", encoding="utf-8")
    Path(folder.config, f"CLAUDE{MARK}.md").write_text("# Rules\n\nBe brief.\nAsk first.\n", encoding="utf-8")


def merge(folder: DataFolder) -> merge_copies.MergeResult:
    """Merge every copy, and bring the index up to date."""
    result = merge_copies.run(folder, shipped_rules=tuple)
    mirror.update(folder)
    conversation_index.update(folder)
    return result


def all_of_it(folder: DataFolder) -> dict[str, str]:
    """One disagreement of each kind, merged. record: the note's uuid, kept: that of the content that lost."""
    uuid = edited_twice(folder, "Deploys go out on Tuesdays", "Deploys go out on Fridays", project="orders-api")
    session = continued_twice(folder)
    ruled_twice(folder)
    kept = [name for name in merge(folder).kept if records.is_uuid(name)]
    assert not [name for name in os.listdir(folder.records) if MARK in name]
    return {"record": uuid, "kept": kept[0], "session": session}

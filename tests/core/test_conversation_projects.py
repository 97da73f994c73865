"""Which project a conversation belongs to: by its log, else by the folder it was held in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from memories.core import conversation, mirror, paths, records
from tests.core.conversations import MAIN, new_folder, put, select, update
from tests.core.transcript_lines import OTHER_SESSION, SESSION, Script

NAMED = "SELECT project, project_key, project_id FROM session ORDER BY path"


@pytest.fixture
def folder(tmp_path: Path) -> paths.DataFolder:
    return new_folder(tmp_path)


def talk(cwd: str | os.PathLike[str], text: str = "Hello") -> bytes:
    script = Script(str(cwd))
    script.user(text)
    return script.dump()


def log(
    folder: paths.DataFolder, project: str | None, project_id: str | None, created_at: str = "2026-03-14T10:00:00"
) -> None:
    named = {"project": project, "project_id": project_id, "session_id": SESSION}
    records.save(folder, records.new_record(type="session_log", content="Done.", created_at=created_at, **named))
    mirror.update(folder)


def test_a_sessions_log_names_the_project_of_all_its_parts(folder: paths.DataFolder) -> None:
    log(folder, "Orders_API", "git:example.com/acme/orders-api")
    put(folder, talk("/elsewhere"))
    put(folder, talk("/elsewhere", "Agent"), f"{SESSION}/subagents/agent-x.jsonl")
    update(folder)
    assert select(folder, NAMED) == [("Orders_API", "orders-api", "git:example.com/acme/orders-api")] * 2


def test_a_log_that_arrives_later_wins_over_the_folder(folder: paths.DataFolder, tmp_path: Path) -> None:
    put(folder, talk(tmp_path / "shop"))
    update(folder)
    assert select(folder, NAMED) == [("shop", "shop", f"path:{tmp_path / 'shop'}")]
    log(folder, "orders", "git:example.com/acme/orders")
    update(folder)
    assert select(folder, NAMED) == [("orders", "orders", "git:example.com/acme/orders")]
    put(folder, talk(tmp_path / "shop") + talk(tmp_path / "shop", "More"))
    update(folder)
    assert select(folder, NAMED) == [("orders", "orders", "git:example.com/acme/orders")]


def test_a_log_without_a_project_leaves_the_session_without_one(folder: paths.DataFolder, tmp_path: Path) -> None:
    put(folder, talk(tmp_path / "shop"))
    update(folder)
    log(folder, None, None)
    for _ in range(2):
        update(folder)
        assert select(folder, NAMED) == [(None, None, None)]


def test_of_several_logs_the_latest_counts(folder: paths.DataFolder) -> None:
    put(folder, talk("/elsewhere"))
    log(folder, "late", None, "2026-03-15T10:00:00")
    log(folder, "early", None, "2026-03-14T10:00:00")
    for _ in range(2):
        update(folder)
        assert select(folder, NAMED) == [("late", "late", None)]


def test_each_session_without_a_log_is_named_after_its_own_folder(folder: paths.DataFolder, tmp_path: Path) -> None:
    put(folder, talk(tmp_path / "shop"))
    put(folder, talk(tmp_path / "till", "Other"), OTHER_SESSION + ".jsonl")
    put(folder, talk(os.path.expanduser("~"), "Home"), f"{SESSION}/subagents/agent-home.jsonl")
    update(folder)
    assert [name for name, _, _ in select(folder, NAMED)] == ["till", "shop", None]


@pytest.mark.parametrize("by", ["marker", "settings", "broken settings"])
def test_a_folder_that_may_not_be_remembered_is_not_named_until_it_may(
    folder: paths.DataFolder, tmp_path: Path, by: str
) -> None:
    cwd = tmp_path / "secret"
    cwd.mkdir()
    marker, values = cwd / ".llm-memory.json", Path(folder.settings)
    written = {"marker": (marker, '{"enabled": false}'), "settings": (values, '{"excluded_paths": ["secret"]}')}
    path, text = written.get(by, (values, "{"))
    path.write_text(text, encoding="utf-8")
    put(folder, talk(cwd))
    assert update(folder).total == 1
    assert select(folder, NAMED) == [(None, None, None)]
    path.unlink()
    update(folder)
    assert select(folder, NAMED) == [("secret", "secret", f"path:{cwd}")]


def test_a_folder_is_looked_for_once(folder: paths.DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script("/")
    script.user("No folder", cwd=None)
    put(folder, script.dump())
    update(folder)
    looked: list[str] = []
    real = conversation.first_cwd

    def watched(path: str, matches: Callable[[str], bool]) -> str | None:
        looked.append(path)
        return real(path, matches)

    monkeypatch.setattr(conversation, "first_cwd", watched)
    update(folder)
    assert looked == []
    script.user("A folder", cwd="/srv/shop")
    put(folder, script.dump())
    update(folder)
    assert len(looked) == 1
    assert select(folder, NAMED) == [("shop", "shop", "path:/srv/shop")]


def test_a_folders_name_of_any_characters_is_kept(folder: paths.DataFolder) -> None:
    put(folder, json.dumps({"type": "user", "message": {"content": "x"}, "cwd": "/srv/\ud800\0x"}).encode() + b"\n")
    update(folder)
    assert select(folder, "SELECT path, cwd FROM session") == [(MAIN, "/srv/?\ufffdx")]

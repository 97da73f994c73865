"""What the dashboard shows of sessions that were forgotten, and of transcripts that were let go."""

from __future__ import annotations

import json
import os
import time
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

from memories.core import forgetting, forgotten, records, retention, session_logs, sync
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from memories.status import status
from memories.status_json import status_json
from memories.status_text import Paint, status_lines
from tests.core.transcript_lines import OTHER_SESSION, SESSION, short_session

GONE, KEPT = SESSION, OTHER_SESSION


@pytest.fixture
def projects(memory_home: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Claude Code's transcripts: two sessions of one project, archived and indexed."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    place = tmp_path / "claude" / "projects"
    for session_id in (GONE, KEPT):
        short_session("/srv/shop", session_id).write(place)
    sync.run(memory_home, str(place), dict(DEFAULTS), wait_seconds=5)
    return place


def _page(client: Client, address: str, code: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == code
    return " ".join(unescape(response.content.decode()).split())


def _let_go(folder: DataFolder, session_id: str) -> None:
    forgotten.mark(folder, session_id, forgotten.EXPIRED)
    sync.run(folder, None, dict(DEFAULTS), wait_seconds=5)


def test_a_transcript_that_was_let_go_says_so_and_leads_to_its_log(
    client: Client, memory_home: DataFolder, projects: Path
) -> None:
    _let_go(memory_home, GONE)
    log = session_logs.log_uuid(GONE)
    page = _page(client, f"/t/{GONE}/", 410)
    assert "This transcript is not kept any more" in page
    assert "was let go by the retention settings" in page
    assert f"/m/{log}/" in page
    assert "transcript let go by the retention settings" in _page(client, f"/m/{log}/")
    assert "transcript let go" in _page(client, "/p/shop/")
    assert f"/t/{GONE}/" not in _page(client, "/s/")


def test_a_forgotten_session_is_named_as_that_and_nowhere_as_missing(
    client: Client, memory_home: DataFolder, projects: Path
) -> None:
    content = f"# shop\n\n## Decisions\n- Retries are three [{GONE[:8]}-0000-4000-8000-00000000c0de:2]."
    refs = json.dumps([GONE, KEPT])
    narrative = records.new_record(type="narrative", content=content, project="shop", transcript_ref=refs)
    records.save(memory_home, narrative)
    forgetting.forget(memory_home, [GONE])
    page = _page(client, f"/t/{GONE}/", 410)
    assert "was forgotten by its user" in page
    page = _page(client, f"/m/{narrative['uuid']}/")
    assert '<span class="absent">forgotten</span>' in page
    assert "not archived here" not in page
    assert f"{GONE}:2" in page
    assert "not in the archive here" not in _page(client, "/p/shop/")
    assert f"/m/{session_logs.log_uuid(GONE)}/" not in _page(client, "/s/")


def test_status_says_what_is_kept_and_what_went(client: Client, memory_home: DataFolder, projects: Path) -> None:
    page = _page(client, "/status/")
    assert "<dt>Transcripts</dt><dd>all kept</dd>" in page
    _let_go(memory_home, GONE)
    forgetting.forget(memory_home, [KEPT])
    Path(memory_home.settings).write_text('{"transcripts_keep_days": 30}', "utf-8")
    page = _page(client, "/status/")
    assert "kept for 30 days: nothing goes within a week" in page
    assert "1 transcript; the session logs stay" in page
    assert "<dt>Forgotten</dt><dd>1 session</dd>" in page
    lines = list(status_lines(status(memory_home), None, Paint()))
    assert "Keeping        transcripts: for 30 days; nothing goes within a week" in lines
    assert f"{'':15}1 session forgotten, 1 transcript let go" in lines
    keeping = status_json(status(memory_home), None)["keeping"]
    assert (keeping["forgotten"], keeping["let_go"], keeping["days"], keeping["next_at"]) == (1, 1, 30, None)


def test_status_says_beforehand_how_much_goes_and_when(client: Client, memory_home: DataFolder, projects: Path) -> None:
    for path in [*projects.rglob("*.jsonl"), *Path(memory_home.transcripts).rglob("*.jsonl")]:
        ended = time.time() - (31 if GONE in path.name else 27) * retention.DAY
        _touch(path, ended)
    Path(memory_home.settings).write_text('{"transcripts_keep_days": 30}', "utf-8")
    said = f"1 more within 7 days, {KEPT} first, in 3 days"
    found = status(memory_home)
    assert found.keeping.said.startswith("1 transcript, ")
    assert "will go after" in found.keeping.said
    assert found.keeping.said.endswith(said)
    lists = "`llm-memory forget --expired --dry-run` lists them"
    assert (f"A new setting is about to let transcripts go: {lists}.", "keeping") in found.attention
    assert found.keeping.next_session == KEPT
    page = _page(client, "/status/")
    assert said in page
    seen = {"days": 30, "mb": 0, "since": time.time() - 2 * retention.DAY}
    Path(memory_home.state, "retention-seen").write_text(json.dumps(seen), "utf-8")
    assert "goes at the next sync" in status(memory_home).keeping.said


def _touch(path: Path, seconds: float) -> None:
    os.utime(path, (seconds, seconds))


def test_what_is_not_finished_is_something_to_look_at(memory_home: DataFolder, projects: Path) -> None:
    forgotten.mark(memory_home, GONE, forgotten.FORGOTTEN)
    assert [place for said, place in status(memory_home).attention if "forgotten session" in said] == ["keeping"]
    sync.run(memory_home, None, dict(DEFAULTS), wait_seconds=5)
    assert status(memory_home).keeping.is_settled

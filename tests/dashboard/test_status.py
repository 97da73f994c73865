"""/status/: what is there, what is wrong with it, and what to do; /status/checks/: doctor's checks that only read."""

from __future__ import annotations

import os
import re
import time
from html import unescape
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from memories import doctor
from memories.capture_status import capture
from memories.core import forgotten, mirror, records, transcripts
from memories.core import state as hook_state
from memories.core.files import remove_quietly
from memories.core.paths import DataFolder
from memories.doctor_transcripts import CLEANUP_DAYS, cleanup_days
from memories.status import status
from tests.conftest import MakeRecord
from tests.core.transcript_lines import short_session
from tests.dashboard import realistic
from tests.dashboard.conftest import Remember
from tests.memories.conversations import session_id

DAY = 86_400


@pytest.fixture
def claude(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Claude Code's folder, empty."""
    found = tmp_path / "claude"
    found.mkdir()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(found))
    return found


def _page(client: Client, address: str = "/status/") -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(unescape(response.content.decode()).split())


def _session(claude: Path, number: int, days_old: float) -> str:
    """A transcript that Claude Code keeps; its path."""
    path = short_session("/srv/shop", session_id(number)).write(claude / "projects")
    then = time.time() - days_old * DAY
    os.utime(path, (then, then))
    return path


def test_a_new_install_says_what_to_do(client: Client) -> None:
    page = _page(client)
    assert "Nothing is remembered yet. Start Claude Code in a project" in page
    assert "No hook has run yet" in page
    assert "No machine has stored a memory here yet." in page
    assert "Nothing to look at in the files, the index and the hooks" in page


def test_the_figures_are_those_of_the_files(memory_home: DataFolder, client: Client) -> None:
    realistic.fill(memory_home)
    found = status(memory_home)
    assert found.index is not None
    assert found.index.types == [("narrative", 2, 1), ("note", 3, 0), ("session_log", 2, 0)]
    assert (found.index.records, found.index.sessions, found.index.trash) == (8, 3, 1)
    assert (found.index.transcripts, found.index.turns) == (4, 7)
    assert not found.index.is_behind
    assert "3 with 7 turns, in 4 transcripts" in _page(client)


def test_skipped_files_are_named_with_the_reason(memory_home: DataFolder, client: Client) -> None:
    realistic.fill(memory_home)
    page = _page(client)
    assert "1 record that cannot be read" in page
    assert f"<code>{realistic.BROKEN}</code> not JSON" in page
    assert "<code>notes.txt</code> its name is not" in page
    found = status(memory_home)
    assert ("1 record cannot be read.", "skipped") in found.attention
    assert found.index is not None
    assert realistic.RECORD_CONFLICT not in dict(found.index.foreign.items), "a conflict is said once, as such"


def test_conflict_copies_are_named_in_every_synced_folder(memory_home: DataFolder, client: Client) -> None:
    realistic.fill(memory_home)
    copies, page = status(memory_home).copies, _page(client)
    waiting = [
        f"transcripts/{session_id(1)}.sync-conflict-20260314-101010-ABCDEFG.jsonl",
        "config/settings.sync-conflict-20260314-101010-ABCDEFG.json",
    ]
    assert [name for name, _ in copies.waiting.items] == waiting
    ((stuck, reason),) = copies.stuck.items
    assert stuck == f"records/{realistic.RECORD_CONFLICT}"
    assert "uuid must be" in reason
    assert all(name in page for name in [*waiting, stuck, reason])
    assert "2 conflict copies wait to be merged." in page
    assert "1 conflict copy cannot be merged." in page


def test_a_file_name_that_is_no_text_is_shown_as_far_as_it_is(memory_home: DataFolder, client: Client) -> None:
    path = os.path.join(
        os.fsencode(memory_home.config), b"\xff\x1b[31m<b>\xe2\x80\xae.sync-conflict-20260314-101010.md"
    )
    with open(path, "wb"):
        pass
    page = _page(client)
    assert "config/?[31m<b>.sync-conflict-20260314-101010.md</code>" in page
    assert "\x1b" not in page


def test_memories_that_are_awaited_are_named_with_what_links_to_them(
    memory_home: DataFolder, client: Client, remember: Remember
) -> None:
    assert "Awaited" not in _page(client)
    made = remember("the <i>source</i>", connections=[{"to_uuid": "ab" * 16, "relationship": "related_to"}])
    page = _page(client)
    assert "1 memory that others link to is not here" in page
    assert f"<code>{'ab' * 16}</code>" in page
    assert f'href="/m/{made["uuid"]}/">the <i>source</i>' in page, "as text: the page was unescaped here"


def test_the_disk_is_shown_with_what_travels(memory_home: DataFolder, client: Client) -> None:
    realistic.fill(memory_home)
    page = _page(client)
    assert re.search(r"<code>records/</code>.*?carries it.*?<code>memory.db</code>.*?leaves it", page)
    listed = [entry for entry in os.scandir(memory_home.records) if entry.is_file()]
    (found,) = [part for part in status(memory_home).disk.parts if part.name == "records"]
    assert found.size == sum(entry.stat().st_size for entry in listed)


def test_several_active_narratives_of_a_project_are_a_fork(memory_home: DataFolder, client: Client) -> None:
    made = realistic.fill(memory_home)
    (fork,) = status(memory_home).forks
    assert (fork.project, [one.uuid for one in fork.narratives]) == ("orders-api", [made["narrative"], made["fork"]])
    assert f'href="/m/{made["fork"]}/"' in _page(client)


def test_a_narrative_without_an_id_belongs_to_the_project_of_its_name(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    for fields in ({"project_id": "git:a/b/shop"}, {}, {"project": "other"}):
        record = records.new_record(type="note", content="text")
        records.save(memory_home, record | {"type": "narrative", "project": "shop"} | fields)
    mirror.update(memory_home)
    assert [(fork.project, len(fork.narratives)) for fork in status(memory_home).forks] == [("shop", 2)]


def test_machines_come_with_their_counts_and_last_change(memory_home: DataFolder, client: Client) -> None:
    realistic.fill(memory_home)
    by_name = {machine.name: machine for machine in status(memory_home).machines}
    assert list(by_name) == [records.machine_name(), "laptop", ""]
    assert by_name[records.machine_name()].is_this
    assert (by_name["laptop"].memories, by_name["laptop"].changed_at) == (1, "2026-03-15T08:00:00")
    assert (by_name[""].memories, by_name[""].session_logs) == (0, 2)
    assert "and 2 session logs" in _page(client)


def test_records_that_came_after_the_last_scan_are_said(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("one")
    mirror.update(memory_home)
    old = time.time() - 100
    for path in (memory_home.mirror, f"{memory_home.mirror}-wal"):
        if os.path.exists(path):
            os.utime(path, (old, old))
    now = time.time() - 50
    os.utime(memory_home.records, (now, now))
    found = status(memory_home)
    assert found.index is not None
    assert found.index.is_behind
    assert ("Records changed after the index was last written.", "index") in found.attention
    mirror.update(memory_home)
    found = status(memory_home)
    assert found.index is not None
    assert not found.index.is_behind


def test_without_an_index_the_page_still_says_the_rest(client: Client, memory_home: DataFolder, claude: Path) -> None:
    _session(claude, 1, 28)
    remove_quietly(memory_home.mirror)
    page = _page(client)
    assert "The index is not ready." in page
    assert "llm-memory sync" in page
    assert "1 transcript is about to be deleted and not archived." in page
    assert not os.path.exists(memory_home.mirror)


def test_hooks_show_when_they_last_ran_and_which_fell_silent(
    memory_home: DataFolder, client: Client, claude: Path
) -> None:
    for event in ("session_start", "post_tool_use"):
        hook_state.beat(memory_home, event)
    past = time.time() - 3 * DAY
    os.utime(os.path.join(memory_home.state, "heartbeat", "session_start"), (past, past))
    _session(claude, 1, 0)
    hooks = {hook.event: (bool(hook.last), hook.is_silent) for hook in capture(memory_home).hooks}
    assert hooks == {
        "SessionStart": (True, True), "PostToolUse": (True, False), "PreCompact": (False, False),
        "SessionEnd": (False, False),
    }  # fmt: skip
    page = _page(client)
    assert "Hooks that no longer run: SessionStart." in page
    assert "./install.sh" in page


def test_compactions_may_stay_away(memory_home: DataFolder, claude: Path) -> None:
    hook_state.beat(memory_home, "pre_compact")
    os.utime(os.path.join(memory_home.state, "heartbeat", "pre_compact"), (0, 1))
    _session(claude, 1, 0)
    assert capture(memory_home).silent == ""


def test_recent_failures_of_hooks_are_shown_newest_first(memory_home: DataFolder, client: Client) -> None:
    for number in range(7):
        hook_state.log_hook(memory_home, "session_end", f"failed: <i>reason {number}</i>", 0.1, None)
    failures = capture(memory_home).failures
    assert len(failures) == 5
    assert "reason 6" in failures[0]
    assert "<i>" not in client.get("/status/").content.decode()


def test_transcripts_about_to_be_deleted_are_listed_with_what_is_kept_of_them(
    memory_home: DataFolder, client: Client, claude: Path
) -> None:
    archived = _session(claude, 1, 27.5)
    transcripts.archive(memory_home, archived)
    _session(claude, 2, 24.5)
    _session(claude, 3, 40)
    _session(claude, 4, 22)
    left_out = transcripts.source_at(_session(claude, 5, 26.5))
    assert left_out is not None
    Path(memory_home.state, "sweep.json").write_text(
        f'{{"{left_out.path}": [{left_out.size}, {left_out.mtime_ns}]}}', encoding="utf-8"
    )
    found = capture(memory_home)
    assert [(one.session_id, one.days, one.kept) for one in found.leaving] == [
        (session_id(3), 0, "waiting"),
        (session_id(2), 5, "waiting"),
        (session_id(1), 2, "archived"),
        (session_id(5), 3, "passed over"),
    ]
    assert (found.kept, found.waiting, found.more) == (5, 2, 0)
    page = _page(client)
    assert "2 are not archived." in page
    assert "Run <code>llm-memory sync</code> to keep them" in page
    assert f'href="/t/{session_id(1)}/"' in page


def test_a_session_that_was_forgotten_or_let_go_is_called_so_and_not_excluded(
    client: Client, memory_home: DataFolder, claude: Path
) -> None:
    for number, kind in enumerate((forgotten.FORGOTTEN, forgotten.EXPIRED), 1):
        path = _session(claude, number, 28)
        forgotten.mark(memory_home, session_id(number), kind, os.stat(path).st_mtime_ns)
    assert {one.kept for one in capture(memory_home).leaving} == {"forgotten", "let go"}
    page = _page(client)
    assert "on purpose: only Claude Code still has it" in page
    assert "by the retention settings; its session log stays" in page
    assert "excluded, or nothing was said in it" not in page


def test_an_archive_that_lacks_the_end_is_not_archived(memory_home: DataFolder, claude: Path) -> None:
    path = _session(claude, 1, 28)
    transcripts.archive(memory_home, path)
    with open(path, "ab") as file:
        file.write(b"{}\n")
    os.utime(path, (time.time() - 26 * DAY,) * 2)
    assert [one.kept for one in capture(memory_home).leaving] == ["waiting"]


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ('{"cleanupPeriodDays": 99}', 99),
        ('{"cleanupPeriodDays": 0}', CLEANUP_DAYS),
        ('{"cleanupPeriodDays": true}', CLEANUP_DAYS),
        ('{"cleanupPeriodDays": "7"}', CLEANUP_DAYS),
        ("[]", CLEANUP_DAYS),
        ("{", CLEANUP_DAYS),
    ],
)
def test_claude_codes_own_setting_says_when(claude: Path, written: str, days: int) -> None:
    assert cleanup_days() == CLEANUP_DAYS
    (claude / "settings.json").write_text(written, encoding="utf-8")
    assert cleanup_days() == days


def test_the_number_of_queries_does_not_grow_with_rows(
    client: Client, remember: Remember, memory_home: DataFolder
) -> None:
    remember("one", origin="a")
    with CaptureQueriesContext(connection) as few:
        client.get("/status/")
    for number in range(12):
        remember(f"text {number}", origin=f"machine {number}", project=f"p{number}")
        Path(memory_home.records, f"odd {number}").touch()
    mirror.update(memory_home)
    with CaptureQueriesContext(connection) as many:
        client.get("/status/")
    assert len(many) == len(few)


def test_many_skipped_files_are_counted_rather_than_listed(memory_home: DataFolder, client: Client) -> None:
    for number in range(300):
        Path(memory_home.records, f"odd-{number:03d}").touch()
    mirror.update(memory_home)
    found = status(memory_home).index
    assert found is not None
    assert (len(found.foreign.items), found.foreign.more, found.foreign.count) == (20, 280, 300)
    assert len(client.get("/status/").content) < 60_000


def test_the_checks_are_a_part_for_htmx_and_a_page_without(client: Client) -> None:
    part = client.get("/status/checks/", headers={"HX-Request": "true"})
    page = client.get("/status/checks/")
    assert b"<html" not in part.content
    assert b"<html" in page.content
    for answer in (part, page):
        assert b"all values are known and in range" in answer.content
        assert b"also compares the text indexes" in answer.content
        assert "HX-Request" in answer.headers["Vary"]


def test_a_note_is_not_shown_as_a_fault(client: Client) -> None:
    page = " ".join(client.get("/status/checks/").content.decode().split())
    assert '<span class="state">Note</span> <p><strong>capture</strong>: no hook has run yet' in page


def test_the_page_leads_to_the_checks_without_javascript(client: Client) -> None:
    assert '<a href="/status/checks/">Run the checks</a>' in _page(client)


def test_read_only_checks_are_doctors_without_those_that_write(memory_home: DataFolder) -> None:
    realistic.fill(memory_home)
    whole, reading = doctor.run(memory_home), doctor.run(memory_home, read_only=True)
    assert [one.name for one in whole if one not in reading and one.status == "ok"] == [
        "index", "conversations", "round trip",
    ]  # fmt: skip
    assert {one.name for one in whole} - {one.name for one in reading} == {"round trip"}
    assert next(one for one in reading if one.name == "index").text == "8 records, text index complete"


def test_read_only_checks_see_a_text_index_that_lacks_rows(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("one")
    mirror.update(memory_home)
    raw = mirror.connect(memory_home.mirror)
    raw.execute("DELETE FROM memory_fts_docsize")
    raw.close()
    found = next(one for one in doctor.run(memory_home, read_only=True) if one.name == "index")
    assert (found.status, found.todo) == ("fail", "run `llm-memory rebuild_index`")

"""Which transcripts the retention settings let go, when, and what stays."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from memories.core import (
    archived_sessions,
    conversation_index,
    forgetting,
    forgotten,
    mirror,
    records,
    retention,
    session_logs,
    sync,
)
from memories.core.errors import TranscriptGoneError
from memories.core.paths import DataFolder
from memories.core.retention import DAY, LetGo, Outlook
from memories.core.settings import DEFAULTS
from memories.status_keeping import said_outlook
from tests.core.killed import killed_before
from tests.core.transcript_lines import short_session

MB = 1_000_000


def sid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


@pytest.fixture
def archived(folder: DataFolder, tmp_path: Path) -> Callable[..., str]:
    """archived(number, days, size): a session whose transcript Claude Code still has, archived, that ended so many days
    ago and has at least so many bytes."""

    def make(number: int, days: float, size: int = 0) -> str:
        script = short_session("/srv/shop", sid(number), f"Session {number}")
        script.other(type="padding", text="x" * size)
        path = script.write(tmp_path / "projects")
        ended = time.time() - days * DAY
        os.utime(path, (ended, ended))
        run(folder, tmp_path)
        return sid(number)

    return make


def run(folder: DataFolder, tmp_path: Path, **settings: Any) -> LetGo | None:
    """A whole sync; what it let go."""
    result = sync.run(folder, str(tmp_path / "projects"), {**DEFAULTS, **settings}, wait_seconds=0)
    assert result.problems == []
    return result.let_go


def run_later(folder: DataFolder, tmp_path: Path, **settings: Any) -> list[str]:
    """A sync that sees the settings, and one a day later; the sessions that were let go, in that order."""
    run(folder, tmp_path, **settings)
    _age_seen(folder)
    done = run(folder, tmp_path, **settings)
    assert done is not None
    return [one.session_id for one in done.sessions]


def _age_seen(folder: DataFolder, seconds: float = retention.GRACE_SECONDS) -> None:
    path = Path(folder.state, "retention-seen")
    value = json.loads(path.read_bytes())
    path.write_text(json.dumps({**value, "since": value["since"] - seconds}), "utf-8")


def look(folder: DataFolder, tmp_path: Path, **settings: Any) -> Outlook:
    with closing(mirror.connect(folder.mirror, read_only=True)) as connection:
        found = retention.outlook(folder, str(tmp_path / "projects"), {**DEFAULTS, **settings}, connection)
    assert found is not None
    return found


def there(folder: DataFolder) -> list[int]:
    return sorted(int(one.name[:8], 16) for one in archived_sessions.newest(folder, 100))


def cover(folder: DataFolder, *numbers: int, **fields: Any) -> None:
    """Store a narrative of these sessions."""
    refs = json.dumps([sid(number) for number in numbers])
    record = records.new_record(type="narrative", content="# Shop", project="shop", transcript_ref=refs, **fields)
    records.save(folder, record)
    mirror.update(folder)


def test_off_by_default_nothing_is_let_go_or_noted(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 4000)
    assert run(folder, tmp_path) is None
    assert there(folder) == [1]
    assert not os.path.exists(os.path.join(folder.state, "retention-seen"))
    assert not retention.wants_a_run(folder, DEFAULTS)


def test_what_is_older_than_the_days_goes_and_its_log_stays(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    old, young = archived(1, 31), archived(2, 29)
    conversation_index.update(folder)
    assert run_later(folder, tmp_path, transcripts_keep_days=30) == [old]
    assert there(folder) == [2]
    assert records.load(folder, session_logs.log_uuid(old))["session_id"] == old
    with closing(mirror.connect(folder.mirror, read_only=True)) as connection:
        assert connection.execute("SELECT session_id FROM session").fetchall() == [(young,)]
        assert connection.execute("SELECT count(*) FROM memory WHERE session_id = ?", (old,)).fetchone() == (1,)
    with pytest.raises(TranscriptGoneError, match="let go by the retention settings") as raised:
        archived_sessions.find(folder, old)
    assert raised.value.log_uuid == session_logs.log_uuid(old)


def test_what_claude_code_still_has_does_not_bring_it_back_but_what_goes_on_comes_back_whole(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 31)
    run_later(folder, tmp_path, transcripts_keep_days=30)
    result = sync.run(folder, str(tmp_path / "projects"), dict(DEFAULTS), wait_seconds=0)
    assert result.swept is not None
    assert (result.swept.archived, result.swept.logged, result.swept.kept_out) == ([], 0, 1)
    source = next((tmp_path / "projects").rglob("*.jsonl"))
    with source.open("ab") as file:
        file.write(short_session("/srv/shop", sid(1), "It goes on").dump())
    run(folder, tmp_path, transcripts_keep_days=30)
    assert there(folder) == [1]
    assert Path(folder.transcripts, source.name).read_bytes() == source.read_bytes()
    assert run_later(folder, tmp_path, transcripts_keep_days=30) == []


def test_the_whole_session_goes_with_what_is_beside_it(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    old = archived(1, 31)
    beside = Path(folder.transcripts, old, "subagents", "agent-1.jsonl")
    beside.parent.mkdir(parents=True)
    beside.write_bytes(b"{}\n")
    os.utime(beside, (1, 1))
    assert run_later(folder, tmp_path, transcripts_keep_days=30) == [old]
    assert os.listdir(folder.transcripts) == []


def test_by_size_the_oldest_go_until_the_rest_fits(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    for number in range(1, 6):
        archived(number, 60.5 - number, MB)
    cover(folder, 1, 2, 3, 4, 5)
    assert run_later(folder, tmp_path, transcripts_keep_mb=3) == [sid(1), sid(2), sid(3)]
    assert there(folder) == [4, 5]


def test_by_size_what_no_narrative_covers_goes_last_and_never_before_the_days(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    for number in range(1, 5):
        archived(number, 60.5 - number, MB)
    grown = {"processed_bytes": {sid(2): 10, sid(4): 10 * MB}}
    cover(folder, 2, 3, 4, **grown)
    order = [one.session_id for one in look(folder, tmp_path, transcripts_keep_mb=1).due]
    assert order == [sid(3), sid(4), sid(1), sid(2)]  # 2 went on since the narrative was written
    found = look(folder, tmp_path, transcripts_keep_mb=1, transcripts_keep_days=59)
    assert [one.session_id for one in found.due] == [sid(1), sid(3), sid(4)]  # 1 by its days
    assert found.over > 0


def test_what_ended_within_a_day_or_in_the_future_is_kept_whatever_it_takes(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 0.5, MB)
    archived(2, -400, MB)
    found = look(folder, tmp_path, transcripts_keep_mb=1, transcripts_keep_days=1)
    assert found.due == []
    assert found.over > MB


def test_what_runs_or_is_not_archived_to_its_end_is_kept(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        archived(number, 31)
    source = next((tmp_path / "projects").rglob(f"{sid(1)}.jsonl"))
    with source.open("ab") as file:
        file.write(b'{"type": "user"}\n')
    clients = Path(folder.state, "clients")
    clients.mkdir()
    (clients / str(os.getpid())).write_text(json.dumps({"session_id": sid(2)}), "utf-8")
    (clients / str(2**22 + 1)).write_text(json.dumps({"session_id": sid(3)}), "utf-8")  # no such process
    assert [one.session_id for one in look(folder, tmp_path, transcripts_keep_days=30).due] == [sid(3)]


def test_a_folder_without_its_transcript_is_kept_it_may_be_arriving(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 31)
    arriving = Path(folder.transcripts, sid(2), "subagents", "agent-1.jsonl")
    arriving.parent.mkdir(parents=True)
    arriving.write_bytes(b"{}\n")
    os.utime(arriving, (1, 1))
    assert run_later(folder, tmp_path, transcripts_keep_days=30) == [sid(1)]
    assert arriving.exists()


def test_a_session_that_is_arriving_is_kept(folder: DataFolder, archived: Callable[..., str], tmp_path: Path) -> None:
    arriving = Path(folder.transcripts, f".syncthing.{archived(1, 31)}.jsonl.tmp")
    arriving.write_bytes(b"{}\n")
    assert run_later(folder, tmp_path, transcripts_keep_days=30) == []
    assert arriving.exists()


# Saying so before.


def test_the_first_sync_that_sees_a_setting_waits_a_day(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 31)
    done = run(folder, tmp_path, transcripts_keep_days=30)
    assert done is not None
    assert (done.sessions, len(done.outlook.due)) == ([], 1)
    assert done.outlook.starts_at is not None
    assert 0 < done.outlook.starts_at - time.time() <= retention.GRACE_SECONDS
    assert there(folder) == [1]
    _age_seen(folder, retention.GRACE_SECONDS / 2)
    assert look(folder, tmp_path, transcripts_keep_days=30).starts_at is not None
    _age_seen(folder, retention.GRACE_SECONDS / 2)
    assert look(folder, tmp_path, transcripts_keep_days=30).starts_at is None


@pytest.mark.parametrize(("settings", "waits"), [
    ({"transcripts_keep_days": 30, "transcripts_keep_mb": 100}, False),
    ({"transcripts_keep_days": 40, "transcripts_keep_mb": 100}, False),
    ({"transcripts_keep_days": 30}, False),
    ({"transcripts_keep_days": 20, "transcripts_keep_mb": 100}, True),
    ({"transcripts_keep_days": 30, "transcripts_keep_mb": 99}, True),
])  # fmt: skip
def test_only_a_stricter_setting_waits_again(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path, settings: dict[str, int], waits: bool
) -> None:
    archived(1, 10)
    run_later(folder, tmp_path, transcripts_keep_days=30, transcripts_keep_mb=100)
    assert (look(folder, tmp_path, **settings).starts_at is not None) == waits


def test_switched_off_and_on_again_it_waits_again(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 31)
    assert run_later(folder, tmp_path, transcripts_keep_days=30) == [sid(1)]
    run(folder, tmp_path)
    assert look(folder, tmp_path, transcripts_keep_days=30).starts_at is not None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"days": "x"}', '{"days": 30, "mb": 0, "since": 9e18}', "\xff"])
def test_a_note_that_cannot_be_read_or_lies_in_the_future_means_waiting(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path, text: str
) -> None:
    archived(1, 31)
    Path(folder.state, "retention-seen").write_text(text, "latin-1")
    assert look(folder, tmp_path, transcripts_keep_days=30).starts_at is not None


def test_what_comes_of_age_within_a_week_is_named_with_its_time(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 31), archived(2, 25), archived(3, 22)
    found = look(folder, tmp_path, transcripts_keep_days=30)
    ((next_one, at),) = found.soon
    assert next_one.session_id == sid(2)
    assert 4.9 < (at - time.time()) / DAY < 5.1
    assert found.due_bytes == found.due[0].size > 0


def test_a_session_start_asks_for_a_sync_once_a_day_where_the_settings_are_on(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 10)
    on = {**DEFAULTS, "transcripts_keep_days": 30}
    assert retention.wants_a_run(folder, on)
    run(folder, tmp_path, transcripts_keep_days=30)
    assert not retention.wants_a_run(folder, on)
    before = time.time() - retention.RUN_SECONDS
    os.utime(os.path.join(folder.state, "retention-seen"), (before, before))
    assert retention.wants_a_run(folder, on)


def _aged(folder: DataFolder, tmp_path: Path, days: float) -> None:
    """Everything here is older by so many days: what a clock makes of it that jumped ahead."""
    logs = Path(folder.records).glob("*.json")
    for path in [*logs, *(tmp_path / "projects").rglob("*.jsonl"), *Path(folder.transcripts).rglob("*.jsonl")]:
        was = path.stat().st_mtime - days * DAY
        os.utime(path, (was, was))
    seen = Path(folder.state, "retention-seen")
    value = json.loads(seen.read_bytes())
    seen.write_text(json.dumps({**value, "since": value["since"] - days * DAY}), "utf-8")
    os.utime(seen, (time.time() - days * DAY,) * 2)


def test_a_clock_that_jumped_ahead_of_everything_known_lets_nothing_go_and_it_is_said(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 2)
    run(folder, tmp_path, transcripts_keep_days=30)
    _aged(folder, tmp_path, 60)
    for _ in range(2):  # the first look is no proof for the second
        done = run(folder, tmp_path, transcripts_keep_days=30)
        assert done is not None
        assert (done.sessions, len(done.outlook.due)) == ([], 1)
        assert done.outlook.newest is not None
        assert 59 < (time.time() - done.outlook.newest) / DAY < 61
        assert "clock is far ahead" in said_outlook(done.outlook)
    assert there(folder) == [1]


def test_after_a_long_absence_a_new_session_shows_that_the_clock_is_right_and_it_waits_a_day(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 2)
    run(folder, tmp_path, transcripts_keep_days=30)
    _aged(folder, tmp_path, 60)
    run(folder, tmp_path, transcripts_keep_days=30)
    os.utime(short_session("/srv/shop", sid(2)).write(tmp_path / "projects"))
    run(folder, tmp_path, transcripts_keep_days=30)
    found = look(folder, tmp_path, transcripts_keep_days=30)
    assert (found.newest, found.starts_at is not None) == (None, True)
    _age_seen(folder)
    done = run(folder, tmp_path, transcripts_keep_days=30)
    assert done is not None
    assert [one.session_id for one in done.sessions] == [sid(1)]


def test_a_fifo_where_the_note_of_the_settings_belongs_is_not_waited_for(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 31)
    os.mkfifo(Path(folder.state, "retention-seen"))
    assert look(folder, tmp_path, transcripts_keep_days=30).starts_at is not None


# Killed, and other machines.


def test_a_run_that_is_killed_anywhere_leaves_no_half_session_after_the_next_sync(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    settings = {**DEFAULTS, "transcripts_keep_days": 30}
    for number in range(12):
        for session in (1, 2):
            (tmp_path / "projects" / "-srv-shop" / f"{sid(session)}.jsonl").unlink(missing_ok=True)
            Path(folder.trash, "expired", sid(session)).unlink(missing_ok=True)
            archived(session, 31 + session)
        with closing(mirror.connect(folder.mirror)) as connection:
            work = partial(retention.run, folder, str(tmp_path / "projects"), settings, connection, at_once=True)
            killed_before(number, work)
        marked = forgotten.of_kind(folder, forgotten.EXPIRED)
        run(folder, tmp_path)
        assert there(folder) == [one for one in (1, 2) if sid(one) not in marked]


def test_a_mark_of_another_machine_lets_go_what_it_means_and_not_what_went_on_here(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    old, longer = archived(1, 31), archived(2, 3)
    for one in (old, longer):
        forgotten.mark(folder, one, forgotten.EXPIRED, int((time.time() - 31 * DAY + 5) * 1e9))
    run(folder, tmp_path)
    assert there(folder) == [2]
    assert forgotten.is_settled(folder)  # no forgotten session: nothing to clean


def test_a_later_mark_is_never_put_back(folder: DataFolder) -> None:
    forgotten.mark(folder, sid(1), forgotten.EXPIRED, 2_000_000)
    forgotten.mark(folder, sid(1), forgotten.EXPIRED, 1_000_000)
    assert forgotten.kind_of(folder, sid(1), 2_000_000) == forgotten.EXPIRED
    assert forgotten.kind_of(folder, sid(1), 2_001_000) is None
    forgotten.mark(folder, sid(1), forgotten.FORGOTTEN)
    assert forgotten.kind_of(folder, sid(1), 2_001_000) == forgotten.FORGOTTEN
    assert forgotten.kind_of(folder, "../" + sid(1)) is None


def test_a_session_that_was_let_go_can_be_forgotten_whole(
    folder: DataFolder, archived: Callable[..., str], tmp_path: Path
) -> None:
    archived(1, 31)
    run_later(folder, tmp_path, transcripts_keep_days=30)
    forgetting.forget(folder, [sid(1)])
    assert os.listdir(folder.records) == []

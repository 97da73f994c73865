"""A project's year, by day of this machine's clock."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from memories import selectors
from memories.activity import LEVELS, WEEKS, Activity, activity
from memories.core import mirror
from memories.core.paths import DataFolder
from memories.core.scope import Scope
from tests.conftest import MakeRecord

TODAY = date(2026, 3, 18)  # a Wednesday
SHOP = Scope("shop", frozenset({"git:h/o/shop"}), frozenset({"shop"}))


def of_shop(folder: DataFolder) -> Activity:
    mirror.update(folder)
    return activity(selectors.mirror_connection(folder), SHOP, TODAY)


def test_memories_count_on_their_day_and_session_logs_do_not(memory_home: DataFolder, make_record: MakeRecord) -> None:
    for hour in (9, 10):
        make_record("note", project="shop", project_id="git:h/o/shop", created_at=f"2026-03-16T{hour:02d}:00:00")
    make_record("by name", project="Shop", created_at="2026-03-17T12:00:00")
    make_record("other", project="other", created_at="2026-03-17T12:00:00")
    make_record("log", type="session_log", project="shop", created_at="2026-03-18T12:00:00")
    found = of_shop(memory_home)
    assert [(one.day, one.memories, one.sessions) for one in found.days] == [
        (date(2026, 3, 16), 2, 0),
        (date(2026, 3, 17), 1, 0),
    ]
    assert (found.memories, found.sessions) == (3, 0)
    assert [(one.week, one.weekday, one.level) for one in found.days] == [(WEEKS - 1, 0, LEVELS), (WEEKS - 1, 1, 2)]
    assert found.busiest is not None
    assert found.busiest.said == "2 memories"


def test_sessions_count_on_the_day_they_began(memory_home: DataFolder) -> None:
    mirror.update(memory_home)
    connection = mirror.connect(memory_home.mirror)
    for number, part in enumerate(("", "agent-x")):
        connection.execute(
            "INSERT INTO session (path, session_id, part, project_id, started_at, turns, words, repeats, size, "
            "mtime_ns, read_bytes, read_lines, read_turns, read_mark) VALUES (?, 's', ?, 'git:h/o/shop', "
            "strftime('%s', '2026-03-10T12:00:00') + 0, 2, 2, 0, 1, 1, 0, 0, 0, 0)",
            (str(number), part),
        )
    connection.close()
    found = activity(selectors.mirror_connection(memory_home), SHOP, TODAY)
    assert [(one.day, one.sessions, one.said) for one in found.days] == [(date(2026, 3, 10), 1, "1 session")]


def test_what_is_older_than_the_map_or_in_the_future_is_left_out(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    for created_at in ("2025-03-16T12:00:00", "2025-03-17T12:00:00", "2026-03-18T12:00:00", "2026-03-20T12:00:00"):
        make_record("note", project="shop", created_at=created_at)
    found = of_shop(memory_home)
    assert found.since == date(2025, 3, 17)
    assert [one.day for one in found.days] == [date(2025, 3, 17), date(2026, 3, 18)]


def test_every_month_is_listed_and_names_never_overlap(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("note", project="shop", created_at="2026-01-05T12:00:00")
    found = of_shop(memory_home)
    assert [f"{one.first:%Y-%m}" for one in found.months][::12] == ["2025-03", "2026-03"]
    assert [one.memories for one in found.months if f"{one.first:%Y-%m}" == "2026-01"] == [1]
    places = [one.x for one in found.months if one.x is not None]
    assert all(after - before >= 3 * 18 for before, after in pairwise(places))


def test_a_project_without_anything_has_no_days(memory_home: DataFolder) -> None:
    found = of_shop(memory_home)
    assert (found.days, found.busiest) == ([], None)

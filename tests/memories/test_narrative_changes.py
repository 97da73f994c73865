"""What became of a narrative's entries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memories.narrative_changes import changes

OLD = """# Shop

## Decisions with reasons
- Invoices are unique by an index on (order_id, payment_id), not by a lock in Redis
- Deploys go out on Tuesdays, because support is full then

## Gotchas
- The staging clock runs an hour late

## Next steps
- [ ] Write the changelog of 2.4
- [ ] Ask the bank for sandbox keys
"""


def test_nothing_became_of_an_unchanged_text() -> None:
    found = changes(OLD, OLD)
    assert (found.as_data(), found.summary) == (
        {"added": [], "reworded": [], "closed": [], "lost": []},
        "no entry changed",
    )


def test_added_reworded_closed_and_lost_entries_are_told_apart() -> None:
    new = OLD.replace("- [ ] Write the changelog", "- [x] Write the changelog")
    new = new.replace("Deploys go out on Tuesdays, because support", "We deploy on Tuesdays: the support desk")
    new = new.replace("- The staging clock runs an hour late\n", "")
    new += "- [ ] Retry the webhook with exponential backoff\n"
    found = changes(OLD, new)
    assert found.added == ["Retry the webhook with exponential backoff"]
    assert found.reworded == ["We deploy on Tuesdays: the support desk is full then"]
    assert found.closed == ["Write the changelog of 2.4"]
    assert found.lost == ["The staging clock runs an hour late"]
    assert found.summary == "1 added, 1 reworded, 1 closed, 1 lost"


def test_an_entry_that_was_only_moved_is_not_told() -> None:
    line = "- Deploys go out on Tuesdays, because support is full then\n"
    moved = OLD.replace(line, "").replace("## Gotchas\n", f"## Gotchas\n{line}")
    assert changes(OLD, moved).summary == "no entry changed"


def test_the_first_entries_are_all_added() -> None:
    assert len(changes("# Shop", OLD).added) == 5


@given(st.text("ab-#[x]|\n `", max_size=80), st.text("ab-#[x]|\n `", max_size=80))
def test_any_two_texts_can_be_compared(old: str, new: str) -> None:
    assert changes(old, new).summary

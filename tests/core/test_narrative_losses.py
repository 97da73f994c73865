"""What a rewrite lost is named; what it merely says in other words, or elsewhere, is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core.narrative_losses import TEXT_CHARS, losses

OTHERS = """\
- Deploys go out on Tuesdays only, because support is fully staffed then.
- `invoice_lines` is written by the importer alone.
- Retry the importer 3 times.
- Retry the exporter 5 times.
"""


def lost(old: str, new: str) -> list[tuple[str, list[str]]]:
    """Of an entry among others: what is named of it."""
    found = losses(f"## Decisions\n{OTHERS}- {old}", f"# Shop\n## Key decisions\n{OTHERS}- {new}\n\n## Sources\nNone.")
    return [(loss.text, loss.missing) for loss in found]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The cache keeps entries for 30 s in `session_store`.", "`session_store` caches **thirty seconds** long."),
        ("Pool of 10,000 rows, agreed 2026-03-14.", "Agreed on 14 March 2026: the pool has 10000 rows [7b1e2f04:12]."),
        ("We chose Postgres over MySQL because of transactions.", "MySQL lost against postgres: transactions matter."),
        ("See src/app/views.py:12 and https://example.org/a.", "https://example.org/a, also `src/app/views.py:12`"),
        ("Run `npm run build -- --watch` first.", "First comes npm run build, with --watch."),
        ("The API is served by node.js v20.1.", "node.js 20.1 serves the api."),
        ("Use fooBar() in the us-east-1 region.", "In region us east 1 we call `fooBar`."),
        ("NEVER restart the worker by hand.", "Do not restart the worker by hand, ever."),
        ("Read and/or write locks are taken twice.", "Locks, read or write, are taken 2 times."),
        ("Rate limit per API key: 60 requests.", "Per-key rate limit: 60 requests"),
        ("CI runners have 16 GB of RAM each.", "Each runner offers 16 GB"),
        ("Kafka silently truncates names longer than 40 characters.", "Names above 40 chars are cut off by Kafka."),
        ("Move reports to Django 9.8 once the backlog is done.", "Reports go to Django 9.8"),
        ("Fix the login page for Safari.", "~~Fix the login page~~ dropped"),
        ("Fix the login page, 3 tests, `login_form`.", "[x] Fix the login page"),
    ],
)  # fmt: skip
def test_other_words_are_no_loss(old: str, new: str) -> None:
    assert lost(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ("The cache keeps entries for 30 s.", "The cache keeps entries for 45 s.", ["30 s"]),
        ("The cache keeps entries for 30 s.", "The cache keeps entries for 30 ms.", ["30 s"]),
        ("The cache keeps entries for 30 s.", "The cache keeps entries.", ["30 s"]),
        ("Keys rotate every 2 days, forgotten twice.", "Keys rotate every 4 days (forgotten twice).", ["2 days"]),
        ("Above 2 rows it takes a second.", "It takes a second above several rows.", ["2"]),
        ("Three workers read the queue.", "Four workers read the queue.", ["three"]),
        ("Sessions live in `session_store`.", "Sessions live in the session store.", ["session_store"]),
        ("Sessions live in session_store.", "Sessions live in session_store_v2.", ["session_store"]),
        ("Settings are in src/app/conf.py.", "Settings are in src/web/conf.py.", ["src/app/conf.py"]),
        ("Call fetchOrders before closing.", "Call fetchOrder before closing.", ["fetchOrders"]),
        ("Start it with --no-cache always.", "Start it without cache always.", ["--no-cache"]),
        ("Pinned to v2.14.3 for now.", "Pinned to v2.14.4 for now.", ["v2.14.3"]),
        ("The TTL of orders is set by ops.", "The age of orders is set by ops.", ["TTL"]),
        ("Agreed with ops on 2026-03-14.", "Agreed with ops on 2026-03-15.", ["2026-03-14"]),
        ("Orders are kept in Postgres for good.", "Orders are kept in Mongo for good.", ["Postgres"]),
        ("Documented at https://example.org/a for ops.", "Documented for ops.", ["https://example.org/a"]),
        ("`retry` covers the ledger call.", "The ledger call is covered.", ["retry"]),
    ],
)  # fmt: skip
def test_a_vanished_identifier_number_date_or_name_is_named(old: str, new: str, missing: list[str]) -> None:
    assert lost(old, new) == [(old, missing)]


def test_a_vanished_entry_is_named_among_similar_ones() -> None:
    new = OTHERS.replace("- Retry the exporter 5 times.\n", "")
    (loss,) = losses(f"## Decisions\n{OTHERS}", f"## Decisions\n{new}")
    assert (loss.text, loss.section, loss.missing) == ("Retry the exporter 5 times.", "Decisions", [])


def test_of_two_that_differ_in_a_number_the_one_that_is_gone_is_named() -> None:
    old = "## Decisions\n- Retry 3 times.\n- Retry 5 times."
    assert [loss.text for loss in losses(old, "## Decisions\n- Retry five times!")] == ["Retry 3 times."]


def test_reordering_moving_and_other_forms_are_no_loss() -> None:
    old = "## Decisions\n- alpha uses `one_a`\n- beta uses `two_b`\n## Gotchas\n### Clock\nIt runs 7 minutes late."
    new = "## Gotchas\n- beta uses `two_b`\n- The clock runs 7 minutes late.\n## Current state\nalpha uses `one_a`"
    assert losses(old, new) == []


def test_splitting_and_merging_are_no_loss() -> None:
    one = "- The gateway waits 30 s and the ledger uses `ledger_lock` for every write"
    two = "- The gateway waits 30 s\n- For every write the ledger uses `ledger_lock`"
    assert losses(f"## Decisions\n{one}", f"## Decisions\n{two}") == []
    assert losses(f"## Decisions\n{two}", f"## Decisions\n{one}") == []


def test_what_another_entry_had_all_along_does_not_stand_in_for_what_is_lost() -> None:
    old = "## Decisions\n- The gateway waits 30 s.\n- The ledger waits 30 s.\n## Session history\n- The waits are 30 s."
    (loss,) = losses(old, old.replace("The ledger waits 30 s", "The ledger waits 45 s"))
    assert (loss.text, loss.missing) == ("The ledger waits 30 s.", ["30 s"])


def test_what_was_closed_before_may_go() -> None:
    old = "## Next steps\n- [x] ship it\n- ~~old idea~~\n- write the docs (done 2026-03-01)\n- pack it"
    assert [loss.text for loss in losses(old, "## Next steps\n- rest")] == ["pack it"]


def test_a_loss_has_a_stable_handle_and_a_short_text() -> None:
    old = f"## Decisions\n- {'very ' * 100}long\n- other"
    (one,), (again,) = losses(old, "## Decisions\n- other"), losses(old.replace("- o", "-   o"), "## X\n- other")
    assert one.handle == again.handle
    assert len(one.handle) == 6
    assert int(one.handle, 16) >= 0
    assert len(one.text) <= TEXT_CHARS
    (number,) = losses("## Decisions\n- wait 30 s for it", "## Decisions\n- wait for it")
    (whole,) = losses("## Decisions\n- wait 30 s for it", "")
    assert number.handle != whole.handle


def test_in_a_language_with_many_capitals_a_capital_is_no_name() -> None:
    old = "## Decisions\n- Wir nehmen die Warteschlange für den Versand der Rechnungen an Kunden."
    new = "## Decisions\n- Für den Versand der Rechnungen an Kunden nehmen wir die Queue."
    assert losses(old, new) == []


documents = st.lists(
    st.sampled_from(
        ["## Decisions", "### Sub", "- use `a_b` for 30 s", "- Use Redis", "| a | b |", "|--|--|", "text 2026-03-14",
         "", "- [x] d", "```", "~~~", "  - nested 3", "- \ud800", "- 使用Django框架", "-  ", "* **", "`",
         "[7b1e2f04:12]", "- 1,000,000k ٣"]
    ),
    max_size=14,
).map("\n".join)  # fmt: skip


@given(documents | st.text(max_size=80), documents | st.text(max_size=80))
def test_any_two_texts_are_compared_alike_each_time(old: str, new: str) -> None:
    first = [(loss.handle, loss.text, loss.missing) for loss in losses(old, new)]
    assert first == [(loss.handle, loss.text, loss.missing) for loss in losses(old, new)]


@given(documents | st.text(max_size=80))
def test_nothing_is_lost_where_nothing_changed(content: str) -> None:
    assert losses(content, content) == []
    assert losses(content, content + "\n") == []
    assert losses("", content) == []


def test_the_rewording_that_has_the_same_names_and_numbers_is_preferred_to_a_new_entry_in_the_same_words() -> None:
    old = "## Decisions\n- `Loki` for the uploader: the team knows it; the alternative lost data under load in March."
    new = (
        "## Decisions\n- `MinIO` for the mailer: the team knows it; the alternative lost data under load in March.\n"
        "- The uploader uses `Loki`, which people know, whereas another candidate dropped data in the March load test."
    )
    assert losses(old, new) == []


def test_a_number_that_a_new_entry_about_something_else_happens_to_have_is_lost_all_the_same() -> None:
    old = "## Gotchas\n- Port 10000 is taken by the VPN client on Windows laptops; the uploader's dev server uses 250."
    new = (
        "## Gotchas\n- The uploader's dev server uses 250: the VPN client occupies a port on Windows laptops.\n"
        "- On Windows laptops the VPN client holds port 5, so 10000 is taken for shipping."
    )
    assert [loss.missing for loss in losses(old, new)] == [["10000"]]

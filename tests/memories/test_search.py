"""Searching memories, conversations and both, over the real mirror: what is found, in which order, and what is said."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from memories import search, selectors, snippets
from memories.core import mirror, scope
from memories.core.errors import QueryError
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.conftest import MakeRecord
from tests.memories.conversations import archive, archive_subagent, log, session_id, talk

ORDERS = scope.Scope("orders", frozenset({"git:h/o/orders"}), frozenset({"orders"}))


def _search(folder: DataFolder, text: str, **options: Any) -> list[str]:
    return [hit["content"] for hit in search.memory_search(folder, text, **options)["results"]]


def _turns(folder: DataFolder, text: str, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = search.memory_search(folder, text, scope="transcripts", **options)["results"]
    return found


def _hint(folder: DataFolder, text: str, **options: Any) -> str:
    return search.memory_search(folder, text, **options)["hint"] or ""


def test_a_natural_question_finds_the_memory(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("We chose Postgres over MySQL because of its JSON indexes.")
    make_record("The frontend uses Svelte.")
    mirror.update(memory_home)
    assert _search(memory_home, "Why did we choose Postgres?")[0].startswith("We chose Postgres")


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("deployed on Tuesdays", "deploying"),
        ("the children processes leak", "child"),
        ("we bought more memory", "buy memory"),
        ("getUserName returns null", "user name"),
        ("see max_retry_count", "retry"),
        ("fix in src/core/mirror.py", "mirror.py"),
        ("needs libfoo 3.11.7", "3.11.7"),
        ("written on that day", "8 May 2023"),
        ("Crème brûlée rule", "creme brulee"),
    ],
)
def test_words_a_person_would_use_find_it(
    memory_home: DataFolder, make_record: MakeRecord, stored: str, asked: str
) -> None:
    make_record(stored, created_at="2023-05-08T10:00:00")
    make_record("nothing of the kind", created_at="2024-01-01T10:00:00")
    mirror.update(memory_home)
    assert _search(memory_home, asked)[0] == stored


def test_the_name_of_a_type_or_project_does_not_find_every_record(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("alpha", project="orders")
    mirror.update(memory_home)
    assert _search(memory_home, "note") == []
    assert _search(memory_home, "orders") == []


@pytest.mark.parametrize(
    "text",
    [
        "foo-bar",
        "c++",
        "it's",
        "AND",
        "NOT",
        "(",
        '"',
        "a*",
        "NEAR(a b)",
        "content:x",
        "^",
        "",
        " ",
        "\0",
        "{}",
        "the of and",
    ],
)
def test_what_fts_would_take_for_syntax_is_only_text(
    memory_home: DataFolder, make_record: MakeRecord, text: str
) -> None:
    make_record(f"text with {text or 'nothing'} and the of in it".replace("\0", ""))
    mirror.update(memory_home)
    assert isinstance(search.memory_search(memory_home, text)["results"], list)


def test_the_sessions_project_wins_between_like_matches_and_only_a_named_one_restricts(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("deploy on Tuesday here", project="orders", project_id="git:h/o/orders")
    make_record("deploy on Tuesday there", project="billing", project_id="git:h/o/billing")
    mirror.update(memory_home)
    assert _search(memory_home, "deploy Tuesday", boosted=ORDERS) == [
        "deploy on Tuesday here",
        "deploy on Tuesday there",
    ]
    assert _search(memory_home, "deploy Tuesday", project=ORDERS) == ["deploy on Tuesday here"]


def test_no_hit_in_a_named_project_says_where_there_are_some(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("kafka retention", project="billing", project_id="git:h/o/billing")
    mirror.update(memory_home)
    hint = search.memory_search(memory_home, "kafka", project=ORDERS)["hint"]
    assert hint is not None
    assert "billing" in hint


def test_long_content_is_shortened_and_says_how_to_get_the_rest(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("needle " + "x" * 2000)
    mirror.update(memory_home)
    hit = search.memory_search(memory_home, "needle")["results"][0]
    assert len(hit["content"]) < 600
    assert "memory_get" in hit["content"]
    assert "**needle**" in hit["snippet"]


def test_a_name_that_fits_several_projects_means_all_of_them_and_is_said(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("one api", project="Orders_API", project_id="git:h/a/orders-api")
    make_record("two api", project="orders-api", project_id="git:h/b/orders-api")
    make_record("old api", project="orders-api")
    mirror.update(memory_home)
    found = selectors.named_scope(memory_home, "orders-api", None, dict(DEFAULTS))
    answer = search.memory_search(memory_home, "api", project=found)
    assert len(answer["results"]) == 3
    assert "2 projects" in (answer["hint"] or "")


# Filters


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (None, None, {"2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01"}),
        ("2026", None, {"2026-01-01", "2026-01-31", "2026-02-01"}),
        (None, "2025", {"2025-12-31"}),
        ("2026-01", "2026-01", {"2026-01-01", "2026-01-31"}),
        ("2026-01-31", "2026-02", {"2026-01-31", "2026-02-01"}),
        ("2026-01-31T23:59:59", None, {"2026-01-31", "2026-02-01"}),
        (None, "2026-01-31T23:59:58", {"2025-12-31", "2026-01-01"}),
        ("2026-02-01T01:59:59+02:00", "2026-02-01T01:59:59+02:00", {"2026-01-31"}),
        ("2026-01-31T23:59", " 2026-01-31T23:59 ", {"2026-01-31"}),
        ("", " ", {"2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01"}),
        ("2027", None, set()),
    ],
)
def test_since_and_until_are_included_in_every_form(
    memory_home: DataFolder, make_record: MakeRecord, since: str | None, until: str | None, found: set[str]
) -> None:
    days = {"2025-12-31": "23:59:59", "2026-01-01": "00:00:00", "2026-01-31": "23:59:59", "2026-02-01": "00:00:00"}
    for number, (day, time) in enumerate(days.items()):
        make_record(f"deploy on {day}", created_at=f"{day}T{time}")
        script = talk("deploy", number=number, day=day)
        script.lines[0]["timestamp"] = f"{day}T{time}.999Z"
        archive(memory_home, script)
    assert {text[-10:] for text in _search(memory_home, "deploy", since=since, until=until)} == found
    assert {hit["timestamp"][:10] for hit in _turns(memory_home, "deploy", since=since, until=until)} == found


def test_turns_within_the_time_are_found_among_many_others_of_the_same_session(memory_home: DataFolder) -> None:
    script = talk(*[f"deploy number {number}" for number in range(200)])
    for number, line in enumerate(script.lines):
        line["timestamp"] = f"2026-0{1 + number // 100}-14T09:{number % 60:02}:00Z"
    archive(memory_home, script)
    assert len(_turns(memory_home, "deploy", since="2026-01", until="2026-01", limit=100)) == 100


def test_a_few_turns_within_the_time_are_found_after_more_that_match_better_than_are_ranked(
    memory_home: DataFolder,
) -> None:
    long = "deploy " + "and so on and on about many other matters " * 20
    script = talk(*["deploy now"] * 900, *[long] * 3, "deploy later")
    for number, line in enumerate(script.lines):
        month = "03" if number < 900 else "05" if number < 903 else "07"
        line["timestamp"] = f"2026-{month}-14T09:{number % 60:02}:00Z"
    archive(memory_home, script)
    assert {hit["line"] for hit in _turns(memory_home, "deploy", since="2026-05", until="2026-05")} == {901, 902, 903}
    assert {hit["line"] for hit in _turns(memory_home, "deploy", since="2026-05")} == {901, 902, 903, 904}
    assert len(_turns(memory_home, "deploy", until="2026-04", limit=100)) == 100


def test_a_turn_without_a_time_is_found_only_where_no_time_is_asked_for(memory_home: DataFolder) -> None:
    script = talk("deploy at some time")
    del script.lines[0]["timestamp"]
    archive(memory_home, script)
    assert _turns(memory_home, "deploy")[0]["timestamp"] is None
    assert _turns(memory_home, "deploy", since="1970") == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"since": "yesterday"}, "'yesterday' is not a time. Use YYYY, YYYY-MM"),
        ({"until": "2026-13"}, "'2026-13' is not a time"),
        ({"until": "2026-02-30"}, "not a time"),
        ({"since": "2026-03", "until": "2026-02"}, "Exchange them"),
        ({"scope": "everything"}, "Choose one of them"),
        ({"scope": "transcripts", "type": "note"}, "search memories"),
        ({"scope": "transcripts", "tags": "x"}, "search memories"),
        ({"limit": 0}, "limit 0 is not from 1 to 100"),
        ({"limit": 101}, "Use offset"),
        ({"offset": -1}, "offset -1 is not from 0 to 1000"),
        ({"offset": 1001}, "narrower question"),
    ],
)
def test_what_has_no_answer_is_said_with_what_to_do(
    memory_home: DataFolder, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(QueryError, match=re.escape(says)):
        search.memory_search(memory_home, "deploy", **options)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("decision", {"one", "two"}),
        ("DECISION", {"one", "two"}),
        (["decision", "deploy"], {"one"}),
        (" deploy ,decision,, ", {"one"}),
        (["decision,deploy"], {"one"}),
        ("dec", set()),
        ("deployment", {"three"}),
        ("äpfel", {"four"}),
        ("%", set()),
        ("_", set()),
        (", ,", {"one", "two", "three", "four", "none"}),
        ([], {"one", "two", "three", "four", "none"}),
        ("half \ud800", set()),
    ],
)
def test_every_tag_that_is_asked_for_must_be_there_whole(
    memory_home: DataFolder, make_record: MakeRecord, tags: str | list[str], found: set[str]
) -> None:
    make_record("needle one", tags="Decision, deploy")
    make_record("needle two", tags="x,decision  ,y")
    make_record("needle three", tags="deployment")
    make_record("needle four", tags="ÄPFEL")
    make_record("needle none")
    mirror.update(memory_home)
    assert {text.split()[1] for text in _search(memory_home, "needle", tags=tags)} == found


def test_filters_hold_together(memory_home: DataFolder, make_record: MakeRecord) -> None:
    wanted = {"type": "note", "tags": "deploy", "created_at": "2026-01-05T10:00:00", "project": "orders"}
    make_record("needle right", **wanted)
    for name, other in {
        "type": "session_log",
        "tags": "x",
        "created_at": "2025-01-05T10:00:00",
        "project": "b",
    }.items():
        make_record(f"needle wrong {name}", **{**wanted, name: other})
    make_record("needle hidden", status="archived", **wanted)
    mirror.update(memory_home)
    filters: dict[str, Any] = {"type": "note", "tags": "deploy", "since": "2026", "project": ORDERS}
    assert _search(memory_home, "needle", **filters) == ["needle right"]
    assert len(_search(memory_home, "needle", **filters, include_archived=True)) == 2


def test_a_project_restricts_conversations_by_id_by_name_and_by_alias(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    log(make_record, 1, "Orders_API", "git:h/o/orders")
    log(make_record, 2, "orders-api")
    log(make_record, 3, "billing", "git:h/o/billing")
    archive(memory_home, *[talk("deploy it", number=number) for number in (1, 2, 3, 4)])
    settings = {**DEFAULTS, "project_aliases": {"shop": "git:h/o/orders"}}

    def found(name: str) -> set[str]:
        project = selectors.named_scope(memory_home, name, None, settings)
        return {hit["session_id"] for hit in _turns(memory_home, "deploy", project=project)}

    assert found("git:h/o/orders") == found("shop") == {session_id(1)}
    assert found("ORDERS-API") == {session_id(1), session_id(2)}
    assert found("billing") == {session_id(3)}
    assert found("nothing of the kind") == set()
    assert {hit["project"] for hit in _turns(memory_home, "deploy")} == {"Orders_API", "orders-api", "billing", None}


def test_a_conversation_is_found_by_its_projects_name_also_without_any_record(
    memory_home: DataFolder, tmp_path: Any
) -> None:
    archive(memory_home, talk("deploy it", cwd=str(tmp_path / "warehouse")))
    project = selectors.named_scope(memory_home, "Warehouse", None, dict(DEFAULTS))
    assert [hit["project"] for hit in _turns(memory_home, "deploy", project=project)] == ["warehouse"]


def test_hidden_memories_are_found_on_request_and_say_what_they_are(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    old = make_record("limit is ten")
    make_record("limit is shelved", status="archived")
    make_record("limit is twenty", connections=[{"to_uuid": old["uuid"], "relationship": "supersedes"}])
    mirror.update(memory_home)
    hits = search.memory_search(memory_home, "limit", include_archived=True)["results"]
    assert {hit["content"]: hit.get("status") for hit in hits} == {
        "limit is ten": "superseded", "limit is shelved": "archived", "limit is twenty": None,
    }  # fmt: skip


# Pages and both at once


@pytest.mark.parametrize("where", search.SCOPES)
def test_pages_give_each_hit_once_in_one_order(memory_home: DataFolder, make_record: MakeRecord, where: str) -> None:
    for number in range(12):
        make_record(f"deploy note {number} " + "retry " * (number % 3), created_at=f"2026-01-01T00:00:{number:02}")
    archive(memory_home, *[talk(f"deploy {one}", "retry deploy", number=one) for one in range(6)])

    def page(offset: int, limit: int) -> list[dict[str, Any]]:
        answer = search.memory_search(memory_home, "deploy retry", scope=where, offset=offset, limit=limit)
        found: list[dict[str, Any]] = answer["results"]
        return found

    whole = page(0, 100)
    assert len(whole) == {"memories": 12, "transcripts": 12, "all": 24}[where]
    assert [hit for offset in range(0, 25, 5) for hit in page(offset, 5)] == whole
    assert page(7, 1) == whole[7:8]


def test_pages_go_on_for_as_many_hits_as_can_be_skipped(memory_home: DataFolder) -> None:
    archive(memory_home, talk(*[f"deploy {'retry ' * (number % 5)}" for number in range(700)]))
    pages = [_turns(memory_home, "deploy retry", offset=offset, limit=100) for offset in range(0, 701, 100)]
    assert [len(page) for page in pages] == [100] * 7 + [0]
    assert len({hit["line"] for page in pages for hit in page}) == 700


def test_beyond_the_last_hit_the_answer_says_how_many_there_are(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("deploy")
    mirror.update(memory_home)
    answer = search.memory_search(memory_home, "deploy", offset=5)
    assert answer["results"] == []
    assert answer["hint"] == "There are only 1 hits; leave offset out to see them."


def test_of_both_kinds_whichever_holds_more_of_the_question_comes_first(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("kafka retention is a week")
    make_record("retention")
    archive(memory_home, talk("kafka retention in the staging cluster", "kafka"))
    hits = search.memory_search(memory_home, "kafka retention staging", scope="all")["results"]
    assert [(hit["type"], sorted(hit["matched"])) for hit in hits] == [
        ("transcript", ["kafka", "retention", "staging"]), ("note", ["kafka", "retention"]),
        ("note", ["retention"]), ("transcript", ["kafka"]),
    ]  # fmt: skip


def test_with_a_filter_of_memories_both_means_memories(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("deploy", tags="x")
    archive(memory_home, talk("deploy"))
    for filters in ({"type": "note"}, {"tags": ["x"]}):
        hits = search.memory_search(memory_home, "deploy", scope="all", **filters)["results"]
        assert [hit["type"] for hit in hits] == ["note"]


# Hits


def test_a_turn_says_where_it_was_said_and_what_matched(memory_home: DataFolder) -> None:
    archive(memory_home, talk("Why does the uploader fail?", "It has no retry: rate_limiter drops the request."))
    assert _turns(memory_home, "rate_limiter retries")[0] == {
        "type": "transcript", "session_id": session_id(1), "line": 2, "role": "assistant",
        "timestamp": "2026-03-14T09:00:01", "project": None,
        "snippet": "It has no **retry**: **rate_limiter** drops the request.",
        "matched": ["rate limiter", "retries"], "score": _turns(memory_home, "rate_limiter retries")[0]["score"],
    }  # fmt: skip


def test_a_turn_is_also_found_by_its_neighbours_and_then_says_what_it_begins_with(memory_home: DataFolder) -> None:
    archive(memory_home, talk("Shall the uploader retry?", "Yes. " + "Three times is enough. " * 20))
    hits = _turns(memory_home, "uploader retry")
    assert [hit["line"] for hit in hits] == [1, 2]
    assert hits[1]["matched"] == []
    assert hits[1]["snippet"].startswith("Yes. Three times")
    assert len(hits[1]["snippet"]) <= 161


def test_a_long_turn_is_one_hit_with_the_passage_that_matched(memory_home: DataFolder) -> None:
    filler = "The harbour was quiet and nothing moved on the water that morning. " * 200
    archive(memory_home, talk("Go on", f"{filler}The needle is here. {filler}The needle is there too. {filler}"))
    (hit, *others) = [hit for hit in _turns(memory_home, "needle") if hit["matched"]]
    assert others == []
    assert "**needle**" in hit["snippet"]
    assert len(hit["snippet"]) <= 300


def test_what_a_subagent_said_is_marked_and_carries_the_name_that_transcript_read_takes(
    memory_home: DataFolder,
) -> None:
    from memories.core import transcript_page

    archive(memory_home, talk("Look into the uploader"))
    archive_subagent(memory_home, talk("Find the needle", "The needle is in uploader.py"), "a1b2")
    hits = _turns(memory_home, "needle")
    assert {(hit["session_id"], hit["subagent"]) for hit in hits} == {(f"{session_id(1)}/agent-a1b2", True)}
    page = transcript_page.read_page(memory_home, hits[0]["session_id"], around=hits[0]["line"])
    assert "needle" in page.text
    assert "subagent" not in _turns(memory_home, "look")[0]


def test_a_resumed_session_gives_each_message_once(memory_home: DataFolder) -> None:
    first, resumed = talk("deploy it", "done with the deploy"), talk("deploy it", "done with the deploy", number=2)
    for before, after in zip(first.lines, resumed.lines, strict=True):
        after["uuid"] = before["uuid"]
    archive(memory_home, first, resumed)
    assert len(_turns(memory_home, "deploy")) == 2


@pytest.mark.parametrize(
    ("text", "snippet"),
    [
        ("**Decision:** the needle is kept", "Decision: the **needle** is kept"),
        ("the **needle** stays", "the **needle** stays"),
        ("\x02forged\x03 beside the needle", "forged beside the **needle**"),
        ("2**10 needle **kwargs", "2* *10 **needle** * *kwargs"),
        ("*** needle ****", "* * * **needle** * * * *"),
        ("needle\x1b[2J \x9b then\r\nnext\u2028line", "**needle**[2J then next line"),
        pytest.param("x" * 2000 + " needle " + "y" * 2000, f"…{'x' * 79} **needle** {'y' * 151}…", id="huge words"),
        pytest.param("needle " + "y" * 2000, f"**needle** {'y' * 231}…", id="a huge word"),
    ],
)
def test_only_matched_words_are_bold_and_a_snippet_is_one_short_line_whatever_the_text_holds(
    memory_home: DataFolder, make_record: MakeRecord, text: str, snippet: str
) -> None:
    make_record(text)
    archive(memory_home, talk(text))
    assert search.memory_search(memory_home, "needle")["results"][0]["snippet"] == snippet
    assert _turns(memory_home, "needle")[0]["snippet"] == snippet


def test_a_cut_within_a_matched_word_closes_its_mark() -> None:
    start, end = snippets.MARKS
    assert snippets.plain(f"{start}{'z' * 900}{end}") == "**" + "z" * 239 + "**…"


def test_a_pasted_page_names_only_its_rarest_words(memory_home: DataFolder, make_record: MakeRecord) -> None:
    words = [f"word{chr(97 + number)}" for number in range(26)]
    make_record(" ".join(words))
    make_record("worda wordb wordc")
    archive(memory_home, talk(" ".join(words)))
    for hit in search.memory_search(memory_home, " ".join(words), scope="all", limit=2)["results"]:
        assert len(hit["matched"]) == search.MATCHED_WORDS


def test_hits_are_compact(memory_home: DataFolder, make_record: MakeRecord) -> None:
    """About 100 to 130 tokens a hit, at some 3.5 characters a token."""
    sessions = [session_id(number) for number in range(300)]
    note = "Retry policy of the uploader: three times with jitter, because the gateway drops one request in a hundred; "
    for number in range(10):
        make_record(
            note + f"rejected a queue. Seen in shard {number}.", project="orders-api", tags="decision, uploader",
            session_id=sessions[0], transcript_ref=json.dumps([sessions[number]]),
        )  # fmt: skip
    make_record("# Orders\n\n" + (note + "\n") * 60, tags="long", transcript_ref=json.dumps(sessions))
    turns = [f"About shard {number}: " + note + "Let me look at uploader.py first. " * 8 for number in range(40)]
    archive(memory_home, talk(*turns))
    hits = search.memory_search(memory_home, "why does the uploader retry three times?", scope="all", limit=30)
    sizes: dict[str, list[int]] = {"short": [], "long": [], "transcript": []}
    for hit in hits["results"]:
        kind = "transcript" if hit["type"] == "transcript" else "long" if hit["tags"] == "long" else "short"
        sizes[kind].append(len(json.dumps(hit, ensure_ascii=False)))
    assert {kind: len(found) for kind, found in sizes.items()} == {"short": 10, "long": 1, "transcript": 19}
    assert max(sizes["short"]) < 620
    assert max(sizes["long"]) < 650
    assert max(sizes["transcript"]) < 450


# Hints


@pytest.mark.parametrize(
    ("query", "options", "says"),
    [
        ("needle", {}, "Nothing matches. Try other words"),
        ("needle", {"scope": "transcripts"}, "`llm-memory sync`"),
        ("needle", {"since": "2026"}, "Leave some out"),
        ("needle", {"type": "note"}, "Leave some out"),
        ("needle", {"project": ORDERS}, "No project 'orders' is known."),
        ("…", {}, "holds no word"),
    ],
)
def test_an_answer_without_hits_says_what_to_try(
    memory_home: DataFolder, query: str, options: dict[str, Any], says: str
) -> None:
    answer = search.memory_search(memory_home, query, **options)
    assert answer["results"] == []
    assert says in answer["hint"]


def test_a_project_that_nothing_belongs_to_is_said_to_be_unknown(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    for number in range(7):
        for _ in range(number + 1):
            make_record("kafka", project=f"shop-{number}")
    make_record("kafka of none")
    log(make_record, 1, "warehouse")
    archive(memory_home, talk("nothing"))
    nowhere = selectors.named_scope(memory_home, "nosuch <system-reminder>", None, dict(DEFAULTS))
    said = _hint(memory_home, "needle", project=nowhere)
    assert said == (
        "No project 'nosuch ‹system-reminder>' is known; the projects with most in them are: "
        "shop-6, shop-5, shop-4, shop-3, shop-2."
    )
    assert "is known; there are hits in: " in _hint(memory_home, "kafka", project=nowhere)
    known = selectors.named_scope(memory_home, "Warehouse", None, dict(DEFAULTS))
    assert _hint(memory_home, "kafka", project=known).startswith("Nothing in warehouse; there are hits in: ")
    assert "Nothing matches" in _hint(memory_home, "needle", project=known)


def test_nothing_in_a_project_names_the_others_best_first(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("kafka retention is a week", project="zebra", project_id="git:h/o/zebra")
    make_record("kafka, among " + "other things " * 50, project="billing", project_id="git:h/o/billing")
    log(make_record, 1, "shop", "git:h/o/shop")
    archive(memory_home, talk("kafka", number=1), talk("kafka in no project", number=2))
    assert "hits in: zebra, billing. Search without" in _hint(memory_home, "kafka retention", project=ORDERS)
    said = _hint(memory_home, "kafka", project=ORDERS, scope="transcripts")
    assert {"shop", "no project"} == set(re.findall("shop|no project|zebra", said))
    assert "zebra" in _hint(memory_home, "kafka", project=ORDERS, scope="all")


def test_a_conversation_that_holds_clearly_more_of_the_question_is_pointed_to(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("The uploader writes to the gateway.")
    archive(memory_home, talk("Why is the uploader slow?", "Because of jitter in the retry backoff."))
    said = _hint(memory_home, "uploader retry backoff jitter")
    assert f"session {session_id(1)}, line 2" in said
    assert 'scope "transcripts"' in said
    assert "**jitter**" in said


@pytest.mark.parametrize(
    "options", [{"type": "note"}, {"tags": "x"}, {"scope": "all"}, {"offset": 1}, {"until": "2025"}]
)
def test_conversations_are_not_pointed_to_where_they_cannot_be_meant(
    memory_home: DataFolder, make_record: MakeRecord, options: dict[str, Any]
) -> None:
    for text in ("gateway one", "gateway two"):
        make_record(text, tags="x", created_at="2025-01-01T00:00:00")
    archive(memory_home, talk("gateway jitter backoff"))
    assert "conversation" in _hint(memory_home, "gateway jitter backoff")
    assert "conversation" not in _hint(memory_home, "gateway jitter backoff", **options)


@pytest.mark.parametrize("text", ["gateway jitter", "gateway jitter unheard-of"])
def test_a_memory_that_holds_as_much_as_any_conversation_stands_alone(
    memory_home: DataFolder, make_record: MakeRecord, text: str
) -> None:
    make_record("The gateway has jitter.")
    archive(memory_home, talk("gateway jitter", "jitter of the gateway"))
    assert _hint(memory_home, text) == ""

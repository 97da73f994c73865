"""The page of one memory."""

from __future__ import annotations

import json
import os
from html import unescape
from pathlib import Path

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from memories.core import mirror, records
from memories.core.paths import DataFolder
from memories.memory_detail import LISTED_LINKS, LISTED_SESSIONS
from tests.conftest import MakeRecord
from tests.dashboard.conftest import Remember
from tests.dashboard.narratives import write_narrative
from tests.memories import disagreements


def text(client: Client, uuid: str, status: int = 200) -> str:
    response = client.get(f"/m/{uuid}/")
    assert response.status_code == status
    return response.content.decode()


def test_the_text_is_shown_as_markdown_with_headings_below_the_page_s_own(client: Client, remember: Remember) -> None:
    page = text(client, remember("# Plan\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- *one*", project="shop")["uuid"])
    assert "<h1>Note in shop</h1>" in page
    assert "<h2>Plan</h2>" in page
    assert "<td>1</td>" in page
    assert "<li><em>one</em></li>" in page
    assert "<title>Plan · LLM Memory</title>" in page


def test_every_field_is_shown(client: Client, remember: Remember) -> None:
    record = remember(
        "text", type="session_log", project="shop", project_id="git:h/o/shop", importance=9, tags="a-tag, b-tag",
        session_id="7b1e2f04-0000-4000-8000-00000000c0de", transcript_ref="~/x/11112222.jsonl, 33334444",
        created_at="2026-03-14T09:12:44", updated_at="2026-03-15T10:00:00", origin="laptop",
    )  # fmt: skip
    page = text(client, record["uuid"])
    for value in (
        "session log", "git:h/o/shop", "9 of 10", "a-tag", "b-tag", record["session_id"], "11112222", "33334444",
        "2026-03-14 09:12 UTC", "2026-03-15 10:00 UTC", "laptop", record["uuid"], 'href="/p/shop/"',
    ):  # fmt: skip
        assert value in page


def test_links_are_shown_both_ways_and_absent_targets_as_such(client: Client, remember: Remember) -> None:
    absent = "ab" * 16
    target = remember("the target")
    middle = remember(
        "the middle",
        connections=[
            {"to_uuid": target["uuid"], "relationship": "related_to"},
            {"to_uuid": absent, "relationship": "related_to"},
        ],
    )
    remember("the source", connections=[{"to_uuid": middle["uuid"], "relationship": "related_to"}])
    page = text(client, middle["uuid"])
    assert f'<a href="/m/{target["uuid"]}/">the target</a>' in page
    assert ">the source</a>" in page
    assert f"<code>{absent}</code>" in page
    assert "not on this machine" in page
    assert "the middle" in text(client, target["uuid"])


def test_an_archived_memory_says_what_replaced_it(client: Client, remember: Remember) -> None:
    new = remember("the new")
    old = remember("the old", status="archived", archived_in=new["uuid"])
    page = text(client, old["uuid"])
    assert "<strong>Archived</strong>" in page
    assert ">the new</a>" in page
    assert "notice" not in text(client, new["uuid"])


def test_a_superseded_memory_says_so_until_its_successor_is_archived(client: Client, remember: Remember) -> None:
    old = remember("the old")
    remember("the new", connections=[{"to_uuid": old["uuid"], "relationship": "supersedes"}])
    assert "<strong>Superseded</strong>" in text(client, old["uuid"])
    other = remember("another")
    remember("gone", status="archived", connections=[{"to_uuid": other["uuid"], "relationship": "supersedes"}])
    assert "<strong>Superseded</strong>" not in text(client, other["uuid"])


def test_the_raw_record_is_the_file_with_its_unknown_fields(
    client: Client, remember: Remember, folder: DataFolder
) -> None:
    record = remember("text <b>", shape={"of": "things"})
    page = text(client, record["uuid"])
    raw = page.split('<pre tabindex="0">')[1].split("</pre>")[0]
    assert json.loads(unescape(raw)) == records.load(folder, record["uuid"])


def test_text_that_is_not_whole_unicode_is_shown(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    record = make_record("text")
    path = records.record_path(memory_home, record["uuid"])
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**record, "content": "half \ud83d pair", "project": "pro\udc00ject"}, file)
    mirror.update(memory_home)
    assert "half ? pair" in text(client, record["uuid"])
    assert client.get("/?q=half").status_code == 200


def test_a_record_that_is_not_there_is_a_404_with_the_next_step(client: Client) -> None:
    assert "No such memory" in text(client, "ab" * 16, 404)


def test_a_deleted_record_says_how_to_bring_it_back(client: Client, remember: Remember, folder: DataFolder) -> None:
    record = remember("text")
    records.delete(folder, record["uuid"])
    assert f"llm-memory restore {record['uuid']}" in text(client, record["uuid"], 404)


def test_a_file_that_is_no_record_any_more_is_named(client: Client, remember: Remember, folder: DataFolder) -> None:
    record = remember("text")
    path = records.record_path(folder, record["uuid"])
    with open(path, "w", encoding="utf-8") as file:
        file.write("{")
    assert "Repair the file" in text(client, record["uuid"], 500)


def test_an_address_that_is_no_record_id_is_a_404(client: Client) -> None:
    for name in ("x", "../../etc/passwd", "AB" * 16, "ab" * 17):
        assert client.get(f"/m/{name}/").status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_links(client: Client, remember: Remember) -> None:
    counts = []
    for total in (1, 30):
        targets = [remember(f"target {number}")["uuid"] for number in range(total)]
        links = [{"to_uuid": uuid, "relationship": "related_to"} for uuid in targets]
        record = remember("the source", connections=links)
        with CaptureQueriesContext(connection) as queries:
            text(client, record["uuid"])
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9


def test_a_memory_with_thousands_of_links_lists_some_and_leads_to_the_graph(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    hub = make_record(
        "the hub", connections=[{"to_uuid": f"{one:032x}", "relationship": "related_to"} for one in range(3000)]
    )
    for _ in range(LISTED_LINKS + 5):
        make_record("in", connections=[{"to_uuid": hub["uuid"], "relationship": "related_to"}])
    mirror.update(memory_home)
    page = text(client, hub["uuid"])
    assert page.count("<details><summary>25 more links</summary>") == 2
    assert "and 2,925 more" in page
    assert "and 5 more" in page
    assert f'href="/graph/?focus={hub["uuid"]}"' in page
    assert len(page.encode()) < 60_000
    assert "Raw record (JSON)" in page


def test_a_file_that_is_long_has_an_address_of_its_own(client: Client, remember: Remember) -> None:
    record = remember("long " * 4000)
    page = text(client, record["uuid"])
    assert '<a href="?raw=1">' in page
    answer = client.get(f"/m/{record['uuid']}/?raw=1")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert json.loads(answer.content)["uuid"] == record["uuid"]


def test_sessions_and_citations_lead_to_the_reader_where_they_are_archived(
    client: Client, remember: Remember, folder: DataFolder
) -> None:
    here, away = "3f2a1b2c-0000-4000-8000-000000000001", "44444444-0000-4000-8000-000000000002"
    with open(f"{folder.transcripts}/{here}.jsonl", "w", encoding="utf-8") as file:
        file.write("{}\n")
    record = remember(
        "it was said [3f2a1b2c:812, 900-905] and [44444444:1]; `[3f2a1b2c:3]` is code, [x](/t/evil/) is no link",
        session_id=here, transcript_ref=json.dumps([here, away]),
    )  # fmt: skip
    page = text(client, record["uuid"])
    assert f'[<a href="/t/{here}/?line=812#L812" rel="noopener noreferrer nofollow">3f2a1b2c:812</a>' in page
    assert f'<a href="/t/{here}/?line=900#L900" rel="noopener noreferrer nofollow">900-905</a>]' in page
    assert "[44444444:1]" in page
    assert "<code>[3f2a1b2c:3]</code>" in page
    assert "/t/evil/" not in page.split("Raw record")[0]
    assert f'<a href="/t/{here}/" title="{here}"><code>{here}</code></a>' in page
    assert f'<code>{away}</code> <span class="absent">not archived here</span>' in page


def test_sessions_are_named_by_their_first_request_and_day(
    client: Client, remember: Remember, folder: DataFolder
) -> None:
    own, other = "3f2a1b2c-0000-4000-8000-000000000001", "44444444-0000-4000-8000-000000000002"
    Path(folder.transcripts, f"{own}.jsonl").write_text("{}\n", encoding="utf-8")
    log = remember("Why is it slow?", type="session_log", session_id=own, created_at="2026-03-14T09:00:00")
    remember("Ship it", type="session_log", session_id=other, created_at="2026-03-15T09:00:00")
    refs = json.dumps([own, other])
    note = text(client, remember("a note", session_id=own, transcript_ref=refs)["uuid"]).split("<aside")[1]
    assert f'<a href="/t/{own}/" title="{own}">Why is it slow?</a>' in note
    assert note.count("Why is it slow?") == 1
    assert ">2026-03-14</time>" in note
    assert f"<code>{own}</code>" in note
    assert "Ship it <span" in note
    narrative = write_narrative(folder, "a story", session_id=own, transcript_ref=refs)
    mirror.update(folder)
    assert text(client, narrative["uuid"]).split("Written from")[1].count("Why is it slow?") == 1
    assert "Why is it slow?" not in text(client, log["uuid"]).split("<aside")[1].split("</aside>")[0]


def test_the_number_of_queries_does_not_grow_with_the_sessions(client: Client, remember: Remember) -> None:
    counts = []
    for total in (1, 30):
        ids = [f"{number:08d}-0000-4000-8000-0000000000{total:02d}" for number in range(total)]
        for one in ids:
            remember(f"log of {one}", type="session_log", session_id=one)
        record = remember("text", transcript_ref=json.dumps(ids))
        with CaptureQueriesContext(connection) as queries:
            text(client, record["uuid"])
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10


def test_many_sessions_with_long_first_requests_stay_within_a_page(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    ids = [f"{number:08d}-0000-4000-8000-000000000001" for number in range(100)]
    for one in ids:
        Path(memory_home.transcripts, f"{one}.jsonl").write_text("{}\n", encoding="utf-8")
        make_record("質問" * 300, type="session_log", session_id=one)
    record = make_record("text " * 2000, transcript_ref=json.dumps(ids))
    mirror.update(memory_home)
    page = text(client, record["uuid"])
    assert page.count("質問") > LISTED_SESSIONS
    assert "and 60 more" in page
    assert len(page.encode()) < 60_000


def test_tags_and_the_id_are_ready_for_use(client: Client, remember: Remember) -> None:
    record = remember("text", tags="a&b, c d")
    page = text(client, record["uuid"])
    assert 'href="/?tag=a%26b"' in page
    assert 'href="/?tag=c%20d"' in page
    assert f'data-copy="{record["uuid"]}"' in page


def test_hostile_text_in_any_field_stays_text(client: Client, remember: Remember) -> None:
    attack = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m"
    record = remember(
        f"# {attack}\n\n[{attack}](javascript:alert(1))", project=attack, project_id=f"path:{attack}", tags=attack,
        session_id=attack, transcript_ref=attack, origin=attack,
    )  # fmt: skip
    page = text(client, record["uuid"])
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\x1b" not in page
    assert 'href="javascript:' not in page


def test_a_record_with_the_least_fields_that_one_may_have_is_shown(client: Client, folder: DataFolder) -> None:
    uuid = "ab" * 16
    record = {"schema_version": 1, "uuid": uuid, "type": "note", "content": "bare", "project": "shop"}
    record |= {"created_at": "2026-03-14T09:00:00"}
    Path(folder.records, f"{uuid}.json").write_text(json.dumps(record), "utf-8")
    mirror.update(folder)
    answer = client.get(f"/m/{uuid}/")
    assert answer.status_code == 200
    assert "Note in shop</h1>" in answer.content.decode()


def test_a_content_kept_from_a_conflict_says_so_and_leads_to_both_sides(
    client: Client, memory_home: DataFolder
) -> None:
    made = disagreements.all_of_it(memory_home)
    compared = f'href="/m/{made["record"]}/?compare={made["kept"]}">See both sides'
    page = client.get(f"/m/{made['kept']}/").content.decode()
    assert "<strong>Kept from a conflict</strong>: laptop wrote this, desktop changed the same memory before" in page
    assert compared in page
    page = client.get(f"/m/{made['record']}/").content.decode()
    assert "<strong>Merged from a conflict</strong>" in page
    assert f'<a href="/m/{made["kept"]}/">Deploys go out on Fridays</a> <span class="facts">laptop, ' in page
    assert f'href="?compare={made["kept"]}">See both sides' in page


def test_a_kept_content_whose_other_side_is_gone_says_that(client: Client, memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    os.remove(records.record_path(memory_home, made["record"]))
    mirror.update(memory_home)
    page = client.get(f"/m/{made['kept']}/").content.decode()
    assert "The memory that is shown instead is not here any more." in page
    assert "See both sides" not in page


def test_an_edit_that_was_restored_after_it_lost_to_a_deletion_says_so(client: Client, memory_home: DataFolder) -> None:
    made = disagreements.edited_and_deleted(memory_home)
    record = records.restore(memory_home, made["kept"])
    for status, said in (("active", "This one is shown to sessions."), ("archived", "This one is hidden")):
        records.save(memory_home, record | {"status": status})
        mirror.update(memory_home)
        page = client.get(f"/m/{made['kept']}/").content.decode()
        assert "and the memory of which it is a version was deleted." in page
        assert "changed the same memory" not in page
        assert said in page
        assert f"llm-memory status --diff {made['kept']}" in page


def test_a_memory_of_no_conflict_speaks_of_none(client: Client, remember: Remember) -> None:
    assert "conflict" not in client.get(f"/m/{remember('alone')['uuid']}/").content.decode()

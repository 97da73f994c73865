"""The transcript reader: pages, places, folding, finding, and what it costs at 50 MB."""

from __future__ import annotations

import os
import re
from html import unescape

import pytest
from django.test import Client

from memories.core import mirror, records, transcript_blocks
from memories.core.paths import DataFolder
from memories.core.redact import Redactor
from tests.conftest import MakeRecord
from tests.core.conversations import put, update
from tests.core.test_transcript_reading import long_script
from tests.core.transcript_lines import SESSION, Script
from tests.dashboard.test_security import OWN_TAGS, PAYLOADS
from tests.dashboard.test_sessions import counted

ADDRESS = f"/t/{SESSION}/"
HTMX = {"HX-Request": "true"}


def text(client: Client, address: str = ADDRESS, status: int = 200, headers: dict[str, str] | None = None) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == status
    return unescape(response.content.decode())


def store(folder: DataFolder, script: Script, *, index: bool = True) -> None:
    put(folder, script.dump())
    if index:
        update(folder)


def lines(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<article class="line[^>]*id="L(\d+)"', page)]


def marked(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'class="line [^"]*target[^"]*" id="L(\d+)"', page)]


def test_a_conversation_is_shown_with_its_calls_folded(client: Client, memory_home: DataFolder) -> None:
    script = Script("/code/shop")
    script.attachment({"type": "hook_additional_context", "hookName": "SessionStart:startup", "content": ["freeze"]})
    script.user("Look:\n  indented")
    script.answer("It is **bold**.")
    script.call("Bash", {"command": "ls -l"}, result="a.py", failed=True)
    script.compaction("what was said before")
    script.user("[Request interrupted by user]")
    script.other(type="mode", mode="normal")
    store(memory_home, script)
    page = text(client)
    assert "What Claude was told at the start" in page
    assert '<div class="said typed">Look:\n  indented</div>' in page
    assert "<strong>bold</strong>" in page
    assert re.search(r'<details class="tool-call failed"><summary><span class="call">Bash: ls -l</span>', page)
    assert re.search(r'<div class="answer" id="L5">.*?<strong>Error</strong>.*?<pre>a.py</pre>', page, re.DOTALL)
    assert "Conversation compacted here" in page
    assert "what was said before" in page
    assert "Interrupted by the user" in page
    assert "1 of the lines 1–9 is Claude Code’s own bookkeeping" in page
    assert lines(page) == [1, 2, 3, 4, 6, 7, 8]


def test_ids_are_unique_though_calls_and_outputs_share_lines(client: Client, memory_home: DataFolder) -> None:
    script = Script("/code/shop")
    calls = [{"type": "tool_use", "id": name, "name": "Read", "input": {"file_path": name}} for name in "ab"]
    script.assistant(*calls)
    script.user([{"type": "tool_result", "tool_use_id": name, "content": name} for name in "ab"])
    store(memory_home, script)
    ids = re.findall(r' id="([^"]*)"', text(client))
    assert len(ids) == len(set(ids))
    assert "L2" in ids


def test_a_line_is_opened_in_its_place_and_marked(client: Client, memory_home: DataFolder) -> None:
    store(memory_home, long_script(200))
    for line in (1, 501, 996):
        page = text(client, f"{ADDRESS}?line={line}")
        assert marked(page) == [line]
    assert marked(text(client, f"{ADDRESS}?line=502")) == [503]  # bookkeeping: the next line that is shown
    assert marked(text(client, f"{ADDRESS}?line=505")) == [504]  # an output, with its call
    assert re.search(r'<details class="tool-call" open>', text(client, f"{ADDRESS}?line=505"))
    beyond = text(client, f"{ADDRESS}?line=1001", 404)
    assert "its last line is 1,000" in beyond
    assert f'<a href="{ADDRESS}">Open its start</a>' in beyond
    assert f'<a href="{ADDRESS}?end=1">Open its end</a>' in beyond


@pytest.mark.parametrize("index", [True, False])
def test_later_and_earlier_links_lead_through_the_whole_file(
    client: Client, memory_home: DataFolder, index: bool
) -> None:
    store(memory_home, long_script(60), index=index)
    every = [number for number in range(1, 301) if number % 5 not in {2, 0}]
    for direction, start in (("later", ADDRESS), ("earlier", f"{ADDRESS}?end=1")):
        address, seen = start, []
        while address:
            page = text(client, address)
            seen.append(lines(page))
            found = re.search(rf'<p class="more {direction}"><a href="([^"]*)"', page)
            address = found[1] if found else ""
        ordered = seen if direction == "later" else seen[::-1]
        assert [number for part in ordered for number in part] == every


def test_htmx_gets_the_lines_and_the_link_on_alone(client: Client, memory_home: DataFolder) -> None:
    store(memory_home, long_script(100))
    page = text(client, f"{ADDRESS}?line=250")
    for direction, other in (("later", "earlier"), ("earlier", "later")):
        address = re.search(rf'<p class="more {direction}"><a href="([^"]*)"', page)
        assert address
        part = text(client, address[1], headers=HTMX)
        assert "<html" not in part
        assert f"more {direction}" in part
        assert f"more {other}" not in part
        assert lines(part)
    assert client.get(ADDRESS, headers=HTMX).headers["Vary"].count("HX-Request") == 1


def test_the_outline_names_the_requests_around_and_leads_on(client: Client, memory_home: DataFolder) -> None:
    store(memory_home, long_script(100))
    page = text(client, f"{ADDRESS}?line=253")
    assert re.search(r'href="[^"]*line=251#L251" aria-current="true">request 50<', page)
    assert re.search(r'line=251#L251" data-jump="previous"', page)
    assert re.search(r'line=256#L256" data-jump="next"', page)
    outline = page[page.index('class="outline"') : page.index('id="conversation"')]
    assert re.findall(r">request (\d+)<", outline) == [str(number) for number in range(43, 76)]
    earlier = re.search(r'hx-get="([^"]*requests=before-[^"]*)"', outline)
    later = re.search(r'hx-get="([^"]*requests=from-[^"]*)"', outline)
    assert earlier
    assert later
    assert re.findall(r">request (\d+)<", text(client, earlier[1], headers=HTMX)) == [str(n) for n in range(18, 43)]
    assert re.findall(r">request (\d+)<", text(client, later[1], headers=HTMX)) == [str(n) for n in range(76, 100)]


def test_requests_far_apart_are_found_in_steps(
    client: Client, memory_home: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memories.requests.MAX_STEPS", 10)
    script = Script("/code/shop")
    for number in range(3):
        script.user(f"request {number}")
        for _ in range(30):
            script.answer("said")
    store(memory_home, script)
    address, found = f"{ADDRESS}?requests=from-1", []
    while address:
        part = text(client, address, headers=HTMX)
        found += re.findall(r">request (\d+)<", part)
        more = re.search(r'hx-get="([^"]*)"', part)
        address = more[1] if more else ""
    assert found == ["0", "1", "2"]


def test_find_lists_the_lines_and_leads_to_them(client: Client, memory_home: DataFolder) -> None:
    store(memory_home, long_script(100))
    page = text(client, f"{ADDRESS}?find=OUTPUT 77")
    assert "1 line with “OUTPUT 77”" in page
    assert "<mark>output 77</mark>" in page
    assert f'href="{ADDRESS}?find=OUTPUT+77&line=390#L390"' in page
    opened = text(client, f"{ADDRESS}?find=OUTPUT+77&line=390")
    assert marked(opened) == [389]
    assert 'data-words="OUTPUT 77"' in opened
    page = text(client, f"{ADDRESS}?find=answer")
    assert "more than 50 lines" in page
    more = re.search(r'<a href="([^"]*)">Search on', page)
    assert more
    assert "50 lines with" in text(client, more[1])
    assert "holds these words" in text(client, f"{ADDRESS}?find=nothing like it")
    assert client.get(ADDRESS, {"find": "x" * 201}).status_code == 400


def test_a_huge_output_is_cut_with_a_link_to_all_of_it(client: Client, memory_home: DataFolder) -> None:
    script = Script("/code/shop")
    script.call("Bash", {"command": "cat"}, result="<&>" * 100_000 + "THE END")
    store(memory_home, script)
    page = client.get(ADDRESS)
    assert len(page.content) < 20_000
    link = re.search(r'href="([^"]*whole=[^"]*)">Show all 300,007', unescape(page.content.decode()))
    assert link
    address, whole, parts = link[1], "", 0
    while address:
        part = client.get(address)
        assert len(part.content) < 60_000
        body = unescape(part.content.decode())
        whole += re.search(r'<pre class="whole" tabindex="0">(.*?)</pre>', body, re.DOTALL)[1]  # type: ignore[index]
        following = re.search(r'<a href="([^"]*)">Next part</a></p>\n\n', body) or re.search(
            r'<p class="more"><a href="([^"]*)">Next part', body
        )
        address, parts = (following[1] if following else ""), parts + 1
    assert whole == "<&>" * 100_000 + "THE END"
    assert parts > 10


def test_a_subagent_s_transcript_is_linked_both_ways(client: Client, memory_home: DataFolder) -> None:
    script = Script("/code/shop")
    call = {"type": "tool_use", "id": "t", "name": "Agent", "input": {"description": "look"}}
    script.assistant(call)
    kept = {"agentId": "a1"}
    script.user([{"type": "tool_result", "tool_use_id": "t", "content": "seen"}], toolUseResult=kept)
    agent = Script("/code/shop")
    agent.user("look around")
    put(memory_home, agent.dump(), f"{SESSION}/subagents/agent-a1.jsonl")
    put(memory_home, agent.dump(), f"{SESSION}/diverged-0a1b.jsonl")
    store(memory_home, script)
    page = text(client)
    assert f'<p class="agent"><a href="/t/{SESSION}/agent-a1/">' in page
    assert "1 subagent" in page
    assert f'href="/t/{SESSION}/diverged-0a1b/"' in page
    beside = text(client, f"/t/{SESSION}/agent-a1/")
    assert "Subagent transcript" in beside
    assert f'<a href="/t/{SESSION}/">Its main session</a>' in beside
    assert "look around" in beside


def test_the_memories_of_a_session_are_linked(client: Client, memory_home: DataFolder, make_record: MakeRecord) -> None:
    store(memory_home, long_script(1))
    log = make_record("turns: 2", type="session_log", session_id=SESSION, origin="laptop")
    note = make_record("Tuesdays only", session_id=SESSION, origin="laptop")
    where = {"project": "proj", "project_id": "path:/proj"}
    cited, other = (
        records.new_record(type="narrative", content=f"story of {session}", transcript_ref=f'["{session}"]', **where)
        for session in (SESSION, "x")
    )
    for record in (cited, other):
        records.save(memory_home, record)
    mirror.update(memory_home)
    page = text(client)
    for record in (log, note, cited):
        assert f"/m/{record['uuid']}/" in page
    assert other["uuid"] not in page
    assert "laptop" in page


@pytest.mark.parametrize(
    "address", [f"/t/{SESSION}/", "/t/nonsense/", "/t/ffffff/", f"/t/{SESSION}/agent-zz/", "/t/../../etc/passwd/"]
)
def test_what_is_not_archived_is_a_404_that_says_what_to_do(client: Client, address: str) -> None:
    page = client.get(address)
    assert page.status_code == 404
    if ".." not in address:
        assert "memory_search" not in page.content.decode()  # a tool of Claude's
        assert '<a href="/s/">See all sessions</a>' in page.content.decode()


def test_an_unknown_memory_is_explained_to_a_person(client: Client) -> None:
    page = text(client, f"/m/{'ab' * 16}/", 404)
    assert "No memory with this id is stored here" in page
    assert "memory_search" not in page


def test_a_refused_address_links_the_page_without_what_does_not_fit(client: Client, memory_home: DataFolder) -> None:
    store(memory_home, long_script(1))
    page = text(client, f"{ADDRESS}?before=x", 400)
    assert "“before” is no place in a transcript" in page
    assert f'<a href="{ADDRESS}">Open this page from its start</a>' in page


def test_who_speaks_is_you_or_claude(client: Client, memory_home: DataFolder) -> None:
    store(memory_home, long_script(1))
    assert re.findall(r'<p class="who"><strong>(You|User|Claude)</strong>', text(client)) == ["You", "Claude"]
    assert '<span class="facts">You</span>' in text(client, f"{ADDRESS}?find=request 0")
    assert '<span class="facts">Output' in text(client, f"{ADDRESS}?find=output 0")


def test_a_symlink_is_not_followed(client: Client, memory_home: DataFolder, tmp_path: os.PathLike[str]) -> None:
    secret = os.path.join(tmp_path, "secret")
    with open(secret, "wb") as file:
        file.write(long_script(1).dump())
    os.makedirs(memory_home.transcripts, exist_ok=True)
    os.symlink(secret, os.path.join(memory_home.transcripts, f"{SESSION}.jsonl"))
    assert "request 0" not in text(client, status=404)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("line=x", 400),
        ("from=1", 400),
        ("before=a:b", 400),
        ("whole=1", 400),
        ("requests=x", 400),
        ("find=a&after=b", 400),
        ("line=0", 200),
        ("from=2:3", 404),
        ("before=7:9", 404),
        ("whole=1:0&part=9", 404),
        ("line=99999", 404),
    ],
)
def test_a_place_that_is_none_is_answered_clearly(
    client: Client, memory_home: DataFolder, query: str, status: int
) -> None:
    store(memory_home, long_script(1))
    assert client.get(f"{ADDRESS}?{query}").status_code == status


def test_a_file_that_was_replaced_by_a_shorter_one_says_so(client: Client, memory_home: DataFolder) -> None:
    store(memory_home, long_script(100))
    later = re.search(r'<p class="more later"><a href="([^"]*)"', text(client))
    assert later
    put(memory_home, long_script(1).dump())
    assert "was replaced since" in text(client, later[1], 404)
    assert marked(text(client, f"{ADDRESS}?line=3")) == [3]  # the index still describes the longer one


@pytest.mark.parametrize("payload", PAYLOADS)
def test_stored_text_never_becomes_markup(client: Client, memory_home: DataFolder, payload: str) -> None:
    script = Script("/code/shop")
    script.attachment({"type": "hook_additional_context", "hookName": payload, "content": [payload]})
    script.user(payload)
    script.assistant({"type": "thinking", "thinking": payload}, {"type": "text", "text": payload})
    script.call(payload, {payload: payload, "command": payload}, result=payload)
    script.compaction(payload)
    script.user([{"type": payload, "source": {"media_type": payload, "data": payload}}])
    store(memory_home, script)
    pages = [client.get(ADDRESS), client.get(ADDRESS, {"find": payload[:200]}), client.get(f"{ADDRESS}?whole=1:0")]
    pages += [client.get("/s/"), client.get(ADDRESS, {"find": payload[:200], "line": "2"})]
    for answer in pages:
        page = answer.content.decode()
        assert answer.status_code == 200
        assert re.search(r"[\x00-\x08\x0b-\x1f]", page) is None
        for tag in re.findall(r"<[^>]*>", page):
            bare = re.sub(r'"[^"]*"', '""', re.sub(r"content='[^']*'", "", tag))
            assert not re.search(r"\s(?:on\w+|style|srcdoc)\s*=", bare, re.IGNORECASE), tag
            assert not re.search(r"(?:href|src|action)=\"(?:javascript|data|vbscript):", tag, re.IGNORECASE), tag
            known = re.match(r"</?(?:br|del|hr|kbd|dialog|table|tbody|thead|tr|th|td)(?=[\s>])", tag)
            assert OWN_TAGS.match(tag) or known, tag


def test_fifty_megabytes_cost_a_page_what_it_shows(
    client: Client, memory_home: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = b'{"type":"api-request-blob","x":"' + b"y" * 800_000 + b'"}\n'
    part = long_script(20).dump() + blob
    put(memory_home, b"".join(part.replace(b'"answer ', b'"answer %d of ' % number) for number in range(60)))
    update(memory_home)
    assert os.path.getsize(os.path.join(memory_home.transcripts, f"{SESSION}.jsonl")) > 49_000_000
    parsed: list[int] = []
    counted_bytes: list[int] = []
    read, pread = transcript_blocks.read_line, os.pread

    def noted(number: int, offset: int, raw: bytes, redactor: Redactor | None) -> transcript_blocks.Line | None:
        parsed.append(len(raw))
        return read(number, offset, raw, redactor)

    monkeypatch.setattr(transcript_blocks, "read_line", noted)

    def watched(fd: int, size: int, offset: int) -> bytes:
        data = pread(fd, size, offset)
        counted_bytes.append(len(data))
        return data

    monkeypatch.setattr(os, "pread", watched)
    for query in ("", "?line=3000", "?end=1"):
        parsed.clear()
        counted_bytes.clear()
        response = client.get(ADDRESS + query)
        assert response.status_code == 200
        assert len(response.content) < 60_000
        assert len(parsed) < 150
        assert sum(counted_bytes) < 12_000_000


def test_the_number_of_queries_does_not_grow_with_the_transcript(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    counts = []
    for requests in (40, 41, 300):
        store(memory_home, long_script(requests))
        for _ in range(requests // 40):
            make_record("a note", session_id=SESSION)
        mirror.update(memory_home)
        client.get(ADDRESS)
        counts.append(counted(lambda: client.get(ADDRESS)))
    assert counts[0] == counts[1]
    assert counts[2] <= counts[0] + 8  # a bisection's steps are logarithmic in the turns

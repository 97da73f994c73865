"""The graph: which nodes and links its data has, its table, its panel, and the addresses that it refuses."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from memories import graph as graph_module
from memories import graph_filters
from memories.core import mirror, records
from memories.core.paths import DataFolder
from memories.graph import LINK_KINDS, NODE_KINDS
from memories.graph_table import MAX_ENDS, PAGE_ROWS
from tests.conftest import MakeRecord
from tests.dashboard.conftest import Remember

ABSENT = "f" * 32


def link(*targets: dict[str, Any] | str, relationship: str = "related_to") -> list[dict[str, str]]:
    uuids = [target if isinstance(target, str) else target["uuid"] for target in targets]
    return [{"to_uuid": uuid, "relationship": relationship} for uuid in uuids]


def data(client: Client, **query: Any) -> dict[str, Any]:
    """The answer without projects as nodes, unless asked for."""
    response = client.get(f"/graph/data/?{urlencode({'projects': 0, **query}, doseq=True)}")
    assert response.status_code == 200, response.content
    found: dict[str, Any] = json.loads(response.content)
    return found


def nodes(client: Client, **query: Any) -> set[str]:
    return set(data(client, **query)["titles"])


def links(found: dict[str, Any]) -> set[tuple[str, str, str]]:
    names = found["titles"]
    columns = zip(found["sources"], found["relationships"], found["targets"], strict=True)
    return {(names[source], LINK_KINDS[kind], names[target]) for source, kind, target in columns}


def page(client: Client, status: int = 200, headers: dict[str, str] | None = None, **query: Any) -> str:
    response = client.get(f"/graph/?{urlencode(query, doseq=True)}", headers=headers)
    assert response.status_code == status
    return response.content.decode()


@pytest.fixture
def keep(memory_home: DataFolder) -> Remember:
    """remember() for the types that need a project from the start."""

    def store(content: str, *, type: str, project: str, **fields: Any) -> dict[str, Any]:
        record = {**records.new_record(type=type, content=content, project=project), **fields}
        records.save(memory_home, record)
        mirror.update(memory_home)
        return record

    return store


@pytest.fixture
def chain(memory_home: DataFolder, make_record: MakeRecord) -> list[dict[str, Any]]:
    """six -> five -> ... -> one, each in its own session, in two projects by turns; and one that is alone."""
    names = ["one", "two", "three", "four", "five", "six"]
    found: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        fields: dict[str, Any] = {"project": "shop" if number % 2 else "depot", "session_id": f"session-{number // 2}"}
        found.append(make_record(name, connections=link(found[-1]) if found else [], **fields))
    make_record("alone", project="shop")
    mirror.update(memory_home)
    return found


def test_the_whole_graph_has_every_memory_and_link(client: Client, chain: list[dict[str, Any]]) -> None:
    found = data(client)
    assert set(found["titles"]) == {"one", "two", "three", "four", "five", "six", "alone"}
    assert ("two", "related_to", "one") in links(found)
    assert len(found["sources"]) == 5
    assert found["said"] == ""
    assert {NODE_KINDS[kind] for kind in found["kinds"]} == {"note"}
    columns = ("ids", "kinds", "titles", "projects", "importance", "hidden")
    assert {len(found[name]) for name in columns} == {7}


@pytest.mark.parametrize(
    ("depth", "around"),
    [
        (1, {"two", "three", "four"}),
        (2, {"one", "two", "three", "four", "five"}),
        (3, {"one", "two", "three", "four", "five", "six"}),
    ],
)
def test_a_neighbourhood_goes_both_ways_as_deep_as_asked(
    client: Client, chain: list[dict[str, Any]], depth: int, around: set[str]
) -> None:
    assert nodes(client, focus=chain[2]["uuid"], depth=depth) == around


def test_a_neighbourhood_goes_through_sessions_only_where_they_are_nodes(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    start = make_record("start", session_id="s-1")
    make_record("same session", session_id="s-1")
    make_record("refers to it", transcript_ref='["s-1", "s-2"]')
    mirror.update(memory_home)
    assert nodes(client, focus=start["uuid"]) == {"start"}
    found = data(client, focus=start["uuid"], sessions=1, depth=1)
    assert set(found["titles"]) == {"start", "same session", "refers to it", "Session s-1", "Session s-2"}
    assert ("refers to it", "session", "Session s-1") in links(found)
    assert nodes(client, focus="s:s-2", sessions=1, depth=1) == {"refers to it", "Session s-1", "Session s-2"}


def test_projects_are_nodes_when_switched_on_and_can_be_focused(client: Client, chain: list[dict[str, Any]]) -> None:
    found = data(client, projects=1)
    assert {"shop", "depot"} <= set(found["titles"])
    assert ("two", "project", "shop") in links(found)
    assert nodes(client, projects=1, focus="p:shop", depth=1) == {"two", "four", "six", "alone", "shop"}


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({"project": "depot"}, {"one", "three", "five"}),
        ({"type": "narrative"}, {"story"}),
        ({"type": ["narrative", "session_log"]}, {"story", "log"}),
        ({"type": "none"}, set()),
    ],
)
def test_filters_leave_what_fits(
    client: Client, chain: list[dict[str, Any]], keep: Remember, query: dict[str, Any], left: set[str]
) -> None:
    keep("story", type="narrative", project="other")
    keep("log", type="session_log", project="other")
    assert nodes(client, **query) == left


def test_relationships_are_filtered_and_archived_ones_are_shown_on_request(
    client: Client, keep: Remember, remember: Remember
) -> None:
    old = keep("old", type="narrative", project="shop", status="archived")
    new = keep("new", type="narrative", project="shop", connections=link(old, relationship="supersedes"))
    remember("beside", connections=link(new))
    assert nodes(client) == {"new", "beside"}
    found = data(client, archived=1)
    assert links(found) == {("new", "supersedes", "old"), ("beside", "related_to", "new")}
    assert found["hidden"][found["titles"].index("old")] == 1
    assert links(data(client, archived=1, relationship="supersedes")) == {("new", "supersedes", "old")}
    assert links(data(client, archived=1, relationship="none")) == set()
    assert nodes(client, focus=old["uuid"]) == {"old", "new", "beside"}, "the focus is shown even when it is archived"


def test_expanding_a_node_adds_its_neighbours_past_the_filters(client: Client, chain: list[dict[str, Any]]) -> None:
    assert nodes(client, focus=chain[0]["uuid"], depth=1) == {"one", "two"}
    assert nodes(client, focus=chain[0]["uuid"], depth=1, expand=chain[1]["uuid"]) == {"one", "two", "three"}
    assert nodes(client, project="depot", expand=chain[0]["uuid"]) == {"one", "two", "three", "five"}
    assert "two</a>" in page(client, project="depot", expand=chain[0]["uuid"])


def test_a_link_to_a_memory_that_is_not_here_is_kept_and_said(client: Client, remember: Remember) -> None:
    source = remember("source", connections=link(ABSENT))
    found = data(client)
    assert links(found) == {("source", "related_to", "not on this machine")}
    assert NODE_KINDS[found["kinds"][found["ids"].index(ABSENT)]] == "missing"
    assert "(not on this machine)" in page(client)
    assert "not synced yet, or was deleted" in page(client, selected=ABSENT)
    assert source["uuid"] in found["ids"]


def test_a_graph_without_room_takes_linked_then_important_then_new_memories_and_says_so(
    client: Client, memory_home: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_module, "MAX_NODES", 4)
    end = make_record("linked end", importance=1, created_at="2026-01-01T00:00:00")
    make_record("linked start", importance=1, created_at="2026-01-02T00:00:00", connections=link(end))
    make_record("important", importance=9, created_at="2026-01-01T00:00:00")
    make_record("older", created_at="2026-02-01T00:00:00")
    make_record("newer", created_at="2026-02-02T00:00:00")
    mirror.update(memory_home)
    found = data(client)
    assert found["titles"] == ["linked start", "linked end", "important", "newer"]
    assert found["said"] == "4 of 5 memories are drawn: linked, important and new ones first."


def test_a_neighbourhood_without_room_is_cut_and_says_so(
    client: Client, memory_home: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (graph_module, graph_filters):
        monkeypatch.setattr(module, "MAX_NODES", 3)
    monkeypatch.setattr("memories.graph_walk.MAX_NODES", 3)
    hub = make_record("hub")
    for number in range(5):
        make_record(f"spoke {number}", connections=link(hub))
    mirror.update(memory_home)
    found = data(client, focus=hub["uuid"])
    assert len(found["ids"]) == 3
    assert found["titles"][0] == "hub"
    assert found["said"].startswith("3 of more than 3 memories are drawn")


def test_the_number_of_queries_does_not_grow_with_memories(
    client: Client, memory_home: DataFolder, make_record: MakeRecord
) -> None:
    hub = make_record("hub", project="shop", session_id="s-0")

    def grow(count: int) -> None:
        for number in range(count):
            fields = {"project": f"p{number % 7}", "session_id": f"s-{number % 5}"}
            make_record(f"spoke {number}", connections=link(hub, ABSENT), **fields)
        mirror.update(memory_home)

    def counts() -> list[int]:
        found = []
        for address in ("/graph/", "/graph/data/"):
            for query in ("", "?sessions=1&projects=1&archived=1", f"?focus={hub['uuid']}&sessions=1&depth=3"):
                client.get(address + query)
                with CaptureQueriesContext(connection) as captured:
                    assert client.get(address + query).status_code == 200
                found.append(len(captured))
        return found

    grow(3)
    few = counts()
    grow(60)
    assert counts() == few
    assert max(few) <= 16


def test_the_table_names_the_links_both_ways(client: Client, chain: list[dict[str, Any]]) -> None:
    text = page(client, focus=chain[1]["uuid"], depth=1)
    assert text.count("<tr data-item>") == 3
    assert f'<a href="/m/{chain[0]["uuid"]}/">one</a>' in text
    assert "<thead>" in text
    assert 'scope="row"' in text
    assert "alone" not in page(client, projects=0), "the table of the whole graph is about what is linked"
    assert "alone" in page(client, projects=0, sessions=1)
    assert "alone" in page(client), "projects are nodes, so it is in the drawing's company"


def test_the_table_is_paged(client: Client, memory_home: DataFolder, make_record: MakeRecord) -> None:
    hub = make_record("hub", created_at="2027-01-01T00:00:00")
    for number in range(PAGE_ROWS + 5):
        make_record(f"spoke {number}", connections=link(hub))
    mirror.update(memory_home)
    first = page(client)
    assert first.count("<tr data-item>") == PAGE_ROWS
    assert f'href="/graph/?offset={PAGE_ROWS}"' in first
    assert f"and {PAGE_ROWS + 5 - MAX_ENDS} more" in first
    rest = page(client, offset=PAGE_ROWS)
    assert rest.count("<tr data-item>") == 6
    part = page(client, offset=PAGE_ROWS, headers={"HX-Request": "true"})
    assert part.count("<tr data-item>") == 6
    assert "<html" not in part


def test_finding_narrows_the_table_to_titles(client: Client, chain: list[dict[str, Any]]) -> None:
    text = page(client, find="thr")
    assert text.count("<tr data-item>") == 1
    assert "three" in text
    assert "No title or project has “nothing of it”" in page(client, find="nothing of it")


def test_htmx_gets_the_table_or_the_panel_alone(client: Client, chain: list[dict[str, Any]]) -> None:
    response = client.get("/graph/", headers={"HX-Request": "true", "HX-Target": "graph-table"})
    assert "<html" not in response.content.decode()
    assert "<table>" in response.content.decode()
    assert {"HX-Request", "HX-Target"} <= {name.strip() for name in response.headers["Vary"].split(",")}
    headers = {"HX-Request": "true", "HX-Target": "graph-panel"}
    panel = page(client, selected=chain[2]["uuid"], headers=headers)
    assert "<table>" not in panel
    assert 'class="clamped">three</h2>' in panel
    assert f'href="/m/{chain[2]["uuid"]}/"' in panel
    assert "<html" in page(client, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})


def test_the_panel_says_what_a_session_and_a_project_are(client: Client, chain: list[dict[str, Any]]) -> None:
    session = page(client, selected="s:session-1")
    assert "Session session-" in session
    assert 'note</span> <a href="/m/' in session
    assert "2 memories" in session
    assert "Its transcript is not on this machine." in session
    project = page(client, selected="p:shop")
    assert "4 memories" in project
    assert 'href="/p/shop/">Open the project' in project


def test_an_empty_graph_says_how_memories_get_linked(client: Client, remember: Remember) -> None:
    text = page(client, projects=0)
    assert "memory_connect" in text
    assert "related_to" in text
    assert "supersedes" in text
    assert "Choose at least one type" in page(client, type="none")
    assert "Nothing fits these filters" in page(client, type="narrative")


def test_a_graph_of_nothing_gives_steps_and_nothing_to_click(client: Client) -> None:
    text = page(client)
    assert "There is nothing to draw yet" in text
    assert text.count("<li>") >= 5
    for absent in ("click it", "graph-canvas", "graph.js", "filters</h3>"):
        assert absent not in text


def test_projects_are_nodes_unless_the_address_says_no(client: Client, chain: list[dict[str, Any]]) -> None:
    for query, are_nodes in (("", True), ("projects=1", True), ("projects=0", False), ("projects=0&projects=1", True)):
        found = json.loads(client.get(f"/graph/data/?{query}").content)
        assert ("p:shop" in found["ids"]) == are_nodes, query
    box = '<input type="checkbox" name="projects" value="1"'
    assert f"{box} checked" in page(client)
    assert f"{box} checked" not in page(client, projects=0)
    assert "projects=0" in page(client, projects=0, selected=chain[0]["uuid"])


def found_in_table(client: Client, **query: Any) -> set[str]:
    return set(re.findall(r'data-item>\s*<th scope="row"><a href="/m/(\w+)/"', page(client, **query)))


@pytest.mark.parametrize("text", ["EVENING", "ÜBER", "end of a long title", "depot", "no such thing"])
@pytest.mark.parametrize("more", [{}, {"sessions": 1}, {"projects": 0}, {"focus": True}])
def test_the_graph_and_the_table_find_the_same(
    client: Client, remember: Remember, text: str, more: dict[str, Any]
) -> None:
    first = remember("**Tides** in the evening | über Nacht", project="depot")
    remember("evening " + "and on " * 12 + "the end of a long title", project="shop", connections=link(first))
    remember("beside it", project="depot")
    if more.get("focus"):
        more = {"focus": first["uuid"]}
    whole = data(client, find=text, **more)
    alone = data(client, find=text, only="found", **more)
    assert alone == {"found": whole["found"]}
    memories = {node for node in whole["found"] if ":" not in node}
    assert memories == found_in_table(client, **{"projects": 0, **more, "find": text})
    assert bool(memories) == (text != "no such thing")


def test_a_session_is_called_and_found_by_its_first_request(client: Client, keep: Remember) -> None:
    log = "Project: shop\n\n## Opening request\n> Why is the **cart** slow?\n\n## Last answer\n> - It asks `twice`."
    record = keep(log, type="session_log", project="shop", session_id="s-1", tags="cart, slow & low")
    found = data(client, sessions=1, find="cart")
    assert found["found"] == [record["uuid"], "s:s-1"]
    assert found["titles"][found["ids"].index("s:s-1")].startswith("Why is the")
    panel = page(client, selected=record["uuid"], headers={"HX-Request": "true", "HX-Target": "graph-panel"})
    assert "Last answer: It asks twice." in panel
    assert '<a class="tag" href="/?tag=slow%20%26%20low">slow &amp; low</a>' in panel
    assert "(its transcript is not on this machine)" in panel
    assert "Why is the" in page(client, selected="s:s-1", headers={"HX-Request": "true", "HX-Target": "graph-panel"})


def test_the_panel_has_the_whole_title_what_follows_it_and_its_neighbours(client: Client, remember: Remember) -> None:
    title = "a title " + "longer than a label " * 4 + "ends here"
    hub = remember(f"# {title}\n\nAnd *this* follows.")
    for number in range(12):
        remember(f"spoke {number}", connections=link(hub))
    panel = page(client, selected=hub["uuid"], headers={"HX-Request": "true", "HX-Target": "graph-panel"})
    assert f">{title}</h2>" in panel
    assert '<p class="excerpt">And this follows.</p>' in panel
    assert panel.count(">spoke ") == 10
    assert "and 2 more" in panel
    assert 'data-around="12"' in panel


@pytest.mark.parametrize(
    "query",
    [
        "depth=0",
        f"project={'m' * 501}",
        "depth=5",
        "depth=x",
        "type=nothing",
        "relationship=likes",
        "focus=x",
        "focus=s:",
        "focus=p:" + "x" * 201,
        "focus=s:%00",
        "expand=../etc",
        "selected=zz",
        "offset=-1",
        "offset=x",
        "offset=300",
        "&".join(f"expand={number:032x}" for number in range(51)),
    ],
)
def test_an_address_that_no_link_leads_to_is_refused(client: Client, chain: list[dict[str, Any]], query: str) -> None:
    assert client.get(f"/graph/?{query}").status_code == 400
    if not query.startswith(("selected", "offset")):
        assert client.get(f"/graph/data/?{query}").status_code == 400


def test_a_focus_that_is_not_here_is_not_found(client: Client, chain: list[dict[str, Any]]) -> None:
    assert "No such memory" in page(client, 404, focus=ABSENT)
    assert client.get(f"/graph/data/?focus={ABSENT}").status_code == 404


ATTACK = "<img src=x onerror=alert(1)></script><script>alert(1)</script>{{ 7|add:7 }}\x1b[31m"


def test_hostile_text_is_inert_in_the_data_the_table_and_the_panel(client: Client, remember: Remember) -> None:
    fields: dict[str, Any] = {"project": ATTACK, "session_id": "<b>s</b>", "tags": ATTACK}
    record = remember(ATTACK, **fields)
    remember(ATTACK + " two", connections=link(record), **fields)
    response = client.get("/graph/data/?sessions=1&projects=1")
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "\x1b" not in response.content.decode()
    text = page(client, sessions=1, projects=1, selected=record["uuid"], find="<img")
    for raw in ("<img src=x", "<b>s</b>", "<script>alert", "\x1b"):
        assert raw not in text
    assert "&lt;img src=x" in text


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["focus", "depth", "type", "relationship", "project", "expand", "find", "selected", "offset"]),
        st.one_of(st.text(max_size=40), st.sampled_from(["s:x", "p:shop", "none", "note", "2", ABSENT])),
        max_size=4,
    )
)
def test_any_address_is_answered_or_refused_never_a_fault(
    client: Client, chain: list[dict[str, Any]], query: dict[str, str]
) -> None:
    encoded = urlencode({name: value.encode("utf-8", "replace") for name, value in query.items()})
    for address in ("/graph/", "/graph/data/"):
        assert client.get(f"{address}?{encoded}").status_code in {200, 400, 404}

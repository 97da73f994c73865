"""The timeline's state as an address: what is written is read back, what no link leads to is refused."""

from __future__ import annotations

import pytest
from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from memories.core.records import TYPES
from memories.core.scope import Scope
from memories.facets import IMPORTANCES
from memories.project_groups import NO_PROJECT, ProjectGroup
from memories.timeline import TRANSCRIPT, Filters
from memories.urls import AnyTextConverter
from memories.views.filters import MAX_QUERY_CHARS, address, pairs, read_filters

NAMES = ["shop", "c&a=b+d#e", "ünïcode/日本", "git:github.com/shop/api", NO_PROJECT]
GROUPS = [ProjectGroup(name, name, None, Scope(name, frozenset(), frozenset({name}))) for name in NAMES]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
stripped = text.map(str.strip)
FILTERS = st.builds(
    Filters,
    q=stripped,
    type=st.sampled_from(["", *TYPES, TRANSCRIPT]),
    project=st.none() | st.sampled_from(GROUPS),
    tags=st.lists(stripped.map(str.casefold).map(str.strip).filter(bool), unique=True, max_size=4).map(tuple),
    importance=st.sampled_from(["", *IMPORTANCES]),
    month=st.dates().map(lambda day: f"{day:%Y-%m}".zfill(7)) | st.just(""),
    machine=text,
    archived=st.booleans(),
)


def read(of: str) -> Filters:
    return read_filters(QueryDict(of.partition("?")[2]), GROUPS)


@given(FILTERS.filter(lambda one: all(tag.casefold() == tag for tag in one.tags)))
def test_an_address_is_read_back_as_the_filters_that_it_was_made_of(filters: Filters) -> None:
    assert read(address(filters)) == filters


@given(FILTERS)
def test_the_forms_fields_and_the_words_are_the_whole_address(filters: Filters) -> None:
    query = QueryDict(mutable=True)
    for name, value in [("q", filters.q), *pairs(filters)]:
        query.appendlist(name, value)
    assert read(f"?{query.urlencode()}") == read(address(filters))


def test_no_filters_have_the_plain_address() -> None:
    assert address(Filters()) == "/"
    assert address(Filters(q="a", type="note"), q="") == "/?type=note"


def test_tags_are_folded_and_each_is_taken_once() -> None:
    assert read("?tag=Deploy&tag=+deploy+&tag=&tag=freeze").tags == ("deploy", "freeze")


def test_a_pasted_page_is_cut_to_what_every_link_can_carry() -> None:
    assert len(read("?q=" + "word+" * 5000).q) <= MAX_QUERY_CHARS


@pytest.mark.parametrize("query", ["type=task", "importance=9", "month=2026", "month=2026-13", "month=2026-03-01"])
def test_a_value_that_does_not_exist_is_refused(query: str) -> None:
    with pytest.raises(BadRequest):
        read(f"?{query}")


@pytest.mark.parametrize(
    "query",
    ["&".join(f"tag=t{one}" for one in range(11)), *(f"{name}={'m' * 501}" for name in ("project", "machine", "tag"))],
)
def test_an_address_that_would_blow_up_every_link_of_its_page_is_refused(client: Client, query: str) -> None:
    assert client.get(f"/?{query}").status_code == 400


PARTS = ["", ".", "..", "~", "~.", "~..", "~~..", "a", "a.b", "\n", "…"]


@given(st.lists(st.sampled_from(PARTS), min_size=1).map("/".join))
def test_a_project_of_any_name_has_an_address_that_a_browser_leaves_as_it_is(name: str) -> None:
    converter = AnyTextConverter()
    address = converter.to_url(name)
    assert not {".", ".."} & set(address.split("/"))
    assert converter.to_python(address) == name

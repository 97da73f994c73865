"""Two machines with a Syncthing each: parted, both at work, and together again. One story, looked at from all sides."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.sync.ledger import assert_equal_folders, assert_equal_mirrors, assert_healthy, assert_tidy
from tests.sync.machine import Machine
from tests.sync.network import Network, joined
from tests.sync.other_syncs import ConflictCopies
from tests.sync.sessions import session_id
from tests.sync.story import BEFORE, DAY, Story

pytestmark = [pytest.mark.install, pytest.mark.xdist_group("sync")]


@pytest.fixture(scope="module", params=["syncthing", pytest.param("conflict copies", marks=pytest.mark.long)])
def story(request: pytest.FixtureRequest, make_machine: Callable[..., Machine]) -> Iterator[Story]:
    """The story, told. beta's clock is a day ahead, its data folder at another place."""
    machines = make_machine("alpha"), make_machine("beta", skew=DAY, data="Sync data/memory")
    with ExitStack() as stack:
        by_syncthing = request.param == "syncthing"
        network: Network = stack.enter_context(joined(machines)) if by_syncthing else ConflictCopies(machines)
        story = Story(network)
        stack.callback(story.close)
        story.tell()
        yield story


def record(story: Story, name: str) -> dict[str, Any]:
    return story.alpha.records()[story.notes[name]]


def test_both_data_folders_hold_the_same_bytes_after_one_round(story: Story) -> None:
    assert_equal_folders(story.network.machines)
    assert story.rounds <= 2


def test_both_indexes_hold_the_same_rows(story: Story) -> None:
    assert_equal_mirrors(story.network.machines)
    assert len(story.alpha.rows()["memory"]) == len(story.alpha.records())


def test_no_content_and_no_byte_of_a_transcript_is_lost(story: Story) -> None:
    for machine in story.network.machines:
        story.ledger.assert_kept(machine)


def test_no_copy_no_temp_file_and_no_second_log_is_left(story: Story) -> None:
    for machine in story.network.machines:
        assert_tidy(machine)


def test_doctor_is_content_on_both(story: Story) -> None:
    for machine in story.network.machines:
        assert_healthy(machine)


def test_what_travelled_is_private_on_both(story: Story) -> None:
    for machine in story.network.machines:
        assert "can be read by others" not in machine.llm_memory("doctor")


@pytest.mark.parametrize(("name", "content"), [
    ("edited", "edited, as beta has it"), ("edited twice", "edited twice, once on beta"),
])  # fmt: skip
def test_of_two_edits_the_later_is_shown_and_the_other_kept_behind_it(story: Story, name: str, content: str) -> None:
    shown = record(story, name)
    assert (shown["content"], shown["origin"]) == (content, "beta")
    kept = [one for one in story.alpha.records().values() if one.get("conflict_of") == shown["uuid"]]
    assert [one["origin"] for one in kept] == ["alpha"]
    assert kept[0]["status"] == "archived"
    assert kept[0]["uuid"] in {link["to_uuid"] for link in shown["connections"]}


def test_a_link_made_on_one_and_an_edit_on_the_other_are_both_there(story: Story) -> None:
    linked = record(story, "linked")
    assert linked["content"] == "linked on alpha, edited on beta"
    assert {"to_uuid": story.notes["target"], "relationship": "related_to"} in linked["connections"]


def test_tags_of_both_are_united(story: Story) -> None:
    assert record(story, "tagged")["tags"] == "deploy, from-alpha, from-beta"


def test_edits_by_hand_on_both_are_both_kept(story: Story) -> None:
    uuid = story.notes["by hand"]
    contents = {
        one["content"] for one in story.beta.records().values() if uuid in {one["uuid"], one.get("conflict_of")}
    }
    assert contents == {"written by hand on alpha", "written by hand on beta"}


def test_an_edit_after_a_deletion_brings_the_note_back(story: Story) -> None:
    assert record(story, "deleted")["content"] == "deleted on alpha, edited on beta a day later"
    assert story.notes["deleted"] not in story.beta.records("trash")


def test_a_deletion_after_an_edit_stays_and_the_edit_is_in_the_trash(story: Story) -> None:
    for machine in story.network.machines:
        assert story.notes["revised"] not in machine.records()
        assert story.notes["revised"] in machine.records("trash")
        in_trash = {one["content"] for one in machine.records("trash").values()}
        assert "revised on alpha, a day before beta deleted it" in in_trash


def test_what_both_deleted_is_deleted_and_what_was_restored_is_back(story: Story) -> None:
    for machine in story.network.machines:
        assert story.notes["given up"] not in machine.records()
        assert story.notes["restored"] in machine.records()
        assert story.notes["restored"] not in machine.records("trash")


def test_a_note_of_each_is_found_on_the_other(story: Story) -> None:
    found, _ = story.ask(0).call("memory_search", query="How much memory does the index need?")
    assert story.notes["of beta"] in [hit["uuid"] for hit in found["results"]]
    found, _ = story.ask(1).call("memory_search", query="When does the queue drop messages?")
    assert story.notes["of alpha"] in [hit["uuid"] for hit in found["results"]]


def test_two_narratives_of_one_project_stay_and_it_is_said(story: Story) -> None:
    for number, machine in enumerate(story.network.machines):
        here = machine.records()
        for name in ("narrative of alpha", "narrative of beta"):
            assert here[story.notes[name]].get("status") == "active"
        assert here[story.notes["narrative"]]["status"] == "archived"
        coverage, _ = story.ask(number).call("narrative_coverage")
        assert coverage["narrative_uuid"] == story.notes["narrative of beta"]
        assert "fork" in json.dumps(coverage).lower(), coverage


@pytest.mark.parametrize(("number", "place", "texts"), [
    (0, "orders", ["queue drops messages", "index needs 3 GB"]),
    pytest.param(1, "orders", ["queue drops messages", "index needs 3 GB"], marks=pytest.mark.long),
    pytest.param(0, "marked", ["kept for 30 days", "net prices"], marks=pytest.mark.long),
    (1, "marked", ["kept for 30 days", "net prices"]),
    (0, "aliased", ["at 3 in the morning", "need bash 5"]),
    pytest.param(1, "aliased", ["at 3 in the morning", "need bash 5"], marks=pytest.mark.long),
])  # fmt: skip
def test_a_project_is_one_project_wherever_it_lies(story: Story, number: int, place: str, texts: list[str]) -> None:
    """By its remote, by its marker, by an alias: asked from either machine, the notes of both are there."""
    server = story.ask(number, place)
    _, text = server.call("memory_brief")
    name = {"orders": "orders-api", "marked": "the-shop", "aliased": "tools"}[place]
    found, _ = server.call("memory_recent", project=name, limit=50)
    for wanted in texts:
        assert any(wanted in hit["content"] for hit in found["results"]), (wanted, found)
        assert wanted in text, text


def test_coverage_counts_the_sessions_of_both_once(story: Story) -> None:
    counts = []
    for number in (0, 1):
        coverage, _ = story.ask(number).call("narrative_coverage")
        counts.append({one["session_id"] for one in coverage["unprocessed"]})
    assert counts[0] == counts[1] == {session_id(name) for name in ("grows", "resumed on both", "of alpha", "of beta")}


def test_a_session_that_went_on_differently_on_both_is_kept_twice_and_found(story: Story) -> None:
    main = story.alpha.files()[story.path_of("resumed on both")]
    beside = [
        name
        for name in story.alpha.files()
        if name.startswith(f"transcripts/{session_id('resumed on both')}/diverged-")
    ]
    assert len(beside) == 1
    assert b"dead letters" in main
    for number in (0, 1):
        for words in ("on alpha: at 4 MB", "on beta: its dead letters"):
            found, _ = story.ask(number).call("memory_search", query=words, scope="transcripts")
            assert any(words in hit["snippet"].replace("**", "") for hit in found["results"]), found


def test_neither_machine_changes_the_other_s_transcript_at_its_next_starts(story: Story) -> None:
    before = story.alpha.files()
    for machine, project in zip(story.network.machines, story.orders, strict=True):
        machine.hook("session_start", project, session_id=session_id("new"), source="startup", transcript_path="")
        machine.llm_memory("sync")
        story.network.exchange()
    assert story.alpha.files() == before
    assert story.beta.files() == before


def test_no_line_of_the_rules_is_lost(story: Story) -> None:
    lines = story.alpha.files()["config/CLAUDE.md"].decode().splitlines()
    assert [line for line in story.rules if line not in lines] == []
    assert sum(line.startswith(("- Alpha's", "- Beta's")) for line in lines) == 2


def test_settings_of_both_are_in_force(story: Story) -> None:
    assert json.loads(story.beta.files()["config/settings.json"]) == {
        "briefing_chars": 5000,
        "excluded_paths": ["/srv/a", "/srv/b"],
        "narrative_upkeep": False,
        "project_aliases": story.aliases,
    }


def test_an_edit_that_saw_the_other_s_is_the_later_one_whatever_the_clock_says(story: Story) -> None:
    story.edit(story.alpha, "edited", content=story.ledger.wrote("edited, after both were seen"))
    story.network.converge()
    for machine in story.network.machines:
        assert machine.records()[story.notes["edited"]]["content"] == "edited, after both were seen"
    story.ledger.assert_kept(story.beta)


def test_status_names_both_machines_and_what_was_merged(story: Story) -> None:
    for machine in story.network.machines:
        said = machine.llm_memory("status")
        for name in ("alpha", "beta"):
            assert name in said
        assert story.notes["edited"][:8] in said, said


def test_every_note_is_where_its_story_ends(story: Story) -> None:
    here, deleted = story.beta.records(), story.beta.records("trash")
    gone = {name for name in BEFORE if story.notes[name] in deleted}
    assert gone == {"given up", "revised"}
    assert all(story.notes[name] in here for name in BEFORE if name not in gone)

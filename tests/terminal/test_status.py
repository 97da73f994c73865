"""`llm-memory status`: one screen with what is here, what was merged and what waits."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from memories.core import clock, conversation_index, merge_log, mirror, records, state, transcripts
from memories.core.files import remove_quietly
from memories.core.paths import DataFolder
from memories.status import status
from memories.status_json import status_json
from memories.status_text import WIDTH, Paint, status_lines
from memories.syncthing.state import DeviceState, Note, SyncState, write_note
from tests.conftest import MakeRecord
from tests.core.transcript_lines import short_session
from tests.dashboard import realistic
from tests.memories import disagreements
from tests.memories.conversations import archive, talk
from tests.terminal.cli import Cli


@pytest.fixture
def cli(tmp_path: Path, folder: DataFolder) -> Cli:
    return Cli(tmp_path, folder)


def _screen(folder: DataFolder, sync: SyncState | None = None) -> list[str]:
    return list(status_lines(status(folder), sync, Paint()))


def _section(lines: list[str], label: str) -> list[str]:
    """What a section says, its lines without label and indent of the label's width."""
    first = next(place for place, line in enumerate(lines) if line.startswith(f"{label} "))
    rest = lines[first + 1 :]
    end = next((place for place, line in enumerate(rest) if not line.startswith(" ")), len(rest))
    return [line[15:] for line in [lines[first], *rest[:end]]]


def test_the_command_shows_one_plain_screen_and_succeeds(cli: Cli, memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    text = cli.run("status")
    assert "\x1b" not in text
    lines = text.splitlines()
    if len(memory_home.root) > 40:  # a path as long as pytest makes them is on a line of its own
        assert lines[1] == f"  {memory_home.root}"
        lines[:2] = [f"{lines[0]} {memory_home.root}"]
    assert lines[0] == f"LLM Memory on {records.machine_name()}, in {memory_home.root}"
    assert lines[2] == "Nothing needs a look."
    assert any(line.startswith(f"  {Path(memory_home.mirror).name} ") for line in _section(lines, "Disk"))
    assert max(map(len, lines[1:])) <= WIDTH
    assert len(lines) < 60
    said = _section(lines, "Conflicts")
    assert f"  {made['session'][:13]}" in said
    assert f"  see both: llm-memory status --diff {made['kept'][:8]}" in said
    rules = [line for line in said if line.endswith("-CLAUDE.md")]
    assert len(rules) == 2
    assert f"  see both: llm-memory status --diff {rules[0].split('-')[0].strip()}" in said


def test_hooks_that_never_ran_need_a_look_once_a_session_has_run(project: DataFolder, tmp_path: Path) -> None:
    assert "Nothing needs a look." in _screen(project)
    short_session("/srv/shop").write(tmp_path / "claude" / "projects")
    assert "- No hook has run on this machine yet." in _screen(project)


def test_a_terminal_gets_colour(cli: Cli, memory_home: DataFolder) -> None:
    assert "\x1b[" in cli.on_a_terminal("status")


def test_json_has_the_same_facts(cli: Cli, memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    found = json.loads(cli.run("status", "--json"))
    assert found["merged"]["contents"][0]["kept"]["uuid"] == made["kept"]
    assert found["merged"]["transcripts"][0]["session_id"] == made["session"]
    assert {part["name"]: part["travels"] for part in found["disk"]["parts"]} == {
        "records": True, "transcripts": True, "trash": True, "config": True, "memory.db": False, "state": False,
        "lib": False,
    }  # fmt: skip
    assert (found["syncthing"], found["copies"]["waiting"]["items"], found["links"]["count"]) == (None, [], 0)
    assert found["attention"] == []
    assert found["index"]["types"][0] == {"type": "narrative", "active": 0, "archived": 0}
    assert found["merged"]["contents"][0]["kept"]["changed_at"] == "2026-03-13T09:00:00Z"
    assert found["merged"]["contents"][0]["kept"]["deleted_at"] is None


def test_json_has_named_fields_and_times_with_their_zone(memory_home: DataFolder) -> None:
    realistic.fill(memory_home)
    disagreements.edited_and_deleted(memory_home)
    state.beat(memory_home, "session_start")
    sync = SyncState(problem="it is down", todo="start it", devices=[_device(last_seen=86_400.5), _device()])
    found = status_json(status(memory_home), sync)
    assert {"said": "It is down: start it.", "section": "machines"} in found["attention"]
    assert [one["last_seen"] for one in found["syncthing"]["devices"]] == ["1970-01-02T00:00:00Z", None]
    assert {"name", "said"} == set(found["copies"]["stuck"]["items"][0])
    assert found["merged"]["deleted"][0]["kept"]["deleted_at"] == "2026-03-14T09:00:00Z"
    assert found["index"]["written_at"].endswith("Z")
    assert found["capture"]["hooks"][0]["last"].endswith("Z")
    assert json.loads(json.dumps(found)) == found


def test_an_edit_that_lost_to_a_deletion_comes_with_the_command_that_restores_it(memory_home: DataFolder) -> None:
    made = disagreements.edited_and_deleted(memory_home)
    said = _section(_screen(memory_home), "Conflicts")
    assert said[:2] == [
        "1 memory edited on one machine, deleted on another; in trash/:", "  Deploys go out on Fridays",
    ]  # fmt: skip
    assert said[2].startswith("    edited on laptop, ")
    assert said[3].startswith("    deleted on another, ")
    assert said[4:] == [f"    llm-memory restore {made['kept']}"]


def test_a_restored_edit_is_not_said_to_be_gone_nor_the_deleted_record_to_be_shown(memory_home: DataFolder) -> None:
    made = disagreements.edited_and_deleted(memory_home)
    record = records.restore(memory_home, made["kept"])
    records.save(memory_home, record | {"status": "active"})
    mirror.update(memory_home)
    said = _section(_screen(memory_home), "Conflicts")
    text = " ".join(" ".join(said).split())
    assert said[1] == "  Deploys go out on Fridays"
    assert "(restored)" in text
    assert f"{made['record']} desktop, " in text
    assert ", deleted " in text
    assert "gone since" not in text
    assert "(shown)" not in text


def test_more_than_a_screen_lists_is_counted(memory_home: DataFolder) -> None:
    for number in range(5):
        disagreements.edited_twice(memory_home, f"shown {number}", f"kept {number}")
        disagreements.edited_and_deleted(memory_home, f"edited {number}")
        disagreements.continued_twice(memory_home, number + 10)
        for letter in "abcd":
            record = records.new_record(type="narrative", content=f"# {letter}", project=f"p{number}")
            records.save(memory_home, record)
    disagreements.merge(memory_home)
    for letter in "abcd":
        names = [f"{letter}{digit}" * 3 for digit in ("0102", "0304")]
        merge_log.note(memory_home, "rules", "CLAUDE.md", [f"state/merged/{name[:12]}-CLAUDE.md" for name in names])
    mirror.update(memory_home)
    said = _section(_screen(memory_home), "Conflicts")
    assert said.count("  and 2 more") == 3, "contents, deleted ones, transcripts"
    assert said.count("  and 1 more") == 3, "narratives of each project"
    assert "and 2 projects more with several narratives" in said
    assert "and 1 merge more of rules and settings" in said


def test_what_syncthing_needs_is_among_what_needs_a_look(memory_home: DataFolder) -> None:
    state.beat(memory_home, "session_start")
    well = SyncState(state="idle", ignoring=True, devices=[_device(has_sent=True)])
    assert "Nothing needs a look." in _screen(memory_home, well)
    assert "Nothing needs a look." in _screen(memory_home)
    for sync, sentence in (
        (SyncState(problem="it does not answer", todo="start it"), "- It does not answer: start it."),
        (SyncState(state="idle", ignoring=True, paused=True, devices=well.devices), "- The folder is paused in "),
    ):
        lines = _screen(memory_home, sync)
        assert "1 thing to look at:" in lines
        assert any(line.startswith(sentence) for line in lines)
        assert "Nothing needs a look." not in lines


def test_no_line_is_too_wide_whatever_is_said(memory_home: DataFolder, make_record: MakeRecord) -> None:
    long, many = "w" * 300, "some long words " * 20
    ahead = {"created_at": "2199-03-14T09:12:44", "updated_at": "2199-03-14T09:12:44"}
    for name in (long, many):
        make_record(name, origin=name, **ahead)
        make_record(name, connections=[{"to_uuid": "ab" * 16, "relationship": "related_to"}])
        for letter in "ab":
            narrative = records.new_record(type="narrative", content=f"# {letter}{name}", project=name, origin=name)
            records.save(memory_home, narrative)
        deleted = disagreements.edited_and_deleted(memory_home, name)["kept"]
        disagreements.edited_twice(memory_home, name, f"{name} too")
    disagreements.merge(memory_home)
    for grave, record in ((True, deleted), (False, "")):
        places = [Path(memory_home.trash, f"{record}.json")] if grave else Path(memory_home.records).iterdir()
        for path in places:
            path.write_bytes(records.dump(json.loads(path.read_bytes()) | ahead | {"origin": many}))
    merge_log.note(memory_home, "settings", "settings.json", ["state/merged/aaaaaaaaaaaa-settings.json"])
    Path(memory_home.config, f"notes{disagreements.MARK}.md").write_text("text", encoding="utf-8")
    Path(memory_home.records, f"{'cd' * 16}.json").write_text(f'{{"{long}": "{many}"}}', encoding="utf-8")
    mirror.update(memory_home)
    devices = [_device(name=name, id="ABCDEFG-" * 8, connected=False, last_seen=5.0) for name in ("", long, many)]
    for sync in (
        SyncState(problem=many, todo=many),
        SyncState(state=many, errors=[many] * 5, devices=devices, paused=True),
        SyncState(state=many, devices=devices),
    ):
        lines = _screen(memory_home, sync)
        wide = [line for line in lines[2:] if len(line) > WIDTH]
        assert [line for line in wide if len(line[15:].split()) > 1 and not line.startswith("- ww")] == []
        assert "config/settings.json merged just now" in _section(lines, "Conflicts")
        assert any("ahead of this machine's clock" in line for line in lines)


def test_both_sides_of_a_conflict_are_shown_as_a_diff(cli: Cli, memory_home: DataFolder) -> None:
    made = disagreements.all_of_it(memory_home)
    said = cli.run("status", "--diff", made["kept"][:8]).splitlines()
    assert said[2:] == ["-Deploys go out on Fridays", "+Deploys go out on Tuesdays"]
    assert "No content kept" in cli.run("status", "--diff", "0" * 32, code=1)
    assert "not allowed with" in cli.run("status", "--json", "--diff", "0" * 32, code=2)


def test_without_an_index_it_says_so_and_still_exits_well(cli: Cli, memory_home: DataFolder) -> None:
    disagreements.ruled_twice(memory_home)
    remove_quietly(memory_home.mirror)
    said = cli.run("status")
    assert "- The index is not ready." in said
    assert "not ready: run `llm-memory sync`" in said
    assert f"config/CLAUDE{disagreements.MARK}.md" in said
    assert not os.path.exists(memory_home.mirror)


def test_a_damaged_index_is_an_error_with_the_next_step(cli: Cli, memory_home: DataFolder) -> None:
    with open(memory_home.mirror, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)
    assert "llm-memory rebuild_index" in cli.run("status", code=1)


def test_without_a_data_folder_nothing_is_made(cli: Cli, tmp_path: Path) -> None:
    place = tmp_path / "nowhere"
    assert "not ready" in cli.run("status", LLM_MEMORY_HOME=str(place))
    assert not place.exists()


def test_machines_come_with_their_last_change(memory_home: DataFolder, make_record: MakeRecord) -> None:
    now = time.time()
    make_record("one", origin="laptop", created_at=clock.format_time(now - 3 * 86_400))
    make_record("two", origin=records.machine_name(), created_at=clock.format_time(now - 300))
    make_record("three", origin="workstation", created_at="2199-03-14T09:12:44")
    mirror.update(memory_home)
    said = _section(_screen(memory_home), "Machines")
    assert said[0].split()[:3] == ["workstation", "1", "memory"]
    assert " ".join(said[:-2]).split()[3:] == "2199-03-14 09:12 UTC, ahead of this machine's clock".split()
    assert said[-2].startswith(f"{records.machine_name()} (this one)")
    assert said[-2].endswith("5 min ago")
    assert said[-1].endswith("1 memory  3 days ago")


def test_what_waits_is_listed_with_the_reason_where_it_cannot_be_merged(memory_home: DataFolder) -> None:
    realistic.fill(memory_home)
    lines = _screen(memory_home)
    said = _section(lines, "Copies")
    assert said[0] == "2 to be merged: run `llm-memory sync`"
    assert said[3] == "1 cannot be merged:"
    assert said[4] == f"  records/{realistic.RECORD_CONFLICT}"
    ((_, reason),) = status(memory_home).copies.stuck.items
    assert " ".join(" ".join(said[5:]).split()) == reason
    assert "- 2 conflict copies wait to be merged." in lines
    assert "- 1 conflict copy cannot be merged." in lines
    assert _section(lines, "Conflicts")[0] == "orders-api: 2 narratives; in it, ask Claude to merge them"
    assert "1 record cannot be read:" in _section(lines, "Index")
    assert not [line for line in lines[2:] if len(line) > WIDTH and len(line.split()) > 1]


def test_linked_memories_that_are_not_here_are_named(memory_home: DataFolder, make_record: MakeRecord) -> None:
    assert _section(_screen(memory_home), "Awaited") == ["nothing: every linked memory is here"]
    make_record("the source", connections=[{"to_uuid": "ab" * 16, "relationship": "related_to"}])
    mirror.update(memory_home)
    assert _section(_screen(memory_home), "Awaited") == [
        "1 linked memory not here yet:", "  abababab, linked by the source",
    ]  # fmt: skip


def test_a_long_title_in_any_script_stays_on_its_line(memory_home: DataFolder) -> None:
    disagreements.edited_twice(memory_home, "w" * 300, "\x1b[31m" + "k " * 300)
    disagreements.merge(memory_home)
    lines = _screen(memory_home)
    assert max(map(len, lines[2:])) <= WIDTH
    assert not any("\x1b" in line for line in lines)


def test_hooks_say_when_the_last_one_ran(memory_home: DataFolder) -> None:
    assert _section(_screen(memory_home), "Hooks") == ["have not run on this machine yet"]
    state.beat(memory_home, "session_start")
    assert _section(_screen(memory_home), "Hooks") == ["last ran just now"]


def _device(**fields: object) -> DeviceState:
    known = {"id": "ABCDEFG", "name": "laptop", "connected": True, "paused": False, "last_seen": None, "needs": 0}
    return DeviceState(**{**known, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sync", "said"),
    [
        (None, ["not set up here (llm-memory sync-setup)"]),
        (SyncState(problem="it does not answer", todo="start it"), ["it does not answer; start it"]),
        (SyncState(state="idle"), ["shared with no other machine yet"]),
        (SyncState(state="scanning"), ["the folder is scanning"]),
        (SyncState(state="syncing", needs=3), ["3 files still to come to this machine"]),
        (SyncState(state="idle", paused=True), ["the folder is paused in Syncthing"]),
        (SyncState(state="error", errors=["marker missing"]), ["the folder has 1 error", "error: marker missing"]),
        (
            SyncState(state="idle", devices=[_device(), _device(needs=2), _device(needs=None)]),
            ["everything has come to this machine", "  laptop: connected, has everything, as far as Syncthing knows",
             "  laptop: connected, lacks 2 files", "  laptop: connected"],
        ),
        (
            SyncState(state="idle", devices=[_device(connected=False, name=""), _device(paused=True)]),
            ["everything has come to this machine", "  ABCDEFG: not connected, last seen never",
             "  laptop: paused in Syncthing"],
        ),
    ],
)  # fmt: skip
def test_what_syncthing_says_is_put_into_words(
    memory_home: DataFolder, sync: SyncState | None, said: list[str]
) -> None:
    assert _section(_screen(memory_home, sync), "Syncthing") == said


def test_a_device_that_was_here_says_when(memory_home: DataFolder) -> None:
    sync = SyncState(state="idle", devices=[_device(connected=False, last_seen=time.time() - 7200)])
    assert _section(_screen(memory_home, sync), "Syncthing")[1] == "  laptop: not connected, last seen 2 h ago"


def test_a_syncthing_that_is_not_there_delays_and_breaks_nothing(cli: Cli, memory_home: DataFolder) -> None:
    write_note(memory_home, Note(config=str(Path(memory_home.root, "none.xml")), url="http://127.0.0.1:9", path="/x"))
    said = cli.run("status")
    assert "sync-setup --remove" in " ".join(said.split())
    assert json.loads(cli.run("status", "--json"))["syncthing"]["problem"]


def test_the_number_of_queries_does_not_grow_with_what_is_there(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    disagreements.all_of_it(memory_home)
    make_record("one", connections=[{"to_uuid": "ab" * 16, "relationship": "related_to"}])
    mirror.update(memory_home)
    with disagreements.statements(memory_home) as few:
        _screen(memory_home)
    for number in range(25):
        make_record(
            f"{number}", origin=f"m{number}", connections=[{"to_uuid": f"{number:032x}", "relationship": "related_to"}]
        )
        narrative = records.new_record(type="narrative", content=f"# {number}", project=f"p{number % 5}")
        records.save(memory_home, narrative)
        disagreements.edited_twice(memory_home, f"shown {number}", f"kept {number}")
        disagreements.continued_twice(memory_home, number + 10)
    disagreements.merge(memory_home)
    with disagreements.statements(memory_home) as many:
        _screen(memory_home)
    assert len(many) == len(few) <= 20


@pytest.mark.parametrize("text", ['{"redact_patterns": ["(x"]}', "{oops", "[]", '"x"'])
def test_the_first_thing_to_look_at_is_that_memory_is_off(memory_home: DataFolder, text: str) -> None:
    Path(memory_home.settings).write_text(text, encoding="utf-8")
    said, section = status(memory_home).attention[0]
    assert said.startswith("memory is off: ")
    assert said.endswith(f"; correct {memory_home.settings}.")
    assert section == "checks"


def test_memory_that_is_switched_off_in_this_shell_is_to_be_looked_at(
    memory_home: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_MEMORY_DISABLE", "1")
    assert status(memory_home).attention[0][0] == "memory is off: LLM_MEMORY_DISABLE is set here; unset it."


def test_a_folder_that_others_can_read_and_an_archive_not_masked_are_to_be_looked_at(memory_home: DataFolder) -> None:
    assert status(memory_home).attention == []
    archive(memory_home, talk("The deploy is at noon."))
    Path(memory_home.settings).write_text('{"redact_transcripts": true}', encoding="utf-8")
    os.chmod(memory_home.root, 0o755)  # noqa: S103
    readable, unmasked, *_ = (said for said, _ in status(memory_home).attention)
    assert readable == f"{memory_home.root} can be read by others: run chmod 700 {memory_home.root}."
    assert unmasked.startswith("Archived transcripts may hold secrets")
    assert "llm-memory redact --apply" in unmasked


def test_an_index_that_has_not_read_all_transcripts_does_not_say_that_it_is_up_to_date(memory_home: DataFolder) -> None:
    assert "up to date" in " ".join(_section(_screen(memory_home), "Index"))
    script = talk("The deploy is at noon.")
    Path(transcripts.archive_path(memory_home, script.session_id)).write_bytes(script.dump())
    said = " ".join(_section(_screen(memory_home), "Index"))
    assert "1 transcript still being indexed" in said
    assert "up to date" not in said
    conversation_index.update(memory_home)
    assert "up to date" in " ".join(_section(_screen(memory_home), "Index"))


def test_session_logs_are_said_to_be_of_no_machine(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("one", type="session_log", origin=None)
    mirror.update(memory_home)
    assert _section(_screen(memory_home), "Machines") == ["session logs (the same on every machine): 1"]


def test_what_stands_in_the_index_s_place_is_to_be_looked_at(memory_home: DataFolder) -> None:
    os.unlink(memory_home.mirror)
    os.mkdir(memory_home.mirror)
    said = status(memory_home).attention[0][0]
    assert said == f"{memory_home.mirror} is no file: move it away, then run `llm-memory sync`."

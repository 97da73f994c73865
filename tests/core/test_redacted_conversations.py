"""What a conversation is shown as: session logs, pages, briefings and hits hold no secret, nor half of one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from memories.core import (
    archived_sessions,
    conversation,
    records,
    recovery,
    redaction,
    session_logs,
    transcript_find,
    transcript_page,
    transcript_reading,
    transcripts,
)
from memories.core.line_places import START
from memories.core.paths import DataFolder
from tests.core.transcript_lines import SESSION, Script

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
HIDDEN = "[redacted: github-token]"


def talk() -> Script:
    """A session with a secret in each thing that is quoted of it."""
    script = Script("/p", SESSION, branch=f"fix-{TOKEN}")
    script.user(f"Please always use {TOKEN} for deploys from now on. <private>the plan</private>")
    script.call("Bash", {"command": f"deploy --with {TOKEN}"}, result=f"Exit code 1\nError: {TOKEN}", failed=True)
    script.call("Bash", {"command": f"git commit -m 'Take out {TOKEN}'"})
    script.call("Edit", {"file_path": f"/p/{TOKEN}.py", "old_string": "a", "new_string": "b"})
    script.call("TodoWrite", {"todos": [{"content": f"rotate {TOKEN}", "status": "pending", "activeForm": "x"}]})
    script.answer(f"Done with {TOKEN}.")
    script.user(f"And {TOKEN}?")
    script.answer(f"That is {TOKEN} too.")
    return script


def put(folder: DataFolder, script: Script) -> str:
    """Archive a session; the path of its file."""
    path = Path(transcripts.archive_path(folder, SESSION))
    path.write_bytes(script.dump())
    return str(path)


def use_pattern(folder: DataFolder, pattern: str) -> None:
    """Write one pattern of the user's into the settings."""
    Path(folder.settings).write_text(json.dumps({"redact_patterns": [pattern]}), encoding="utf-8")


def clear(text: str) -> bool:
    """Whether no piece of the secret, nor the private passage, is in a text."""
    return "ghp_" not in text and "c3D4e5F6" not in text and "the plan" not in text


def test_a_session_log_quotes_no_secret_and_the_same_on_every_machine(folder: DataFolder, tmp_path: Path) -> None:
    path = talk().write(tmp_path)
    log = session_logs.build(path, None, redaction.of(folder))
    assert log == session_logs.build(path, None)
    assert log is not None
    assert clear(json.dumps(log))
    assert log["content"].count(HIDDEN) >= 7
    assert "[private]" in log["content"]
    assert len(log["content"]) <= 6000


def test_a_session_log_is_stored_with_the_users_patterns_applied(folder: DataFolder, tmp_path: Path) -> None:
    use_pattern(folder, "blue-\\d+")
    script = Script("/p")
    script.user("We meet at blue-17")
    session_logs.refresh(folder, script.write(tmp_path), None)
    log = records.load(folder, session_logs.log_uuid(SESSION))
    assert "[redacted: own-pattern]" in log["content"]
    assert "blue-17" not in log["content"]


def test_a_log_of_before_is_written_anew_without_its_secrets(folder: DataFolder, tmp_path: Path) -> None:
    path = talk().write(tmp_path)
    log = session_logs.build(path, None)
    assert log is not None
    session_logs.store(folder, log | {"content": f"old {TOKEN}", "importance": 7, "tags": "mine"})
    assert session_logs.refresh(folder, path, None)
    after = records.load(folder, log["uuid"])
    assert clear(after["content"])
    assert (after["importance"], after["tags"]) == (7, "mine")


def test_what_a_compacted_session_is_told_holds_no_secret(tmp_path: Path) -> None:
    found = recovery.gather(talk().write(tmp_path))
    told = [found.last_request, found.last_answer, *found.files, *found.open_items, *found.decisions, *found.failed]
    assert clear("\n".join(told))
    assert found.last_request == f"And {HIDDEN}?"
    assert found.files == [f"/p/{HIDDEN}.py"]


def test_outputs_that_are_no_errors_are_not_kept_while_a_session_is_read(tmp_path: Path) -> None:
    entries = conversation.iter_entries(talk().write(tmp_path))
    outputs = [
        conversation.result_text(entry, block["tool_use_id"]) for _, entry in entries for block in results(entry)
    ]
    assert outputs == [f"Exit code 1\nError: {HIDDEN}", "", "", ""]


def results(entry: dict[str, object]) -> list[dict[str, str]]:
    """The tool results of a line."""
    message = entry["message"]
    content = message["content"] if isinstance(message, dict) else ""
    return [block for block in content if isinstance(block, dict) and block["type"] == "tool_result"]


@pytest.mark.parametrize("words", range(20, 120, 7))
def test_no_page_shows_half_of_a_secret_wherever_it_is_cut(folder: DataFolder, words: int) -> None:
    script = Script("/p")
    script.user("w " * words * 3 + TOKEN + " x" * 400)
    script.answer("v " * words * 4 + f"<private>{'the plan ' * 30}</private>" + " y" * 300)
    script.call("Bash", {"command": "z" * (words + 50) + f" {TOKEN}"}, result="r" * words + f" {TOKEN} " + "s" * 400)
    put(folder, script)
    cursor, shown = None, ""
    while True:
        page = transcript_page.read_page(folder, SESSION, cursor=cursor, max_tokens=200)
        assert clear(page.text)
        shown += "".join(item.text for item in page.items if item.is_said)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert shown.count(HIDDEN) == 1
    assert shown.count("[private]") == 1
    assert shown.count(" x") == 400  # nothing is shown twice, nothing is left out
    assert shown.count(" y") == 300


def test_line_numbers_are_those_of_the_file(folder: DataFolder) -> None:
    path = put(folder, talk())
    page = transcript_page.read_page(folder, SESSION)
    lines = Path(path).read_bytes().splitlines()
    for item in page.items:
        if HIDDEN in item.text and item.is_said:
            assert TOKEN.encode() in lines[item.line - 1]
    around = transcript_page.read_page(folder, SESSION, around=page.items[-1].line)
    assert f">> [{page.items[-1].line}]" in around.text


def test_the_cursor_to_a_hit_leads_behind_a_secret(folder: DataFolder) -> None:
    script = Script("/p")
    script.user(f"{TOKEN} " * 50 + "needle in the rest")
    put(folder, script)
    found = archived_sessions.find(folder, SESSION)
    cursor = transcript_page.cursor_to(found, 1, 0, "needle in the rest")
    assert transcript_page.read_page(folder, SESSION, cursor=cursor).items[0].text == "needle in the rest"


def test_a_readers_page_shows_every_kind_of_line_without_its_secrets(folder: DataFolder) -> None:
    put(folder, talk())
    found = archived_sessions.find(folder, SESSION)
    for page in (
        transcript_reading.page_from(found, START),
        transcript_reading.page_before(found, transcript_reading.end_of(found)),
    ):
        blocks = [block for line in page.lines for block in line.blocks]
        blocks += [block.answer for block in blocks if block.answer is not None]
        texts = [text for block in blocks for text in (block.text, block.name, *block.texts())]
        assert clear("\n".join(texts))
        assert sum(HIDDEN in text for text in texts) >= 8


def test_words_are_found_in_what_is_shown_only(folder: DataFolder) -> None:
    put(folder, talk())
    found = archived_sessions.find(folder, SESSION)
    assert [transcript_find.find(found, words).hits for words in (TOKEN, "c3D4e5F6", "the plan")] == [[], [], []]
    hits = transcript_find.find(found, "deploys").hits
    assert re.sub(r"\s", "", hits[0].before).endswith("for")
    assert clear(hits[0].before + hits[0].after)


def test_the_users_pattern_counts_on_pages(folder: DataFolder) -> None:
    script = Script("/p")
    script.user("We meet at blue-17")
    put(folder, script)
    use_pattern(folder, "blue-\\d+")
    assert "at [redacted: own-pattern]" in transcript_page.read_page(folder, SESSION).text

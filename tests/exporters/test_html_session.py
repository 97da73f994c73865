from __future__ import annotations

from pathlib import Path

import pytest

from memories.core.errors import StorageError, TranscriptError
from memories.core.paths import DataFolder
from memories.exporters import html_page
from tests.conftest import MakeRecord
from tests.dashboard.xss_payloads import PAYLOADS
from tests.exporters.exporting import SECRET, SHOP, Page, export, put, work
from tests.memories.conversations import archive, archive_subagent, log, session_id, talk


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "session.html"


def page(folder: DataFolder, target: Path, session: str = session_id(1)) -> Page:
    """The exported page, which is inert."""
    export(folder, "html", target, session=session, force=True)
    found = Page(target.read_text("utf-8"))
    found.assert_inert()
    return found


def test_the_whole_conversation_is_in_one_file(folder: DataFolder, make_record: MakeRecord, target: Path) -> None:
    archive(folder, work(1))
    log(make_record, 1, **SHOP)
    make_record("Made in the session.", session_id=session_id(1), **SHOP)
    found = page(folder, target)
    for text in (
        "Add a **retry** to the uploader", "shop · 2026-03-14 09:00", "1 request", "Thinking A backoff would do.",
        "Bash: pytest -q", "3 passed", "Done: it retries three times.", "retry(3)", "Made in the session.",
        f"Log of session {1}", "Times are UTC.",
    ):  # fmt: skip
        assert text in found.text
    tags = [tag for tag, _ in found.tags]
    assert tags.count("details") == 4
    assert "L1" in found.ids
    assert ("a", {"href": "#L1"}) in found.tags


def test_nothing_is_loaded_and_nothing_runs(folder: DataFolder, target: Path) -> None:
    archive(folder, work(1))
    found = page(folder, target)
    policy = [attrs["content"] for tag, attrs in found.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy == [html_page.POLICY]
    assert html_page.POLICY.startswith("default-src 'none'; style-src 'unsafe-inline'")
    text = target.read_text("utf-8")
    assert "url(" not in text
    assert "@import" not in text
    assert [tag for tag, _ in found.tags][:4] == ["html", "head", "meta", "meta"]  # the policy before anything else


def test_what_is_hostile_is_text(folder: DataFolder, target: Path) -> None:
    script = talk("<script>window.canary()</script>", "# go", number=1)
    for number, payload in enumerate(PAYLOADS):
        script.user(payload)
        script.answer(payload)
        script.assistant({"type": "thinking", "thinking": payload})
        call = {"type": "tool_use", "id": f"t{number}", "name": payload, "input": {"command": payload, payload: "x"}}
        script.assistant(call)
        script.user([{"type": "tool_result", "tool_use_id": f"t{number}", "content": payload}])
    archive(folder, script)
    put(folder, content="\n\n".join(PAYLOADS), session_id=session_id(1), tags=PAYLOADS[0], project=PAYLOADS[1])
    found = page(folder, target)
    assert found.text.count("window.canary()") > len(PAYLOADS)


def test_subagents_are_in_it_and_linked(folder: DataFolder, target: Path) -> None:
    script = work(1)
    script.lines[3]["toolUseResult"] = {"agentId": "a1"}
    archive(folder, script)
    archive_subagent(folder, talk("look around", "nothing there", number=1), "a1")
    found = page(folder, target)
    assert ("a", {"href": "#a1"}) in found.tags
    assert "nothing there" in found.text
    assert {"a1", "a1-L1"} <= set(found.ids)


def test_no_secret_comes_out(folder: DataFolder, make_record: MakeRecord, target: Path) -> None:
    archive(folder, talk(f"use {SECRET}", f"I use {SECRET}"), work(2, output=SECRET))
    make_record(f"It is {SECRET}.", session_id=session_id(1), tags=SECRET)
    for number in (1, 2):
        assert SECRET not in page(folder, target, session_id(number)).text


def test_a_session_is_found_by_its_first_characters_or_said_to_be_missing(folder: DataFolder, target: Path) -> None:
    archive(folder, work(1), work(2))
    assert "Add a **retry**" in page(folder, target, session_id(1)).text
    for session, said in (("7b1e2f", "2 sessions begin with"), ("0" * 36, "No session"), ("x", "is no session")):
        with pytest.raises(TranscriptError, match=said):
            export(folder, "html", target, session=session, force=True)


def test_an_empty_session_is_a_page_too(folder: DataFolder, target: Path) -> None:
    archive(folder, talk())
    assert f"Session {session_id(1)}" in page(folder, target).text


def test_the_file_that_is_there_stays_until_the_new_one_is_whole(folder: DataFolder, target: Path) -> None:
    archive(folder, work(1))
    target.write_text("older", encoding="utf-8")
    with pytest.raises(StorageError, match="--force"):
        export(folder, "html", target, session=session_id(1))
    with pytest.raises(TranscriptError):
        export(folder, "html", target, session="0" * 36, force=True)
    assert target.read_text("utf-8") == "older"

"""Doctor's line on updates."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from memories import doctor_update
from memories.core import clock, update_state
from memories.core.paths import DataFolder
from memories.findings import Check

REPO = "https://example.org/memory"


def install(folder: DataFolder, **about: str) -> None:
    os.makedirs(folder.lib, exist_ok=True)
    found = {"version": "2.0.0", "kind": "git", "repo": REPO, "commit": "a" * 40, **about}
    Path(folder.lib, "install.json").write_text(json.dumps(found), encoding="utf-8")


def only(folder: DataFolder) -> Check:
    (found,) = doctor_update.updates(folder)
    return found


def test_where_nothing_is_installed_there_is_nothing_to_say(folder: DataFolder) -> None:
    assert list(doctor_update.updates(folder)) == []


def test_the_version_and_how_newer_ones_are_looked_for(folder: DataFolder) -> None:
    install(folder)
    assert only(folder) == Check("update", "ok", "2.0.0 (aaaaaaaaaa); not yet asked for newer versions")
    update_state.save(folder, {"repo": REPO, "newest": "2.0.0", "seen_at": "2026-11-23T10:00:00"})
    assert only(folder).text.endswith("the newest when last asked (2026-11-23T10:00:00 UTC)")
    Path(folder.settings).write_text('{"update_check": false}', encoding="utf-8")
    assert only(folder).text.endswith("looking for newer versions is off")
    install(folder, kind="folder", repo="", commit="")
    assert only(folder).text == "2.0.0; installed from a folder: newer versions are not looked for"


def test_a_newer_version_is_worth_a_look(folder: DataFolder) -> None:
    install(folder)
    update_state.save(folder, {"repo": REPO, "newest": "2.1.0", "seen_at": clock.now()})
    found = only(folder)
    assert (found.status, found.todo) == ("warn", "run `llm-memory update`")
    assert found.text == "2.1.0 is there, this is 2.0.0 (aaaaaaaaaa)"
    update_state.save(folder, {"repo": REPO, "newest": "2.1.0", "seen_at": clock.now(), "declined": "2.1.0"})
    assert only(folder).text.endswith("; gone back from 2.1.0, `llm-memory update --to 2.1.0` tries it again")


def test_a_failed_check_is_named_once_there_was_no_answer_for_two_weeks(folder: DataFolder) -> None:
    install(folder)
    update_state.save(folder, {"repo": REPO, "error": "no network", "seen_at": clock.now()})
    assert only(folder).status == "ok"
    long_ago = clock.format_time(time.time() - doctor_update.SILENT_SECONDS - 60)
    update_state.save(folder, {"repo": REPO, "error": "no network", "seen_at": long_ago})
    found = only(folder)
    assert (found.status, "no network" in found.text, found.todo) == ("warn", True, "run `llm-memory update --check`")

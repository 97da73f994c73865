"""The archive that the real hooks make, raw and masked, of one session that grows, is compacted and ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from memories.core import transcripts
from memories.core.masking import are_alike
from tests.core.transcript_lines import SESSION, Script, short_session
from tests.hooks.conftest import Hooks

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"


def _is_complete(hooks: Hooks, path: Path) -> bool:
    found = transcripts.source_at(str(path))
    assert found is not None
    return transcripts.is_archived(hooks.folder, found)


def _session(hooks: Hooks) -> tuple[Script, Path]:
    script = short_session(str(hooks.project))
    script.user(f"The token is {TOKEN}")
    script.call("Bash", {"command": f"export GITHUB_TOKEN={TOKEN}"}, result=f"GITHUB_TOKEN={TOKEN}\nok")
    path = Path(script.write(hooks.projects_dir))
    beside = path.with_suffix("") / "tool-results" / "out.txt"
    beside.parent.mkdir(parents=True)
    beside.write_text(f"first\nthe token {TOKEN}\n")
    return script, path


def _manage(hooks: Hooks, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-I", str(hooks.manage), *arguments], env=hooks.env, check=True, capture_output=True
    )


@pytest.mark.parametrize("masks", [False, True])
def test_a_session_is_archived_at_compaction_and_end_raw_or_masked_by_the_setting(hooks: Hooks, masks: bool) -> None:
    hooks.write_settings(redact_transcripts=masks)
    script, path = _session(hooks)
    hooks.run("pre_compact", hooks.payload(path, trigger="auto"))
    kept = Path(transcripts.archive_path(hooks.folder, SESSION))
    assert _is_complete(hooks, path)
    script.compaction(f"We used {TOKEN}")
    script.user(f"half a {TOKEN}")
    path.write_bytes(script.dump()[:-30])
    hooks.run("pre_compact", hooks.payload(path, trigger="auto"))
    assert _is_complete(hooks, path) != masks
    path.write_bytes(script.dump())
    hooks.run("session_end", hooks.payload(path))
    assert _is_complete(hooks, path)
    archived, beside = kept.read_bytes(), (kept.with_suffix("") / "tool-results" / "out.txt").read_bytes()
    assert (archived == path.read_bytes()) != masks
    assert are_alike(archived, path.read_bytes())
    assert [json.loads(line)["type"] for line in archived.splitlines()] == [line["type"] for line in script.lines]
    assert (TOKEN.encode() in archived + beside) != masks
    assert beside.splitlines()[0] == b"first"
    assert os.listdir(kept.with_suffix("")) == ["tool-results"]
    assert "archived" in hooks.log


def test_what_was_archived_raw_is_masked_by_the_command_and_stays_so(hooks: Hooks) -> None:
    script, path = _session(hooks)
    hooks.run("session_end", hooks.payload(path))
    kept = Path(transcripts.archive_path(hooks.folder, SESSION))
    assert TOKEN.encode() in kept.read_bytes()
    hooks.write_settings(redact_transcripts=True)
    _manage(hooks, "redact", "--apply")
    everything = b"".join(one.read_bytes() for one in Path(hooks.folder.root).rglob("*") if one.is_file())
    assert TOKEN.encode() not in everything
    assert _is_complete(hooks, path)
    script.user("and on")
    path.write_bytes(script.dump())
    hooks.run("session_end", hooks.payload(path))
    _manage(hooks, "sync")
    assert TOKEN.encode() not in kept.read_bytes()
    assert _is_complete(hooks, path)
    assert os.listdir(kept.with_suffix("")) == ["tool-results"]


def test_hooks_load_no_rules_of_masking_while_transcripts_are_kept_as_they_are(hooks: Hooks) -> None:
    program = (
        "import sys; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv[0].rpartition('/')[0])\n"
        "import manage; manage.main(); sys.stderr.write(' '.join(sys.modules))"
    )
    _, path = _session(hooks)
    for masks in (False, True):
        hooks.write_settings(redact_transcripts=masks)
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program, str(hooks.manage), "hook", "session_end"],
            input=json.dumps(hooks.payload(path)).encode(), capture_output=True, check=True, env=hooks.env,
        )  # fmt: skip
        loaded = set(done.stderr.decode().split())
        assert ("memories.core.masked_archive" in loaded) == masks
        assert ("memories.core.masking" in loaded) == masks
        assert loaded & {"dataclasses", "typing", "pathlib", "logging", "subprocess", "tempfile", "uuid"} == set()
        Path(transcripts.archive_path(hooks.folder, SESSION)).unlink()

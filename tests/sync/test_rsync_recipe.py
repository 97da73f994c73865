"""The rsync recipe of docs/sync.md, run as it stands there, between two data folders that both changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from memories.core import copies, merge_copies, records
from memories.core.paths import DataFolder
from tests.core.bundles import contents, data_folder, store, write_transcript
from tests.core.transcript_lines import SESSION

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "sync.md"
UUID, GONE = "0f3c9a7d21b84e55a6c07e19d2f4b888", "d" * 32


def recipe() -> str:
    """The shell lines of the document that call rsync, without the command of ours at their end."""
    blocks: list[str] = re.findall(r"```bash\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if "rsync" in block]
    assert found.endswith("\nllm-memory sync\n")
    return found.removesuffix("llm-memory sync\n")


def carry(tmp_path: Path) -> None:
    """Run the recipe, then merge on both sides."""
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    subprocess.run(["/bin/sh", "-euc", recipe()], check=True, cwd=tmp_path, env=env)
    for place in (tmp_path / ".claude" / "memory", tmp_path / "there"):
        assert merge_copies.run(DataFolder(str(place)), shipped_rules=tuple).left == []


def require_rsync() -> None:
    """Install rsync when we may; otherwise the test is skipped, loudly."""
    if shutil.which("rsync") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "rsync"], check=False, capture_output=True)
    if shutil.which("rsync") is None:
        pytest.skip("SYNC SKIPPED: no rsync here; `apt-get install rsync` and run again")


def test_both_sides_end_equal_with_everything_of_both(tmp_path: Path) -> None:
    require_rsync()
    here, there = data_folder(tmp_path / ".claude" / "memory"), data_folder(tmp_path / "there")
    for place, name, day in ((here, "here", 15), (there, "there", 16)):
        store(place, f"said {name}", uuid=UUID, updated_at=f"2026-03-{day}T00:00:00")
        store(place, "gone", uuid=GONE)
        write_transcript(place, f"{SESSION}.jsonl", f"one\nsaid {name}\n".encode())
        write_transcript(place, f"{SESSION}/tool-results/x.txt", f"read {name}\n".encode())
        Path(place.rules).write_text(f"common\nrule of {name}\n", encoding="utf-8")
        Path(place.settings).write_text(f'{{"excluded_paths": ["~/{name}"]}}', encoding="utf-8")
    records.delete(here, GONE)
    carry(tmp_path)
    carry(tmp_path)  # what was merged on both sides is the same: nothing more is to be done
    found = {name: data for name, (data, _) in contents(here).items()}
    assert found == {name: data for name, (data, _) in contents(there).items()}
    assert not [name for name in found if copies.original_name(Path(name).name)]
    everything = b"\n".join(found.values()).decode()
    for name in ("here", "there"):
        for text in (f"said {name}", f"one\nsaid {name}", f"read {name}", f"rule of {name}", f'"~/{name}"'):
            assert text in everything
    assert records.load(here, UUID)["content"] == "said there"
    assert f"records/{GONE}.json" not in found
    assert f"trash/{GONE}.json" in found

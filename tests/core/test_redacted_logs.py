"""Logs hold no secret, whatever an error quotes."""

from __future__ import annotations

from pathlib import Path

import pytest

from memories.core import state
from memories.core.paths import DataFolder

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
HIDDEN = "[redacted: github-token]"


@pytest.mark.parametrize("outcome", ["failed: OSError: {}", "not archived: Cannot read /{}: gone"])
def test_the_hook_log_quotes_an_error_without_its_secrets(folder: DataFolder, outcome: str) -> None:
    state.log_hook(folder, "session_end", outcome.format(TOKEN), 0.1, None)
    assert outcome.format(HIDDEN) in Path(folder.state, "hooks.log").read_text(encoding="utf-8")


def test_a_secret_that_ends_behind_the_cut_of_a_log_line_leaves_no_half(folder: DataFolder) -> None:
    state.log_hook(folder, "session_end", f"failed: {'x' * 170} {TOKEN}", 0.1, None)
    assert "ghp_" not in Path(folder.state, "hooks.log").read_text(encoding="utf-8")

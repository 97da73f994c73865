"""A citation must name a session that is archived and a line that is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from memories.core import forgotten
from memories.core.citations import cited, faults, without_citations
from memories.core.paths import DataFolder

ONE = "7b1e2f04-0000-4000-8000-00000000c0de"
TWIN = "7b1e2f05-0000-4000-8000-00000000c0de"


@pytest.fixture
def archive(folder: DataFolder) -> DataFolder:
    """A session of three lines, the last without a newline, and another whose id begins alike."""
    Path(folder.transcripts, f"{ONE}.jsonl").write_text("{}\n{}\n{}", encoding="utf-8")
    Path(folder.transcripts, f"{TWIN}.jsonl").write_text("{}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "text",
    [
        f"[{ONE}:1]",
        "[7b1e2f04:3]",
        "[7b1e2f04-0000:2]",
        "[7B1E2F04:1, 2]",
        "[7b1e2f04:1-3]",
        "`[7b1e2f05:1]`",
        "[7b1e2f04:L2]",
        "[7b1e2f04:1; 7b1e2f05:1]",
    ],
)
def test_what_is_there_is_no_fault(archive: DataFolder, text: str) -> None:
    assert faults(archive, f"Settled {text}.") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[7b1e2f04:4]", "lines are 1 to 3"),
        ("[7b1e2f04:0]", "count from 1"),
        ("[7b1e2f04:1, 40]", "no line 40"),
        ("[7b1e2f04:2-9]", "no line 9"),
        ("[7b1e2f:1]", None),
        ("[7b1e2f04: 9]", "no line 9"),
        ("[7b1e2f04:L9]", "no line 9"),
        ("[7b1e2f04:100000000000]", "no line 100000000000"),
        ("[7b1e2f04:1; 7b1e2f05:2]", "no line 2: its lines are 1 to 1"),
        ("[7b1e2f04:1, 3,7b1e2f05:1, 2]", "no line 2"),
        ("[7b1e2f04:1, 00000000:4]", "No session 00000000"),
        ("[7b1e2f0:1]", "2 sessions begin"),
        ("[00000000:1]", "No session 00000000"),
        (f"[{ONE}/agent-x:1]", "No agent-x beside"),
    ],
)
def test_a_missing_or_ambiguous_session_and_a_missing_line_are_faults(
    archive: DataFolder, text: str, reason: str | None
) -> None:
    (fault,) = faults(archive, f"- one {text} and {text} again\n- two [7b1e2f04:1]")
    assert fault.text == text
    assert (reason or "2 sessions begin") in fault.reason


def test_what_is_no_citation_is_left_alone() -> None:
    for text in (
        "[a link](x:1)",
        "[7b1e2f04:12 and more]",
        "[12:30]",
        "[note:12]",
        "[x86:64]",
        "[abc12:1]",
        "```\n[7b1e2f04:12]\n```",
    ):
        assert cited(text) == {}
    for citation in ("[7b1e2f04:12, 40]", "[7b1e2f04:12; 7b1e2f05:3-9]", "[7b1e2f04: L12]"):
        assert without_citations(f"Yes {citation} it is").split() == ["Yes", "it", "is"]


def test_a_subagents_transcript_can_be_cited(archive: DataFolder) -> None:
    beside = Path(archive.transcripts, ONE, "subagents")
    beside.mkdir(parents=True)
    Path(beside, "agent-x.jsonl").write_text("{}\n", encoding="utf-8")
    assert faults(archive, "[7b1e2f04/agent-x:1]") == []


@pytest.mark.parametrize("kind", [forgotten.FORGOTTEN, forgotten.EXPIRED])
def test_a_citation_of_a_session_that_was_forgotten_or_let_go_is_no_fault(archive: DataFolder, kind: str) -> None:
    gone = "9c9c9c9c-0000-4000-8000-00000000c0de"
    text = f"Settled [9c9c9c9c:7], [{gone}/agent-1:2] and [7b1e2f04:1; 9c9c9c9c:9], not [7b1e2f04:9]."
    assert len(faults(archive, text)) == 4
    forgotten.mark(archive, gone, kind)
    assert [fault.text for fault in faults(archive, text)] == ["[7b1e2f04:9]"]

"""Reading LoCoMo's shape, and writing it as transcripts that the product reads as turns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import dialogues, locomo
from memories.core import conversation, transcripts
from tests.bench import tiny_locomo


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "tiny.json"
    found.write_text(json.dumps(tiny_locomo.dataset()), "utf-8")
    return found


def test_sessions_come_in_order_with_their_times(path: Path) -> None:
    (one,) = locomo.read(path)
    assert [began.isoformat() for began, _ in one.sessions] == [
        "2023-05-08T13:56:00+00:00",
        "2023-06-14T09:05:00+00:00",
    ]
    assert [len(turns) for _, turns in one.sessions] == [4, 3]
    assert one.name == "pair-1"


def test_a_picture_is_there_as_its_caption_and_a_speaker_as_a_name(path: Path) -> None:
    (one,) = locomo.read(path)
    assert (
        one.sessions[0][1][2].text == "Ada: Look at him on the sofa. [image: a photo of a dog asleep on a green sofa]"
    )
    assert [said.user for said in one.sessions[1][1]] == [False, True, False]


def test_questions_without_evidence_in_the_conversation_are_left_out(path: Path) -> None:
    (one,) = locomo.read(path)
    assert [(question.evidence, question.category) for question in one.questions] == [
        (["D1:1"], "single-hop"),
        (["D2:1"], "single-hop"),
        (["D1:2"], "temporal"),
        (["D1:3", "D2:2"], "multi-hop"),
        (["D2:2"], "adversarial"),
    ]


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        (["D8:6; D9:17"], ["D8:6", "D9:17"]),
        (["D:11:26"], ["D11:26"]),
        (["D30:05"], ["D30:5"]),
        (["D8:6", "D8:6"], ["D8:6"]),
        (["D"], []),
        (["D99:1"], []),
        (None, []),
        ([None, 7], []),
    ],
)
def test_evidence_is_read_in_every_form_that_the_data_has(entries: object, found: list[str]) -> None:
    known = {"D8:6", "D9:17", "D11:26", "D30:5"}
    assert locomo.evidence(entries, known) == found


def test_only_the_first_conversations_are_read_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "two.json"
    path.write_text(json.dumps(tiny_locomo.dataset() * 2), "utf-8")
    assert len(locomo.read(path)) == 2
    assert len(locomo.read(path, 1)) == 1


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"qa": []}]', "not json"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError):
        locomo.read(path)


def test_what_is_written_is_read_back_as_the_same_turns_at_the_places_given(path: Path, tmp_path: Path) -> None:
    (one,) = locomo.read(path)
    work = tmp_path / "work" / one.name
    places = dialogues.write(one, tmp_path / "projects", work)
    sources = sorted(transcripts.iter_sources(str(tmp_path / "projects")), key=lambda source: source.path)
    found = {
        (source.session_id, turn.line): (turn.role, turn.text)
        for source in sources
        for turn in conversation.iter_turns(source.path)
    }
    said = [(said, places[said.key]) for _, turns in one.sessions for said in turns]
    assert found == {place: ("user" if turn.user else "assistant", turn.text) for turn, place in said}
    assert {transcripts.launch_cwd(source.path) for source in sources} == {str(work)}


def test_writing_twice_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    (one,) = locomo.read(path)
    texts = []
    for name in ("first", "second"):
        dialogues.write(one, tmp_path / name, tmp_path / "work")
        texts.append([file.read_bytes() for file in sorted((tmp_path / name).rglob("*.jsonl"))])
    assert texts[0] == texts[1]

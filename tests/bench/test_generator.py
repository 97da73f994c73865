"""The generated data: read by the product as what it says it is, the same on every run."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from bench import code_questions, vocabulary
from bench.generator import SUBAGENT_TURNS, Generator, Sample, Written
from bench.vocabulary import FUNCTION_WORDS, Vocabulary
from memories.core import conversation, records, transcripts
from memories.core.paths import DataFolder

TURNS = 1500


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    place = tmp_path_factory.mktemp("transcripts")
    return place, Generator().write_turns(str(place), TURNS)


def main_files(place: Path) -> list[Path]:
    return sorted(place.glob("*.jsonl"))


def subagent_files(place: Path) -> list[Path]:
    return sorted(place.glob("*/subagents/*.jsonl"))


def test_the_turns_read_are_as_many_as_were_written(generated: tuple[Path, Written]) -> None:
    place, written = generated
    turns = [turn for path in main_files(place) for turn in conversation.iter_turns(str(path))]
    assert sum(bool(turn.text) for turn in turns) == written.turns - written.subagent_turns
    assert written.turns == TURNS
    in_subagents = [entry for path in subagent_files(place) for _, entry in lines_of(path)]
    assert all(entry["isSidechain"] for entry in in_subagents)
    assert sum(bool(texts(entry)) for entry in in_subagents) == written.subagent_turns == SUBAGENT_TURNS
    calls = sum(len(turn.tools) for turn in turns) + sum(len(conversation.tool_calls(one)) for one in in_subagents)
    assert calls == written.calls > 0


def lines_of(path: Path) -> list[tuple[int, dict[str, object]]]:
    return [(number, entry) for number, _, entry in conversation.iter_lines(str(path))]


def texts(entry: dict[str, object]) -> list[str]:
    return conversation.texts(entry)


def test_bytes_and_lines_are_counted_right(generated: tuple[Path, Written]) -> None:
    place, written = generated
    files = main_files(place) + subagent_files(place)
    assert sum(path.stat().st_size for path in files) == written.file_bytes
    assert sum(path.read_bytes().count(b"\n") for path in files) == written.lines
    assert 380 < written.text_bytes / written.turns < 580


def test_every_line_is_json_with_a_message_id_of_its_own(generated: tuple[Path, Written]) -> None:
    place, _ = generated
    seen: set[str] = set()
    for path in main_files(place) + subagent_files(place):
        for line in path.read_text("utf-8").splitlines():
            uuid = json.loads(line).get("uuid")
            assert uuid is None or uuid not in seen
            seen.add(uuid)


def test_a_sample_names_the_line_that_its_text_stands_on(generated: tuple[Path, Written]) -> None:
    place, written = generated
    assert len(written.samples) == len(main_files(place))
    for sample in written.samples:
        turns = conversation.iter_turns(str(place / f"{sample.source}.jsonl"))
        assert [turn.text for turn in turns if turn.line == sample.line] == [sample.text]


def test_files_are_named_and_dated_like_archived_sessions(generated: tuple[Path, Written]) -> None:
    place, _ = generated
    for path in main_files(place):
        assert transcripts.is_session_id(path.stem)
        stamps = [json.loads(line).get("timestamp", "") for line in path.read_text("utf-8").splitlines()]
        assert max(stamps).startswith("202")
        assert path.stat().st_mtime < 1_800_000_000


def test_the_same_seed_gives_the_same_files_in_one_go_or_two(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        place = tmp_path / name
        place.mkdir()
        total = Written()
        generator = Generator()
        for count in (300, 200):
            total.add(generator.write_turns(str(place), count))
        written.append((total, {path.name: path.read_bytes() for path in main_files(place)}))
    assert written[0] == written[1]
    assert written[0][0].turns == 500


def test_records_are_valid_and_found_by_their_samples(folder: DataFolder) -> None:
    written = Generator().write_records(folder.records, 60)
    names = os.listdir(folder.records)
    assert len(names) == 60
    loaded = {name.removesuffix(".json"): records.load(folder, name.removesuffix(".json")) for name in names}
    for record in loaded.values():
        records.validate(record)
    assert len(written.samples) == 2
    assert {sample.source: sample.text for sample in written.samples}.items() <= {
        uuid: record["content"] for uuid, record in loaded.items()
    }.items()
    assert sum(len(record["content"].encode()) for record in loaded.values()) == written.text_bytes


def test_words_follow_zipfs_law() -> None:
    rng = random.Random(1)  # noqa: S311 - made-up text
    words = Vocabulary(rng, 5_000)
    drawn = words.draw(rng, 20_000)
    assert len(set(words.words)) == 5_000
    assert drawn.count("the") > drawn.count("file") > drawn.count(words.words[3_000])
    assert not set(words.rare(rng, 50)) & set(FUNCTION_WORDS)


def test_a_question_has_six_to_twelve_words_of_which_some_are_the_texts() -> None:
    rng = random.Random(2)  # noqa: S311 - made-up text
    generator = Generator(3)
    for _ in range(200):
        text = generator.text(60)
        words = vocabulary.question(rng, text).rstrip("?").split()
        assert 6 <= len(words) <= 12
        assert len(set(words) & set(text.replace(".", " ").split()) - set(FUNCTION_WORDS)) >= 4


def test_the_code_questions_have_their_answers_among_the_turns() -> None:
    one = code_questions.read()
    keys = [said.key for _, turns in one.sessions for said in turns]
    assert len(keys) == len(set(keys)) == 40 + code_questions.DISTRACTORS
    assert len(one.questions) >= 60
    assert {key for question in one.questions for key in question.evidence} <= set(keys)
    assert code_questions.read() == one


def test_samples_of_two_runs_add_up() -> None:
    total = Written(turns=1, samples=[Sample("a", 1, "x")])
    total.add(Written(turns=2, calls=3, samples=[Sample("b", 2, "y")]))
    assert (total.turns, total.calls, [sample.source for sample in total.samples]) == (3, 3, ["a", "b"])

"""Which of the user's sentences are taken for decisions, and which are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core.decision_cues import SENTENCE_CHARS, SENTENCES_PER_MESSAGE, deciding_sentences
from tests.core import decision_sentences


@pytest.mark.parametrize(
    "sentence",
    [
        "let's use SQLite",
        "Let’s not touch the schema.",
        "We decided to keep the old API until June.",
        "we've agreed on tabs",
        "We'll keep the queue in memory.",
        "we use ruff here",
        "we don't commit to main",
        "don't add a dependency",
        "Please don't mock the database.",
        "ok but do not rename the table",
        "I don't want a new service for that",
        "Never log the token.",
        "always run the tests before you commit",
        "A price must never be negative.",
        "stop adding comments everywhere",
        "use httpx instead of requests",
        "Use Decimal, not float.",
        "then put it into core rather than the view",
        "I'd rather keep it in one file",
        "I prefer small commits.",
        "go with option 2",
        "Take the unique index.",
        "I'll go with the second one",
        "No, the discount applies once.",
        "no - use the old endpoint",
        "No. Use the queue for that.",
        "nope, that goes into settings",
        "that's not what I asked for",
        "That's wrong, the tax comes last.",
        "revert that change",
        "from now on answer in English",
        "Every endpoint must return JSON.",
        "prefer composition over inheritance",
        "Lass uns SQLite nehmen.",
        "Wir nehmen Cent statt Euro.",
        "wir haben uns gegen Redis entschieden",
        "Bitte keine neuen Abhängigkeiten!",
        "nie direkt auf main pushen",
        "Nimm httpx statt requests",
        "nicht im View, sondern im Service",
        "Nein, der Rabatt gilt je Bestellung.",
        "Das Token darf nie im Log stehen.",
        "Jeder Endpunkt muss JSON liefern.",
        "ab jetzt bitte auf Deutsch",
        "Ich möchte keine Floats sehen.",
        "so nicht, das gehört in die Migration",
        "hör auf Kommentare einzubauen",
    ],
)
def test_a_decision_or_correction_is_found_whole(sentence: str) -> None:
    assert deciding_sentences(sentence) == [" ".join(sentence.split())]


@pytest.mark.parametrize(
    "sentence",
    [
        "no problem",
        "No problem, go ahead.",
        "no worries",
        "no, it still fails",
        "No, thanks.",
        "no, that's fine",
        "never mind",
        "nevermind, I found it",
        "Should we use SQLite instead of Redis?",
        "what must I set for that",
        "can you use httpx instead of requests",
        "do we never check that?",
        "don't worry about the rest",
        "I don't know why it fails",
        "I don't understand the error",
        "we don't know the cause yet",
        "it never finishes",
        "It always fails on Mondays.",
        "the page shows None instead of the total",
        "it must be a bug in the parser",
        "you must have seen the log",
        "the tests don't pass",
        "fix the failing test",
        "let's see what the log says",
        "Let's look at the invoices",
        "Add a retry to the uploader",
        "stop",
        "no",
        "yes, always",
        "Soll ich immer den Test laufen lassen?",
        "kannst du das statt in Python in Go machen",
        "kein Problem",
        "nein danke",
        "das muss ein Fehler im Parser sein",
        "Ich muss weg",
        "Die Seite zeigt None statt der Summe",
        "Schreib das in NOTES.md",
        "/review use ruff, not flake8",
        "! git commit --no-verify # never",
        "",
    ],
)
def test_what_decides_nothing_is_not_taken(sentence: str) -> None:
    assert deciding_sentences(sentence) == []


@pytest.mark.parametrize(
    "pasted",
    [
        "```\nnever call this twice, use open() instead\n```",
        "```py\n# never call this twice",
        "> use tabs, not spaces",
        "    never_again = use(x, not y)",
        '<pasted_content id="7">\nnever use this\n</pasted_content id="7">',
        "<doc>Always use tabs.</doc>",
        'Traceback (most recent call last):\n  File "a.py", line 1, in never\nValueError: must never be None',
        "2026-03-14 09:00:01 must not be empty, use another",
        "ERROR must not be empty",
        "    at Object.must (index.js:1:1)",
        "| never | always |",
        "$ git commit -m 'never again'",
        "never " + "x" * 400,
    ],
)
def test_nothing_pasted_is_taken(pasted: str) -> None:
    assert deciding_sentences(pasted) == []


def test_what_the_user_says_around_something_pasted_counts() -> None:
    message = "Don't touch this:\nkeep it, never change it\n```\nnever()\n```\n> always\nNever do it so."
    assert deciding_sentences(message) == ["keep it, never change it", "Never do it so."]


def test_of_a_message_only_the_deciding_sentences_are_taken_in_their_order() -> None:
    message = (
        "The test fails. Use e.g. Decimal, not float!\n- don't round\n2. Why is that?\nThanks. We keep 3.5 digits."
    )
    assert deciding_sentences(message) == ["Use e.g. Decimal, not float!", "don't round", "We keep 3.5 digits."]


def test_of_a_pasted_document_only_its_first_and_last_paragraph_count() -> None:
    document = "\n\n".join("Clients must never retry. " * 5 for _ in range(40))
    assert deciding_sentences(f"Build this\n\n{document}\n\nbut don't use threads") == ["but don't use threads"]


def test_a_long_sentence_is_cut_and_their_number_is_limited() -> None:
    [cut] = deciding_sentences("Never use " + "very " * 60 + "long names")
    assert len(cut) <= SENTENCE_CHARS
    assert cut.endswith("…")
    assert len(deciding_sentences("\n".join(f"Never use x{n}" for n in range(50)))) == SENTENCES_PER_MESSAGE


_words = st.sampled_from(
    "no never must don't let's use instead not , . ? ! : \n ``` > < </a> <a> nein statt e.g. 1.".split(" ")
)


@given(st.lists(_words | st.text(max_size=8), max_size=60).map(" ".join))
def test_any_message_gives_short_single_lines_of_its_own_words(text: str) -> None:
    own = set(text.split())
    for sentence in deciding_sentences(text):
        assert len(sentence) <= SENTENCE_CHARS
        assert "\n" not in sentence
        assert len(own & set(sentence.split())) >= len(set(sentence.split())) - 2 or sentence.endswith("…")


@pytest.mark.parametrize("message", decision_sentences.DECIDING)
def test_what_people_decide_with_is_found(message: str) -> None:
    assert deciding_sentences(message)


@pytest.mark.parametrize("message", decision_sentences.NOT_DECIDING)
def test_what_people_say_otherwise_is_not_taken(message: str) -> None:
    assert deciding_sentences(message) == []

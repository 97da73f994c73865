"""A made-up conversation in LoCoMo's JSON shape: two sessions, questions of several categories, odd evidence."""

from __future__ import annotations

from typing import Any

ONE = [
    ("Ada", "I have adopted a greyhound, his name is Bolt."),
    ("Ben", "Lovely! I broke my wrist while skating on the canal."),
    ("Ada", "Look at him on the sofa."),
    ("Ben", "I am learning to bake sourdough bread now."),
]
TWO = [
    ("Ben", "The wrist has healed, and I won the baking contest in Ghent."),
    ("Ada", "Bolt ate my violin strings yesterday."),
    ("Ben", "Did you find new ones in the music shop?"),
]


def turns(session: int, said: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Turns as LoCoMo has them."""
    return [
        {"speaker": speaker, "dia_id": f"D{session}:{number}", "text": text}
        for number, (speaker, text) in enumerate(said, 1)
    ]


def dataset() -> list[dict[str, Any]]:
    """The whole file."""
    first, second = turns(1, ONE), turns(2, TWO)
    first[2]["blip_caption"] = "a photo of a dog asleep on a green sofa"
    questions: list[tuple[str, list[str], int]] = [
        ("What is the name of Ada's greyhound?", ["D1:1"], 4),
        ("Who won the baking contest in Ghent?", ["D2:1"], 4),
        ("When did Ben break his wrist?", ["D:1:2"], 2),
        ("What colour was the sofa of the dog?", ["D1:03; D2:2"], 1),
        ("What did Bolt do with the violin strings?", ["D2:2", "D"], 5),
        ("Nothing in the conversation answers this.", ["D9:9"], 3),
        ("Nobody says where this is answered.", [], 3),
    ]
    conversation = {
        "speaker_a": "Ada",
        "speaker_b": "Ben",
        "session_2_date_time": "9:05 am on 14 June, 2023",
        "session_2": second,
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": first,
        "session_3_date_time": "9:05 am on 15 June, 2023",
    }
    qa = [{"question": text, "evidence": found, "category": kind} for text, found, kind in questions]
    return [{"sample_id": "pair-1", "conversation": conversation, "qa": qa}]

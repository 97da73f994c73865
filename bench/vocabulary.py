"""Words by Zipf's law: English function words first, then common words, then pronounceable made-up ones."""

from __future__ import annotations

import itertools
import random

SIZE = 50_000
ZIPF_SHIFT = 2.7
"""Mandelbrot's correction: the weight of the word of rank r is 1 / (r + 2.7)."""

FUNCTION_WORDS = """
the to and a of in is it that for on with as this be we are was not you have at by from but or an so if there they
which will can has when then were no all do had more what would its been out about up into only also after our than
""".split()
COMMON_WORDS = """
file test code error function request data run change type name line value time server user build list key call set
fix branch config page path table query class object version cache token field log message response string index
session process update module column project service version result commit thread queue worker client deploy schema
record read write check store start stop retry limit timeout import export parser loader handler event node tree merge
memory disk network port host header body number date format default option flag script command output input folder
order customer invoice payment account address report email product price shop stock cart search filter sort group
view button form layout color image upload download plan issue review release note reason decision problem solution
step case state row cell model layer test suite fixture mock trace stack frame loop lock race signal socket stream
""".split()
_ONSETS = "b br c ch cl d dr f fl g gr h j k l m n p pl qu r s sh sl st t tr v w z".split()
_NUCLEI = "a e i o u ai".split()
_CODAS = ["", "", "", "", "n", "r", "l", "s", "t", "m"]


class Vocabulary:
    """words in order of rank, and draw() for running text."""

    def __init__(self, rng: random.Random, size: int = SIZE) -> None:
        """The same generator gives the same words."""
        known = dict.fromkeys(FUNCTION_WORDS + COMMON_WORDS)
        while len(known) < size:
            syllables = rng.choice((2, 2, 3, 3))
            parts = [rng.choice(_ONSETS) + rng.choice(_NUCLEI) + rng.choice(_CODAS) for _ in range(syllables)]
            known["".join(parts)] = None
        self.words = list(known)[:size]
        self._weights = list(itertools.accumulate(1 / (rank + ZIPF_SHIFT) for rank in range(1, len(self.words) + 1)))

    def draw(self, rng: random.Random, count: int) -> list[str]:
        """That many words as they follow each other in a text: independent, by frequency."""
        return rng.choices(self.words, cum_weights=self._weights, k=count)

    def rare(self, rng: random.Random, count: int) -> list[str]:
        """That many words of the rarer nine tenths: what one session is about."""
        return rng.sample(self.words[len(self.words) // 10 :], count)


_FUNCTION = frozenset(FUNCTION_WORDS)
_OPENINGS = ("when did we", "why is the", "what was the", "where did the", "how do we get the", "what about")
_LINKS = ("", "", "of the", "and", "for the", "with")


def question(rng: random.Random, text: str) -> str:
    """A question of 6 to 12 words in a person's manner, from 4 to 6 telling words of a text (all, if it has fewer)."""
    tokens = [word for word in text.replace(".", " ").split() if word.isalpha() and word not in _FUNCTION]
    rng.shuffle(tokens)
    chosen = list(dict.fromkeys(tokens))[: rng.randint(4, 6)]
    said = rng.choice(_OPENINGS).split()
    for position, word in enumerate(chosen):
        link = rng.choice(_LINKS).split() if position else []
        rest = len(chosen) - position
        said += [*(link if len(said) + len(link) + rest <= 12 else []), word]
    return " ".join(said) + "?"

"""Which of the user's own sentences decide or correct something, told by a short list of cue words.

No sentence is made up or reworded: what is found is quoted whole. A missed one is still in the transcript; a wrong one
misleads, so a cue counts only where it stands like an order (at the beginning of a clause), a settled choice, or a no.
"""

from __future__ import annotations

import re

SENTENCE_CHARS = 240
"""A sentence is cut here: two lines of a terminal. Longer ones are seldom one sentence."""

PASTED_LINE_CHARS = 400
"""A line longer than this was pasted: nobody types four hundred characters without a break."""

DOCUMENT_CHARS = 3000
"""A message longer than this carries a document; only its first and last paragraph can be the user's own words."""

SENTENCES_PER_MESSAGE = 5
FEWEST_WORDS = 2

# Patterns are strings, which re compiles where first needed and keeps: compiling all would cost a hook 20 ms.
_FENCED = r"(?ms)^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*$|\Z)"
_TAGGED = r"(?s)<([a-zA-Z][\w-]*)[^<>]*>.*?</\1[^<>]*>"
_PASTED_LINE = (
    r"\s*(?:>|\||\$ |>>> |\+{3} |-{3} |@@ |\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\[\d|at [\w.$<]+ ?\(|File \"|Traceback \(|"
    r"E  |(?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL|FAILED|PANIC)\b)|(?: {4,}|\t)\S|[\w.]*(?:Error|Exception): "
)
"""Quotes, tables, shell prompts, diffs, logs, stack traces, indented code."""

_LIST_MARK = r"^\s*(?:[-*•]|\d{1,2}[.)])\s+"
_ENDS = r"(?<=[.!?])[\"')\]]*\s+"
_NOT_AN_END = r"(?:\b(?:e\.g|i\.e|etc|vs|cf|z\.\s?B|d\.\s?h|bzw|usw|ca|approx|Nr|No\. \d*)\.|\b[A-Za-z]\.|\d\.)$"
_ONLY_NO = r"(?i)(?:no|nope|nah|nein|nee|nö|stop|stopp|wrong|falsch)[.!,]*"

_QUESTION = (
    r"(?i)(?:should|shall|can|could|would|will|may|might|what|why|how|when|where|which|who|whose|does|did|is|are|was|"
    r"were|am|has|have|do (?!not\b)(?:i|we|you|they|the|these|those|any)|soll|sollen|sollte|sollten|kann|kannst|können|"
    r"könnte|könntest|wie|warum|wieso|weshalb|was|welche\w*|wer|wo|wann|ist|sind|hast|habt|haben|gibt|geht|darf|dürfen|"
    r"willst|wollen|would you|do you)\b"
)
"""A sentence that begins like a question is one, with or without its mark."""

_BEGINS = (
    r"(?:^|[,;:(–—]\s*|\s-\s|\b(?:and|but|so|then|also|please|just|actually|ok|okay|und|aber|also|dann|bitte)[, ]+)"
    r"(?:(?:please|just|also|actually|rather|better|bitte|lieber|ok|okay|well|hey)[, ]+)*"
)
"""Where a clause begins: what is said to do stands there in both languages."""

_DO = (
    r"(?:use|take|call|name|put|keep|leave|make|write|store|return|raise|pick|choose|move|read|send|show|run|try|add|"
    r"import|rename|switch|go|build|do|set|let|have)"
)
_MACH = (
    r"(?:nimm|nehmt|nutze?|nutzt|verwende|verwendet|benutze?|benutzt|mach|macht|schreib|schreibe|ändere?|lösche?|"
    r"fass|fasse|pushe?|committe?|lass|lasst|setz|setze|bau|baue|behalte?|speichere?|rufe?|nenne?)"
)

_NO_OBJECTION = (
    r"(?! (?:problem|worries|need|idea|rush|thanks|more|longer|one|matter|doubt|question)\b)"
    r"(?!,? (?:thanks|thank|still|nothing|not yet|all good|that'?s (?:fine|ok|okay|it|all|good)|the same|"
    r"it(?:'s| is| still| works| does)|i (?:haven'?t|didn'?t|don'?t|do not))\b)"
)
_KEIN_EINWAND = r"(?!,? (?:danke|passt|alles gut|noch nicht|immer noch|geht|es geht|das (?:passt|ist ok))\b)"
"""What follows a no that objects to nothing."""

_CUES = (
    # A choice made together or settled: nobody says "let's use" of what is still open.
    (
        "let lets",
        r"\blet'?s (?:not|use|go (?:with|for)|keep|stick|stay|avoid|call|drop|skip|switch|take|have|make|leave)\b",
    ),
    ("decided agreed settled chose", r"\bwe(?:'ve| have)? (?:decided|agreed|settled on|chose)\b"),
    ("we", r"\bwe(?:'ll| will|'re going to| are going to)? (?:use|keep|stick|stay|go with|drop|never|always)\b"),
    ("we", r"\bwe (?:don'?t|do not|won't|will not) (?!know|have|see|understand|get\b|remember|care|need to know)"),
    ("go stick stay", _BEGINS + r"(?:i'?ll |we'?ll |i'?d )?(?:go|stick|stay) (?:with|for)\b"),
    # A choice among what was offered: "take a look" is none.
    (
        "take pick choose",
        _BEGINS + r"(?:take|pick|choose) (?:the|that|this|option|variant|version|number|both|neither)\b"
        r"(?! (?:time|opportunity|chance|trouble|first step|lead)\b)",
    ),
    # Orders not to: "I don't know" is none, so only at the beginning of a clause, or as what is wanted.
    (
        "don dont not",
        _BEGINS + r"(?:don'?t|do not) (?!worry|bother|mind|know|hesitate|think so|get me wrong|see|understand|have)",
    ),
    ("don dont not", r"\bi (?:don'?t|do not) (?:want|like)\b"),
    (
        "never",
        _BEGINS + r"never (?!mind\b|ever\b|(?:seen|had|heard|been|tried|worked|happened|understood|thought|used)\b)",
    ),
    ("always", _BEGINS + r"always \w+(?<!ed)\b"),
    ("never always only", r"\b(?:must|should|may|shall|can) (?:never|always|only)\b(?! happen)"),
    ("stop avoid quit", _BEGINS + r"(?:stop|avoid|quit) \w+ing\b"),
    ("only prefer", _BEGINS + r"(?:use only|only use|prefer)\b"),
    # One thing for another: of a fault ("None instead of 0") it is a report, so only as an order.
    ("instead not rather", _BEGINS + _DO + r"\b.{1,120}(?:\binstead\b|, (?:and )?not |\brather than\b)"),
    ("want", r"\bi want\b.{1,120}(?:\binstead\b|, not |\brather than\b)"),
    ("prefer rather", r"\bi(?:'d| would)?(?: much)? (?:prefer|rather)\b"),
    # A no to what Claude did or proposed; "no problem" and "no, it still fails" decide nothing.
    ("no nope nah", r"^(?:no|nope|nah)\b" + _NO_OBJECTION + r"\s*[,.:;!–—-]+\s*\S"),
    ("wrong not", r"\bthat(?:'s| is) (?:wrong|not (?:what|right|how))\b|\bnot what i (?:asked|meant|wanted)\b"),
    ("revert undo roll", _BEGINS + r"(?:revert|undo|roll back) (?:that|this|it|the last|your)\b"),
    # Rules for later.
    ("now forward here", r"\b(?:from now on|going forward|from here on)\b"),
    # A demand on the result; "it must be a bug" is a guess.
    ("must", r"(?<!\bit )(?<!\bthat )(?<!\bthis )(?<!\bthere )(?<!\byou )(?<!\bi )\bmust\b(?! have\b)"),
    # German: the same, in the same order.
    ("lass lasst", r"\blasst? uns\b(?! (?:mal )?(?:sehen|schauen|gucken|reden))"),
    ("wir", r"\bwir (?:nehmen|verwenden|nutzen|benutzen|bleiben bei|machen (?:das|es) (?:so|mit|ohne))\b"),
    ("entschieden beschlossen geeinigt", r"\bwir (?:haben|hatten) .{0,80}\b(?:entschieden|beschlossen|geeinigt)\b"),
    ("nie niemals immer nur", _BEGINS + r"(?:bitte )?(?:nie|niemals|immer|nur noch) \w"),
    ("bitte", r"\bbitte (?:nicht|kein\w*|nie|niemals|immer|nur)\b"),
    (
        "nicht kein keine keinen nie niemals immer nur stattdessen statt anstatt lieber",
        _BEGINS + _MACH + r"\b.{0,120}\b(?:nicht|keine?n?|nie|niemals|immer|nur|stattdessen|statt|anstatt|lieber)\b",
    ),
    ("sondern", r"\bnicht\b.{1,120}, sondern\b"),
    (
        "darf dürfen soll sollen",
        r"\b(?:darf|dürfen|soll|sollen) (?:\S+ ){0,4}(?:nicht|nie|niemals|kein\w*|nur|immer)\b",
    ),
    ("muss müssen", r"(?<!\bich )(?<!\bdas )(?<!\bes )(?<!\bwir )\b(?:muss|müssen)\b(?! ich\b| wir\b)"),
    ("nein nee nö", r"^(?:nein|nee|nö)\b" + _KEIN_EINWAND + r"\s*[,.:;!–—-]+\s*\S"),
    ("falsch nicht", r"\bdas ist (?:falsch|nicht (?:richtig|das|was))\b|\bso nicht\b"),
    ("jetzt sofort nun künftig zukunft", r"\b(?:ab (?:jetzt|sofort)|von nun an|künftig|in zukunft)\b"),
    (
        "lieber kein keine keinen bevorzuge",
        r"\bich (?:möchte|will|hätte gern\w*) (?:lieber|keine?n?)\b|\bwäre? (?:mir )?lieber\b|\bich bevorzuge\b",
    ),
    ("hör hört", r"\bhört? (?:bitte )?(?:auf|damit auf)\b"),
)
"""(words of which a sentence has one, the pattern it then must fit), case aside."""

_CUE_WORDS = frozenset(" ".join(words for words, _ in _CUES).split())


def deciding_sentences(text: str) -> list[str]:
    """The sentences of a user's message that decide or correct something, each on one line and whole up to
    SENTENCE_CHARS, in their order, at most SENTENCES_PER_MESSAGE. Never of what was pasted, never a question."""
    if text.startswith(("/", "! ")) or _CUE_WORDS.isdisjoint(_words(text)):
        return []  # the first are a command's arguments, and the user's own shell
    found: list[str] = []
    for sentence in _sentences(_own_words(text)):
        if len(sentence.split()) >= FEWEST_WORDS and _decides(sentence) and sentence not in found:
            found.append(sentence)
    return [_cut(sentence) for sentence in found[:SENTENCES_PER_MESSAGE]]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= SENTENCE_CHARS else sentence[: SENTENCE_CHARS - 1].rstrip() + "…"


def _decides(sentence: str) -> bool:
    plain = sentence.replace("’", "'")
    if plain.endswith(("?", ":")) or re.match(_QUESTION, plain):
        return False
    words = set(_words(plain))
    return any(
        not words.isdisjoint(needed.split()) and re.search(cue, plain, re.IGNORECASE) is not None
        for needed, cue in _CUES
    )


def _own_words(text: str) -> list[str]:
    """The lines that the user typed: without code, quotes, logs, and the middle of a document."""
    text = re.sub(_TAGGED, "\n", re.sub(_FENCED, "\n", text))
    lines = [line for line in text.splitlines() if len(line) <= PASTED_LINE_CHARS and not re.match(_PASTED_LINE, line)]
    if sum(map(len, lines)) <= DOCUMENT_CHARS:
        return lines
    paragraphs = "\n".join(lines).strip().split("\n\n")
    ends = (part for part in (paragraphs[0], paragraphs[-1]) if len(part) <= DOCUMENT_CHARS)
    return [line for part in ends for line in part.splitlines()]


def _sentences(lines: list[str]) -> list[str]:
    """Sentences on one line each. A line's end ends one; a lone "No." goes with what follows it."""
    found: list[str] = []
    for line in lines:
        waiting = ""
        for part in re.split(_ENDS, re.sub(_LIST_MARK, "", line).strip()):
            waiting = f"{waiting} {part}".strip() if waiting else part
            if not (re.search(_NOT_AN_END, waiting) or re.fullmatch(_ONLY_NO, waiting)):
                found.append(" ".join(waiting.split()))
                waiting = ""
        if waiting:
            found.append(" ".join(waiting.split()))
    return found

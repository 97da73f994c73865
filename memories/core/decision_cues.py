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

_REPORT = (
    r"(?i)(?:maybe|perhaps|vielleicht|i wonder|i (?:think|guess|believe|suppose)\b(?!.*\bshould\b)|if "
    r"(?:it'?s|that'?s|you)\b|(?:the |this |that |its? |my |our )?(?:logs?|docs?|documentation|manual|"
    r"error|message|output|tests?|page|readme|spec) (?:says?|shows?|prints?|reads?|claims?|tells?|"
    r"contains?)\b|(?:he|she|they|someone|somebody|it|(?:my|our|the|a) \w+) (?:said|says|told|prints|"
    r"shows|returns)\b|ich (?:glaube|denke|vermute)\b(?!.*\bsoll)|(?:das|die|der) (?:log|doku|meldung|"
    r"fehler) )"
)
"""A sentence that begins like what somebody saw, read or supposes: it decides nothing."""

_BEGINS = (
    r"(?i)(?:^|[,;:(–—]\s*|\s-\s|\b(?:and|but|so|then|also|please|just|actually|yes|ok|okay|und|aber|"
    r"also|dann|bitte|ja)[, ]+)(?:(?:please|just|also|actually|rather|better|bitte|lieber|ok|okay|"
    r"well|hey)[, ]+)*"
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
    r"(?! (?:problem|worries|need|idea|rush|thanks|more|longer|one|matter|doubt|question|errors?|luck|"
    r"change|hurry)\b)(?!,? (?:thanks|thank|nothing|not yet|all good|that'?s (?:fine|ok|okay|it|all|"
    r"good)|that works|it(?:'s| is| works| does)|i (?:haven'?t|didn'?t|don'?t|do not|see|can'?t|am|"
    r"was)\b)\b)(?!.*\b(?:still|not yet|again|works? now|same (?:error|problem|result|thing|issue)|i "
    r"meant is)\b)"
)
_KEIN_EINWAND = (
    r"(?!,? (?:danke|passt|alles gut|geht|es geht|das (?:passt|ist ok)|ich (?:hab|habe|weiß|bin|kann)|"
    r"klappt|kenne|hab|habe|weiß)\b)(?!.*\b(?:noch (?:nicht|immer|da)|immer noch|wieder|weiß ich|"
    r"keine ahnung|ist noch)\b)"
)
"""What follows a no that objects to nothing."""

_FAULT = (
    r"(?:be (?:(?:an?|the|some) )?(?:\w+ )?(?:bug|race|problem|mistake|typo|leak|error|issue|reason|"
    r"cause|fault|broken|wrong|missing|stale|cached|corrupt\w*|confused|related|due|because|old|"
    r"something|somewhere|why)|have)\b"
)
"""What follows a must that supposes."""

_FEHLER = r"(?!.*\b(?:kaputt|fehler|problem|bug|irgend\w*|falsch|defekt|liegen|gehen|weg)\b)"
_TOOL = (
    r"(?:an? |the |your )?(?:sub-?agents?|agents?|tools?|skills?|debugger|browser|web|search|plan mode|time|chance)\b"
)

_AT_BEGIN = (
    # A choice, among what was offered too: "take a look" is none.
    ("go stick stay", r"(?:i'?ll |we'?ll |i'?d )?(?:go|stick|stay) (?:with|for)\b(?! (?:it|lunch|now)\b)"),
    (
        "take pick choose",
        (
            r"(?:take|pick|choose) (?:the|that|option|variant|version|number|both|neither|this (?:one|option|"
            r"approach|way))\b(?! (?:time|opportunity|chance|trouble|first step|lead)\b)"
        ),
    ),
    (
        "option variant version plan variante",
        r"(?:option|variant|version|plan|variante) (?:\d|[a-d])\b(?! (?:is|was|looks?)\b)",
    ),
    ("use", r"use (?!this (?:time|chance)|" + _TOOL + r")"),
    ("keep", r"keep (?:the|that|this|it|our|all|both|my)\b"),
    (
        "leave",
        (
            r"leave (?:the|that|this|it|them|those|these|my|our)\b.*\b(?:alone|as|out|untouched|in|there|for "
            r"now)\b"
        ),
    ),
    ("skip forget", r"(?:skip|forget) (?:about )?(?:the|that|this|those|all|\w+ing)\b"),
    # Orders not to: "I don't know" is none, so only at the beginning of a clause, or as what is wanted.
    (
        "don dont not",
        r"(?:don'?t|do not) (?!worry|bother|mind|know|hesitate|think so|get me wrong|see|understand|have|you|we)",
    ),
    (
        "never",
        r"never (?!mind\b|ever\b|(?:seen|had|heard|been|tried|worked|happened|understood|thought|used|got|again)\b)",
    ),
    ("always", r"always (?!the\b|an?\b|been\b)\w+(?<!ed)\b"),
    ("stop avoid quit", r"(?:stop|avoid|quit) \w+ing\b"),
    (
        "only prefer",
        r"(?:use only|only (?:use|touch|change|edit|modify|run|allow|accept|write|read|log|send|return)|prefer)\b",
    ),
    # One thing for another: of a fault ("None instead of 0") it is a report, so only as an order.
    ("instead not rather", _DO + r"\b.{1,120}(?:\binstead\b|, (?:and )?not |\brather than\b)"),
    ("revert undo roll", r"(?:revert|undo|roll back) (?:that|this|it|the last|your)\b"),
    # German: the same, in the same order.
    ("nimm nehmt verwende benutze nutze", r"(?:nimm|nehmt|verwende|benutze|nutze)\b(?! (?:dir|mal|an)\b)"),
    ("variante", r"variante (?:\d|[a-d])\b"),
    (
        "nie niemals immer nur",
        (
            r"(?:nie|niemals|immer|nur noch) (?!(?:gesehen|gehört|gehabt|passiert|noch|wenn|das|die|der|den|"
            r"ein\w*|dasselbe|derselbe|dieselbe|wieder (?:der|die|das))\b)\w"
        ),
    ),
    (
        "nicht kein keine keinen nie niemals immer nur stattdessen statt anstatt lieber",
        (
            _MACH + r"\b(?:[^,]{0,120}|.{0,120},)\s*\b(?:nicht|keine?n?|nie|niemals|immer|nur|stattdessen|statt|"
            r"anstatt|lieber)\b"
        ),
    ),
    ("lass lasst", r"lasst? (?!uns\b).{1,60}\b(?:drin|so|weg|in ruhe|stehen|unverändert)\b"),
)
"""(words of which a sentence has one, the pattern that then must stand where a clause begins), case aside."""

_AT_START = (
    # A no to what Claude did or proposed; "no problem" and "no, it still fails" decide nothing.
    ("no nope nah", r"(?:no|nope|nah)\b" + _NO_OBJECTION + r"\s*[,.:;!–—-]+\s*\S"),
    (
        "no",
        (
            r"no (?:(?:new|more|extra|further) (?!errors?\b|luck\b|ideas?\b|questions?\b|info)\w|\w+(?: "
            r"\w+){0,3},? please\b)"
        ),
    ),
    ("wrong falsch", r"(?:wrong|falsch)\s*[:,;.!–—-]+\s*\S"),
    ("not", r"not (?:like that|that way|this way)\b"),
    ("said told", r"(?:as )?i (?:already |just )?(?:said|told you)\b,? (?:no|not|to|don'?t|never|use|only)\b"),
    ("decision entscheidung regel rule", r"(?:decision|entscheidung|rule|regel)\s*[:–—-]\s*\S"),
    ("future", r"in (?:the )?future\b,?"),
    ("nein nee nö", r"(?:nein|nee|nö)\b" + _KEIN_EINWAND + r"\s*[,.:;!–—-]+\s*\S"),
    ("doch", r"doch nicht\b"),
    ("lieber", r"lieber .{1,80}\bstatt\b"),
    ("kein keine keinen", r"keine?n?\b(?: (?:neuen?|weiteren?|extra) \w|.*\bbitte\b)"),
    ("so", r"so nicht\b(?:[,.!:;–—-]|$)"),
    (
        "immer nie niemals nur nicht",
        (
            r"(?!.*\b(?:ich|wir|sie|er|es|man|werden|können|müssen|haben|sein|sind|kommen|gehen)\b)(?:\w+ "
            r"){1,3}(?:immer|nie|niemals|nur)\b.{0,60}\b(?-i:[a-zäöüß]+(?:en|ern|eln))[.!]?$"
        ),
    ),
)
"""The same where the sentence begins."""

_ANYWHERE = (
    # A choice made together or settled: nobody says "let's use" of what is still open.
    (
        "let lets",
        (
            r"\blet'?s (?:not|use|go (?:with|for)|keep|stick|stay|avoid|call|drop|skip|switch|take|leave|"
            r"remove|move|put|ignore|postpone|defer|rename|split|merge|do (?:it|that|this) (?:with|in|via|by|"
            r"as|without|on|per|the)|make (?:it|that|this))\b(?! (?:going|moving|looking|trying|at it|it at "
            r"that|a (?:look|break|step|chat)|the time|this time|it for today|on|sure|for it)\b)"
        ),
    ),
    (
        "decided agreed settled chose opted",
        (
            r"\b(?:we|i)(?:'ve| have)? (?:decided (?:to|on|against|for|not|that)|agreed (?:on|to|that|not)|"
            r"settled on|chose|opted)\b"
        ),
    ),
    (
        "we",
        (
            r"\bwe(?:'ll| will|'re going to| are going to)? (?:use|keep|stick|stay|go with|drop|(?:only|never|"
            r"always) (?!ha[ds]|have|saw|seen?|get|got|need|noticed)\w)(?!\w*[ ](?:it|this|that|them|"
            r"\w+ing)\b)"
        ),
    ),
    ("we", r"\bwe(?:'re| are) (?:going with|sticking (?:with|to)|keeping|dropping|staying with|not going to)\b"),
    ("we", r"\bwe (?:don'?t|do not|won't|will not) (?!know|have|see|understand|get\b|remember|care|need to know)"),
    (
        "don dont not",
        (
            r"\bi (?:don'?t|do not) (?:want|like)\b(?! (?:to (?:bother|sound|rush|interrupt|annoy|lose|be "
            r"rude)|(?:this|the|that) (?:error|problem|bug|failure|warning|look))\b)"
        ),
    ),
    (
        "never always only not",
        (
            r"\b(?:must|should|may|shall) (?:never|always|only)\b(?! (?:happen|take|be a|cost))|\b(?:must|may|"
            r"shall) not\b"
        ),
    ),
    ("want like", r"\bi(?: want|'d like| would like)\b.{1,120}(?:\binstead\b|, not |\brather than\b|\bwithout\b)"),
    ("prefer rather", r"\bi(?:'d| would)?(?: much)? (?:prefer|rather)\b"),
    (
        "wrong not",
        r"\bthat(?:'s| is) (?:wrong|not (?:what|right|how))\b(?!.*\bbut\b)|\bnot what i (?:asked|meant|wanted)\b",
    ),
    ("should", r"\bshould be\b[^,]{1,80}, not\b"),
    # Rules for later.
    ("now forward here", r"\b(?:from now on|going forward|from here on)\b"),
    # A demand on the result; "it must be a bug" is a guess.
    ("must", r"(?<!\bit )(?<!\bthat )(?<!\bthis )(?<!\bthere )(?<!\byou )(?<!\bi )\bmust\b (?!" + _FAULT + r")"),
    (
        "has have",
        (
            r"(?<!\bthere )(?<!\bthat )(?<!\bthis )(?<!\byou )(?<!\bi )(?<!\bwe )\bha(?:s|ve) to (?:be|work|"
            r"stay|run|support|return)\b(?<!be)(?! (?:an?|the)\b)|\bha(?:s|ve) to be \w+ed\b"
        ),
    ),
    # German: the same, in the same order.
    (
        "lass lasst",
        (
            r"\blasst? uns\b(?!.*\b(?:sehen|schauen|gucken|reden|anfangen|weitermachen|loslegen|beginnen|"
            r"starten|überlegen)\b)"
        ),
    ),
    ("wir", r"\bwir (?:nehmen|verwenden|nutzen|benutzen|bleiben bei|machen (?:das|es) (?:so|mit|ohne))\b"),
    (
        "wir",
        (
            r"\bwir (?:wollen|unterstützen|brauchen|erlauben) (?:\w+ )?(?:keine?n?|nicht|nur)\b(?! (?:wissen|"
            r"sehen))"
        ),
    ),
    (
        "entschieden beschlossen geeinigt",
        r"\b(?:wir|ich) (?:haben?|hatten) (?!.*\bnoch nicht\b).{0,80}\b(?:entschieden|beschlossen|geeinigt)\b",
    ),
    ("bitte", r"\bbitte (?:nicht|kein\w*|nie|niemals|immer|nur)\b(?! (?:wundern|böse|stören)\b)"),
    (
        "sondern",
        r"^(?!.*\b(?:kommt|zeigt|liefert|steht|ergibt|erscheint|gibt|bekomme)\b).*\bnicht\b.{1,120}, sondern\b",
    ),
    (
        "darf darfst dürfen soll sollst sollen",
        (
            r"\b(?:darf|darfst|dürfen|soll|sollst|sollen) (?!doch\b|ja\b)(?:\S+ ){0,4}(?:nicht|nie|niemals|"
            r"kein\w*|nur|immer)\b"
        ),
    ),
    (
        "muss müssen",
        r"(?<!\bich )(?<!\bdas )(?<!\bes )(?<!\bwir )(?<!\bda )\b(?:muss|müssen)\b(?! ich\b| wir\b| man\b)" + _FEHLER,
    ),
    ("falsch nicht", r"\bdas ist (?:falsch|nicht (?:richtig|das,? was|was|so gemeint))\b|\bso nicht[.!]?$"),
    ("jetzt sofort nun künftig zukunft", r"\b(?:ab (?:jetzt|sofort)|von nun an|künftig|in zukunft)\b"),
    (
        "lieber nicht kein keine keinen bevorzuge",
        (
            r"\bich (?:möchte|will|hätte gern\w*) (?:(?:das|es|die|den) )?(?:lieber|nicht|keine?n?)\b(?! "
            r"(?:stress|umstände|ärger|druck)\b)|\bwäre? (?:mir )?lieber\b|\bich bevorzuge\b"
        ),
    ),
    ("hör hört", r"\bhört? (?:bitte )?(?:auf|damit auf)\b"),
)
"""The same, wherever it stands."""

_CUE_WORDS = frozenset(" ".join(words for words, _ in _AT_BEGIN + _AT_START + _ANYWHERE).split())


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
    if plain.endswith(("?", ":")) or re.match(_QUESTION, plain) or re.match(_REPORT, plain):
        return False
    words = set(_words(plain))
    if any(re.match(cue, plain, re.IGNORECASE) for cue in _for(words, _AT_START)):
        return True
    if any(re.search(cue, plain, re.IGNORECASE) for cue in _for(words, _ANYWHERE)):
        return True
    cues = _for(words, _AT_BEGIN)
    begins = [clause.end() for clause in re.finditer(_BEGINS, plain)] if cues else []
    return any(re.match(cue, plain[begin:], re.IGNORECASE) for cue in cues for begin in begins)


def _for(words: set[str], cues: tuple[tuple[str, str], ...]) -> list[str]:
    """The patterns of the cues of which a sentence has a word."""
    return [cue for needed, cue in cues if not words.isdisjoint(needed.split())]


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

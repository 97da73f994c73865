"""From a person's words to an FTS5 expression, and the ranking's constants. The one module that owns the query.

Any text is a valid query: every token is quoted, so FTS5 syntax in it means nothing. Stop words are dropped (all are
kept when nothing else is left), the rest is joined by OR and ranked by BM25: AND of all words finds next to nothing for
a natural question (0-10 % hit@10 on LoCoMo against 68 % for OR with stop words dropped and stemming; measured on 1,982
questions, with SQLite 3.40).
"""

from __future__ import annotations

import re

BM25_WEIGHTS = (1.0, 2.0, 1.0, 0.7)
"""Weights of memory_fts's columns: content, title, search_meta, search_lemmas (the recipe measured on LoCoMo)."""

PROJECT_BOOST = 1.3
"""Factor on the score of the session's own project: it wins between like matches, not over a clearly better one."""

IMPORTANCE_STEP = 0.05
"""Relative gain per point of importance above the default of 5 (loss below it): at most a quarter."""

MAX_TERMS = 48
"""Terms of a query that are used; a pasted page is searched by its first distinct words."""

NEAR_DUPLICATE = 0.8
"""Share of common distinct words (Jaccard) from which two memories are named as near duplicates."""

STOP_WORDS = frozenset(
    """
    a about above after again against all also am an and any are aren as at be because been before being below
    between both but by can cannot could couldn d did didn do does doesn doing don down during each either else ever
    every few for from further get gets getting got had hadn has hasn have haven having he her here hers herself him
    himself his how however i if in into is isn it its itself just let ll m many may me might more most much must my
    myself neither no nor not now of off on once only or other ought our ours ourselves out over own please re s
    same shall she should shouldn since so some something such t than that the their theirs them themselves then
    there these they thing things this those through to too under until up upon us ve very was wasn we were weren
    what when where whether which while who whom whose why will with within without won would wouldn yes you your
    yours yourself yourselves tell know
    """.split()
)

_IRREGULAR_FORMS = """
arise arose arisen | awake awoke awoken | bear bore borne | beat beaten | become became | begin began begun
bend bent | bind bound | bite bit bitten | bleed bled | blow blew blown | break broke broken | bring brought
build built | buy bought | catch caught | choose chose chosen | cling clung | come came | creep crept
deal dealt | dig dug | draw drew drawn | dream dreamt | drink drank drunk | drive drove driven | eat ate eaten
fall fell fallen | feed fed | feel felt | fight fought | find found | flee fled | fly flew flown
forbid forbade forbidden | forget forgot forgotten | forgive forgave forgiven | freeze froze frozen
give gave given | go went gone | grind ground | grow grew grown | hang hung | hear heard | hide hid hidden
hold held | keep kept | know knew known | lay laid | lead led | leave left | lend lent | lie lain | light lit
lose lost | make made | mean meant | meet met | mistake mistook mistaken | overcome overcame
override overrode overridden | overwrite overwrote overwritten | pay paid | prove proven | ride rode ridden
ring rang rung | rise rose risen | run ran | say said | see saw seen | seek sought | sell sold | send sent
shake shook shaken | shine shone | shoot shot | show shown | shrink shrank shrunk | sing sang sung
sink sank sunk | sit sat | sleep slept | slide slid | speak spoke spoken | speed sped | spend spent | spin spun
spring sprang sprung | stand stood | steal stole stolen | stick stuck | sting stung | strike struck stricken
swear swore sworn | sweep swept | swim swam swum | swing swung | take took taken | teach taught | tear tore torn
tell told | think thought | throw threw thrown | understand understood | undo undid undone | wake woke woken
wear wore worn | weave wove | win won | withdraw withdrew withdrawn | write wrote written
rewrite rewrote rewritten | rebuild rebuilt | child children | man men | woman women | person people | foot feet
tooth teeth | mouse mice | goose geese | half halves | life lives | knife knives | wife wives | leaf leaves
shelf shelves | index indices indexes | matrix matrices | vertex vertices | axis axes | analysis analyses
hypothesis hypotheses | criterion criteria | schema schemata | datum data | medium media | appendix appendices
good better best | bad worse worst | far further farthest
"""

IRREGULAR = {
    form: family.split()[0] for family in _IRREGULAR_FORMS.replace("\n", "|").split("|") for form in family.split()[1:]
}
"""Irregular form -> base form, which the porter stemmer does not know."""

_CHUNK = re.compile(r"\w+(?:[.\-/:@+#'’]+\w+)*")
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_SHORT_NUMBER = 3
_MONTHS = "January February March April May June July August September October November December".split()


def words(text: str) -> list[str]:
    """Every word of a text, lower-cased, in order; identifiers fall apart at punctuation and underscores."""
    return [word.lower() for word in _WORD.findall(text)]


def camel_parts(word: str) -> list[str]:
    """The parts of a camelCase or letter-digit identifier, lower-cased; empty for a plain word."""
    parts = _CAMEL.findall(word)
    return [part.lower() for part in parts] if len(parts) > 1 else []


def _candidates(text: str) -> list[str]:
    """Search terms in order: each chunk as a whole, then its words and their parts and base forms."""
    found: list[str] = []
    for chunk in _CHUNK.findall(text):
        parts = _WORD.findall(chunk)
        if len(parts) > 1 and "'" not in chunk and "’" not in chunk:
            found.append(" ".join(parts).lower())
        for part in parts:
            if len(parts) > 1 and part.isdigit() and len(part) < _SHORT_NUMBER:
                continue  # a version's or date's digits mean something only together
            found.append(part.lower())
            found.extend(camel_parts(part))
            if part.lower() in IRREGULAR:
                found.append(IRREGULAR[part.lower()])
    return list(dict.fromkeys(found))


def match_expression(text: str) -> str | None:
    """The FTS5 MATCH expression for any text; None when it holds no word at all."""
    candidates = _candidates(text)
    kept = [term for term in candidates if term not in STOP_WORDS] or candidates
    return " OR ".join(f'"{term}"' for term in kept[:MAX_TERMS]) or None


def lemmas(text: str) -> str:
    """What is indexed beside a text: base forms of its irregular words and the parts of its identifiers."""
    found: dict[str, None] = {}
    for word in dict.fromkeys(_WORD.findall(text)):
        lower = word.lower()
        if lower in IRREGULAR:
            found[IRREGULAR[lower]] = None
        if lower != word or not word.isalpha():
            found.update(dict.fromkeys(camel_parts(word)))
    return " ".join(found)


def date_words(created_at: str) -> str:
    """A record's time as a person would type its day: `8 May 2023 2023-05-08`."""
    year, month, day = created_at[:10].split("-")
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year} {created_at[:10]}"


def similarity(left: str, right: str) -> float:
    """Share of distinct words that two texts have in common (Jaccard index), 0 to 1."""
    ours, theirs = set(words(left)), set(words(right))
    return len(ours & theirs) / len(ours | theirs) if ours or theirs else 1.0

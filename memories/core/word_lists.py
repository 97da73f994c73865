"""Words that search treats in a way of their own: those that say nothing, irregular forms, and common abbreviations."""

from __future__ import annotations

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
    yours yourself yourselves tell know kind mention mentioned mentions say said says talk talked happened
    """.split()
)
"""Dropped from a query (unless nothing else is left in it); indexed all the same."""

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

_SAME = """
db database | auth authentication | authz authorization | config configuration | repo repository | env environment
dir directory | param parameter | arg argument | msg message | func fn function | docs documentation | dev development
prod production | dep dependency | err error | admin administrator | app application | k8s kubernetes | js javascript
ts typescript | py python | pg postgres postgresql | perf performance | impl implementation | info information
spec specification | lib library | pkg package | cmd command | ctx context | req request | resp response | var variable
val value | num number | max maximum | min minimum | tmp temporary | prev previous | perm permission | cred credential
async asynchronous | regex regexp | init initialization | id identifier | sig signature | attr attribute | elem element
img image | ref reference | dup duplicate | pref preference | stats statistics | sys system | util utility
"""

SAME: dict[str, tuple[str, ...]] = {
    word: tuple(other for other in group.split() if other != word)
    for group in _SAME.replace("\n", "|").split("|")
    for word in group.split()
}
"""Word -> those that mean the same among developers; asked for together, as one term."""

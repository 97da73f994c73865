"""KEY=value: a value beside a name that says password, secret, token or key, in every notation we know.

Env files, YAML, JSON, TOML, code, options, XML, connection strings, and prose ("the API key is ...").
"""

from __future__ import annotations

import re

from memories.core.patterns import lazy
from memories.core.secret_values import CALL, classes, is_random, is_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME = lazy(
    r"(?:(password|passwd|passphrase|passwort|passcode|userpass|dbpass|pgpass|pwd|motdepasse|contraseñas?|парол[ья]|密码|密碼"
    r"|口令|パスワード|비밀번호|hasło)"
    r"|(secret)|(apikey|apitoken|secretkey|secretaccesskey|privatekey|accesskey|accountkey|sharedaccesskey|sharedkey"
    r"|authkey|encryptionkey|signingkey|masterkey|storagekey|webhookkey|licensekey|sshkey|appkey|applicationkey|servicekey"
    r"|adminkey|clientkey|functionkey|sessionkey|cryptkey|integrationkey|ingestkey|ingestionkey|deploykey|rootkey"
    r"|subscriptionkey|credentials?|token|presharedkey|psk|pat)"
    r"|(key))"
    r"(?:value|val|plain|plaintext|base64|b64|prod|production|dev|development|staging|stage|test|testing|live|old|new|current"
    r"|previous|primary|secondary|default|string|\d{1,3})?$"
)
"""The end of a name, letters and digits alone in lower case. Groups: password, secret, token, a key of some kind."""

_PASS = lazy(r"(?i:(?:^|[_\-. ])(?:pass|pw))$|[a-z](?:Pass|P[Ww])$")
_OTHER = lazy(
    r"(?:^|_)(?:(?:next_?page|page|next|continuation|continue|cursor|sync|resume|pad|eos|bos|unk|mask|sep|cls|max|min|num|total"
    r"|input|output|prompt|completion|per|design|stop|start|end|special|first|last|public|pub|publishable|hash|site|cancellation"
    r"|syntax)_?(?:token|key|access_?key|api_?key|secret)|(?:sort|cache|primary|foreign|partition|index|idempotency|lookup|object|row"
    r"|group|map|dict|routing|message|msg|i18n|translation|event|feature|shortcut|hot|etag|host|known|unique|natural|composite"
    r"|registry|sha|item|data|s3|bucket|file|json|label|metric|react|tree|node|search|record|dedup|dedupe|query|order|job|lock|child"
    r"|parent|compare|minor|major|on|by|uuid)_?key)$"
)
"""Names that end like a secret's but hold something else."""

_HUMP = lazy(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATOR = lazy(r"[-. ]+")
_NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-."
_BEFORE = frozenset(
    "api access secret private auth account client signing encryption license app application master admin service "
    "webhook deploy shared session".split()
)
"""Words that make a secret of the key after them in prose: "the API key"."""
_TAIL = lazy(r"[A-Za-z0-9_\-ьяю]{0,30}(?:[ -](?:key|token|secret|value)\b)?")
_QUOTES = r"\\{0,3}[\"'`]"
_ASSIGN = lazy(
    rf"(?:{_QUOTES}|\]|\)|\*\*|:\*\*){{0,4}}[ \t]{{0,20}}"
    r"(?::[ \t]{0,4}[A-Za-z_][\w.\[\]| ]{0,40}?[ \t]=|:=|=>|={1,3}|:{1,2}|：)(?!=)"
    r"(?:[ \t]|\*\*){0,20}(?:\\[nr]|\r?\n)?[ \t]{0,20}(?:[|>][-+]?[ \t]{0,4}\r?\n[ \t]{0,20}|- )?"
)
_PAIR = lazy(
    rf"{_QUOTES}?(?:\s{{0,4}},\s{{0,20}}(?:{_QUOTES}value{_QUOTES}\s{{0,4}}:\s{{0,4}})?(?={_QUOTES})"
    rf"|\s{{1,4}}value\s{{0,4}}=\s{{0,4}}(?={_QUOTES}))"
    rf"|{_QUOTES}?[ \t]{{0,4}}(?:\\n|\r?\n)[ \t]{{0,20}}value:[ \t]{{0,4}}"
    rf"|[^<>\n]{{0,40}}>(?=[^<>\s]{{5,400}}(?:</|[^<>\s]))",
    re.IGNORECASE,
)
_PROSE = lazy(
    r"[\"'`)*]{0,3}(?:[^\n:=\"'`;]{0,50}?\s(?:is|was|are|to)\b:?|[^\n:=\"'`;.]{0,40}?:|)\s{1,24}[\"'`(*]{0,3}",
    re.IGNORECASE,
)
_DASH = lazy(r"[*`]{0,2}[ \t]{1,4}(?:-|–|—|->|→)[ \t]{1,4}([\"'`]?)([^\s\"'`]{8,200})\1(?=[ \t]*(?:\\n|\n|\r|\Z))")
_ABOUT = lazy(
    r"\b(?:algorithms?|types?|sizes?|formats?|lengths?|names?|ids?|versions?|paths?|files?|fields?|curves?|fingerprint)\b",
    re.IGNORECASE,
)
"""What a sentence gives of a secret besides the secret itself: "signing key algorithm: ..."."""
_AS_NAME = lazy(
    r"(?<![^\s\"'`(])([^\s\"'`]{8,80})[\"'`]? as (?:(?:the|a|an|my|our|its|your|their) )?(?:[\w-]{1,20} ){0,2}\Z"
)
"""A value before its name: "use ... as the password"."""
_STARTS = frozenset(" \t\n\r=:\\\"'`])*,>：")
"""What may follow a name before its value; others lead to a value in a sentence or an element at most."""
_OPTION = lazy(r"[ \t]{1,4}(?!-)")
_QUOTED = {mark: lazy(rf"(?:[^{mark}\\\n]|\\[^\n]){{1,400}}") for mark in "\"'`"}
_TIGHT = {mark: lazy(rf"(?:[^{mark}\\\s]|\\[^\snrt]){{1,400}}") for mark in "\"'`"}
_BARE_INSIDE = lazy(r"[^\"'`\\\s]{1,400}")
_QUOTED_INSIDE = lazy(r"[^\"'`\\\n]{1,400}")
_OPEN = lazy(r"(?:[rbfu]{1,2}(?=[\"']))?(\\{0,3})([\"'`])")
_BARE = lazy(r"[^\s\"'`<>,;(){}\[\]|&\\]{1,400}(?:\(\)?|\[)?")
_LINE = lazy(r"[^\s\"'`]{1,400}")
_ELEMENT = lazy(r"[^\s<>\"'`]{1,400}")
_ENV_LINE = lazy(
    r"(?:^|\n|\\n|\n?\x1b\[[0-9;]*m)[ \t+>]{0,8}(?:\d{1,6}[→\t:] ?)?"
    r"(?:export |set |setx |ENV |ARG |- |-e |declare -x )?$"
)
_DRAWN = lazy("[0-9]|[a-z][A-Z]")
_EVERY_CLASS = 4
_TOLD = 8
_MIXED = 3
_BLANKS = frozenset(" \t*`")
_WHOLE = ("pat", "pw")  # stems that end a word: not in "path", "pattern" and "pwd"
_SHORT = 16  # in prose, a shorter value needs letters of both cases, digits and marks
_LONG = 20
_NAMES_KEPT = 5000
_JUDGED_KEPT = 2000
_SENTENCE = 160
_NEAR = 30  # characters on either side of a name that find what was judged already
_NONE = ("", 0, 0, "")
_DIGITS = 4  # one more than a name may end with
_BEHIND = 240  # characters before a name and
_AHEAD = 1000  # behind it that say whether it has a value
_READ = 400
"""Characters of a value that are read before it is known for one: bounds the work on text of nothing but names."""
_MORE = lazy(r"[^\s\"'`<>,;\\]*")
_RANDOM_WORD = lazy(r"[\w.~+/=!@#$%^&*?()-]{8,500}")


def keyed(
    text: str, lower: str, stems: Sequence[str], near: Sequence[tuple[int, int]] | None = None
) -> Iterator[tuple[int, int, str]]:
    """(start, end, rule id) of each value in text that stands beside a secret's name. lower: text in lower case, of the
    same length; stems: those of KEY_STEMS and LONG_KEY_STEMS that it has (and those of other languages); near: places
    (start, end), sorted, where the text has changed since nothing else was found in it, None for all of it.

    The same name among the same characters is judged once: text of nothing but names costs little more than other text.
    """
    done = 0
    judged: dict[tuple[str, int], tuple[str, int, int, str]] = {}
    for start, end in _names(lower, stems, near):
        if start < done:
            continue
        first = start - _BEHIND if start > _BEHIND else 0
        around = text[first : end + _AHEAD]
        seen = (text[start - _NEAR if start > _NEAR else 0 : end + _NEAR], start - first)
        known, at, last, rule = judged.get(seen, _NONE)
        if known != around:
            at, last, rule = _judge(text, lower, start, end)
            if len(judged) >= _JUDGED_KEPT:
                judged.clear()
            judged[seen] = (around, at - first, last - first, rule)
        else:
            at, last = first + at, first + last
        if rule:
            if last - at >= _READ:
                last = _MORE.match(text, last).end()  # type: ignore[union-attr]  # it matches nothing, too
            done = max(done, last)
            yield at, last, rule


def _judge(text: str, lower: str, start: int, end: int) -> tuple[int, int, str]:
    """(start, end, rule id) of the value beside the name that has a stem at a place; no rule where there is none."""
    begin = _name_start(lower, start)
    tail = _TAIL.match(text, end)
    stop = tail.end() if tail else end
    kind = _kind(text[begin:stop])
    if kind is None or text[begin - 1 : begin] == "/":  # a file of that name: /etc/passwd
        return start, start, ""
    value = _value(text, begin, stop, kind)
    return (*value, _RULE[kind]) if value else (start, start, "")


def _kind(name: str) -> str | None:
    """name_kind, remembered: names that differ in their last digits only count as one."""
    plain = name.rstrip("0123456789")
    name = plain + "0" * min(len(name) - len(plain), _DIGITS)
    if name not in _kinds:
        if len(_kinds) > _NAMES_KEPT:
            _kinds.clear()
        _kinds[name] = name_kind(name)
    return _kinds[name]


_kinds: dict[str, str | None] = {}
_RULE = {"password": "password", "secret": "secret", "token": "secret", "key": "secret"}


def name_kind(name: str) -> str | None:
    """How a value of this name is judged (secret_values.is_secret), None where the name says nothing of a secret."""
    words = _SEPARATOR.sub("_", _HUMP.sub("_", name)).lower()
    plain = words.replace("_", "")
    match = NAME.search(plain)
    if match is None:
        return "password" if _PASS.search(name) else None
    if _OTHER.search(words):
        return None
    if match.group(1):
        return "password"
    if match.group(4):
        return "key" if "_key" in words else None
    if match.group(3) == "pat" and "_pat" not in words:
        return None
    return "secret" if match.group(2) else "token"


def _name_start(lower: str, at: int) -> int:
    first = max(0, at - 60)
    begin = first + len(lower[first:at].rstrip(_NAME_LETTERS))
    if begin == at and at > 1 and lower[at - 1] == " ":
        if lower[at - 7 : at] == "mot de ":
            return at - 7
        word = first + len(lower[first : at - 1].rstrip(_NAME_LETTERS))
        if lower[word : at - 1] in _BEFORE:
            return word
    return begin


def _names(lower: str, stems: Sequence[str], near: Sequence[tuple[int, int]] | None) -> list[tuple[int, int]]:
    found = []
    for stem in stems:
        at = lower.find(stem)
        while at >= 0:
            if stem not in _WHOLE or not lower[at + len(stem) : at + len(stem) + 1].isalpha():
                found.append((at, at + len(stem)))
            at = lower.find(stem, at + len(stem))
    found.sort()
    if near is None:
        return found
    kept, at = [], 0
    for start, end in found:
        while at < len(near) and near[at][1] < start - _BEHIND:
            at += 1
        if at < len(near) and near[at][0] <= end + _AHEAD:
            kept.append((start, end))
    return kept


def _value(text: str, begin: int, stop: int, kind: str) -> tuple[int, int] | None:
    ends = _line_end(text, begin) if text[stop : stop + 1] == "=" else None
    if ends:
        start, end, quoted = _read(text, stop + 1, ends)
        if is_secret(text[start:end], kind, quoted):
            return start, end
    if text[stop : stop + 1] in _STARTS:
        found = _noted(text, begin, stop, kind)
        if found:
            return found
    elif text.find(">", stop, stop + 48) >= 0:
        match = _PAIR.match(text, stop)
        if match:
            start, end, quoted = _read(text, match.end(), _ELEMENT)
            if is_secret(text[start:end], kind, quoted):
                return start, end
    return (None if text[stop : stop + 1] == "=" else _prose(text, stop, kind)) or _before(text, begin, kind)


def _noted(text: str, begin: int, stop: int, kind: str) -> tuple[int, int] | None:
    """A value in one of the notations of code and configuration."""
    for grammar in (_ASSIGN, _PAIR):
        match = grammar.match(text, stop)
        if match:
            start, end, quoted = _read(text, match.end(), _ELEMENT if match.group().endswith(">") else None)
            value = text[start:end]
            if is_secret(value, kind, quoted) and (text[begin - 2 : begin] != "${" or _strong(value)):
                return start, end
    option = _OPTION.match(text, stop) if text[begin : begin + 1] == "-" else None
    if option:
        start, end, quoted = _read(text, option.end(), None)
        if is_secret(text[start:end], kind, quoted):
            return start, end
    return None


def _line_end(text: str, begin: int) -> re.Pattern[str] | None:
    """Up to where NAME=value goes that fills its line, or the quotes around both."""
    quote = text[begin - 1 : begin]
    if quote in _QUOTED:
        return _BARE_INSIDE if text[begin - 2 : begin - 1] == "\\" else _TIGHT[quote]
    return _LINE if _ENV_LINE.search(text, max(0, begin - 40), begin) else None


def _read(text: str, at: int, ends: re.Pattern[str] | None) -> tuple[int, int, bool]:
    """(start, end, quoted) of the value that begins at a place: what quotes hold, else up to where its form ends."""
    opening = _OPEN.match(text, at)
    if opening:
        inside = _QUOTED_INSIDE if opening.group(1) else _QUOTED[opening.group(2)]
        match = inside.match(text, opening.end())
        if match and opening.group(2) == "`" and " " in match.group():  # a command, whose output is the value
            match = None
    else:
        match = (ends or _BARE).match(text, at)
    if match is None:
        return at, at, True
    start, end = match.span()
    if not opening and end - start > 1 and text[end - 1] == "." and not text[end : end + 1].strip():
        end -= 1  # of the sentence
    return start, end, bool(opening)


def _prose(text: str, stop: int, kind: str) -> tuple[int, int] | None:
    """A value that words lead to: "the API key for staging is ...". It must look random by itself."""
    if not _DRAWN.search(text, stop, stop + 160):
        return None
    match = _PROSE.match(text, stop)
    value = _RANDOM_WORD.match(text, match.end()) if match else None
    if match is None or value is None:
        dash = _DASH.match(text, stop) if kind == "password" and text[stop : stop + 1] in _BLANKS else None
        return dash.span(2) if dash and _told(dash.group(2)) else None
    if _ABOUT.search(match.group()):
        return None
    said = value.group().rstrip(".!*")
    start, end = value.start(), value.start() + len(said)
    led = match.group().strip("\"'`)(* \t\n")
    if led and kind == "password" and match.group()[-1] in _QUOTED and text[end : end + 1] == match.group()[-1]:
        return (start, end) if _told(said) else None
    if not led and len(said) < _LONG:
        return None
    return (start, end) if _strong(said) else None


def _before(text: str, begin: int, kind: str) -> tuple[int, int] | None:
    if kind != "password" or text.find(" as ", max(0, begin - 60), begin) < 0:
        return None
    match = _AS_NAME.search(text, max(0, begin - _SENTENCE), begin)
    return match.span(1) if match and _strong(match.group(1)) else None


def _told(value: str) -> bool:
    """Whether what stands alone beside a password's name is one: of three kinds of characters at least."""
    return len(value) >= _TOLD and classes(value) >= _MIXED and is_secret(value, "password", False) and is_random(value)


def _strong(value: str) -> bool:
    """Whether a word among words is a secret: sure enough without a notation that says so."""
    if CALL.match(value) or not is_secret(value, "password", quoted=False) or not is_random(value):
        return False
    digits, letters = sum(map(str.isdigit, value)), sum(map(str.isalpha, value))
    if len(value) < _SHORT:
        return classes(value) == _EVERY_CLASS
    return min(digits, letters) > 1 or classes(value) == _EVERY_CLASS or (len(value) > _LONG and value.isalpha())


def field_rule(name: str, value: str) -> str | None:
    """The rule that says a field of this name holds a secret in this value, None where there is none."""
    kind = name_kind(name)
    return _RULE[kind] if kind and " " not in value and is_secret(value, kind) else None

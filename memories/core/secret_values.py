"""Is a value a secret, or what stands where one would: a placeholder, code, words, a path?"""

from __future__ import annotations

import re

from memories.core.patterns import lazy

PLACEHOLDER = lazy(
    r"example|placeholder|redacted|\[private\]|change[-_ ]?(?:me|this|it)(?![a-z])"
    r"|your[-_ ]?(?:own|api|secret|token|key|pass|access|client|bot|app|personal)|^your[-_]"
    r"|<[^<>]{0,60}>|\*{3}|x{6}|•|\.\.\.|…"
    r"|(?<![a-z0-9])(?:x{3,}|dummy|fake|sample|todo|fixme|insert|goes[-_]?here|replace[-_ ]?(?:me|with|this)"
    r"|not[-_]?(?:a[-_])?(?:real|secret|set))(?![a-z0-9])"
    r"|0123456789|1234567890(?!\d)|abcdefghij|deadbeef",
    re.IGNORECASE,
)
"""What documentation and templates put in a secret's place. AWS marks its documentation's keys with EXAMPLE."""

LOOKUP = lazy(
    r"\{[A-Za-z_][\w.]*\}|\$\{|\{\{|^(?:\$\w+$|\$\$|\$\(|%[A-Za-z_]\w*%|%\(|#\{|!(?:Ref|Sub|vault)\b|<%)"
    r"|^(?:op|arn|vault|ssm|file|env|keyring):|^[a-z][a-z0-9+.-]{1,20}://"
    r"|^[\w.-]+/[\w./-]*\.[a-z]{2,5}(?:::|$)"
    r"|^(?:[A-Z]{1,5})?#\d{1,7}(?:[/-]|$)|^[a-z]{2,12}:$"
    r"|^(?:required|nullable|sometimes|present|filled|bail|string|confirmed)\|"
    r"|\[[^\]\s]{0,60}(?:a-z|A-Z|0-9|a-f|A-F)|\(\?[:=!<P]"
    r"|^/[a-z][a-z0-9_.-]*(?:/|$)(?!.*=$)|^(?:~|\.{1,2})/|^[A-Za-z]:\\|^\\\\"
)
"""Values that are looked up somewhere else: variables, templates, references, paths, addresses. And what is
written of a value's form: patterns, rules of validation."""

CODE = lazy(
    r"^(?:process|import\.meta|os|env|ENV|self|this|config|settings|secrets|data|var|local|module|github)(?:\.[A-Za-z_]|\[)"
    r"|^[A-Za-z_][\w.:]*(?:\((?:[^()]*\))?[;,]?$|\[)"
)
"""Code in a value's place: names of other values, calls, lists."""

CALL = lazy(r"[A-Za-z_]\w*[.:]{1,2}[A-Za-z_][\w.:]*\(|[A-Za-z_]\w{11,}\(")
"""The beginning of a call, whatever its arguments are."""

_TYPE = lazy(
    r"[A-Za-z]\w*[a-z0-9](?:Key|Type|Builder|Bearer|Provider|Factory|Manager|Service|Client|Handler|Policy|Storage|Error"
    r"|Exception|Config|Option|Param|Header|Request|Response|Validator|Parser|Serializer|Generator|Token|Secret|Password"
    r"|Credential)s?$|[A-Za-z]\w*Errors$"
)
"""Names of types end in a noun: `Ed25519PrivateKey`."""

_DOTTED = lazy(r"[A-Za-z_]\w*(?:\??\.[A-Za-z_]\w*)+$")
_CHUNK = lazy(r"[^A-Za-z0-9]+")
_WORDY = lazy(r"([a-z]*(?:[A-Z]{1,4}[a-z]+)*|[A-Z]+)\d{0,4}[a-z]?$|\d{5,8}$")
"""A word with at most four digits after it, as in code: small, capital, in humps; or a number."""
_MARKS = lazy(r"[!#%^*?$@&+=~]")
_ESCAPED = lazy("%[0-9A-Fa-f]{2}")
_LETTER = lazy(r"[A-Za-z]")
_LONG_NUMBER = lazy(r"\d{7}")
_JOINTS = lazy(r"[-_. /]")
_PREFIX = lazy(r"^[A-Za-z0-9]{1,12}[_\-.]")
_VOWELS = lazy(r"[aeiouyAEIOUY]")

_LEAST = {"password": 5, "header": 8, "secret": 10, "token": 16, "key": 20}
"""Characters that a value of a kind has at least."""
_JUDGED = 120  # characters of a value that tell what it is
_CLASSES = 4  # small letters, capitals, digits, marks
_DIGITS_ALONE = 8  # a password of nothing but digits
_PHRASE = 4  # words of a passphrase
_LETTERS = 8  # too few say nothing of how they were drawn
_NAME = 20  # longest part of a dotted name
_BODY = 24  # longest word in a made-up token
_CAPITALS = (0.28, 0.8)  # share of capitals that no words have
_FEW_VOWELS = 0.2

FIXTURES = frozenset(
    "a access account admin alice any api app auth bar basic baz bearer beta blank bob bot ci client cloud code "
    "correct credential credentials current data db default demo dev empty expired false field first foo function "
    "get guest hash hidden id input invalid jwt key letmein local localhost login master me missing mock my "
    "mysecret mypassword mytoken name new nil no none null number object off oauth ok old on one pass passwd "
    "password person plain postgres prod production pwd qwerty random read real refresh required root sa scram second "
    "secret secretpassword session sha some staging str string strong super supersecret temp test testing tester text "
    "that the this token true two type undefined unset user username v valid value wrong wrongpassword yes".split()
)
"""Words that tests and manuals use for passwords and tokens, alone or with a few digits: `test123`, `my-token-1`."""

_STOP = frozenset(
    "a an and are as be by can do for from has if in is it must not of on or per should that the to was with".split()
)
"""Words of sentences, which no passphrase is made of."""


def is_secret(value: str, kind: str, quoted: bool = True) -> bool:
    """Whether a value reads as a secret. kind says how sure its place is: `word` (a place for passwords only: all but
    placeholders), `password`, `header`, `secret`, `token`, `key` (must look random, and be longer each), `base64 pair`.
    quoted: False where code may stand in the value's place."""
    if PLACEHOLDER.search(value, 0, _JUDGED) or LOOKUP.search(value, 0, _JUDGED) or not value.strip(value[:1]):
        return False
    if not quoted and CODE.search(value):
        return False
    value = value[:_JUDGED]
    if kind == "base64 pair":
        return _is_pair(value)
    if kind == "header" and CALL.match(value):
        return False
    if kind == "word":
        return not _is_fixture(value)
    if len(value) < _LEAST[kind]:
        return False
    return _is_password(value) if kind == "password" else is_random(value)


def is_random(value: str) -> bool:
    """Whether a token looks drawn at random: neither words with a few digits nor a dotted name nor a number nor
    the name of a type."""
    if _TYPE.match(value):
        return False
    if _DOTTED.match(value) and max(map(len, value.split("."))) <= _NAME:
        return False
    if not _LETTER.search(value) or len(set(value)) < min(_LETTERS, len(value) // 2):
        return False
    lacking = _CLASSES - classes(value)
    return lacking == 0 or (lacking == 1 and len(_MARKS.findall(value)) > lacking + 1) or not _is_wordy(value)


def is_token(token: str) -> bool:
    """Whether what has a provider's mark was drawn at random: `sk-your-key-here` and `ghp_xxxx` were not, and
    small words joined by dashes are names."""
    if PLACEHOLDER.search(token) or len(set(token)) < _LETTERS:
        return False
    body = _PREFIX.sub("", token)
    return body.lower() != body or not _plain(body) or not _is_wordy(body) or max(map(len, _CHUNK.split(body))) > _BODY


def classes(value: str) -> int:
    """How many of small letters, capitals, digits and marks that join no words a value has."""
    small, capital = any(map(str.islower, value)), any(map(str.isupper, value))
    return small + capital + any(map(str.isdigit, value)) + bool(_MARKS.search(value))


def _is_password(value: str) -> bool:
    if _is_fixture(value) or _DOTTED.match(value):
        return False
    if value.isdigit():
        return len(value) >= _DIGITS_ALONE
    words = [word for word in _CHUNK.split(value) if word]
    if not all(map(str.isalpha, words)):
        return True
    if len(words) >= _PHRASE and value.islower() and "-" in value:  # correct-horse-battery-staple
        return not _STOP.intersection(words)
    return any(map(_jumbled, words)) or (len(words) == 1 and not _WORDY.match(value))


def _plain(value: str) -> bool:
    return _JOINTS.sub("", value).isalnum()


def _is_fixture(value: str) -> bool:
    words = [word.rstrip("0123456789").lower() for word in _CHUNK.split(_ESCAPED.sub("-", value))]
    named = [word for word in words if word]
    return bool(named) and FIXTURES.issuperset(named) and len(_LONG_NUMBER.findall(value)) == 0


def _is_wordy(value: str) -> bool:
    for chunk in _CHUNK.split(value):
        match = _WORDY.match(chunk)
        if match is None or _jumbled(match.group(1) or ""):
            return False
    return True


def _jumbled(letters: str) -> bool:
    """Letters that no words make: capitals strewn in, or long and almost without a vowel."""
    if len(letters) < _LETTERS:
        return False
    share = sum(map(str.isupper, letters)) / len(letters)
    if _CAPITALS[0] < share < _CAPITALS[1]:
        return True
    return len(letters) > _LETTERS + _PHRASE and len(_VOWELS.findall(letters)) / len(letters) < _FEW_VOWELS


def _is_pair(value: str) -> bool:
    import base64
    import binascii

    try:
        plain = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return False
    name, _, password = plain.partition(":")
    return bool(name and password) and plain.isprintable()

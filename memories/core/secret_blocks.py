"""Secrets that span lines or stand in lists: <private> passages, private keys, Kubernetes secrets, cookies."""

from __future__ import annotations

import re

from memories.core import private_passages, secret_rules
from memories.core.patterns import lazy
from memories.core.secret_values import PLACEHOLDER, is_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_COOKIE = lazy(
    r"cookie[\\\"'`]{0,4}\s{0,4}(?:[:=]|(?<=-cookie ))\s{0,4}[\\]{0,3}[\"'`]?([^\"'`\n\\]{5,8000})", re.IGNORECASE
)
_CRUMB = lazy(r"(?<![\w.%\-])([\w.\-]{1,80})=([^;,\s]{8,4000})")
_SESSION = lazy(r"sess|sid|auth|token|jwt|csrf|xsrf|remember|login|ident", re.IGNORECASE)
_KIND = lazy(r"kind\\{0,3}[\"']?:[ ]{0,2}\\{0,3}[\"']?Secret\b")
_DATA = lazy(r"^([ ]{0,12})(?:data|stringData):[ ]{0,4}\r?\n", re.MULTILINE)
_ENTRY = lazy(
    r"([ ]{1,14})[\w.\-]{1,120}:[ ]{1,4}(?:([\"'])(?=[^\n]*\2)([^\n]{3,20000}?)\2|([^\s\"'#|>&{][^\"'\n]{2,20000}?))"
    r"[ ]{0,4}(?:\r?\n|\Z)"
)
_OBJECT = lazy(r"\\{0,3}\"(?:data|stringData)\\{0,3}\"\s{0,4}:\s{0,4}\{([^{}]{3,20000})\}")
_MEMBER = lazy(r"\\{0,3}\"[\w.\-]{1,120}\\{0,3}\"\s{0,4}:\s{0,4}\\{0,3}\"([^\"\\]{3,20000})")
_LINE_END = r"(?:\r?\n|\\+n)"
_HEAD = lazy(r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BORDER = 120
"""Characters that may stand before each line of a key."""
_REACH = 20_000
"""Characters on either side of `kind: Secret` that belong to the same document, if no `---` comes before."""


def find(text: str, data: bytes, unclosed: bool = True) -> Iterator[tuple[int, int, str]]:
    """(start, end, rule id) of each; data: the text in lower case. unclosed: as in Redactor.spans."""
    if b"private" in data:
        for start, end in private_passages.private(text, unclosed):
            yield start, end, "private"
    if b"-----begin " in data:
        yield from _after(text, "-----BEGIN ", re.compile(secret_rules.PEM), True)
        yield from _bordered(text)
    if b"private-lines:" in data:
        yield from _after(text, "Private-Lines:", re.compile(secret_rules.PUTTY), False)
    if b"kind" in data:
        yield from _kubernetes(text)
    if b"cookie" in data:
        yield from _cookies(text)


def _after(text: str, mark: str, pattern: re.Pattern[str], whole: bool) -> Iterator[tuple[int, int, str]]:
    at = text.find(mark)
    while at >= 0:
        after = at + len(mark)
        match = pattern.match(text, after)
        if match:
            yield (at if whole else after), match.end(), "private-key"
            after = match.end()
        at = text.find(mark, after)


def _kubernetes(text: str) -> Iterator[tuple[int, int, str]]:
    done = 0
    for kind in _KIND.finditer(text):
        if kind.start() < done:
            continue
        begin = max(done, kind.start() - _REACH, text.rfind("\n---", done, kind.start()))
        end = text.find("\n---", kind.end(), kind.end() + _REACH)
        done = end if end >= 0 else min(len(text), kind.end() + _REACH)
        yield from _members(text, begin, done)
        for data in _DATA.finditer(text, begin, done):
            at = data.end()
            entry = _ENTRY.match(text, at, done)
            while entry and len(entry.group(1)) > len(data.group(1)):
                place = entry.span(3 if entry.group(2) else 4)
                value = text[slice(*place)]
                if not PLACEHOLDER.search(value) and "{" not in value[:3]:
                    yield (*place, "kubernetes-secret")
                entry = _ENTRY.match(text, entry.end(), done)


def _members(text: str, begin: int, end: int) -> Iterator[tuple[int, int, str]]:
    """The same as JSON, as it is or within a string."""
    for data in _OBJECT.finditer(text, begin, end):
        for member in _MEMBER.finditer(text, *data.span(1)):
            if not PLACEHOLDER.search(member.group(1)):
                yield (*member.span(1), "kubernetes-secret")


def _bordered(text: str) -> Iterator[tuple[int, int, str]]:
    """Keys each line of which has something before it that differs in digits only: grep, logs."""
    at = text.find("-----BEGIN ")
    while at >= 0:
        after = at + len("-----BEGIN ")
        first = text.rfind("\n", max(0, at - _BORDER), at) + 1
        first = max(first, text.rfind("\\n", first, at) + 2 if "\\n" in text[first:at] else 0)
        head = _HEAD.match(text, after)
        if head and at - _BORDER < first < at and text[first:at].strip():
            border = re.sub(r"[0-9]+", "0", text[first:at])
            border = "".join("[:-]" if one in ":-" else r"\d{1,9}" if one == "0" else re.escape(one) for one in border)
            body = r"(?:[0-9A-Za-z+/=]{1,200}|(?:Proc-Type|DEK-Info|Version|Comment): [^\n\\]{0,120})?[ \t\"]{0,4}"
            lines = re.compile(
                rf"(?:{_LINE_END}{border}{body}(?={_LINE_END}|\"|\Z))+"
                rf"(?:{_LINE_END}{border}-----END [A-Z0-9 ]{{0,40}}-----)?"
            )
            match = lines.match(text, head.end())
            if match and re.search("[0-9A-Za-z+/]{20}", match.group()):
                yield at, match.end(), "private-key"
                after = match.end()
        at = text.find("-----BEGIN ", after)


def _cookies(text: str) -> Iterator[tuple[int, int, str]]:
    for header in _COOKIE.finditer(text):
        for crumb in _CRUMB.finditer(text, *header.span(1)):
            kind = "header" if _SESSION.search(crumb.group(1)) else "key"
            if is_secret(crumb.group(2), kind):
                yield (*crumb.span(2), "cookie")

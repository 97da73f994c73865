"""Secrets that span lines or stand in lists: <private> passages, private keys, Kubernetes secrets, cookies."""

from __future__ import annotations

import re

from memories.core import private_passages, secret_rules
from memories.core.secret_values import PLACEHOLDER, is_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_COOKIE = re.compile(r"cookie[\\\"'`]{0,4}\s{0,4}[:=]\s{0,4}[\\]{0,3}[\"'`]?([^\"'`\n\\]{5,8000})", re.IGNORECASE)
_CRUMB = re.compile(r"(?<![\w.%\-])([\w.\-]{1,80})=([^;,\s]{8,4000})")
_SESSION = re.compile(r"sess|sid|auth|token|jwt|csrf|xsrf|remember|login|ident", re.IGNORECASE)
_KIND = re.compile(r"kind[\"']?:[ ]{0,2}[\"']?Secret\b")
_DATA = re.compile(r"^([ ]{0,12})(?:data|stringData):[ ]{0,4}\r?\n", re.MULTILINE)
_ENTRY = re.compile(
    r"([ ]{1,14})[\w.\-]{1,120}:[ ]{1,4}[\"']?([^\s\"'#|>&][^\s\"']{2,20000})[\"']?[ ]{0,4}(?:\r?\n|\Z)"
)
_REACH = 20_000
"""Characters on either side of `kind: Secret` that belong to the same document, if no `---` comes before."""


def find(text: str, data: bytes) -> Iterator[tuple[int, int, str]]:
    """(start, end, rule id) of each; data: the text in lower case."""
    if b"private" in data:
        for start, end in private_passages.private(text):
            yield start, end, "private"
    if b"-----begin " in data:
        yield from _after(text, "-----BEGIN ", re.compile(secret_rules.PEM), True)
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
        for data in _DATA.finditer(text, begin, done):
            at = data.end()
            entry = _ENTRY.match(text, at, done)
            while entry and len(entry.group(1)) > len(data.group(1)):
                if not PLACEHOLDER.search(entry.group(2)) and "{" not in entry.group(2)[:3]:
                    yield (*entry.span(2), "kubernetes-secret")
                entry = _ENTRY.match(text, entry.end(), done)


def _cookies(text: str) -> Iterator[tuple[int, int, str]]:
    for header in _COOKIE.finditer(text):
        for crumb in _CRUMB.finditer(text, *header.span(1)):
            kind = "header" if _SESSION.search(crumb.group(1)) else "key"
            if is_secret(crumb.group(2), kind):
                yield (*crumb.span(2), "cookie")

"""The tables: each row keeps what the engine counts on, and no text makes the work grow faster than itself."""

from __future__ import annotations

import re
import sys
import zlib
from types import ModuleType

import pytest

from memories.core import (
    paths,
    private_passages,
    redact,
    secret_blocks,
    secret_keys,
    secret_outputs,
    secret_rules,
    secret_values,
)
from memories.core.patterns import LazyPattern
from memories.core.redact import Redactor
from memories.core.secret_keys import name_kind
from memories.core.secret_values import is_random, is_secret, is_token

if sys.version_info >= (3, 11):
    import re._constants as sre  # type: ignore[import-not-found]
    import re._parser as parser  # type: ignore[import-not-found]
else:
    import sre_constants as sre
    import sre_parse as parser

OURS = Redactor()
MODULES = (private_passages, redact, secret_blocks, secret_keys, secret_outputs, secret_rules, secret_values)
FOUND_BY = 4140168734
"""Digest of all that decides what is found. When a test says it differs, raise redact.VERSION and put the new one here:
redacted text that is kept must be made anew."""


MIRRORED = (7, 1038684189)
"""(MIRROR_VERSION, fingerprint of the rules). Where the rules change after a release, raise paths.MIRROR_VERSION."""


def _patterns() -> list[str]:
    tables = [secret_rules.PEM, secret_rules.PUTTY]
    tables += [rest for _, _, rest, _ in secret_rules.TOKENS] + [rest for _, _, _, rest, _ in secret_rules.PLACES]
    values = [value for module in MODULES for value in vars(module).values()]
    compiled = [one.pattern for one in values if isinstance(one, re.Pattern | LazyPattern)]
    return tables + [one.decode() if isinstance(one, bytes) else str(one) for one in compiled]


def _data(module: ModuleType) -> list[str]:
    kinds = (str, int, float, tuple, frozenset, dict, re.Pattern, LazyPattern)
    skipped = {"_made", "_compiled", "_kinds", "VERSION"}
    found = []
    for name, value in sorted(vars(module).items()):
        if not name.startswith("__") and name not in skipped and isinstance(value, kinds):
            plain = sorted(value) if isinstance(value, frozenset) else value
            found.append(f"{name}={getattr(plain, 'pattern', plain)!r}")
    return found


def test_what_is_found_has_a_version() -> None:
    digest = zlib.crc32("\n".join(line for module in MODULES for line in _data(module)).encode())
    assert digest == FOUND_BY, f"raise redact.VERSION, then put {digest} here"


def test_rules_that_change_after_a_release_have_a_mirror_of_their_own() -> None:
    """The two belong together: a released MIRROR_VERSION keeps its rules (docs/adr/0018), else two servers of different
    versions make one file anew in turn. Before the release, only the fingerprint here is put right."""
    assert (paths.MIRROR_VERSION, Redactor().fingerprint) == MIRRORED


def test_ids_are_words_that_a_placeholder_can_hold() -> None:
    ids = {row[0] for row in secret_rules.TOKENS} | {row[0] for row in secret_rules.PLACES}
    assert all(re.fullmatch("[a-z0-9][a-z0-9-]{1,30}", one) for one in ids)


def test_no_row_stands_twice() -> None:
    assert len(set(secret_rules.TOKENS)) == len(secret_rules.TOKENS)
    assert len(set(secret_rules.PLACES)) == len(secret_rules.PLACES)


def test_a_place_is_in_lower_case_and_has_one_group() -> None:
    for _, literal, gate, rest, kind in secret_rules.PLACES:
        assert literal == literal.lower()
        assert gate == gate.lower()
        assert re.compile(rest, re.IGNORECASE).groups == 1
        assert is_secret("aB3$" * 8, kind) in (True, False)


def test_tokens_hold_no_mark_that_parts_words() -> None:
    for _, literal, _, _ in secret_rules.TOKENS:
        assert len(literal.encode().translate(redact._MARKS).split()) == 1


def _repeats(tree: object, depth: int = 0) -> int:
    """How deep repeats that have no bound are nested in a parsed pattern."""
    deepest = depth
    for operator, argument in tree:  # type: ignore[attr-defined]
        if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            _, high, inner = argument
            deepest = max(deepest, _repeats(inner, depth + (high == sre.MAXREPEAT)))
        elif operator is sre.SUBPATTERN:
            deepest = max(deepest, _repeats(argument[3], depth))
        elif operator is sre.BRANCH:
            deepest = max([deepest, *(_repeats(branch, depth) for branch in argument[1])])
        elif operator in (sre.ASSERT, sre.ASSERT_NOT):
            deepest = max(deepest, _repeats(argument[1], depth))
    return deepest


@pytest.mark.parametrize("number", range(len(_patterns())))
def test_no_pattern_nests_repeats_without_bound(number: int) -> None:
    pattern = _patterns()[number]
    nested = _repeats(parser.parse(pattern))
    allowed = 2 if pattern in (secret_rules.PEM, secret_rules.PUTTY, secret_values.CODE.pattern) else 1
    assert nested <= allowed or _disjoint_words(pattern), pattern


def _disjoint_words(pattern: str) -> bool:
    """Patterns whose inner repeat cannot begin with what it ends with: there is one way to match."""
    return pattern in {secret_values._WORDY.pattern, secret_values._DOTTED.pattern}


HOSTILE = [
    "password=", "password: ", "token ", "secret=\"", "key: key ", "eyJ", "eyJa.", "-eyJaaaaaaaa.", "sk-",
    "sk-ant-", "<private>", "<private ", "</private>", "< ", "://", "://a:", "://a:b@", "curl -u ", "curl ",
    "mysql -p", "login a ", "cookie: ", "cookie: a=b;", "kind: Secret\n", "data:\n  a: bbbb\n", "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAA\n",
    "Private-Lines: 1\n", "authorization: ", "Authorization:Bearer ", "basic a", "A3-", "MT", "Q~", ":AA", "gl",
    "glpat-", "xox", "xoxb-", "1/", "0/", "00:AA", "AKIA", ".atlasv1.", "a.b.", "\\n", "\\", "\"", "'", "`", "\n",
    " ", "\t", "=", ":", "<", ">", "<a>", "[redacted: x]", "[redacted: ", "A", "a1B", "x", "\x1b[32m",
    "password is ", "the api key for ", "sig=", "\u0130", "\ud800", "thin:a/", "name: KEY\n value: ",
    "| password ", "password|", "\"value\":\"abc\" password ", "{\"name\":\"password\",\"value\":\"a", "password%3D",
    "a%3Dpassword%3D", "password\\\\\\\": \\\"", "password: 'a''", "/a-token=cde\n", "pgpass a:1234:b:c:d\n",
    "AAAAAAAAAAAAAAAAAAAAAAAA\n-----END RSA PRIVATE KEY-----\n", "x-----BEGIN PRIVATE KEY-----\nx\n",
    "\"data\":{\"a\":\"b\"},\"kind\":\"Secret\"", "mongo -u a -p ", "redis-cli -a ", "htpasswd -b a ", "curl -b a=b; ",
    "echo a:bcd|chpasswd ", "auth=('", "securestring\"", "otpauth://", "sql://a:b@", "\x1b[0mpassword=\x1b[1m",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_text_made_to_slow_the_rules_is_read_to_its_end(unit: str) -> None:
    """Work that grows faster than the text shows in the long test below, at ten times the size."""
    text = unit * (20_000 // len(unit))
    once = OURS.text(text)
    assert OURS.spans(once) == []


@pytest.mark.long
@pytest.mark.parametrize("unit", HOSTILE)
def test_a_line_ten_times_as_long_is_read_to_its_end(unit: str) -> None:
    OURS.spans(unit * (200_000 // len(unit)))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("password", "password"), ("DB_PASSWORD", "password"), ("dbPassword", "password"), ("SMTP_PASS", "password"),
        ("userPass", "password"), ("PASSWORD_PROD", "password"), ("client_secret", "secret"), ("x-api-key", "token"),
        ("AWS_SECRET_ACCESS_KEY", "token"), ("accessToken", "token"), ("API_TOKEN_2", "token"), ("ACME_KEY", "key"),
        ("github_pat", "token"), ("max_tokens", None), ("token_type", None), ("password_file", None),
        ("secretName", None),
        ("next_page_token", None), ("public_key", None), ("cache_key", None), ("key", None), ("monkey", None),
        ("compass", None), ("path", None), ("api_key_id", None),
    ],
)  # fmt: skip
def test_a_name_says_whether_its_value_is_a_secret(name: str, kind: str | None) -> None:
    assert name_kind(name) == kind


@pytest.mark.parametrize(
    "value",
    "changeme ${PASSWORD} $PASSWORD <password> ******** xxxxxxxx /etc/passwd your-password {{pw}} %PASSWORD% "
    "op://a/b/c password test123 aaaaaaaa".split(),
)
def test_placeholders_are_no_passwords(value: str) -> None:
    assert not is_secret(value, "password")
    assert not is_secret(value, "word")


@pytest.mark.parametrize(
    "value", ["hunter2", "S3cr3t!", "kJhGfDsAqW", "correct-horse-battery-staple", "p@ssW0rd#9", "83920174"]
)
def test_passwords_of_people_are_found(value: str) -> None:
    assert is_secret(value, "password")


def test_names_in_code_are_not_random() -> None:
    for value in (
        "getUserTokenFromRequest",
        "my.package.module.name",
        "user:profile:v2:12345",
        "prod-db-credentials-v2",
        "123456",
    ):
        assert not is_random(value)


def test_made_up_tokens_of_documentation_stay() -> None:
    assert not is_token("sk-" + "your-api-key-goes-here")
    assert not is_token("gh" + "p_" + "x" * 36)
    assert not is_token("AK" + "IAIOSFODNN7EXAMPLE")
    assert is_token("AK" + "IA" + "QWERTZUIOPASDFGH")

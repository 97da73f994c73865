"""What tools print: a secret goes where a table, an object or a colour parts it from its name; text beside it stays."""

from __future__ import annotations

import pytest

from memories.core.redact import Redactor
from tests.core import secret_corpus, secret_output_corpus

OURS = Redactor()
PRINTED = [leak for leak in secret_corpus.leaks() if leak.shape == "printed"]
PW = "hunter2" + "Horse9"


@pytest.mark.parametrize("leak", PRINTED, ids=lambda leak: leak.surrounding[:40].replace("\n", " "))
def test_a_secret_that_a_tool_prints_goes(leak: secret_corpus.Leak) -> None:
    once = OURS.text(leak.text)
    assert not any(secret in once for secret in leak.secrets)
    assert OURS.text(once) is once


@pytest.mark.parametrize("text", secret_output_corpus.lookalikes())
def test_what_looks_like_the_output_of_a_tool_and_holds_no_secret_stays(text: str) -> None:
    assert OURS.text(text) is text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"| user | app |\n| password | {PW} |", "| user | app |\n| password | [redacted: password] |"),
        (
            f'[{{"name": "PORT", "value": "{PW}"}}, {{"value": "{PW}", "name": "DB_PASSWORD"}}]',
            f'[{{"name": "PORT", "value": "{PW}"}}, {{"value": "[redacted: password]", "name": "DB_PASSWORD"}}]',
        ),
        (
            f'variable "db_password" {{\n default = "{PW}"\n}}\noutput "z" {{\n default = "{PW}"\n}}',
            f'variable "db_password" {{\n default = "[redacted: password]"\n}}\noutput "z" {{\n default = "{PW}"\n}}',
        ),
        (f"\x1b[mDB_PASSWORD\x1b[m=\x1b[3m{PW}\x1b[m\n", "\x1b[mDB_PASSWORD\x1b[m=\x1b[3m[redacted: password]\x1b[m\n"),
        (f"postgres://a:p@ss/{PW}@db/x and b@c", "postgres://a:[redacted: url-password]@db/x and b@c"),
        (f"mongosh -u a -p {PW} --port 1", "mongosh -u a -p [redacted: password-option] --port 1"),
    ],
)  # fmt: skip
def test_the_text_beside_a_printed_secret_stays(text: str, left: str) -> None:
    assert OURS.text(text) == left


def test_a_key_whose_lines_have_something_before_them_goes_whole_and_the_log_after_it_stays() -> None:
    text = next(leak.text for leak in PRINTED if "INFO" in leak.text)
    left = OURS.text(f"{text}\n[2026-01-17 10:12:00,001] INFO  ready")
    assert left.endswith("\nand ended\n[2026-01-17 10:12:00,001] INFO  ready")
    assert left.count("[redacted: private-key]") == 1


def test_the_end_of_a_key_takes_no_text_before_the_key_with_it() -> None:
    text = next(leak.text for leak in PRINTED if leak.surrounding == "tail of a key")
    assert OURS.text(f"$ tail -4 id_rsa\n{text}\ndone") == "$ tail -4 id_rsa\n[redacted: private-key]\ndone"

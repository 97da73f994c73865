"""Values beside names: which are found in sentences and other languages, and how much work a text of names costs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import secret_keys
from memories.core.redact import Redactor

OURS = Redactor()
PASSWORD = "hunter2" + "Horse9"
STRONG = "kT9#" + "vLq2!zXw"

SAID = (
    "The root password is `{}`", "Password - {}", "* Password - {}\n", "Password -> {}", "Password – {}",
    "contraseña: {}", "La contraseña: {}", "mot de passe : {}", "Mot de passe: {}", "Passwort: {}",
    "пароль: {}", "密码: {}", "密码：{}", "パスワード：{}", "DB_PW={}",
)  # fmt: skip


@pytest.mark.parametrize("sentence", SAID)
def test_a_password_that_a_note_tells_is_found(sentence: str) -> None:
    assert OURS.text(sentence.format(PASSWORD)) == sentence.format("[redacted: password]")


@pytest.mark.parametrize("sentence", ["use {} as the password", "use `{}` as the root password", "took {} as password"])
def test_a_password_before_its_name_is_found(sentence: str) -> None:
    assert OURS.text(sentence.format(STRONG)) == sentence.format("[redacted: password]")


def test_what_a_variable_stands_for_by_default_is_found_only_where_it_looks_drawn() -> None:
    assert OURS.spans('DB_PASSWORD="${DB_PASSWORD:-devpass2}"') == []
    assert OURS.text(f'P="${{DB_PASSWORD:-{STRONG}}}"') == 'P="${DB_PASSWORD:[redacted: password]}"'


def test_the_full_stop_of_a_sentence_stays() -> None:
    assert OURS.text(f"password: {PASSWORD}. Next") == "password: [redacted: password]. Next"


def _work(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a value is looked for."""
    calls = 0
    value = secret_keys._value

    def counted(*arguments: object) -> tuple[int, int] | None:
        nonlocal calls
        calls += 1
        return value(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(secret_keys, "_value", counted)
        OURS.text(text)
    return calls


@pytest.mark.parametrize(
    "unit", ["password=", "password: ", "password is ", "password\n", "secret ", "pass,pass,fail "]
)
def test_the_same_names_over_and_over_are_judged_a_few_times(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = (_work(unit * (size // len(unit)), monkeypatch) for size in (20_000, 80_000))
    assert small < 2000
    assert large < small + 200


def test_each_line_of_an_environment_is_judged_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"PASSWORD=abc{number}x\n" for number in range(1600)]
    small, large = _work("".join(lines[:400]), monkeypatch), _work("".join(lines), monkeypatch)
    assert small <= 2 * 400
    assert large <= 2 * 1600


def test_what_is_far_from_a_replaced_secret_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = "".join(f"the token {number} was read and passed on\n" for number in range(2000))
    secret = f"password={PASSWORD}\n"
    assert _work(secret + plain, monkeypatch) < 2000 + 200


units = st.sampled_from(
    ["password=", "password: ", "secret ", "token=", "\n", " ", '"', "'", "`", "abc12x", PASSWORD, STRONG, "é", "> ",
     "</a>", " as the ", "key", "x" * 300, "[redacted: password]"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(units, max_size=12).map("".join), st.integers(1, 40))
def test_what_was_judged_before_is_judged_the_same_again(text: str, times: int) -> None:
    text *= times
    lower = text.lower()
    stems = ("pass", "pwd", "secret", "token", "key")
    found = list(secret_keys.keyed(text, lower, stems))
    kept, secret_keys._JUDGED_KEPT = secret_keys._JUDGED_KEPT, 0
    try:
        assert list(secret_keys.keyed(text, lower, stems)) == found
    finally:
        secret_keys._JUDGED_KEPT = kept

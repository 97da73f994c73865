"""What a shell command tells."""

from __future__ import annotations

import pytest

from memories.core import shell_commands


@pytest.mark.parametrize(
    ("command", "looks"),
    [
        ("ls -la", True),
        ("cd /x && grep y z", True),
        ("cd x; pytest", False),
        ("make", False),
        ("", False),
        ("cd /x", True),
    ],
)
def test_a_command_that_only_looks_is_known_by_its_program(command: str, looks: bool) -> None:
    assert shell_commands.only_looks(command) is looks


def test_the_folder_in_front_is_left_out() -> None:
    assert shell_commands.without_folder("cd /srv/shop && make test") == "make test"
    assert shell_commands.without_folder("make test && cd x && ls") == "make test && cd x && ls"
    assert len(shell_commands.without_folder("x" * 100_000)) < 5_000


def test_tests_and_builds_tell_more_than_looking() -> None:
    ranks = [shell_commands.rank(command) for command in ("cd x && pytest", "./serve", "cat README.md", "")]
    assert ranks == [0, 1, 2, 1]


def test_a_commit_without_a_message_has_no_subject() -> None:
    assert [shell_commands.commit_subject(command) for command in ("git commit", "git log -m", "")] == ["", "", ""]


@pytest.mark.parametrize(
    ("command", "looks"),
    [
        ("cat a.py | grep 'x|y; z' | head -3", True),
        ('grep "a && b" x || true', True),
        ("echo start && make build", False),
        ("export A=1; pytest", False),
        ("sleep 5\ncurl localhost", False),
        ("sed -i s/a/b/ x", False),
        ("find . -name x -delete", False),
    ],
)
def test_a_chain_of_commands_only_looks_where_each_of_them_does(command: str, looks: bool) -> None:
    assert shell_commands.only_looks(command) is looks

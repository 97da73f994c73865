"""The completion scripts in the shells they are for."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.terminal.running import said

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


@pytest.fixture
def environ(tmp_path: Path, keep: MakeRecord, project: DataFolder) -> dict[str, str]:
    """Of a shell that finds llm-memory, with two memories."""
    keep("# Choice of database\n\nPostgres", project="two words", tags="deploy", uuid="3f2a91" + "0" * 26)
    keep("other", project="orders-api", uuid="abcdef" + "0" * 26)
    program = tmp_path / "bin" / "llm-memory"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {MANAGE} "$@"\n', "utf-8")
    program.chmod(0o755)
    path = f"{program.parent}:/usr/local/bin:/usr/bin:/bin"
    return {"PATH": path, "HOME": str(tmp_path / "home"), "LLM_MEMORY_HOME": project.root, "LC_ALL": "C.UTF-8"}


def run(environ: dict[str, str], *command: str) -> list[str]:
    """The lines that a shell prints; it must complain of nothing."""
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def in_bash(environ: dict[str, str], *words: str) -> list[str]:
    """What bash makes of Tab after the words."""
    quoted = " ".join(f"'{word}'" for word in ("llm-memory", *words))
    script = (
        "source <(llm-memory completion bash); COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        'complete -p llm-memory >/dev/null; _llm_memory; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    return run(environ, "bash", "--norc", "-c", script.format(words=quoted))


def test_bash_completes_commands_options_and_values(environ: dict[str, str]) -> None:
    assert in_bash(environ, "sto") == ["store"]
    assert in_bash(environ, "search", "--transc") == ["--transcripts"]
    assert in_bash(environ, "show", "3f2") == ["3f2a91" + "0" * 26]
    assert in_bash(environ, "recent", "--project", "two") == ["two\\ words"]
    assert in_bash(environ, "recent", "--project", '"two') == ["two words"]
    assert in_bash(environ, "recent", "--type", "=", "no") == ["note"]
    assert in_bash(environ, "make-tea", "x") == [""]


def needs(shell: str) -> str:
    """Its path; skips loudly where it is not installed."""
    found = shutil.which(shell)
    if found is None:
        warnings.warn(pytest.PytestWarning(f"{shell} is not installed: its completion was not tried"), stacklevel=2)
        pytest.skip(f"{shell} is not installed")
    return found


@pytest.mark.filterwarnings("default::pytest.PytestWarning")
def test_fish_completes_with_titles(environ: dict[str, str]) -> None:
    fish = needs("fish")
    script = "llm-memory completion fish | source; complete -C '{}'"
    assert run(environ, fish, "--no-config", "-c", script.format("llm-memory sto")) == [
        "store\tkeep a memory: a decision, a fix, a preference"
    ]
    shown = run(environ, fish, "--no-config", "-c", script.format("llm-memory show 3f2"))
    assert shown == ["3f2a91" + "0" * 26 + "\ttwo words · Choice of database"]


@pytest.mark.filterwarnings("default::pytest.PytestWarning")
def test_zsh_completes_with_titles(environ: dict[str, str]) -> None:
    zsh = needs("zsh")
    script = (
        "autoload -Uz compinit; compinit -u -D; source <(llm-memory completion zsh); print ${{_comps[llm-memory]}}; "
        "_describe() {{ print -l -- ${{(P)${{@[-1]}}}} }}; words=({words}); CURRENT=$#words; _llm_memory"
    )
    shown = run(environ, zsh, "-f", "-c", script.format(words="llm-memory show 3f2"))
    assert shown == ["_llm_memory", "3f2a91" + "0" * 26 + ":two words · Choice of database"]


def test_bash_reads_its_script_without_a_complaint(tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(said("completion", "bash"), "utf-8")
    subprocess.run(["bash", "-n", str(script)], check=True)

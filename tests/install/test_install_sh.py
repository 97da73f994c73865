"""install.sh itself, run into throwaway HOMEs.

The venv is made once, in an install over the first release; other machines start with that lib/, which install.sh then
updates by copying its venv.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memories.core import private_files
from memories.core.paths import DataFolder
from tests.install.conftest import read_calls, snapshot, write_script
from tests.install.test_first_release import RECORD, build
from tests.install.updates import release
from tests.other_user import NOBODY, as_root

CHECKOUT = Path(__file__).resolve().parents[2]
KEEP_FROM_ENVIRONMENT = ("PIP_", "SSL_", "REQUESTS_", "HTTP", "http", "NO_PROXY", "no_proxy", "LANG", "LC_", "TMPDIR")

VENV = ".claude/memory/lib/venv"
LIBS = (".claude/memory/lib", ".claude/memory/lib.previous")

pytestmark = [pytest.mark.install, pytest.mark.xdist_group("install")]


def environment(home: Path, **more: str) -> dict[str, str]:
    """What install.sh sees: our HOME, a short PATH, this interpreter, and how this machine reaches its registry."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEEP_FROM_ENVIRONMENT)}
    python = os.path.realpath(sys.executable)
    return {**kept, "HOME": str(home), "PATH": "/usr/bin:/bin", "LLM_MEMORY_PYTHON": python, **more}


def run_install(
    home: Path, *options: str, source: Path = CHECKOUT, stdin: str | None = None, umask: int = 0o022, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run install.sh with sh; the script comes from stdin where stdin is given."""
    command = ["sh", "-s", "--", *options] if stdin is not None else ["sh", str(source / "install.sh"), *options]
    return subprocess.run(
        command,
        input=stdin or "",
        env=environment(home, **more),
        capture_output=True,
        text=True,
        check=False,
        umask=umask,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HOME (with a space in it) that had the first release, after a finished install without `claude`, by a user
    whose umask leaves everything open."""
    home = tmp_path_factory.mktemp("fresh") / "my home"
    build(home)
    done = run_install(home, umask=0)
    assert done.returncode == 0, done.stdout + done.stderr
    (home / "install.out").write_text(done.stdout, encoding="utf-8")
    return home


@pytest.fixture
def seeded(installed: Path, tmp_path: Path) -> Path:
    """Another machine: nothing but a lib/ (hard links: nobody edits those files in place)."""
    home = tmp_path / "other home"
    lib = Path(".claude", "memory", "lib")
    shutil.copytree(installed / lib, home / lib, symlinks=True, copy_function=os.link)
    return home


def source_copy(folder: Path) -> Path:
    """A copy of the files that an install needs, to break on purpose."""
    folder.mkdir()
    for name in ("install.sh", "manage.py", "pyproject.toml", "requirements.txt"):
        shutil.copy2(CHECKOUT / name, folder)
    for name in ("llm_memory_site", "memories", "mcp_bridge", "hooks", "templates", "static"):
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_a_fresh_install_says_what_it_did_and_what_is_left(installed: Path) -> None:
    out = (installed / "install.out").read_text(encoding="utf-8")
    assert "the first LLM Memory is installed here" in out
    assert "LLM Memory is installed." in out
    assert "edit ~/.claude.json: server llm_memory" in out
    assert 'export PATH="$HOME/.local/bin:$PATH"' in out


def test_a_fresh_install_leaves_a_private_working_lib_and_nothing_half_made(installed: Path) -> None:
    memory = installed / ".claude" / "memory"
    assert sorted(path.name for path in memory.glob("lib*")) == ["lib"]
    assert [path for path in memory.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o077] == []
    assert memory.stat().st_mode & 0o777 == 0o700
    info = json.loads((memory / "lib" / "install.json").read_text(encoding="utf-8"))
    assert info["source"] == str(CHECKOUT)
    assert "claude_config_dir" not in info
    assert list((memory / "lib" / "hooks" / "__pycache__").glob("setup.*.pyc"))
    assert not (memory / "lib" / "tests").exists()
    assert (memory / "lib" / "setup_syncthing.py").exists()
    command = [str(installed / ".local" / "bin" / "llm-memory")]
    done = subprocess.run(command, env=environment(installed), capture_output=True, text=True, check=True)
    assert "setup_claude" in done.stdout


def test_a_folder_that_others_can_change_is_refused_with_the_fix(tmp_path: Path) -> None:
    memory = tmp_path / ".claude" / "memory"
    memory.mkdir(parents=True)
    memory.chmod(0o777)
    for options in ((), ("--dry-run",)):
        done = run_install(tmp_path, *options)
        assert done.returncode == 1
        assert done.stderr.startswith(f"install.sh: {memory} can be written by other users")
        assert f"run chmod 700 {memory}" in done.stderr
    assert list(memory.iterdir()) == []


@as_root
def test_a_users_folder_is_refused_to_root(tmp_path: Path) -> None:
    home = tmp_path / "theirs"
    home.mkdir()
    os.chown(home, NOBODY, 0)
    done = run_install(home)
    assert done.returncode == 1
    assert "belongs to nobody" in done.stderr
    assert list(home.iterdir()) == []


def test_installing_again_keeps_the_venv_and_changes_no_byte_outside_lib(installed: Path, seeded: Path) -> None:
    assert run_install(seeded, umask=0o777, LLM_MEMORY_DISABLE="1").returncode == 0
    for home in (installed, seeded):  # without a umask, and with one that forbids its user everything
        found = private_files.faults(DataFolder(str(home / ".claude" / "memory")))
        assert (found.modes, found.others, found.unseen) == ([], [], [])
        for name in ("llm-memory", "llm-memory-dashboard"):
            assert (home / ".local" / "bin" / name).stat().st_mode & 0o777 == 0o755
    leave_out = (*LIBS, ".claude/memory/memory.db.7", ".claude/memory/state")
    before = snapshot(seeded, leave_out=leave_out)
    before_state = snapshot(seeded / ".claude/memory/state/install")
    done = run_install(seeded, LLM_MEMORY_DISABLE="1")
    assert done.returncode == 0, done.stderr
    assert "copy the present venv" in done.stdout
    assert snapshot(seeded, leave_out=leave_out) == before
    assert snapshot(seeded / ".claude/memory/state/install") == before_state


def test_claude_connects_the_server_and_an_uninstall_leaves_only_the_memory(seeded: Path, tmp_path: Path) -> None:
    log = tmp_path / "claude.log"
    write_script(tmp_path / "bin" / "claude", log, "exit 0")
    settings = seeded / ".claude" / "settings.json"
    settings.write_bytes(b'{"model":"opus"}')
    path = f"{tmp_path}/bin:/usr/bin:/bin"
    assert run_install(seeded, PATH=path).returncode == 0
    added = next(words for words in read_calls(log) if words[:2] == ["mcp", "add-json"])
    assert json.loads(added[3])["command"] == f"{seeded}/.claude/memory/lib/venv/bin/python"
    done = run_install(seeded, "--uninstall", PATH=path)
    assert done.returncode == 0, done.stderr
    assert settings.read_bytes() == b'{"model":"opus"}'
    assert not (seeded / ".claude" / "CLAUDE.md").exists()
    assert not (seeded / ".claude" / "memory" / "lib").exists()
    assert (seeded / ".claude" / "memory" / "records").is_dir()


def test_the_installed_command_uninstalls_without_the_clone(seeded: Path) -> None:
    assert run_install(seeded).returncode == 0
    command = [str(seeded / ".local" / "bin" / "llm-memory"), "uninstall", "--purge", "--yes"]
    done = subprocess.run(command, env=environment(seeded), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (seeded / ".claude" / "memory").exists()


def test_purge_without_a_terminal_or_yes_is_refused(tmp_path: Path) -> None:
    memory = tmp_path / ".claude" / "memory"
    (memory / "records").mkdir(parents=True)
    (memory / "state" / "install").mkdir(parents=True)
    before = snapshot(tmp_path)
    done = run_install(tmp_path, "--purge")
    assert done.returncode == 1
    assert "say --yes" in done.stderr
    assert snapshot(tmp_path) == before


def test_other_folders_may_be_named_and_hold_spaces(seeded: Path, tmp_path: Path) -> None:
    config, data = tmp_path / "claude config", tmp_path / "the data"
    data.mkdir()
    (seeded / ".claude" / "memory" / "lib").rename(data / "lib")
    shutil.rmtree(seeded / ".claude")
    done = run_install(seeded, CLAUDE_CONFIG_DIR=str(config), LLM_MEMORY_HOME=str(data))
    assert done.returncode == 0, done.stderr
    assert f"{data}/lib/manage.py" in (config / "settings.json").read_text(encoding="utf-8")
    info = json.loads((data / "lib" / "install.json").read_text(encoding="utf-8"))
    assert info["claude_config_dir"] == str(config)
    assert not (seeded / ".claude").exists()


def test_the_first_release_is_replaced_and_its_records_kept(installed: Path) -> None:
    memory = installed / ".claude" / "memory"
    assert (memory / "records" / RECORD).exists()
    assert (memory / "lib" / "install.json").exists()
    assert (memory / "state" / "first-release" / "lib" / "server.py").exists()
    assert "/lib/hooks/" not in (installed / ".claude" / "settings.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("options", [["--dry-run"], ["--uninstall", "--dry-run"], ["--purge", "--dry-run"]])
def test_a_dry_run_changes_nothing(tmp_path: Path, options: list[str]) -> None:
    build(tmp_path)
    (tmp_path / ".claude" / "memory" / "state" / "install").mkdir(parents=True)
    before = snapshot(tmp_path)
    done = run_install(tmp_path, *options)
    assert done.returncode == 0, done.stderr
    assert "would " in done.stdout
    assert snapshot(tmp_path) == before


def test_a_failing_download_leaves_the_old_installation(seeded: Path, tmp_path: Path) -> None:
    before = snapshot(seeded, leave_out=(VENV,))
    source = source_copy(tmp_path / "source")
    (source / "requirements.txt").write_text(f"nothing-like-it==1 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    done = run_install(seeded, source=source, PIP_NO_INDEX="1")
    assert done.returncode == 1
    assert "pip could not install the requirements" in done.stderr
    assert snapshot(seeded, leave_out=(VENV,)) == {**before, ".claude/memory": (0o700, b"")}


def test_code_that_does_not_start_is_not_put_in_place(seeded: Path, tmp_path: Path) -> None:
    before = snapshot(seeded, leave_out=(VENV, ".claude/memory"))
    code = snapshot(seeded / ".claude" / "memory" / "lib", leave_out=("venv",))
    source = source_copy(tmp_path / "source")
    with (source / "llm_memory_site" / "settings.py").open("a", encoding="utf-8") as file:
        file.write("\nraise RuntimeError('broken release')\n")
    done = run_install(seeded, source=source)
    assert done.returncode == 1
    assert "the staged code does not start" in done.stderr
    assert snapshot(seeded, leave_out=(VENV, ".claude/memory")) == before
    assert snapshot(seeded / ".claude" / "memory" / "lib", leave_out=("venv",)) == code
    assert [path.name for path in (seeded / ".claude" / "memory").iterdir()] == ["lib"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_install_leaves_the_old_installation(tmp_path: Path, number: signal.Signals, code: int) -> None:
    lib = tmp_path / ".claude" / "memory" / "lib"
    write_script(lib / "venv" / "bin" / "python", tmp_path / "log", "exit 1")
    (lib / "install.json").write_text("{}", encoding="utf-8")
    before = snapshot(lib)
    reached = tmp_path / "reached"
    os.mkfifo(reached)
    python = tmp_path / "python"
    real = os.path.realpath(sys.executable)
    # stands still where the venv would be made, after saying so through the fifo
    write_script(python, tmp_path / "log", f'case "$*" in *"-m venv"*) echo >"{reached}"; read -r _ ;; esac')
    with python.open("a", encoding="utf-8") as file:
        file.write(f'exec "{real}" "$@"\n')
    # the check asks for sys.executable: answer with the stand-in
    text = python.read_text(encoding="utf-8")
    python.write_text(
        text.replace("case ", f'case "$*" in *"print(sys.executable)"*) echo "{python}"; exit ;; esac\ncase ', 1),
        encoding="utf-8",
    )
    with subprocess.Popen(
        ["sh", str(CHECKOUT / "install.sh")],
        env=environment(tmp_path, LLM_MEMORY_PYTHON=str(python)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        reached.read_bytes()
        os.killpg(process.pid, number)
        process.communicate()
    assert process.returncode == code
    assert snapshot(lib) == before
    assert [path.name for path in lib.parent.iterdir()] == ["lib"]


def test_what_a_killed_install_left_is_swept_and_an_old_lib_without_a_new_one_is_put_back(seeded: Path) -> None:
    memory = seeded / ".claude" / "memory"
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    (memory / "lib").rename(memory / f"lib.old-{gone.pid}")
    for name in ("new", "gone", "fetched"):
        (memory / f"lib.{name}-{gone.pid}" / "venv").mkdir(parents=True)
    done = run_install(seeded, "--no-update-check")
    assert done.returncode == 0, done.stderr
    assert "copy the present venv" in done.stdout
    assert sorted(path.name for path in memory.glob("lib*")) == ["lib", "lib.previous"]
    assert (memory / "lib.previous" / "venv" / "bin" / "python").exists()
    assert (memory / "state" / "install" / "no-update-check").exists()


def test_piped_from_the_web_it_clones_what_llm_memory_repo_names(tmp_path: Path) -> None:
    repo = source_copy(tmp_path / "repo")
    author = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "--quiet"], ["add", "."], [*author, "commit", "-qm", "1"]):
        subprocess.run(["git", *command], cwd=repo, check=True, env=environment(tmp_path))
    script = (CHECKOUT / "install.sh").read_text(encoding="utf-8")
    temp = tmp_path / "temp"
    temp.mkdir()
    done = run_install(tmp_path, "--dry-run", stdin=script, LLM_MEMORY_REPO=str(repo), TMPDIR=str(temp))
    assert done.returncode == 0, done.stderr
    assert f"would stage the code of {repo}" in done.stdout
    assert list(temp.iterdir()) == []


@pytest.mark.parametrize("damaged", [False, True])
def test_piped_from_the_web_it_takes_the_newest_release_if_it_is_what_its_checksum_says(
    tmp_path: Path, damaged: bool
) -> None:
    tree = source_copy(tmp_path / "tree")
    for version in ("2.0.0", "2.9.0", "2.10.0"):
        path = release(tmp_path / "web", tree, version)
    if damaged:
        path.write_bytes(path.read_bytes() + b"\0")
    script = (CHECKOUT / "install.sh").read_text(encoding="utf-8")
    (tmp_path / "temp").mkdir()
    repo, temp = f"file://{tmp_path}/web/", str(tmp_path / "temp")
    done = run_install(tmp_path, "--dry-run", "--no-update-check", stdin=script, LLM_MEMORY_REPO=repo, TMPDIR=temp)
    assert list((tmp_path / "temp").iterdir()) == []
    if damaged:
        assert done.returncode == 1
        assert "llm-memory-2.10.0.tar.gz is not what SHA256SUMS says: nothing was unpacked or run" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert f"would stage the code of file://{tmp_path}/web/" in done.stdout
        assert "would never look for newer versions" in done.stdout


@pytest.mark.parametrize(
    "address",
    [
        "file://me:s3cret@/nothing",
        "file://me:s3/s3cret@s3cret@/nothing",
        "file:///nothing?token=s3cret",
        "file://me:s3cret@/nothing/",
        "http://a:s3cret@b.c/d/",
        "https://a:s3cret@b.invalid/d/",
    ],
)
def test_a_password_in_an_address_is_not_shown(tmp_path: Path, address: str) -> None:
    script = (CHECKOUT / "install.sh").read_text(encoding="utf-8")
    done = run_install(tmp_path, "--dry-run", stdin=script, LLM_MEMORY_REPO=address)
    assert done.returncode == 1
    assert done.stderr.startswith("install.sh: ") or "git could not clone file:///nothing" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    if address.endswith("/"):
        assert "a release address takes no user or password" in done.stderr


def test_piped_without_llm_memory_repo_it_says_what_to_do(tmp_path: Path) -> None:
    done = run_install(tmp_path, stdin=(CHECKOUT / "install.sh").read_text(encoding="utf-8"))
    assert done.returncode == 1
    assert "set LLM_MEMORY_REPO" in done.stderr
    assert not (tmp_path / ".claude").exists()


def test_an_unusable_python_is_refused_with_the_reason_and_the_way_out(tmp_path: Path) -> None:
    python = tmp_path / "python3.8"
    write_script(python, tmp_path / "log", "echo 'is Python 3.8'; exit 1")
    done = run_install(tmp_path, LLM_MEMORY_PYTHON=str(python))
    assert done.returncode == 1
    assert f"{python} is Python 3.8" in done.stderr
    assert "sudo apt install python3 python3-venv" in done.stderr
    assert not (tmp_path / ".claude").exists()


def test_help_and_an_unknown_option(tmp_path: Path) -> None:
    shown = run_install(tmp_path, "--help")
    assert shown.returncode == 0
    assert "--uninstall" in shown.stdout
    refused = run_install(tmp_path, "--frobnicate")
    assert refused.returncode == 2
    assert "unknown option --frobnicate" in refused.stderr
    assert "Usage:" in refused.stderr
    assert not (tmp_path / ".claude").exists()

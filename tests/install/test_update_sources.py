"""Asking a git remote and a release folder for versions, and fetching one: on this machine alone."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

import pytest

from memories.core.errors import UpdateError
from memories.update import git_source, release_source
from tests.install.conftest import read_calls, snapshot, write_script
from tests.install.updates import commit, git, release, write_tree


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder; /moved/ leads to where $MOVED says."""

    moved = ""

    def do_GET(self) -> None:
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.moved)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of tmp_path/web on loopback."""
    (tmp_path / "web").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web"))) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/"
        found.shutdown()
        thread.join()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A repository with 2.0.0 and 2.1.0, a tag that is no version, and a commit after them."""
    tree = write_tree(tmp_path / "remote", "2.0.0")
    commit(tree, "v2.0.0")
    write_tree(tree, "2.1.0")
    commit(tree, "v2.1.0")
    for tag in ("v2.2.0-rc1", "v3", "2.3.0", "v2.10.0.1"):
        git(tree, "tag", tag)
    write_tree(tree, "2.1.1")
    commit(tree)
    return tree


def test_a_remotes_versions_are_its_tags_and_their_commits(remote: Path) -> None:
    found = git_source.ask(f"file://{remote}")
    assert found.tags == {
        "2.0.0": git(remote, "rev-parse", "v2.0.0^{commit}"),
        "2.1.0": git(remote, "rev-parse", "v2.1.0^{commit}"),
    }
    assert found.head == git(remote, "rev-parse", "HEAD")


@pytest.mark.parametrize("scheme", ["file://", ""])
def test_a_version_is_cloned_alone_without_hooks_of_the_users(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    hooks, log = tmp_path / "template" / "hooks", tmp_path / "hooks.log"
    for name in ("post-checkout", "reference-transaction"):
        write_script(hooks / name, log, "exit 0")
    config = tmp_path / "gitconfig"
    config.write_text(f"[init]\ntemplateDir = {hooks.parent}\n[core]\nhooksPath = {hooks}\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    into = tmp_path / "into"
    assert git_source.fetch(f"{scheme}{remote}", "v2.1.0", str(into)) == git(remote, "rev-parse", "v2.1.0^{commit}")
    assert 'version = "2.1.0"' in (into / "pyproject.toml").read_text(encoding="utf-8")
    assert git(into, "rev-list", "--count", "HEAD") == "1"
    assert read_calls(log) == []


def test_a_remote_that_is_not_there_is_an_error_without_the_password_in_it(tmp_path: Path) -> None:
    with pytest.raises(UpdateError, match="git ls-remote failed") as raised:
        git_source.ask(f"file://me:s3cret@{tmp_path}/nothing")
    assert "s3cret" not in str(raised.value)


def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    """Put a recording `git` that does this on PATH; its log."""
    write_script(tmp_path / "bin" / "git", tmp_path / "git.log", body)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return tmp_path / "git.log"


def test_git_that_never_answers_is_ended_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "never")
    on_path(tmp_path, monkeypatch, f'(read -r _ <"{tmp_path}/never") & wait')
    with pytest.raises(UpdateError, match="no answer within 0 s"):
        git_source.run(["ls-remote"], 0.05)
    # the child, which has the pipe open for reading, is gone: nobody can be written to
    with pytest.raises(OSError, match="No such device"):
        os.open(tmp_path / "never", os.O_WRONLY | os.O_NONBLOCK)


def test_git_that_says_too_much_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch, "yes")
    with pytest.raises(UpdateError, match="more than any answer"):
        git_source.run(["ls-remote"], 20)


def test_git_is_never_asked_to_ask_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = on_path(tmp_path, monkeypatch, f'env >"{tmp_path}/env"; read -r line && exit 1 || exit 0')
    monkeypatch.setenv("SSH_ASKPASS", "/usr/bin/a-window")
    assert git_source.ask("https://example.org/memory").tags == {}
    environ = dict(
        line.split("=", 1) for line in (tmp_path / "env").read_text(encoding="utf-8").splitlines() if "=" in line
    )
    assert environ["GIT_TERMINAL_PROMPT"] == "0"
    assert environ["SSH_ASKPASS"] == environ["GIT_ASKPASS"] == ""
    assert "core.hooksPath=/dev/null" in read_calls(log)[0]


def test_without_git_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UpdateError, match="install git"):
        git_source.ask("https://example.org/memory")


def test_a_release_is_found_verified_and_unpacked(server: str, tmp_path: Path) -> None:
    for version in ("2.0.0", "2.1.0"):
        release(tmp_path / "web" / "r", write_tree(tmp_path / version, version), version)
    sums = release_source.ask(f"{server}r/")
    assert sorted(sums) == ["2.0.0", "2.1.0"]
    (tmp_path / "into").mkdir()
    tree = release_source.fetch(f"{server}r/", "2.1.0", sums["2.1.0"], str(tmp_path / "into"))
    assert tree == str(tmp_path / "into" / "llm-memory-2.1.0")
    assert 'version = "2.1.0"' in Path(tree, "pyproject.toml").read_text(encoding="utf-8")


def test_a_release_that_is_not_what_its_checksum_says_is_not_unpacked(tmp_path: Path) -> None:
    path = release(tmp_path / "web", write_tree(tmp_path / "tree", "2.1.0"), "2.1.0")
    base = f"file://{tmp_path}/web/"
    checksum = release_source.ask(base)["2.1.0"]
    path.write_bytes(path.read_bytes() + b"\0")
    (tmp_path / "into").mkdir()
    with pytest.raises(UpdateError, match="nothing was unpacked or run"):
        release_source.fetch(base, "2.1.0", checksum, str(tmp_path / "into"))
    assert list(snapshot(tmp_path / "into")) == [path.name]


def test_without_checksums_nothing_is_a_release(server: str, tmp_path: Path) -> None:
    path = release(tmp_path / "web", write_tree(tmp_path / "tree", "2.1.0"), "2.1.0")
    (path.parent / "SHA256SUMS").unlink()
    with pytest.raises(UpdateError, match="404"):
        release_source.ask(server)
    (path.parent / "SHA256SUMS").write_text(f"{'a' * 64}  other-2.1.0.tar.gz\nllm-memory-2.1.0.tar.gz\n", "ascii")
    with pytest.raises(UpdateError, match=r"names no llm-memory-X\.Y\.Z"):
        release_source.ask(server)


@pytest.mark.parametrize("where", ["http://example.org/r/SHA256SUMS", "file:///etc/passwd", "https://example.org/x"])
def test_a_server_cannot_lead_to_an_address_of_another_kind(
    server: str, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(Quiet, "moved", where)
    with pytest.raises(UpdateError, match=r"another kind of address|not encrypted|cannot be read"):
        release_source.ask(f"{server}moved/")


def test_a_release_larger_than_any_is_not_taken(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_source, "MAX_SUMS_BYTES", 1_000)
    (tmp_path / "web" / "SHA256SUMS").write_bytes(bytes(2_000))
    with pytest.raises(UpdateError, match="too large"):
        release_source.ask(server)


def full(_path: str, _mode: str) -> IO[bytes]:
    """A file on a disk without room."""
    return Path("/dev/full").open("wb")


def test_a_full_disk_is_not_taken_for_a_wrong_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch, 'echo "error: file write error: No space left on device"; exit 128')
    with pytest.raises(UpdateError, match=r"No space left on device\. Make room, then try again") as raised:
        git_source.run(["clone"], 20)
    assert "address" not in str(raised.value)
    release(tmp_path / "web", write_tree(tmp_path / "tree", "2.1.0"), "2.1.0")
    base = f"file://{tmp_path}/web/"
    monkeypatch.setattr(release_source, "open", full, raising=False)
    with pytest.raises(UpdateError, match=r"No space left on device.*: make room"):
        release_source.fetch(base, "2.1.0", release_source.ask(base)["2.1.0"], str(tmp_path))


def test_a_server_that_is_not_there_is_an_error_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UpdateError, match="check the address and the network"):
        release_source.ask("http://127.0.0.1:1/r/")
    with pytest.raises(UpdateError, match="cannot be read"):
        release_source.ask(f"file://{tmp_path}/nothing/")

"""Remote URLs in every spelling, and git's own files without git."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import git_folders


@pytest.mark.parametrize(
    "url",
    [
        "git@github.com:Acme/Orders.git",
        "github.com:Acme/Orders",
        "ssh://git@github.com/Acme/Orders.git",
        "ssh://git@github.com:2222/Acme/Orders/",
        "https://github.com/Acme/Orders",
        "https://github.com/Acme/Orders.git/",
        "https://user:p%40ss@github.com:8443/Acme//Orders.GIT",
        "https://s3cret@github.com/Acme/Orders.git?token=s3cret#s3cret",
        "HTTPS://github.com/Acme/Orders",
        "git://github.com/Acme/Orders.git",
        "git:s3cret@github.com:Acme/Orders",
        "https://user:pa/s3cret@github.com/Acme/Orders",
        "ssh://git@github.com/Acme/Orders/.git",
    ],
)
def test_every_spelling_of_a_remote_is_one_host_and_path_without_credentials(url: str) -> None:
    assert git_folders.normalise_remote(url) == ("github.com", "Acme/Orders")


@pytest.mark.parametrize(
    "url",
    [
        *("", "/srv/git/orders.git", "../orders", "./a:b", "orders", "file:///srv/orders.git", "C:\\git\\orders"),
        *("C:/git/orders", "codecommit::eu-west-1://orders", "ext::sh -c x", "https://github.com", "https:///x/y"),
        *("git@github.com:", "::", "@:"),
    ],
)
def test_local_paths_and_remote_helpers_identify_nothing(url: str) -> None:
    assert git_folders.normalise_remote(url) is None


def test_ipv6_hosts_are_understood() -> None:
    assert git_folders.normalise_remote("ssh://git@[::1]:22/o/n.git") == ("::1", "o/n")
    assert git_folders.normalise_remote("[::1]:o/n.git") == ("::1", "o/n")


@given(st.text())
def test_any_text_is_a_remote_or_not_without_an_error(url: str) -> None:
    found = git_folders.normalise_remote(url)
    assert found is None or all(found)


@given(st.from_regex(r"[a-z0-9%:]{1,12}", fullmatch=True), st.from_regex(r"[A-Za-z0-9%!~:.-]{1,12}", fullmatch=True))
def test_a_password_never_shows(user: str, password: str) -> None:
    found = git_folders.normalise_remote(f"https://{user}:{password}-S3CRET@host.example/o/n")
    assert found == ("host.example", "o/n")


def _repository(folder: Path, config: str) -> git_folders.Repository:
    git = folder / ".git"
    (git / "objects").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "config").write_bytes(config.encode())
    found = git_folders.find_repository(str(folder), "/nowhere")
    assert found is not None
    return found


@pytest.mark.parametrize(
    "config",
    [
        '[remote "origin"]\n\turl = git@h:o/n.git\n\tfetch = +refs/heads/*\n',
        '[core]\r\n\tbare = false\r\n[remote "origin"]\r\n\turl = git@h:o/n.git\r\n',
        '[remote "upstream"]\nurl = git@h:x/y\n[Remote "origin"]\npushurl = git@h:p/q\nURL="git@h:o/n.git" ; comment\n',
        '[remote "origin"] url = git@h:o/n.git # comment\n',
        '# [remote "origin"]\n;url = a:b/c\n[remote "origin"]\n#url = a:b/c\nurl =\nurl = git@h:o/n\\\n.git\n',
        '\ufeff[remote "origin"]\nurl = git@h:o/n.git\nurl = git@h:second/one.git\n',
    ],
)
def test_origin_is_read_from_a_config_in_any_style(tmp_path: Path, config: str) -> None:
    url = git_folders.origin_url(_repository(tmp_path, config))
    assert url is not None
    assert url.replace(" ", "") == "git@h:o/n.git"


@pytest.mark.parametrize(
    "config", ["", '[remote "Origin"]\nurl = a:b/c\n', "url = a:b/c", "[remote]\nurl = a:b/c", "\0\xff["]
)
def test_no_origin_is_no_url(tmp_path: Path, config: str) -> None:
    assert git_folders.origin_url(_repository(tmp_path, config)) is None


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def _git(folder: Path, *arguments: str) -> None:
    who = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com", "GIT_CONFIG_GLOBAL": "/dev/null"}
    who |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com", "GIT_CONFIG_SYSTEM": "/dev/null"}
    options = ("-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main")
    subprocess.run(
        ["git", *options, *arguments], cwd=folder, env={**os.environ, **who}, check=True, capture_output=True
    )


def _init(folder: Path) -> Path:
    folder.mkdir(parents=True)
    _git(folder, "init", "-q")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "start")
    return folder


def _root(folder: Path) -> str | None:
    found = git_folders.find_repository(str(folder), "/nowhere")
    return None if found is None else found.root


@needs_git
def test_worktrees_submodules_and_bare_repositories_as_git_makes_them(tmp_path: Path) -> None:
    main = _init(tmp_path / "main")
    library = _init(tmp_path / "library")
    _git(main, "worktree", "add", "-q", str(tmp_path / "feature"))
    _git(main, "submodule", "add", "-q", str(library), "vendor/library")
    _git(main / "vendor/library", "worktree", "add", "-q", str(tmp_path / "library-fix"))
    _git(tmp_path, "clone", "-q", "--bare", str(main), "server.git")
    _git(tmp_path / "server.git", "worktree", "add", "-q", str(tmp_path / "deploy"), "main")
    (tmp_path / "hidden").mkdir()
    _git(tmp_path, "clone", "-q", "--bare", str(main), "hidden/.bare")
    (tmp_path / "hidden/.git").write_text("gitdir: ./.bare\n")
    _git(tmp_path / "hidden/.bare", "worktree", "add", "-q", str(tmp_path / "hidden/trunk"), "main")
    (main / "src/deep").mkdir(parents=True)

    assert _root(main / "src/deep") == str(main)
    assert _root(tmp_path / "feature") == str(main)
    assert _root(main / "vendor/library") == str(main / "vendor/library")
    assert _root(tmp_path / "library-fix") == str(main / "vendor/library")
    assert _root(tmp_path / "server.git/refs") == str(tmp_path / "server.git")
    assert _root(tmp_path / "deploy") == str(tmp_path / "server.git")
    assert _root(tmp_path / "hidden/trunk") == str(tmp_path / "hidden")
    assert _root(tmp_path) is None

    shutil.rmtree(main / ".git/worktrees/feature")
    assert _root(tmp_path / "feature") == str(main)


def test_a_git_file_that_leads_nowhere_makes_its_folder_the_root(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /gone/.git/worktrees/x\n")
    assert _root(tmp_path) == str(tmp_path)
    (tmp_path / ".git").write_bytes(b"\0\xff")
    assert _root(tmp_path) == str(tmp_path)


def test_an_empty_git_folder_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert _root(tmp_path) is None

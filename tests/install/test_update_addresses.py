"""Addresses that versions come from: nothing secret of them is kept, nothing unencrypted is asked."""

from __future__ import annotations

from pathlib import Path
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks import install_origin, setup
from memories.core.errors import UpdateError
from memories.update import addresses, check, release_source, updating
from tests.install.updates import commit, git, write_tree


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://github.com/example/memory.git", "https://github.com/example/memory.git"),
        ("https://user:s3cret@github.com/example/memory", "https://github.com/example/memory"),
        ("https://s3cret@github.com/example/memory", "https://github.com/example/memory"),
        ("https://user:p@s3cret@github.com/example/memory", "https://github.com/example/memory"),
        ("https://user:s3/cret@github.com/example/memory", ""),
        ("https://github.com/example/memory?token=s3cret#s3cret", "https://github.com/example/memory"),
        ("ssh://git:s3cret@example.org:2222/memory", "ssh://git@example.org:2222/memory"),
        ("git@example.org:example/memory.git", "git@example.org:example/memory.git"),
        ("file:///srv/my releases/", "file:///srv/my releases/"),
        ("/srv/my memory/../memory", "/srv/memory"),
        ("x::https://user:s3cret@example.org/memory", ""),
        ("ext::sh -c true", ""),
        ("https:/user:s3cret@example.org/memory", ""),
        ("user:s3cret@example.org/memory", ""),
        ("https://example.org/\x1b[31mmemory", "https://example.org/[31mmemory"),
        ("", ""),
    ],
)
def test_an_address_is_kept_without_what_is_secret_in_it(address: str, kept: str) -> None:
    assert addresses.cleaned(address) == kept
    assert addresses.cleaned(kept) == kept


@given(st.text(ascii_letters + digits + ":/@#?%!", min_size=1, max_size=20))
def test_no_password_however_written_is_kept_or_shown(password: str) -> None:
    secret = f"s3cret{password}s3cret"
    address = f"https://somebody:{secret}@example.org/memory.git"
    assert "s3cret" not in addresses.cleaned(address)
    assert "s3cret" not in addresses.without_credentials(f"fatal: {address} not found")
    address = f"https://example.org/memory.git?token={secret}"
    assert "s3cret" not in addresses.cleaned(address)
    assert "s3cret" not in addresses.without_credentials(f"fatal: {address} not found")


def test_what_is_not_secret_of_an_address_is_shown() -> None:
    said = "fatal: 'https://me:p@w@example.org/x?t=1#f' is no 'https://example.org/y', nor /srv/a@b?"
    assert addresses.without_credentials(said) == (
        "fatal: 'https://example.org/x' is no 'https://example.org/y', nor /srv/a@b?"
    )


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://example.org/memory", "git"),
        ("https://example.org/memory/", "release"),
        ("file:///srv/releases/", "release"),
        ("ssh://example.org/memory/", "git"),
        ("/srv/memory/", "git"),
        ("", "folder"),
    ],
)
def test_a_web_address_that_ends_in_a_slash_is_a_release_folder(address: str, kind: str) -> None:
    assert addresses.kind_of(address) == kind


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("http://example.org/memory", "git"),
        ("git://example.org/memory", "git"),
        ("http://example.org/releases/", "release"),
        ("ftp://example.org/releases/", "release"),
        ("http://localhost.example.org/releases/", "release"),
        ("http://127.0.0.1@example.org/releases/", "release"),
        ("ext::sh -c true", "git"),
        ("--upload-pack=true", "git"),
        ("relative/path", "git"),
        ("https://example.org/\nmemory", "git"),
        ("https://example.org/memory", "folder"),
        ("", "git"),
    ],
)
def test_what_must_not_be_asked_is_refused_with_what_to_do(address: str, kind: str) -> None:
    with pytest.raises(UpdateError, match=r"give one of|run \./install\.sh"):
        addresses.check(address, kind)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://example.org/memory", "git"),
        ("git@example.org:memory", "git"),
        ("ssh://git@example.org/memory", "git"),
        ("/srv/memory", "git"),
        ("http://127.0.0.1:8000/releases/", "release"),
        ("http://[::1]:8000/releases/", "release"),
        ("file:///srv/releases/", "release"),
    ],
)
def test_what_is_encrypted_or_of_this_machine_may_be_asked(address: str, kind: str) -> None:
    addresses.check(address, kind)


@pytest.mark.parametrize("scheme", ["https", "file", "http"])
def test_a_release_address_with_a_password_is_refused_before_anybody_is_asked(scheme: str) -> None:
    with pytest.raises(UpdateError, match="a release address takes no user or password") as raised:
        release_source.ask(f"{scheme}://me:s3cret@127.0.0.1/releases/")
    assert "s3cret" not in str(raised.value)


def test_a_clone_with_commits_of_its_own_notes_the_head_that_it_knows_of_the_remote(tmp_path: Path) -> None:
    theirs = commit(write_tree(tmp_path / "remote", "2.0.0"))
    git(tmp_path, "clone", "--quiet", "remote", "clone")
    assert "head" not in install_origin.origin(str(tmp_path / "clone"), {})
    ours = commit(write_tree(tmp_path / "clone", "2.0.1"))
    noted = install_origin.origin(str(tmp_path / "clone"), {})
    assert (noted["commit"], noted["head"]) == (ours, theirs)
    about = noted | {"version": "2.0.1"}
    assert updating.choose(check.Available({}, theirs), about) is None
    assert updating.choose(check.Available({}, "c" * 40), about) is not None
    git(tmp_path / "clone", "checkout", "--quiet", "-B", "behind", theirs)
    git(tmp_path / "clone", "update-ref", "refs/remotes/origin/main", ours)
    assert "head" not in install_origin.origin(str(tmp_path / "clone"), {})


def test_an_install_notes_the_clones_remote_and_commit_without_credentials(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "clone", "2.0.0")
    head = commit(tree)
    assert install_origin.origin(str(tree), {}) == {"repo": "", "commit": head, "kind": "folder"}
    git(tree, "remote", "add", "origin", "https://me:s3cret@example.org/memory/")
    noted = {"repo": "https://example.org/memory", "commit": head, "kind": "git"}
    assert install_origin.origin(str(tree), {}) == noted
    named = install_origin.origin(str(tree), {"LLM_MEMORY_REPO": "https://me:s3cret@example.org/releases/"})
    assert named == {"repo": "https://example.org/releases/", "commit": head, "kind": "release"}
    git(tree, "remote", "set-url", "origin", "../other")
    assert install_origin.origin(str(tree), {})["repo"] == str(tmp_path / "other")


def test_a_plain_folder_has_nobody_to_ask_even_inside_of_a_repository(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "outer", "2.0.0")
    commit(tree)
    git(tree, "remote", "add", "origin", "https://example.org/memory")
    unpacked = tree / "llm-memory-2.0.0"
    unpacked.mkdir()
    assert install_origin.origin(str(unpacked), {}) == {"repo": "", "commit": "", "kind": "folder"}


def test_no_file_of_an_install_holds_the_password_of_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "https://me:s3cret@example.org/memory"
    monkeypatch.setenv("LLM_MEMORY_REPO", address)
    setup.write_install_info(str(tmp_path), address, "")
    text = (tmp_path / "install.json").read_text(encoding="utf-8")
    assert '"repo": "https://example.org/memory"' in text
    assert "s3cret" not in text

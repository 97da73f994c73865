"""Finding Syncthing's config.xml and reading it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core.errors import SyncthingError
from memories.syncthing.client import Client
from memories.syncthing.home import SharedFolder, api_url, is_windows_path, places, read_home, relation, windows_path
from tests.syncthing import Daemon

CONFIG = """<configuration version="36">
    <folder id="default" label="Default Folder" path="~/Sync"></folder>
    <folder id="x" path="/srv/x"></folder>
    <gui enabled="{enabled}" tls="{tls}"><address>{address}</address><apikey>key1</apikey></gui>
</configuration>"""


def write(path: Path, *, enabled: str = "true", tls: str = "false", address: str = "127.0.0.1:8384") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CONFIG.format(enabled=enabled, tls=tls, address=address), "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("place", "environ", "system"),
    [
        (".local/state/syncthing", {}, "linux"),
        (".config/syncthing", {}, "linux"),
        ("elsewhere/syncthing", {"XDG_STATE_HOME": "{home}/elsewhere"}, "linux"),
        ("elsewhere/syncthing", {"XDG_CONFIG_HOME": "{home}/elsewhere"}, "linux"),
        ("my syncthing", {"STHOMEDIR": "{home}/my syncthing"}, "linux"),
        ("my syncthing", {"STCONFDIR": "{home}/my syncthing"}, "linux"),
        ("snap/syncthing/common/syncthing", {}, "linux"),
        ("snap/syncthing/current/.config/syncthing", {}, "linux"),
        (".var/app/me.kozec.syncthingtk/config/syncthing", {}, "linux"),
        ("Library/Application Support/Syncthing", {}, "darwin"),
        (".local/state/syncthing", {}, "darwin"),
    ],
)
def test_each_place_is_looked_at(tmp_path: Path, place: str, environ: dict[str, str], system: str) -> None:
    config = write(tmp_path / place / "config.xml")
    given_environ = {name: value.format(home=tmp_path) for name, value in environ.items()}
    assert places({"HOME": str(tmp_path), **given_environ}, system=system) == [config]


def test_the_place_that_the_environment_names_comes_first_and_none_comes_twice(tmp_path: Path) -> None:
    old = write(tmp_path / ".config" / "syncthing" / "config.xml")
    new = write(tmp_path / ".local" / "state" / "syncthing" / "config.xml")
    environ = {"HOME": str(tmp_path)}
    assert places(environ) == [new, old]
    assert places({**environ, "STHOMEDIR": os.path.dirname(old)}) == [old, new]


def test_wsl_looks_at_its_own_first_and_then_at_windows(tmp_path: Path) -> None:
    windows = write(tmp_path / "Users" / "Ann B" / "AppData" / "Local" / "Syncthing" / "config.xml")
    own = write(tmp_path / ".config" / "syncthing" / "config.xml")
    environ = {"HOME": str(tmp_path)}
    users = str(tmp_path / "Users")
    assert places({**environ, "WSL_DISTRO_NAME": "Debian"}, windows_users=users) == [own, windows]
    assert places(environ, windows_users=users) == [own]


def test_a_home_with_special_letters_is_taken_as_it_is(tmp_path: Path) -> None:
    config = write(tmp_path / "a[b]*" / "snap" / "syncthing" / "common" / "syncthing" / "config.xml")
    assert places({"HOME": str(tmp_path / "a[b]*")}) == [config]


def test_without_syncthing_there_is_no_place(tmp_path: Path) -> None:
    assert places({"HOME": str(tmp_path)}) == []


def test_what_a_config_says(tmp_path: Path) -> None:
    home = read_home(write(tmp_path / "config.xml"))
    assert (home.url, home.api_key, home.certificate) == ("http://127.0.0.1:8384", "key1", None)
    assert home.folders == (SharedFolder("default", "Default Folder", "~/Sync"), SharedFolder("x", "", "/srv/x"))
    assert [one.name for one in home.folders] == ["Default Folder", "x"]


def test_https_comes_with_the_certificate_beside_the_config(tmp_path: Path) -> None:
    home = read_home(write(tmp_path / "config.xml", tls="true"))
    assert (home.url, home.certificate) == ("https://127.0.0.1:8384", str(tmp_path / "https-cert.pem"))


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("0.0.0.0:8384", "http://127.0.0.1:8384"),
        (":8384", "http://127.0.0.1:8384"),
        ("[::]:8384", "http://127.0.0.1:8384"),
        ("[::1]:80", "http://[::1]:80"),
        ("localhost:1", "http://localhost:1"),
        ("unix:///run/st.sock", ""),
        ("/run/st.sock", ""),
        ("127.0.0.1", ""),
        ("127.0.0.1:0", ""),
        ("127.0.0.1:65536", ""),
        ("evil.example/x:1", ""),
        ("a@b:1", ""),
        ("", ""),
    ],
)
def test_the_address_of_the_api_becomes_a_url(address: str, url: str) -> None:
    assert api_url(address, tls=False) == url


def test_an_api_that_is_switched_off_has_no_url(tmp_path: Path) -> None:
    assert read_home(write(tmp_path / "config.xml", enabled="false")).url == ""


@given(st.text(max_size=60))
def test_any_address_gives_no_url_or_one_that_names_a_host_and_a_port_and_no_more(address: str) -> None:
    url = api_url(address, tls=True)
    assert not url or re.fullmatch(r"https://[^/@\s]+:[0-9]+", url)


@pytest.mark.parametrize(
    "text", ["", "<configuration>", "not xml", "<a>\x00</a>", "\ufeff<a", '<?xml encoding="x"?><a/>']
)
def test_a_broken_config_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.xml"
    path.write_text(text, "utf-8")
    with pytest.raises(SyncthingError, match="--url URL --api-key KEY"):
        read_home(str(path))


def test_a_config_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(SyncthingError, match="as the user that Syncthing runs as"):
        read_home(str(tmp_path))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any-config.xml"
    path.write_bytes(data)
    try:
        assert isinstance(read_home(str(path)).folders, tuple)
    except SyncthingError as error:
        assert "--url" in str(error)


def test_entities_that_grow_without_bound_are_refused(tmp_path: Path) -> None:
    grown = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    path = tmp_path / "config.xml"
    path.write_text(f'<!DOCTYPE a [<!ENTITY e0 "aaaaaaaaaa">{grown}]><a>&e11;</a>', "utf-8")
    with pytest.raises(SyncthingError):
        read_home(str(path))


def test_the_config_of_a_real_syncthing_says_how_to_reach_it(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "a", tls=True)
    home = read_home(str(daemon.config))
    assert (home.url, home.api_key, home.folders) == (daemon.url, daemon.api_key, ())
    assert Client("http://127.0.0.1:1", home.api_key).url


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/home/ann/.claude/memory", "\\\\wsl.localhost\\Debian\\home\\ann\\.claude\\memory"),
        ("/mnt/c/Users/Ann/memory", "C:\\Users\\Ann\\memory"),
        ("/mnt/d", "D:\\"),
        ("/mnt/data/memory", "\\\\wsl.localhost\\Debian\\mnt\\data\\memory"),
    ],
)
def test_a_path_as_windows_sees_it(path: str, seen: str) -> None:
    environ = {"WSL_DISTRO_NAME": "Debian", "HOME": "/home/ann"}
    assert windows_path(path, environ) == seen
    assert is_windows_path(seen)
    assert not is_windows_path(path)


def test_a_syncthing_on_windows_is_of_no_use_outside_wsl() -> None:
    with pytest.raises(SyncthingError, match="not WSL"):
        windows_path("/home/ann", {})


def test_how_folders_of_syncthing_lie_to_the_data_folder(tmp_path: Path) -> None:
    root = tmp_path / "home" / ".claude" / "memory"
    root.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "home")
    environ = {"HOME": str(tmp_path / "home")}
    expected = {
        str(root): "same",
        f"{root}/": "same",
        "~/.claude/memory": "same",
        f"{tmp_path}/link/.claude/memory": "same",
        "~": "above",
        "/": "above",
        str(root.parent): "above",
        str(root / "records"): "below",
        f"{root}-other": "",
        "~/Sync": "",
        "": "",
        "C:\\Users\\Ann": "",
    }
    assert {path: relation(path, str(root), environ) for path in expected} == expected
    assert relation(str(root), f"{tmp_path}/link/.claude/memory", environ) == "same"


def test_how_folders_of_windows_lie_to_the_data_folder(tmp_path: Path) -> None:
    environ = {"HOME": "/home/ann", "WSL_DISTRO_NAME": "Debian"}
    ours = windows_path(os.path.realpath(tmp_path), environ)
    assert relation(ours, str(tmp_path), environ) == "same"
    assert (
        relation(ours.replace("wsl.localhost", "wsl$").upper().replace("WSL$", "wsl$"), str(tmp_path), environ)
        == "same"
    )
    assert relation("\\\\wsl.localhost\\Debian", str(tmp_path), environ) == "above"
    assert relation("C:\\Users", str(tmp_path), environ) == ""


@given(st.text(max_size=80) | st.sampled_from(["a\0", "/\0", "/\ud800"]))
def test_any_path_of_a_folder_can_be_compared(path: str) -> None:
    environ = {"HOME": "/home/ann", "WSL_DISTRO_NAME": "Debian"}
    assert relation(path, "/home/ann/.claude/memory", environ) in {"same", "above", "below", ""}

"""What is vendored is what VENDOR.md says it is."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings

VENDOR = Path(settings.BASE_DIR, "static", "vendor")
ROW = re.compile(r"^\| (\S+) \| (\S+) (\d+\.\d+\.\d+) \| (\S+) \| (https://\S+) \| `([0-9a-f]{64})` \|$", re.MULTILINE)
LISTED = ROW.findall((VENDOR / "VENDOR.md").read_text(encoding="utf-8"))
WANTED = "color dispatch drag ease force interpolate quadtree selection timer transition zoom"


def test_every_vendored_file_is_listed_once_and_every_listed_one_is_there() -> None:
    found = sorted(str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file())
    assert sorted([row[0] for row in LISTED] + ["VENDOR.md"]) == found


@pytest.mark.parametrize(("name", "digest"), [(row[0], row[5]) for row in LISTED])
def test_a_vendored_file_has_the_bytes_that_its_package_published(name: str, digest: str) -> None:
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest


def test_of_d3_there_is_what_the_graph_needs_each_with_its_licence() -> None:
    assert {row[0] for row in LISTED if row[0].endswith(".js")} == {f"d3-{name}.min.js" for name in WANTED.split()}
    assert {row[0] for row in LISTED if row[0].endswith(".txt")} == {
        f"licenses/d3-{name}.txt" for name in WANTED.split()
    }
    assert {row[3] for row in LISTED} == {"ISC", "BSD-3-Clause"}


def test_a_vendored_script_says_the_version_that_is_listed() -> None:
    for name, package, version, _, source, _ in LISTED:
        assert source == f"https://www.npmjs.com/package/{package}/v/{version}"
        if name.endswith(".js"):
            first = (VENDOR / name).read_text(encoding="utf-8").partition("\n")[0]
            assert first.startswith(f"// https://d3js.org/{package}/ v{version} ")

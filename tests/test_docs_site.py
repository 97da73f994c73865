"""The documentation's site: every page is in it, it builds without a warning, its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(
    find_spec("myst_parser") is None, reason="NO SITE BUILT: myst-parser needs Python 3.11 (requirements-dev.in)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site, as scripts/docs builds it."""
    place = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(place / "doctrees")]
    done = subprocess.run([*build, "docs", str(place / "html")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return place / "html"


@pytest.mark.xdist_group("site")
def test_the_site_builds_without_a_warning_and_holds_every_page(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert {path for path in pages if not (site / path).exists()} == set()


@pytest.mark.xdist_group("site")
def test_every_link_and_picture_of_the_site_is_there(site: Path) -> None:
    for page in site.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text("utf-8")):
            if not re.match(r"[a-z]+:|//", target):
                assert (page.parent / target).resolve().exists(), f"{page.relative_to(site)}: {target}"


@pytest.mark.parametrize("name", ["genindex", "search"])
def test_no_page_has_the_name_of_one_that_the_generator_makes(name: str) -> None:
    assert not (ROOT / "docs" / f"{name}.md").exists()

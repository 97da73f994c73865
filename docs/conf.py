"""Sphinx builds the site of these pages: `./scripts/docs`. On GitHub the same files read as they are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

project = "LLM Memory"
author = "The authors of LLM Memory"
release = re.findall(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)[0]
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "html_image"]
html_theme = "furo"
html_title = f"LLM Memory {release}"
html_show_sphinx = False
html_show_copyright = False
smartquotes = False  # they make one dash of the two before an option
html_copy_source = False
nitpicky = True
linkcheck_ignore = [r"http://127\.0\.0\.1.*", r"http://localhost.*"]

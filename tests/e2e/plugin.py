"""A home with LLM Memory as Claude Code's plugin: what a clone holds, as a marketplace in a folder, and its venv.

The venv is the seed installation's as hard links, as pip would take a minute; what a first use does is one long test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.e2e.client import CHECKOUT
from tests.e2e.installation import INHERITED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.home import Home

NAME = "llm-memory@llm-memory"
TOOLS = "mcp__plugin_llm-memory_llm_memory__"
"""What the plugin's tools begin with."""
PREPARE_SECONDS = 300
_CODE = re.compile(r'^CODE="([^"]+)"', re.M)
_KEY = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from hooks import plugin
print("venv-" + hashlib.sha256(plugin.key().encode()).hexdigest()[:16])
"""


def copy_source(path: Path) -> Path:
    """What a clone holds of ours, in a folder; the folder."""
    found = _CODE.search((CHECKOUT / "install.sh").read_text("utf-8"))
    assert found is not None
    for name in [*found[1].split(), "README.md", "plugin", ".claude-plugin"]:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, path / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, path / name)
    return path


def add_plugin(home: Home, source: Path) -> None:
    """Install the plugin with the client's own commands."""
    home.run_claude("plugin", "marketplace", "add", str(source))
    home.run_claude("plugin", "install", NAME)


def plugin_data(home: Home) -> Path:
    """The plugin's own folder."""
    return home.config / "plugins" / "data" / "llm-memory-llm-memory"


def prepare(home: Home, source: Path) -> None:
    """Run what the first session starts in the background, to its end, with this machine's way to packages."""
    env = home.env(None, {**INHERITED, "CLAUDE_PLUGIN_DATA": str(plugin_data(home))})
    done = subprocess.run(
        ["/bin/sh", str(source / "plugin" / "run.sh"), "prepare"],
        env=env,
        capture_output=True,
        text=True,
        timeout=PREPARE_SECONDS,
        check=False,
    )
    trouble = plugin_data(home) / "trouble"
    assert done.returncode == 0, (done.stderr, trouble.read_text("utf-8") if trouble.exists() else "")


def give_venv(home: Home, source: Path, seed: Home) -> None:
    """Let the plugin find the seed installation's venv as its own."""
    folder, venv = plugin_data(home), seed.data / "lib" / "venv"
    folder.mkdir(parents=True, exist_ok=True)
    python = os.path.realpath(venv / "bin" / "python")
    name = subprocess.run(
        [python, "-I", "-B", "-c", _KEY, str(source)], capture_output=True, text=True, check=True
    ).stdout.strip()
    shutil.copytree(venv, folder / name, symlinks=True, copy_function=os.link)
    (folder / "python").write_text(f"{python}\n", "utf-8")
    prepare(home, source)

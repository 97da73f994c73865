#!/usr/bin/env python3
"""`llm-memory sync-setup` by the name that it had before: hands its arguments on to the installed LLM Memory."""

import os
import sys


def main() -> None:
    """Become `manage.py sync-setup`, run by the installation's own interpreter."""
    lib = os.path.dirname(os.path.realpath(__file__))
    python = os.path.join(lib, "venv", "bin", "python")
    if not os.access(python, os.X_OK):
        sys.exit("LLM Memory is not installed here. Run ./install.sh, then `llm-memory sync-setup`.")
    os.execv(python, [python, "-I", os.path.join(lib, "manage.py"), "sync-setup", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()

"""Installed packages, for a process that was started without them: `python -I -S` saves 6 ms that few commands need."""

from __future__ import annotations

import sys

_added: list[bool] = []


def make_importable() -> None:
    """Let this process import what is installed beside its interpreter, as without -S; again changes nothing."""
    if sys.flags.no_site and not _added:
        import site

        site.main()
        _added.append(True)

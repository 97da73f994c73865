"""Imports, soon after the start, all that a running server may need later.

An update puts other code where this process's code was: from then on a module that is imported lazily would be the new
version's, among the old ones that are loaded.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import threading

import memories.core

AFTER_SECONDS = 2.0
"""So long after the start: imports of a tenth of a second must not delay `initialize`, which the client waits for."""

OTHERS = ("hooks.shipped_files", "memories.django_connection", "django.db.backends.sqlite3.base")
"""What else the tools load lazily (tests/upgrade/test_update_meanwhile.py holds the list against what they do)."""

logger = logging.getLogger(__name__)


def start() -> None:
    """Import them in the background, AFTER_SECONDS from now."""
    timer = threading.Timer(AFTER_SECONDS, run)
    timer.daemon = True
    timer.start()


def run() -> None:
    """Import them now, and read the one file of ours that is read later."""
    from memories.core import mirror_schema

    names = [f"memories.core.{found.name}" for found in pkgutil.iter_modules(memories.core.__path__)]
    try:
        for name in (*names, *OTHERS):
            importlib.import_module(name)
        mirror_schema.schema_sql()
    except (ImportError, OSError):  # an update came before us: what is loaded goes on working
        logger.exception("Not all could be imported beforehand")

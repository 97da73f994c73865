"""What the server writes to stderr, which clients keep."""

from __future__ import annotations

import logging

from mcp_bridge.server import _RedactingFormatter
from memories.core.paths import DataFolder

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
HIDDEN = "[redacted: github-token]"


def test_the_servers_log_quotes_no_secret_in_a_traceback(folder: DataFolder) -> None:
    try:
        raise ValueError(f"bad {TOKEN}")
    except ValueError as error:
        failure = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "A tool crashed: %s", (TOKEN,), failure)
    line = _RedactingFormatter(folder).format(record)
    assert line.startswith(f"ERROR:x:A tool crashed: {HIDDEN}\nTraceback")
    assert line.endswith(f"ValueError: bad {HIDDEN}")

"""Two folders change names in one step, so that whoever starts meanwhile finds the one or the other, whole.

Standard library alone and nothing of ours: install.sh runs it as a script, `exchange.py FIRST SECOND`.
"""

from __future__ import annotations

import ctypes
import os
import sys

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
"""Linux, renameat2(2), <linux/fs.h>."""

_RENAME_SWAP = 2
"""macOS, renamex_np(2), <sys/stdio.h>."""


def exchange(first: str, second: str) -> bool:
    """Let two paths of one file system change places; False where the system cannot, and then nothing has happened."""
    one, other = os.fsencode(first), os.fsencode(second)
    try:
        library = ctypes.CDLL(None)
        if sys.platform == "darwin":
            return bool(library.renamex_np(one, other, _RENAME_SWAP) == 0)
        return bool(library.renameat2(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE) == 0)
    except (AttributeError, OSError):
        return False  # a C library from before 2018, or another system


if __name__ == "__main__":
    sys.exit(0 if exchange(sys.argv[1], sys.argv[2]) else 1)

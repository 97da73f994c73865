"""Memories as JSON lines: a record a line, as its file in records/ has it, secrets replaced."""

from __future__ import annotations

import json
import re

from memories.core import redaction
from memories.core.errors import LLMMemoryError, RecordNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from memories.core.paths import DataFolder
    from memories.exporters.material import Material

_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
"""What JSON leaves as it is and some readers take for the end of a line."""


def write(folder: DataFolder, material: Material, file: BinaryIO) -> tuple[int, list[tuple[str, str]]]:
    """Write the chosen records, oldest first; (how many, (uuid, reason) of those that could not be read)."""
    redactor = redaction.of(folder)
    left: list[tuple[str, str]] = []
    count = 0
    for uuid in material.heads:
        try:
            file.write(line(redaction.load(folder, uuid, redactor)))
            count += 1
        except RecordNotFoundError:
            continue  # deleted since
        except LLMMemoryError as error:
            left.append((uuid, str(error)))
    return count, left


def line(record: dict[str, Any]) -> bytes:
    """A record as its line; the fields and their order are kept."""
    try:
        text = json.dumps(record, ensure_ascii=False)
        text = _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        return text.encode("utf-8") + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which the file has as an escape
        return json.dumps(record).encode("ascii") + b"\n"

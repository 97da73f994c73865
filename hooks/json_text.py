"""JSON files that a person also edits: read strictly, written back in the style they were found in."""

from __future__ import annotations

import json
import re

from memories.core.errors import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BOM = b"\xef\xbb\xbf"
_INDENT = re.compile(r"[{\[]\n([ \t]+)")


def parse(data: bytes | None, path: str) -> dict[str, Any]:
    """The object in a JSON file; a missing or blank file is an empty one.

    Raises SettingsError, naming line and column, for anything that is not one JSON object.
    """
    try:
        text = (data or b"").removeprefix(_BOM).decode("utf-8")
        value = json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        raise SettingsError(
            f"{path} is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}. "
            "It was left as it is; correct that place and run this again."
        ) from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path} cannot be read as JSON ({type(error).__name__}). "
            "It was left as it is; correct it and run this again."
        ) from None
    if not isinstance(value, dict):
        raise SettingsError(f"{path} must hold one JSON object. It was left as it is; correct it and run this again.")
    return value


def render(value: dict[str, Any], like: bytes | None, path: str) -> bytes:
    """The object as JSON in the style of `like`: indentation, line ends, byte order mark, last newline.

    Without a style to follow: two spaces, as Claude Code writes. Raises SettingsError for numbers JSON cannot hold.
    """
    bom = _BOM if like and like.startswith(_BOM) else b""
    text = (like or b"").removeprefix(_BOM).decode("utf-8")
    crlf = "\r\n" in text
    text = text.replace("\r\n", "\n")
    indent: str | None = "  "
    separators = (",", ": ")
    found = _INDENT.search(text)
    if found:
        indent = found[1]
    elif text.strip() not in {"", "{}"} and "\n" not in text.strip():
        indent = None
        separators = (", ", ": ") if '": ' in text else (",", ":")
    try:
        out = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)
        out += "\n" if text.endswith("\n") or not text else ""
        return bom + (out.replace("\n", "\r\n") if crlf else out).encode("utf-8")
    except ValueError:
        # a lone surrogate, or a number beyond what JSON can hold: rewriting would change the user's own values
        raise SettingsError(
            f"{path} holds a value that cannot be rewritten as it stands (a number out of range or half a character). "
            "It was left as it is; correct it and run this again."
        ) from None

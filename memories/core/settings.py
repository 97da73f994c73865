"""User settings: config/settings.json holds only what differs from DEFAULTS. A bad value falls back and is named."""

from __future__ import annotations

import json
import os

from memories.core import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any

    from memories.core.paths import DataFolder

BRIEFING_LIMIT = 9500
"""UTF-16 code units a briefing never exceeds: Claude Code cuts a hook's output at 10,000 to a 2 KB preview."""

MAX_SETTINGS_BYTES = 1_000_000

DEFAULTS: dict[str, Any] = {
    "auto_memory": True,
    "auto_update": False,
    "briefing_chars": 6000,
    "checkpoint_tokens": 60_000,
    "excluded_paths": [],
    "narrative_upkeep": True,
    "project_aliases": {},
    "redact_patterns": [],
    "redact_transcripts": False,
    "transcripts_keep_days": 0,
    "transcripts_keep_mb": 0,
    "update_check": True,
}
"""Name -> default. docs/configuration.md describes each; a test holds the two together."""


CLOSED: dict[str, Any] = {"excluded_paths": ["/"]}
"""What is in force where the user's own exclusions cannot be read: every folder is excluded."""


class _Everything(list[str]):
    """CLOSED's exclusions, which know why they are in force and in which file that can be corrected."""

    __slots__ = ("path", "why")

    def __init__(self, why: str, path: str) -> None:
        super().__init__(CLOSED["excluded_paths"])
        self.why = why
        self.path = path


GUARDING = ("excluded_paths", "redact_patterns", "redact_transcripts")
"""Settings that keep something out of memory: where one of them is bad, CLOSED is in force."""

_ANY_CHARACTERS = ("a", "Z", "0", "-", "/", "é", ".", "_", "=")
_PLAIN_WORDS = ("the", "and", "x1", "main", "file", "memory", "settings", "function")
"""What no pattern for secrets fits most of."""

OFF = "memory is off: "

OFF_AT_ZERO = ("transcripts_keep_days", "transcripts_keep_mb")
"""Numbers of which 0, the default, means without end."""


def problem_of(name: str, value: object) -> str | None:
    """What is wrong with a setting, for its user to read; None for one that can be used."""
    default = DEFAULTS.get(name)
    if name not in DEFAULTS:
        return f"unknown setting {name!r}; remove it or see docs/configuration.md"
    if isinstance(default, bool):  # before int, which a bool is too
        if not isinstance(value, bool):
            return f"{name} must be true or false"
    elif isinstance(default, int):
        least = 0 if name in OFF_AT_ZERO else 1
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            return f"{name} must be a whole number, " + ("1 or more" if least else "0 or more; 0 keeps everything")
        if name == "briefing_chars" and value > BRIEFING_LIMIT:
            return f"briefing_chars is limited to {BRIEFING_LIMIT} by Claude Code"
    elif isinstance(default, list):
        return _problem_of_list(name, value)
    elif not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        return f"{name} must map names to names"
    return None


def _problem_of_list(name: str, value: object) -> str | None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return f"{name} must be a list of strings"
    if name == "excluded_paths" and not all(map(_can_be_path, value)):
        return f"{name} holds what no path has (a NUL, half a surrogate pair); correct it"
    return _bad_pattern(value) if name == "redact_patterns" else None


def _can_be_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _bad_pattern(patterns: list[str]) -> str | None:
    import re  # only where somebody has patterns of his own

    for pattern in patterns:
        try:
            compiled = re.compile(pattern)
            if compiled.match(""):
                return f"redact_patterns: {pattern!r} fits empty text, and so everything; make it more exact"
            if _fits_most(compiled, _ANY_CHARACTERS) or _fits_most(compiled, _PLAIN_WORDS):
                return f"redact_patterns: {pattern!r} fits nearly any text: nothing would be left; make it more exact"
        except (re.error, RecursionError, OverflowError) as error:
            return f"redact_patterns: {pattern!r} is no regular expression of Python's ({error})"
    return None


def _fits_most(pattern: re.Pattern[str], texts: tuple[str, ...]) -> bool:
    return 2 * sum(pattern.search(text) is not None for text in texts) > len(texts)


def read_settings(folder: DataFolder) -> tuple[dict[str, Any], list[str]]:
    """Every setting with its value, and one line per problem found (bad file, bad value, unknown name).

    Never raises: hooks run on the defaults where the file is missing or a value is bad. Where one of GUARDING cannot be
    read, everything is excluded: what the user wanted kept out must not slip in by a slip in the file. What is wrong
    with it then comes first and begins with OFF.
    """
    settings = dict(DEFAULTS)
    try:
        with files.open_plain(folder.settings) as file:
            raw = json.loads(file.read(MAX_SETTINGS_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return settings, []
    except (OSError, ValueError, RecursionError) as error:
        return _closed(folder, settings, [f"the settings cannot be read ({error})"], [])
    if not isinstance(raw, dict):
        return _closed(folder, settings, ["the settings are no JSON object"], [])
    problems: list[str] = []
    closing: list[str] = []
    for name, value in raw.items():
        problem = problem_of(name, value)
        if problem is None:
            settings[name] = value
        else:
            (closing if name in GUARDING else problems).append(problem)
            if name == "briefing_chars" and isinstance(value, int) and value > BRIEFING_LIMIT:
                settings[name] = BRIEFING_LIMIT
    return _closed(folder, settings, closing, problems) if closing else (settings, problems)


def _closed(
    folder: DataFolder, settings: dict[str, Any], closing: list[str], problems: list[str]
) -> tuple[dict[str, Any], list[str]]:
    """The settings with CLOSED in force, and the problems, those that close first."""
    settings = settings | {"excluded_paths": _Everything(closing[0], folder.settings)}
    return settings, [f"{OFF}{why}" for why in closing] + problems


def why_off(settings: dict[str, Any]) -> str | None:
    """Why CLOSED is in force, with the file to correct, in words that follow on OFF; None where it is
    not. settings: as read_settings gives them."""
    found = settings.get("excluded_paths")
    return f"{found.why}; correct {found.path}" if isinstance(found, _Everything) else None


def disabled_by_environment() -> bool:
    """True when LLM_MEMORY_DISABLE is set (not 0), or LLM_MEMORY_GUARD, which clients that we start ourselves carry."""
    return any(os.environ.get(name, "0") not in {"", "0"} for name in ("LLM_MEMORY_DISABLE", "LLM_MEMORY_GUARD"))

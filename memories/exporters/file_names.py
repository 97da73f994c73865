"""Names of files that every system takes and Obsidian can link to, made from titles."""

from __future__ import annotations

import re
import unicodedata

MAX_BYTES = 120
"""Of a name in UTF-8, with its suffix: well below the 255 of file systems and the 143 of encrypted home folders."""

_REFUSED = re.compile(r'[\\/:*?"<>|#^\[\]`%]')
"""What Windows refuses in names, and what ends or parts a wikilink."""

_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)
"""Names that mean a device on Windows, whatever follows after a dot."""


def name_of(title: str, room: int = MAX_BYTES) -> str:
    """A title as a file's name without suffix, of at most so many bytes; never empty."""
    text = title.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair has no bytes
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text)
    text = " ".join(_REFUSED.sub(" ", text).split()).strip(". -~$")
    text = f"_{text}" if _DEVICES.match(text) else text
    cut = text.encode("utf-8")[:room].decode("utf-8", "ignore")
    if " " in cut[len(cut) * 2 // 3 :] and text[len(cut) : len(cut) + 1].strip():
        cut = cut[: cut.rindex(" ")]  # no half of a word where one ends near
    cut = cut.rstrip(".,;: ")
    return cut or "untitled"


def key(name: str) -> str:
    """What is the same of two names that some file system takes for one (case, composed characters)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


class Names:
    """The names that are taken in one folder, on any system."""

    def __init__(self, taken: list[str]) -> None:
        """taken: names of what is there already and is not ours."""
        self._keys = {key(name) for name in taken}

    def take(self, name: str) -> bool:
        """Take a name; False where it is taken."""
        one = key(name)
        if one in self._keys:
            return False
        self._keys.add(one)
        return True

    def choose(self, title: str, suffix: str, digits: str, before: str = "") -> str:
        """Take the name that a title has, or with as many hex digits of its own id as make it another's no more.

        before: the name it had in an earlier export, which it keeps where that is one of these.
        """
        wanted = list(candidates(title, suffix, digits))
        if before in wanted and self.take(before):
            return before
        return next(name for name in wanted if self.take(name))


def candidates(title: str, suffix: str, digits: str) -> list[str]:
    """The names that a title may get, the best first. digits: 32 hex digits that are its own, some of them added where
    others have the title too."""
    room = MAX_BYTES - len(suffix.encode("utf-8"))
    names = [name_of(title, room) + suffix]
    names += [f"{name_of(title, room - count - 1)} {digits[:count]}{suffix}" for count in (8, 16, 32)]
    return names + [f"{digits} {number}{suffix}" for number in range(10)]

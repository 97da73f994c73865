"""Exports in this process, and a real reader of the pages that they make."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from memories.core import records
from memories.core.paths import DataFolder
from memories.core.settings import read_settings
from memories.exporters import reading
from memories.exporters.reading import Asked, Report
from tests.core.transcript_lines import Script

SECRET = "ghp_" + "R4nd0mT0k3nW1th36Ch4r4ct3rs" + "Xy7Qz9Lm"
"""What looks like a token; in two parts, so that no scanner takes this file for a leak."""

SHOP = {"project": "shop", "project_id": "git:example.org/shop"}
WIKILINK = re.compile(r"\[\[([^\]|#^]+)\|([^\]|]*)\]\]")
ADDRESSES = ("src", "href", "srcset", "action", "formaction", "data", "poster", "background", "xlink:href")


def export(folder: DataFolder, format: str, path: Path, **asked: Any) -> Report:
    """Export in a format to a path."""
    found = Asked(format, str(path), **asked)
    reading.check(folder, found)
    return reading.export(folder, found, None, read_settings(folder)[0])


def put(folder: DataFolder, **fields: Any) -> str:
    """A note with any fields, also such as no tool of ours would write; its uuid."""
    record = records.new_record(type="note", content="x")
    record.update(fields)
    records.save(folder, record)
    return str(record["uuid"])


def narrative(folder: DataFolder, text: str, created_at: str, **fields: Any) -> str:
    """A narrative of the shop; its uuid."""
    record = records.new_record(type="narrative", content=text, created_at=created_at, **SHOP)
    record.update(fields)
    records.save(folder, record)
    return str(record["uuid"])


def files_in(place: Path) -> dict[str, str]:
    """Path -> text of the Markdown files below a folder."""
    return {path.relative_to(place).as_posix(): path.read_text("utf-8") for path in sorted(place.rglob("*.md"))}


def manifest(place: Path) -> dict[str, Any]:
    """What the manifest of a Markdown folder lists."""
    found: dict[str, Any] = json.loads((place / ".llm-memory-export.json").read_text("utf-8"))["files"]
    return found


def assert_links_resolve(place: Path) -> None:
    """Every wikilink has its file."""
    for path, text in files_in(place).items():
        for target, _ in WIKILINK.findall(text):
            assert (place / f"{target}.md").is_file(), f"{path}: {target}"


class Page(HTMLParser):
    """A page as a browser reads it: tags with their attributes, ids, links within, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self._is_style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._is_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._is_style = False

    def handle_data(self, data: str) -> None:
        if not self._is_style:
            self.said.append(data)

    @property
    def text(self) -> str:
        """All that it says."""
        return " ".join("".join(self.said).split())

    @property
    def ids(self) -> list[str]:
        """The ids of its elements."""
        return [value for _, attrs in self.tags if (value := attrs.get("id"))]

    def assert_inert(self) -> None:
        """Nothing in it runs, loads or leads anywhere but to the web or to a place in it."""
        known = set(
            "html head meta title style body a header p h1 h2 h3 h4 h5 h6 main div nav ol ul li small section article "
            "strong span time code pre details summary dl dt dd footer em s del blockquote hr br table thead tbody tr "
            "th td".split()
        )
        assert {tag for tag, _ in self.tags} <= known
        for tag, attrs in self.tags:
            for name, value in attrs.items():
                assert not name.startswith("on"), (tag, attrs)
                assert name not in {"style", "srcdoc"}, (tag, attrs)
                if name in ADDRESSES:
                    assert tag == "a", attrs
                    assert re.match(r"(?:https?:|mailto:|#)", value or ""), attrs
        assert len(self.ids) == len(set(self.ids))
        inside = [value[1:] for tag, attrs in self.tags if (value := attrs.get("href") or "").startswith("#")]
        assert set(inside) <= set(self.ids)


def work(number: int = 1, *, output: str = "3 passed", failed: bool = False) -> Script:
    """A session with a request, thoughts, a tool with its output, and an answer."""
    script = Script("/p/shop", f"7b1e2f04-0000-4000-8000-{number:012x}")
    script.user("Add a **retry** to the uploader")
    script.assistant({"type": "thinking", "thinking": "A backoff would do."})
    call = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {"command": "pytest -q"}}
    script.assistant(call)
    result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": output, "is_error": failed}
    script.user([result])
    script.answer("Done: it **retries** three times.\n\n```python\nretry(3)\n```")
    return script

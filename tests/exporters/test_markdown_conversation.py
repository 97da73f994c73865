from __future__ import annotations

import re

from markdown_it import MarkdownIt

from memories.core import archived_sessions
from memories.core.paths import DataFolder
from memories.exporters import markdown_conversation
from memories.exporters.material import Session
from tests.dashboard.xss_payloads import PAYLOADS
from tests.exporters.exporting import work
from tests.memories.conversations import archive, archive_subagent, session_id, talk


def text_of(folder: DataFolder, *, agents: tuple[str, ...] = ()) -> str:
    """The session as Markdown."""
    names = [session_id(1), *(f"{session_id(1)}/{name}" for name in agents)]
    found = [archived_sessions.find(folder, name) for name in names]
    session = Session(session_id(1), None, None, 1_773_478_800, 1_773_478_860)
    pieces = markdown_conversation.pieces("A title", "shop", session, ["[[shop/Log|Log]]"], found)
    return b"".join(pieces).decode("utf-8")


def test_words_are_under_headings_and_tools_are_folded(folder: DataFolder) -> None:
    archive(folder, work(1))
    assert text_of(folder) == (
        f'---\nsession: "{session_id(1)}"\ntype: "conversation"\nproject: "shop"\ncreated: 2026-03-14T09:00:00\n'
        f'ended: 2026-03-14T09:01:00\naliases: ["{session_id(1)}"]\n---\n\n# A title\n\n- [[shop/Log|Log]]\n'
        "\n### You · 2026-03-14 09:00\n\n> Add a **retry** to the uploader\n"
        "\n### Claude · 2026-03-14 09:00\n\n> [!note]- `` Thinking: A backoff would do. ``\n> ```\n"
        "> A backoff would do.\n> ```\n>\n"
        "\n> [!example]- `` Bash: pytest -q ``\n> command:\n>\n> ```\n> pytest -q\n> ```\n>\n> Output:\n>\n> ```\n"
        "> 3 passed\n> ```\n>\n"
        "\nDone: it **retries** three times.\n\n```python\nretry(3)\n```\n"
    )


def test_a_failure_is_seen_and_fences_in_an_output_end_nothing(folder: DataFolder) -> None:
    archive(folder, work(1, output="```\n````\nE  AssertionError", failed=True))
    text = text_of(folder)
    assert "> [!failure]- `` Bash: pytest -q ``" in text
    assert "> Error:\n>\n> `````\n> ```\n> ````\n> E  AssertionError\n> `````\n" in text


def test_subagents_follow(folder: DataFolder) -> None:
    archive(folder, work(1))
    archive_subagent(folder, talk("look around", "nothing there", number=1), "a1")
    text = text_of(folder, agents=("agent-a1",))
    assert text.index("retry(3)") < text.index("## Subagent agent-a1\n") < text.index("> look around")
    assert "### Prompt" in text


def test_no_tool_s_text_is_markup(folder: DataFolder) -> None:
    parser = MarkdownIt("commonmark", {"html": True})
    payloads = [text for text in PAYLOADS if "\x00" not in text]
    for start in range(0, len(payloads), 20):
        script = talk("go", number=1)
        for number, payload in enumerate(payloads[start : start + 20]):
            call = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": payload}}
            script.assistant(call)
            script.user([{"type": "tool_result", "tool_use_id": f"t{number}", "content": f"{payload}\n{payload}"}])
        archive(folder, script)
        tokens = parser.parse(text_of(folder))
        kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or []}
        assert not {"html_block", "html_inline", "image", "link_open"} & kinds
    assert not re.search(r"\x1b", text_of(folder))

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.exporters import markdown_notes
from memories.exporters.material import Head
from memories.exporters.vault import Entry

UUID = "0f3c9a7d21b84e55a6c07e19d2f4b888"


def head(**fields: Any) -> Head:
    """A memory's head."""
    values = {
        "created_at": "2026-03-14T09:12:44", "importance": 8, "imported_from": None, "is_hidden": False,
        "project_id": None, "project_key": None, "session_id": None, "status": "active", "tags": None,
        "title": "A title", "type": "note", "updated_at": None, "uuid": UUID, **fields,
    }  # fmt: skip
    return Head(tuple(values[name] for name in Head.__slots__))


def parts(data: bytes) -> tuple[str, str]:
    """The front matter and the rest of a file."""
    _, front, rest = data.decode("utf-8").split("---\n", 2)
    return front, rest


def test_a_memory_as_a_file() -> None:
    memory = head(tags="decision, code review", session_id="s", imported_from="claude-mem")
    links = [("supersedes", "[[p/old|Old]]")]
    assert markdown_notes.note(memory, "orders-api", "Deploys go out on Tuesdays.", links).decode() == (
        f'---\nuuid: "{UUID}"\ntype: "note"\nproject: "orders-api"\ntags: ["decision", "code-review"]\nimportance: 8\n'
        f'created: 2026-03-14T09:12:44\nupdated: null\nstatus: "active"\naliases: ["{UUID}"]\nsession: "s"\n'
        'imported_from: "claude-mem"\n---\n\nDeploys go out on Tuesdays.\n\n## Links\n\n- supersedes [[p/old|Old]]\n'
    )


def test_a_superseded_memory_says_so() -> None:
    front, _ = parts(markdown_notes.note(head(is_hidden=True), "", "text", []))
    assert 'status: "superseded"\n' in front
    assert "project: null\n" in front


@given(st.text(), st.lists(st.text(st.characters(exclude_characters=","), min_size=1)), st.text(), st.text())
def test_a_yaml_parser_reads_back_what_was_written(project: str, tags: list[str], name: str, session: str) -> None:
    yaml = pytest.importorskip("yaml", reason="YAML SKIPPED: no PyYAML here; pip install pyyaml")
    memory = head(tags=",".join(tags), imported_from=name, session_id=session)
    front, _ = parts(markdown_notes.note(memory, project, "text", []))
    found = yaml.safe_load(front)
    assert found["uuid"] == UUID
    assert found["aliases"] == [UUID]
    assert found["project"] == (project or None)
    assert found.get("imported_from", "") == name
    assert found.get("session", "") == session
    assert found["importance"] == 8
    assert found["created"].isoformat() == "2026-03-14T09:12:44"
    wanted = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    assert found["tags"] == ["-".join(tag.split()) for tag in wanted]


@given(st.text())
def test_front_matter_is_one_line_for_each_property(text: str) -> None:
    front, _ = parts(markdown_notes.note(head(session_id=text or None), text, "text", []))
    assert len(front.splitlines()) == 9 + bool(text)


@given(st.text())
def test_no_title_ends_its_link(title: str) -> None:
    link = markdown_notes.wikilink("a/b.md", title)
    assert link.startswith("[[a/b|")
    inside = link[2:-2]
    assert inside.count("|") == 1
    assert not set(inside) & set("[]<>\n\r")


@pytest.mark.parametrize(
    ("content", "end"),
    [
        ("```\ncode", "\n```"),
        ("~~~~py\n```\ncode\n~~~", "\n~~~~"),
        ("```\ncode\n```", ""),
        ("```code``` in a line", ""),
        ("    ```", ""),
        ("> ```\n> code", ""),
    ],
)
def test_code_that_never_ends_ends_with_its_memory(content: str, end: str) -> None:
    assert markdown_notes.closed(content) == content + end


def test_an_index_has_the_narrative_first_and_months_where_there_are_several() -> None:
    found = [
        ("p/Note.md", Entry("note", "1" * 32, "Note", "2026-03-14T09:12:44")),
        ("p/Later.md", Entry("note", "2" * 32, "Later", "2026-04-01T00:00:00")),
        ("p/p.md", Entry("narrative", "3" * 32, "The story", "2026-04-02T00:00:00")),
        ("p/old.md", Entry("narrative", "4" * 32, "Old", "2026-01-02T00:00:00", hidden=True)),
    ]
    _, text = parts(markdown_notes.project_index("p", found))
    assert text == (
        "\n# p\n\n## Narrative\n\n- 2026-04-02 [[p/p|The story]]\n\n## Notes\n\n### 2026-04\n\n"
        "- 2026-04-01 [[p/Later|Later]]\n\n### 2026-03\n\n- 2026-03-14 [[p/Note|Note]]\n\n"
        "## Archived and superseded\n\n- 2026-01-02 [[p/old|Old]]\n"
    )

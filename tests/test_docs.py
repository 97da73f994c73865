"""The documentation against the code: what there is is documented, and what is documented is there."""

from __future__ import annotations

import ast
import asyncio
import importlib
import json
import re
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp_types import Tool

from hooks import claude_settings, dispatch
from mcp_bridge import completions, prompts, resources, schemas
from mcp_bridge.context import BackgroundSync
from mcp_bridge.server import build_server
from memories import urls
from memories.core import records
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from memories.terminal import table

ROOT = Path(__file__).resolve().parent.parent
CODE = ("memories", "hooks", "mcp_bridge", "llm_memory_site")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text("utf-8")
EVERYTHING = "\n".join(page.read_text("utf-8") for page in PAGES)
TOP_LEVEL = ("memories/", "hooks/", "mcp_bridge/", "llm_memory_site/", "tests/", "docs/", "bench/", "scripts/", ".ci/")
CODE_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
MACHINE_PATH = re.compile(r"/tmp/|/root/")


def doc(name: str) -> str:
    """The text of docs/<name>."""
    return (ROOT / "docs" / name).read_text("utf-8")


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return [body for kind, body in CODE_BLOCK.findall(text) if kind == language]


def anchors(page: Path) -> set[str]:
    """The addresses of a page's headings, as GitHub makes them."""
    prose = CODE_BLOCK.sub("", page.read_text("utf-8"))
    titles = re.findall(r"^#{1,6} (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def sources() -> Iterator[Path]:
    """Every file of ours that may read an environment variable, the tests excepted."""
    yield from (ROOT / "install.sh", ROOT / "scripts" / "test", ROOT / "manage.py")
    for package in (*CODE, "bench"):
        yield from (ROOT / package).rglob("*.py")


def all_tools(folder: DataFolder) -> list[Tool]:
    server = build_server(folder, BackgroundSync(folder))
    return list(asyncio.run(server.list_tools()))


def section(text: str, title: str) -> str:
    """The text below a heading `## title`, up to the next one of that level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title!r}"
    return found[1]


def first_column(table: str) -> set[str]:
    """What stands in backticks at the beginning of a table's rows."""
    return set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(table.COMMANDS))
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"`{name}\b", README)


def test_every_tool_has_a_section_that_names_its_arguments(folder: DataFolder) -> None:
    for tool in all_tools(folder):
        row = re.search(rf"^\| \[`{tool.name}`\].*$", doc("tools.md"), re.MULTILINE)
        assert row, f"{tool.name} is not in the table"
        named = set(re.findall(r"`(\w+)`", row[0])) - {tool.name}
        assert named == set(tool.input_schema.get("properties", {})), tool.name
        needs = set(re.findall(r"`(\w+)`", row[0].split("|")[2]))
        assert needs == set(tool.input_schema.get("required", [])), tool.name
        assert section(doc("tools.md"), tool.name)


def test_no_tool_is_documented_that_is_not_there(folder: DataFolder) -> None:
    titles = re.findall(r"^## (\w+)$", doc("tools.md"), re.MULTILINE)
    assert sorted(titles) == sorted([*(tool.name for tool in all_tools(folder)), "Resources", "Prompts", "Completions"])


def test_the_resources_prompts_and_completions_documented_are_those_there_are() -> None:
    templates = {one.uri_template for one in resources.TEMPLATES}
    assert first_column(section(doc("tools.md"), "Resources")) == templates
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)`", section(doc("tools.md"), "Prompts"), re.MULTILINE)
    assert rows == [(one.name, argument.name) for one in prompts.PROMPTS for argument in one.arguments or []]
    table = section(doc("tools.md"), "Completions")
    for of, argument in completions.OF_PROMPTS | completions.OF_TEMPLATES:
        assert re.search(rf"^\| .*`{argument}` of .*`{re.escape(of)}`", table, re.MULTILINE), of


@pytest.mark.parametrize(
    ("tool", "answer"),
    [
        ("memory_store", schemas.StoreAnswer),
        ("memory_search", schemas.ListAnswer),
        ("memory_recent", schemas.ListAnswer),
        ("memory_connect", schemas.ConnectAnswer),
        ("memory_explore", schemas.ExploreAnswer),
        ("memory_delete", schemas.DeleteAnswer),
        ("narrative_coverage", schemas.CoverageAnswer),
    ],
)
def test_the_examples_of_a_tool_are_answers_it_can_give(tool: str, answer: Any) -> None:
    _, *answers = [json.loads(body) for body in blocks(section(doc("tools.md"), tool), "json")]
    assert answers
    for example in answers:
        required = {name for name, kind in answer.__annotations__.items() if "NotRequired" not in str(kind)}
        assert required <= set(example) <= set(answer.__annotations__)


def test_every_hook_event_is_described_with_its_timeout() -> None:
    text = doc("hooks.md")
    for event, (handler, timeout) in claude_settings.HOOK_EVENTS.items():
        assert f"| `{handler}` | `{event}` | {timeout} s |" in text
    for handler in dispatch.EVENTS:
        assert section(text, handler)


def test_the_hook_output_shown_is_what_the_hook_prints() -> None:
    from hooks import post_tool_use, pre_compact

    assert pre_compact.GUIDANCE + pre_compact.ARCHIVED in doc("hooks.md")
    example = json.loads(blocks(section(doc("hooks.md"), "post_tool_use"), "json")[0])
    assert example == json.loads(post_tool_use._reminder(60_000))


def test_every_setting_is_documented_with_its_default() -> None:
    table = section(doc("configuration.md"), "Settings")
    assert first_column(table) == set(DEFAULTS)
    for name, default in DEFAULTS.items():
        assert f"| `{name}` | `{json.dumps(default)}` |" in table


def test_the_settings_example_is_valid(folder: DataFolder) -> None:
    from memories.core.settings import read_settings

    Path(folder.settings).write_text(blocks(doc("configuration.md"), "json")[0], "utf-8")
    assert read_settings(folder)[1] == []


def test_every_environment_variable_that_the_code_reads_is_documented() -> None:
    text = "\n".join(path.read_text("utf-8") for path in sources())
    read = set(re.findall(r"\bLLM_MEMORY_[A-Z]+\b", text))
    read |= set(re.findall(r'environ(?:\.get\(|\[)"(CLAUDE_[A-Z_]+)"', text))
    read |= set(re.findall(r'env\.get\("(CLAUDE_[A-Z_]+)"', text))
    assert first_column(section(doc("configuration.md"), "Environment variables")) == read


def test_every_module_is_in_the_module_map() -> None:
    text = section(doc("architecture.md"), "Modules")
    named = set(re.findall(r"`([\w./]+)`", text))
    for package in ("memories", "memories/core", "hooks", "mcp_bridge"):
        for path in (ROOT / package).glob("*.py"):
            if path.stem not in {"__init__", "apps"}:
                assert path.name in named, page_id(path)


def test_every_field_of_a_new_record_is_documented() -> None:
    fields = set(records.new_record(type="note", content="A heron stood in the reeds."))
    written_later = {"archived_in", "conflict_of", "updated_at", "deleted_at", "imported_from"}
    of_auto_memory = {"source_path", "source_sha256"}
    of_importers = {"imported_hash", "imported_fields"}
    of_narratives = {"processed_bytes", "processed_turns", "accepted_losses"}
    of_session_logs = {"turns", "entrypoint"}
    assert (
        first_column(section(doc("records.md"), "Reading"))
        == fields | written_later | of_narratives | of_session_logs | of_auto_memory | of_importers
    )


def test_the_example_record_is_one() -> None:
    records.validate(json.loads(blocks(doc("records.md"), "json")[0]))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(CODE_BLOCK.sub("", page.read_text("utf-8"))):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        found = page.parent / path if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_file_of_the_project_that_is_named_exists(page: Path) -> None:
    for name in re.findall(r"`([\w./-]+)`", page.read_text("utf-8")):
        if name.startswith(TOP_LEVEL) or (name.endswith(".sh") and "/" not in name):
            assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_no_page_names_paths_of_a_developers_machine(page: Path) -> None:
    assert not MACHINE_PATH.search(page.read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_json_example_is_json(page: Path) -> None:
    for body in blocks(page.read_text("utf-8"), "json"):
        json.loads(body)


def test_every_decision_is_in_the_list_of_decisions() -> None:
    listed = LINK.findall(doc("adr/README.md"))
    assert listed == sorted(path.name for path in (ROOT / "docs" / "adr").glob("0*.md"))


def shell_lines() -> list[str]:
    """The lines of the pages' shell blocks, and the commands in backticks."""
    lines = [line for page in PAGES for body in blocks(page.read_text("utf-8"), "sh") for line in body.splitlines()]
    inline = re.findall(r"`((?:llm-memory|\./install\.sh|\./scripts/test)(?:[ -][^`]*)?)`", EVERYTHING)
    return sorted({*filter(None, lines), *(line for line in inline if line)})


@pytest.mark.parametrize("line", shell_lines())
def test_a_shown_command_is_one_that_works(line: str) -> None:
    program, *words = shlex.split(re.sub(r"\[[^\]]*\]", "", line))
    if program == "llm-memory" and words[:1] == ["help"]:
        assert set(words[1:]) <= {*table.COMMANDS, "COMMAND"}
    elif program == "llm-memory" and words and words[0] != "COMMAND":
        parser = parser_of(words[0])
        parser.parse_args(words[1:] or ["8765"] * _required(parser))
    elif program == "./install.sh":
        usage = (ROOT / "install.sh").read_text("utf-8")
        assert [word for word in words if not re.search(rf"^ +{word}[ )|]", usage, re.MULTILINE)] == []
    elif program == "claude":
        assert words[0] == "plugin", "what tests/e2e/test_plugin.py runs with the real client"
    else:
        assert program in {"llm-memory", "llm-memory-dashboard", "./scripts/test"}


def parser_of(name: str) -> ArgumentParser:
    """The parser of a command, ours or Django's."""
    command = importlib.import_module(table.module(name)).Command()
    if table.is_plain(name):
        plain: ArgumentParser = command.parser(f"llm-memory {name}")
        return plain
    of_django: ArgumentParser = command.create_parser("llm-memory", name)
    return of_django


def _required(parser: ArgumentParser) -> int:
    """The arguments that a mention of a command's name leaves out."""
    return sum(action.required and not action.option_strings for action in parser._actions)


def test_the_doctors_and_errors_hints_name_commands_that_exist() -> None:
    for path in sources():
        if path.suffix == ".py":
            texts = [n.value for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Constant)]
            for text in (text for text in texts if isinstance(text, str)):
                for name in re.findall(r"`llm-memory ([a-z_-]+)", text):
                    assert name in {*table.COMMANDS, *table.HIDDEN, "help"}, f"{page_id(path)}: {name}"


def test_every_page_and_key_of_the_dashboard_is_documented() -> None:
    text = doc("dashboard.md")
    for pattern in urls.urlpatterns:
        address = "/" + str(pattern.pattern).partition("<")[0]
        assert f"`{address}" in text or pattern.name in {"fresh", "graph_data", "checks"}, address  # parts of pages
    keys = (ROOT / "templates/dashboard/_keys.html").read_text("utf-8")
    for row in re.findall(r"<dt>(.*?)</dt>", keys):
        pressed = re.findall(r"<kbd>(.*?)</kbd>", row)
        assert f"`{' '.join(pressed)}`" in text or "` `".join(pressed) in text, pressed

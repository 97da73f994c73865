"""Targets: record files, settings.json, and the merging of two machines' rules and settings."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from memories.core import config_merge, mirror_rows, projects, record_merge, records, redact, settings, words
from memories.core.errors import InvalidRecordError
from tests.fuzz import home as homes
from tests.fuzz.draw import Draw, is_structured, to_json

UUID = "a" * 32
OTHER = "b" * 32
MOST_VERSIONS = 3
_TIMES = (
    "2026-01-01T00:00:00", "2026-01-02T00:00:00", "2026-01-01T02:00:00+02:00", "1970-01-01T00:00:00",
    "0001-01-01T00:00:00", "9999-12-31T23:59:59", "2026-02-30T00:00:00", "2026-01-01", "2026-01-01T00:00:00.999999Z",
)  # fmt: skip
_WORDS = (
    "deploy", "Tuesday", "# Decisions", "orders-api", "billing, deploy", '["x"]', "[22c27cac:12]", "ghp_" + "a" * 36,
    "<private>", "</private>", "password=hunter22", "2026-01-01", UUID, "/home/user/.claude/projects/-x/y.jsonl",
)  # fmt: skip


def _link(draw: Draw) -> dict[str, Any]:
    kept = record_merge.kept_uuid(UUID, "first")
    return {"to_uuid": draw.one_of((OTHER, UUID, kept)), "relationship": draw.one_of(records.RELATIONSHIPS)}


_FIELDS: dict[str, Any] = {
    "schema_version": lambda draw: 1,
    "uuid": lambda draw: UUID,
    "type": lambda draw: draw.one_of(records.TYPES),
    "content": lambda draw: draw.text(("first", "second", *_WORDS)) or "first",
    "project": lambda draw: draw.one_of(("orders-api", "billing")),
    "project_id": lambda draw: draw.one_of((None, "git:host/a/b", "path:/a")),
    "session_id": lambda draw: draw.one_of((None, homes.SESSION)),
    "importance": lambda draw: draw.one_of((5, 1, 10, None)),
    "transcript_ref": lambda draw: draw.one_of((None, "a", "b, a", '["b", "c"]', '["c", "b"]', "", "x\ny", "[broken")),
    "tags": lambda draw: draw.one_of((None, "deploy", " deploy , billing", "", " , ")),
    "created_at": lambda draw: draw.one_of(_TIMES),
    "connections": lambda draw: [_link(draw) for _ in range(draw.below(3))],
    "status": lambda draw: draw.one_of(("active", "archived", None)),
    "updated_at": lambda draw: draw.one_of((None, *_TIMES)),
    "origin": lambda draw: draw.one_of((None, "laptop", "workstation")),
}
_FURTHER = (
    "archived_in", "deleted_at", "conflict_of", "imported_from", "turns", "entrypoint", "processed_bytes", "mood",
)  # fmt: skip


def record(data: bytes) -> None:
    """Record files: parsed or refused with a reason, written back as the same bytes, merged by the laws of a join."""
    versions = [found for text in _record_texts(data) if (found := _parsed(text)) is not None]
    if len(versions) == 1:
        _check_merge([versions[0], versions[0]])
    elif versions:
        _check_merge(versions)


def _record_texts(data: bytes) -> list[bytes]:
    """Up to three versions; raw ones are separated by NUL, which JSON has nowhere."""
    if not is_structured(data):
        return data.split(b"\0")[:MOST_VERSIONS]
    draw = Draw(data[1:])
    texts = []
    for _ in range(1 + draw.below(MOST_VERSIONS)):
        made = draw.altered(_FIELDS, _WORDS)
        for name in [draw.one_of(_FURTHER) for _ in range(draw.below(3))]:
            made[name] = draw.value((*_FURTHER, "a"), (*_WORDS, *_TIMES))
        texts.append(to_json(made, draw))
    return texts


def _parsed(text: bytes) -> dict[str, Any] | None:
    for parse in (records.parse_tombstone, records.parse):
        try:
            found = parse(text, UUID)
        except InvalidRecordError as error:
            assert str(error), "an error without a reason"
            continue
        _check_one(found)
        return found
    return None


def _check_one(found: dict[str, Any]) -> None:
    written = records.dump(found)
    again = records.parse(written, UUID)
    assert records.dump(again) == written, "writing what was read does not give the same bytes"
    records.valid_connections(found)
    records.session_refs(found.get("transcript_ref"))
    records.tag_list(found.get("tags"))
    assert 0 <= records.last_edit(found) <= records.LAST_SECOND or found["created_at"] < "1970"
    connection = _row_table()
    mirror_rows.write_row(connection, found, fresh=False)
    connection.rollback()
    projects.fold_name(mirror_rows.clean(found.get("project") or ""))
    words.extras(mirror_rows.clean(found["content"]))
    redact.Redactor().record(again)
    records.validate(again)


def _row_table() -> Any:
    import sqlite3

    from memories.core import mirror_schema

    if "table" not in _made:
        _made["table"] = sqlite3.connect(":memory:")
        for statement in mirror_schema.statements():
            _made["table"].execute(statement)
        _made["table"].commit()
    return _made["table"]


_made: dict[str, Any] = {}


def _joined(states: list[dict[str, Any]]) -> dict[str, bytes]:
    """What folders with these records come to: uuid -> bytes, kept contents joined under their own uuids."""
    result: dict[str, dict[str, Any]] = {}
    waiting = list(states)
    while waiting:
        uuid = waiting[0]["uuid"]
        same = [one for one in waiting if one["uuid"] == uuid] + ([result[uuid]] if uuid in result else [])
        merged = record_merge.merge(same)
        result[uuid] = merged.record
        waiting = [one for one in waiting if one["uuid"] != uuid] + merged.kept
    own = record_merge.kept_uuid(UUID, result[UUID]["content"])
    return {uuid: records.dump(one) for uuid, one in result.items() if uuid != own}


def _check_merge(versions: list[dict[str, Any]]) -> None:
    before = [records.dump(version) for version in versions]
    at_once = _joined(versions)
    for order in itertools.permutations(versions):
        assert _joined(list(order)) == at_once, "the order of versions makes a difference"
    first, *rest = versions
    kept = record_merge.merge([first, rest[0]])
    assert _joined([kept.record, *kept.kept, *rest[1:]]) == at_once, "merging in steps makes a difference"
    merged = [records.parse(text, uuid) for uuid, text in at_once.items()]
    assert _joined([*merged, *versions]) == at_once, "merging again makes a difference"
    assert [records.dump(version) for version in versions] == before, "merging changed what it was given"


_SETTINGS_WORDS = ("/home/user/private", "~/x/**", "(", "a+", "\\bKEY-\\w+", "orders", "git:host/a/b", "true")


def _settings_texts(data: bytes) -> list[bytes]:
    if not is_structured(data):
        return data.split(b"\0")[:MOST_VERSIONS]
    draw = Draw(data[1:])
    texts = []
    for _ in range(1 + draw.below(MOST_VERSIONS)):
        made = {}
        for name in [draw.one_of((*settings.DEFAULTS, "unheard_of")) for _ in range(draw.below(5))]:
            default = settings.DEFAULTS.get(name)
            usual = (default, not default, 1, 9500, [draw.text(_SETTINGS_WORDS)], {"a": draw.text(_SETTINGS_WORDS)})
            is_usual = draw.below(3) > 0
            made[name] = draw.one_of(usual) if is_usual else draw.value(("a", "b"), _SETTINGS_WORDS)
        texts.append(to_json(made, draw))
    return texts


def settings_file(data: bytes) -> None:
    """settings.json: never an exception, every value usable, everything excluded where a guarding one is not; joins."""
    home = homes.home("settings")
    texts = _settings_texts(data)
    for text in texts:
        Path(home.folder.settings).write_bytes(text)
        found, problems = settings.read_settings(home.folder)
        assert set(found) == set(settings.DEFAULTS)
        bad = [name for name in found if settings.problem_of(name, found[name])]
        assert not bad, f"unusable values are in force: {bad}"
        guarded = found["excluded_paths"] == settings.CLOSED["excluded_paths"]
        assert guarded or not any(line.startswith(settings.GUARDING) for line in problems), problems
        redact.redactor(found)
        projects.identify(home.project, found)
    objects = [text for text in texts if _is_object(text)]
    if objects:
        _check_join(objects)


def _is_object(text: bytes) -> bool:
    try:
        config_merge.parse_settings(text)
    except (ValueError, RecursionError):
        return False
    return True


def _check_join(texts: list[bytes]) -> None:
    merged = config_merge.merge_settings_texts(texts)
    for order in itertools.permutations(texts):
        assert config_merge.merge_settings_texts(order) == merged, "the order of versions makes a difference"
    for text in (*texts, merged):
        assert config_merge.merge_settings_texts([merged, text]) == merged, "merging again makes a difference"
    lost = set().union(*map(config_merge.parse_settings, texts)) - set(config_merge.parse_settings(merged))
    assert not lost, f"settings are gone: {lost}"


_RULE_LINES = (
    "# Rules\n", "Be brief.\n", "Use tabs.\n", "\n", "```\n", "```python\n", "~~~\n", "code\n", "- one\n",
    "  - two\n", "Be brief.", "Be brief.\r\n", "   \n", "## More\n", "````\n",
)  # fmt: skip


def rules_text(data: bytes) -> None:
    """config/CLAUDE.md of up to three machines: no line is lost; order and merging again make no difference."""
    if is_structured(data):
        draw = Draw(data[1:])
        counts = [draw.below(10) for _ in range(1 + draw.below(MOST_VERSIONS))]
        texts = ["".join(draw.one_of(_RULE_LINES) for _ in range(count)).encode() for count in counts]
    else:
        texts = data.split(b"\0")[:MOST_VERSIONS]
    merged = config_merge.merge_texts(texts, ())
    for order in itertools.permutations(texts):
        assert config_merge.merge_texts(order, ()) == merged, "the order of versions makes a difference"
    for text in (*texts, merged):
        assert config_merge.merge_texts([merged, text], ()) == merged, "merging again makes a difference"
    here = {line.rstrip() for line in merged.splitlines()}
    lost = {line.rstrip() for text in texts for line in text.splitlines()} - here - {b""}
    assert not lost, f"lines are gone: {lost}"


def redaction(data: bytes) -> None:
    """Redaction: spans in order and within the text, nothing found a second time, no part of a token left."""
    if is_structured(data):
        draw = Draw(data[1:])
        text = draw.text(_WORDS) + draw.text(_WORDS)
    else:
        text = data.decode("utf-8", "surrogateescape" if data[-1:] == b"\xff" else "replace")
    for redactor in (redact.Redactor(), redact.Redactor([r"KEY-(\w+)", r"(?i)\bhush\b"])):
        spans = redactor.spans(text)
        ends = [0, *(end for _, end, _ in spans)]
        assert all(end <= start < stop for end, (start, stop, _) in zip(ends, spans, strict=False))
        assert not spans or spans[-1][1] <= len(text)
        shown = redactor.text(text)
        assert shown == text or spans
        assert redactor.text(shown) == shown, "redacting again changes it"

"""The targets by name. Each takes any bytes and raises where the property in its docstring does not hold."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz import of_bundles, of_hooks, of_mcp, of_records, of_search, of_syncthing, of_texts, of_transcripts

Target = Callable[[bytes], None]

TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        of_records.record,
        of_records.settings_file,
        of_records.rules_text,
        of_records.redaction,
        of_transcripts.transcript,
        of_hooks.hook_payload,
        of_search.search_query,
        of_syncthing.syncthing_answers,
        of_syncthing.syncthing_files,
        of_bundles.import_bundle,
        of_texts.narrative,
        of_texts.markdown_page,
        of_mcp.mcp_lines,
    )
}

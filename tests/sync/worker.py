"""Run by a machine's installed interpreter: one operation a line on stdin (JSON), its answer on stdout.

    python -I worker.py LIB

What has a tool goes through the services that the tools call; an edit goes through records.update, as every edit does.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    """Serve until stdin ends."""
    lib = sys.argv[1]
    sys.path.insert(0, lib)
    os.environ.update(LLM_MEMORY_HOME=os.path.dirname(lib), DJANGO_SETTINGS_MODULE="llm_memory_site.settings")
    import django

    django.setup()
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answer(request.pop("do"), request)), flush=True)


def answer(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """What an operation gave; {"error"} where the product refused it."""
    from memories import services
    from memories.core.errors import LLMMemoryError
    from memories.core.paths import data_folder

    folder = data_folder()
    try:
        if operation == "store":
            return services.memory_store(folder, services.Session(), **request)
        if operation == "connect":
            return services.memory_connect(folder, request["from_uuid"], request["to_uuid"], request["relationship"])
        if operation == "delete":
            return services.memory_delete(folder, request["uuid"])
        if operation == "restore":
            return services.memory_restore(folder, request["uuid"])
        if operation == "edit":
            return edit(folder, request["uuid"], request["fields"])
    except LLMMemoryError as error:
        return {"error": str(error)}
    raise ValueError(operation)


def edit(folder: Any, uuid: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Change fields of a record, as a tool does that edits one; its content as it was `before`."""
    from memories.core import mirror, records

    before = []

    def change(record: dict[str, Any]) -> bool:
        before.append(record["content"])
        record.update(fields)
        return True

    with records.lock(folder):
        records.update(folder, uuid, change)
    mirror.apply_records(folder, [uuid])
    return {"before": before[0]}


if __name__ == "__main__":
    main()

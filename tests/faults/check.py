"""What must be true after a fault, looked at by fresh processes: findings are sentences, none when all is well."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memories.core import forgotten, mirror, records, redaction, transcripts
from memories.core.errors import InvalidRecordError, MirrorUnavailableError
from memories.core.session_logs import log_uuid
from tests.faults.forks import HangsError

if TYPE_CHECKING:
    from memories.core.paths import DataFolder
    from tests.faults.home import Home
    from tests.faults.operations import Expected
    from tests.mcp_bridge.client import Server


def at_once(home: Home) -> list[str]:
    """What the dead process left, before anything repairs it: no partial file that reads as a whole one."""
    return [*_unreadable(home.folder), *_half_archives(home)]


def _unreadable(folder: DataFolder) -> list[str]:
    found = []
    for place, parse in ((folder.records, records.parse), (folder.trash, records.parse_tombstone)):
        for name in os.listdir(place):
            if name.endswith(".json") and not name.startswith(".") and records.is_uuid(name[:-5]):
                try:
                    parse(records.read_file(os.path.join(place, name))[0], name[:-5])
                except InvalidRecordError as error:
                    found.append(f"partial: {name} in {os.path.basename(place)}: {error}")
    return found


def _half_archives(home: Home) -> list[str]:
    """Archives that are called complete and are not, or hold what their source does not."""
    found = []
    for source in transcripts.iter_sources(str(home.projects_dir)):
        archive = Path(transcripts.archive_path(home.folder, source.session_id))
        if not archive.exists():
            continue
        whole, kept = Path(source.path).read_bytes(), archive.read_bytes()
        if transcripts.is_archived(home.folder, source) and kept != whole:
            found.append(f"partial: the archive of {source.session_id} is called complete and is not")
    return found


def after(home: Home, expected: Expected) -> list[str]:
    """What a server finds, then what a sync repairs and leaves behind."""
    try:
        found = by_search(home, expected)
        done = home.command("sync")
        if done.code:
            found.append(f"the next sync failed: {done.stderr[-300:]}")
    except HangsError as error:
        return [f"hangs: {error}"]
    return [
        *found,
        *at_once(home),
        *_archives(home),
        *_still_there(home, expected),
        *left_behind(home),
        *_index(home),
        *_doctor(home),
    ]


def by_search(home: Home, expected: Expected) -> list[str]:
    """What a fresh server's search says that it must not say."""
    found = []
    with home.server() as server:
        for word, text in expected.found.items():
            answer = server.call("memory_search", query=word, limit=20)
            hits = answer.structured.get("results", [])
            if not any(word in hit["content"] and text in hit["content"] for hit in hits):
                found.append(f"lost: no search finds {word!r}{': ' + answer.text if answer.is_error else ''}")
        found += [f"came back: {word!r}" for word in expected.hidden if _finds(server, word)]
    gone = [word for word in expected.either if not _is_somewhere(home.folder, word)]
    return [*found, *(f"lost: {word!r} is neither a record nor in the trash" for word in gone)]


def _finds(server: Server, word: str) -> bool:
    return any(word in hit["content"] for hit in server.ask("memory_search", query=word)["results"])


def _is_somewhere(folder: DataFolder, word: str) -> bool:
    for place in (folder.records, folder.trash):
        for name in os.listdir(place):
            if records.is_uuid(name[:-5]) and word in Path(place, name).read_text(encoding="utf-8"):
                return True
    return False


def _still_there(home: Home, expected: Expected) -> list[str]:
    """Files with text that must be nowhere any more."""
    found = []
    for base, _, names in os.walk(home.folder.root):
        for name in names:
            data = Path(base, name).read_bytes()
            found += [f"still there: {text!r} in {name}" for text in expected.without if text in data]
    return found


def _archives(home: Home) -> list[str]:
    """Every session is archived after a sync, but for those that were forgotten, of which there is nothing."""
    found = []
    for source in transcripts.iter_sources(str(home.projects_dir)):
        session_id = source.session_id
        archive = Path(transcripts.archive_path(home.folder, session_id))
        beside = Path(home.folder.transcripts, session_id)
        kept = [archive, *beside.glob("diverged-*.jsonl")]
        whole = Path(source.path).read_bytes()
        is_kept = any(path.exists() and path.read_bytes() == whole for path in kept)
        if forgotten.kind_of(home.folder, session_id) == forgotten.FORGOTTEN:
            if (
                archive.exists()
                or beside.exists()
                or os.path.exists(records.record_path(home.folder, log_uuid(session_id)))
            ):
                found.append(f"came back: {session_id} was forgotten")
        elif not is_kept:
            found.append(f"lost: the transcript of {session_id} is not archived after a sync")
    return found


def left_behind(home: Home, seconds: float = 20.0) -> list[str]:
    """Temp files, processes and locks that nobody has any more."""
    found = [f"left behind: process {pid}" for pid in home.left_running(seconds)]
    for _, _, names in os.walk(home.folder.root):
        found += [f"left behind: {name}" for name in names if ".tmp-" in name or name.endswith("-journal")]
    staged = [name for name in os.listdir(home.folder.state) if name.startswith(("import-", "trial-", "bundle"))]
    found += [f"left behind: state/{name}" for name in staged]
    for name in os.listdir(home.folder.state):
        if name.endswith(".lock"):
            descriptor = os.open(os.path.join(home.folder.state, name), os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                found.append(f"left behind: {name} is held")
            finally:
                os.close(descriptor)
    return found


def _index(home: Home) -> list[str]:
    """The mirror is sound and says what the files say."""
    try:
        connection = mirror.connect(home.folder.mirror)
    except MirrorUnavailableError as error:
        return [f"the index is not repaired: {error}"]
    try:
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
        connection.execute("INSERT INTO memory_fts (memory_fts, rank) VALUES ('integrity-check', 1)")
        rows = dict(connection.execute("SELECT uuid, content FROM memory").fetchall())
    finally:
        connection.close()
    redactor = redaction.of(home.folder)
    on_disk = {
        name[:-5]: redactor.text(json.loads(Path(home.folder.records, name).read_bytes())["content"])
        for name in os.listdir(home.folder.records)
        if records.is_uuid(name[:-5])
    }
    found = [] if said == "ok" else [f"the index is damaged: {said}"]
    return found if rows == on_disk else [*found, "the index differs from the records"]


def _doctor(home: Home) -> list[str]:
    """Failures that doctor names; those of a home without an installed Claude Code are no fault's."""
    done = home.command("doctor", "--json")
    if "Traceback" in done.stderr:
        return [f"doctor crashed: {done.stderr[-300:]}"]
    return [f"doctor: {one['name']}: {one['text']}" for one in faults_named(json.loads(done.stdout))]


def faults_named(report: Any) -> list[dict[str, str]]:
    """doctor's findings (--json) that are about the memory itself and are not well."""
    ours = {"data folder", "settings", "index", "records", "conflict copies", "conversations", "round trip", "disk"}
    return [
        check
        for check in report["checks"]
        if (check["status"] != "ok" and check["name"] in ours)
        or (check["status"] == "fail" and check["name"] in ("permissions", "left behind"))
    ]

"""Is there a newer version? Asks the address that an installation came from and notes the answer."""

from __future__ import annotations

from memories.core import clock, redaction, update_state
from memories.core.errors import UpdateError
from memories.update import addresses, git_source, release_source, versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from memories.core.paths import DataFolder


class Source:
    """Where versions come from. repo: the address, without credentials. kind: addresses.GIT, RELEASE or FOLDER."""

    __slots__ = ("kind", "repo")

    def __init__(self, repo: str, kind: str) -> None:
        self.repo = repo
        self.kind = kind


class Available:
    """What a source has. found: version -> its commit (git) or checksum (release). head: git's HEAD."""

    __slots__ = ("found", "head")

    def __init__(self, found: dict[str, str], head: str = "") -> None:
        self.found = found
        self.head = head

    @property
    def newest(self) -> str:
        """The greatest version, "" where none has a number."""
        return versions.newest(list(self.found))

    def commit(self, where: Source) -> str:
        """The commit of the newest version, HEAD's where there is none; "" in a release folder."""
        if self.newest:
            return self.found[self.newest] if where.kind == addresses.GIT else ""
        return self.head


def source(folder: DataFolder, environ: Mapping[str, str]) -> Source:
    """$LLM_MEMORY_REPO, else what the install noted."""
    named = environ.get("LLM_MEMORY_REPO", "")
    if named:
        return Source(named if "://" in named else addresses.cleaned(named) or named, addresses.kind_of(named))
    about = update_state.installed(folder)
    return Source(about.get("repo", ""), about.get("kind", addresses.FOLDER))


def ask(where: Source) -> Available:
    """What there is. Raises UpdateError."""
    addresses.check(where.repo, where.kind)
    if where.kind == addresses.RELEASE:
        return Available(release_source.ask(where.repo))
    remote = git_source.ask(where.repo)
    if not remote.tags and not remote.head:
        raise UpdateError(f"{addresses.cleaned(where.repo)} has neither a version nor a commit: look at the address.")
    return Available(remote.tags, remote.head)


def check(folder: DataFolder, where: Source) -> dict[str, Any]:
    """Ask, and keep the answer in state/update.json; the notes. A failure is kept as `error` and not raised."""
    said: dict[str, Any] = {"checked_at": clock.now(), "error": ""}
    try:
        found = ask(where)
    except UpdateError as error:
        said["error"] = redaction.of(folder).text(addresses.without_credentials(str(error)))
    else:
        repo = addresses.cleaned(where.repo)
        said |= {"seen_at": said["checked_at"], "repo": repo, "newest": found.newest, "commit": found.commit(where)}
    notes = update_state.read(folder) | said
    update_state.save(folder, notes)
    return notes

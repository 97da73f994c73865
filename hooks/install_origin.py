"""Where newer versions of an installation are: what install.json says of the clone or release that it was made from."""

from __future__ import annotations

import os
import re

from memories.core.errors import UpdateError
from memories.core.git_folders import find_repository, origin_url
from memories.update import addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
SECONDS = 10.0


def origin(clone: str, environ: Mapping[str, str]) -> dict[str, str]:
    """repo (an address, without credentials), commit and kind (addresses.GIT, RELEASE, FOLDER); "" for what is unknown.
    head too where the clone has commits that the HEAD it knows of the remote has not: that HEAD is none to offer as
    newer.

    $LLM_MEMORY_REPO, else the remote `origin` of the clone; a folder without either is asked for nothing later.
    clone: the folder with the source, "" for unknown.
    """
    is_clone = bool(clone) and os.path.exists(os.path.join(clone, ".git"))
    repo = addresses.cleaned(environ.get("LLM_MEMORY_REPO", ""))
    kind = addresses.kind_of(repo)
    if not repo and is_clone:
        repository = find_repository(os.path.realpath(clone), "/")
        repo = addresses.cleaned((origin_url(repository) or "") if repository is not None else "", clone)
        kind = addresses.GIT if repo else addresses.FOLDER
    if kind == addresses.GIT:
        repo = repo.rstrip("/")  # a slash at the end means a release folder (addresses.kind_of)
    commit = _commit(clone, "HEAD") if is_clone else ""
    remote = _commit(clone, "refs/remotes/origin/HEAD") if commit else ""
    known = {"head": remote} if remote and not _is_in(clone, commit, remote) else {}
    return {"repo": repo, "commit": commit, "kind": kind, **known}


def _is_in(clone: str, commit: str, other: str) -> bool:
    """Whether a commit is another one, or before it."""
    from memories.update import git_source

    try:
        git_source.run(["-C", clone, "merge-base", "--is-ancestor", commit, other], SECONDS)
    except UpdateError:
        return False
    return True


def _commit(clone: str, name: str) -> str:
    """The commit that a name of a clone's is at, "" where git does not say."""
    from memories.update import git_source

    try:
        found = _COMMIT.search(git_source.run(["-C", clone, "rev-parse", "--verify", "--quiet", name], SECONDS))
    except UpdateError:
        return ""
    return found[0] if found else ""

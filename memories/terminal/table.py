"""Every command: its name, where it is, what it does in a line, and the groups in which the overview teaches them."""

from __future__ import annotations

PLAIN = "memories.terminal."
"""Before the module's name of a command that needs no Django to start."""

_DJANGO = ".management.commands."
"""In the module's name of one that Django runs."""

COMMANDS: dict[str, tuple[str, str]] = {
    "search": (PLAIN + "search", "search the memories, or with --transcripts every word of the conversations"),
    "recent": (PLAIN + "recent", "list the newest memories"),
    "show": (PLAIN + "show", "read one memory whole, with its links both ways"),
    "store": (PLAIN + "store", "keep a memory: a decision, a fix, a preference"),
    "connect": (PLAIN + "connect", "link two memories"),
    "delete": (PLAIN + "delete", "move memories to the trash"),
    "restore": (PLAIN + "restore", "bring deleted memories back; without an id, list them"),
    "dashboard": (PLAIN + "dashboard", "open the dashboard in the browser: read-only, this machine only"),
    "brief": (PLAIN + "brief", "print what a session of this project is told at its start"),
    "narrative": (PLAIN + "narrative", "read a project's narrative, its versions, and what changed"),
    "narrate": (PLAIN + "narrate", "write or refresh a narrative with `claude -p`; the cost is said first"),
    "transcript": (PLAIN + "transcript", "read an archived session page by page; without one, list the newest"),
    "sync": (PLAIN + "sync", "archive new transcripts, merge other machines' changes, update the index"),
    "status": (PLAIN + "status", "machines, merged conflicts, what waits, disk use: one screen"),
    "doctor": (PLAIN + "doctor", "check that everything works; --fix mends what is safe"),
    "rebuild_index": (PLAIN + "rebuild_index", "make the index anew from the files"),
    "redact": (PLAIN + "redact", "list what looks like a secret in what is kept; --apply redacts it"),
    "forget": (PLAIN + "forget", "forget sessions for good, here and on your other machines"),
    "sync-setup": (PLAIN + "sync_setup", "share the memory with your other machines through Syncthing"),
    "import": (PLAIN + "import_", "take over an exported memory, or another memory tool's"),
    "export": (PLAIN + "export", "write the memory to a file: for another LLM Memory, or to read"),
    "demo": (PLAIN + "demo", "a worked example in a throwaway folder"),
    "update": (PLAIN + "update", "install a newer version, or go back to the one before"),
    "uninstall": (PLAIN + "uninstall", "take LLM Memory off this machine; the memories stay"),
    "completion": (PLAIN + "completion", "print the completion script of bash, zsh or fish"),
    "hook": ("hooks.management.commands.hook", "run a lifecycle hook"),
    "mcp": ("mcp_bridge.management.commands.mcp", "serve the memory tools over MCP"),
    "setup_claude": ("hooks.management.commands.setup_claude", "connect this installation to Claude Code"),
    "runserver": ("memories.management.commands.runserver", "serve the dashboard without opening it"),
}
"""Command as people write it -> (module of its class Command, summary): one of PLAIN, or one that Django runs."""

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Every day", ("search", "recent", "show", "store", "connect", "delete", "restore", "dashboard")),
    ("Narratives and conversations", ("narrative", "narrate", "brief", "transcript")),
    ("Keeping it well", ("status", "doctor", "sync", "rebuild_index", "redact", "forget")),
    ("Several machines", ("sync-setup",)),
    ("Carrying over", ("import", "export")),
    ("The program", ("demo", "update", "uninstall", "completion")),
    ("Run by Claude Code and by the install", ("hook", "mcp", "setup_claude", "runserver")),
)
"""Title -> its commands, in the order in which they are shown."""

HIDDEN: dict[str, str] = {"complete": PLAIN + "complete", "remove_claude": PLAIN + "uninstall"}
"""What programs of ours call, or what a command was called before, and nobody is told of -> its module."""


def find(word: str) -> str | None:
    """The command that somebody means by word, as people write it; `-` and `_` are the same. None: there is none."""
    if word in COMMANDS or word in HIDDEN:
        return word
    same = (name for name in COMMANDS if name.replace("-", "_") == word.replace("-", "_"))
    return next(same, None)


def module(name: str) -> str:
    """Where a command's class Command is. Raises KeyError."""
    return HIDDEN.get(name) or COMMANDS[name][0]


def is_plain(name: str) -> bool:
    """Whether a command starts without Django."""
    return module(name).startswith(PLAIN)


def django_name(name: str) -> str:
    """What Django calls a command that it runs: its module's own name."""
    return module(name).rpartition(_DJANGO)[2]

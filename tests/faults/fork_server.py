"""Runs our commands, hooks and servers as forks of one process that has imported everything: spawning costs 10 ms, not
a second, so that an operation can be killed at each of its hundred writes.

A program of its own (python -I fork_server.py ROOT DESCRIPTOR) with one thread. A request on its socket is a JSON
object {"argv", "environ", "bound", "memory"} with the descriptors for stdin, stdout, stderr and the exit code. For each
it forks a process that becomes `manage.py argv`, and one that waits for it and writes its code as text. The environment
that it is started with is that of all of them; "environ" adds to it.
"""

from __future__ import annotations

import array
import ctypes
import json
import os
import resource
import signal
import socket
import sys
import traceback

MESSAGE_BYTES = 65_536
DESCRIPTORS = 4


def main(root: str, channel: socket.socket) -> None:
    """Serve until the other end is closed."""
    sys.path.insert(0, root)
    _import_everything()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait
    channel.sendall(b"ready")
    while True:
        given = array.array("i")
        size = DESCRIPTORS * given.itemsize
        data, ancillary, _, _ = channel.recvmsg(MESSAGE_BYTES, socket.CMSG_LEN(size))
        if not data:
            return
        for _, _, raw in ancillary:
            given.frombytes(raw[:size])
        request = json.loads(data)
        if os.fork() == 0:
            channel.close()
            _run_and_tell(root, request, list(given))
        for descriptor in given:
            os.close(descriptor)


def _import_everything() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "llm_memory_site.settings"
    import django

    django.setup()
    import importlib

    from memories.terminal import table

    for name in table.COMMANDS:
        importlib.import_module(table.module(name))

    for name in (
        "hooks.dispatch",
        "hooks.session_start",
        "hooks.session_end",
        "mcp_bridge.server",
        "memories.core.sync",
    ):
        importlib.import_module(name)


def _run_and_tell(root: str, request: dict[str, object], given: list[int]) -> None:
    """In the fork that waits: fork the program itself, and write its pid, then its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told = given[3]
    child = os.fork()
    if child == 0:
        os.close(told)
        _become(root, request, given)
    for descriptor in given[:3]:
        os.close(descriptor)
    os.write(told, f"{child}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.write(told, f"{code}\n".encode())
    os._exit(0)


def _give_up_roots_powers() -> None:
    """Let file permissions bind this process like any other user's: without CAP_DAC_OVERRIDE and _READ_SEARCH."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    sets = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capget(header, sets) == 0:
        for index in range(3):  # effective, permitted, inheritable: of the first 32 capabilities
            sets[index] &= ~0b110
        libc.capset(header, sets)


def _become(root: str, request: dict[str, object], given: list[int]) -> None:
    """In the program's fork: stdio, environment, shim; then run and leave."""
    for number, descriptor in enumerate(given[:3]):
        os.dup2(descriptor, number)
    os.closerange(3, max(given) + 1)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", 1)
    if request["bound"]:
        _give_up_roots_powers()
    environ, argv, memory = request["environ"], request["argv"], request["memory"]
    assert isinstance(environ, dict)
    assert isinstance(memory, int)
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    assert isinstance(argv, list)
    os.environ.update(environ)
    os.chdir(os.environ["CLAUDE_PROJECT_DIR"])
    sys.argv = [os.path.join(root, "manage.py"), *argv]
    code = 1
    try:
        ctypes.CDLL(None).llm_fault_configure()
        import manage

        code = manage.main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(bool(error.code))
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))

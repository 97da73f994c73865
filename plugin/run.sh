#!/bin/sh
# Starts Python for the plugin: run.sh hook EVENT | server | prepare | any command of llm-memory.
# CLAUDE_PLUGIN_DATA is the plugin's own folder: ready (the venv's Python, written by prepare.py), python (the one found
# here), pycache. Nothing is written into the plugin's root, which may be a clone that is read in place.
set -u
umask 077
root=${0%/plugin/run.sh}
data=${CLAUDE_PLUGIN_DATA:?is set by Claude Code}
LLM_MEMORY_PLUGIN=$data
export LLM_MEMORY_PLUGIN

PYTHON_CHECK='
import sys
if not (3, 10) <= sys.version_info[:2] <= (3, 14):
    sys.exit(1)
import sqlite3
sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(a)")
print(getattr(sys, "_base_executable", "") or sys.executable)
import ensurepip, venv
print("whole")
'

no_python() {
    text="LLM Memory found no usable Python: it needs 3.10 to 3.14 with SQLite FTS5 and venv (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python@3.13)"
    case "$1 ${2:-}" in
    "hook session_start") printf '{"systemMessage": "%s"}\n' "$text" ;;
    "hook "*) ;;
    *)
        printf '%s\n' "$text" >&2
        exit 1
        ;;
    esac
    exit 0
}

# The interpreter itself: a pyenv or asdf shim costs 150 ms at each start, and a venv that is active now may go. One
# without the module venv can still run the hooks.
find_python() {
    python=""
    for candidate in "${LLM_MEMORY_PYTHON:-python3}" python3 python3.13 python3.14 python3.12 python3.11 python3.10 python; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        found=$("$candidate" -I -c "$PYTHON_CHECK" 2>/dev/null)
        case $found in
        *whole*)
            python=${found%%
*}
            break
            ;;
        /*) [ -n "$python" ] || python=$found ;;
        esac
    done
    [ -n "$python" ] || no_python "$@"
    mkdir -p "$data" && printf '%s\n' "$python" >"$data/python.$$" && mv "$data/python.$$" "$data/python"
}

kept() {
    python=""
    [ -r "$data/$1" ] && read -r python <"$data/$1" && [ -x "$python" ]
}

if [ "$1" = prepare ]; then
    kept python || find_python "$@"
else
    kept ready || kept python || find_python "$@"
fi
case $1 in
hook) exec "$python" -I -S -X "pycache_prefix=$data/pycache" "$root/manage.py" "$@" ;;
server) exec "$python" -I -S -X "pycache_prefix=$data/pycache" "$root/plugin/server.py" ;;
prepare) exec "$python" -I -S -X "pycache_prefix=$data/pycache" "$root/plugin/prepare.py" ;;
*) exec "$python" -I -X "pycache_prefix=$data/pycache" "$root/manage.py" "$@" ;;
esac

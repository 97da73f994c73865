#!/bin/sh
# Installs, updates or removes LLM Memory. Only what must happen before Python is here: find an interpreter, stage the
# new lib/ beside the old one, swap them by renames. The rest is `manage.py setup_claude` (hooks/setup.py).
# POSIX sh with BSD or GNU tools; needs no jq, sqlite3 or curl.
set -eu
# what is made here is this user's alone; a umask that forbids us our own files would stop the install half-way
umask 077

usage() {
    cat <<'USAGE'
Usage: ./install.sh [--dry-run]              install, or update an installation
       ./install.sh --no-update-check        the same, and never look for newer versions (--update-check: do again)
       ./install.sh --uninstall [--dry-run]  remove it; the memories stay
       ./install.sh --purge [--yes]          remove it and all memories, after asking
       ./install.sh --help

Environment:
  LLM_MEMORY_HOME     the data folder (default: memory/ in Claude Code's folder, ~/.claude)
  CLAUDE_CONFIG_DIR   Claude Code's folder, where it is not ~/.claude
  LLM_MEMORY_PYTHON   the Python to use (3.10 to 3.14, with venv)
  LLM_MEMORY_DISABLE  1: do not archive the transcripts that already exist
  LLM_MEMORY_REPO     where versions come from: a git URL or path, or a release folder's URL (it ends in a slash).
                      Installed from there when this script does not lie in a clone; asked for newer ones later
USAGE
}

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 1
}

say() {
    printf '  %s\n' "$1"
}

# --- the interpreter ---------------------------------------------------------------------------------------------

PYTHON_CHECK='
import sys
if not (3, 10) <= sys.version_info[:2] <= (3, 14):
    sys.exit("is Python %d.%d" % sys.version_info[:2])
try:
    import sqlite3
    sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(a)")
except Exception as error:
    sys.exit("has no SQLite with FTS5 (%s)" % error)
try:
    import ensurepip, venv
except ImportError:
    sys.exit("has no venv (Debian, Ubuntu: sudo apt install python%d.%d-venv)" % sys.version_info[:2])
'

find_python() {
    reasons=""
    if [ -n "${LLM_MEMORY_PYTHON:-}" ]; then
        set -- "$LLM_MEMORY_PYTHON"
    else
        set -- python3 python3.13 python3.14 python3.12 python3.11 python3.10 python
    fi
    for candidate in "$@"; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        if reason=$("$candidate" -I -c "$PYTHON_CHECK" 2>&1); then
            # the interpreter itself: a pyenv or asdf shim costs 150 ms at each start
            python=$("$candidate" -I -c 'import sys; print(sys.executable)')
            return
        fi
        reasons="$reasons
    $candidate $(printf '%s\n' "$reason" | tail -n 1)"
    done
    fail "no usable Python found; needed is 3.10 to 3.14 with venv and SQLite FTS5.${reasons:+ Looked at:$reasons}
  Debian, Ubuntu: sudo apt install python3 python3-venv    macOS: brew install python@3.13
  or name one: LLM_MEMORY_PYTHON=/path/to/python3 ./install.sh"
}

# Runs code of the clone with the plain interpreter: what needs no Django.
from_source() {
    "$python" -I -B -c "import sys; sys.path.insert(0, sys.argv[1]); $1" "$source"
}

# --- the source ---------------------------------------------------------------------------------------------------

is_source() {
    [ -f "$1/manage.py" ] && [ -f "$1/memories/core/paths.py" ] && [ -f "$1/requirements.txt" ]
}

find_source() {
    source=$(CDPATH='' cd -P "$(dirname "$0")" 2>/dev/null && pwd) || source=""
    origin=$source
    if [ "$(basename "$0")" = install.sh ] && is_source "$source"; then
        # an update removes the folder that this lies in
        if is_from_update && [ -n "${LLM_MEMORY_REPO:-}" ]; then
            origin=$(printf '%s' "$LLM_MEMORY_REPO" | without_credentials)
        fi
        return
    fi
    [ -n "${LLM_MEMORY_REPO:-}" ] || fail "this script does not lie in a clone of LLM Memory.
  Clone the repository and run ./install.sh there, or set LLM_MEMORY_REPO to its git URL (or a local path)."
    origin=$(printf '%s' "$LLM_MEMORY_REPO" | without_credentials)
    clone=$(mktemp -d "${TMPDIR:-/tmp}/llm-memory.XXXXXX")
    case $LLM_MEMORY_REPO in
    *://*/) fetch_release ;;
    *) fetch_clone ;;
    esac
    is_source "$source" || fail "$origin is not LLM Memory (no manage.py with memories/core)."
}

# Nothing that is shown or kept names a user or a password, or has a query: all up to the last @ of an address goes, and
# all of it where a ? comes before that.
without_credentials() {
    of="[^[:blank:]'\"]*"
    sed -e "s|://$of[?#]$of@$of|://...|g" -e "s|://$of@|://|g" -e "s|\\(://[^[:blank:]'\"?#]*\\)[?#]$of|\\1|g"
}

# Whether `llm-memory update` started this, which holds the lock.
is_from_update() {
    [ "${LLM_MEMORY_UPDATER:-}" = "$PPID" ]
}

fetch_clone() {
    command -v git >/dev/null 2>&1 || fail "git is needed to fetch $origin; install git, or run install.sh from a clone."
    source=$clone/source
    git clone --quiet --depth 1 -- "$LLM_MEMORY_REPO" "$source" 2>"$clone/errors" || {
        # of an address with a secret git may show a part that no longer looks like one
        [ "$origin" != "$LLM_MEMORY_REPO" ] || cat "$clone/errors" >&2
        ! grep -q -e "No space left" -e "quota exceeded" "$clone/errors" || fail "there is no room for $origin in $clone."
        fail "git could not clone $origin: check the address and your access to it."
    }
}

# The newest tarball of a release folder. It is unpacked by its own code, once it is what SHA256SUMS says.
FETCH_RELEASE='
import hashlib, os, re, sys, tarfile, urllib.request
base, into = sys.argv[1:]
local = re.match(r"file://|http://(localhost|127\.0\.0\.1|\[::1\])[:/]", base)
if "@" in base:
    sys.exit("a release address takes no user or password")
if not local and not base.startswith("https://"):
    sys.exit("is not encrypted: use https")
class Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, answer, code, text, headers, url):
        if local or not url.startswith("https://"):
            sys.exit("leads to another kind of address")
        return super().redirect_request(request, answer, code, text, headers, url)
opener = urllib.request.build_opener(Redirects)
def read(name, limit):
    with opener.open(base + name, timeout=20) as answer:
        data = answer.read(limit + 1)
    return data if len(data) <= limit else sys.exit(name + " is too large")
try:
    sums = read("SHA256SUMS", 1000000).decode("ascii", "replace")
    line = r"([0-9a-f]{64}) [ *](llm-memory-(\d+)\.(\d+)\.(\d+)\.tar\.gz)$"
    found = [match.groups() for match in map(re.compile(line).match, sums.split("\n")) if match]
    if not found:
        sys.exit("SHA256SUMS names no llm-memory-X.Y.Z.tar.gz")
    checksum, name, *_ = max(found, key=lambda one: [int(number) for number in one[2:]])
    data = read(name, 100000000)
    if hashlib.sha256(data).hexdigest() != checksum:
        sys.exit(name + " is not what SHA256SUMS says: nothing was unpacked or run")
    archive = os.path.join(into, name)
    with open(archive, "xb") as file:
        file.write(data)
    with tarfile.open(archive) as tar:
        code = tar.extractfile(name[:-7] + "/memories/update/unpack.py").read()
    scope = {"__name__": "unpack"}
    exec(compile(code, "unpack.py", "exec"), scope)
    print(scope["unpack"](archive, into))
except (OSError, KeyError, ValueError, tarfile.TarError) as error:
    sys.exit(str(error))
'

fetch_release() {
    source=$("$python" -I -c "$FETCH_RELEASE" "$LLM_MEMORY_REPO" "$clone" 2>"$clone/errors") ||
        fail "$origin: $(tail -n 1 "$clone/errors" | without_credentials)"
}

# --- lib/ ---------------------------------------------------------------------------------------------------------

CODE="manage.py pyproject.toml requirements.txt LICENSE llm_memory_site memories mcp_bridge hooks templates static
scripts/setup_syncthing.py"

# What a venv depends on: an equal line means that the old one can be copied.
venv_key() {
    "$python" -I -c '
import hashlib, os, sys
with open(sys.argv[1], "rb") as file:
    print(hashlib.sha256(file.read()).hexdigest(), sys.version.split()[0], os.path.realpath(sys.executable))
' "$source/requirements.txt"
}

copy_code() {
    for name in $CODE; do
        if [ -e "$source/$name" ]; then
            cp -R "$source/$name" "$new/"
        fi
    done
    find "$new" -name __pycache__ -prune -exec rm -rf {} +
}

make_venv() {
    key=$(venv_key)
    if [ -f "$lib/install.json" ] && [ "$(cat "$lib/venv/llm-memory-key" 2>/dev/null)" = "$key" ] &&
        "$lib/venv/bin/python" -I -c 'import django, mcp' 2>/dev/null; then
        say "copy the present venv (same requirements, same Python)"
        cp -RPp "$lib/venv" "$new/venv"
        return
    fi
    say "make a venv and install the pinned requirements (a minute or less)"
    "$python" -I -m venv "$new/venv" || fail "could not make a venv with $python (see above)."
    PIP_USER=0 "$new/venv/bin/python" -I -m pip install --quiet --no-input --disable-pip-version-check \
        --require-hashes -r "$source/requirements.txt" ||
        fail "pip could not install the requirements (see above). The installation from before, if any, is as it was."
    # nothing is ever added to this venv: without pip it is a fifth smaller, and quicker to copy at the next update
    "$new/venv/bin/python" -I -m pip uninstall --quiet --yes setuptools pip 2>/dev/null || :
    # scripts other than the interpreter name the staging folder, which is about to be renamed
    find "$new/venv/bin" -type f ! -name 'python*' -exec rm -f {} +
    printf '%s\n' "$key" >"$new/venv/llm-memory-key"
}

stage() {
    new=$data/lib.new-$$
    say "stage the new code in $new"
    mkdir "$new"
    copy_code
    make_venv
    # hooks start some 20 ms faster from compiled code
    "$new/venv/bin/python" -I -m compileall -q -x '[/\\]venv[/\\]' "$new" ||
        fail "the code does not compile with $python (see above)."
    # pip makes libraries that anybody may run, and an older install left what it copied open
    chmod -R go= "$new"
    # proves that the staged code starts, before anything of the old one is touched
    "$new/venv/bin/python" -I "$new/manage.py" setup_claude --stage "$origin" --clone "$source" ||
        fail "the staged code does not start (see above). The installation from before, if any, is as it was."
}

swap() {
    say "put it in place as $lib"
    # in one step where the system can, so that no hook ever finds the folder missing
    if [ -f "$lib/install.json" ] && [ ! -h "$lib" ] &&
        "$python" -I "$source/memories/update/exchange.py" "$new" "$lib"; then
        kept=$new
        new=""
        keep_previous "$kept"
        return
    fi
    old=$data/lib.old-$$
    if [ -e "$lib" ] || [ -h "$lib" ]; then
        mv "$lib" "$old"
    fi
    mv "$new" "$lib"
    new=""
    discard_old
}

# The code before this one, to which `llm-memory update` goes back where the new one fails. The one before that goes.
keep_previous() {
    gone=$data/lib.gone-$$
    [ ! -e "$lib.previous" ] || mv "$lib.previous" "$gone"
    mv "$1" "$lib.previous"
    chmod -R go= "$lib.previous" || : # an older install left what it copied open
    rm -rf "$gone"
}

# The old lib/: kept as the previous one where we had installed it; anything else (the first LLM Memory's) aside.
discard_old() {
    if [ -f "$old/install.json" ]; then
        keep_previous "$old"
    elif [ -e "$old" ] || [ -h "$old" ]; then
        aside=$data/state/first-release
        mkdir -p "$aside"
        target=$aside/lib
        [ ! -e "$target" ] || target=$aside/lib.$$
        say "move the lib/ that was there to $target"
        mv "$old" "$target"
        [ -h "$target" ] || chmod -R go= "$target" || :
    fi
    old=""
}

# An old lib/ that a swap left behind: the installation itself where the new one is not in place.
put_back_old() {
    if [ -e "$lib" ]; then
        discard_old
    elif [ -e "$old" ]; then
        mv "$old" "$lib"
    fi
    old=""
}

# One install or update at a time: the lock of `llm-memory update`, held by this shell for as long as it lives.
take_lock() {
    ! is_from_update || return 0
    made=""
    [ -d "$data/state" ] || made=$data/state
    mkdir -p "$data/state"
    exec 9>>"$data/state/update.lock"
    "$python" -I -c '
import fcntl, sys
try:
    fcntl.flock(0, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(1)
except OSError:
    pass  # a file system without locks
' <&9 || fail "another install or update of LLM Memory is at work here; try again when it has ended."
    made_state=$made
}

# Staging folders whose install was killed.
sweep() {
    for path in "$data"/lib.new-* "$data"/lib.gone-* "$data"/lib.fetched-* "$data"/lib.old-*; do
        [ -d "$path" ] || continue
        pid=${path##*-}
        if [ "$pid" != $$ ] && kill -0 "$pid" 2>/dev/null; then
            continue
        fi
        case $path in
        */lib.old-*) old=$path; put_back_old ;;
        *) rm -rf "$path" ;;
        esac
    done
}

# Runs at every end: whatever was interrupted, the old installation works and nothing half-made stays.
clean_up() {
    code=$?
    trap '' HUP INT TERM
    [ -z "$old" ] || put_back_old
    [ -z "$new" ] || rm -rf "$new"
    [ -z "$clone" ] || rm -rf "$clone"
    if [ "$code" != 0 ] && [ -n "$made_state" ]; then
        rm -f "$made_state/update.lock"
        rmdir "$made_state" 2>/dev/null || :
    fi
    exit "$code"
}

# Another user's folder, or one that others can change, is no place for code that hooks run.
check_private() {
    from_source '
from memories.core.errors import StorageError
from memories.core.paths import check_private, data_folder
try:
    check_private(data_folder())
except StorageError as error:
    sys.exit(str(error))' 2>&1
}

# Whether newer versions are looked for, on this machine alone: the settings travel to the others.
note_update_check() {
    case $update_check in
    no) mkdir -p "$data/state/install" && : >"$data/state/install/no-update-check" ;;
    yes) rm -f "$data/state/install/no-update-check" ;;
    esac
}

# --- what was asked for ---------------------------------------------------------------------------------------------

install() {
    if [ "$dry_run" = yes ]; then
        printf 'LLM Memory: what an install into %s would do\n' "$data"
        say "would stage the code of $origin in $data/lib.new-$$ with a venv of $python"
        say "would install the pinned requirements with pip, or copy the present venv where they are the same"
        say "would compile it and rename it to $lib"
        [ "$update_check" != no ] || say "would never look for newer versions"
        from_source 'from hooks.setup import install; sys.exit(install(dry_run=True))'
        return
    fi
    printf 'LLM Memory: installing into %s\n' "$data"
    mkdir -p "$data"
    chmod 700 "$data"
    take_lock
    sweep
    stage
    swap
    note_update_check
    # what it leaves running must not keep the lock
    "$lib/venv/bin/python" -I "$lib/manage.py" setup_claude 9>&-
}

main() {
    action=install dry_run=no yes=no update_check="" new="" old="" clone="" made_state=""
    for option in "$@"; do
        case $option in
        --dry-run) dry_run=yes ;;
        --uninstall) [ "$action" = purge ] || action=uninstall ;;
        --purge) action=purge ;;
        --yes) yes=yes ;;
        --no-update-check) update_check=no ;;
        --update-check) update_check=yes ;;
        --help | -h) usage; exit 0 ;;
        *) printf 'install.sh: unknown option %s\n' "$option" >&2; usage >&2; exit 2 ;;
        esac
    done
    [ -d "${HOME:-}" ] || fail "HOME is not a folder: set it to your home folder."
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    find_python
    find_source
    data=$(from_source 'from memories.core.paths import data_folder; print(data_folder().root)')
    lib=$data/lib
    # one folder for every step, however the variable was spelled
    LLM_MEMORY_HOME=$data
    export LLM_MEMORY_HOME
    case $action in
    install)
        refusal=$(check_private) || fail "$refusal"
        install
        ;;
    *)
        python_flag() { [ "$1" = yes ] && printf True || printf False; }
        purge=no
        [ "$action" != purge ] || purge=yes
        from_source "from hooks.removal import uninstall
sys.exit(uninstall(purge=$(python_flag $purge), yes=$(python_flag $yes), dry_run=$(python_flag $dry_run)))"
        ;;
    esac
}

main "$@"

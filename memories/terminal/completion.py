"""`llm-memory completion SHELL`: the script that teaches a shell to complete our command lines."""

from __future__ import annotations

from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

BASH = r"""# LLM Memory: completion for bash, from `llm-memory completion bash`
_llm_memory() {
    local current="${COMP_WORDS[COMP_CWORD]}" value quoted
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        case $current in
        \"* | \'*) quoted=$value ;;
        *) printf -v quoted %q "$value" ;;
        esac
        COMPREPLY+=("$quoted")
    done < <(llm-memory complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *, ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o bashdefault -o default -F _llm_memory llm-memory
"""

ZSH = r"""#compdef llm-memory
# LLM Memory: completion for zsh, from `llm-memory completion zsh`
_llm_memory() {
    local line value
    local -a found
    for line in "${(@f)$(llm-memory complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] || continue
        value=${line%%$'\t'*}
        found+=("${value//:/\\:}:${line#*$'\t'}")
    done
    if (( ${#found} )); then
        _describe -V 'llm-memory' found
    else
        _files
    fi
}
if [[ $funcstack[1] == _llm_memory ]]; then
    _llm_memory "$@"
else
    compdef _llm_memory llm-memory
fi
"""

FISH = r"""# LLM Memory: completion for fish, from `llm-memory completion fish`
function __llm_memory_complete
    set -l words (commandline -opc) (commandline -ct)
    llm-memory complete -- $words[2..-1] 2>/dev/null
end
complete -c llm-memory -f -a '(__llm_memory_complete)'
complete -c llm-memory -n '__fish_seen_subcommand_from import export store' -F
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


class Command(command.Command):
    """Nothing but the script, for the shell to read."""

    help = (
        "Print the script that lets a shell complete commands, options, projects, types, tags and ids. In ~/.bashrc: "
        "source <(llm-memory completion bash); in ~/.zshrc, after compinit: source <(llm-memory completion zsh); "
        "in ~/.config/fish/config.fish: llm-memory completion fish | source"
    )
    examples = ("completion bash", "completion zsh", "completion fish")
    needs_private_folder = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The shell."""
        parser.add_argument("shell", choices=tuple(SCRIPTS), help="the shell that reads it")

    def handle(self, **options: Any) -> None:
        """Print it."""
        self.stdout.write(SCRIPTS[options["shell"]])

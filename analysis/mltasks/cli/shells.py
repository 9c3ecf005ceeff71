"""The shells that complete a command line: the script that each reads, and how it takes what there is.

click's own scripts lose some of it: fish cuts a value at its first comma, zsh replaces `--by=fun` by a bare value, and
bash takes neither that nor a name with a blank in it, and breaks words at colons.
"""

from __future__ import annotations

import os
import re

from click import shell_completion
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' response completion type value
    response=$(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_CWORD="${COMP_WORDS[COMP_CWORD]}" \\
        %(complete_var)s=bash_complete "$1" 2> /dev/null)
    COMPREPLY=()
    for completion in $response; do
        IFS=',' read -r type value <<< "$completion"
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""
ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local -a bare described response
    local type value help
    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \\
        %(complete_var)s=zsh_complete %(prog_name)s 2> /dev/null)}")
    for type value help in $response; do
        case $type in
            dir) compset -P '--*='; _path_files -/ ;;
            file) compset -P '--*='; _path_files -f ;;
            plain) if [[ $help == _ ]]; then bare+=("$value"); else described+=("$value:$help"); fi ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U
    (( $#bare )) && compadd -U -V unsorted -a bare
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""
FISH = """\
function %(complete_func)s
    set -l response (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) \\
        COMP_CWORD=(commandline -ct) %(prog_name)s 2> /dev/null)
    for completion in $response
        set -l parts (string split -m 1 , -- $completion)
        set -l option (string match -r -- '^--[^=]*=' $parts[2])
        set -q option[1]; or set option ''
        set -l path (string replace -r -- '^--[^=]*=' '' $parts[2])
        switch $parts[1]
            case dir
                printf '%%s\\n' $option(__fish_complete_directories $path)
            case file
                printf '%%s\\n' $option(__fish_complete_path $path)
            case plain
                printf '%%s\\n' $parts[2]
        end
    end
end
complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""
UNSAFE, ESCAPED = re.compile(r"[^\w@%+=:,./~-]"), r"\\\g<0>"  # in bash a backslash stands before it


class WholeWords(ShellComplete):
    """Completes a value behind `--option=`, too: by the whole word, as zsh and fish take it."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what the last word may become."""
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if not equals or not option.startswith("--"):
            return items
        return [CompletionItem(f"{option}={item.value}", type=item.type, help=item.help) for item in items]


class Bash(WholeWords, shell_completion.BashComplete):
    """bash, which breaks words at `=` and `:`, and completes what stands behind."""

    source_template = BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the one at it: as a whole, whatever bash breaks it at."""
        end = "\x01"  # so that a blank at the end begins a new word
        *words, last = split_arg_string(os.environ["COMP_WORDS"] + end)
        return words[1:], last.removesuffix(end)

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what may stand in place of the part of the last word that bash completes."""
        part = os.environ["COMP_CWORD"]
        part = "" if part in (":", "=") else part
        before = incomplete.removesuffix(part) if incomplete.endswith(part) else ""
        items = super().get_completions(args, incomplete)
        return [
            item if item.type != "plain" else CompletionItem(item.value[len(before) :], help=item.help)
            for item in items
        ]

    def format_completion(self, item: CompletionItem) -> str:
        """Return a line for the script; outside of quotes, what bash would take for its own is behind a backslash."""
        is_quoted = os.environ["COMP_CWORD"][:1] in ("'", '"')
        return f"{item.type},{item.value if is_quoted else UNSAFE.sub(ESCAPED, item.value)}"


class Zsh(WholeWords, shell_completion.ZshComplete):
    """zsh, which shows a help text beside a value."""

    source_template = ZSH


class Fish(WholeWords, shell_completion.FishComplete):
    """fish, which shows a help text beside a value."""

    source_template = FISH


def install() -> None:
    """Have click speak to the shells in these ways."""
    for shell in (Bash, Zsh, Fish):
        shell_completion.add_completion_class(shell)

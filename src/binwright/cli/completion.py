"""`binwright completion SHELL`: prints a completion script made from the verbs' own parsers."""

import argparse

from binwright.cli import exits
from binwright.cli.arguments import Parser
from binwright.cli.output import emit

DESCRIPTION = """\
Print the completion script of a shell. To use it now:
  bash:  source <(binwright completion bash)
  zsh:   source <(binwright completion zsh)
  fish:  binwright completion fish | source
"""

BASH = """\
_binwright() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words=""
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        words="{verbs}"
    else
        case "${{COMP_WORDS[1]}} $previous" in
{choices}
            *)
                if [[ $current == -* ]]; then
                    case "${{COMP_WORDS[1]}}" in
{options}
                    esac
                else
                    case "${{COMP_WORDS[1]}} $COMP_CWORD" in
{positionals}
                    esac
                fi ;;
        esac
    fi
    if [[ -n $words ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    else
        COMPREPLY=($(compgen -f -- "$current"))
    fi
}}
complete -o filenames -F _binwright binwright
"""
ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


def configure(parser: Parser) -> None:
    """The argument of `completion`."""
    parser.add_argument("shell", choices=SCRIPTS, metavar="SHELL", help=", ".join(SCRIPTS))


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    emit(SCRIPTS[options.shell](actions_by_verb()))
    return exits.YES


def actions_by_verb() -> dict[str, list[argparse.Action]]:
    """The arguments and options of every verb, as its parser has them."""
    from binwright.cli.main import GROUPS, VERBS, group_parser, verb_module, verb_parser

    def actions(verb: str) -> list[argparse.Action]:
        return verb_parser(verb, verb_module(verb))._actions  # argparse has no public list of a parser's arguments

    found = {}
    for verb in VERBS:
        if verb in GROUPS:
            inner = [action for one in GROUPS[verb] for action in actions(f"{verb} {one}") if action.option_strings]
            unique = {action.option_strings[0]: action for action in inner}
            found[verb] = [*(one for one in group_parser(verb)._actions if one.choices), *unique.values()]
        else:
            found[verb] = actions(verb)
    return found


def bash(verbs: dict[str, list[argparse.Action]]) -> str:
    """A function for `complete -F`: verbs, then options, the choices of an option, or files."""
    choices, options, positionals = [], [], []
    for verb, actions in verbs.items():
        names = [name for action in actions for name in action.option_strings]
        options.append(f'                        {verb}) words="{" ".join(names)}" ;;')
        for position, action in enumerate(action for action in actions if not action.option_strings):
            if action.choices:
                words = " ".join(map(str, action.choices))
                positionals.append(f'                        "{verb} {position + 2}") words="{words}" ;;')
        for action in actions:
            if action.option_strings and action.choices:
                pattern = "|".join(f'"{verb} {name}"' for name in action.option_strings)
                choices.append(f'            {pattern}) words="{" ".join(map(str, action.choices))}" ;;')
    return BASH.format(
        verbs=" ".join(verbs),
        choices="\n".join(choices),
        options="\n".join(options),
        positionals="\n".join(positionals),
    )


def zsh(verbs: dict[str, list[argparse.Action]]) -> str:
    """The bash function through zsh's own bridge."""
    return ZSH + bash(verbs)


def fish(verbs: dict[str, list[argparse.Action]]) -> str:
    """One `complete` line a verb, option and set of choices."""
    lines = [f"complete -c binwright -n __fish_use_subcommand -f -a '{' '.join(verbs)}'"]
    for verb, actions in verbs.items():
        inside = f"complete -c binwright -n '__fish_seen_subcommand_from {verb}'"
        for action in actions:
            values = " ".join(map(str, action.choices or ()))
            if not action.option_strings:
                if values:
                    lines.append(f"{inside} -f -a '{values}'")
                continue
            names = " ".join(
                f"-l {name.removeprefix('--')}" if name.startswith("--") else f"-s {name.removeprefix('-')}"
                for name in action.option_strings
            )
            takes = f" -x -a '{values}'" if values else "" if action.nargs == 0 else " -r"
            lines.append(f"{inside} {names}{takes}")
    return "\n".join(lines) + "\n"


SCRIPTS = {"bash": bash, "zsh": zsh, "fish": fish}

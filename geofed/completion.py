"""Shell completion of `python -m geofed`: typer's own is for a command of one word."""

import typer._completion_shared

VARIABLE = "_GEOFED_COMPLETE"

_BASH = f"""
_geofed_completion() {{
    [[ "${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}}" == "-m geofed" && $COMP_CWORD -gt 2 ]] || return
    local IFS=$'\\n'
    COMPREPLY=( $( env COMP_WORDS="${{COMP_WORDS[*]:2}}" COMP_CWORD=$((COMP_CWORD - 2)) \\
                   {VARIABLE}=complete_bash "$1" -m geofed ) )
}}

complete -o bashdefault -o default -F _geofed_completion python python3
"""

_ZSH = f"""
#compdef python python3

_geofed_completion() {{
  if [[ "${{words[2]}} ${{words[3]}}" == "-m geofed" ]] && (( CURRENT > 3 )); then
    eval $(env _TYPER_COMPLETE_ARGS="${{words[3,$CURRENT]}}" {VARIABLE}=complete_zsh ${{words[1]}} -m geofed)
  else
    _python
  fi
}}

compdef _geofed_completion python python3
"""


def use_own_scripts() -> None:
    """Makes --show-completion and --install-completion use these scripts. Other shells than bash and zsh have none."""
    scripts = typer._completion_shared._completion_scripts  # pyright: ignore[reportPrivateUsage]
    scripts.clear()
    scripts.update({"bash": _BASH, "zsh": _ZSH})

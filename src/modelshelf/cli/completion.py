"""`shelf completion`: let the shell finish verbs, flags and model names."""

from __future__ import annotations

import click

from modelshelf.cli.options import verb_options

__all__ = ["command"]


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@verb_options
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes verbs and names.

    \b
    bash:  eval "$(shelf completion bash)"               in ~/.bashrc
    zsh:   eval "$(shelf completion zsh)"                in ~/.zshrc
    fish:  shelf completion fish | source                in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - only asked for here

    root = ctx.find_root()
    name = root.info_name or "shelf"
    variable = f"_{name}_COMPLETE".replace("-", "_").upper()
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click.Choice let only known shells through
    click.echo(kind(root.command, {}, name, variable).source())

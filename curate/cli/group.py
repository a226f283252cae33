"""A command that has commands of its own: `curate dedup INPUT...` does the work, `curate dedup curve` another thing.

Knows no command.
"""

from __future__ import annotations

from typing import Any

import click


class CommandGroup(click.Group):
    """A command with arguments and options, and sub-commands: a first argument that names one goes to it.

    Anything else is the command itself, so a file that is called like a sub-command is written `./curve`.
    """

    allow_extra_args = False
    allow_interspersed_args = True

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **{"invoke_without_command": True, **attributes})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] in self.commands:
            # A bare stand-in: usage lines of a sub-command do not repeat the arguments of this command.
            here = click.Context(click.Group(self.name), info_name=info_name, parent=parent)
            return self.commands[args[0]].make_context(args[0], args[1:], parent=here, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return click.Command.parse_args(self, ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        if ctx.command is not self:  # where this is the outermost command, click asks it to run its own context
            return ctx.command.invoke(ctx)
        return click.Command.invoke(self, ctx)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return click.Command.collect_usage_pieces(self, ctx)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_usage(ctx, formatter)
        formatter.write_usage(ctx.command_path, f"{'|'.join(self.commands)} ...", prefix="       ")

"""The command `framing`: its commands are entry points, found by name and imported only when they run.

framing encode …  ──> get_command ──> registry.load("command", "encode") ──> click.Command
framing --help    ──> SHORT_HELP for our own, names and owners from the registry for everybody else's
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from framing import registry
from framing.cli.console import colour_wanted, escaped, guarded
from framing.errors import PluginLoadError, UnknownNameError

__all__ = ["SHORT_HELP", "command_misfit", "main"]

# What each built-in command says in one line, so that `framing --help` imports none of them; a test holds it equal.
SHORT_HELP = {
    "decode": "Show the frames and messages of a capture or raw bytes",
    "encode": "Turn messages, one JSON value a line, into frames",
    "streams": "List the connections of a capture",
    "protocols": "List the protocols, or show how one is defined",
    "plugin": "Look at the installed plug-ins",
    "doctor": "Check the installation",
    "demo": "Run three codecs over a socket, capture and decode them",
}

_EXAMPLES = (
    ("framing demo", "see everything work"),
    ("framing decode capture.pcap --protocol kafka", "the messages in a capture"),
    ("echo '{\"id\": 7}' | framing encode --protocol u32be/msgpack", "a message as a frame"),
)


class _Group(click.Group):
    """A group whose commands stand in the registry, and whose errors become exit codes in one place."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        if not standalone_mode or "_FRAMING_COMPLETE" in os.environ:
            return super().main(args, prog_name or self.name, complete_var, standalone_mode, **extra)
        words = list(sys.argv[1:] if args is None else args)
        sys.exit(guarded(lambda: self._run(prog_name or self.name, words, {"color": colour_wanted(), **extra})))

    def _run(self, name: str | None, words: list[str], extra: dict[str, Any]) -> None:
        with self.make_context(name, words, **extra) as context:
            self.invoke(context)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(registry.names("command"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        try:
            entry = registry.find("command", cmd_name)
        except UnknownNameError as error:
            if ctx.resilient_parsing:
                return None
            raise click.UsageError(f"no command is called {cmd_name!r}; {error.hint}", ctx) from error
        found = registry.load_entry(entry)
        if problem := command_misfit(found):
            raise PluginLoadError(
                f"command {cmd_name!r} cannot be run: {problem}",
                distribution=entry.distribution,
                version=entry.version,
                entry_point=f"{entry.name} = {entry.value}",
            )
        command: click.Command = found
        return command

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Examples"):
            formatter.write_dl(_EXAMPLES, col_max=46)  # what is longer stands alone: broken in two it cannot be copied
        formatter.write_paragraph()
        super().format_help(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        rows = registry.entries("command")
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, SHORT_HELP[row.name]) for row in rows if row.builtin])
        if others := [(escaped(row.spelling), escaped(_owner(row))) for row in rows if not row.builtin]:
            with formatter.section("Commands of plug-ins"):
                formatter.write_dl(others)


def command_misfit(found: object) -> str | None:
    """Return what keeps a loaded object from being a command, if anything does."""
    return None if isinstance(found, click.Command) else f"it must be a click.Command, and is {found!r:.80}"


def _owner(row: registry.Entry) -> str:
    owner = f"from {row.distribution} {row.version}" if row.distribution else "registered in this process"
    return owner if row.usable else f"{owner}; cannot be used: {row.problem}"


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from framing.cli.versions import scanner, version_line  # reads metadata: not for `--help`

        click.echo(f"{version_line()}\n{scanner()}")
        ctx.exit()


@click.group("framing", cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version, and whether compiled code runs.",
)
def main() -> None:
    """Cut streams into frames and turn frames into messages: from captures, files and pipes.

    Exit codes: 0 all good, 1 cannot open or connect, 2 usage, 3 frame errors met, 4 the input ended inside a frame,
    5 a plug-in cannot be loaded, 124 timeout, 130 interrupted.
    """

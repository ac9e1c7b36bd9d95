"""`framing plugin list`: every codec, frame format, protocol, command and scheme, and what is wrong with any."""

import click

from framing.cli.console import print_json
from framing.cli.exits import PLUGIN_BROKEN
from framing.cli.plugin_rows import all_rows, checked, is_trouble
from framing.cli.table import print_table
from framing.cli.versions import installed_version
from framing.entries import GROUPS, Entry
from framing.installation import DISTRIBUTION

__all__ = ["plugin"]


@click.group(short_help="Look at the installed plug-ins")
def plugin() -> None:
    """Look at the installed plug-ins. Nothing is imported to list them.

    \b
    Examples:
      framing plugin list
      framing plugin list --check
      framing plugin list --kind codec --format jsonl
    """


@plugin.command("list", short_help="List codecs, formats, protocols, commands and schemes")
@click.option("--kind", type=click.Choice(list(GROUPS)), help="Only these.")
@click.option("--check", is_flag=True, help="Import each one; exit code 5 if one cannot be used.")
@click.option("--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
@click.pass_context
def list_plugins(ctx: click.Context, kind: str | None, check: bool, form: str) -> None:
    """List every codec, frame format, protocol, command and scheme: who offers it, and whether it can be used.

    Without --check a plug-in counts as ready whose metadata is right. A plug-in that is switched off by
    FRAMING_PLUGINS is no broken one.
    """
    rows = [checked(row) if check else row for row in all_rows(kind)]
    if form == "jsonl":
        for row in rows:
            print_json(_form(row))
    else:
        head = ("KIND", "NAME", "DISTRIBUTION", "VERSION", "STATUS", "PROBLEM")
        print_table(head, [[value or "-" for value in list(_form(row).values())[:6]] for row in rows])
    if check and any(map(is_trouble, rows)):
        ctx.exit(PLUGIN_BROKEN)


def _form(row: Entry) -> dict[str, str | None]:
    return {
        "kind": row.kind,
        "name": row.spelling,
        "distribution": row.distribution,
        "version": installed_version(DISTRIBUTION) if row.builtin else row.version,
        "status": row.status,
        "problem": row.problem,
        "entry_point": row.value,
        "path": row.path,
    }

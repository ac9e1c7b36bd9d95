"""`framing protocols`: which protocols there are, and how one is defined."""

import shutil
import sys
import textwrap
from typing import Any

import click

from framing import registry
from framing.cli.console import escaped, note, print_json
from framing.cli.definitions import described, described_both_ways
from framing.cli.table import print_table
from framing.definition import get_protocol
from framing.errors import FramingError
from framing.facts import facts_of
from framing.picture import Part, picture
from framing.recovery import POLICY_NAMES

__all__ = ["protocols"]


@click.command(short_help="List the protocols, or show how one is defined")
@click.argument("protocol", required=False)
@click.option("--find", metavar="WORD", help="List those with this word in name or title, or with this port.")
@click.option("--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
def protocols(protocol: str | None, find: str | None, form: str) -> None:
    """List the protocols that --protocol takes, or show how PROTOCOL is defined: phases, frames, codecs, limits.

    \b
    Examples:
      framing protocols --find mq
      framing protocols postgresql
      framing protocols ./mine.toml   says what is wrong with one of your own

    A definition is shown with a picture of its frames: each box is a field, with its type and constants or with its
    bits, the highest first; over it stands the offset of its first byte.
    """
    if find is not None and protocol is not None:
        raise click.UsageError("--find looks in the list; PROTOCOL shows one definition")
    if protocol is None:
        _list(form, find)
    elif form == "jsonl":
        print_json(described(get_protocol(protocol)))
    else:
        _show(described(get_protocol(protocol)))


def _list(form: str, word: str | None) -> None:
    rows = [_row(entry) for entry in registry.entries("protocol")]
    found = [row for row in rows if word is None or _has(row, word.lower())]
    if not found:
        note(f"none of {len(rows)} protocols has {escaped(word or '')} in its name or title, or as its port")
    elif form == "jsonl":
        for row in found:
            print_json(row)
    else:
        _print_list(found)


def _print_list(found: list[dict[str, Any]]) -> None:
    cells = [(row["name"], row["problem"] or row["title"], _ports(row) or "-") for row in found]
    print_table(("PROTOCOL", "TITLE", "PORTS"), cells)


def _has(row: dict[str, Any], word: str) -> bool:
    return word in f"{row['name']} {row['title']}".lower() or word in _ports(row).split()


def _row(entry: registry.Entry) -> dict[str, Any]:
    row: dict[str, Any] = {"name": entry.spelling, "distribution": entry.distribution}
    row |= {"ports": [], "udp_ports": [], "title": "", "problem": None}
    if not entry.usable:
        return row | {"problem": f"cannot be used: {entry.problem}"}
    if not entry.path:
        # Its title would cost an import of somebody's code, which nobody asked for.
        return row | {"title": f"({entry.value} of {entry.distribution or 'this process'})"}
    try:
        # A test says that the built-in ones work; somebody else's may not.
        facts = facts_of(entry) if entry.builtin else get_protocol(entry.spelling)
    except FramingError as error:
        return row | {"problem": f"cannot be used: {error}"}
    return row | {"ports": list(facts.ports), "udp_ports": list(facts.udp_ports), "title": facts.title}


def _ports(form: dict[str, Any]) -> str:
    return " ".join([*map(str, form["ports"]), *(f"{port}/udp" for port in form["udp_ports"])])


def _show(form: dict[str, Any]) -> None:
    click.secho(escaped(" — ".join(part for part in (form["name"], form["title"]) if part)), bold=True)
    facts = {"ports": _ports(form), "over": form["over"], "source": form["source"], "not covered": form["not_covered"]}
    for name, text in facts.items():
        if text:
            _tell(f"  {name + ':':<13}", text)
    if described_both_ways(form):
        _show_phases("both directions", form["client"])
    else:
        _show_phases("client sends", form["client"])
        _show_phases("server sends", form["server"])


def _show_phases(heading: str, direction: dict[str, Any]) -> None:
    click.secho(f"\n{heading}", bold=True)
    single = len(direction["phases"]) == 1
    for phase in direction["phases"]:
        if not single:
            marks = " and ".join(mark for mark in ("start", "midstream") if direction[mark] == phase["name"])
            click.echo(escaped(f"  {phase['name']} ({marks})" if marks else f"  {phase['name']}"))
        _show_phase(phase, "  " if single else "    ")


def _show_phase(phase: dict[str, Any], indent: str) -> None:
    for name, parts in phase["layouts"].items():
        if name:
            click.echo(f"{indent}{escaped(name)}")
        for line in picture(Part(**part) for part in parts):
            click.echo(escaped(f"{indent}{line}"))
    lines = {
        "frames": phase["format"],
        "fields": ", ".join(phase["fields"]),
        "codec": phase["codec"],
        "join": phase["join"],
        "limit": "1 byte a frame" if phase["max_frame_size"] == 1 else f"{phase['max_frame_size']} bytes a frame",
        "errors": f"recovery = {phase['recovery']}" if phase["recovery"] != POLICY_NAMES[0] else "",
        "begins": f"{phase['first']}, or else it is {phase['otherwise']}" if phase["first"] else "",
    }
    for name, text in lines.items():
        if text:
            _tell(f"{indent}{name + ':':<8}", text)
    for rule in phase["after"]:
        _tell(f"{indent}{'after:':<8}", f"{_condition(rule)}: {_effect(rule)}")


def _tell(label: str, text: str) -> None:
    """Print a fact: on a terminal as wide as that, with what goes on standing below its beginning."""
    line = label + escaped(" ".join(text.split()))
    width = shutil.get_terminal_size().columns
    if sys.stdout.isatty() and len(line) > width:
        line = textwrap.fill(line, max(width, 2 * len(label)), subsequent_indent=" " * len(label))
    click.echo(line)


def _effect(rule: dict[str, Any]) -> str:
    parts = [f"{side} → {target}" for side, target in rule["moves"].items()]
    parts += [f"{side} owes an answer: {target}" for side, target in rule["owes"].items()]
    return ", ".join(parts + ["an answer is complete"] * rule["answers"])


def _condition(rule: dict[str, Any]) -> str:
    parts = [f"{name} = {value if value != '' else 'other'}" for name, value in rule["fields"].items()]
    parts += [f"{name} has {pattern}" for name, pattern in rule["pattern"].items()]
    if rule["payload"]:
        parts.append(f"payload begins with {rule['payload']}")
    if rule["frames"] > 1:
        parts.append(f"frame {rule['frames']} or later")
    return " and ".join(parts) or "any frame"

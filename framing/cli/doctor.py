"""`framing doctor`: is this installation what it should be?"""

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

import click

import framing
from framing.cli.console import escaped
from framing.cli.plugin_rows import all_rows, checked, is_trouble
from framing.cli.versions import installed_version, scanner
from framing.entries import PLUGINS_VARIABLE
from framing.errors import FramingError
from framing.installation import DISTRIBUTION, foreign_claims

__all__ = ["doctor"]

_DEPENDENCIES = ("trio", "msgpack", "construct", "click")
_SELF_TEST_MESSAGE = {"id": 7, "data": b"\x00\xff", "list": [None, True, 1.5, "é"]}


class Finding(NamedTuple):
    """One line of the report."""

    subject: str
    text: str
    good: bool = True


@click.command(short_help="Check the installation")
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check the installation: versions, import names, plug-ins, and a message there and back.

    Every plug-in is imported. Exit code 0 if nothing is wrong, 1 if anything is.

    \b
    Example:
      framing doctor
    """
    bad_count = 0
    for finding in _findings():
        bad_count += not finding.good
        _print(finding)
    click.echo("\nNothing is wrong." if not bad_count else f"\n{bad_count} to look at.")
    if bad_count:
        ctx.exit(1)


def _findings() -> Iterator[Finding]:
    yield Finding("Python", f"{'.'.join(map(str, sys.version_info[:3]))}, {sys.implementation.name}, {sys.platform}")
    for distribution in (DISTRIBUTION, *_DEPENDENCIES):
        version = installed_version(distribution)
        # Our own code runs without being installed, but then has no plug-ins, not even in name.
        yield Finding(distribution, version or "not installed: pip install framewire", version is not None)
    yield Finding("scanner", scanner().partition(": ")[2])
    yield from _import_names()
    yield from _plugins()
    yield _round_trip()


def _import_names() -> Iterator[Finding]:
    claims = foreign_claims()
    for claim in claims:
        owner = f"{claim.distribution} {claim.version or ''}".strip()
        text = f"{claim.package} is also a package of {owner}: pip uninstall {claim.distribution}, then pip install"
        yield Finding("import names", f"{text} --force-reinstall {DISTRIBUTION}", good=False)
    if not claims:
        yield Finding("import names", f"framing is {os.path.dirname(framing.__file__)}; nobody else's")


def _plugins() -> Iterator[Finding]:
    allowed = os.environ.get(PLUGINS_VARIABLE)
    meaning = "not set: all are allowed" if allowed is None else repr(allowed) if allowed else "empty: none is allowed"
    yield Finding(PLUGINS_VARIABLE, meaning)
    rows = [checked(row) for row in all_rows()]
    others = [row for row in rows if not row.builtin and row.usable]
    yield Finding("plug-ins", f"{sum(row.usable for row in rows)} ready, {len(others)} of them not built in")
    for row in filter(is_trouble, rows):
        owner = f"{row.distribution or 'an unknown distribution'} {row.version or ''}".strip()
        yield Finding(f"{row.kind} {row.name}", f"{row.status}, from {owner}: {row.problem}", good=False)


def _round_trip() -> Finding:
    """Encode a message and read it back one byte at a time."""
    try:
        conversation = framing.Conversation(framing.get_protocol("u32be/msgpack"))
        for byte in conversation.encode("client", _SELF_TEST_MESSAGE):
            conversation.client.feed(bytes([byte]))
        got = conversation.client.take_messages()
    except FramingError as error:
        return Finding("self-test", str(error), good=False)
    good = got == [_SELF_TEST_MESSAGE]
    return Finding("self-test", "a message came back as it was" if good else f"{got!r} came back", good)


def _print(finding: Finding) -> None:
    mark = click.style("ok ", fg="green") if finding.good else click.style("BAD", fg="red", bold=True)
    click.echo(f"{mark}  {escaped(finding.subject):<16}  {escaped(finding.text)}")

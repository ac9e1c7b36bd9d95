"""The rows of every kind of plug-in, looked at closely: what `framing plugin list` and `framing doctor` share."""

from collections.abc import Iterator

from framing import registry
from framing.cli.group import command_misfit
from framing.definition import get_protocol
from framing.entries import BROKEN, DISALLOWED, GROUPS, Entry
from framing.errors import FramingError

__all__ = ["all_rows", "checked", "is_trouble"]


def all_rows(kind: str | None = None) -> Iterator[Entry]:
    """Yield the rows of one kind, or of all, without importing anything."""
    for each in GROUPS:
        if kind in (None, each):
            yield from registry.entries(each)


def checked(row: Entry) -> Entry:
    """Import what a row means, or read its file, and return the row with what came of it."""
    if not row.path or not row.usable:
        probed = registry.probe(row)
        misfit = command_misfit(registry.load_entry(row)) if row.kind == "command" and probed.usable else None
        return row._replace(status=BROKEN, problem=misfit) if misfit else probed
    try:
        get_protocol(row.spelling)
    except FramingError as error:
        return row._replace(status=BROKEN, problem=str(error))
    return row


def is_trouble(row: Entry) -> bool:
    """Whether a row is there to be used and cannot be. One that FRAMING_PLUGINS switches off is as it should be."""
    return not row.usable and row.status != DISALLOWED

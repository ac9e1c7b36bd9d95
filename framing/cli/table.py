"""Tables of text: whole lines for `grep` and `awk`, and on a terminal no wider than that.

piped     NAME  TITLE                      on a terminal of 24    NAME  TITLE
          bolt  Bolt, Neo4j's protocol                            bolt  Bolt, Neo4j's
                                                                        protocol
"""

import shutil
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import zip_longest

import click

from framing.cli.console import colour_wanted, escaped

__all__ = ["print_table"]

_GAP, _INDENT = "  ", "    "


def print_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int] = (), is_first_whole: bool = False
) -> None:
    """Print aligned columns. Nothing is ever cut; on a terminal that is too narrow, cells are broken at spaces.

    Args:
        head: the names of the columns.
        rows: a cell for each column, as it is: control characters are escaped here.
        right: columns that are aligned at their right, on a terminal.
        is_first_whole: where the table is too wide, the first column is not broken, but has lines of its own.
    """
    lines = [[escaped(cell) for cell in row] for row in rows]
    widths = _widths(head, lines)
    if not sys.stdout.isatty():
        _print(head, lines, widths)
        return
    room = shutil.get_terminal_size().columns
    if is_first_whole and _excess(widths, room) > 0:
        rest = [line[1:] for line in lines]
        fitted = _fitted(head[1:], rest, room - len(_INDENT))
        _print(head[1:], rest, fitted, [column - 1 for column in right], (head[0], [line[0] for line in lines]))
    else:
        _print(head, lines, _fitted(head, lines, room), right)


def _widths(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(head, *lines, strict=True)]


def _excess(widths: Sequence[int], room: int) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1) - room


def _print(
    head: Sequence[str],
    lines: Sequence[Sequence[str]],
    widths: Sequence[int],
    right: Collection[int] = (),
    above: tuple[str, Sequence[str]] | None = None,
) -> None:
    """Print lines, broken where they are wider than that, and over each the text that stands above it."""
    title, titles = above or ("", [""] * len(lines))
    for kind, text, line in ((True, title, head), *((False, *pair) for pair in zip(titles, lines, strict=True))):
        if text:
            click.secho(text, bold=kind, color=colour_wanted())
        for cells in zip_longest(*map(_wrapped, line, widths), fillvalue=""):
            shown = (_INDENT if text else "") + _aligned(cells, widths, right)
            click.secho(shown, bold=kind or None, color=colour_wanted())


def _aligned(cells: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    pairs = enumerate(zip(cells, widths, strict=True))
    parts = [cell.rjust(width) if column in right else cell.ljust(width) for column, (cell, width) in pairs]
    return _GAP.join(parts).rstrip()


def _fitted(head: Sequence[str], lines: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return widths with which the table fits: words are broken only if it cannot fit otherwise."""
    columns = list(zip(head, *lines, strict=True))
    words = [max(len(word) for cell in column for word in cell.split(" ")) for column in columns]
    sizes = [Counter(map(len, column)) for column in columns]
    return _narrowed(_narrowed(_widths(head, lines), words, sizes, room), [1] * len(head), sizes, room)


def _narrowed(widths: list[int], least: list[int], sizes: list[Counter[int]], room: int) -> list[int]:
    """Take away what is too much, each sign where it breaks the fewest cells."""
    narrowed = list(widths)
    for _ in range(_excess(widths, room)):
        prices = {
            column: _line_count(sizes[column], width - 1) - _line_count(sizes[column], width)
            for column, width in enumerate(narrowed)
            if width > least[column]
        }
        if not prices:
            break
        narrowed[min(prices, key=lambda column: (prices[column], -narrowed[column]))] -= 1
    return narrowed


def _line_count(sizes: Counter[int], width: int) -> int:
    return sum(count * -(-size // width) for size, count in sizes.items())


def _wrapped(cell: str, width: int) -> list[str]:
    """Break a cell at spaces, and what is too long even then anywhere."""
    parts = []
    while len(cell) > width:
        place = cell.rfind(" ", 0, width + 1)
        place = place if place > 0 else width
        parts.append(cell[:place].rstrip(" "))
        cell = cell[place:].lstrip(" ")
    return [*parts, cell]

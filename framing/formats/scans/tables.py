"""Tables of what was met, which no peer can fill memory with.

Once a table is full, the older half of it is forgotten. Were it closed then, whoever sends ever new headers would leave
all others without it for good; were all forgotten, what is met most would be, too.
"""

from itertools import islice
from typing import TypeVar

__all__ = ["MAX_KNOWN", "remember"]

# Most streams have fewer headers; a table of so many has a MiB or less.
MAX_KNOWN = 4096

_Met = TypeVar("_Met")
_Told = TypeVar("_Told")


def remember(table: dict[_Met, _Told], met: _Met, told: _Told, most: int | None = None) -> None:
    """Put something into a table of `most` at most, else of `MAX_KNOWN`."""
    if len(table) >= (MAX_KNOWN if most is None else most) and met not in table:
        for old in [*islice(table, (len(table) + 1) // 2)]:
            del table[old]
    table[met] = told

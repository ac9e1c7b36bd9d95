"""The line of every key in a TOML text, which tomllib does not tell.

    after = [                       line 1    after
        { client = "tls" },              2    after[0]  after[0].client
    ]
    [client.phases."a.b"]                4    client  client.phases  client.phases."a.b"

Only for texts that tomllib has taken: so this need not know what is allowed, only where things begin. Strings and
comments are skipped as wholes, whatever they contain. The text is read when an error needs a line, and never before.
"""

import re
import tomllib
from typing import Any

__all__ = ["dotted", "key_lines"]

# A string, a comment, a line's end, punctuation, or a run of anything else: a bare key, a number, a date.
_TOKEN = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"""(?!")|\'\'\'[\s\S]*?\'\'\'(?!\')|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''
    r"|#[^\n]*|\n|[\[\]{},=.]|[^\s\[\]{},=.#\"']+"
)
_BARE = re.compile("[A-Za-z0-9_-]+")

_Path = tuple[str | int, ...]


def key_lines(text: str) -> dict[str, int]:
    """Return the line, from 1, on which each key first stands, by its dotted name as `dotted` writes it.

    >>> key_lines('[both]\\nheader = "length:u8"')
    {'both': 1, 'both.header': 2}
    """
    scan = _Scan()
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token[0] != "#":
            scan.take(token)
        scan.line += token.count("\n")
    return scan.lines


def dotted(path: _Path) -> str:
    """Return a path as TOML would write it, with an index for an item of an array.

    >>> dotted(("client", "phases", "a.b", "after", 0))
    'client.phases."a.b".after[0]'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_quoted(part)}" for part in path).removeprefix(".")


def _quoted(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace('"', '\\"')
    return part if _BARE.fullmatch(part) else f'"{escaped}"'


class _Open:
    """A table or array that is being read: `item` counts an array's items, and is -1 for a table."""

    __slots__ = ("item", "path")

    def __init__(self, path: _Path, item: int = -1) -> None:
        self.path = path
        self.item = item


class _Scan:
    """The state between two tokens.

    A stack of its own instead of recursion: an error must not become another one because the text nests deeply.
    """

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.line = 1
        self._open = [_Open(())]
        self._key: list[str] = []
        self._value_path: _Path | None = None  # None: a key is being read
        self._heading = ""  # "[" or "[[" while a table's name is being read
        self._counts: dict[_Path, int] = {}  # items so far of arrays of tables

    def take(self, token: str) -> None:
        if self._value_path is not None:
            self._take_value(token)
        elif token == "[":
            self._heading += token
        elif token == "]":
            self._end_heading()
        elif token == "=":
            self._value_path = self._noted(self._open[-1].path, self._key)
            self._key = []
        elif token == "}":
            self._close()
        elif token not in "\n.,":
            self._key.append(_name(token))

    def _take_value(self, token: str) -> None:
        top = self._open[-1]
        if token in ("[", "{"):
            self._push(token)
        elif token in ("]", "}"):
            self._close()
        elif token == "," and top.item >= 0:
            top.item += 1
            self._value_path = (*top.path, top.item)
        elif (token == "," and len(self._open) > 1) or (token == "\n" and len(self._open) == 1):
            self._value_path = None
        elif token not in ".\n" and self._value_path is not None:
            self.lines.setdefault(dotted(self._value_path), self.line)

    def _push(self, token: str) -> None:
        path = self._value_path
        assert path is not None  # a value is being read
        self.lines.setdefault(dotted(path), self.line)
        self._open.append(_Open(path, 0 if token == "[" else -1))
        self._value_path = (*path, 0) if token == "[" else None

    def _close(self) -> None:
        self._value_path = (
            self._open.pop().path
        )  # what was closed is a value, behind which a comma or a line's end comes

    def _end_heading(self) -> None:
        if self._heading:
            path = self._noted((), self._key)
            if self._heading == "[[":
                count = self._counts[path] = self._counts.get(path, -1) + 1
                path = (*path, count)
                self.lines[dotted(path)] = self.line
            self._open = [_Open(path)]
        self._heading, self._key = "", []

    def _noted(self, path: _Path, key: list[str]) -> _Path:
        """Note the line of a key and of the tables that it goes through."""
        for number, part in enumerate(key, 1):
            path = (*path, part)
            self.lines.setdefault(dotted(path), self.line)
            if number < len(key) and path in self._counts:
                path = (*path, self._counts[path])
        return path


def _name(token: str) -> str:
    if token[0] not in "\"'":
        return token
    content: dict[str, Any] = tomllib.loads(f"name = {token}")
    return str(content["name"])

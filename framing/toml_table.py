"""A table of a definition file: keys are taken one by one, and every mistake is told with its file, line and key."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from framing.errors import DefinitionError, FramingError, PluginLoadError
from framing.toml_lines import dotted, key_lines

__all__ = ["File", "Table", "kind_of"]

# What TOML calls Python's types.
_KINDS = {str: "text", int: "an integer", dict: "a table", list: "an array", float: "a float", bool: "a boolean"}


class File:
    """The text that is read and its name, for errors."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self._text = text
        self._lines: dict[str, int] | None = None

    @property
    def lines(self) -> dict[str, int]:
        """The line of each key, by its dotted name."""
        if self._lines is None:
            self._lines = key_lines(self._text)
        return self._lines

    def name(self, plain: str) -> str | None:
        """Return the dotted name of a key of the file as TOML writes it, from one that may lack the quotes."""
        return (
            plain if plain in self.lines else next((one for one in self.lines if one.replace('"', "") == plain), None)
        )

    def error(self, reason: str, path: tuple[str | int, ...], **facts: Any) -> DefinitionError:
        """Return the error for a key, with its line, or that of the innermost table around it that is there."""
        known = (self.lines.get(dotted(path[:count])) for count in range(len(path), 0, -1))
        line = next((line for line in known if line), None)
        return DefinitionError(reason, source=self.source, line=line, key=dotted(path) or None, **facts)


class Table:
    """A table of the file: its keys are taken one by one, and what is left over is an error."""

    def __init__(self, content: dict[str, Any], file: File, path: tuple[str | int, ...]) -> None:
        self.content = content
        self.taken: dict[str, None] = {}  # in the order in which an error lists them
        self._file = file
        self._path = path

    def take(self, key: str, *kinds: type, default: Any = None) -> Any:
        """Return a key's value, which must be of one of these types, or the default."""
        self.taken[key] = None
        if key not in self.content:
            return default
        value = self.content[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise self.error(
                "a value of the wrong type", key, kind_of(value), " or ".join(_KINDS[kind] for kind in kinds)
            )
        return value

    def take_bytes(self, key: str) -> bytes:
        """Return a key's value as a constant, no bytes if it is not there."""
        text: str = self.take(key, str, default="")
        return self.constant(key, text)

    def constant(self, key: str, text: str) -> bytes:
        """Return the bytes of a constant: `0x` and hex digits, or text."""
        try:
            return bytes.fromhex(text[2:]) if text[:2] == "0x" else text.encode()
        except ValueError as error:
            raise self.error("not a constant", key, text, "0x and pairs of hex digits, or text") from error

    def inner(self, key: str) -> "Table":
        """Return the table under a key, an empty one if it is not there."""
        return Table(self.take(key, dict, default={}), self._file, (*self._path, key))

    def items(self, key: str) -> "Iterator[Table]":
        """Yield the tables of the array under a key."""
        for number, content in enumerate(self.take(key, list, default=[])):
            item = Table(content, self._file, (*self._path, key, number))
            if not isinstance(content, dict):
                raise self._file.error(
                    "this is no table", item._path, found=kind_of(content), allowed="{ key = value, … }"
                )
            yield item

    def finish(self) -> None:
        """Refuse a key that nobody has taken."""
        for key in self.content:
            if key not in self.taken:
                raise self.error("no such key here", key, key, ", ".join(self.taken), _near_names(key, self.taken))

    def near(self, wanted: Iterable[str]) -> str | None:
        """Return a hint at what is meant by a key of this table that is nearly one of these."""
        hints = (_near_names(key, wanted) for key in self.content if key not in self.taken)
        return next((hint for hint in hints if hint), None)

    def error(self, reason: str, key: str, found: object, allowed: str, hint: str | None = None) -> DefinitionError:
        """Return the error for a key of this table."""
        return self._file.error(reason, (*self._path, key), found=found, allowed=allowed, hint=hint)

    @contextmanager
    def locating(self, key: str, near: Iterable[str] = ()) -> Iterator[None]:
        """Say where in the file the mistake stands that something deeper finds: at the key it names, or at `key`.

        What cannot be loaded is no mistake of the file. `near`: what else the key it names may have been meant for.
        """
        try:
            yield
        except PluginLoadError:
            raise
        except FramingError as error:
            raise self._located(error, key, near) from error

    def _located(self, error: FramingError, key: str, near: Iterable[str]) -> DefinitionError:
        facts = {name: getattr(error, name, None) for name in ("position", "found", "allowed", "hint")}
        deeper = getattr(error, "key", None) or self._key_of(getattr(error, "source", None))
        if deeper in self.content and facts["hint"] is None:
            facts["hint"] = _near_names(deeper, (*self.taken, *near))
        place: tuple[str | int, ...] = (*self._path, key) if key else self._path
        if deeper and deeper.partition(".")[0] in self.content:  # a part of an option, such as join.last
            place = (*self._path, *deeper.split("."))
        located = self._file.error(error.reason, place, **facts)
        name = self._file.name(".".join(part for part in (dotted(self._path), deeper) if part)) if deeper else None
        if name:
            located.key, located.line = name, self._file.lines[name]
        return located

    def _key_of(self, text: object) -> str | None:
        """Return the key whose text a mistake was found in; of the header there may be another one, the trailer."""
        return next((key for key, value in self.content.items() if text and value == text), None)


def kind_of(value: object) -> str:
    """Return what TOML calls a value's type."""
    return _KINDS.get(type(value), "a date or time")


def _near_names(key: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # only an error pays for it

    near = get_close_matches(key, dict.fromkeys(one for one in known if one != key))
    return f"did you mean {' or '.join(near)}?" if near else None

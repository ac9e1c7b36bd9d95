"""Names → codecs, frame formats, protocols, commands and schemes: built in, installed by anyone, or registered here.

Two stages. `entries`, `names` and `find` read names and import nothing; then `load` imports the one that was asked for.
What one distribution does wrong concerns only who asks for it by name: everybody else sees a row that says so.

    pyproject.toml of a plug-in                         used as
    [project.entry-points."framing.codecs.v1"]
    rot13 = "acme_framing:Rot13Codec"                   u32be/rot13, or u32be/rot13@acme-framing

1. Built-in names are reserved: a static table answers for them before anybody's metadata is read. A plug-in that uses
   one is a row, `shadowing`, and an error for who asks for `name@distribution`.
2. Two distributions with one name are an error naming both; `name@distribution` picks one. A row that cannot be used
   does not count, nor does the same distribution found twice.
3. The environment variable FRAMING_PLUGINS lists the distributions that may be used, separated by commas. Empty: none.
   Unset: all. It is read before anything is imported.
4. The number at a group's end is the plug-in API that the plug-in was written for: the present one and the one before
   are accepted. So is an object's own `api_version`, where it has one.
5. A name that stands in bytes from the wire is never looked up: a tagged union has a list of its codecs.
"""

from typing import Any

from framing.entries import (
    ACCEPTED_API_VERSIONS,
    API_VERSION,
    BROKEN,
    DISALLOWED,
    GROUPS,
    NAME_RULE,
    PLUGINS_VARIABLE,
    Entry,
    builtin_entries,
    installed_entries,
    is_name,
)
from framing.errors import AmbiguousNameError, PluginLoadError, UnknownNameError
from framing.installation import DISTRIBUTION, normalized

__all__ = ["PACKAGES", "Entry", "Registration", "entries", "find", "load", "load_entry", "names", "probe", "register"]

# name → what to give to `pip install`, for plug-ins that are published apart from this distribution. None is yet.
PACKAGES: dict[str, str] = {}

# Names that an error lists; of protocols there are many more.
_LISTED_COUNT = 40


class Registration:
    """One name registered in this process, until `undo` or the end of a `with` block."""

    __slots__ = ("factory", "kind", "name")

    def __init__(self, kind: str, name: str, factory: Any) -> None:
        self.kind = kind
        self.name = name
        self.factory = factory

    def undo(self) -> None:
        """Take the name back; one that it covered is there again. Undoing twice is no error."""
        if self in _registrations:
            _registrations.remove(self)

    def __enter__(self) -> "Registration":
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()


# What a class must be a subclass of, and which file says so; of a function only calling it could tell.
_CONTRACTS = {"codec": ("framing.codec", "Codec"), "format": ("framing.frame", "FrameFormat")}

# Of the whole process, as installed plug-ins are. Oldest first.
_registrations: list[Registration] = []


def register(kind: str, name: str, factory: Any) -> Registration:
    """Add one name in this process, for tests and notebooks; it goes before an installed plug-in of that name.

    >>> with register("command", "shout", str.upper):
    ...     load("command", "shout")("hey")
    'HEY'

    Args:
        kind: `codec`, `format`, `protocol`, `command` or `scheme`, or its entry-point group.
        name: where it is registered again, as by a notebook's cell, the latest counts.
        factory: what an entry point would name: a class or function; for a protocol, the protocol.

    Raises:
        ValueError: the name is a built-in's, or no name.
        TypeError: the factory cannot be called.
    """
    kind = _kind(kind)
    if not is_name(name):
        raise ValueError(f"{name!r} cannot be registered: {NAME_RULE}")
    if name in builtin_entries(kind):
        raise ValueError(f"{name!r} is the name of a built-in {kind}")
    if problem := _misfit(kind, factory):
        raise TypeError(f"{kind} {name!r}: {problem}")
    registration = Registration(kind, name, factory)
    _registrations.append(registration)
    return registration


def entries(kind: str) -> list[Entry]:
    """List every row of this kind, unusable ones too, without importing any plug-in: built-ins come first."""
    kind = _kind(kind)
    local = {held.name: _registered_entry(held) for held in _registrations if held.kind == kind}
    return [*builtin_entries(kind).values(), *local.values(), *installed_entries(kind)]


def names(kind: str) -> tuple[str, ...]:
    """List every spelling of this kind that `load` takes, without importing any plug-in."""
    return tuple(dict.fromkeys(entry.spelling for entry in entries(kind) if entry.usable))


def find(kind: str, name: str) -> Entry:
    """Find the row that a name or `name@distribution` means, without importing the plug-in.

    Raises:
        UnknownNameError: nothing has this name.
        AmbiguousNameError: several distributions have it.
        PluginLoadError: it is there, but may not or cannot be used.
    """
    kind = _kind(kind)
    bare, at, distribution = name.partition("@")
    held = None if at else _held(kind, bare)
    if held:
        return _registered_entry(held)
    builtin = builtin_entries(kind).get(bare)
    if builtin and (not at or normalized(distribution) == DISTRIBUTION):
        return builtin
    rows = [row for row in installed_entries(kind) if row.name == bare]
    if at:
        rows = [row for row in rows if normalized(row.distribution or "") == normalized(distribution)]
    return _chosen(kind, name, rows)


def load(kind: str, name: str) -> Any:
    """Import what a name means and return it: a class or function that makes the object, never a shared object.

    Raises:
        UnknownNameError: nothing has this name.
        AmbiguousNameError: several distributions have it.
        PluginLoadError: it is there, but may not or cannot be used; the cause is chained.
        TypeError: the protocol is a file, to be read and not imported: see `find` and `Entry.path`.
    """
    return load_entry(find(kind, name))


def load_entry(entry: Entry) -> Any:
    """Import the object of a row from `find` or `entries`. Raises as `load` does."""
    if entry.path:
        raise TypeError(f"protocol {entry.name!r} is the file {entry.path}: there is nothing to import")
    found, problem, cause = _attempt(entry)
    if problem:
        raise _load_error(entry._replace(problem=problem)) from cause
    return found


def probe(entry: Entry) -> Entry:
    """Import a row's object to see whether that works, and return the row with the answer in it."""
    problem = None if entry.path or not entry.usable else _attempt(entry)[1]
    return entry._replace(status=BROKEN, problem=problem) if problem else entry


def _attempt(entry: Entry) -> tuple[Any, str | None, BaseException | None]:
    held = _held(entry.kind, entry.name) if entry.distribution is None else None
    if held or not entry.usable:
        return held and held.factory, entry.problem, None
    try:
        found = _imported(entry.value)
        return found, _misfit(entry.kind, found), None
    except KeyboardInterrupt:
        raise
    except BaseException as cause:  # noqa: BLE001 - sys.exit() in a plug-in's module is that plug-in's failure too
        return None, _last_line(cause), cause


def _imported(value: str) -> Any:
    from importlib import import_module

    module, _, attribute = value.partition(":")
    found: Any = import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def _misfit(kind: str, found: Any) -> str | None:
    if isinstance(found, type) and (missing := sorted(getattr(found, "__abstractmethods__", ()))):
        return f"its class {found.__name__} lacks {', '.join(missing)}"
    version = getattr(found, "api_version", API_VERSION)
    if version not in ACCEPTED_API_VERSIONS:
        return f"written for plug-in API {version}; accepted: {', '.join(map(str, ACCEPTED_API_VERSIONS))}"
    if kind != "protocol" and not callable(found):
        return f"a {kind} is made by calling a class or function, not {found!r:.80}"
    if isinstance(found, type) and kind in _CONTRACTS and not issubclass(found, _imported(":".join(_CONTRACTS[kind]))):
        module, contract = _CONTRACTS[kind]
        return f"its class {found.__name__} is no {contract}: it must be a subclass, as the text of {module} shows"
    return None


def _kind(text: str) -> str:
    for kind, group in GROUPS.items():
        if text in (kind, group):
            return kind
    raise ValueError(f"{text!r} is no kind of plug-in: {', '.join(GROUPS)}")


def _held(kind: str, name: str) -> Registration | None:
    return next((held for held in reversed(_registrations) if (held.kind, held.name) == (kind, name)), None)


def _registered_entry(held: Registration) -> Entry:
    return Entry(held.kind, held.name, repr(held.factory))


def _chosen(kind: str, name: str, rows: list[Entry]) -> Entry:
    usable = [row for row in rows if row.usable]
    if not rows:
        raise UnknownNameError(f"no {kind} is called {name!r}", group=GROUPS[kind], hint=_nearest(kind, name))
    if not usable:
        raise _load_error(rows[0])
    if len(usable) > 1:
        owners = " and by ".join(f"{row.distribution} {row.version}" for row in usable)
        hint = f"say {' or '.join(row.spelling for row in usable)}"
        raise AmbiguousNameError(f"{kind} {name!r} is offered by {owners}", group=GROUPS[kind], hint=hint)
    return usable[0]


def _nearest(kind: str, name: str) -> str:
    from difflib import get_close_matches  # two milliseconds that only this error pays

    if name in PACKAGES:
        return f"pip install '{PACKAGES[name]}'"
    known = names(kind)
    near = get_close_matches(name.lower(), known)
    other = next((other for other in GROUPS if name in builtin_entries(other)), None)
    if other:
        return f"there is a {other} of this name; each {kind}: {_listed(kind, known)}"
    return f"did you mean {' or '.join(near)}?" if near else f"known: {_listed(kind, known)}"


def _listed(kind: str, known: tuple[str, ...]) -> str:
    """Return as many names as one looks through, or else where to look for them."""
    if len(known) <= _LISTED_COUNT:
        return ", ".join(known)
    command = "framing protocols" if kind == "protocol" else f"framing plugin list --kind {kind}"
    return f"{len(known)}, which `{command}` lists"


def _load_error(entry: Entry) -> PluginLoadError:
    hint = f"to remove it: pip uninstall {entry.distribution}"
    if entry.status == DISALLOWED:
        hint = f"to allow it, add {entry.distribution} to {PLUGINS_VARIABLE}"
    elif entry.builtin:
        hint = f"it belongs to {DISTRIBUTION}: pip install --force-reinstall {DISTRIBUTION}"
    elif not entry.distribution:
        hint = "remove the *.dist-info directory without a METADATA file"
    return PluginLoadError(
        f"{entry.kind} {entry.name!r} cannot be loaded: {entry.problem}",
        group=GROUPS[entry.kind],
        distribution=entry.distribution,
        version=entry.version,
        entry_point=f"{entry.name} = {entry.value}",
        hint=hint,
    )


def _last_line(cause: BaseException) -> str:
    from traceback import format_exception_only  # it copes with exceptions that fail to make their own text

    return format_exception_only(cause)[-1].strip()

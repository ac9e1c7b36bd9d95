"""Text → protocol: a registered name, a TOML file, `module:attr`, a shorthand.

    get_protocol("kafka")                        a name, built in or from a plug-in
    get_protocol("./my.toml")                    a definition file; how to write one: specs/README.md
    get_protocol("acme.wire:PROTOCOL")           an object in a module
    get_protocol("u32be/msgpack")                a shorthand: the same wire format both ways

What a definition file may say: `framing.toml`. What a shorthand may say: `framing.shorthand`.
"""

import os
from typing import Any

from framing.errors import DefinitionError, FramingError, UnknownNameError
from framing.protocol import Protocol
from framing.registry import find, load_entry
from framing.shorthand import expanded, get_wire, parse_call, split_shorthand
from framing.wire import WireFormat

__all__ = ["get_protocol"]


def get_protocol(text: "str | os.PathLike[str]") -> Protocol:
    """Return a protocol.

    >>> get_protocol("u32be/msgpack")
    <Protocol u32be/msgpack>

    Args:
        text: a registered name, the path of a `.toml` file, `module:attr`, or a shorthand with a slash.

    Raises:
        RegistryError: no such name, or a plug-in that cannot be loaded.
        DefinitionError: the definition cannot work.
    """
    name = os.fspath(text)
    if name.endswith(".toml"):
        from framing.toml import load_protocol

        return load_protocol(name)
    if len(split_shorthand(name)) > 1:
        return Protocol.both_ways(name, get_wire(name))
    if ":" in name and "(" not in name:
        return _as_protocol(name, _attribute(name))
    return _registered(name)


def _registered(name: str) -> Protocol:
    try:
        entry = find("protocol", name)
    except UnknownNameError as error:
        error.hint = _hint(name) or error.hint
        raise
    if entry.path:
        from framing.toml import load_protocol

        return load_protocol(entry.path)
    return _as_protocol(name, load_entry(entry))


def _hint(name: str) -> str | None:
    """Tell what a name may have been meant for that is no protocol's."""
    if ("." in name and name[0] in "./~") or os.path.exists(name):
        return "a definition file's name ends in .toml"
    if os.path.exists(f"{name}.toml"):
        return f"the file is called {name}.toml"
    try:
        find("format", expanded(parse_call(name)).name)
    except UnknownNameError:
        return None
    return f"{name} is a frame format: say {name}/raw, or another codec"


def _as_protocol(name: str, found: Any) -> Protocol:
    if callable(found) and not isinstance(found, Protocol | WireFormat):
        found = _called(name, found)
    if isinstance(found, WireFormat):
        return Protocol.both_ways(name, found)
    if not isinstance(found, Protocol):
        raise DefinitionError(
            "this is no protocol", source=name, found=type(found).__name__, allowed="a Protocol or a WireFormat"
        )
    return found


def _called(name: str, factory: Any) -> Any:
    try:
        return factory()
    except FramingError:
        raise
    except (Exception, SystemExit) as error:
        raise DefinitionError(
            f"{name} makes no protocol: {error}", source=name, allowed="a function without arguments"
        ) from error


def _attribute(text: str) -> Any:
    from importlib import import_module

    module, _, attribute = text.partition(":")
    try:
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # whatever a module that is being written may raise, or a script do
        raise DefinitionError(
            f"{text} cannot be imported: {error}",
            source=text,
            allowed="module:attr, where the module can be imported from here",
        ) from error
    return found

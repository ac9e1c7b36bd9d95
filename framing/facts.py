"""What protocol definitions say of themselves, read without making their formats: to list 160 of them takes no time.

The facts of a definition file stand before its first table, and only that part is read as TOML. A protocol in code says
nothing until it is imported, which a list does not do.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple

from framing import registry
from framing.errors import DefinitionError
from framing.registry import Entry

__all__ = ["Facts", "KnownPorts", "facts_of", "known_ports"]

_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


class Facts(NamedTuple):
    """What a definition says for people and captures; see `Protocol`."""

    title: str = ""
    ports: tuple[int, ...] = ()
    udp_ports: tuple[int, ...] = ()
    over: str = ""


def facts_of(entry: Entry) -> Facts:
    """Return the facts of a protocol that is a file; of any other none.

    >>> facts_of(registry.find("protocol", "kafka")).ports
    (9092,)

    Raises:
        DefinitionError: the file cannot be read, or has no facts to read.
    """
    if not entry.path:
        return Facts()
    try:
        with open(entry.path, encoding="utf-8") as file:
            text = file.read()
        content = _head(text)
    except (OSError, ValueError, RecursionError) as error:
        raise DefinitionError(f"the definition cannot be read: {error}", source=entry.path) from error
    title, over = (text if isinstance(text := content.get(key, ""), str) else "" for key in ("title", "over"))
    return Facts(title, _ports(content, "ports"), _ports(content, "udp_ports"), over)


def _head(text: str) -> dict[str, Any]:
    found = _TABLE.search(text)
    try:
        return tomllib.loads(text[: found.start()] if found else text)
    except ValueError:
        if not found:
            raise
        return tomllib.loads(text)  # what looked like a table was a line of some text or array


def _ports(content: dict[str, Any], key: str) -> tuple[int, ...]:
    ports = content.get(key, ())
    return tuple(port for port in ports if type(port) is int) if isinstance(ports, list) else ()


class KnownPorts(NamedTuple):
    """The names of the protocols on each TCP and each UDP port."""

    tcp: dict[int, tuple[str, ...]]
    udp: dict[int, tuple[str, ...]]


def known_ports() -> KnownPorts:
    """Return what ports are known for, by protocols that are files: a guess shall run nobody's code.

    A protocol over another one that is known on the same port leaves the port to that one.

    >>> known_ports().tcp[9092]
    ('kafka',)
    """
    found: dict[str, Facts] = {}
    for entry in registry.entries("protocol"):
        try:
            found[entry.spelling] = facts_of(entry) if entry.usable else Facts()
        except DefinitionError:  # told by `framing protocols`; here it is only one guess less
            continue
    return KnownPorts(
        *({port: _unshared(names, found) for port, names in by_port.items()} for by_port in _listed(found))
    )


def _listed(found: Mapping[str, Facts]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    tcp: dict[int, list[str]] = {}
    udp: dict[int, list[str]] = {}
    for name, facts in found.items():
        for names, ports in ((tcp, facts.ports), (udp, facts.udp_ports)):
            for port in ports:
                names.setdefault(port, []).append(name)
    return tcp, udp


def _unshared(names: list[str], found: Mapping[str, Facts]) -> tuple[str, ...]:
    return tuple(name for name in names if found[name].over not in names or found[name].over == name)

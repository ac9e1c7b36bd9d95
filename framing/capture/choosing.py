"""Which protocol a connection speaks: the one that was said, or the only one that its server's port is known for."""

import os

from framing.capture.key import Transport
from framing.definition import get_protocol
from framing.errors import FramingError
from framing.facts import KnownPorts
from framing.protocol import Protocol

__all__ = ["ProtocolChoice"]

Text = str | os.PathLike[str]


class ProtocolChoice:
    """Gives each connection its protocol.

    Args:
        protocol: the one that all speak, or what `framing.get_protocol` takes; or the names of those that are known on
            each port. These are loaded when a connection needs them.
        max_frame_size: limit on the whole frame, instead of the protocols' own.

    Attributes:
        known: the names, `None` where one protocol was said.
        server_ports: a side with one of these is the server, if nothing else tells.
        wanted_ports: the TCP ports to decode unless others are asked for, `None` for all.
        datagram_ports: the UDP ports to decode unless others are asked for.
        transports: what connections may be carried by: where one protocol was said, what it has ports of, or either.

    Raises:
        RegistryError, DefinitionError: there is no such protocol as was said.
    """

    __slots__ = (
        "_loaded",
        "_max_frame_size",
        "_said",
        "datagram_ports",
        "known",
        "server_ports",
        "transports",
        "wanted_ports",
    )

    def __init__(self, protocol: Protocol | Text | KnownPorts, max_frame_size: int | None = None) -> None:
        self._max_frame_size = max_frame_size
        self._loaded: dict[str, Protocol | None] = {}
        self._said: Protocol | None = None
        self.known: KnownPorts | None = None
        self.datagram_ports: frozenset[int]
        self.transports: frozenset[Transport] = frozenset(("tcp", "udp"))
        self.wanted_ports: frozenset[int] | None
        if isinstance(protocol, KnownPorts):
            self.known = protocol
            self.server_ports, self.datagram_ports = frozenset(protocol.tcp), frozenset(protocol.udp)
            self.wanted_ports = frozenset(port for port, names in protocol.tcp.items() if len(names) == 1) or None
        else:
            self._said = self._limited(protocol if isinstance(protocol, Protocol) else get_protocol(protocol))
            self.server_ports = frozenset(self._said.ports)
            self.datagram_ports = frozenset(self._said.udp_ports)
            self.transports = _transports(self._said)
            self.wanted_ports = self.server_ports if self.server_ports or self.datagram_ports else None

    def protocol(self, port: int, transport: Transport = "tcp") -> Protocol | None:
        """Return what connections to a server's port speak; `None` if that is not known for sure."""
        if transport not in self.transports:
            return None
        if self.known is None:
            return self._said
        names = getattr(self.known, transport).get(port, ())
        if len(names) != 1:
            return None
        (name,) = names
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def name(self, port: int, transport: Transport = "tcp") -> str:
        """Return what records call the protocol of a port: its name where it was the port that told it."""
        if self.known is None:
            return ""
        name: str = getattr(self.known, transport)[port][0]
        return name

    def _load(self, name: str) -> Protocol | None:
        try:
            return self._limited(get_protocol(name))
        except FramingError:
            # Somebody's definition that does not work is as good as none; who asks for it by name is told why.
            return None

    def _limited(self, protocol: Protocol) -> Protocol:
        return protocol if self._max_frame_size is None else protocol.limited(self._max_frame_size)


def _transports(protocol: Protocol) -> frozenset[Transport]:
    tcp: set[Transport] = {"tcp"} if protocol.ports or not protocol.udp_ports else set()
    udp: set[Transport] = {"udp"} if protocol.udp_ports or not protocol.ports else set()
    return frozenset(tcp | udp)

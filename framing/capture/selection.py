"""Which connections of a capture speak the protocol: by the server's port, or by a name that was given."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from framing.capture.flow import Connection, Flow

__all__ = ["FlowSelection"]

# As many ports as a line of text can take.
_LISTED_COUNT = 12


class FlowSelection:
    """Takes connections or leaves them, and remembers the ports of those it left.

    Args:
        ports: the server's; `None` takes every port. Datagrams are not asked: only wanted ones come here.
        names: flows `10.0.0.5:51744>10.0.0.9:9092`, with or without `/udp` and `#2`; endpoints `10.0.0.9:9092`;
            addresses. A connection is taken if it has one of them. If there are any, ports do not count.
        datagram_ports: the UDP ports whose datagrams are wanted, `None` for all.
    """

    __slots__ = ("datagram_ports", "left", "names", "ports", "taken_count")

    def __init__(
        self,
        ports: Collection[int] | None = None,
        names: Iterable[str] = (),
        datagram_ports: Collection[int] | None = (),
    ) -> None:
        self.ports = None if ports is None else frozenset(ports)
        self.datagram_ports = None if datagram_ports is None else frozenset(datagram_ports)
        self.names = frozenset(names)
        self.left: Counter[int] = Counter()
        self.taken_count = 0

    def takes(self, connection: Connection, *, decodable: bool = True) -> bool:
        """Whether the connection is decoded; what is not `decodable` is left. Ask once for each."""
        server = connection.server
        if self.names:
            taken = any(self.shows(flow) for flow in (connection.client, server))
        else:
            taken = self.ports is None or server.port in self.ports or server.transport == "udp"
        if taken and decodable:
            self.taken_count += 1
            return True
        self.left[server.port] += 1
        return False

    def shows(self, flow: Flow) -> bool:
        """Whether this flow is among those named. An endpoint names both directions, a flow only its own."""
        if not self.names:
            return True
        bare = flow.name.partition("#")[0]
        # Without what carries it, and its virtual network.
        plain = bare.partition("/")[0]
        places = {flow.name, bare, plain, *plain.split(">"), flow.source[0], flow.destination[0]}
        return not self.names.isdisjoint(places)

    @property
    def wanted(self) -> str:
        """What is looked for, for a message."""
        if self.names:
            return f"called {', '.join(sorted(self.names))}"
        datagram_ports = sorted(self.datagram_ports or ())
        return (
            f"on port {', '.join([*map(str, sorted(self.ports or ())), *(f'{port}/udp' for port in datagram_ports)])}"
        )

    def ports_left(self, names: Mapping[int, tuple[str, ...]] | None = None) -> str:
        """Return the ports of the connections that were left, for a message: the most frequent first.

        Args:
            names: of the protocols known on each port, to tell where these are several.
        """
        known = names or {}
        common = self.left.most_common(_LISTED_COUNT)
        listed = ", ".join(_counted(port, count) + _told(known.get(port, ())) for port, count in common)
        more = len(self.left) - len(common)
        return f"{listed} and {more} more" if more else listed


def _counted(port: int, count: int) -> str:
    return f"{port} ({count})" if count > 1 else str(port)


def _told(names: tuple[str, ...]) -> str:
    return f": {' or '.join(names)}" if names else ""

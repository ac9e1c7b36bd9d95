"""What `framing decode` tells where nobody said a protocol: what each port was taken for, and what was left."""

from collections.abc import Iterator

from framing.capture.records import Record, SummaryRecord
from framing.cli.console import shown_error
from framing.definition import get_protocol
from framing.errors import FramingError
from framing.facts import KnownPorts

__all__ = ["PortNotes"]

# As many ports as a line of text can take.
_LISTED_COUNT = 12


class PortNotes:
    """Looks at the records of one run, and knows what is news.

    Args:
        known: the names of the protocols on each port.
    """

    def __init__(self, known: KnownPorts) -> None:
        self._known = known
        self._told: set[tuple[str, str]] = set()

    def lines(self, record: Record) -> Iterator[str]:
        """Yield what is to be told before a record is shown."""
        if isinstance(record, SummaryRecord) and record.flow is None:
            yield from self._left(record)
        elif record.protocol:
            port = _server_port(record)
            if (port, record.protocol) not in self._told:
                self._told.add((port, record.protocol))
                yield f"port {port} is taken for {record.protocol}; with --protocol you say what it is"

    def _left(self, total: SummaryRecord) -> Iterator[str]:
        unknown: list[str] = []
        for port, count in (total.left or {}).items():
            names = self._known.tcp.get(port) or self._known.udp.get(port, ())
            if len(names) > 1:
                yield f"port {port}, {_counted(count)}, not decoded: say --port {port} --protocol {' or '.join(names)}"
            elif names:
                yield from self._broken(port, names[0])
            else:
                unknown.append(f"{port} ({count})")
        if unknown:
            more = f" and {len(unknown) - _LISTED_COUNT} more" if len(unknown) > _LISTED_COUNT else ""
            yield f"not decoded, for no protocol is known on these ports: {', '.join(unknown[:_LISTED_COUNT])}{more}"

    def _broken(self, port: int, name: str) -> Iterator[str]:
        """Tell about the one protocol of a port that was left: it cannot be used, or other flows were asked for."""
        try:
            get_protocol(name)
        except FramingError as error:
            yield f"port {port} not decoded: {name} cannot be used: {shown_error(error)}"


def _server_port(record: Record) -> str:
    """Return the server's port out of a flow's name, with what carries it if that is not TCP: `53/udp`."""
    plain, slash, carrier = str(record.flow).partition("#")[0].partition("/")
    client, _, server = plain.partition(">")
    port = (server if record.direction == "client" else client).rpartition(":")[2]
    return f"{port}/udp" if slash and carrier.startswith("udp") else port


def _counted(count: int) -> str:
    return "1 connection" if count == 1 else f"{count} connections"

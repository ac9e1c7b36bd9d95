"""The flows of a capture, without decoding any: who spoke to whom, how much, and what is missing."""

from collections.abc import Iterator
from contextlib import closing

from framing.capture.assembler import Assembler
from framing.capture.files import read_batches
from framing.capture.flow import Chunk, Event, FlowEnd
from framing.capture.ordinary import Batch
from framing.capture.reading import File
from framing.capture.records import ErrorRecord, FlowRecord
from framing.errors import CaptureFileError
from framing.facts import KnownPorts

__all__ = ["survey"]


def survey(source: File, known: KnownPorts | None = None) -> Iterator[FlowRecord | ErrorRecord]:
    """Yield a record for each flow as it ends; most end with the capture.

    Args:
        source: as for `read`.
        known: what ports are known for. Where no SYN was seen, a side with one of these ports is the server.

    Raises:
        CaptureFileError: this is no capture. One that is damaged or truncated yields all before that, and an
            `ErrorRecord` at last.
        OSError: the file cannot be opened or read.
    """
    known = known or KnownPorts({}, {})
    assembler = Assembler(server_ports=known.tcp, datagram_ports=None, datagram_servers=known.udp)
    assembler.on_begin = assembler.join
    damage = None
    with closing(read_batches(source, assembler.joining)) as packets:
        try:
            for packet in packets:
                events = assembler.add_batch(packet) if isinstance(packet, Batch) else assembler.add(packet)
                for event in events:
                    if event.flow.context is None:
                        assembler.join(event.flow.connection)
                    yield from _taken(event, known)
        except CaptureFileError as error:
            if not assembler.packet_count and not error.truncated:
                raise
            damage = error.with_traceback(None)
    for event in assembler.finish():
        yield from _taken(event, known)
    if damage is not None:
        yield ErrorRecord(None, None, False, None, damage.packet_number, damage, damage.offset)


def _taken(event: Event, known: KnownPorts) -> Iterator[FlowRecord]:
    # First time, last time, last packet, of those with payload.
    seen: tuple[int | None, int | None, int | None] | None = event.flow.context
    if isinstance(event, Chunk):
        _, begin, _ = next(event.marks)
        event.flow.context = seen[0] if seen else begin, event.timestamp_ns, event.packet_number
    elif isinstance(event, FlowEnd):
        yield _ended(event, seen or (None, None, None), known)


def _ended(event: FlowEnd, seen: tuple[int | None, int | None, int | None], known: KnownPorts) -> FlowRecord:
    flow = event.flow
    first_ns, last_ns, packet_number = seen
    port = flow.connection.server.port
    return FlowRecord(
        flow.name,
        flow.direction,
        flow.is_guessed,
        last_ns,
        packet_number,
        first_ns=first_ns,
        packet_count=event.packet_count,
        size=flow.size,
        gap_count=flow.gap_count,
        missing_size=flow.missing_size,
        retransmitted_size=flow.retransmitted_size,
        conflicting_size=flow.conflicting_size,
        end=event.reason,
        server_port=port,
        protocols=(known.tcp if flow.transport == "tcp" else known.udp).get(port, ()),
        transport=flow.transport,
        tunnels=flow.connection.tunnels,
        is_tunnel_guessed=flow.connection.is_tunnel_guessed,
    )

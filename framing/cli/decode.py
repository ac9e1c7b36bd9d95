"""`framing decode`: a capture, or a file of raw bytes → frames and messages."""

import io
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import cast

import click

from framing.capture.files import source_name
from framing.capture.lines import json_line
from framing.capture.reading import read, read_raw
from framing.capture.records import ErrorRecord, FrameRecord, GapRecord, Record, SummaryRecord
from framing.cli.console import check_input, note, shown_error
from framing.cli.exits import BAD_FRAMES, OK, TRUNCATED, USAGE
from framing.cli.frametext import FrameText, flow_text, problem_text, summary_text
from framing.cli.port_notes import PortNotes
from framing.cli.progress import Progress
from framing.cli.stop_notes import StopNotes
from framing.cli.waiting import Waiting
from framing.cli.wire_options import chosen_protocol, wire_options
from framing.errors import CaptureError, CaptureFileError, TruncatedFrameError
from framing.facts import KnownPorts, known_ports
from framing.protocol import SIDES, Protocol, Side
from framing.recovery import POLICY_NAMES

__all__ = ["decode"]

_Notes = PortNotes | StopNotes

_CAPTURE_OPTIONS = {"ports": "--port", "flows": "--flow", "every_flow": "--all"}


@click.command(short_help="Show the frames and messages of a capture or raw bytes")
@click.argument("file", default="-")
@wire_options
@click.option("--raw", is_flag=True, help="FILE is no capture: it holds the bytes of one side and nothing else.")
@click.option("--side", type=click.Choice(SIDES), help="Which side sent them; client if not said. With --raw.")
@click.option("--port", "ports", type=click.IntRange(0, 65535), multiple=True, help="Flows whose server has this port.")
@click.option("--flow", "flows", multiple=True, metavar="FLOW", help="A flow's name, an endpoint or an address.")
@click.option("--all", "every_flow", is_flag=True, help="All flows, whatever ports the protocol has.")
@click.option("--max-frame-size", type=click.IntRange(1), metavar="BYTES", help="Limit on a whole frame.")
@click.option("--recovery", type=click.Choice(POLICY_NAMES), help="Go on behind bad bytes, if the format can.")
@click.option("--per-packet", is_flag=True, help="Decode each TCP payload on its own, as every datagram is.")
@click.option("--follow", is_flag=True, help="At the end of FILE wait for more, until interrupted.")
@click.option("--limit", type=click.IntRange(1), metavar="COUNT", help="Stop after so many frames.")
@click.option("--count", "counted", is_flag=True, help="Only count frames: errors, gaps and sums, and much faster.")
@click.option("--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
@click.option("--full", is_flag=True, help="Text with whole messages, however long; bytes as a hex dump.")
def decode(
    file: str,
    protocol: str | None,
    frame_format: str | None,
    codec: str | None,
    raw: bool,
    side: str | None,
    max_frame_size: int | None,
    recovery: str | None,
    per_packet: bool,
    follow: bool,
    limit: int | None,
    counted: bool,
    form: str,
    full: bool,
    **chosen: object,
) -> None:
    """Show the frames and messages in FILE, a pcap or pcapng capture or, with --raw, the bytes of one direction.

    \b
    Examples:
      framing decode capture.pcap
      framing decode capture.pcap --protocol kafka
      framing decode capture.pcap --frame u32be --codec msgpack --port 4000
      tcpdump -w - 'port 5432' | framing decode - --protocol postgresql
      framing decode capture.pcapng --protocol mqtt --follow

    Without --port, --flow or --all, the flows on the protocol's own ports are decoded, or all over TCP if it has none.
    Each UDP datagram is decoded on its own; where TCP's sequence numbers are wrong, so that flows cannot be put
    together, --per-packet does the same with each TCP payload. Without --protocol or --frame, each flow is decoded by
    the protocol of its server's port, if only one is known there, and stderr tells what was taken for what. Where the
    capture lacks bytes, decoding goes on behind them if it can be told for sure where a frame begins; else, and after a
    frame error, the rest of that flow is skipped, and stderr tells how much that was. Others go on. With --recovery it
    goes on after an error, too: behind the bad frame, if its size is known (skip), at the next delimiter or start
    (delimiter), or where the header's constants stand, and behind that frame another header (magic).

    With --format jsonl each record is one JSON object a line, errors, gaps and sums included; with text, these stand
    on stderr, the first gap of each flow only. Text shows each frame's time (UTC), flow, side, number in its flow,
    offset in it, size, and its message as far as there is room: --full shows all of it. With --count, it is a line for
    each flow with its sums.

    Exit codes: 3 if any frame was bad or could not be decoded; 4 if the input was incomplete: it ended inside a frame
    or a packet, or bytes are missing from the capture.
    """
    check_input(file)
    known = known_ports() if protocol is frame_format is codec is None and not raw else None
    wire = chosen_protocol(protocol, frame_format, codec) if known is None else known
    if recovery is not None:
        if not isinstance(wire, Protocol):
            raise click.UsageError(
                "--recovery needs --protocol or --frame: what can be done depends on how frames are cut"
            )
        wire = wire.recovering(recovery)
    given = {name: chosen[name] for name in _CAPTURE_OPTIONS if chosen[name]}
    _check_options(raw, side, given)
    if follow and (raw or file == "-"):
        raise click.UsageError("--follow is for a capture in a file; stdin is read as it grows, and --raw knows no end")
    if per_packet and raw:
        raise click.UsageError("--per-packet is for a capture; --raw has no packets")
    if known is not None and "every_flow" in given:
        raise click.UsageError("--all needs --protocol or --frame: on other ports than the known ones none is known")
    if full and form != "text":
        raise click.UsageError("--full goes with --format text; JSON lines are whole")
    if counted and (full or limit):
        raise click.UsageError(f"{'--full' if full else '--limit'} is about frames, and --count shows none")
    options: dict[str, object] = {"max_frame_size": max_frame_size, "frames": not counted}
    is_live = follow or file == "-"
    output = _JsonOutput(file, is_live) if form == "jsonl" else _TextOutput(file, is_live, full=full, counted=counted)
    if isinstance(wire, Protocol) and raw:
        records = read_raw(file, wire, side=cast(Side, side or "client"), **options)  # type: ignore[arg-type]  # ours
    else:
        waiting = Waiting(output.file, output.note) if follow else None
        records = _capture_records(file, wire, waiting, options | {"per_packet": per_packet} | given)
    notes: list[_Notes] = [PortNotes(known)] if known is not None else []
    if not per_packet:  # else an error ends nothing but its packet
        notes.append(StopNotes(wire if isinstance(wire, Protocol) else None))
    click.get_current_context().exit(_show(_announced(records, notes, output), output, limit))


def _check_options(raw: bool, side: str | None, given: dict[str, object]) -> None:
    """Refuse options that would do nothing."""
    if raw and given:
        raise click.UsageError(f"{_CAPTURE_OPTIONS[next(iter(given))]} chooses flows of a capture; --raw has only one")
    if side and not raw:
        raise click.UsageError("--side goes with --raw; a capture tells who sent what")
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(_CAPTURE_OPTIONS[name] for name in given)} exclude each other")


def _capture_records(
    file: str, wire: Protocol | KnownPorts, waiting: Waiting | None, options: dict[str, object]
) -> Iterator[Record]:
    def look_again(problem: CaptureError | None) -> bool:
        return waiting is not None and waiting(problem and _with_our_options(problem, wire))

    try:
        for record in read(file, wire, follow=look_again if waiting else None, **options):  # type: ignore[arg-type]  # click has checked
            if waiting:
                waiting.is_fruitful = True
            yield record
    except CaptureFileError as error:
        if error.offset == 0 and error.found is not None and not error.hint:
            error.hint = "if it is the bytes of one direction, say --raw"
        raise
    except CaptureError as error:  # none of its flows was chosen
        if waiting and waiting.is_interrupted:  # it was told while we waited
            raise KeyboardInterrupt from None
        note(f"Error: {shown_error(_with_our_options(error, wire))}")
        click.get_current_context().exit(USAGE)
    if waiting and waiting.is_interrupted:
        raise KeyboardInterrupt


def _with_our_options(error: CaptureError, wire: Protocol | KnownPorts) -> CaptureError:
    if error.hint:
        choices = "--port, --flow or --all" if isinstance(wire, Protocol) else "--protocol"
        error.hint = f"choose with {choices}; `framing streams` lists the flows"
    return error


def _announced(records: Iterator[Record], notes: Sequence[_Notes], output: "_Output") -> Iterator[Record]:
    """Tell what is to be known of a record before it is shown."""
    for record in records:
        for line in (line for each in notes for line in each.lines(record)):
            output.note(line)
        yield record


def _show(records: Iterator[Record], output: "_Output", limit: int | None) -> int:
    """Write all records, and return the exit code."""
    code, count = OK, 0
    for record in records:
        output.write(record)
        if isinstance(record, FrameRecord):
            count += 1
            if count == limit:
                output.note(f"stopped after {count} {'frame' if count == 1 else 'frames'} (--limit)")
                break
        elif isinstance(record, ErrorRecord | GapRecord):
            code = BAD_FRAMES if BAD_FRAMES in (code, _code(record)) else TRUNCATED
    output.progress.clear()
    return code


def _code(record: ErrorRecord | GapRecord) -> int:
    error = record.error
    incomplete = isinstance(record, GapRecord) or isinstance(error, TruncatedFrameError)
    return TRUNCATED if incomplete or getattr(error, "truncated", False) else BAD_FRAMES


class _Output(ABC):
    """Where records go."""

    def __init__(self, file: str, is_live: bool) -> None:
        self.file = source_name(file)
        self.progress = Progress()
        self._frame_count = 0
        # Whoever pipes a capture in while it grows wants to see each frame when it comes.
        self._is_live = is_live
        if isinstance(sys.stdout, io.TextIOWrapper):
            # What somebody sent must not end us where the terminal's encoding has no sign for it.
            sys.stdout.reconfigure(errors="backslashreplace")

    @abstractmethod
    def write(self, record: Record) -> None:
        """Write one record."""

    def note(self, text: str) -> None:
        """Tell people something, behind all data that was written before."""
        sys.stdout.flush()
        self.progress.clear()
        note(text)

    def _put(self, line: str) -> None:
        sys.stdout.write(line)
        if self._is_live:
            sys.stdout.flush()
        self._frame_count += 1
        self.progress.tell(self._frame_count, "records")


class _JsonOutput(_Output):
    """Every record is data."""

    def write(self, record: Record) -> None:
        self._put(json_line(record))
        if isinstance(record, SummaryRecord) and record.flow is None:
            self.note(summary_text(record))


class _TextOutput(_Output):
    """Frames are data, or else the sums of each flow; the rest is told on stderr."""

    def __init__(self, file: str, is_live: bool, *, full: bool, counted: bool) -> None:
        super().__init__(file, is_live)
        self._counted = counted
        self._text = FrameText(full=full)
        self._gapped: set[str] = set()

    def write(self, record: Record) -> None:
        if isinstance(record, FrameRecord):
            self._put(self._text.line(record))
        elif isinstance(record, ErrorRecord | GapRecord):
            if self._is_news(record):
                self.note(problem_text(record, self.file))
        elif record.flow is None:
            self.note(summary_text(record))
        else:
            self._gapped.discard(record.flow)
            if self._counted:
                self._put(flow_text(record))

    def _is_news(self, record: ErrorRecord | GapRecord) -> bool:
        """Whether this is no further gap of a flow that is skipped already: a lossy capture has thousands of these."""
        if not isinstance(record, GapRecord):
            return True
        is_first = record.flow not in self._gapped
        self._gapped.add(record.flow)
        return is_first

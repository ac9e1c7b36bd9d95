"""`framing streams`: the flows of a capture, as a table."""

import sys
from collections.abc import Sequence

import click

from framing.capture.files import source_name
from framing.capture.lines import format_time, json_line
from framing.capture.overview import survey
from framing.capture.records import ErrorRecord, FlowRecord
from framing.cli.console import check_input, note
from framing.cli.exits import BAD_FRAMES, OK, TRUNCATED
from framing.cli.frametext import problem_text
from framing.cli.table import print_table
from framing.facts import known_ports

__all__ = ["streams"]

_HEAD = (
    "FLOW",
    "SIDE",
    "PACKETS",
    "BYTES",
    "MISSING",
    "RESENT",
    "CONFLICTING",
    "FIRST",
    "LAST",
    "END",
    "TUNNEL",
    "PROTOCOL",
)
# So many rows are sorted and aligned together: a port scan of a million flows must not fill the memory.
_BLOCK_COUNT = 10_000

_NUMBERS = range(2, 7)
_TROUBLES = range(4, 7)
_TIMES = range(7, 9)
_TUNNEL = 10


@click.command(short_help="List the connections of a capture")
@click.argument("file", default="-")
@click.option("--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
def streams(file: str, form: str) -> None:
    """List the flows of FILE, a pcap or pcapng capture: two for each connection, one for each direction.

    Those over UDP have /udp behind their names, those in a virtual network its number.

    \b
    Examples:
      framing streams capture.pcap
      framing streams capture.pcap --format jsonl | jq .flow

    \b
    SIDE         which side sends in this flow; with a question mark where
                 no SYN was seen and the ports tell
    MISSING      bytes that were sent but are not in the capture
    RESENT       bytes that came again; CONFLICTING were not the same then
    FIRST, LAST  the times of the packets with bytes
    END          fin, reset, or capture: it went on when the capture ended
    TUNNEL       what its packets came through; with a question mark where
                 only a port number tells
    PROTOCOL     known protocols on the server's port; whether it is one,
                 only decoding tells

    A narrow terminal shows each flow's name on a line of its own, and no column without news; a pipe has all of them.

    Exit codes: 4 if the capture ends inside a packet, 3 if it is damaged; what is before is listed.
    """
    check_input(file)
    rows: list[FlowRecord] = []
    code, is_empty = OK, True
    for record in survey(file, known_ports()):
        if form == "jsonl":
            sys.stdout.write(json_line(record))
        elif isinstance(record, FlowRecord):
            rows.append(record)
            if len(rows) == _BLOCK_COUNT:
                _print_rows(rows)
                rows, is_empty = [], False
        if isinstance(record, ErrorRecord):
            sys.stdout.flush()
            code = TRUNCATED if getattr(record.error, "truncated", False) else BAD_FRAMES
            note(problem_text(record, source_name(file)))
    if form == "text" and (rows or is_empty):
        _print_rows(rows)
    click.get_current_context().exit(code)


def _print_rows(rows: list[FlowRecord]) -> None:
    # Flows without a byte come last; of the others, the one that spoke first comes first.
    rows.sort(key=lambda row: (row.first_ns is None, row.first_ns or 0))
    cells = [_cells(row) for row in rows]
    if not sys.stdout.isatty():
        print_table(_HEAD, cells)
        return
    shown, lines = _for_terminal(cells)
    right = [place for place, index in enumerate(shown) if index in _NUMBERS]
    print_table([_HEAD[index] for index in shown], lines, right=right, is_first_whole=True)


def _cells(row: FlowRecord) -> list[str]:
    sizes = (row.packet_count, row.size, row.missing_size, row.retransmitted_size, row.conflicting_size)
    times = ("-" if time is None else format_time(time) for time in (row.first_ns, row.time_ns))
    side = row.direction + ("?" if row.is_guessed else "")
    tunnel = "/".join(row.tunnels) + ("?" if row.is_tunnel_guessed else "")
    return [row.flow, side, *map(str, sizes), *times, row.end, tunnel or "-", ", ".join(row.protocols) or "-"]


def _for_terminal(cells: Sequence[Sequence[str]]) -> tuple[list[int], list[list[str]]]:
    """Return the columns and cells for people: what is no trouble anywhere is left out, times go to the second.

    They have their date only where it is not the same for all.
    """
    shown = [
        index
        for index in range(len(_HEAD))
        if index not in (*_TROUBLES, _TUNNEL) or any(line[index] not in ("0", "-") for line in cells)
    ]
    days = {line[index].partition("T")[0] for line in cells for index in _TIMES if line[index] != "-"}
    lines = []
    for line in cells:
        short = [cell.partition(".")[0] if index in _TIMES else cell for index, cell in enumerate(line)]
        if len(days) == 1:
            short = [cell.partition("T")[2] or cell if index in _TIMES else cell for index, cell in enumerate(short)]
        lines.append([short[index] for index in shown])
    return shown, lines

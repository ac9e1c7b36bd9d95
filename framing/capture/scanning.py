"""Which twin of the scans over ordinary packets runs: the compiled one where there is one, else the Python one."""

from collections.abc import Callable
from typing import Any

from framing.capture.flow import Chunk
from framing.capture.ordinary import Joining, PcapLayout, PcapngLayout, Taken, finish, scan_pcap, scan_pcapng
from framing.compiled import twins

__all__ = ["PcapScan", "PcapngScan", "pcap_scan", "pcapng_scan"]

PcapScan = Callable[[bytes, int, int, PcapLayout, Joining], Taken]
PcapngScan = Callable[[bytes, int, int, PcapngLayout, Joining], Taken]


def pcap_scan() -> PcapScan:
    """Return what takes ordinary packets from the records of a pcap file."""
    return _compiled("scan_pcap") or scan_pcap


def pcapng_scan() -> PcapngScan:
    """Return what takes ordinary packets from the blocks of a pcapng section."""
    return _compiled("scan_pcapng") or scan_pcapng


def _compiled(name: str) -> Callable[..., Taken] | None:
    module = twins().modules.get("framing.capture._packets")
    if module is None:
        return None
    scan = getattr(module, name)

    def scanned(buffer: bytes, position: int, number: int, layout: Any, joining: Joining) -> Taken:
        position, number, chunks, ends = scan(buffer, position, number, layout, joining)
        return position, number, list(map(Chunk._make, chunks)), [finish(*parts) for parts in ends]

    return scanned

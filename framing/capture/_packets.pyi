from framing.capture.flow import Flow, Mark
from framing.capture.ordinary import PcapLayout, PcapngLayout

_Parts = tuple[Flow, int, int, bytes, int, list[Mark] | None]
_EndParts = tuple[Flow, int, int, int]

def scan_pcap(
    buffer: bytes, position: int, number: int, layout: PcapLayout, flows: dict[bytes, Flow], /
) -> tuple[int, int, list[_Parts], list[_EndParts]]: ...
def scan_pcapng(
    buffer: bytes, position: int, number: int, layout: PcapngLayout, flows: dict[bytes, Flow], /
) -> tuple[int, int, list[_Parts], list[_EndParts]]: ...

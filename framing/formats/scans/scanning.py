"""Which twin of the loops behind a plain header a format gets: the compiled one where it runs, else the Python one."""

from collections.abc import Callable

from framing.compiled import twins
from framing.formats.scans.loops import PlainHeader, frame_scan, payload_scan
from framing.frame import Frame, FrameFormat, Scan, ScanFrames

__all__ = ["compiled_scans", "scans"]

_FAR = 1 << 60


def scans(plain: PlainHeader, format: FrameFormat) -> tuple[Scan, ScanFrames]:
    """Return `scan` and `scan_frames` of a format with this header."""
    return compiled_scans(plain, format) or (payload_scan(plain), frame_scan(plain, format))


def compiled_scans(plain: PlainHeader, format: FrameFormat) -> tuple[Scan, ScanFrames] | None:
    """Return the compiled ones; `None` if they do not run, or the header has more than they know."""
    module = twins().modules.get("framing._frames")
    if module is None:
        return None
    # No buffer is so large that these limits would make a difference.
    most, least = min(plain.most, _FAR), min(plain.least, _FAR)
    place = plain.offset, plain.size, plain.order == "big", plain.header_size
    try:
        header = module.Header(*place, plain.base, least, most, plain.constants)
    except (ValueError, OverflowError):
        return None

    scan: Callable[..., int] = header.scan_frames

    def scan_frames(buffer: bytes, start: int, end: int, limit: int, out: list[Frame], offset: int) -> int:
        return scan(buffer, start, end, limit, out, offset, format.frame_class)

    return header.scan, scan_frames

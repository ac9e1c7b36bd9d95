"""The hot loops for headers of which some bytes decide everything: what they decided once is looked up from then on.

Lengths in bits, sums, padding, a told byte order and conditional fields take many steps to read, but the bytes that say
them, a length and a flag or two, come again and again. So the careful methods of the format are asked once for each
different run of those bytes, the region, and a loop is a slice, a dictionary and a slice. Bytes between them that
decide nothing, an id or a sequence number, are passed over.

For headers without fixed offsets `known.py` does the same. They are the quick twins of `measure`, `bounds`, `verify`
and `payload`, and a property test holds them equal.
"""

import struct
from itertools import repeat

from framing.errors import FrameError
from framing.formats.scans.masked import masked_scan, xored
from framing.formats.scans.regions import Key, Learn, Region, Shape, key_reader, learner
from framing.formats.scans.trailed import trailed_scan
from framing.frame import Frame, FrameFormat, Scan, ScanFrames

__all__ = ["decided_scans"]


def decided_scans(form: FrameFormat, region: Region) -> tuple[Scan, ScanFrames | None]:
    """Return `scan` for a format whose frames are told by a region of their headers, and perhaps `scan_frames`."""
    # Shared by all streams of the format, as what it holds is true of all of them.
    known: dict[Key, Shape] = {}
    learn = learner(form, region, known)
    scan = _payload_scan(form, region, learn, known)
    return trailed_scan(scan, region, learn, known) or scan, _frame_scan(form, region, learn, known)


def _payload_scan(form: FrameFormat, region: Region, learn: Learn, known: dict[Key, Shape]) -> Scan:
    trailers, read, verify = region.trailers, key_reader(region.spans), form.verify
    if trailers is not None:
        verify = None
    first, region_size = region.spans[0] if len(region.spans) == 1 else (1, 0)
    # Those with a key are quicker taken together, if nothing is to be checked before the next one is looked at.
    together = region.key is not None and trailers is None and verify is None and not first

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, get, unpack = out.append, known.get, read
        try:
            for _ in repeat(None, limit):
                key = unpack(buffer, start)
                shape = get(key)
                if shape is None:
                    shape = learn(buffer, start, end, key)
                    if shape is None:
                        break
                total, head, body, mask, mask_stop = shape
                stop = start + total
                if stop > end:
                    break
                if trailers is not None and buffer[start + body : stop] not in trailers:
                    break
                if verify is not None:
                    verify(buffer, start, stop)
                payload = buffer[start + head : start + body]
                if mask_stop:
                    if together:
                        break
                    payload = xored(payload, buffer[start + mask : start + mask_stop])
                append(payload)
                start = stop
        except (FrameError, struct.error):  # what is wrong the next `verify` says; or the buffer ends
            pass
        return start

    if not together:
        return scan
    return masked_scan(scan, learn, known, region_size=region_size, key_size=region.key_size)


def _frame_scan(form: FrameFormat, region: Region, learn: Learn, known: dict[Key, Shape]) -> ScanFrames | None:
    """Return `scan_frames`; `None`: a checksum would be computed here, and again where it is wrong."""
    trailers, read = region.trailers, key_reader(region.spans)
    if form.verify is not None and trailers is None:
        return None

    def scan_frames(buffer: bytes, start: int, end: int, limit: int, out: list[Frame], base: int) -> int:
        append, get, unpack, new_frame = out.append, known.get, read, form.frame_class
        try:
            for _ in repeat(None, limit):
                key = unpack(buffer, start)
                shape = get(key) or learn(buffer, start, end, key)
                if shape is None:
                    break
                stop = start + shape[0]
                if stop > end or (trailers is not None and buffer[start + shape[2] : stop] not in trailers):
                    break
                frame = new_frame()
                frame.data = buffer[start:stop]
                frame.offset = base + start
                append(frame)
                start = stop
        except struct.error:  # as above
            pass
        return start

    return scan_frames

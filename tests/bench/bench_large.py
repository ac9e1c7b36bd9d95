"""One frame of 4 MiB and one of 64 MiB in chunks of 16 KiB, pulled after each chunk: time per MiB, peak memory.

Beside it stands the floor: one `b"".join` of the same chunks, which any parser has to pay that hands out `bytes`.

Each size runs in processes of its own, once each, as the first such frame that a server meets. In one process the
smaller frame soon reuses memory that is already mapped, and the larger one never does (the C library maps blocks over
32 MiB afresh), so a ratio within one process measures the kernel's page faults; `--warm` shows that.
"""

import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

from framing import FrameParser, get_format

MIB = 1 << 20
CHUNK_SIZE = 16 * 1024


def chunks(size: int) -> list[bytes]:
    return [size.to_bytes(4, "big"), *(bytes([number & 255]) * CHUNK_SIZE for number in range(size // CHUNK_SIZE))]


def feed(pieces: list[bytes]) -> bytes:
    parser = FrameParser(get_format("u32be", max_frame_size=128 * MIB))
    payloads: list[bytes] = []
    for piece in pieces:
        parser.feed(piece)
        payloads += parser.take_payloads()
    (payload,) = payloads
    return payload


def seconds(size: int) -> tuple[float, float]:
    """Return the seconds per MiB of parsing one frame, and of the floor."""
    pieces = chunks(size)
    feed([b"\0\0\0\1", b"x"])  # what is imported at the first use is not the frame's cost
    begin = time.perf_counter()
    feed(pieces)
    parsed = time.perf_counter()
    b"".join(pieces)
    return (parsed - begin) / (size / MIB), (time.perf_counter() - parsed) / (size / MIB)


def in_own_process(mib: int, rounds: int = 7) -> tuple[float, float]:
    outputs = [
        subprocess.run([sys.executable, __file__, str(mib)], check=True, capture_output=True, text=True).stdout.split()
        for _ in range(rounds)
    ]
    return statistics.median(float(one[0]) for one in outputs), statistics.median(float(one[1]) for one in outputs)


def in_this_process(mib: int, rounds: int = 7) -> tuple[float, float]:
    measured = [seconds(mib * MIB) for _ in range(rounds)]
    return min(one[0] for one in measured), min(one[1] for one in measured)


def main(run: Callable[[int], tuple[float, float]]) -> None:
    print(__doc__)
    (small, small_floor), (large, large_floor) = (run(4), run(64))
    print(f"   4 MiB: {small * 1e3:.2f} ms/MiB, the floor {small_floor * 1e3:.2f}")
    print(f"  64 MiB: {large * 1e3:.2f} ms/MiB, the floor {large_floor * 1e3:.2f}")
    print(f"  64 MiB costs {large / small:.2f} times as much per MiB as 4 MiB")
    size = 64 * MIB
    tracemalloc.start()
    feed([size.to_bytes(4, "big"), *[bytes(CHUNK_SIZE)] * (size // CHUNK_SIZE)])
    shared = tracemalloc.get_traced_memory()[1]
    print(f"  peak memory beside the chunks: {shared / size:.2f} times the frame, {1 + shared / size:.2f} with them")


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].isdecimal():
        print(*seconds(int(sys.argv[1]) * MIB))
    else:
        main(in_this_process if "--warm" in sys.argv else in_own_process)

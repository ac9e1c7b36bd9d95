"""A capture of 100 MB, reassembled and cut into frames: framewire, dpkt, tshark, scapy.

The file is made of copies of a real capture from `tests/corpus`, each with connections of its own. framewire decodes it
down to frames, reassembly included: to their count alone or to records, with the compiled twins and without. dpkt only
iterates over the bare records, which is what reading costs at least in other Python; tshark prints a few fields of each
packet, or all of them as JSON; scapy dissects packets.

Packets of the Modbus capture are small, and its connections long; the TLS capture is the opposite, 17 packets to each
connection, so that most of the time goes into beginning and ending connections.

Each candidate runs in a process of its own and they take turns. The slow ones get the first part of the file. tshark's
start, measured on a file without packets, is taken off its time. What is not installed is left out.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from captures import grow

CORPUS = Path(__file__).parents[1] / "corpus"
SIZE = 100_000_000
PART_SIZE = 4_000_000
ROUNDS = 3


@dataclass(frozen=True)
class Subject:
    """A capture, the protocol that it is decoded by, and the field in which tshark has a frame's length."""

    capture: str
    protocol: str
    field: str


SUBJECTS = [
    Subject("modbus_tcp/ICS-Security-Tools__modbus_test.pcap", "modbus_tcp", "mbtcp.len"),
    Subject("tls/pcapFS__all_ciphers.pcap", "tls", "tls.record.length"),
]


def records(path: str, protocol: str) -> int:
    from framing.capture.reading import read

    return sum(record.type == "frame" for record in read(path, protocol))


def counted(path: str, protocol: str) -> int:
    from framing.capture.reading import read

    *_, total = read(path, protocol, frames=False)
    return total.frame_count


def bare_dpkt(path: str, _: str) -> int:
    import dpkt

    with open(path, "rb") as file:
        return sum(1 for _ in dpkt.pcap.Reader(file))


def scapy_packets(path: str, _: str) -> int:
    from scapy.all import PcapReader

    with PcapReader(path) as packets:
        return sum(1 for _ in packets)


CANDIDATES: dict[str, Callable[[str, str], int]] = {
    "framewire, count": counted,
    "framewire, records": records,
    "framewire pure, count": counted,
    "framewire pure, records": records,
    "dpkt, bare records": bare_dpkt,
    "scapy PcapReader": scapy_packets,
}
NEEDS = {"dpkt, bare records": "dpkt", "scapy PcapReader": "scapy.all"}
SLOW = {"scapy PcapReader", "tshark -T fields", "tshark -T json"}


def run_one(name: str, path: str, protocol: str) -> None:
    """Run a candidate in this process, and print its seconds, count and peak memory."""
    import_module(NEEDS.get(name, "framing.capture.reading"))
    begin = time.perf_counter()
    count = CANDIDATES[name](path, protocol)
    seconds = time.perf_counter() - begin
    print(json.dumps([seconds, count, peak_memory()]))


def peak_memory() -> int:
    """Return the peak memory of this process in bytes, 0 where it cannot be told.

    From /proc: what getrusage says of a child begins with its parent's peak.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def run_python(name: str, path: Path, subject: Subject) -> tuple[float, int, int]:
    command = [sys.executable, __file__, name, str(path), subject.protocol]
    environment = os.environ | {"FRAMING_PURE": "1" if "pure" in name else ""}
    seconds, count, peak = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    return seconds, count, peak


def run_tshark(form: str, path: Path, subject: Subject) -> tuple[float, int, int]:
    fields = ("frame.number", "frame.time_epoch", "tcp.stream", subject.field)
    chosen = [part for field in fields for part in ("-e", field)] if form == "fields" else []
    begin = time.perf_counter()
    subprocess.run(["tshark", "-r", path, "-T", form, *chosen], check=True, capture_output=True)
    return time.perf_counter() - begin, 0, 0


def compare(subject: Subject, folder: Path) -> None:
    whole, part, empty = (folder / name for name in ("whole.pcap", "part.pcap", "empty.pcap"))
    packets = {
        whole: grow(CORPUS / subject.capture, SIZE, whole),
        part: grow(CORPUS / subject.capture, PART_SIZE, part),
    }
    with whole.open("rb") as file:
        empty.write_bytes(file.read(24))
    names = [name for name in CANDIDATES if name not in NEEDS or find_spec(NEEDS[name].partition(".")[0])]
    names += ["tshark -T fields", "tshark -T json"] if shutil.which("tshark") else []
    rates: dict[str, list[float]] = {name: [] for name in names}
    facts: dict[str, tuple[int, int]] = {}
    for _ in range(ROUNDS):
        for name in names:
            path = part if name in SLOW else whole
            if name.startswith("tshark"):
                form = name.split()[-1]
                seconds = run_tshark(form, path, subject)[0] - run_tshark(form, empty, subject)[0]
            else:
                seconds, *fact = run_python(name, path, subject)
                facts[name] = (fact[0], fact[1])
            rates[name].append(packets[path] / seconds)
    show(subject, whole.stat().st_size, packets[whole], rates, facts)


def show(
    subject: Subject, size: int, packets: int, rates: dict[str, list[float]], facts: dict[str, tuple[int, int]]
) -> None:
    print(f"\n{subject.protocol}: {size / 1e6:.0f} MB, {packets} packets, copies of {subject.capture}")
    medians = {name: statistics.median(measured) for name, measured in rates.items()}
    others = [name for name in medians if not name.startswith("framewire")]
    print(f"  {'':24}{'packets/s':>10}   times as fast as: {'   '.join(others)}")
    for name, rate in medians.items():
        ratios = "   ".join(f"{rate / medians[other]:{len(other)}.2f}" for other in others)
        print(f"  {name:24}{rate:10.0f}                     {ratios if name.startswith('framewire') else ''}")
    for name, (count, peak) in facts.items():
        if name.startswith("framewire"):
            print(f"  {name}: {count} frames, {peak / 1e6:.0f} MB of memory at most")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_one(*sys.argv[1:])
    else:
        print(__doc__)
        for subject in SUBJECTS:
            with tempfile.TemporaryDirectory() as folder:
                compare(subject, Path(folder))

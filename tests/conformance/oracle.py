"""What independent programs make of the captures: `oracle.json` and `manifest.json` of each corpus directory.

`oracle_more.json` beside this file has fields that those do not: by file and flow, the values that tshark 4.0 prints
(`-T fields -e …`).
"""

import json
import os
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

OWN = Path(__file__).parents[1] / "corpus"
MORE = json.loads(Path(__file__).with_name("oracle_more.json").read_text(encoding="utf-8"))
IS_WHOLE = bool(os.environ.get("FRAMING_CORPUS"))
CORPORA = [OWN, Path(os.environ["FRAMING_CORPUS"])] if IS_WHOLE else [OWN]


class Stream(NamedTuple):
    """One direction of one connection with bytes, as the dissectors saw it.

    Attributes:
        name: what we call the flow, without `#2`.
        place: which of the flows of this name, from 0, flows without bytes not counted.
        ports: of the sender and the receiver.
        sizes: its bytes as tshark puts them together, and as the second reassembler does.
        has_holes: whether bytes are missing, or the two disagree.
        proto_sizes: whole-frame sizes by dissector.
        pdus: values of dissectors' fields.
    """

    name: str
    place: int
    ports: tuple[int, int]
    sizes: tuple[int, int]
    has_holes: bool
    proto_sizes: dict[str, list[int]]
    pdus: dict[str, list[int]]


@cache
def streams(corpus: Path) -> dict[str, list[Stream]]:
    """Return the streams of each file."""
    content = json.loads((corpus / "oracle.json").read_text(encoding="utf-8"))
    return {file: list(_streams(entry["streams"], MORE.get(file, {}))) for file, entry in sorted(content.items())}


def _streams(entries, more):
    places = defaultdict(int)
    for entry in sorted(entries, key=lambda one: one["stream_index"]):
        name = f"{_endpoint(entry['src'], entry['sport'])}>{_endpoint(entry['dst'], entry['dport'])}"
        has_holes = bool(entry["gaps"] or entry["seg"]["gaps"] or entry.get("dispute"))
        ports, sizes = (entry["sport"], entry["dport"]), (entry["bytes"], entry["seg"]["bytes"])
        pdus = entry["pdus"] | (more.get(name, {}) if not places[name] else {})
        yield Stream(name, places[name], ports, sizes, has_holes, entry["proto_sizes"], pdus)
        places[name] += 1


def _endpoint(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def capture_protocols(corpus: Path) -> set[str]:
    """Return the protocols that captures of a corpus were collected for."""
    entries = json.loads((corpus / "manifest.json").read_text(encoding="utf-8"))
    return {entry["protocol"] for entry in entries} - {"hard"}  # those are of any protocol

"""How each definition is held against captures: `protocols/NAME.toml`, one for each of `specs/protocols/`.

    dissector = "kafka"                   whose frame sizes in oracle.json ought to be ours; its flows are decoded
    sizes = { field = "…", add = 5 }      instead, frame sizes made of the values of a dissector's field
    sizes = { field = "…", header = true }   the same; the dissector's own sizes are those of the headers, and added
    sizes = { field = "…", moved = 126, moved_to = "…" }   the same; where the value is 126, the other field has it
    within = ["mms_tpkt/"]                of the dissector's flows those in files that begin so alone
    corpus = ["kafka/"]                   besides, the flows on the protocol's ports in files that begin so
    ports = [9092]                        the servers' ports in the captures, if others than the definition's
    inside_ports = [445]                  ports on which the dissector finds it inside the frames of another protocol
    undissected = ["server.answer"]       phases whose frames the dissector does not count
    grouped = "why"                       the dissector puts several frames in one: each end of one is an end of ours
    divided = "why"                       the dissector divides frames: each end of ours is an end of one
    heads = "why"                         the dissector leaves bodies out: as many frames, none smaller than its own
    [[different]]                         flows whose frames are others than the dissector's, and who is right
    [[incomplete]]                        flows that end inside a frame, or go over into something not covered
    [[rewritten]]                         flows with frames that are not written again as they were
    file = "kafka/xyz.pcap"               how the file's path begins
    flow = "10.0.0.1:5>10.0.0.2:9092"     this flow alone; else the file's flows, all that there are
    why = "…"

All keys may be left out. A key that is not known is an error, and so is an entry that no flow needs any more.
"""

import tomllib
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SPECS = HERE.parents[1] / "specs"

_KINDS = {
    "dissector": str,
    "sizes": dict,
    "within": list,
    "corpus": list,
    "ports": list,
    "inside_ports": list,
    "undissected": list,
}
_REASONS = {"grouped": str, "divided": str, "heads": str}
_TABLES = ("different", "incomplete", "rewritten")


class Entry(NamedTuple):
    """One entry of a table: what is said about some flows, and why."""

    table: str
    file: str
    why: str
    flow: str = ""

    def means(self, file: str, flow: str) -> bool:
        """Whether it is about this flow."""
        return file.startswith(self.file) and self.flow in ("", flow)


class Proof(NamedTuple):
    """What `protocols/NAME.toml` says."""

    name: str
    dissector: str = ""
    sizes: dict[str, str | int] | None = None
    within: tuple[str, ...] = ()
    corpus: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    inside_ports: tuple[int, ...] = ()
    undissected: tuple[str, ...] = ()
    grouped: str = ""
    divided: str = ""
    heads: str = ""
    entries: tuple[Entry, ...] = ()

    def why(self, table: str, file: str, flow: str) -> str:
        """Return what a table says about a flow."""
        return next((one.why for one in self.entries if one.table == table and one.means(file, flow)), "")


def definition_names() -> list[str]:
    """Return the names of all shipped definitions."""
    return sorted(path.stem for path in SPECS.glob("protocols/*.toml"))


def load(name: str) -> Proof:
    """Read a definition's proof; one that has none is proved by its vectors alone."""
    path = HERE / f"protocols/{name}.toml"
    return parse(name, tomllib.loads(path.read_text(encoding="utf-8"))) if path.exists() else Proof(name)


def parse(name: str, content: dict) -> Proof:
    """Check what such a file says.

    Raises:
        ValueError: it cannot be meant like this.
    """
    kinds = _KINDS | _REASONS | dict.fromkeys(_TABLES, list)
    for key, value in content.items():
        if key not in kinds or not isinstance(value, kinds[key]) or not value:
            raise ValueError(f"protocols/{name}.toml: {key} = {value!r}, but there may be {kinds}")
    sizes = content.get("sizes")
    if sizes and not sizes.keys() <= {"field", "add", "header", "moved", "moved_to"}:
        raise ValueError(f"protocols/{name}.toml: sizes has field, add, header, moved and moved_to, not {sizes}")
    if sizes and ("moved" in sizes) != ("moved_to" in sizes):
        raise ValueError(f"protocols/{name}.toml: sizes has moved and moved_to, or neither, not {sizes}")
    entries = tuple(Entry(table, **one) for table in _TABLES for one in content.pop(table, ()))
    if not all(one.file and one.why for one in entries):
        raise ValueError(f"protocols/{name}.toml: each entry has a file and says why")
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
    return Proof(name, entries=entries, **lists)


def load_undefined() -> dict[str, str]:
    """Read `undefined.toml`: protocols of which there are captures and no definition, and why not."""
    return tomllib.loads((HERE / "undefined.toml").read_text(encoding="utf-8"))

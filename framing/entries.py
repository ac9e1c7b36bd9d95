"""Rows: each codec, frame format, protocol, command and scheme that is built in or installed, and if it can be used.

Nothing is imported to make a row. What is wrong with one stands in its `status` and `problem`, and touches no other.
"""

import os
from collections import Counter
from typing import NamedTuple

from framing.installation import DISTRIBUTION, Offer, normalized, offers, package_directories

__all__ = [
    "ACCEPTED_API_VERSIONS",
    "AMBIGUOUS",
    "API_VERSION",
    "BROKEN",
    "BUILTINS",
    "DISALLOWED",
    "GROUPS",
    "NAME_RULE",
    "PLUGINS_VARIABLE",
    "READY",
    "SHADOWING",
    "UNSUPPORTED",
    "Entry",
    "builtin_entries",
    "installed_entries",
    "is_name",
]

API_VERSION = 1
ACCEPTED_API_VERSIONS = tuple(version for version in (API_VERSION, API_VERSION - 1) if version > 0)
PLUGINS_VARIABLE = "FRAMING_PLUGINS"
NAME_RULE = "a name is made of letters, digits, '_', '-' and '.'"

GROUPS = {kind: f"framing.{kind}s.v{API_VERSION}" for kind in ("codec", "format", "protocol", "command", "scheme")}

# Equal to the entry points of pyproject.toml, and a test says so: a built-in name costs no scan of the metadata.
BUILTINS = {
    "codec": {
        "raw": "framing.codecs.raw:RawCodec",
        "msgpack": "framing.codecs.msgpack:MsgpackCodec",
        "construct": "framing.codecs.construct:ConstructCodec",
    },
    "format": {
        "header": "framing.formats.header:HeaderFormat",
        "varint": "framing.formats.varint:VarintFormat",
        "conditional": "framing.formats.conditional:ConditionalFormat",
        "fixed": "framing.formats.fixed:FixedFormat",
        "delimiter": "framing.formats.delimiter:DelimiterFormat",
        "lines": "framing.formats.delimiter:LineFormat",
        "ber": "framing.formats.ber:BerFormat",
        "msgpack_stream": "framing.formats.msgpack_stream:MsgpackStreamFormat",
        "cbor_stream": "framing.formats.cbor_stream:CborStreamFormat",
        "json_stream": "framing.formats.json_stream:JsonStreamFormat",
        "choice": "framing.formats.choice:ChoiceFormat",
        "function": "framing.formats.function:FunctionFormat",
        "cobs": "framing.formats.cobs:CobsFormat",
        "slip": "framing.formats.slip:SlipFormat",
        "hdlc": "framing.formats.hdlc:HdlcFormat",
        "netstring": "framing.formats.digits:NetstringFormat",
        "digits": "framing.formats.digits:DigitsFormat",
        "octet_counting": "framing.formats.digits:OctetCountingFormat",
        "pkt_line": "framing.formats.digits:PktLineFormat",
        "header_block": "framing.formats.header_block:HeaderBlockFormat",
        "http1": "framing.formats.http1:Http1Format",
        "literal_lines": "framing.formats.literal_lines:LiteralLineFormat",
        "checked_blocks": "framing.formats.checked_blocks:CheckedBlocksFormat",
        "enclosed": "framing.formats.enclosed:EnclosedFormat",
        "fix": "framing.formats.fix:FixFormat",
        "stomp": "framing.formats.stomp:StompFormat",
        "xml_stream": "framing.formats.xml_stream:XmlStreamFormat",
        "thrift_stream": "framing.formats.thrift_stream:ThriftStreamFormat",
        "opaque": "framing.formats.opaque:OpaqueFormat",
        "segments": "framing.formats.segments:SegmentsFormat",
        "resp": "framing.formats.resp:RespFormat",
        "line_block": "framing.formats.line_block:LineBlockFormat",
        "rtmp_chunks": "framing.formats.rtmp_chunks:RtmpChunksFormat",
    },
    "protocol": {"builtin": "framing.specs.protocols"},
    "command": {
        "decode": "framing.cli.decode:decode",
        "encode": "framing.cli.encode:encode",
        "streams": "framing.cli.streams:streams",
        "protocols": "framing.cli.protocols:protocols",
        "plugin": "framing.cli.plugin:plugin",
        "doctor": "framing.cli.doctor:doctor",
        "demo": "transports.demo:demo",
    },
    "scheme": {
        "tcp": "transports.tcp:TcpScheme",
        "memory": "transports.memory:MemoryScheme",
    },
}

READY = "ready"
AMBIGUOUS = "ambiguous"
SHADOWING = "shadowing"
DISALLOWED = "disallowed"
UNSUPPORTED = "unsupported"
BROKEN = "broken"


class Entry(NamedTuple):
    """One row: a name, who offers it and whether it can be used.

    Attributes:
        kind: `codec`, `format`, `protocol`, `command` or `scheme`.
        value: `module:attribute`; for a protocol that is a file, the package it lies in.
        distribution: `None` for one registered in this process, `""` where damaged metadata does not say.
        version: `None` for a built-in, which has no metadata looked up.
        status: `ready`; `ambiguous` (ask for `name@distribution`); or unusable, and `problem` says why: `shadowing` a
            built-in, `disallowed` by FRAMING_PLUGINS, `unsupported` API version, `broken`.
        path: the TOML file of a protocol that is one.
    """

    kind: str
    name: str
    value: str
    distribution: str | None = None
    version: str | None = None
    status: str = READY
    problem: str | None = None
    path: str | None = None
    builtin: bool = False

    @property
    def usable(self) -> bool:
        """Whether asking for `spelling` may load it."""
        return self.status in (READY, AMBIGUOUS)

    @property
    def spelling(self) -> str:
        """The name that means this very row."""
        return f"{self.name}@{self.distribution}" if self.status == AMBIGUOUS else self.name


def is_name(text: str) -> bool:
    """Tell whether a name can be asked for: the signs of a shorthand, such as `/`, `(` and `@`, have no place in one.

    >>> is_name("dns_tcp"), is_name("u32be/raw")
    (True, False)
    """
    return text.isascii() and text.replace("_", "x").replace("-", "x").replace(".", "x").isalnum()


def builtin_entries(kind: str) -> dict[str, Entry]:
    """Return the rows of framewire itself by name, without reading any metadata."""
    rows = [Entry(kind, name, value, DISTRIBUTION, builtin=True) for name, value in BUILTINS[kind].items()]
    return {row.name: row for listed in rows for row in _expanded(listed)}


def installed_entries(kind: str) -> list[Entry]:
    """Return the rows of every other distribution, by name and distribution."""
    any_version = GROUPS[kind].removesuffix(str(API_VERSION))
    reserved = builtin_entries(kind)
    rows = {
        _judged(row, reserved)
        for offer in offers(any_version)
        if normalized(offer.distribution) != DISTRIBUTION
        for row in _expanded(_row(kind, offer))
    }
    return _compared(sorted(rows, key=lambda row: (row.name, row.distribution or "", row.value)))


def _row(kind: str, offer: Offer) -> Entry:
    # Packaging allows blanks around the colon, and extras behind it, which mean nothing any more.
    value = ":".join(part.strip() for part in offer.value.partition("[")[0].split(":"))
    row = Entry(kind, offer.name, value, offer.distribution, offer.version)
    accepted = [f"v{version}" for version in ACCEPTED_API_VERSIONS]
    version = offer.group.rpartition(".")[2]
    if not offer.distribution:
        return row._replace(status=BROKEN, problem="its distribution's metadata is damaged: it has no name")
    if not _is_allowed(offer.distribution):
        return row._replace(status=DISALLOWED, problem=f"{PLUGINS_VARIABLE} does not list {offer.distribution}")
    if version not in accepted:
        problem = f"written for plug-in API {version}; accepted: {', '.join(accepted)}"
        return row._replace(status=UNSUPPORTED, problem=problem)
    if not _is_target(value, attribute_needed=kind != "protocol"):
        return row._replace(status=BROKEN, problem=f"its entry point is no module:attribute, but {value!r}")
    return row


def _is_allowed(distribution: str) -> bool:
    listed = os.environ.get(PLUGINS_VARIABLE)
    return listed is None or normalized(distribution) in map(normalized, listed.split(","))


def _is_target(value: str, *, attribute_needed: bool) -> bool:
    module, colon, attribute = value.partition(":")
    dotted = [module, attribute] if colon or attribute_needed else [module]
    return all(part.isidentifier() for text in dotted for part in text.split("."))


def _expanded(row: Entry) -> list[Entry]:
    # A protocol's entry point without an attribute names a package of *.toml: each file is a protocol of its own.
    if row.kind != "protocol" or ":" in row.value or row.status != READY:
        return [row]
    try:
        paths = _toml_files(row.value)
    except Exception as error:  # noqa: BLE001 - an import hook, asked where the package lies, is anybody's code
        return [row._replace(status=BROKEN, problem=f"{row.value} cannot be listed: {error!r}")]
    if not paths:
        return [row._replace(status=BROKEN, problem=f"there is no package {row.value} with *.toml files")]
    return [row._replace(name=os.path.basename(path).removesuffix(".toml"), path=path) for path in paths]


def _toml_files(package: str) -> list[str]:
    files = [(directory, file) for directory in package_directories(package) for file in sorted(os.listdir(directory))]
    return [os.path.join(directory, file) for directory, file in files if file.endswith(".toml")]


def _judged(row: Entry, reserved: dict[str, Entry]) -> Entry:
    if row.status != READY:
        return row
    if not is_name(row.name):
        return row._replace(status=BROKEN, problem=f"{row.name!r} cannot be asked for: {NAME_RULE}")
    if row.name in reserved:
        return row._replace(status=SHADOWING, problem=f"{row.name!r} is the name of a built-in {row.kind}")
    return row


def _compared(rows: list[Entry]) -> list[Entry]:
    # Rows that cannot be used do not count: they must not make a good plug-in of the same name ambiguous.
    by_name = Counter(row.name for row in rows if row.status == READY)
    by_owner = Counter((row.name, row.distribution) for row in rows if row.status == READY)
    compared = []
    for row in rows:
        if row.status == READY and by_owner[row.name, row.distribution] > 1:
            compared.append(row._replace(status=BROKEN, problem="its distribution gives this name twice"))
        elif row.status == READY and by_name[row.name] > 1:
            compared.append(row._replace(status=AMBIGUOUS))
        else:
            compared.append(row)
    return compared

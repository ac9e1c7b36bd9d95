"""Real captures against two independent reassemblers. See tests/corpus/README.md."""

import hashlib
import io
import json
import os
import random
from collections import defaultdict
from pathlib import Path

import pytest

from framing.capture.assembler import Assembler, assemble
from framing.capture.files import read_packets
from framing.capture.flow import Chunk, Gap
from framing.errors import CaptureFileError

OWN = Path(__file__).parents[1] / "corpus"
CORPORA = [OWN] + ([Path(os.environ["FRAMING_CORPUS"])] if os.environ.get("FRAMING_CORPUS") else [])

# Where the two reassemblers disagree: the one that is right, and why.
SEG, TSHARK = "seg", "tshark"
DISPUTES = {
    # The bytes are in the capture, so they are in the flow, with the hole before them as a gap.
    "follow drops data behind a gap that is never acknowledged in the capture": SEG,
    # Bytes that the snap length cut were sent: a gap.
    "follow hides bytes cut by snaplen": SEG,
    # The first packet is an empty keep-alive, one below the next byte: no byte is missing.
    "follow counts one phantom byte before a SYN-less start": SEG,
    # Text in a RST is for people; no receiver's stream has it.
    "payload in RST/SYN segment: in follow, not in tcp.payload": SEG,
    # The first copy that arrives is the one that counts; tshark lets the order of the repair decide.
    "conflicting overlap: different bytes for the same sequence number": SEG,
}
# Captured on both sides of a firewall that rewrites sequence numbers: every packet of the server stands there twice,
# with two numbers. tshark follows those that the client acknowledged, as we do; the other reassembler lost the flow.
DISPUTES_BY_FILE = {"irc/mercury__capture2.pcap": {"payload in RST/SYN segment: in follow, not in tcp.payload": TSHARK}}

# The same addresses and ports in several virtual networks are as many connections [P12]; tshark takes them for one.
NETWORKS = {"hard/overlap/zeek__vxlan-overlapping-http-get.pcap": 3}

# Flows that neither reassembler has.
ONLY_OURS = {
    # A jumbogram: tshark does not look into it.
    "hard/ipv6_ext/tcpdump__bigtcp-ipv6.pcap": {"[2604:1380:4091:ce00::b]:43267>[2604:1380:4091:ce00::d]:41219": 79968},
    # Two subframes in one packet of an aggregate: tshark dissects both, but follows neither.
    "hard/tunnel_gre_erspan/zeek__gre-aruba-amsdu.pcap": {"157.240.18.16:443>149.159.130.184:49392": 252},
    # Without a SYN tshark starts at the number of the first packet, here an empty one behind bytes that come again.
    "irc/mercury__capture2.pcap": {"173.194.66.84:443>192.168.1.101:56652": 110},
}

# tshark counts custom blocks as packets: file → packets that are some.
CUSTOM_BLOCKS = {
    "hard/pcapng_blocks/pcapng-test-generator__output_be_advanced-test102.pcapng": 3,
    "hard/pcapng_blocks/pcapng-test-generator__output_be_basic-test018.pcapng": 4,
    "hard/pcapng_blocks/pcapng-test-generator__output_be_difficult-test202.pcapng": 3,
    "hard/pcapng_blocks/pcapng-test-generator__output_le_basic-test017.pcapng": 4,
    "hard/pcapng_blocks/pcapng-test-generator__output_le_basic-test018.pcapng": 4,
}

TRUNCATED = {"hard/derived/pcapng_cut.pcapng"}

# The second reassembler counts the zero byte of a keep-alive as a conflict; we know keep-alives [P15].
KEEPALIVES = {
    "hard/out_of_order/PcapPlusPlus__one_tcp_stream.pcap": 1,
    "hard/seq_wrap/PcapPlusPlus__one_tcp_stream_max_seq.pcap": 1,
    "hislip/nDPI__hislip.pcap": 9,
}


ENTRIES = [
    pytest.param(corpus, entry, id=f"{corpus.name}-{entry['file']}")
    for corpus in CORPORA
    for entry in json.loads((corpus / "manifest.json").read_bytes())
]
ORACLES = {corpus: json.loads((corpus / "oracle.json").read_bytes()) for corpus in CORPORA}


class Reading:
    """One file, read: packets, and each flow's bytes and gaps."""

    def __init__(self, path):
        self.packet_count = 0
        self.error = None
        self.data = defaultdict(bytearray)
        self.gaps = defaultdict(list)
        try:
            for event in assemble(self.counted(path), Assembler()):
                self.take(event)
        except CaptureFileError as error:
            self.error = error

    def counted(self, path):
        for packet in read_packets(path):
            self.packet_count += 1
            yield packet

    def take(self, event):
        flow = event.flow
        assert not isinstance(event, Chunk | Gap) or event.offset == len(self.data[flow]) + sum(
            size for _, size in self.gaps[flow]
        )
        if isinstance(event, Chunk):
            self.data[flow] += event.data
        elif isinstance(event, Gap):
            self.gaps[flow].append((len(self.data[flow]), event.size))

    def flows(self):
        """Flows with bytes, by addresses and ports, each list in the order of the connections."""
        known = defaultdict(list)
        for flow, data in self.data.items():
            if data:
                known[(*flow.source, *flow.destination)].append(flow)
        return known

    def result(self, flow):
        data = bytes(self.data[flow])
        # What is missing at the end of a flow is a gap for us only.
        gaps = [list(gap) for gap in self.gaps[flow] if gap[0] < len(data)]
        return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "gaps": gaps}


def expected(file, stream):
    """What a stream has to be; `None` where the right one of the two has nothing."""
    if stream["agree"]:
        right = stream
    else:
        judged = DISPUTES | DISPUTES_BY_FILE.get(file, {})
        right = stream["seg"] if judged[stream["dispute"]] == SEG else stream
    return {name: right[name] for name in ("bytes", "sha256", "gaps")} if right["bytes"] else None


def streams_of(file, oracle):
    known = defaultdict(list)
    for stream in oracle["streams"]:
        if (result := expected(file, stream)) is not None:
            known[stream["src"], stream["sport"], stream["dst"], stream["dport"]] += [result] * NETWORKS.get(file, 1)
    return known


@pytest.mark.parametrize(("corpus", "entry"), ENTRIES)
def test_flows_are_those_of_the_oracle(corpus, entry):
    file = entry["file"]
    reading = Reading(corpus / file)
    flows = reading.flows()
    only_ours = ONLY_OURS.get(file, {})
    found = {
        key: [reading.result(flow) for flow in listed]
        for key, listed in flows.items()
        if not (len(listed) == 1 and only_ours.get(listed[0].name) == listed[0].size)
    }
    wanted = streams_of(file, ORACLES[corpus][file])
    assert found == wanted
    assert sum(map(len, flows.values())) == sum(map(len, wanted.values())) + len(only_ours)


@pytest.mark.parametrize(("corpus", "entry"), ENTRIES)
def test_packets_are_those_of_the_oracle(corpus, entry):
    file = entry["file"]
    reading = Reading(corpus / file)
    assert reading.packet_count == entry["packets"] - CUSTOM_BLOCKS.get(file, 0)
    if file in TRUNCATED:
        assert reading.error.truncated is True
        assert reading.error.packet_number == reading.packet_count + 1
    else:
        assert reading.error is None


@pytest.mark.parametrize(("corpus", "entry"), ENTRIES)
def test_conflicting_bytes_are_counted(corpus, entry):
    file = entry["file"]
    reading = Reading(corpus / file)
    count = sum(flow.conflicting_size for flow in reading.data)
    listed = sum(stream["seg"]["conflicting_bytes"] for stream in ORACLES[corpus][file]["streams"])
    assert count == listed - KEEPALIVES.get(file, 0)


@pytest.mark.parametrize(("corpus", "entry"), ENTRIES)
def test_copies_are_the_files_of_the_manifest(corpus, entry):
    assert hashlib.sha256((corpus / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("file", [file for file in ORACLES[OWN] if (OWN / file).stat().st_size < 40_000])
def test_damaged_copies_give_events_or_a_capture_error(file):
    """[P5] Bytes changed anywhere, headers of all layers included: the events still fit together."""
    data, rng = (OWN / file).read_bytes(), random.Random(file)
    for _ in range(20):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 3, len(data) // 50))):
            damaged[rng.randrange(len(data))] = rng.randrange(256)
        Reading(io.BytesIO(damaged))


def test_every_file_of_the_selection_is_listed():
    files = {str(path.relative_to(OWN)) for path in OWN.rglob("*.pcap*")}
    listed = {entry["file"] for entry in json.loads((OWN / "manifest.json").read_bytes())}
    assert files == listed == set(ORACLES[OWN])
    assert len(listed) >= 30


if len(CORPORA) > 1:

    def test_every_exception_is_needed():
        oracle = ORACLES[CORPORA[1]]
        for table in (NETWORKS, ONLY_OURS, CUSTOM_BLOCKS, KEEPALIVES, DISPUTES_BY_FILE):
            assert [start for start in table if not any(file.startswith(start) for file in oracle)] == []
        streams = [stream for entry in oracle.values() for stream in entry["streams"]]
        assert {stream["dispute"] for stream in streams if not stream["agree"]} == set(DISPUTES)

"""Compressed captures. [P25]"""

import gzip
import io
import random
import sys
import tracemalloc
import zlib

import pytest

from framing.capture.compressed import opened_plain
from framing.capture.files import read_packets
from framing.errors import CaptureFileError

BLOCK = 256 * 1024
DATA = b"the data, again and again; " * 40_000 + random.Random(7).randbytes(300_000)


def zstd():
    return pytest.importorskip("backports.zstd" if sys.version_info < (3, 14) else "compression.zstd")


def compressed(kind, data=DATA):
    if kind == "gzip":
        return gzip.compress(data)
    return zstd().compress(data, options={zstd().CompressionParameter.checksum_flag: 1})


class Dripping:
    """A file that gives so many bytes at a time."""

    def __init__(self, data, size):
        self._file = io.BytesIO(data)
        self._size = size

    def read(self, size):
        return self._file.read(min(size, self._size))


def read_all(file, size=BLOCK):
    plain, parts = opened_plain(file), []
    while part := plain.read(size):
        assert len(part) <= size
        parts.append(part)
    assert plain.read(size) == b""
    return b"".join(parts)


def read_until_error(data, size=BLOCK):
    plain, parts = opened_plain(io.BytesIO(data)), []
    try:
        while part := plain.read(size):
            parts.append(part)
    except CaptureFileError as error:
        return b"".join(parts), error
    raise AssertionError("no error came")


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
class TestBoth:
    @pytest.mark.parametrize("drip", [1, 3, 5000, BLOCK])
    def test_whatever_way_it_is_read(self, kind, drip):
        data = DATA if drip > 3 else DATA[-3000:]
        assert read_all(Dripping(compressed(kind, data), drip)) == data
        assert read_all(Dripping(compressed(kind, data), drip), 100) == data

    def test_several_members_and_padding(self, kind):
        first, second = compressed(kind, b"one"), compressed(kind, DATA)
        for drip in (1, BLOCK):
            assert read_all(Dripping(first + first + compressed(kind, b"") + first, drip)) == b"oneoneone"
        assert read_all(io.BytesIO(second + first)) == DATA + b"one"
        assert read_all(io.BytesIO(first + bytes(5000))) == b"one"
        assert read_all(io.BytesIO(first + bytes(5000) + first)) == b"oneone"

    def test_a_file_that_stops_too_early_gives_what_there_is(self, kind):
        data = compressed(kind)
        for size in (5, 100, len(data) // 2, len(data) - 1):
            given, error = read_until_error(data[:size])
            assert DATA.startswith(given)
            assert (error.truncated, error.offset) == (True, size)
            assert error.reason == f"the capture ends inside its {kind} data"
        assert len(read_until_error(data[: len(data) // 2])[0]) > len(DATA) // 3

    def test_damage_is_told_after_what_is_before(self, kind):
        data = bytearray(compressed(kind))
        data[-6] ^= 0xFF
        given, error = read_until_error(bytes(data))
        # What was decoded is given, though nobody can say from where on it is wrong.
        assert given[: len(DATA) // 2] == DATA[: len(DATA) // 2]
        assert error.truncated is False
        assert error.reason.startswith(f"the {kind} data is damaged: ")
        assert 0 < error.offset <= len(data)

    def test_something_else_behind_it(self, kind):
        given, error = read_until_error(compressed(kind, b"one") + b"something else")
        assert given == b"one"
        assert error.reason.startswith(f"the {kind} data is damaged")

    def test_memory_does_not_follow_what_it_unfolds_to(self, kind):
        bomb = compressed(kind, bytes(100_000_000))
        assert len(bomb) < 200_000
        tracemalloc.start()
        try:
            plain, size = opened_plain(io.BytesIO(bomb)), 0
            while part := plain.read(BLOCK):
                size += len(part)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert size == 100_000_000
        assert peak < 5_000_000

    def test_a_capture(self, kind, wire):
        whole = wire.pcap([b"one", b"two", b"three"])
        packets = list(read_packets(io.BytesIO(compressed(kind, whole))))
        assert [packet.data for packet in packets] == [b"one", b"two", b"three"]

    def test_a_capture_inside_which_something_is_wrong(self, kind, wire):
        """[P5]"""
        packets = read_packets(io.BytesIO(compressed(kind, wire.pcap([b"one"]) + b"tail")))
        assert next(packets).data == b"one"
        with pytest.raises(CaptureFileError, match="ends inside a packet") as caught:
            next(packets)
        assert (caught.value.truncated, caught.value.offset) == (True, 24 + 16 + 3)

    def test_compressed_twice_is_refused(self, kind):
        with pytest.raises(CaptureFileError, match=f"looks like {kind}-compressed data inside compressed data"):
            list(read_packets(io.BytesIO(compressed("gzip", compressed(kind, b"x")))))


def test_what_is_not_compressed_is_as_it_was():
    for drip in (1, 2, BLOCK):
        assert read_all(Dripping(DATA[:5000], drip)) == DATA[:5000]
    assert read_all(io.BytesIO(b"")) == b""
    assert read_all(io.BytesIO(b"\x1f")) == b"\x1f"
    assert opened_plain(io.BytesIO(b"12345678")).read(3) == b"123"


def test_zstd_that_wants_a_larger_window_than_128_mib_is_refused():
    module = zstd()
    options = {
        module.CompressionParameter.window_log: 28,
        module.CompressionParameter.content_size_flag: 0,
    }
    compressor = module.ZstdCompressor(options=options)
    data = compressor.compress(b"small") + compressor.flush()
    _, error = read_until_error(data)
    assert error.reason.startswith("the zstd data is damaged")


def test_a_missing_library_is_named_with_the_extra(monkeypatch):
    for name in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CaptureFileError, match=r"zstd.*pip install 'framewire\[compression\]'"):
        list(read_packets(io.BytesIO(b"\x28\xb5\x2f\xfd" + bytes(20))))
    # gzip needs none.
    assert read_all(io.BytesIO(zlib.compress(b"x", wbits=31))) == b"x"

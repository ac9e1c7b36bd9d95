"""The loops for payloads in blocks with checksums behind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import ChecksumError, FrameError, FrameParser
from framing.formats.checked_blocks import CheckedBlocksFormat
from framing.formats.fields.checksums import CHECKSUMS, CRC_ORDERS
from framing.formats.header import HeaderFormat
from framing.formats.scans import blocks
from framing.testing import check_format
from framing.testing.observation import peak_memory

DNP3_HEADER = HeaderFormat(
    "start:u16be=0x0564 length:u8 control:u8 to:u16le from:u16le crc:u16le=crc16_dnp(start length control to from)",
    counts="control to from payload",
)
DNP3 = CheckedBlocksFormat(DNP3_HEADER, block_size=16, check="crc:u16le=crc16_dnp(payload)")
PLAIN = HeaderFormat("kind:u8 length:u8")
FORMATS = {
    "dnp3": DNP3,
    "dnp3 segments": CheckedBlocksFormat(
        HeaderFormat(
            "start:u16be=0x0564 length:u8 control:u8 to:u16le from:u16le "
            "crc:u16le=crc16_dnp(start length control to from) transport:u8",
            counts="control to from transport payload",
        ),
        block_size=16,
        check="crc:u16le=crc16_dnp(payload)",
        first_block="transport",
    ),
    "dnp3 segments, or the header alone": CheckedBlocksFormat(
        HeaderFormat(
            "start:u16be=0x0564 length:u8 control:u8 to:u16le from:u16le "
            "crc:u16le=crc16_dnp(start length control to from) transport:u8",
            counts="control to from transport payload",
        ),
        block_size=16,
        check="crc:u16le=crc16_dnp(payload)",
        first_block="transport",
        header_alone=True,
    ),
    "a header alone, or with a constant in the first block": CheckedBlocksFormat(
        HeaderFormat("id:u8 length:u8 kind:u16be mark2:u8=7|8", counts="kind mark2 payload"),
        block_size=5,
        check="crc:u16le=crc16_arc(payload)",
        first_block="kind",
        header_alone=True,
    ),
    "a checked header alone, or with a checksum in the first block": CheckedBlocksFormat(
        HeaderFormat("length:u8 sum:u8=sum8(length) kind:u8 sum2:u8=sum8(length kind)", counts="kind sum2 payload"),
        block_size=3,
        check="sum:u8=sum8(payload)",
        first_block="kind",
        header_alone=True,
    ),
    "a first block of fields": CheckedBlocksFormat(
        HeaderFormat("kind:u8 length:u8 to:u16be", counts="to payload"),
        block_size=2,
        check="sum:u8=sum8(payload)",
        first_block="to",
    ),
    "a constant in the first block": CheckedBlocksFormat(
        HeaderFormat("id:u8 length:u8 kind:u16be mark2:u8=7|8"),
        block_size=5,
        check="sum:u8=sum8(payload)",
        first_block="kind",
    ),
    "straight": CheckedBlocksFormat(PLAIN, block_size=5, check="crc:u16be=crc16_ccitt(payload)"),
    "against its order": CheckedBlocksFormat(PLAIN, block_size=5, check="crc:u16le=crc16_ccitt(payload)"),
    "closed header": CheckedBlocksFormat(
        HeaderFormat("id:u8 length:u8 crc:u16be=crc16_ccitt(id length)"),
        block_size=7,
        check="crc:u16be=crc16_ccitt(payload)",
    ),
    "a closed header too long for a lane": CheckedBlocksFormat(
        HeaderFormat("id:u8 length:u8 crc:u16be=crc16_genibus(id length)"),
        block_size=1,
        check="crc:u16be=crc16_genibus(payload)",
    ),
    "another check in front": CheckedBlocksFormat(
        HeaderFormat("kind:u8 length:u8 sum:u8=sum8(kind length)"),
        block_size=6,
        check="crc:u16le=crc16_arc(payload)",
    ),
    "24 bits": CheckedBlocksFormat(PLAIN, block_size=4, check="crc:u24be=crc24q(payload)"),
    "32 bits": CheckedBlocksFormat(PLAIN, block_size=3, check="crc:u32le=crc32c(payload)", max_frame_size=70),
    "single bytes": CheckedBlocksFormat(PLAIN, block_size=1, check="crc:u16le=crc16_x25(payload)"),
    "no crc": CheckedBlocksFormat(PLAIN, block_size=4, check="sum:u8=sum8(payload)"),
    "length alone": CheckedBlocksFormat(
        HeaderFormat("id:u16be mark:u8=7|8 id2:u8 length:u16be*2 more:u16be", counts="frame"),
        block_size=6,
        check="crc:u16le=crc16_modbus(payload)",
        max_frame_size=300,
    ),
}


LEAD = {"transport", "kind", "mark2"}


def fields_of(form, number, *, alone=False):
    """Return fields for a frame; those of the first block are left out of one that is to be its header alone."""
    few = {"mark": 7 + number % 2, "mark2": 7 + number % 2}
    names = [name for name in form.field_names if not (alone and name in LEAD)]
    return {name: few.get(name, number) for name in names}


def alone_too(form):
    return "header_alone" in repr(form)


def even(form, payload):
    """Return a payload that the format can write: one of them counts in units of two bytes."""
    return payload[len(payload) % 2 :] if "more" in form.field_names else payload


def carefully(form, data, limit):
    """Take payloads, and where their frames lie, with nothing but the careful methods."""
    start, payloads, places = 0, [], []
    try:
        while len(payloads) < limit and (total := form.measure(data, start, len(data))) is not None:
            if total > form.max_frame_size or start + total > len(data):
                break
            form.verify(data, start, start + total)
            payloads.append(form.payload(data, start, start + total))
            places.append((start, start + total))
            start += total
    except FrameError:
        pass
    return start, payloads, places


def check_twins(form, stream, limit):
    """Hold both loops equal to the careful methods."""
    stop, payloads, places = carefully(form, stream, limit)
    for _ in range(2):  # the second time all headers are known
        out, frames = [], []
        assert form.scan(stream, 0, len(stream), limit, out) == stop
        assert out == payloads
        assert form.scan_frames(stream, 0, len(stream), limit, frames, 100) == stop
        assert [(one.offset - 100, one.offset - 100 + one.size) for one in frames] == places
        assert all(one.data == stream[start:end] for one, (start, end) in zip(frames, places, strict=True))


@pytest.fixture(params=[(64, 12, 1 << 16), (1, 1, 1 << 16), (2, 0, 20), (1000, 5, 40)], ids=str)
def bounds(request, monkeypatch):
    """Take other numbers at once, in columns or one by one, in smaller windows."""
    for name, value in zip(("_FIRST_COUNT", "_FEW_COUNT", "_WINDOW_SIZE"), request.param, strict=True):
        monkeypatch.setattr(blocks, name, value)


@pytest.mark.usefixtures("bounds")
@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
def test_they_are_twins_of_the_careful_methods(name, data):
    form = FORMATS[name]
    payloads = data.draw(st.lists(st.binary(max_size=20), max_size=12))
    stream = bytearray()
    for payload in payloads:
        alone = alone_too(form) and data.draw(st.booleans())
        fields = fields_of(form, data.draw(st.integers(0, 3)), alone=alone)
        stream += form.serialize(b"" if alone else even(form, payload), fields)
    for _ in range(data.draw(st.integers(0, 2)) if stream else 0):
        place = data.draw(st.integers(0, len(stream) - 1))
        change = data.draw(st.sampled_from(["flip", "cut", "splice", "end"]))
        if change == "flip":
            stream[place] ^= 1 << data.draw(st.integers(0, 7))
        elif change == "cut":
            del stream[place : place + data.draw(st.integers(1, 5))]
        elif change == "splice":
            stream[place:place] = data.draw(st.binary(max_size=5))
        else:
            del stream[place:]
        if not stream:
            break
    check_twins(form, bytes(stream), data.draw(st.sampled_from([0, 1, 3, 1 << 60])))


@pytest.mark.parametrize("name", FORMATS)
def test_every_wrong_bit_is_seen_among_many(name):
    # More lanes than are looked at one by one, so that columns must find it, and last blocks of every size.
    form = FORMATS[name]
    wires = [form.serialize(even(form, bytes(range(size))), fields_of(form, size % 4)) for size in range(28)]
    if alone_too(form):
        wires[::5] = [form.serialize(b"", fields_of(form, size % 4, alone=True)) for size in range(6)]
    stream = b"".join(wires)
    check_twins(form, stream, 1 << 60)
    for place in range(len(stream)):
        wrong = bytearray(stream)
        wrong[place] ^= 1 << place % 8
        check_twins(form, bytes(wrong), 1 << 60)


@pytest.mark.parametrize("name", CRC_ORDERS)
@pytest.mark.parametrize("order", ["le", "be"])
def test_every_crc_in_both_orders(name, order):
    bits = 8 * CHECKSUMS[name].size
    form = CheckedBlocksFormat(PLAIN, block_size=7, check=f"crc:u{bits}{order}={name}(payload)")
    wires = [form.serialize(bytes(range(size, 3 * size)), {"kind": 1}) for size in range(25)]
    out = []
    stream = b"".join(wires)
    assert form.scan(stream, 0, len(stream), 1 << 60, out) == len(stream)
    assert out == [bytes(range(size, 3 * size)) for size in range(25)]
    # Last blocks that lack a byte or two, wrong in the checksum.
    for size in range(25):
        wrong = [*wires[:20], wires[size][:-1] + bytes((wires[size][-1] ^ 0x10,)), *wires]
        check_twins(form, b"".join(wrong), 1 << 60)


def test_frames_before_and_behind_a_bad_one():
    wires = [DNP3.serialize(bytes((number,)) * 40, fields_of(DNP3, number)) for number in range(200)]
    for bad in (0, 63, 64, 65, 150, 199):
        wrong = wires[bad][:-1] + bytes((wires[bad][-1] ^ 1,))
        parser = FrameParser(DNP3, recovery="magic")
        parser.feed(b"".join([*wires[:bad], wrong, *wires[bad + 1 :]]))
        parser.finish()
        numbers, errors = [], []
        while True:
            try:
                taken = parser.take_payloads()
            except ChecksumError as error:
                errors.append(error.offset)
                continue
            if not taken:
                break
            numbers += [one[0] for one in taken]
        assert numbers == [number for number in range(200) if number != bad]
        assert errors == [sum(map(len, wires[:bad])) + len(wires[bad]) - 2]


def test_how_often_a_frame_is_cut_is_bounded(monkeypatch):
    # Every second frame is bad: each costs the loop no more than the first, small batch.
    cut = []
    real = blocks._walking

    def counting(*args):
        walk = real(*args)

        def counted(*place):
            batch = walk(*place)
            cut.append(len(batch.shapes))
            return batch

        return counted

    monkeypatch.setattr(blocks, "_walking", counting)
    form = CheckedBlocksFormat(DNP3_HEADER, block_size=16, check="crc:u16le=crc16_dnp(payload)")
    good = form.serialize(b"x" * 20, fields_of(form, 1))
    parser = FrameParser(form, recovery="magic")
    parser.feed((good + good[:-1] + b"?") * 500)
    count = 0
    while True:
        try:
            taken = parser.take_payloads()
        except ChecksumError:
            continue
        if not taken:
            break
        count += len(taken)
    assert count == 500
    assert max(cut) <= 64
    assert len(cut) <= 2 * 1002


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(blocks, "_KNOWN_COUNT", 3)
    asked = []
    form = CheckedBlocksFormat(HeaderFormat("length:u16be"), block_size=4, check="sum:u8=sum8(payload)")
    measure = form.measure
    form.measure = lambda *place: asked.append(place) or measure(*place)
    stream = b"".join(form.serialize(b"x" * size) for size in (1, 2, 3, 1, 2, 3, 4, 3, 5000, 5000))
    form.scan(stream, 0, len(stream), 1 << 60, [])
    # Four are one too many, so that 1 and 2 are forgotten, and not 3; long frames are not remembered.
    assert len(asked) == 3 + 1 + 2


def test_headers_closed_by_a_crc_are_asked_about_once_a_size():
    form = CheckedBlocksFormat(DNP3_HEADER, block_size=16, check="crc:u16le=crc16_dnp(payload)")
    measure, asked = form.measure, []
    form.measure = lambda *place: asked.append(place) or measure(*place)
    stream = b"".join(form.serialize(b"x" * (one % 3), fields_of(form, one)) for one in range(256))
    out = []
    assert form.scan(stream, 0, len(stream), 1 << 60, out) == len(stream)
    assert (len(out), len(asked)) == (256, 3)


def test_memory_is_that_of_a_window():
    form = CheckedBlocksFormat(HeaderFormat("length:u8"), block_size=120, check="crc:u16le=crc16_dnp(payload)")
    stream = form.serialize(b"x") * 20_000  # of 4 bytes each, in lanes of 122: all lanes at once would be 2.4 MB
    form.scan(stream, 0, 400, 100, [])
    assert peak_memory(lambda: form.scan(stream, 0, len(stream), 20_000, [])) < 1_500_000


def test_long_blocks_are_left_to_the_careful_methods():
    form = CheckedBlocksFormat(HeaderFormat("length:u16be"), block_size=127, check="crc:u16le=crc16_dnp(payload)")
    assert form.scan is None
    check_format(form, payloads=[b"", b"x" * 127, b"x" * 130])


def test_another_limit_holds():
    small = DNP3.limited(40)
    wires = [DNP3.serialize(b"x" * size, fields_of(DNP3, 1)) for size in (4, 26, 27, 4)]
    stream = b"".join(wires)
    assert len(wires[1]) == 40
    for form, count in ((DNP3, 4), (small, 2)):
        out = []
        assert form.scan(stream, 0, len(stream), 9, out) == sum(map(len, wires[:count]))
        assert len(out) == count

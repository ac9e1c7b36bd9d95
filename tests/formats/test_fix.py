"""FIX messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import ChecksumError, DefinitionError, EncodeError, FrameTooLargeError, HeaderError, TruncatedFrameError
from framing.formats.fix import FixFormat
from framing.testing import check_format, outcome

ONE = FixFormat(begin_string="FIX.4.4")
HEARTBEAT = b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01"

# "Financial Information eXchange", Wikipedia: an execution report with its length and checksum.
REPORT = (
    b"8=FIX.4.2|9=178|35=8|49=PHLX|56=PERS|52=20071123-05:30:00.000|11=ATOMNOCCC9990900|20=3|150=E|39=E|55=MSFT|"
    b"167=CS|54=1|38=15|40=2|44=15|58=PHLX EQUITY TESTING|59=0|47=C|32=0|31=0|151=15|14=0|6=0|10=128|"
).replace(b"|", b"\x01")


@pytest.mark.parametrize("form", [ONE, FixFormat(), FixFormat(begin_string="FIX.4|FIX.4.4")], ids=repr)
def test_the_contract(form):
    check_format(form, [b"35=0\x01", b"\x01", b"35=D\x0158=10=000\x01"])


def test_the_contract_with_a_field():
    check_format(FixFormat(), [b"35=0\x01"], fields={"begin_string": "FIXT.1.1"})


def test_a_message_of_others():
    whole = outcome(FixFormat(), [REPORT + HEARTBEAT])
    assert [wire for _, wire in whole.frames] == [REPORT, HEARTBEAT]
    frame = FixFormat().frame(REPORT)
    assert frame.header == {"begin_string": "FIX.4.2", "length": 178, "checksum": 128}
    assert FixFormat().serialize(frame.payload, frame.fields) == REPORT


@given(st.lists(st.binary(max_size=400), max_size=3), st.integers(1, 30))
def test_what_is_written_is_read(bodies, size):
    payloads = [body + b"\x01" for body in bodies]
    stream = b"".join(map(FixFormat().serialize, payloads))
    chunks = [stream[place : place + size] for place in range(0, len(stream), size)]
    assert outcome(FixFormat(), chunks).payloads == payloads


@pytest.mark.parametrize("size", [1, 200, 231, 232, 233, 255, 256, 257, 300, 70_000])
def test_the_sum_of_any_size(size):
    payload = b"\xff" * size + b"\x01"
    wire = ONE.serialize(payload)
    assert int(wire[-4:-1]) == sum(wire[:-7]) % 256
    assert outcome(ONE, [wire]).payloads == [payload]


def test_the_hot_loop_stops_where_a_sum_is_wrong():
    out = []
    bad = HEARTBEAT[:-4] + b"164\x01"
    assert ONE.scan(HEARTBEAT * 3 + bad + HEARTBEAT, 0, 5 * len(HEARTBEAT), 9, out) == 3 * len(HEARTBEAT)
    assert out == [b"35=0\x01"] * 3


@pytest.mark.parametrize(
    ("data", "kind", "offset", "field"),
    [
        (b"9=5\x01", HeaderError, 0, "begin_string"),
        (b"8=FIX.5", HeaderError, 6, "begin_string"),
        (b"8=FIX.4.4\x0135=", HeaderError, 10, "length"),
        (b"8=FIX.4.4\x019:", HeaderError, 11, "length"),
        (b"8=FIX.4.4\x019=\x01", HeaderError, 12, "length"),
        (b"8=FIX.4.4\x019=-5\x01", HeaderError, 12, "length"),
        (b"8=FIX.4.4\x019=5 \x01", HeaderError, 13, "length"),
        (b"8=FIX.4.4\x019=0\x01", HeaderError, 12, "length"),
        (b"8=FIX.4.4\x019=4\x0135=0\x0110=163\x01", HeaderError, 17, "length"),
        (b"8=FIX.4.4\x019=5\x0135=0\x0111=163\x01", HeaderError, 19, "checksum"),
        (b"8=FIX.4.4\x019=5\x0135=0\x0110=1a3\x01", HeaderError, 19, "checksum"),
        (b"8=FIX.4.4\x019=5\x0135=0\x0110=1634", HeaderError, 19, "checksum"),
        (b"8=FIX.4.4\x019=5\x0135=0\x0110=164\x01", ChecksumError, 19, "checksum"),
        (b"8=FIX.4.4\x019=5\x0135=1\x0110=163\x01", ChecksumError, 19, "checksum"),
    ],
)
def test_each_way_to_be_malformed_is_told(data, kind, offset, field):
    found, text, facts = outcome(ONE, [HEARTBEAT + data]).error
    assert (found, facts[0], facts[2]) == (kind, len(HEARTBEAT) + offset, field)
    assert "expected" in text
    assert "found" in text
    for place in range(len(data)):
        assert outcome(ONE, [HEARTBEAT, data[:place], data[place:]]).error == (found, text, facts)


def test_a_length_filled_up_with_zeros_is_taken():
    padded = b"8=FIX.4.4\x019=0005\x0135=0\x0110="
    wire = padded + b"%03d\x01" % (sum(padded[:-3]) % 256)
    assert outcome(ONE, [wire]).payloads == [b"35=0\x01"]


def test_limits():
    assert outcome(ONE, [b"8=FIX.4.4\x019=" + b"9" * 11]).error[0] is FrameTooLargeError
    assert outcome(ONE, [b"8=FIX.4.4\x019=9999999\x01"]).error[0] is FrameTooLargeError
    assert outcome(ONE, [HEARTBEAT[:-1]]).error[0] is TruncatedFrameError
    assert outcome(ONE.limited(len(HEARTBEAT)), [HEARTBEAT]).payloads == [b"35=0\x01"]
    assert outcome(ONE.limited(len(HEARTBEAT) - 1), [HEARTBEAT]).error[0] is FrameTooLargeError


@pytest.mark.parametrize(
    ("payload", "fields"),
    [(b"", None), (b"35=0", None), (b"35=0\x01", {"begin_string": "FIX.5"}), (b"35=0\x01", {"length": 5})],
)
def test_what_cannot_be_written(payload, fields):
    with pytest.raises(EncodeError):
        FixFormat().serialize(payload, fields)


@pytest.mark.parametrize("text", ["", "FIX.4.4|", "FIX\x01", "F\u00efX"])
def test_begin_strings_are_text(text):
    with pytest.raises(DefinitionError) as caught:
        FixFormat(begin_string=text)
    assert caught.value.key == "begin_string"
    with pytest.raises(TypeError):
        FixFormat(begin_string=b"FIX.4.4")


def test_a_limit_that_no_message_meets():
    with pytest.raises(DefinitionError):
        FixFormat(max_frame_size=20)


def test_repr_makes_an_equal_format():
    assert eval(repr(ONE), {"FixFormat": FixFormat}) == ONE

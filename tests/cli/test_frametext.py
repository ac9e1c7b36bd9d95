import pytest

from framing import HeaderError, Message, get_format
from framing.capture import ErrorRecord, FrameRecord, GapRecord, SummaryRecord
from framing.cli.frametext import FrameText, problem_text, summary_text
from framing.errors import CaptureFileError

PLACE = ("a:1>b:2", "server", False, 5, 7)
FRAME = FrameRecord(*PLACE, 12, get_format("u8").frame(b"\x02hi", 40), b"hi")
START = "1970-01-01T00:00:00.000000005Z  a:1>b:2  server   #12  @40      3 bytes  "


def shown(message):
    return FrameText().line(FRAME._replace(value=message)).removeprefix(START).removesuffix("\n")


def test_where_a_frame_comes_from_and_what_it_is():
    assert FrameText().line(FRAME) == f"{START}68 69  |hi|\n"


def test_a_guess_has_a_question_mark_and_raw_bytes_no_time():
    line = FrameText().line(FRAME._replace(is_guessed=True, time_ns=None))

    assert line.startswith("a:1>b:2  server?  #12  ")


class Odd:
    def __repr__(self):
        return "<odd\n\x1b[2J>"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (None, "None"),
        ({"a": [1, b"\x00"]}, "{'a': [1, b'\\x00']}"),
        ("\u202eüber", "'\\u202eüber'"),
        (Odd(), "<odd\\n\\x1b[2J>"),
        (b"", "no bytes"),
        (b"\x1b[2J", "1b 5b 32 4a  |.[2J|"),
        (Message(b"", type=81, flags=0), "type=81 flags=0  no bytes"),
        (Message("x", tag=b"\x01"), "tag=b'\\x01'  'x'"),
    ],
    ids=repr,
)
def test_a_message_is_shown_in_one_line(message, text):
    assert shown(message) == text


@pytest.mark.parametrize("size", [1, 31, 32, 33, 100_000])
def test_bytes_are_cut_as_in_an_error_and_not_before(size):
    text = shown(b"a" * size)

    assert ("…" in text) == (size > 32)
    assert text.count("61") == min(size, 32)
    assert text.endswith(f"  |{'a' * min(size, 32)}|")


def full(message):
    return FrameText(full=True).line(FRAME._replace(value=message)).removeprefix(START.rstrip()).removesuffix("\n")


def test_full_bytes_are_a_dump():
    assert full(b"a" * 16 + b"\x1bb").splitlines() == [
        "",
        "    00000000  61 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61  |aaaaaaaaaaaaaaaa|",
        "    00000010  1b 62                                            |.b|",
    ]
    assert full(Message(b"hi", type=81)).splitlines()[0] == "  type=81"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"", "  no bytes"),
        ("a" * 5000, f"  '{'a' * 5000}'"),
        (Odd(), "  <odd\\n\\x1b[2J>"),
        (Message(b"", type=81), "  type=81  no bytes"),
        (Message("b" * 2000, name="a" * 2000), f"  name='{'a' * 2000}'  '{'b' * 2000}'"),
    ],
    ids=["nothing", "text", "odd", "field", "long"],
)
def test_full_messages_are_not_cut(message, text):
    assert full(message) == text


def test_columns_widen_and_stay_wide():
    text = FrameText()
    long = FRAME._replace(flow="10.0.0.5:51744>10.0.0.9:4000", number=100_000)

    lines = [text.line(one) for one in (FRAME, long, FRAME)]

    places = [[line.index(sign) for sign in ("server", "@40", "|hi|")] for line in lines]
    assert places[0] < places[1] == places[2]


def test_one_long_flow_does_not_push_the_others():
    text = FrameText()
    text.line(FRAME._replace(flow="f" * 95))

    assert text.line(FRAME).index("server") == len("1970-01-01T00:00:00.000000005Z  ") + 43 + 2


def test_text_is_cut_to_the_room():
    assert shown("a" * 998) == repr("a" * 998)
    assert shown("a" * 999) == "'" + "a" * 998 + "…"
    assert len(shown(Message("a" * 5000, name="b" * 5000))) < 1100


def test_an_error_says_where_and_shows_the_bytes():
    error = HeaderError("bad\x1b", offset=4, frame_number=1, flow="a:1>b:2")

    text = problem_text(ErrorRecord(*PLACE, error, 4, 1, b"\x00\x01"), "x.pcap")

    assert text == "x.pcap: packet 7: bad\\x1b (offset 4, frame number 1, flow a:1>b:2); it begins 00 01"


def test_an_error_of_the_file_names_it_once():
    error = CaptureFileError("cut", file="x.pcap", packet_number=3)

    text = problem_text(ErrorRecord(None, None, False, None, 3, error), "x.pcap")

    assert text == "cut (file x.pcap, packet number 3)"


def test_a_gap_says_how_much_is_missing():
    text = problem_text(GapRecord(*PLACE, 40, 8, "cut"), "x.pcap")

    assert text.startswith("x.pcap: bytes are missing from the capture")
    for fact in ("stream offset 40", "gap size 8", "packet number 7", "flow a:1>b:2"):
        assert fact in text


def test_sums():
    total = SummaryRecord(None, None, False, 2, 100, 1, 2, 30, 7, 0, flow_count=3, unused={"not_ip": 4})

    assert summary_text(total) == (
        "2 frames, 100 bytes, 3 flows; 1 error, 2 gaps of 30 bytes, 7 bytes skipped; packets not used: 4 not ip"
    )

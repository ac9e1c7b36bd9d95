"""Formats told apart by how their frames begin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import (
    Conversation,
    DefinitionError,
    EncodeError,
    FrameTooLargeError,
    HeaderError,
    Message,
    get_format,
)
from framing.errors import UnknownNameError
from framing.formats.choice import ChoiceFormat
from framing.formats.json_stream import JsonStreamFormat
from framing.testing import check_format, outcome
from framing.toml import parse_protocol

MEDIA = {"header": "magic:u8=0x24 channel:u8 length:u16be"}
RTSP = get_format("choice", cases={"$": MEDIA}, default={"format": "lines"})
TURN = get_format(
    "choice",
    cases={
        "0x00/0xc0": {"header": "type:u16be length:u16be cookie:u32be=0x2112a442 transaction:bytes12"},
        "0x40/0xc0": {"header": "channel:u16be length:u16be"},
    },
)
CHECKED = get_format(
    "choice",
    cases={
        "$": {"header": "magic:u8=0x24 length:u8", "trailer": "end:u8=0xce"},
        "#": {"format": "delimiter", "delimiters": ";", "keep": True},
    },
)


@pytest.mark.parametrize(
    ("form", "payloads", "fields"),
    [
        (RTSP, [b"", b"hello", b"x" * 200], None),
        (RTSP, [b"", b"hello", b"x" * 200], {"choice": b"$", "channel": 3}),
        (RTSP, [b"", b"hello"], {"choice": b""}),
        (TURN, [b"", b"hello"], {"type": 1, "transaction": b"x" * 12}),
        (TURN, [b"", b"hello", b"x" * 40], {"channel": 0x4001}),
        (CHECKED, [b"", b"hello"], {"choice": b"$"}),
        (CHECKED, [b"#;", b"#hello;"], {"choice": b"#"}),
    ],
)
def test_the_contract(form, payloads, fields):
    check_format(form, payloads, fields=fields)


def test_the_contract_of_prefixes_that_begin_alike():
    form = get_format(
        "choice",
        cases={"abc": {"header": "magic:bytes3=abc length:u8"}, "ab": {"header": "magic:bytes2=ab length:u8"}},
        default={"format": "lines"},
    )
    for choice in (b"abc", b"ab", b""):
        check_format(form, [b"", b"x", b"hello"], fields={"choice": choice})


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=20)), max_size=9), st.integers(1, 9))
def test_what_is_written_is_read(items, size):
    wires = []
    for is_media, payload in items:
        payload = payload if is_media else payload.hex().encode()
        fields = {"channel": 7} if is_media else {}
        wires.append((RTSP.serialize(payload, fields), payload))
    stream = b"".join(wire for wire, _ in wires)
    whole = outcome(RTSP, [stream[at : at + size] for at in range(0, len(stream), size)])
    assert (whole.payloads, whole.error) == ([payload for _, payload in wires], None)


@given(st.binary(max_size=60), st.integers(1, 5))
def test_any_bytes_give_the_same_at_any_cut(data, size):
    for form in (RTSP, TURN, CHECKED):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert outcome(form, pieces)[:3] == outcome(form, [data])[:3]


def test_a_trailer_is_verified_in_its_case():
    error = outcome(CHECKED, [b"#a;$\x01ab"]).error
    assert (error[0], error[2][:3]) == (HeaderError, (6, 1, "end"))


def test_a_frame_within_the_bytes_that_chose_it_is_refused():
    form = get_format("choice", cases={"ab": {"header": "a:u8", "payload_size": 0}})
    assert outcome(form, [b"abab"]).error[1].startswith("a frame ends within the bytes that chose its case")


def test_the_default_may_have_filler():
    form = ChoiceFormat({b"\0": get_format("u16be")}, default=JsonStreamFormat())
    check_format(form, [b"{}", b"[1]"], fields={"choice": b""})
    assert outcome(form, [b" {} \n\0\1a[]  "]).payloads == [b"{}", b"a", b"[]"]
    with pytest.raises(DefinitionError, match="filler"):
        ChoiceFormat({"{": JsonStreamFormat()})


def test_the_limit_is_each_case_s_own():
    form = get_format("choice", cases={"$": MEDIA | {"max_frame_size": 6}}, default={"format": "lines"})
    assert form.max_frame_size == 1 << 20
    error = outcome(form, [b"a long line\n$\0\0\3abc"]).error
    assert (error[0], error[2][:4]) == (FrameTooLargeError, (12, 1, 7, 6))


def test_the_field_may_have_another_name():
    form = get_format("choice", cases={"$": MEDIA}, field="kind")
    assert form.field_names == ("kind", "channel")
    assert form.frame(form.serialize(b"", {"channel": 1})).fields == {"kind": b"$", "channel": 1}
    with pytest.raises(DefinitionError):
        get_format("choice", cases={"$": MEDIA}, field="magic")


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"choice": b"%"}, "there is no such case"), ({"choice": "%"}, "there is no such case"), ({"x": 1}, "no field x"),
     ({"choice": 3}, "there is no such case"), ({"choice": b"", "channel": 1}, "no header fields")],
)  # fmt: skip
def test_what_cannot_be_written_is_refused(fields, words):
    with pytest.raises(EncodeError, match=words):
        RTSP.serialize(b"", fields)


def test_a_case_may_be_named_by_its_text():
    assert RTSP.serialize(b"", {"choice": "$", "channel": 0}) == RTSP.serialize(b"", {"choice": b"$", "channel": 0})


def test_a_frame_that_is_too_large_for_its_only_case_says_so():
    with pytest.raises(FrameTooLargeError):
        RTSP.limited(8).serialize(b"hello", {"channel": 1})
    with pytest.raises(FrameTooLargeError):
        RTSP.limited(8).serialize(b"hello world")


def test_options_of_another_type_are_refused():
    for cases in ([], {"a": "lines"}):
        with pytest.raises(TypeError):
            ChoiceFormat(cases)
    with pytest.raises(TypeError):
        ChoiceFormat({"a": RTSP}, default="lines")


def test_a_definition_file_declares_cases_as_tables():
    protocol = parse_protocol(
        """
        name = "rtsp"
        [both]
        format = "choice"
        default = { format = "lines", write = "\\r\\n" }
        codec = { field = "choice", cases = { "$" = "raw", "" = "raw" } }
        [both.cases]
        "$" = { header = "magic:u8=0x24 channel:u8 length:u16be" }
        """,
        "rtsp.toml",
    )
    conversation = Conversation(protocol)
    conversation.server.feed(b"RTSP/1.0 200 OK\r\n$\0\0\2ab")
    answers = [Message(b"RTSP/1.0 200 OK", choice=b"", channel=None), Message(b"ab", choice=b"$", channel=0)]
    assert conversation.server.take_messages() == answers
    assert b"".join(conversation.encode("server", one) for one in answers) == b"RTSP/1.0 200 OK\r\n$\0\0\2ab"


@pytest.mark.parametrize(
    ("table", "key"),
    [('"$" = { header = "length:u9" }', 'both.cases."$"'),
     ('"$" = { header = "length:u8", max_frame_siz = 3 }', 'both.cases."$".max_frame_siz'),
     ('"$" = { header = "length:u8", format = "lines" }', 'both.cases."$".format'),
     ('a = { format = "lines" }\nab = { format = "lines" }', "both.cases")],
)  # fmt: skip
def test_a_mistake_in_a_case_is_told_with_its_place(table, key):
    with pytest.raises(DefinitionError) as caught:
        parse_protocol(f'name = "x"\n[both]\nformat = "choice"\n[both.cases]\n{table}', "x.toml")
    assert caught.value.key == key
    assert caught.value.line


def test_a_format_that_is_not_there_is_told():
    with pytest.raises(UnknownNameError):
        get_format("choice", cases={"$": {"format": "nowhere"}})


def test_choices_are_not_nested_for_ever():
    table = {"format": "lines"}
    for number in range(3000):
        table = {"format": "choice", "cases": {"a": {"format": "lines"}}, "default": table, "field": f"choice{number}"}
    with pytest.raises(DefinitionError, match="nested too deeply"):
        get_format("choice", cases={"a": {"format": "lines"}}, default=table)


def test_repr_makes_the_format_again():
    names = {"ChoiceFormat": ChoiceFormat, "HeaderFormat": type(get_format("u8"))}
    form = ChoiceFormat({"0x40/0xc0": get_format("u16be")}, default=get_format("u8"), field="kind")
    assert eval(repr(form), names) == form
    assert form != form.limited(100)

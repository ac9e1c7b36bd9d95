"""XML streams, held against the standard library's XML parser."""

from itertools import pairwise
from xml.etree import ElementTree
from xml.etree.ElementTree import XMLPullParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError, HeaderError
from framing.formats.xml_stream import XmlStreamFormat
from framing.testing import check_format, outcome

FORM = XmlStreamFormat("stream")
PAYLOADS = [
    b"<?xml version='1.0'?>",
    b"<stream to='a>b' from=\"it's\">",
    b"<message to='kim'><body>hi</body><x/></message>",
    b"<a b='/'>text</a>",
    b"<a b='>' c=\"<\"/>",
    b"<!-- > -- <b> -->",
    b"<a><![CDATA[</a>]]]]></a>",
    b"<a><!-- </a> --><?pi </a>?></a>",
    b"<streams></streams>",
    b"</stream>",
]


def test_the_contract():
    check_format(FORM, PAYLOADS)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_each_item_is_a_frame(payload):
    parser = FrameParser(FORM)
    parser.feed(b"\r\n " + payload + b"\t" + payload)
    parser.finish()
    assert parser.take_payloads() == [payload, payload]


def drained(parser):
    while parser.next_frame():
        pass


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"<a/>text", 4),
        (b"<stream>\n text<a/>", 10),
        (b"<stream></a>", 8),
        (b"<!DOCTYPE a>", 0),
        (b"<a><!ENTITY b 'c'></a>", 3),
        (b"<![CDATA[x]]>", 0),
    ],
)
def test_what_is_no_item(data, place):
    error = outcome(FORM, [data]).error
    assert error[0] is HeaderError
    parser = FrameParser(FORM)
    parser.feed(data)
    with pytest.raises(HeaderError) as raised:
        drained(parser)
    assert raised.value.offset == place


def test_elements_stand_in_each_other_so_many_times():
    form = XmlStreamFormat("stream", max_depth=2)
    assert form.serialize(b"<a><b><c/></b></a>")
    with pytest.raises(EncodeError) as raised:
        form.serialize(b"<a><b><c></c></b></a>")
    assert raised.value.offset == 6


def test_the_limit_is_said_before_the_end_is_there():
    parser = FrameParser(XmlStreamFormat("stream", max_frame_size=10))
    parser.feed(b"<message to")
    with pytest.raises(FrameTooLargeError):
        parser.next_frame()


@pytest.mark.parametrize("root", ["", "a b", "<a", "a>"])
def test_a_root_that_is_no_name(root):
    with pytest.raises(DefinitionError) as raised:
        XmlStreamFormat(root)
    assert raised.value.key == "root"


def test_the_root_is_not_any_element_that_begins_with_its_name():
    assert outcome(FORM, [b"<streamer><a/></streamer>"]).payloads == [b"<streamer><a/></streamer>"]


text = st.text("ab <>&'\"]-?!", max_size=6)
names = st.sampled_from(["a", "b:c", "streamx"])


def made(name, attributes, parts):
    element = ElementTree.Element(name.replace(":", "_"), {f"k{number}": one for number, one in enumerate(attributes)})
    for part in parts:
        if isinstance(part, str):
            comment = ElementTree.Comment(part.replace("-", "_"))
            comment.tail = part
            element.append(comment)
        else:
            element.append(part)
    return element


elements = st.recursive(
    st.builds(made, names, st.lists(text, max_size=2), st.just([])),
    lambda inner: st.builds(made, names, st.lists(text, max_size=2), st.lists(inner | text, max_size=3)),
    max_leaves=6,
)


@given(st.lists(elements, max_size=4), st.lists(st.integers(0, 400), max_size=4))
def test_what_a_whole_parser_finds_at_any_cut(children, places):
    pieces = [b"<stream>", *map(ElementTree.tostring, children), b"</stream>"]
    stream = b"".join(pieces)
    reader = XMLPullParser()
    reader.feed(stream)  # so it is XML, by another one's judgement
    assert len(ElementTree.fromstring(stream)) == len(children)
    cuts = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    chunks = [stream[first:last] for first, last in pairwise(cuts)]
    assert outcome(FORM, chunks).payloads == pieces


@given(st.binary(max_size=80) | st.text("<>/!-[]?'\" aCDAT", max_size=80).map(str.encode), st.integers(0, 80))
def test_any_bytes_at_any_cut(data, place):
    whole = outcome(FORM, [data])
    cut = outcome(FORM, [data[:place], data[place:]])
    assert cut[:3] == whole[:3]

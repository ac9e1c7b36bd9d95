"""What a length may count."""

import pytest

from framing import DefinitionError, get_format
from framing.formats.fields.counts import counted_size

SIZES = {"header": 5, "trailer": 2, "payload": 0, "type": 1, "length": 4, "crc": 2}


@pytest.mark.parametrize(
    ("counts", "size"),
    [
        ("payload", 0),
        ("length payload", 4),
        ("header payload", 5),
        ("payload trailer", 2),
        ("type payload crc", 3),
        ("header payload trailer", 7),
        ("frame", 7),
    ],
)
def test_names_instead_of_arithmetic(counts, size):
    assert counted_size(counts, SIZES, "type:u8 length:u32be") == size


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ("", "must count the payload"),
        ("length", "must count the payload"),
        ("half payload", "cannot count half"),
        ("frame payload", "cannot count frame"),
        ("payload payload", "counts payload twice"),
    ],
)
def test_what_no_length_counts_is_refused_by_name(counts, text):
    with pytest.raises(DefinitionError, match=text) as caught:
        counted_size(counts, SIZES, "type:u8 length:u32be")
    assert caught.value.key == "counts"
    assert caught.value.found == counts


@pytest.mark.parametrize(
    ("header", "counts"),
    [("(a:4 length:12):u16be", "a length payload"), ("type:u8 length:u16be", "header length payload")],
)
def test_bytes_are_counted_once(header, counts):
    with pytest.raises(DefinitionError, match="twice"):
        get_format("header", header=header, counts=counts)

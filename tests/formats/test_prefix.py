"""How frames begin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, HeaderError
from framing.formats.prefix import UNDECIDED, Prefixes, parse_prefix


@pytest.mark.parametrize(
    ("key", "mask", "value", "notation"),
    [
        ("$", "ff", "24", "0x24"),
        (b"$", "ff", "24", "0x24"),
        ("0x24", "ff", "24", "0x24"),
        ("GET /0", "ffffffffffff", "474554202f30", "0x474554202f30"),
        ("0x40/0xc0", "c0", "40", "0x40/0xc0"),
        ((b"\xc0", b"\x40"), "c0", "40", "0x40/0xc0"),
        ("0x0001/0x00ff", "00ff", "0001", "0x0001/0x00ff"),
    ],
)
def test_each_way_to_say_it(key, mask, value, notation):
    prefix = parse_prefix(key)
    assert (prefix.mask.hex(), prefix.value.hex(), prefix.key) == (mask, value, notation)
    assert parse_prefix(notation).key == notation


@pytest.mark.parametrize(
    "key", ["", b"", "0x", "0x4", "0xzz", "0x40/0x", "0x40/0xc000", "0x41/0xc0", "0x00/0x00", (b"", b"")]
)
def test_what_says_nothing_is_refused(key):
    with pytest.raises(DefinitionError) as caught:
        parse_prefix(key)
    assert caught.value.key == "cases"


@pytest.mark.parametrize("key", [1, None, ("a", "b"), (b"a",)])
def test_a_key_of_another_type_is_refused(key):
    with pytest.raises(TypeError, match="cases"):
        parse_prefix(key)


@given(st.binary(min_size=1, max_size=4), st.binary(min_size=4, max_size=4), st.binary(max_size=6))
def test_fits_is_what_masking_each_byte_says(wanted, mask, head):
    mask = mask[: len(wanted)]
    if not any(mask):
        return
    value = bytes(one & bits for one, bits in zip(wanted, mask, strict=True))
    same = all(byte & bits == one for byte, bits, one in zip(head, mask, value, strict=False))
    expected = False if not same else True if len(head) >= len(value) else None
    assert parse_prefix((mask, value)).fits(head) is expected


def prefixes(*keys, has_default=False):
    return Prefixes(map(parse_prefix, keys), has_default=has_default)


def test_the_first_one_that_fits_is_taken_and_waited_for():
    several = prefixes("abc", "ab", has_default=True)
    assert [several.decide(data, 0, len(data)) for data in (b"abc", b"abd", b"b", b"ab", b"a")] == [0, 1, 2, -1, -1]
    assert [several.decide(data, 0, len(data), ended=True) for data in (b"ab", b"a")] == [1, 2]
    assert several.by_byte[ord("a")] == UNDECIDED
    assert several.values == (b"abc", b"ab", b"")


def test_none_fits_with_as_few_bytes_as_show_it():
    for data in (b"xabx", b"xabxyz"):
        with pytest.raises(HeaderError) as caught:
            prefixes("abc", "0xb0/0xf0").decide(data, 1, len(data))
        assert (caught.value.offset, caught.value.found) == (1, b"abx")
        assert caught.value.expected == ("0x616263", "0xb0/0xf0")


def test_a_rest_that_might_have_fitted_is_not_decided():
    assert prefixes("abc").decide(b"ab", 0, 2, ended=True) == UNDECIDED


@pytest.mark.parametrize("keys", [(), ("a", "ab"), ("a", "a"), ("0x40/0xc0", "0x41"), ("0x40/0xc0", "0x40/0xe0")])
def test_what_is_never_reached_is_refused(keys):
    with pytest.raises(DefinitionError):
        prefixes(*keys)


def test_the_longer_one_may_come_first():
    assert prefixes("ab", "a").keys == ("0x6162", "0x61")


def test_more_cases_than_can_be_compared_are_refused():
    with pytest.raises(DefinitionError, match="too many cases") as caught:
        prefixes(*(b"%05d" % number for number in range(1025)))
    assert (caught.value.found, caught.value.allowed) == (1025, "1024 at most")

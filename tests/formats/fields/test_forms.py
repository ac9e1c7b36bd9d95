"""The forms of a header with conditions."""

import pytest

from framing import DefinitionError
from framing.formats.fields.forms import Parts, make_forms
from framing.formats.fields.notation import parse_notation


def forms(header, trailer="", *, length="length", counts="payload", **options):
    head = parse_notation(header, computed=True, conditional=True)
    tail = parse_notation(trailer, "trailer", computed=True, conditional=True)
    return make_forms(Parts(head, tail, texts=(header, trailer), length=length, counts=counts, options=options))


def test_each_combination_is_a_plain_header():
    made = forms("(a:1 length:7):u8 long:u16be?length=127 key:bytes4?a=1", length="long | length")
    assert [(form.length, sorted(form.optional), form.format.smallest) for form in made] == [
        ("length", [], 1),
        ("long", ["long"], 3),
        ("length", ["key"], 5),
        ("long", ["key", "long"], 7),
    ]
    assert made[3].place == {"a": 0, "length": 0, "long": 1, "key": 3}
    assert [form.shown for form in made[:2]] == [
        "where length is not 127 and a is not 1",
        "where length is 127 and a is not 1",
    ]


def test_a_length_that_a_form_does_not_use_is_not_the_applications_where_it_is_an_escape():
    short, long = forms("length:u8 long:u16be?length=255", length="long | length")
    assert (short.field_names, long.field_names) == ((), ())
    short, long = forms("kind:u8 length:u8 long:u16be?kind=1", length="long | length")
    assert (short.field_names, long.field_names) == (("kind",), ("kind", "length"))


def test_what_follows_from_the_other_fields_is_filled_in():
    made = forms("(a:1 b:7):u8 length:u8 key:bytes1?a=1 more:u8?b=3|4")
    plain, *_ = made
    assert plain.values({"b": 1}) == {"b": 1, "a": 0}
    assert plain.values({"b": 3}) is None
    assert plain.values({}) == {"a": 0}  # and b is then missed by who writes it
    with_key = next(form for form in made if form.optional == {"key"})
    assert with_key.values({"b": 1, "key": b"k"}) == {"b": 1, "key": b"k", "a": 1}
    assert with_key.values({"b": 1}) is None
    with_more = next(form for form in made if form.optional == {"more"})
    assert with_more.values({"more": 1}) == {"more": 1, "a": 0}  # 3 or 4


def test_scale_counts_and_checksums_go_by_what_is_there():
    short, long = forms(
        "length:u8*4 long:u16be?length=255 crc:u8=xor8(length long)", length="long | length", counts="long payload"
    )
    assert short.format.serialize(b"abcd").hex() == "0101" + b"abcd".hex()
    assert long.format.serialize(b"x", {"length": 255})[:4].hex() == "ff0003fc"
    assert (short.can_say(4), short.can_say(5), short.can_say(254 * 4), short.can_say(255 * 4)) == (
        True,
        False,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("declared", "key", "position", "text"),
    [
        ({"header": "a:u8 length:u8?a=1"}, "length", None, "where a is not 1, nothing tells"),
        ({"header": "a:u8 length:u8?a=1", "length": "length | size"}, "length", None, "no header field is called size"),
        ({"header": "a:u8 length:u8 b:u8?a=1 b:u8?a=1"}, None, 24, "two fields are called b"),
        ({"header": "a:u8 c:u8=xor8(a) length:bytes2?a=1 length:u8?a=0|2|3"}, "length", None, "free integer"),
        ({"header": "a:u8 length:u8", "trailer": "b:u8?a=1 c:u16be=crc32(a b)"}, None, 9, "has 4 bytes"),
    ],
)
def test_what_cannot_work_says_in_which_form(declared, key, position, text):
    with pytest.raises(DefinitionError, match=text) as caught:
        forms(**declared)
    error = caught.value
    assert (error.key, error.position) == (key, position)
    assert position is None or error.source in declared.values()

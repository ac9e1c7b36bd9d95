"""The notation of headers: what is declared, and the character that a mistake is pointed at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError
from framing.formats.fields.notation import parse_notation


def declared(text):
    return [(field.name, field.kind, field.size, field.byteorder) for field in parse_notation(text)]


def test_fields_in_wire_order():
    assert declared("a:u8 b:u16be  c:u24le\n d:u64be e:bytes7 f:varint g:varint4") == [
        ("a", "uint", 1, "big"),
        ("b", "uint", 2, "big"),
        ("c", "uint", 3, "little"),
        ("d", "uint", 8, "big"),
        ("e", "bytes", 7, "big"),
        ("f", "varint", 10, "little"),
        ("g", "varint", 4, "little"),
    ]
    assert parse_notation("") == parse_notation(" \t") == []


def test_constants():
    (a, b, c, d, e) = parse_notation("a:u8=1|0xfe b:bytes2=0x0a0B c:bytes4=ff*4 d:bytes4=GIOP e:bytes2=ab|cd")
    assert [field.allowed for field in (a, b, c, d, e)] == [
        (1, 0xFE),
        (b"\x0a\x0b",),
        (b"\xff" * 4,),
        (b"GIOP",),
        (b"ab", b"cd"),
    ]


def test_bits_are_told_from_the_highest():
    (field,) = parse_notation("(version:4=2 kind:3 last:1=0|1):u8")
    assert [(bit.name, bit.count, bit.shift, bit.allowed) for bit in field.bits] == [
        ("version", 4, 4, (2,)),
        ("kind", 3, 1, ()),
        ("last", 1, 0, (0, 1)),
    ]
    assert field.names == ("version", "kind", "last")


def test_a_scale():
    (field,) = parse_notation("length:u16be*4")
    assert field.scale == 4


def test_a_scale_of_bits():
    (field,) = parse_notation("(version:4=4 length:4*4):u8", computed=True)
    assert [part.scale for part in field.bits] == [1, 4]
    with pytest.raises(DefinitionError) as caught:
        parse_notation("(version:4=4 length:4*4):u8")
    assert caught.value.position == 21
    with pytest.raises(DefinitionError) as caught:
        parse_notation("(version:4=4 length:4*0):u8", computed=True)
    assert caught.value.position == 22


@pytest.mark.parametrize(
    ("text", "pointed"),
    [
        ("ok:u8 ^noname", "a field needs a type"),
        ("ok:u8 ^:u8", "not a name"),
        ("ok:u8 ^1st:u8", "not a name"),
        ("ok:u8 ^payload:u8", "a part of the frame"),
        ("ok:u8 b:^", "unknown type"),
        ("ok:u8 b:^int32", "unknown type"),
        ("ok:u8 b:^u12", "no such width"),
        ("ok:u8 b:^u72be", "no such width"),
        ("ok:u8 b:^u16", "byte order"),
        ("ok:u8 b:^u" + "9" * 5000, "unknown type"),
        ("ok:u8 b:bytes^", "a size"),
        ("ok:u8 b:bytes^0", "a size"),
        ("ok:u8 b:varint^0", "the most bytes"),
        ("ok:u8 b:^varint11", "64 bits"),
        ("ok:u8 b:varint=^3", "cannot be constant"),
        ("ok:u8 b:u8*^0", "a scale"),
        ("ok:u8 b:u8*^", "a scale"),
        ("ok:u8 b:^bytes3*2", "bytes have no scale"),
        ("ok:u8 b:u8=^256", "not a constant that fits"),
        ("ok:u8 b:u8=1|^x", "not a constant that fits"),
        ("ok:u8 b:u8=^-1", "not a constant that fits"),
        ("ok:u8 b:u8=^1_0", "not a constant that fits"),
        ("ok:u8 b:u8=^", "not a constant that fits"),
        ("ok:u8 b:u8=^" + "9" * 5000, "not a constant that fits"),
        ("ok:u8 b:bytes2=^abc", "not a constant of 2 bytes"),
        ("ok:u8 b:bytes2=ab|^0x00", "not a constant of 2 bytes"),
        ("ok:u8 b:bytes4=^ff*99999999999999", "not a constant of 4 bytes"),
        ("ok:u8 b:bytes4=^ff*999999999", "not a constant of 4 bytes"),
        ("ok:u8 b:bytes2=^é", "not a constant of 2 bytes"),
        ("ok:u8 ^ok:u8", "two fields are called ok"),
        ("ok:u8 ^(a:4 ok:4):u8", "two fields are called ok"),
        ("ok:u8 ^(a:4):u8", "4 bits are named in an integer of 8"),
        ("ok:u8 ^(a:4 b:4)", "need the type"),
        ("ok:u8 ^(a:4 b:4):bytes1", "only an integer has bits"),
        ("ok:u8 ^(a:4 b:4):u8*2", "only an integer has bits"),
        ("ok:u8 ^(a:4 b:4):u8=3", "only an integer has bits"),
        ("ok:u8 (a:4 b:4):^u9", "no such width"),
        ("ok:u8 (a:4 ^b:5):u8", "more bits"),
        ("ok:u8 (a:^0 b:8):u8", "a number of bits"),
        ("ok:u8 (a:^ b:8):u8", "a number of bits"),
        ("ok:u8 (a:4=1|^16 b:4):u8", "not a constant that fits"),
        ("ok:u8 (^4:4 b:4):u8", "not a name"),
        ("ok:u8 (a:4 ^(b:4)):u8", "do not match"),
        ("ok:u8^) b:u8", "do not match"),
        ("ok:u8 ^(a:8:u8", "not closed"),
        ("ok:u8 b:u8^?ok=1", "a condition"),
    ],
)
def test_a_mistake_is_pointed_at(text, pointed):
    position = text.index("^")
    text = text.replace("^", "")
    with pytest.raises(DefinitionError, match=pointed) as caught:
        parse_notation(text, "trailer")
    error = caught.value
    assert (error.position, error.source) == (position, text)
    assert error.reason.startswith("trailer: ")


def test_conditions_are_kept_for_who_resolves_them():
    a, b, c = parse_notation("a:u8 b:u16be=3?a=1&a=2 (d:4 e:4):u8?a=1", conditional=True)
    assert (a.condition, a.text) == (None, "a:u8")
    assert (b.text, b.condition.text, b.condition.position) == ("b:u16be=3", "a=1&a=2", 15)
    assert (c.text, c.condition.text) == ("(d:4 e:4):u8", "a=1")
    assert [field.names for field in parse_notation("a:u8 b:u8?a=1 b:u16be?a=2", conditional=True)] == [
        ("a",),
        ("b",),
        ("b",),
    ]
    with pytest.raises(DefinitionError, match="two fields are called a"):
        parse_notation("a:u8 a:u8?a=1", conditional=True)


pieces = st.lists(
    st.sampled_from(
        ["a", "b1", ":", "u8", "u16be", "bytes", "varint", "4", "0", "=", "|", "0x", "ff", "*", "(", ")", " "]
    ),
    max_size=25,
).map("".join)


@given(st.one_of(pieces, st.text(max_size=30)))
def test_only_definition_errors_come_out(text):
    try:
        sizes = [field.size for field in parse_notation(text)]
        position = 0
    except DefinitionError as error:
        sizes, position = [], error.position
    assert all(size > 0 for size in sizes)
    assert 0 <= position <= len(text)


def test_a_declaration_longer_than_any_is_refused():
    with pytest.raises(DefinitionError, match="longer than any") as caught:
        parse_notation(" ".join(f"f{number}:u8" for number in range(3000)))
    assert caught.value.position == 1 << 14

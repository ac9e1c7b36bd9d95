"""Conditions: which fields are there, and the character that a mistake is pointed at."""

import pytest

from framing import DefinitionError
from framing.formats.fields.conditions import Conditions, Selector, where
from framing.formats.fields.layout import Layout
from framing.formats.fields.notation import parse_notation


def conditions(header, trailer=""):
    return Conditions(
        parse_notation(header, ordered=False, computed=True, conditional=True),
        parse_notation(trailer, "trailer", ordered=False, computed=True, conditional=True),
    )


def test_a_field_is_there_if_every_test_holds():
    made = conditions("size:u16be count:u16be a:u8?size=0xffff&count=0|1 b:u8", "c:u8?count=1")
    assert made.present((0xFFFF, 0)) == (True, True, True, True, False)
    assert made.present((0xFFFF, 1)) == (True, True, True, True, True)
    assert made.present((0xFFFF, None)) == (True, True, False, True, False)
    assert made.present((None, 1)) == (True, True, False, True, True)
    assert len(list(made.all_keys())) == 6


def test_what_is_tested_is_read_from_the_fields_before_the_first_conditional_one():
    made = conditions("(flag:1 kind:7):u8 magic:bytes2 extra:u8?flag=1 rest:u8 more:u8?magic=GO|NO")
    assert made.prefix.names == ("flag", "kind", "magic")
    assert made.read(b"..\x80NO", 2) == (1, b"NO")
    assert made.read(b"\x7fNX", 0) == (None, None)
    assert [test.name for tests in made.tests for test in tests] == ["flag", "magic"]


@pytest.mark.parametrize(
    ("field", "constants", "classes", "only_other"),
    [
        ("a:u8", (1, 2), (1, 2, None), None),
        ("a:u8=1|2|3", (1, 2), (1, 2, None), 3),
        ("a:u8=1|2", (1, 2), (1, 2), None),
        ("(a:1 b:7):u8", (1,), (1, None), 0),
        ("(a:1 b:7):u8", (0, 1), (0, 1), None),
        ("(a:2 b:6):u8", (0, 1, 2), (0, 1, 2, None), None),
        ("a:bytes1", (b"x",), (b"x", None), None),
    ],
)
def test_what_a_tested_field_can_be(field, constants, classes, only_other):
    selector = Selector("a", constants, Layout(parse_notation(field)))
    assert (selector.classes, selector.only_other) == (classes, only_other)
    assert [selector.class_of(constant) for constant in constants] == [*constants]
    assert selector.class_of("else") is None


@pytest.mark.parametrize(
    ("header", "trailer", "text"),
    [
        ("a:u8 b:u8?^c=1", "", "always there and stands before"),
        ("a:u8 b:u8?a=1 c:u8 d:u8?^c=1", "", "always there and stands before"),
        ("a:u8 b:u8?^b=1", "", "always there and stands before"),
        ("b:u8?^a=1 a:u8", "", "always there and stands before"),
        ("a:u8", "b:u8 c:u8?^b=1", "always there and stands before"),
        ("a:u8 b:u8?^", "", "always there and stands before"),
        ("a:u8 b:u8?a=1&^", "", "always there and stands before"),
        ("a:u8 crc:u8=xor8(a) b:u8?^crc=1", "", "which is computed"),
        ("a:u16 b:u8?^a=1", "", "a byte order that another field tells"),
        ("a:u8 b:u8?a=^", "", "a constant that fits"),
        ("a:u8 b:u8?a=1|^x", "", "a constant that fits"),
        ("a:u8 b:u8?a=1|^256", "", "a constant that fits"),
        ("(a:2 c:6):u8 b:u8?a=^4", "", "a constant that fits"),
        ("a:bytes2 b:u8?a=^abc", "", "a constant of 2 bytes"),
        ("a:u8=1|2 b:u8?a=1|^3", "", "never has this value"),
        ("a:u8 b:u8?^a=1&a=2", "", "never holds"),
        ("a:u8=1 b:u8?^a=1", "", "always holds"),
        ("(a:1 c:7):u8 b:u8?^a=0|1", "", "always holds"),
        ("a:u8 b:u8 c:u8?^a=" + "|".join(map(str, range(100))) + "&b=1|2", "", "more than 256"),
    ],
)
def test_a_mistake_is_pointed_at(header, trailer, text):
    position = max(header.find("^"), trailer.find("^"))
    declared = [header.replace("^", ""), trailer.replace("^", "")]
    with pytest.raises(DefinitionError, match=text) as caught:
        conditions(*declared)
    assert caught.value.position == position
    assert caught.value.source == declared["^" in trailer]


def test_a_condition_as_a_text():
    made = conditions("a:u8 b:u8 c:u8?a=1|2&b=3")
    assert where(made.tests[2]) == "a=1|2 and b=3"

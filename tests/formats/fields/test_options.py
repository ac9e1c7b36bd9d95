"""Options of several parts, and options that are bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError
from framing.formats.fields.options import bytes_option, table_option

KINDS = {"field": str, "mask": int}


@pytest.mark.parametrize("value", [{"field": "a", "mask": 16}, "field=a mask=16", "  mask=0x10\tfield=a "])
def test_a_table_and_words_say_the_same(value):
    assert table_option("key", value, KINDS, ("field",)) == {"field": "a", "mask": 16}


def test_a_table_is_copied():
    value = {"field": "a"}
    made = table_option("key", value, KINDS, ())
    value["mask"] = 1
    assert made == {"field": "a"}


@pytest.mark.parametrize(
    ("value", "text", "position"),
    [
        ({}, "key lacks its field", None),
        ("", "key lacks its field", None),
        ({"field": "a", "flag": 1}, "key has no part flag", None),
        ("field=a flag=1", "key has no part flag", None),
        ({"field": 1}, "field has the wrong type", None),
        ({"field": "a", "mask": True}, "mask has the wrong type", None),
        ("field=a mask=x", "mask has the wrong type", None),
        ("field=a mask=-1", "mask has the wrong type", None),
        ("field=a mask=0x", "mask has the wrong type", None),
        ("field=a mask=" + "9" * 5000, "mask has the wrong type", None),
        ("field=a mask=٣", "mask has the wrong type", None),
        ("field=a  mask", "a part needs a value", 9),
        ("field=a field=a", "a part is given twice", 8),
    ],
)
def test_mistakes(value, text, position):
    with pytest.raises(DefinitionError, match=text) as caught:
        table_option("key", value, KINDS, ("field",))
    assert (caught.value.key, caught.value.position) == ("key", position)


@pytest.mark.parametrize("value", [3, None, ["field"], b"field=a"])
def test_anything_else_is_a_bug(value):
    with pytest.raises(TypeError):
        table_option("key", value, KINDS, ())


@given(st.text(max_size=30))
def test_only_definition_errors_come_out_of_a_text(text):
    try:
        made = table_option("key", text, KINDS, ())
    except DefinitionError:
        return
    assert made.keys() <= KINDS.keys()


@pytest.mark.parametrize(
    ("value", "made"), [("0xF6", b"\xf6"), ("0x", b""), ("\u00f6", b"\xc3\xb6"), (b"0xf6", b"0xf6"), ("x0", b"x0")]
)
def test_bytes_are_text_or_hex(value, made):
    assert bytes_option("key", value) == made


@pytest.mark.parametrize("value", ["0xf", "0xgg", "\ud800"])
def test_bytes_that_cannot_be_are_refused(value):
    with pytest.raises(DefinitionError) as caught:
        bytes_option("key", value)
    assert caught.value.key == "key"


def test_bytes_are_no_number():
    with pytest.raises(TypeError):
        bytes_option("key", 6)

import pytest

from framing.errors import DefinitionError, HeaderError, PluginLoadError
from framing.toml_table import File, Table, kind_of

TEXT = """\
name = "x"
[both]
header = "length:u8"
"odd.key" = 1
"""


def table(content, text=TEXT, path=()):
    return Table(content, File(text, "x.toml"), path)


def test_a_key_is_taken_with_its_type_or_its_default():
    one = table({"name": "x", "count": 3, "tag": "0x00ff"})
    assert (one.take("name", str), one.take("count", int, str), one.take("none", int, default=7)) == ("x", 3, 7)
    assert (one.take_bytes("tag"), one.take_bytes("absent")) == (b"\x00\xff", b"")
    one.finish()


@pytest.mark.parametrize(("value", "found"), [(True, "a boolean"), (1.5, "a float"), ([], "an array")])
def test_a_value_of_another_type_is_an_error_with_line_and_key(value, found):
    with pytest.raises(DefinitionError) as caught:
        table({"header": value}, path=("both",)).take("header", str, int)
    error = caught.value
    assert (error.source, error.line, error.key, error.found) == ("x.toml", 3, "both.header", found)
    assert error.allowed == "text or an integer"


def test_a_key_that_nobody_took_is_an_error_with_near_ones():
    one = table({"nmae": "x"})
    one.take("name", str)
    with pytest.raises(DefinitionError, match=r"no such key here .* did you mean name\?"):
        one.finish()


def test_a_constant_that_is_no_hex_is_refused():
    with pytest.raises(DefinitionError, match="not a constant"):
        table({}).constant("name", "0xzz")


def test_what_is_found_deeper_is_told_at_the_key_it_names():
    one = table({"header": "length:u8", "odd.key": 1}, path=("both",))
    with pytest.raises(DefinitionError) as caught, one.locating("header"):
        raise DefinitionError("no good", key="odd.key", found=1)
    assert (caught.value.line, caught.value.key) == (4, 'both."odd.key"')
    with pytest.raises(DefinitionError) as caught, one.locating("header"):
        raise HeaderError("no good")
    assert (caught.value.line, caught.value.key) == (3, "both.header")


def test_other_keys_may_have_been_meant():
    one = table({"jion": {}}, path=("both",))
    with pytest.raises(DefinitionError, match=r"did you mean join\?"), one.locating("header", near=("join",)):
        raise DefinitionError("no option jion", key="jion")


def test_a_broken_plugin_is_no_mistake_of_the_file():
    with pytest.raises(PluginLoadError), table({}).locating("codec"):
        raise PluginLoadError("broken")


def test_items_are_tables():
    assert [one.content for one in table({"after": [{"a": 1}, {}]}).items("after")] == [{"a": 1}, {}]
    with pytest.raises(DefinitionError, match="this is no table"):
        list(table({"after": [3]}).items("after"))


def test_kinds_have_the_names_of_toml():
    assert [kind_of(one) for one in ("", 1, {}, [], 1.0, True)] == [
        "text", "an integer", "a table", "an array", "a float", "a boolean",
    ]  # fmt: skip

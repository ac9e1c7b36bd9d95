"""Shorthands: what they say, and for every mistake where it stands and what is allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.codecs.construct import ConstructCodec
from framing.codecs.msgpack import MsgpackCodec
from framing.codecs.raw import RawCodec
from framing.entries import BUILTINS
from framing.errors import DefinitionError, FramingError, PluginLoadError, UnknownNameError
from framing.formats.delimiter import DelimiterFormat, LineFormat
from framing.formats.header import HeaderFormat
from framing.formats.varint import VarintFormat
from framing.registry import register
from framing.shorthand import expanded, get_codec, get_format, get_wire, parse_call, split_shorthand


def facts(error):
    """What an error says besides its reason."""
    named = {name: getattr(error, name) for name in error.facts}
    return {name: value for name, value in named.items() if value is not None}


def refused(make, *arguments, **options):
    with pytest.raises(FramingError) as caught:
        make(*arguments, **options)
    assert str(caught.value)
    return caught.value


class TestCalls:
    @pytest.mark.parametrize(
        ("text", "name", "arguments", "options"),
        [
            ("raw", "raw", [], {}),
            ("  raw  ", "raw", [], {}),
            ("", "", [], {}),
            ("raw@acme-framing", "raw@acme-framing", [], {}),
            ("a()", "a", [], {}),
            ("a ( ) ", "a", [], {}),
            ("a(,)", "a", [], {}),
            ("a(1, 0x1F, 007)", "a", [1, 31, 7], {}),
            ("a(true,false,True)", "a", [True, False, "True"], {}),
            ("a(12345678901234567890)", "a", ["12345678901234567890"], {}),
            ("a(0x,0xg,-1,1.5,٣)", "a", ["0x", "0xg", "-1", "1.5", "٣"], {}),
            ("a(x.y:z, =5)", "a", ["x.y:z", "=5"], {}),
            ("a(k=)", "a", [], {"k": ""}),
            ("a( k = v , 2k=v)", "a", ["2k=v"], {"k": "v"}),
            ("a(k=b=c)", "a", [], {"k": "b=c"}),
            (r'a("\r\n", ",", "(", k=")")', "a", ["\r\n", ",", "("], {"k": ")"}),
            (r"""a('"', "'", '\'', "a=b")""", "a", ['"', "'", "'", "a=b"], {}),
            ("a((b:4 c:4):u8 d:u8, e=(1,2))", "a", ["(b:4 c:4):u8 d:u8"], {"e": "(1,2)"}),
        ],
    )
    def test_a_call_is_read(self, text, name, arguments, options):
        call = parse_call(text)

        assert (call.name, call.arguments, call.options) == (name, arguments, options)
        assert list(map(type, call.arguments)) == list(map(type, arguments))

    @pytest.mark.parametrize(
        ("text", "reason", "place"),
        [
            ("u8(a=1", "a quote or parenthesis is not closed", {"position": 2, "allowed": ")"}),
            ("u8(a=(1)", "a quote or parenthesis is not closed", {"position": 2, "allowed": ")"}),
            ("u8(a=(1", "a quote or parenthesis is not closed", {"position": 5, "allowed": ")"}),
            ('u8(a=")', "a quote or parenthesis is not closed", {"position": 5, "allowed": '"'}),
            ("it's", "a quote or parenthesis is not closed", {"position": 2, "allowed": "'"}),
            ('u8("\\")', "a quote or parenthesis is not closed", {"position": 3, "allowed": '"'}),
            ("u8)", "a parenthesis was never opened", {"position": 2}),
            ("u8(a))", "a parenthesis was never opened", {"position": 5}),
            ("u8(a)b(c)", "a parenthesis was never opened", {"position": 4}),
            (
                "u8(a=1) x",
                "something follows the parenthesis",
                {"position": 7, "found": " x", "allowed": "nothing, or /"},
            ),
            ("u8(a=1, b=2,a=3)", "an option is given twice", {"position": 12, "key": "a"}),
            (
                'u8(1, k="a"b)',
                "not a quoted text",
                {"position": 5, "found": '"a"b', "allowed": '"…" with escapes'},
            ),
            (
                r"u8('\x4')",
                "not a quoted text",
                {"position": 3, "found": r"'\x4'", "allowed": '"…" with escapes'},
            ),
            ("u8('\0')", "not a quoted text", {"position": 3, "found": "'\0'", "allowed": '"…" with escapes'}),
        ],
    )
    def test_a_mistake_is_pointed_at(self, text, reason, place):
        error = refused(parse_call, text)

        assert (type(error), error.reason) == (DefinitionError, reason)
        assert facts(error) == {"source": text, **place}

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("u8", ["u8"]),
            ("u8/raw", ["u8", "raw"]),
            ("/", ["", ""]),
            ("a(b/c)/d('/')/\"/\"", ["a(b/c)", "d('/')", '"/"']),
            ("a('\\'/')/b", ["a('\\'/')", "b"]),
        ],
    )
    def test_slashes_split_outside_parentheses_and_quotes(self, text, parts):
        assert split_shorthand(text) == parts


class TestFormats:
    @pytest.mark.parametrize(
        ("text", "made"),
        [
            ("u8", HeaderFormat("length:u8")),
            ("u24le(max_frame_size=9)", HeaderFormat("length:u24le", max_frame_size=9)),
            ("u64be", HeaderFormat("length:u64be")),
            ("varint", VarintFormat()),
            ("varint5", VarintFormat("length:varint5")),
            ("varint(max_frame_size=300)", VarintFormat(max_frame_size=300)),
            ('header("a:u8 length:u8", counts=frame)', HeaderFormat("a:u8 length:u8", counts="frame")),
            ("header((a:4 b:4):u8 length:u8)", HeaderFormat("(a:4 b:4):u8 length:u8")),
            (r'delimiter("\0", keep=true)', DelimiterFormat("\0", keep=True)),
            ("delimiter(;)", DelimiterFormat(";")),
            (r'lines(write="\r\n")', LineFormat(write="\r\n")),
            ("header@framewire(length:u8)", HeaderFormat("length:u8")),
        ],
    )
    def test_a_format_is_made(self, text, made):
        assert get_format(text) == made

    def test_options_win_over_those_in_the_text(self):
        assert get_format("u8(max_frame_size=5)", max_frame_size=7) == HeaderFormat("length:u8", max_frame_size=7)

    def test_types_stand_for_formats_and_nothing_else_does(self):
        assert (expanded(parse_call("u16be(a,b=1)")).name, expanded(parse_call("varint3")).name) == ("header", "varint")
        assert expanded(parse_call("u16be(a,b=1)")).arguments == ["length:u16be", "a"]
        for name in ("u", "ube", "u16xe", "varint", "varintx", "U8", "u-8", "lines", "u8@x"):
            assert expanded(parse_call(name)).name == name

    @pytest.mark.parametrize(
        ("text", "reason", "place"),
        [
            (
                "u32",
                "header: the byte order is missing",
                {"source": "length:u32", "position": 7, "found": "u32", "allowed": "u32be (network order) or u32le"},
            ),
            (
                "u12be",
                "header: no such width",
                {
                    "source": "length:u12be",
                    "position": 7,
                    "found": "u12be",
                    "allowed": "8, 16, 24, 32, 40, 48, 56 or 64 bits; fewer as named bits",
                },
            ),
            (
                "varint11",
                "header: a varint of more than 64 bits",
                {"source": "length:varint11", "position": 7, "found": "varint11", "allowed": "varint1 to varint10"},
            ),
            (
                "u8(max_frame_size=0)",
                "format header cannot have this limit",
                {"key": "max_frame_size", "found": 0, "allowed": "1 to 256 bytes"},
            ),
            (
                "u8(max_frame_size=x)",
                "format header: max_frame_size takes int, not str",
                {"key": "max_frame_size", "found": "x"},
            ),
            (
                "lines(keep=1)",
                "format lines: keep takes bool, not int",
                {"key": "keep", "found": 1},
            ),
            (
                "lines(kep=true)",
                "format lines has no option kep",
                {"key": "kep", "allowed": "write, keep, final, max_frame_size", "hint": "did you mean keep?"},
            ),
            (
                "netstring(whatever=1)",
                "format netstring has no option whatever",
                {"key": "whatever", "allowed": "max_frame_size"},
            ),
            (
                "lines(5)",
                "format lines: too many positional arguments",
                {"allowed": "write, keep, final, max_frame_size"},
            ),
            (
                "u8(header=x)",
                "format header: multiple values for argument 'header'",
                {"allowed": "header, trailer, length, counts, payload_size, pad, byteorder, max_frame_size"},
            ),
            (
                "delimiter",
                "format delimiter: missing a required argument: 'delimiters'",
                {"allowed": "delimiters, write, keep, final, max_frame_size"},
            ),
            (
                r'delimiter("\ud800")',
                "half a surrogate pair has no UTF-8",
                {"key": "delimiters", "found": r"'\ud800'"},
            ),
            (
                "lines(write=\udcff)",
                "half a surrogate pair has no UTF-8",
                {"key": "write", "found": r"'\udcff'"},
            ),
        ],
    )
    def test_what_cannot_work_is_refused(self, text, reason, place):
        error = refused(get_format, text)

        assert (type(error), error.reason, facts(error)) == (DefinitionError, reason, place)

    @pytest.mark.parametrize(
        ("text", "hint"),
        [
            ("b32be", "did you mean u32be or u32le or u24be?"),
            ("U8", "did you mean u8 or u48le or u48be?"),
            ("u32bee", "did you mean u32be or u32le or u24be?"),
            ("varin", "did you mean varint?"),
            ("netstrings", "did you mean netstring?"),
            ("msgpack", f"there is a codec of this name; each format: {', '.join(BUILTINS['format'])}"),
            ("", f"known: {', '.join(BUILTINS['format'])}"),
        ],
    )
    def test_an_unknown_name_lists_near_misses(self, text, hint):
        error = refused(get_format, text)

        assert (type(error), error.hint) == (UnknownNameError, hint)

    def test_a_distribution_that_does_not_have_it_is_no_match(self):
        assert type(refused(get_format, "header@nobody(length:u8)")) is UnknownNameError

    def test_an_error_with_an_endless_number_has_a_text(self):
        assert "20000 bits" in str(refused(get_format, f"u8(max_frame_size=0x{'f' * 5000})"))


class TestCodecs:
    @pytest.mark.parametrize(
        ("text", "kind", "shown"),
        [
            ("raw", RawCodec, {}),
            ("raw@framewire", RawCodec, {}),
            ("msgpack(max_depth=3, strict_types=false)", MsgpackCodec, {"max_depth": 3, "strict_types": False}),
            ("construct(construct:Int8ub, max_items=4)", ConstructCodec, {"max_items": 4, "max_depth": 32}),
        ],
    )
    def test_a_codec_is_made(self, text, kind, shown):
        codec = get_codec(text)

        assert type(codec) is kind
        assert shown.items() <= vars(codec).items()

    def test_each_is_a_new_one(self):
        assert get_codec("raw") is not get_codec("raw")

    def test_options_win_over_those_in_the_text(self):
        assert get_codec("msgpack(max_depth=3)", max_depth=4).max_depth == 4

    @pytest.mark.parametrize(
        ("text", "reason", "place"),
        [
            ("raw(x=1)", "codec raw has no option x", {"key": "x", "allowed": "no options"}),
            ("raw(1)", "codec raw: too many positional arguments", {"allowed": "no options"}),
            (
                "construct",
                "codec construct: missing a required argument: 'schema'",
                {"allowed": "schema, max_items, max_depth, max_expanded_size, max_ratio"},
            ),
            (
                "construct(schem=a:b)",
                "codec construct has no option schem",
                {
                    "key": "schem",
                    "hint": "did you mean schema?",
                    "allowed": "schema, max_items, max_depth, max_expanded_size, max_ratio",
                },
            ),
            ("construct(nothing)", "a schema is named by module:attribute", {"key": "schema", "found": "nothing"}),
            (
                "construct(no_such_module:x)",
                "the schema cannot be imported: No module named 'no_such_module'",
                {"key": "schema", "found": "no_such_module:x"},
            ),
            (
                "msgpack(max_depth=401)",
                "max_depth is out of range",
                {"key": "max_depth", "found": 401, "allowed": "1 to 400"},
            ),
            (
                "msgpack(max_depth=true)",
                "codec msgpack: max_depth takes an int, not bool",
                {"key": "max_depth", "found": True},
            ),
        ],
    )
    def test_what_cannot_work_is_refused(self, text, reason, place):
        error = refused(get_codec, text)

        assert (type(error), error.reason, facts(error)) == (DefinitionError, reason, place)

    def test_an_unknown_name_lists_near_misses(self):
        error = refused(get_codec, "msgpak")

        assert (type(error), error.hint) == (UnknownNameError, "did you mean msgpack?")


class TestPlugins:
    def test_what_is_no_codec_is_refused(self):
        with register("codec", "five", lambda: 5), register("format", "six", lambda: 6):
            codec, format_ = refused(get_codec, "five"), refused(get_format, "six")

        assert (codec.reason, facts(codec)) == ("this codec plug-in made no Codec", {"source": "five", "found": "int"})
        assert (format_.reason, facts(format_)) == (
            "this format plug-in made no FrameFormat",
            {"source": "six", "found": "int"},
        )

    def test_any_option_goes_to_a_factory_that_takes_any(self):
        with register("codec", "any", lambda **options: RawCodec() if options == {"a": 1} else None):
            assert type(get_codec("any(a=1)")) is RawCodec
            assert refused(get_codec, "any(1)").reason == "codec any: too many positional arguments"

    def test_a_factory_written_in_c_need_not_tell_its_options(self):
        with register("codec", "chosen", getattr):  # no signature, and a TypeError for this call
            error = refused(get_codec, "chosen(1, 2)")

        assert error.reason.startswith("codec chosen: ")
        assert facts(error) == {}

    def test_a_mistake_of_the_plugin_itself_is_not_hidden(self):
        def broken():
            raise TypeError("mine")

        with register("codec", "broken", broken), pytest.raises(TypeError, match="mine"):
            get_codec("broken")

    def test_what_cannot_be_loaded_says_so(self, site):
        site.install("acme-none", {"framing.codecs.v1": "acme = no_such_module_of_acme:Codec"})

        assert type(refused(get_codec, "acme")) is PluginLoadError
        assert type(refused(get_wire, "u8/acme@acme-none")) is PluginLoadError


class TestWires:
    def test_a_format_alone_means_raw(self):
        wire = get_wire("u8")

        assert (wire.format, type(wire.codec)) == (HeaderFormat("length:u8"), RawCodec)

    def test_a_format_and_a_codec(self):
        wire = get_wire(" u8(max_frame_size=9) / msgpack(max_depth=2) ")

        assert (wire.format, wire.codec.max_depth) == (HeaderFormat("length:u8", max_frame_size=9), 2)

    def test_a_third_part_is_refused(self):
        error = refused(get_wire, "u8/raw/raw")

        assert (type(error), facts(error)) == (DefinitionError, {"source": "u8/raw/raw", "allowed": "format/codec"})


pieces = [
    *"u8/(),='\"@:|* \\",
    *(
        "u16be",
        "raw",
        "msgpack",
        "construct",
        "header",
        "delimiter",
        "lines",
        "varint5",
        "length:u8",
        "counts",
        "write",
    ),
    *("max_frame_size", "max_depth", "true", "0x10", "99", "\\ud800", "\ud800"),
]
texts = st.text(max_size=30) | st.lists(st.sampled_from(pieces), max_size=14).map("".join)


@given(texts)
def test_nothing_but_our_errors_come_out_of_any_text(text):
    for make in (get_wire, get_format, get_codec):
        try:
            make(text)
        except (DefinitionError, UnknownNameError) as error:
            shown = str(error)
            assert shown.startswith(error.reason)  # noqa: PT017 - that any text works is the point


def test_a_wire_format_says_how_to_recover():
    assert get_wire("cobs(recovery=delimiter)/msgpack").recovery == "delimiter"
    assert get_wire("u16be(max_frame_size=9, recovery=skip)").recovery == "skip"
    assert get_wire("u16be").recovery == "poison"
    with pytest.raises(DefinitionError, match="cannot recover like this"):
        get_wire("u16be(recovery=delimiter)")
    with pytest.raises(DefinitionError, match="no option recovery"):
        get_format("cobs(recovery=delimiter)")  # it is not how frames are cut

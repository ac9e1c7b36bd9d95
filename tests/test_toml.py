"""Definition files: what they make, and for every mistake its line, its key and what is allowed there."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.codecs.msgpack import MsgpackCodec
from framing.codecs.raw import RawCodec
from framing.errors import DefinitionError, PluginLoadError
from framing.formats.delimiter import DelimiterFormat
from framing.formats.header import HeaderFormat
from framing.formats.varint import VarintFormat
from framing.protocol import Direction, Phase, Protocol, Rule
from framing.shorthand import get_wire
from framing.toml import load_protocol, parse_protocol
from framing.wire import TaggedUnion

SHIPPED = sorted((Path(__file__).parents[1] / "specs" / "protocols").glob("*.toml"))

WHOLE = """\
# codec = 5, [server], max_frame_size = "no"
name = "whole" # ports = "no"
title = '''
[client.phases.one]
header = "length:u31be"
'''
ports = [
    1,
    65535, # client = 0
]
udp_ports = [65534]

[client]
start = "one"

[client.phases.one]
header = "kind:u8 length:u8"
counts = "frame"
max_frame_size = 100
codec = { field = "kind", default = "raw", cases = { 1 = "msgpack(max_depth=2)", "0x02" = "raw" } }
first = "0x01"
otherwise = "two"
after = [
    { frames = 2, client = "two" },
    { payload = "0xff", fields = { kind = 1, length = 5 }, client = "two", server = "b" },
    { payload = \"\"\"
bye\"\"\", server = "b" },
]

[client.phases.two]
format = "delimiter"
delimiters = ["\\r\\n", "\\n"]
codec = "msgpack"

[server.phases."a.b"]
header = "magic:bytes7=:varint length:u8"
after = [{ client = "two" }]

[server.phases.b]
header = "(type:4 flags:4):u8 length:varint4"
codec.cases = { "0x00" = "raw", Q = "msgpack" }
"""


def facts(error):
    named = {name: getattr(error, name) for name in error.facts if name != "source"}
    return {name: value for name, value in named.items() if value is not None}


def refused(text):
    with pytest.raises(DefinitionError) as caught:
        parse_protocol(text, "my.toml")
    assert type(caught.value) is DefinitionError
    assert caught.value.source == "my.toml"
    assert str(caught.value)
    return caught.value


def changed(old, new):
    assert WHOLE.count(old) == 1, old
    return WHOLE.replace(old, new)


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


class TestWhatIsMade:
    def test_a_whole_definition(self):
        protocol = parse_protocol(WHOLE, "my.toml")
        one, two = protocol.client.phases["one"], protocol.client.phases["two"]

        assert (protocol.name, protocol.source) == ("whole", "")
        assert (protocol.ports, protocol.udp_ports) == ((1, 65535), (65534,))
        assert protocol.title == '[client.phases.one]\nheader = "length:u31be"\n'
        assert (protocol.client.start, protocol.client.midstream) == ("one", "two")
        assert one.wire.format == HeaderFormat("kind:u8 length:u8", counts="frame", max_frame_size=100)
        assert (one.first, one.otherwise, two.first, two.after) == (b"\x01", "two", b"", ())
        assert two.wire.format == DelimiterFormat(("\r\n", "\n"))
        assert type(two.wire.codec) is MsgpackCodec

    def test_its_rules(self):
        rules = parse_protocol(WHOLE, "my.toml").client.phases["one"].after

        assert [(rule.frames, rule.payload, rule.fields, rule.moves) for rule in rules] == [
            (2, b"", {}, {"client": "two"}),
            (1, b"\xff", {"kind": (1,), "length": (5,)}, {"client": "two", "server": "b"}),
            (1, b"bye", {}, {"server": "b"}),
        ]

    def test_its_unions(self):
        protocol = parse_protocol(WHOLE, "my.toml")
        by_field, by_prefix = protocol.client.phases["one"].wire.codec, protocol.server.phases["b"].wire.codec

        assert isinstance(by_field, TaggedUnion)
        assert by_field.field == "kind"
        assert {tag: type(codec) for tag, codec in by_field.cases.items()} == {1: MsgpackCodec, 2: RawCodec}
        assert (by_field.cases[1].max_depth, type(by_field.default)) == (2, RawCodec)
        assert {tag: type(codec) for tag, codec in by_prefix.cases.items()} == {b"\0": RawCodec, b"Q": MsgpackCodec}
        assert (by_prefix.field, by_prefix.default) == (None, None)

    def test_a_varint_is_told_by_its_type_and_not_by_its_letters(self):
        server = parse_protocol(WHOLE, "my.toml").server

        assert server.phases["a.b"].wire.format == HeaderFormat("magic:bytes7=:varint length:u8")
        assert server.phases["b"].wire.format == VarintFormat("(type:4 flags:4):u8 length:varint4")

    def test_tags_of_a_field_of_bytes_are_bytes(self):
        text = 'name="x"\n[both]\nheader="kind:bytes2 length:u8"\ncodec={field="kind", cases={GO="raw", "0xzz"="raw"}}'

        assert refused(text).key == "both.codec.cases.0xzz"
        assert list(parse_protocol(text.replace("0xzz", "-7"), "").client.wire.codec.cases) == [b"GO", -7]

    def test_both_directions_may_be_one(self):
        protocol = parse_protocol('name = "x"\nboth.header = "length:u8"', "my.toml")

        assert protocol.client.wire is protocol.server.wire
        assert list(protocol.client.phases) == ["frames"]

    def test_directions_may_differ_without_phases(self):
        protocol = parse_protocol('name="x"\n[client]\nheader="length:u8"\n[server]\nformat="lines"\nkeep=true', "")

        assert protocol.client.wire.format == HeaderFormat("length:u8")
        assert repr(protocol.server.wire.format).startswith("LineFormat(b'\\n', keep=True")

    def test_the_name_of_a_type_is_a_format(self):
        protocol = parse_protocol('name="x"\n[both]\nformat="u16be"\nmax_frame_size=9', "")

        assert protocol.client.wire.format == HeaderFormat("length:u16be", max_frame_size=9)

    @pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
    def test_the_shipped_ones_are_loaded(self, path):
        assert load_protocol(str(path)).name == path.stem


def test_there_are_shipped_ones():
    assert len(SHIPPED) >= 11


class TestFiles:
    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ("name = 1\nx = = 1\n", 2, "Invalid value"),
            ("a = 1\na = 2\n", 2, "Cannot overwrite a value"),
            ("a = 1\nb = ", 2, "Invalid value"),
            ("a = 1\nb = [\n1,\n", 3, "Invalid value"),
            ("a = ", 1, "Invalid value"),
            ("# \u2028\na = ", 2, "Invalid value"),
            ("[a]\n\n[a]\n", 3, "Cannot declare"),
            ('a = "\\ud800"', 1, "not a Unicode scalar value"),
            ("a = " + "[" * 2000, None, "recursion"),
            ("a = " + "9" * 5000, None, "4300 digits"),
        ],
    )
    def test_what_is_no_toml_says_where(self, text, line, reason):
        error = refused(text)

        assert error.line == line
        assert error.reason.startswith("this is no TOML: ")
        assert reason in error.reason

    @pytest.mark.parametrize("content", [None, b"\xff"])
    def test_what_cannot_be_read_is_named(self, tmp_path, content):
        path = str(tmp_path / "my.toml")
        if content is not None:
            Path(path).write_bytes(content)
        with pytest.raises(DefinitionError) as caught:
            load_protocol(path)

        assert (caught.value.source, caught.value.line) == (path, None)


# What of WHOLE is replaced, by what, and the mistake: its key and the rest of what is said about it.
MISTAKES = [
    ('name = "whole"', "", None, "name", {"found": "nothing", "allowed": "text"}),
    ('name = "whole"', 'name = ""', 'name = ""', "name", {"found": "nothing", "allowed": "text"}),
    ('name = "whole"', "name = 5", "name = 5", "name", {"found": "an integer", "allowed": "text"}),
    ('name = "whole"', "name = []", "name = []", "name", {"found": "an array", "allowed": "text"}),
    ('name = "whole"', "name = 1979-05-27", "name = 19", "name", {"found": "a date or time", "allowed": "text"}),
    ('name = "whole"', "name = 1.5", "name = 1.5", "name", {"found": "a float", "allowed": "text"}),
    ('name = "whole"', "name = true", "name = true", "name", {"found": "a boolean", "allowed": "text"}),
    ('name = "whole"', "name.a = 1", "name.a", "name", {"found": "a table", "allowed": "text"}),
    ("title = '''", "source = 5\ntitle = '''", "source", "source", {"found": "an integer", "allowed": "text"}),
    (
        "title = '''",
        "not_covered = 5\ntitle = '''",
        "not_cov",
        "not_covered",
        {"found": "an integer", "allowed": "text"},
    ),
    (
        "title = '''",
        "titel = '''",
        "titel",
        "titel",
        {
            "found": "titel",
            "hint": "did you mean title?",
            "allowed": "title, source, not_covered, over, name, ports, udp_ports, both, client, server",
        },
    ),
    ("65535,", "65536,", "ports = [", "ports", {"found": (1, 65536), "allowed": "[1 to 65535, …]"}),
    ("65535,", "0,", "ports = [", "ports", {"found": (1, 0), "allowed": "[1 to 65535, …]"}),
    ("65535,", "true,", "ports = [", "ports", {"found": (1, True), "allowed": "[1 to 65535, …]"}),
    ("65535,", '"5",', "ports = [", "ports", {"found": (1, "5"), "allowed": "[1 to 65535, …]"}),
    ("65534", "65536", "udp_p", "udp_ports", {"found": (65536,), "allowed": "[1 to 65535, …]"}),
    ("ports = [\n", "ports = 5\nx = [\n", "ports = 5", "ports", {"found": "an integer", "allowed": "an array"}),
    ('start = "one"', 'start = "zero"', 'start = "z', "client.start", {"found": "zero", "allowed": "one, two"}),
    ('start = "one"', "start = 1", "start = 1", "client.start", {"found": "an integer", "allowed": "text"}),
    ('start = "one"', 'midstream = "x"', "midstr", "client.midstream", {"found": "x", "allowed": "one, two"}),
    (
        'start = "one"',
        'strat = "one"',
        "strat",
        "client.strat",
        {"found": "strat", "allowed": "phases, start, midstream", "hint": "did you mean start?"},
    ),
    (
        'start = "one"',
        'header = "length:u8"',
        'header = "length:u8"',
        "client.header",
        {"found": "header", "allowed": "phases, start, midstream"},
    ),
    (
        '"kind:u8 length:u8"',
        '"kind:u8 length:u7"',
        '"kind:u8 length:u7"',
        "client.phases.one.header",
        {"position": 15, "found": "u7", "allowed": "8, 16, 24, 32, 40, 48, 56 or 64 bits; fewer as named bits"},
    ),
    (
        'counts = "frame"',
        'counts = "all"',
        "counts",
        "client.phases.one.counts",
        {"found": "all", "allowed": "frame, or some of header, trailer, payload, kind, length"},
    ),
    (
        'counts = "frame"',
        'length = "size"',
        'length = "size"',
        "client.phases.one.length",
        {"found": "size", "allowed": "kind, length as length=…, or payload_size=…"},
    ),
    (
        'counts = "frame"',
        "payload_size = -1",
        "payload_size",
        "client.phases.one.payload_size",
        {"found": -1, "allowed": "0 or more"},
    ),
    (
        "max_frame_size = 100",
        "max_frame_size = 256",
        "max_frame_size = 256",
        "client.phases.one.max_frame_size",
        {"found": 256, "allowed": "2 to 255 bytes"},
    ),
    (
        "max_frame_size = 100",
        'max_frame_size = "100"',
        'max_frame_size = "100"',
        "client.phases.one.max_frame_size",
        {"found": "100"},
    ),
    (
        "max_frame_size = 100",
        "max_fram_size = 100",
        "max_fram_size",
        "client.phases.one.max_fram_size",
        {
            "allowed": "header, trailer, length, counts, payload_size, pad, byteorder, max_frame_size",
            "hint": "did you mean max_frame_size?",
        },
    ),
    (
        'otherwise = "two"',
        'otherwize = "two"',
        "otherwize",
        "client.phases.one.otherwize",
        {
            "allowed": "header, trailer, length, counts, payload_size, pad, byteorder, max_frame_size",
            "hint": "did you mean otherwise?",
        },
    ),
    ('otherwise = "two"', "", 'first = "0x01"', "client.phases.one.first", {}),
    ('first = "0x01"', "", 'otherwise = "two"', "client.phases.one.otherwise", {}),
    (
        'otherwise = "two"',
        'otherwise = "three"',
        "otherwise",
        "client.phases.one.otherwise",
        {"found": "three", "allowed": "one, two"},
    ),
    (
        'otherwise = "two"',
        'otherwise = "one"',
        "otherwise",
        "client.phases.one.otherwise",
        {"found": ["one"]},
    ),
    (
        'first = "0x01"',
        'first = "0x1"',
        "first",
        "client.phases.one.first",
        {"found": "0x1", "allowed": "0x and pairs of hex digits, or text"},
    ),
    (
        "{ frames = 2, client",
        "{ frames = 0, client",
        "{ frames = 0",
        "client.phases.one.after[0].frames",
        {"found": 0, "allowed": "1 or more"},
    ),
    (
        "{ frames = 2, client",
        "{ frames = true, client",
        "{ frames",
        "client.phases.one.after[0].frames",
        {"found": "a boolean", "allowed": "an integer"},
    ),
    (
        "{ frames = 2, client",
        "5, { frames = 2, client",
        "5, { frames",
        "client.phases.one.after[0]",
        {"found": "an integer", "allowed": "{ key = value, … }"},
    ),
    (
        'frames = 2, client = "two"',
        'frames = 2, client = "three"',
        "{ frames",
        "client.phases.one.after[0].client",
        {"found": "three", "allowed": "one, two"},
    ),
    (
        'frames = 2, client = "two"',
        "frames = 2",
        "{ frames",
        "client.phases.one.after[0].client",
        {"found": ("frames",), "allowed": 'client = "phase", server = "phase", owes = { … } or answers = true'},
    ),
    (
        'frames = 2, client = "two"',
        "",
        "{  }",
        "client.phases.one.after[0].client",
        {"found": "nothing", "allowed": 'client = "phase", server = "phase", owes = { … } or answers = true'},
    ),
    (
        "{ frames = 2, client",
        "{ frame = 2, client",
        "{ frame",
        "client.phases.one.after[0].frame",
        {
            "found": "frame",
            "hint": "did you mean frames?",
            "allowed": "client, frames, payload, pattern, fields, owes, answers, server",
        },
    ),
    (
        "kind = 1, length = 5",
        "kind = 1, size = 5",
        "size = 5",
        "client.phases.one.after[1]",
        {"found": "size", "allowed": "kind, length"},
    ),
    (
        "kind = 1, length = 5",
        "kind = 1.5",
        "kind = 1.5",
        "client.phases.one.after[1].fields.kind",
        {"found": "a float", "allowed": "an integer or text or an array"},
    ),
    (
        "kind = 1, length = 5",
        'kind = "0xq"',
        'kind = "0xq"',
        "client.phases.one.after[1].fields.kind",
        {"found": "0xq", "allowed": "0x and pairs of hex digits, or text"},
    ),
    (
        'payload = "0xff"',
        'payload = "0xf"',
        'payload = "0xf"',
        "client.phases.one.after[1].payload",
        {"found": "0xf", "allowed": "0x and pairs of hex digits, or text"},
    ),
    (
        '", server = "b" },\n]',
        '", server = "c" },\n]',
        'server = "c"',
        "client.phases.one.after[2].server",
        {"found": "c", "allowed": "a.b, b"},
    ),
    (
        '", server = "b" },\n]',
        '", server = 5 },\n]',
        "server = 5",
        "client.phases.one.after[2].server",
        {"found": "an integer", "allowed": "text"},
    ),
    (
        'field = "kind"',
        'field = "size"',
        "codec = { field",
        "client.phases.one.codec.field",
        {"found": "size", "allowed": "kind"},
    ),
    (
        'field = "kind"',
        'felt = "kind"',
        "codec = { felt",
        "client.phases.one.codec.felt",
        {"found": "felt", "allowed": "field, cases, default", "hint": "did you mean field?"},
    ),
    (
        'default = "raw"',
        "default = 5",
        "codec = { field",
        "client.phases.one.codec.default",
        {"found": "an integer", "allowed": "text"},
    ),
    (
        'default = "raw"',
        'default = "row"',
        "codec = { field",
        "client.phases.one.codec.default",
        {"hint": "did you mean raw?"},
    ),
    (
        '"0x02" = "raw"',
        '"0x02" = "msgpack(max_depth=401)"',
        "codec = { field",
        "client.phases.one.codec.cases.0x02",
        {"found": 401, "allowed": "1 to 400"},
    ),
    (
        '"0x02" = "raw"',
        '"0x01" = "raw"',
        "codec = { field",
        "client.phases.one.codec.cases.0x01",
        {"found": "0x01", "allowed": "a tag once"},
    ),
    (
        'cases = { 1 = "msgpack(max_depth=2)", "0x02" = "raw" }',
        "cases = {}",
        "codec = { field",
        "client.phases.one.codec.cases",
        {},
    ),
    (
        'codec.cases = { "0x00" = "raw", Q = "msgpack" }',
        'codec.cases = { "0x00" = "raw", "" = "msgpack" }',
        "codec.cases",
        "server.phases.b.codec.cases",
        {"found": b"", "allowed": "non-empty bytes"},
    ),
    (
        'codec.cases = { "0x00" = "raw", Q = "msgpack" }',
        'codec.cases = { "0x00" = "raw", Q = 7 }',
        "codec.cases",
        "server.phases.b.codec.cases.Q",
        {"found": "an integer", "allowed": "text"},
    ),
    (
        'codec = "msgpack"',
        'codec = "msgpack(max_depht=3)"',
        'codec = "msg',
        "client.phases.two.codec",
        {
            "allowed": "max_depth, max_items, strict_map_key, strict_types, unique_keys",
            "hint": "did you mean max_depth?",
        },
    ),
    (
        'codec = "msgpack"',
        "codec = 5",
        "codec = 5\n",
        "client.phases.two.codec",
        {"found": "an integer", "allowed": "text or a table"},
    ),
    (
        'codec = "msgpack"',
        'codec = "msgpak"',
        'codec = "msgpak"',
        "client.phases.two.codec",
        {"hint": "did you mean msgpack?"},
    ),
    (
        'codec = "msgpack"',
        'codec = "construct"',
        'codec = "construct"',
        "client.phases.two.codec",
        {"allowed": "schema, max_items, max_depth, max_expanded_size, max_ratio"},
    ),
    (
        'delimiters = ["\\r\\n", "\\n"]',
        "delimiters = [5]",
        "delimiters",
        "client.phases.two.delimiters",
        {"found": [5]},
    ),
    (
        'delimiters = ["\\r\\n", "\\n"]',
        "delimiters = 1979-05-27",
        'format = "delimiter"',
        "client.phases.two.format",
        {},
    ),
    (
        'delimiters = ["\\r\\n", "\\n"]',
        "",
        'format = "delimiter"',
        "client.phases.two.format",
        {"allowed": "delimiters, write, keep, final, max_frame_size"},
    ),
    (
        'format = "delimiter"',
        'format = "delimeter"',
        "format",
        "client.phases.two.format",
        {"hint": "did you mean delimiter?"},
    ),
    (
        'format = "delimiter"',
        'format = "delimiter"\nheader = "length:u8"',
        'header = "length:u8"',
        "client.phases.two.header",
        {"found": ("format", "header", "delimiters", "codec"), "allowed": "one of them"},
    ),
    (
        'format = "delimiter"',
        "",
        "[client.phases.two]",
        "client.phases.two.header",
        {"found": ("delimiters", "codec"), "allowed": "one of them"},
    ),
    (
        'after = [{ client = "two" }]',
        'after = [{ client = "no" }]',
        'after = [{ client = "no" }]',
        # From a protocol, which does not quote the name as TOML must.
        'server.phases."a.b".after[0].client',
        {"found": "no", "allowed": "one, two"},
    ),
]


class TestMistakes:
    @pytest.mark.parametrize(("old", "new", "place", "key", "said"), MISTAKES)
    def test_each_is_found_at_its_line_and_key(self, old, new, place, key, said):
        text = changed(old, new)
        tomllib.loads(text)
        error = refused(text)

        line = {} if place is None else {"line": line_of(text, place)}
        assert facts(error) == {"key": key, **line, **said}

    def test_without_either_form_of_direction_nothing_can_work(self):
        error = refused('name = "x"\n')

        assert facts(error) == {"key": "both", "found": "none of them", "allowed": "either"}

    @pytest.mark.parametrize(
        ("tables", "line", "key"),
        [
            ("client", 2, "client"),
            ("server", 2, "server"),
            ("both server", 4, "server"),
            ("both client server", 6, "server"),
        ],
    )
    def test_one_form_of_direction_and_not_both(self, tables, line, key):
        text = "".join(f'[{table}]\nheader = "length:u8"\n' for table in tables.split())
        error = refused(f'name = "x"\n{text}')

        assert error.reason == "a protocol has [both], or [client] and [server]"
        assert facts(error) == {"line": line, "key": key, "found": tables.split(), "allowed": "either"}

    @pytest.mark.parametrize("table", ["both", "client"])
    @pytest.mark.parametrize(
        ("key", "allowed"),
        [
            ('start = "x"', "it beside [client.phases.NAME] or [server.phases.NAME]"),
            ('midstream = "x"', "it beside [client.phases.NAME] or [server.phases.NAME]"),
            ('first = "x"', "it in [client.phases.NAME] or [server.phases.NAME]"),
            ('otherwise = "x"', "it in [client.phases.NAME] or [server.phases.NAME]"),
            ("after = []", "it in [client.phases.NAME] or [server.phases.NAME]"),
        ],
    )
    def test_a_direction_without_phases_has_no_keys_of_phases(self, table, key, allowed):
        rest = "" if table == "both" else '[server]\nheader = "length:u8"\n'
        error = refused(f'name = "x"\n[{table}]\nheader = "length:u8"\n{key}\n{rest}')
        name = key.partition(" ")[0]

        assert facts(error) == {"line": 4, "key": f"{table}.{name}", "found": name, "allowed": allowed}

    @pytest.mark.parametrize(
        ("phases", "line", "key", "said"),
        [
            ("phases = {}", 3, "client.phases", {}),
            ("phases = 5", 3, "client.phases", {"found": "an integer", "allowed": "a table"}),
            ("phases.one = 5", 3, "client.phases.one", {"found": "an integer", "allowed": "a table"}),
            (
                "[client.phases.one]",
                3,
                "client.phases.one.header",
                {"found": "nothing", "allowed": "one of them"},
            ),
        ],
    )
    def test_phases_are_tables(self, phases, line, key, said):
        error = refused(f'name = "x"\n[client]\n{phases}\n[server]\nheader = "length:u8"')

        assert facts(error) == {"line": line, "key": key, **said}

    def test_phases_that_stand_in_for_each_other_are_refused(self):
        phase = 'header = "length:u8"\nfirst = "a"\n'
        text = f'name = "x"\n[client.phases.a]\n{phase}otherwise = "b"\n[client.phases.b]\n{phase}otherwise = "a"\n'
        error = refused(text + '[server]\nheader = "length:u8"')

        assert facts(error) == {"line": 9, "key": "client.phases.b.otherwise", "found": ["a", "b"]}

    def test_a_payload_tag_cannot_be_called_as_a_field_is(self):
        error = refused('name = "x"\n[both]\nheader = "tag:u8 length:u8"\ncodec = { cases = { a = "raw" } }')

        assert (error.line, error.key) == (4, "both.codec.field")

    def test_a_plugin_that_cannot_be_loaded_is_no_mistake_of_the_file(self, site):
        site.install("acme", {"framing.codecs.v1": "acme = no_such_module_of_acme:Codec"})
        for codec in ('"acme"', '{ cases = { a = "acme" } }'):
            with pytest.raises(PluginLoadError):
                parse_protocol(f'name = "x"\n[both]\nheader = "length:u8"\ncodec = {codec}', "my.toml")

    def test_a_mistake_in_the_trailer_is_told_of_the_trailer(self):
        error = refused('name = "x"\n[both]\nheader = "length:u8"\ntrailer = "sum:u8=crc99(payload)"')

        assert (error.line, error.key, error.position, error.found) == (4, "both.trailer", 7, "crc99")

    def test_a_mistake_in_a_part_of_an_option_is_told_of_that_part(self):
        wire = 'header = "last:u8 length:u8"\njoin = { more = { last = 0 } }\ncodec = "msgpack"'
        error = refused(f'name = "x"\n[both]\n{wire}')

        assert (error.line, error.key, error.allowed) == (4, "both.join.last", "last = …")

    def test_an_answer_in_a_phase_that_is_not_there_is_told_of_what_is_owed(self):
        phases = '[client.phases.a]\nheader = "length:u8"\nafter = [{ owes = { server = "b" } }]'
        error = refused(f'name = "x"\n{phases}\n[server]\nheader = "length:u8"')

        assert (error.line, error.key) == (4, "client.phases.a.after[0].owes.server")

    def test_a_misspelt_header_is_recognized(self):
        error = refused('name = "x"\n[both]\nhaeder = "length:u8"')

        assert error.hint == "did you mean header?"


class TestTheSameFromPython:
    """What a file points at with a line, Python is told with a key."""

    @pytest.mark.parametrize(
        ("rule", "key", "allowed"),
        [
            (Rule({"client": "two"}), "server.phases.b.after[1].client", "one"),
            (Rule({"client": "one"}, fields={"type": 1}), "server.phases.b.after[1]", "length"),
            (Rule({"clint": "one"}), "server.phases.b.after[1]", "client, server"),
        ],
    )
    def test_a_rule_that_names_nothing_is_refused_when_the_protocol_is_made(self, rule, key, allowed):
        wire = get_wire("u8")
        good = Rule({"client": "one", "server": "b"}, fields={"length": 32})
        client, server = Direction((Phase("one", wire),)), Direction((Phase("b", wire, after=(good, rule)),))
        with pytest.raises(DefinitionError) as caught:
            Protocol("x", client, server)

        assert (caught.value.key, caught.value.allowed) == (key, allowed)

    def test_a_format_without_fields_has_none_for_a_rule(self):
        rule = Rule({"client": "one"}, fields={"length": 1})
        direction = Direction((Phase("one", get_wire("lines"), after=(rule,)),))
        with pytest.raises(DefinitionError) as caught:
            Protocol("x", direction, direction)

        assert caught.value.allowed == "a phase whose frames have header fields"

    @pytest.mark.parametrize("frames", [0, -1])
    def test_a_rule_for_no_frame_is_refused(self, frames):
        with pytest.raises(DefinitionError) as caught:
            Rule({"client": "one"}, frames=frames)

        assert facts(caught.value) == {"key": "frames", "found": frames, "allowed": "1 or more"}


pieces = [
    *("name", "title", "ports", "client", "server", "both", "phases", "start", "header", "format", "codec", "after"),
    *("first", "otherwise", "fields", "field", "cases", "default", "payload", "frames", "max_frame_size", "delimiters"),
    *('"length:u8"', '"u8"', '"raw"', '"lines"', '"0x0"', '"one"', "one", "5", "-1", "true", "1.5", "1979-05-27", "[]"),
    *("\n", "\n[", "]\n", "[[", "]]\n", " = ", " = ", " = ", ".", ".", "{", "}", "[", "]", ", ", '"', "'", '"""', "#"),
]
lines = st.lists(st.sampled_from(pieces), max_size=5).map("".join)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1), lines), min_size=1, max_size=3))
def test_nothing_but_our_errors_come_out_of_any_text(edits):
    rows = WHOLE.split("\n")
    for place, count, line in edits:
        rows[place : place + count] = [line]
    text = "\n".join(rows)
    try:
        parse_protocol(text, "my.toml")
    except DefinitionError as error:
        shown = str(error)
        assert shown.startswith(error.reason)  # noqa: PT017 - that any text works is the point
        assert error.line is None or 1 <= error.line <= text.count("\n") + 1  # noqa: PT017


def test_a_header_with_a_told_byte_order_padding_and_a_checksum():
    text = """
name = "everything"
[both]
header = "flags:u8 content:u32 padding:u8"
trailer = "crc:u32=crc32(header payload pad)"
length = "content + padding"
counts = "payload pad"
pad = { field = "padding", multiple = 4 }
byteorder = { field = "flags", mask = 0x01, little = 1 }
"""
    protocol = parse_protocol(text, "everything.toml")
    (phase,) = protocol.client.phases.values()
    wire = phase.wire.format.serialize(b"abc", {"flags": 1})
    assert wire[:10] == b"\1\3\0\0\0\1abc\0"
    with pytest.raises(DefinitionError) as caught:
        parse_protocol(text.replace("0x01", "0x100"), "everything.toml")
    assert (caught.value.line, caught.value.key) == (9, "both.byteorder")


def test_enclosed_frames_have_a_start_that_is_no_phase():
    protocol = parse_protocol('name = "x"\n[both]\nformat = "enclosed"\nstart = "<"\nstop = ">"', "x.toml")
    assert protocol.client.wire.encode(b"a") == b"<a>"


def test_a_wire_format_says_how_to_recover():
    text = 'name = "x"\n[both]\nheader = "magic:u8=0xfe length:u8"\nrecovery = "%s"\ncodec = "msgpack"'
    assert parse_protocol(text % "magic", "x.toml").client.wire.recovery == "magic"
    with pytest.raises(DefinitionError) as caught:
        parse_protocol(text % "delimiter", "x.toml")
    assert (caught.value.key, caught.value.line, caught.value.found) == ("both.recovery", 4, "delimiter")
    assert caught.value.allowed == "poison, skip, magic"


def test_a_definition_of_a_strangers_size_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.toml"
    path.write_text("# much\n" * 40000, encoding="utf-8")
    with pytest.raises(DefinitionError, match="too many characters") as caught:
        load_protocol(str(path))
    assert (caught.value.source, caught.value.allowed) == (str(path), "262144 at most")


@pytest.mark.parametrize("text", ["{key} = 1", "[{key}]", "x = {{ {key} = 1 }}", "[[{key}]]"])
def test_a_key_of_very_many_parts_is_refused_before_tomllib_compares_them(text):
    with pytest.raises(DefinitionError, match="too many parts") as caught:
        parse_protocol("name = 'a'\n" + text.format(key="a" + ".a" * 50000), "many.toml")
    assert (caught.value.source, caught.value.line) == ("many.toml", 2)

"""Text → protocol: names, files, `module:attr`, shorthands; and what is said about each text that is none of these."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.codecs.msgpack import MsgpackCodec
from framing.definition import get_protocol
from framing.errors import DefinitionError, FramingError, PluginLoadError, UnknownNameError
from framing.formats.header import HeaderFormat
from framing.protocol import Protocol
from framing.registry import names, register
from framing.shorthand import get_wire

TINY = 'name = "tiny"\n[both]\nheader = "length:u8"\n'


def refused(text):
    with pytest.raises(FramingError) as caught:
        get_protocol(text)
    assert str(caught.value)
    return caught.value


def facts(error):
    named = {name: getattr(error, name) for name in error.facts}
    return {name: value for name, value in named.items() if value is not None}


def test_a_shorthand_is_one_wire_format_both_ways():
    protocol = get_protocol("u16be/msgpack(max_depth=3)")

    assert protocol.name == "u16be/msgpack(max_depth=3)"
    assert [protocol.direction(side).wire.format for side in ("client", "server")] == [HeaderFormat("length:u16be")] * 2
    assert type(protocol.client.wire.codec) is MsgpackCodec
    assert protocol.client.wire.codec.max_depth == 3


def test_a_built_in_name_is_a_file_that_comes_along():
    protocol = get_protocol("postgresql")

    assert (protocol.name, protocol.ports) == ("postgresql", (5432,))


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_named_by_its_path(tmp_path, monkeypatch, kind):
    (tmp_path / "tiny.toml").write_text(TINY)
    monkeypatch.chdir(tmp_path)

    assert get_protocol(kind("tiny.toml")).name == "tiny"
    assert get_protocol(kind(os.path.join(".", "tiny.toml"))).name == "tiny"
    assert get_protocol(kind(tmp_path / "tiny.toml")).name == "tiny"


@pytest.mark.parametrize("content", [None, b'name = "\xff"\n'])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "odd.toml"
    if content is not None:
        path.write_bytes(content)
    error = refused(path)

    assert (type(error), facts(error)) == (DefinitionError, {"source": str(path)})
    assert error.reason.startswith("the definition cannot be read: ")
    assert isinstance(error.__cause__, OSError if content is None else UnicodeDecodeError)


@pytest.mark.parametrize("name", ["\0.toml", "\udcff/x.toml", ".toml"])
def test_a_path_that_cannot_be_is_refused(name):
    assert type(refused(name)) is DefinitionError


def test_a_directory_is_no_file(tmp_path):
    (tmp_path / "x.toml").mkdir()

    assert refused(tmp_path / "x.toml").reason.startswith("the definition cannot be read: ")


MODULE = """
from framing import Protocol, get_codec, get_format
from framing.errors import DefinitionError
from framing.wire import WireFormat

WIRE = WireFormat(get_format("u8"), get_codec("raw"))
PROTOCOL = Protocol.both_ways("mine", WIRE)
class Holder:
    inner = PROTOCOL
def make(): return PROTOCOL
def make_wire(): return WIRE
def make_none(): return None
def need(argument): return PROTOCOL
def fail(): raise KeyError("oh")
def refuse(): raise DefinitionError("never")
"""


class TestModules:
    @pytest.mark.parametrize(
        ("attribute", "name"),
        [
            ("PROTOCOL", "mine"),
            ("Holder.inner", "mine"),
            ("make", "mine"),
            ("WIRE", "own_wire:WIRE"),
            ("make_wire", "own_wire:make_wire"),
        ],
    )
    def test_an_object_in_a_module_is_found(self, site, attribute, name):
        site.write("own_wire.py", MODULE)
        protocol = get_protocol(f"own_wire:{attribute}")

        assert isinstance(protocol, Protocol)
        assert (protocol.name, protocol.client.wire.format) == (name, HeaderFormat("length:u8"))

    @pytest.mark.parametrize(
        ("text", "reason", "said"),
        [
            (
                "own_wire:make_none",
                "this is no protocol",
                {"found": "NoneType", "allowed": "a Protocol or a WireFormat"},
            ),
            ("own_wire:__name__", "this is no protocol", {"found": "str", "allowed": "a Protocol or a WireFormat"}),
            (
                "own_wire:need",
                "own_wire:need makes no protocol: need() missing 1 required positional argument: 'argument'",
                {"allowed": "a function without arguments"},
            ),
            (
                "own_wire:fail",
                "own_wire:fail makes no protocol: 'oh'",
                {"allowed": "a function without arguments"},
            ),
            *(
                (
                    text,
                    f"{text} cannot be imported: {why}",
                    {"allowed": "module:attr, where the module can be imported from here"},
                )
                for text, why in [
                    ("own_wire:NONE", "module 'own_wire' has no attribute 'NONE'"),
                    ("own_wire:Holder.none", "type object 'Holder' has no attribute 'none'"),
                    ("own_wire:", "module 'own_wire' has no attribute ''"),
                    ("no_such_module_here:x", "No module named 'no_such_module_here'"),
                    (":", "Empty module name"),
                    ("bad_syntax:x", "invalid syntax (bad_syntax.py, line 1)"),
                    ("bad_run:x", "division by zero"),
                ]
            ),
        ],
    )
    def test_what_is_not_there_is_said(self, site, text, reason, said):
        site.write("own_wire.py", MODULE)
        site.write("bad_syntax.py", "x = = 1\n")
        site.write("bad_run.py", "x = 1 / 0\n")
        error = refused(text)

        assert (type(error), error.reason, facts(error)) == (DefinitionError, reason, {"source": text, **said})

    def test_a_relative_name_has_no_package_here(self):
        assert "relative import" in refused("..own:x").reason

    def test_an_error_of_ours_comes_through(self, site):
        site.write("own_wire.py", MODULE)

        assert refused("own_wire:refuse").reason == "never"


class TestNames:
    def test_a_registered_protocol_is_found(self):
        wire = get_wire("u8")
        with register("protocol", "ours", lambda: Protocol.both_ways("made", wire)), register("protocol", "bare", wire):
            assert (get_protocol("ours").name, get_protocol("bare").name) == ("made", "bare")

    def test_what_is_registered_and_no_protocol_is_refused(self):
        with register("protocol", "five", 5):
            assert facts(refused("five")) == {
                "source": "five",
                "found": "int",
                "allowed": "a Protocol or a WireFormat",
            }

    def test_a_plugin_that_cannot_be_loaded_says_so(self, site):
        site.install("acme", {"framing.protocols.v1": "acme = no_such_module_of_acme:PROTOCOL"})

        assert type(refused("acme")) is PluginLoadError
        assert type(refused("acme@acme")) is PluginLoadError

    @pytest.mark.parametrize(
        ("text", "hint"),
        [
            ("kafak", "did you mean kafka?"),
            ("PostgreSQL", "did you mean postgresql?"),
            ("u32be", "u32be is a frame format: say u32be/raw, or another codec"),
            ("varint4", "varint4 is a frame format: say varint4/raw, or another codec"),
            ("lines(keep=true)", "lines(keep=true) is a frame format: say lines(keep=true)/raw, or another codec"),
            ('delimiter(":/")', 'delimiter(":/") is a frame format: say delimiter(":/")/raw, or another codec'),
        ],
    )
    def test_an_unknown_name_comes_with_a_hint(self, text, hint):
        error = refused(text)

        assert (type(error), error.hint) == (UnknownNameError, hint)

    def test_an_unknown_name_lists_what_is_known(self):
        error = refused("")

        assert error.reason == "no protocol is called ''"
        assert error.hint == f"known: {len(names('protocol'))}, which `framing protocols` lists"

    @pytest.mark.parametrize(
        ("text", "position"), [("u8(a=1", 2), ("u8)", 2), ("kafka'", 5), ("u8(a=1,a=2)", 7), ("u8(a)b", 5)]
    )
    def test_a_shorthand_that_is_none_says_where(self, text, position):
        error = refused(text)

        assert (type(error), error.source, error.position) == (DefinitionError, text, position)


@pytest.mark.parametrize("name", [5, None, b"kafka"])
def test_what_is_no_text_is_a_mistake_of_the_program(name):
    with pytest.raises(TypeError):
        get_protocol(name)


pieces = ["u8", "raw", "msgpack", "kafka", "tls", ".toml", "../", "\0", "lines", "varint", "@", "framewire", "\ud800"]


# No colon: what stands before one would be imported.
@given(st.lists(st.sampled_from([*pieces, *"/()'\",=. "]), max_size=8).map("".join) | st.text(max_size=20))
def test_nothing_but_our_errors_come_out_of_any_text(text):
    try:
        get_protocol(text.replace(":", ""))
    except (DefinitionError, UnknownNameError) as error:
        shown = str(error)
        assert shown.startswith(error.reason)  # noqa: PT017 - that any text works is the point


@pytest.mark.parametrize("text", ["sys:exit", "quitting:PROTOCOL"])
def test_a_module_or_function_that_ends_the_process_is_a_mistake_like_any_other(text, tmp_path, monkeypatch):
    (tmp_path / "quitting.py").write_text("raise SystemExit(7)")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DefinitionError):
        get_protocol(text)


def test_a_path_without_the_ending_is_told_to_have_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text("")
    with pytest.raises(UnknownNameError, match=r"ends in \.toml"):
        get_protocol("mine")


def test_a_file_whose_ending_was_left_out_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(TINY)
    with pytest.raises(UnknownNameError, match=r"no protocol is called 'mine' .*; the file is called mine\.toml"):
        get_protocol("mine")

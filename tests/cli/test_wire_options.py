import click
import pytest
from click.testing import CliRunner

from framing.cli.wire_options import chosen_protocol, wire_options
from framing.errors import UnknownNameError


@click.command()
@wire_options
def show(protocol, frame_format, codec):
    click.echo(chosen_protocol(protocol, frame_format, codec).name)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--protocol", "u32be/msgpack"], "u32be/msgpack"),
        (["--frame", "u32be"], "u32be/raw"),
        (["--frame", "lines", "--codec", "msgpack(max_depth=3)"], "lines/msgpack(max_depth=3)"),
    ],
)
def test_two_ways_to_say_what_is_on_the_wire(arguments, name):
    assert CliRunner().invoke(show, arguments).stdout == f"{name}\n"


@pytest.mark.parametrize(
    "options", [(None, None, None), (None, None, "raw"), ("a/b", "u8", None), ("a/b", None, "raw"), ("", "", None)]
)
def test_neither_and_both_are_refused(options):
    with pytest.raises(click.UsageError):
        chosen_protocol(*options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((None, "u8/raw", None), "say --protocol 'u8/raw'"),
        ((None, None, "raw"), "--codec goes with --frame; say how frames are cut"),
        (("a/b", None, "raw"), "a protocol has its codecs"),
        (("a/b", "u8", None), "exclude each other"),
    ],
)
def test_the_refusal_says_what_to_do(options, said):
    with pytest.raises(click.UsageError) as caught:
        chosen_protocol(*options)
    assert said in caught.value.message


def test_an_unknown_name_is_the_registrys_error():
    with pytest.raises(UnknownNameError, match="did you mean msgpack"):
        chosen_protocol("u8/msgpak", None, None)


def test_help_tells_all_three():
    shown = CliRunner().invoke(show, ["--help"]).stdout

    assert [shown.index(option) for option in ("--protocol", "--frame", "--codec")] == sorted(
        shown.index(option) for option in ("--protocol", "--frame", "--codec")
    )

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import EncodeError, Message, get_protocol
from framing.capture.jsonform import to_json
from framing.cli.messages import KINDS, Outgoing, Sent, read_message


@pytest.mark.parametrize(
    ("line", "kind", "sent"),
    [
        (b"", "text", Sent(b"")),
        (b"", "hex", Sent(b"")),
        (b"  ", "json", None),
        (b"null", "json", Sent(None)),
        (b'{"$message": 1, "type": 2}', "json", Sent(Message(1, type=2))),
        (b'{"type": "summary", "flow": null}', "json", None),
        (b'{"type": "summary"}', "json", Sent({"type": "summary"})),
        (
            b'{"type": "frame", "flow": "a>b", "direction": "server", "guessed": true, "message": 1}',
            "json",
            Sent(1, "server", "a>b", midstream=True),
        ),
    ],
)
def test_a_line_is_a_message(line, kind, sent):
    assert read_message(line, kind) == sent


@given(st.binary(), st.sampled_from(KINDS))
def test_any_line_is_a_message_or_an_encode_error(line, kind):
    try:
        sent = read_message(line, kind)
    except EncodeError:
        assert kind != "text"
    else:
        assert sent is None or isinstance(sent, Sent)


def test_the_error_shows_the_line_and_not_all_of_it():
    with pytest.raises(EncodeError, match=r"found 7b 78( 78)+ … \(101 bytes\)"):
        read_message(b"{" + b"x" * 100, "json")


def test_a_form_that_does_not_come_back_is_refused():
    form = to_json(object())

    with pytest.raises(EncodeError, match="stands for no message"):
        read_message(str(form).replace("'", '"').encode(), "json")


def test_without_a_choice_the_first_side_is_the_one():
    outgoing = Outgoing(get_protocol("u8/raw"), None)

    assert outgoing.frame(Sent(b"a", "server")) == b"\x01a"
    with pytest.raises(EncodeError, match="a frame of the client after one of the server"):
        outgoing.frame(Sent(b"b", "client"))


def test_bare_values_are_the_clients():
    assert Outgoing(get_protocol("u8/raw"), None).frame(Sent(b"a")) == b"\x01a"


def test_a_side_that_is_not_wanted_is_encoded_and_kept_back():
    outgoing = Outgoing(get_protocol("u8/raw"), "client")

    assert outgoing.frame(Sent(b"a", "server")) is None
    with pytest.raises(EncodeError, match="only bytes"):
        outgoing.frame(Sent("text", "server"))


def test_both_names_of_a_connection_are_one_connection():
    outgoing = Outgoing(get_protocol("u8/raw"), "client")

    outgoing.frame(Sent(b"a", "client", "a:1>b:2#2"))
    outgoing.frame(Sent(b"a", "server", "b:2>a:1#2"))
    with pytest.raises(EncodeError, match="another connection"):
        outgoing.frame(Sent(b"a", "client", "a:1>b:2"))

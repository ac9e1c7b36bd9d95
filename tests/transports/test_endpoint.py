import pytest

from framing import DefinitionError, register
from framing.errors import UnknownNameError
from transports.endpoint import Endpoint, Scheme, open_listeners, open_stream, parse_endpoint
from transports.memory import MemoryListener, memory_stream_pair


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("tcp://127.0.0.1:9000", ("tcp", "127.0.0.1", 9000, "")),
        ("tcp://[::1]:9000", ("tcp", "::1", 9000, "")),
        ("tcp://:0", ("tcp", "", 0, "")),
        ("TCP://Host", ("tcp", "host", None, "")),
        ("unix:///run/x.sock", ("unix", "", None, "/run/x.sock")),
        ("memory://a_name", ("memory", "a_name", None, "")),
    ],
)
def test_a_url_in_parts(text, parts):
    assert parse_endpoint(text) == Endpoint(text, *parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host:1",
        "//host:1",
        "://",
        "tcp:/host",
        "tcp://host:port",
        "tcp://host:99999",
        "tcp://host:-1",
        "tcp://[::1:9",
    ],
)
def test_what_is_no_endpoint(text):
    with pytest.raises(DefinitionError, match="no endpoint") as caught:
        parse_endpoint(text)
    assert caught.value.source == text
    assert "tcp://127.0.0.1:9000" in str(caught.value)


@pytest.mark.parametrize("text", ["tcp://me@host:1", "tcp://host:1?x=1", "tcp://host:1#x"])
def test_what_an_endpoint_does_not_have(text):
    with pytest.raises(DefinitionError, match="no user, options"):
        parse_endpoint(text)


async def test_an_unknown_scheme_lists_near_misses():
    for function in (open_stream, open_listeners):
        with pytest.raises(UnknownNameError, match="did you mean tcp"):
            await function("tpc://host:1")


async def test_a_scheme_of_somebody_else():
    class Loop(Scheme):
        async def open_stream(self, endpoint):
            return memory_stream_pair()[0]

        async def open_listeners(self, endpoint):
            return [MemoryListener(endpoint.host)]

        def endpoint_of(self, listener):
            return f"loop://{listener.name}"

    with register("scheme", "loop", Loop):
        (await open_stream("loop://x")).send_some(b"x")
        ((reached, _),) = await open_listeners("loop://y")
    assert reached == "loop://y"


async def test_a_scheme_that_is_none_is_refused():
    with (
        register("scheme", "loop", dict),
        pytest.raises(DefinitionError, match=r"made no transports\.endpoint\.Scheme .*found dict"),
    ):
        await open_stream("loop://x")

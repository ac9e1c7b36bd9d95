import math
from dataclasses import FrozenInstanceError, fields

import pytest

from framing import Protocol, get_protocol
from transports import Limits


def test_every_default_is_finite_but_the_protocols_own():
    defaults = {field.name: field.default for field in fields(Limits)}

    assert defaults.pop("max_frame_size") is None
    assert all(0 < default < math.inf for default in defaults.values())


def test_every_limit_says_why():
    assert [field.name for field in fields(Limits) if f"        {field.name}: " not in Limits.__doc__] == []


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_no_limit_can_be_lifted(name):
    for value in (0, -1, math.inf):
        with pytest.raises((ValueError, TypeError)):
            Limits(**{name: value})
    for value in ("1", True):
        with pytest.raises(TypeError):
            Limits(**{name: value})


def test_only_timeouts_have_fractions():
    assert Limits(write_timeout=0.5).write_timeout == 0.5
    with pytest.raises(TypeError):
        Limits(receive_size=0.5)


def test_limits_are_a_value():
    assert Limits() == Limits()
    assert len({Limits(), Limits(), Limits(batch_count=1)}) == 2
    with pytest.raises(FrozenInstanceError):
        Limits().batch_count = 1


def test_the_frame_size_goes_to_the_protocol():
    protocol = get_protocol("u32be/raw")

    assert Limits().applied_to(protocol) is protocol
    limited = Limits(max_frame_size=10).applied_to(protocol)
    assert [limited.direction(side).wire.format.max_frame_size for side in ("client", "server")] == [10, 10]


def test_a_protocol_may_be_named_or_be_a_file(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text('name = "tiny"\n[both]\nheader = "length:u8"\n')

    assert [Limits().applied_to(text).name for text in ("u8/raw", str(path), path)] == ["u8/raw", "tiny", "tiny"]
    with pytest.raises(TypeError, match="not int"):
        Limits().applied_to(5)


def test_the_worst_case_is_that_of_the_larger_direction():
    small, large = get_protocol("u8/raw"), get_protocol("u16be/raw")
    mixed = Protocol("mixed", small.client, large.server)

    assert Limits().channel_size(mixed) == Limits().channel_size(large) > Limits().channel_size(small)
    assert Limits(send_queue_size=1 << 19).channel_size(small) == Limits().channel_size(small) - (1 << 19)


def test_the_text_says_the_worst_case():
    assert str(Limits(max_frame_size=1 << 20)).endswith("at most 4.188 MiB of bytes in a channel")
    assert str(Limits()).endswith("at most 1.188 MiB and three frames of bytes in a channel")
    assert "512 bytes read at once" in str(Limits(receive_size=512))

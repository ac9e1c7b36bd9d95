"""Each step of `check_codec` is met by a codec that breaks its clause and nothing else."""

import copy
import io
import math
import random
import time
from typing import Any

import pytest

from framing.codec import Codec
from framing.errors import DecodeError, EncodeError
from framing.testing import CodecSubject, check_codec
from framing.testing import codec as steps


class Line(Codec):
    """Lower-case letters behind their number, which is one byte: good by every clause."""

    name = "line"

    def __init__(self, *, limit: int = 100) -> None:
        self.limit = limit

    def encode(self, message: str) -> bytes:
        if not isinstance(message, str) or not message.isascii() or len(message) > self.limit:
            raise EncodeError("no line", codec="line")
        return bytes((len(message),)) + message.encode()

    def decode(self, payload: bytes) -> str:
        if not payload or payload[0] != len(payload) - 1 or len(payload) > self.limit + 1:
            raise DecodeError("no line", codec="line")
        try:
            return payload[1:].decode("ascii")
        except UnicodeDecodeError as error:
            raise DecodeError("no letter", codec="line", offset=1 + error.start) from error


class Nameless(Line):
    name = ""


class ReturnsBytearray(Line):
    def encode(self, message: str) -> bytes:
        return bytearray(super().encode(message))  # type: ignore[return-value]


class CopiesThrough(Codec):
    name = "copies"
    passthrough = True

    def encode(self, message: bytes) -> bytes:
        if not isinstance(message, bytes):
            raise EncodeError("no bytes")
        return message

    def decode(self, payload: bytes) -> bytes:
        return bytes(bytearray(payload))


class Overwrites(Line):
    def encode_into(self, message: str, buffer: bytearray) -> None:
        buffer[:] = self.encode(message)


class LeavesHalf(Line):
    def encode_into(self, message: str, buffer: bytearray) -> None:
        buffer += b"\0"
        buffer[-1:] = self.encode(message)


class IgnoresTrailing(Line):
    def decode(self, payload: bytes) -> str:
        return super().decode(payload[: payload[0] + 1] if payload else payload)


class Shouts(Line):
    def decode(self, payload: bytes) -> str:
        return super().decode(payload).upper()


class OneWay(Line):
    """Returns from `decode` what it cannot encode."""

    class Text(str):
        __slots__ = ()

    def encode(self, message: str) -> bytes:
        if isinstance(message, OneWay.Text):
            raise EncodeError("not this kind")
        return super().encode(message)

    def decode(self, payload: bytes) -> str:
        return OneWay.Text(super().decode(payload))


class Forgets(Line):
    """Cannot read what it writes."""

    def decode(self, payload: bytes) -> str:
        if len(payload) > 10:
            raise DecodeError("too long")
        return super().decode(payload)


class NeedsAByte(Line):
    def decode(self, payload: bytes) -> str:
        return super().decode(payload[:1] + payload[1:] if payload[0] else payload)


class Unguarded(Line):
    def decode(self, payload: bytes) -> str:
        if len(payload) > 1 and payload[0] != len(payload) - 1:
            raise IndexError(payload[0])
        return super().decode(payload)


class Unguarded7Bit(Line):
    def decode(self, payload: bytes) -> str:
        try:
            return super().decode(payload)
        except DecodeError as error:
            if isinstance(error.__cause__, UnicodeDecodeError):
                raise error.__cause__ from None
            raise


class TakesAnything(Line):
    def encode(self, message: str) -> bytes:
        return super().encode(str(message).rpartition(".")[0] if "Foreign" in str(message) else message)


class BareTypeError(Line):
    def encode(self, message: str) -> bytes:
        return bytes((len(message),)) + super().encode(message)[1:]


class Remembers(Line):
    """Is changed for good by a bad payload."""

    def __init__(self) -> None:
        super().__init__()
        self._broken = False

    def decode(self, payload: bytes) -> str:
        if self._broken:
            return "broken"
        try:
            return super().decode(payload)
        except DecodeError:
            # Only a payload with a byte too much, so that no earlier step meets it.
            self._broken = payload.endswith(b"\xff") and payload[0] == len(payload) - 2
            raise


class Shares(Line):
    """Gives all codecs of the class one memory."""

    seen: list[object] = []  # noqa: RUF012  the fault

    def encode(self, message: str) -> bytes:
        if id(self) not in self.seen:
            self.seen.append(id(self))
        if self.seen[-1] != id(self):
            return super().encode("z")
        return super().encode(message)


class Rows(Codec):
    """Lists of small numbers, good by every clause."""

    name = "rows"

    def encode(self, message: list[int]) -> bytes:
        try:
            return bytes((len(message), *message))
        except (TypeError, ValueError) as error:
            raise EncodeError("no rows") from error

    def decode(self, payload: bytes) -> list[int]:
        if not payload or payload[0] != len(payload) - 1:
            raise DecodeError("no rows")
        return list(payload[1:])


class Sorts(Rows):
    def encode(self, message: list[int]) -> bytes:
        if isinstance(message, list):
            message.sort()
        return super().encode(message)


class Reuses(Rows):
    def __init__(self) -> None:
        self._rows: list[int] = []

    def decode(self, payload: bytes) -> list[int]:
        self._rows[:] = super().decode(payload)
        return self._rows


class Clocked(Line):
    def decode(self, payload: bytes) -> str:
        time.monotonic()
        return super().decode(payload)


class Drawn(Line):
    def encode(self, message: str) -> bytes:
        random.random()
        return super().encode(message)


class Opened(Line):
    def encode(self, message: str) -> bytes:
        with open("/dev/null", "rb") as file:
            file.read(0)
        return super().encode(message)


class Greedy(Line):
    def decode(self, payload: bytes) -> str:
        if payload[:4] == b"\xff\xff\xff\xff":
            io.BytesIO(bytes(2**26)).read(1)
        return super().decode(payload)


class Silent(Line):
    def __repr__(self) -> str:
        return "Silent()"


class Anonymous(Line):
    def __repr__(self) -> str:
        return "<codec limit>"


class Addressed(Line):
    def __repr__(self) -> str:
        return f"Addressed(limit={self.limit}, at={id(self)})"


GOOD = ["", "abc", "a long line of letters"]
ROWS = [[], [3, 1, 2], [5] * 40]


@pytest.mark.parametrize(
    ("codec", "messages"), [(Line, GOOD), (lambda: Line(limit=50), GOOD), (Line(), GOOD), (Rows, ROWS)]
)
def test_a_good_codec_passes(codec: Any, messages: list[Any]) -> None:
    check_codec(codec, messages)


@pytest.mark.parametrize(
    ("codec", "step", "clause"),
    [
        (Nameless, steps.check_types, "C1"),
        (ReturnsBytearray, steps.check_types, "C1"),
        (CopiesThrough, steps.check_passthrough, "C1"),
        (Overwrites, steps.check_encode_into, "C1"),
        (LeavesHalf, steps.check_encode_into, "C1"),
        (IgnoresTrailing, steps.check_trailing_bytes, "C2"),
        (Shouts, steps.check_round_trip, "C3"),
        (OneWay, steps.check_round_trip, "C3"),
        (Forgets, steps.check_round_trip, "C3"),
        (NeedsAByte, steps.check_empty_payload, "C4"),
        (Unguarded, steps.check_truncation, "C4"),
        (Unguarded7Bit, steps.check_corruption, "C4"),
        (TakesAnything, steps.check_foreign_object, "C4"),
        (BareTypeError, steps.check_foreign_object, "C4"),
        (Remembers, steps.check_independence, "C5"),
        (Shares, steps.check_independence, "C5"),
        (Sorts, steps.check_inputs_kept, "C5"),
        (Reuses, steps.check_inputs_kept, "C5"),
        (Clocked, steps.check_no_outside, "C6"),
        (Drawn, steps.check_no_outside, "C6"),
        (Opened, steps.check_no_outside, "C6"),
        (Greedy, steps.check_announced_sizes, "C7"),
        (Silent, steps.check_repr, "C8"),
        (Anonymous, steps.check_repr, "C8"),
        (Addressed, steps.check_repr, "C8"),
    ],
)
def test_a_broken_codec_is_caught_by_the_step_of_its_clause(codec: Any, step: Any, clause: str) -> None:
    messages: list[Any] = ROWS if issubclass(codec, Rows) else [b"abc"] if codec is CopiesThrough else GOOD
    with pytest.raises(AssertionError, match=rf"^\[{clause}\]"):
        step(CodecSubject(codec, copy.deepcopy(messages)))
    with pytest.raises(AssertionError, match=r"^\[C\d\]"):
        check_codec(codec, copy.deepcopy(messages))


def test_a_message_outside_the_domain_is_not_the_codecs_fault() -> None:
    with pytest.raises(EncodeError, match="no line"):
        check_codec(Line, ["x" * 101])


def test_each_step_has_a_codec_that_it_catches() -> None:
    marks = test_a_broken_codec_is_caught_by_the_step_of_its_clause.pytestmark  # type: ignore[attr-defined]
    assert {step for _, step, _ in marks[0].args[1]} == set(steps.STEPS)


def test_no_messages_prove_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        check_codec(Line, [])


def test_the_text_shows_the_payload_but_not_much_of_it() -> None:
    with pytest.raises(AssertionError) as caught:
        check_codec(IgnoresTrailing, ["x" * 40])
    assert f"28 {'78 ' * 31}… (42 bytes)" in str(caught.value)


def test_messages_that_are_not_equal_to_themselves_take_a_comparison() -> None:
    class Number(Line):
        def encode(self, message: float) -> bytes:  # type: ignore[override]
            if not isinstance(message, float):
                raise EncodeError("no number")
            return super().encode(repr(message))

        def decode(self, payload: bytes) -> float:  # type: ignore[override]
            try:
                return float(super().decode(payload))
            except ValueError as error:
                raise DecodeError("no number") from error

    with pytest.raises(AssertionError, match="C3"):
        check_codec(Number, [math.nan])
    check_codec(Number, [math.nan, 1.5], equal=lambda one, other: repr(one) == repr(other))

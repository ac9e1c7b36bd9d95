"""The codec contract as a function: run `check_codec` over your codec and some messages of its domain.

Each clause of `specs/codec.md` that can be seen from outside is one step, a small function that can also be called by
itself. A step that fails raises an `AssertionError` which names the clause and shows the input, at most 32 bytes of it.
Nothing here needs a test framework.
"""

import copy
import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import CodeType
from typing import Any

from framing.codec import Codec
from framing.errors import CodecError, DecodeError, EncodeError
from framing.testing.observation import outside_calls, peak_memory

__all__ = ["CodecSubject", "check_codec"]

SHOWN_SIZE = 32

# What a codec may allocate beyond its payload's size, for any four bytes that announce four billion of something. The
# first term is what a decompressor takes, the second is an empty dict for each byte.
FREE_MEMORY = 16 * 2**20
MEMORY_PER_BYTE = 256

# Damaging each byte of a long payload says nothing new and takes quadratic time.
DAMAGED_OFFSETS = 512


class CodecSubject:
    """What the steps look at: a way to make codecs, one of them, and messages with their payloads.

    Attributes:
        make: returns a codec, each time with the same options.
        codec: the codec that most steps use.
        messages: messages of the codec's domain.
        originals: copies of them, from before they were encoded.
        payloads: what `codec` encoded them to, in their order.
        any_payload: whether every payload is good, so that trailing bytes cannot be told from the value.
        equal: compares a message with what came back.
    """

    def __init__(
        self,
        make: Callable[[], Codec],
        messages: Iterable[Any],
        *,
        any_payload: bool = False,
        equal: Callable[[Any, Any], bool] = operator.eq,
    ) -> None:
        self.make = make
        self.codec = make()
        self.messages = list(messages)
        self.originals = [_copied(message) for message in self.messages]
        self.payloads = [self.codec.encode(message) for message in self.messages]
        self.any_payload = any_payload or self.codec.passthrough
        self.equal = equal

    def pairs(self) -> Iterator[tuple[Any, bytes]]:
        """Return each message with its payload."""
        return zip(self.messages, self.payloads, strict=True)


class Foreign:
    """An object that no codec can know."""


def check_codec(
    codec: Codec | Callable[[], Codec],
    messages: Iterable[Any],
    *,
    any_payload: bool = False,
    equal: Callable[[Any, Any], bool] = operator.eq,
) -> None:
    """Check `codec` against each clause of the contract.

    Args:
        codec: the codec's class, or a function that makes one with the options to test, or one codec; with a single
            codec it cannot be seen whether two would share anything.
        messages: at least one message of the codec's domain, preferably many kinds, some of them long.
        any_payload: every payload is good, as with text in Latin-1; the step for trailing bytes is left out.
        equal: says whether a message came back, where `==` cannot: with NaN, for example.

    Raises:
        AssertionError: the contract is broken; the text names the clause.
        EncodeError: one of `messages` is not in the codec's domain.
        ValueError: there are no messages.

    >>> from framing.codecs.raw import RawCodec
    >>> check_codec(RawCodec, [b"", b"abc"])
    """
    make = (lambda: codec) if isinstance(codec, Codec) else codec
    subject = CodecSubject(make, messages, any_payload=any_payload, equal=equal)
    if not subject.messages:
        raise ValueError("check_codec needs at least one message")
    for step in STEPS:
        step(subject)


def check_types(subject: CodecSubject) -> None:
    """[C1] `encode` returns bytes, and there is a name for errors."""
    name = getattr(subject.codec, "name", None)
    _require(isinstance(name, str) and name != "", "C1", f"the class attribute name is a text, not {name!r}")
    for message, payload in subject.pairs():
        _require(type(payload) is bytes, "C1", f"encode returns bytes, not {type(payload).__name__}", message)


def check_passthrough(subject: CodecSubject) -> None:
    """[C1] A codec that is marked `passthrough` decodes each payload to itself."""
    for payload in subject.payloads if subject.codec.passthrough else ():
        _require(subject.codec.decode(payload) is payload, "C1", "passthrough returns the payload itself", payload)


def check_encode_into(subject: CodecSubject) -> None:
    """[C1] `encode_into` appends what `encode` returns, and nothing if it fails."""
    for message, payload in subject.pairs():
        buffer = bytearray(b"before")
        subject.codec.encode_into(message, buffer)
        _require(buffer == b"before" + payload, "C1", "encode_into appends exactly what encode returns", payload)
    buffer = bytearray(b"before")
    with suppress(EncodeError), _only(EncodeError, "encode_into"):
        subject.codec.encode_into(Foreign(), buffer)
    _require(buffer == b"before", "C1", "encode_into leaves the buffer alone if it fails", bytes(buffer))


def check_trailing_bytes(subject: CodecSubject) -> None:
    """[C2] A payload and one byte more is a `DecodeError`."""
    if subject.any_payload:
        return
    for payload in subject.payloads:
        for extra in (b"\0", b"\xff", payload or b"\0"):
            refused = not _decodes(subject.codec, payload + extra)
            _require(refused, "C2", "trailing bytes are a DecodeError", payload + extra)


def check_round_trip(subject: CodecSubject) -> None:
    """[C3] What was encoded comes back equal, and encodes again to what comes back equal."""
    for message, payload in subject.pairs():
        with _never(Exception, "C3", "what was encoded comes back", payload):
            found = subject.codec.decode(payload)
        _require(subject.equal(found, message), "C3", "decode(encode(message)) == message", payload)
        with _never(Exception, "C3", "what decode returned encodes again", payload):
            again = subject.codec.decode(subject.codec.encode(found))
        _require(subject.equal(again, message), "C3", "what decode returned comes back equal", payload)


def check_empty_payload(subject: CodecSubject) -> None:
    """[C4] The empty payload is a message or a `DecodeError`."""
    _decodes(subject.codec, b"")


def check_truncation(subject: CodecSubject) -> None:
    """[C4] A payload that is cut short is another message or a `DecodeError`."""
    for payload in subject.payloads:
        for size in _offsets(payload):
            _decodes(subject.codec, payload[:size])


def check_corruption(subject: CodecSubject) -> None:
    """[C4] A payload with a damaged byte is another message or a `DecodeError`."""
    for payload in subject.payloads:
        for offset in _offsets(payload):
            for damage in (0x01, 0x80, 0xFF, payload[offset] ^ 0xFF, payload[offset]):
                _decodes(subject.codec, payload[:offset] + bytes((payload[offset] ^ damage,)) + payload[offset + 1 :])


def check_foreign_object(subject: CodecSubject) -> None:
    """[C4] An object that no codec can know is an `EncodeError`."""
    with suppress(EncodeError), _only(EncodeError, "encode"):
        payload = subject.codec.encode(Foreign())
        _fail("C4", "encode refuses an object that it cannot know", payload)


def check_independence(subject: CodecSubject) -> None:
    """[C5] A call leaves nothing behind: neither an error nor another codec changes the next result."""
    other = subject.make()
    for message, payload in subject.pairs():
        for codec in (subject.codec, other, subject.codec):
            _decodes(codec, payload[: len(payload) // 2])
            _decodes(codec, payload + b"\xff")
            _try_encode(codec, Foreign())
            _require(subject.equal(codec.decode(payload), message), "C5", "an error changes no later result", payload)
            _require(codec.encode(message) == payload, "C5", "an error changes no later payload", payload)


def check_inputs_kept(subject: CodecSubject) -> None:
    """[C5] `encode` does not change its message, nor `decode` what it returned before."""
    for index, (message, payload) in enumerate(subject.pairs()):
        original, other = subject.originals[index], subject.payloads[index - 1]
        found = subject.codec.decode(payload)
        _require(subject.codec.encode(message) == payload, "C5", "the same message has the same payload", payload)
        subject.codec.decode(other)
        _require(subject.equal(found, original), "C5", "a message that was decoded stays as it is", payload)
        _require(subject.equal(message, original), "C5", "encoding does not change the message", payload)


def check_no_outside(subject: CodecSubject) -> None:
    """[C6] Neither direction does I/O, asks a clock, draws lots or logs, as far as calls from Python show."""
    codec = subject.codec
    for message, payload in subject.pairs():
        seen = outside_calls(partial(codec.encode, message)) + outside_calls(partial(codec.decode, payload))
        _require(not seen, "C6", f"a codec calls nothing outside: {', '.join(seen)}", payload)


def check_announced_sizes(subject: CodecSubject) -> None:
    """[C7] Four bytes that announce four billion of something cost little memory, wherever they stand."""
    for payload in subject.payloads:
        limit = FREE_MEMORY + MEMORY_PER_BYTE * len(payload)
        for offset in _offsets(payload):
            damaged = payload[:offset] + b"\xff\xff\xff\xff" + payload[offset + 4 :]
            peak = peak_memory(partial(_decodes, subject.codec, damaged))
            _require(peak <= limit, "C7", f"decoding takes at most {limit} bytes of memory, not {peak}", damaged)


def check_repr(subject: CodecSubject) -> None:
    """[C8] `repr` shows class and options, and is the same for the same options."""
    text = repr(subject.codec)
    _require(text.startswith(type(subject.codec).__name__), "C8", f"repr names the class: {text}")
    _require(repr(subject.make()) == text, "C8", f"the same options have the same repr: {text}")
    hidden = [key for key in _options(subject.codec) if key not in text]
    _require(not hidden, "C8", f"repr shows each option, also {', '.join(hidden)}: {text}")


STEPS: tuple[Callable[[CodecSubject], None], ...] = (
    check_types,
    check_passthrough,
    check_round_trip,
    check_encode_into,
    check_trailing_bytes,
    check_empty_payload,
    check_truncation,
    check_corruption,
    check_foreign_object,
    check_independence,
    check_inputs_kept,
    check_no_outside,
    check_announced_sizes,
    check_repr,
)


def _copied(message: Any) -> Any:
    try:
        return copy.deepcopy(message)
    except TypeError:
        # A memoryview, or whatever else cannot be copied: then a change to it cannot be seen.
        return message


def _options(codec: Codec) -> list[str]:
    code: CodeType | None = getattr(type(codec).__init__, "__code__", None)
    if code is None:
        return []
    return list(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])


@contextmanager
def _only(expected: type[CodecError], operation: str, payload: bytes | None = None) -> Iterator[None]:
    try:
        yield
    except (expected, AssertionError):
        raise
    except Exception as error:
        rule = f"{operation} raises {expected.__name__}, not {type(error).__name__}"
        raise AssertionError(_text("C4", rule, payload)) from error


@contextmanager
def _never(unexpected: type[Exception], clause: str, rule: str, payload: bytes) -> Iterator[None]:
    try:
        yield
    except unexpected as error:
        raise AssertionError(_text(clause, f"{rule}, not {type(error).__name__}: {error}", payload)) from error


def _decodes(codec: Codec, payload: bytes) -> bool:
    with suppress(DecodeError), _only(DecodeError, "decode", payload):
        codec.decode(payload)
        return True
    return False


def _try_encode(codec: Codec, message: Any) -> None:
    with suppress(EncodeError), _only(EncodeError, "encode"):
        codec.encode(message)


def _offsets(payload: bytes) -> range:
    return range(0, len(payload), max(1, len(payload) // DAMAGED_OFFSETS))


def _require(holds: bool, clause: str, rule: str, shown: Any = None) -> None:
    if not holds:
        _fail(clause, rule, shown)


def _fail(clause: str, rule: str, shown: Any = None) -> None:
    raise AssertionError(_text(clause, rule, shown))


def _text(clause: str, rule: str, shown: Any) -> str:
    if shown is None:
        return f"[{clause}] {rule}"
    if not isinstance(shown, bytes):
        return f"[{clause}] {rule}; the message is of type {type(shown).__name__}"
    more = f" … ({len(shown)} bytes)" if len(shown) > SHOWN_SIZE else ""
    return f"[{clause}] {rule}; the payload is {shown[:SHOWN_SIZE].hex(' ') or 'empty'}{more}"

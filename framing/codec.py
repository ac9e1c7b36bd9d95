"""Codec: the contract between a payload's bytes and the message that they stand for.

This file is all that a codec author has to read. A codec turns one message into one payload and one payload into one
message; where a payload begins and ends is the frame format's business, so a codec never sees half a payload and never
returns one. `specs/codec.md` is the normative text; in short:

[C1] `encode` and `decode` are all there is to write. `encode_into` exists for codecs that can append without a copy.
[C2] `decode` uses the whole payload. Trailing bytes are a `DecodeError`: they are a second message that nobody would
     ever see, or a sign that the two sides disagree. An empty payload is a payload like any other.
[C3] `decode(encode(message)) == message` for each message that `encode` accepts. What cannot come back as it was (a
     tuple where the payload only knows lists) is refused, or said to be outside the codec's domain in its docstring.
[C4] Bad payloads raise `DecodeError` and nothing else, messages that cannot be written raise `EncodeError` and nothing
     else, the library's own exception chained as the cause, with `offset` (bytes from the payload's start) and `path`
     (`rows[3].name`) where they are known. Passing `decode` something that is not `bytes` is misuse: `TypeError`.
[C5] No state between calls: a call behaves as if it were the first, also after an error, and one codec may serve two
     directions. The registry hands out factories, never a shared object.
[C6] No I/O, no clock, no logging of payloads. Importing a codec's module is quick; its library is imported when the
     codec is constructed.
[C7] Memory and time are bounded by the payload's size and by limits of the codec's own: depth, items, expanded size and
     ratio. Eight bytes that announce four billion items are refused before anything is allocated for them.
[C8] Options are keyword arguments, each kept in an attribute of its own name, so that `repr` shows them. They are
     checked by the constructor: `DefinitionError` with key and allowed values. A missing library is a
     `PluginLoadError` that says what to install.

A complete codec, with one option:

>>> from framing.codec import Codec, checked_int
>>> from framing.errors import DecodeError, EncodeError
>>> class Latin(Codec):
...     '''Text of bounded length, one byte a character.'''
...     name = "latin"
...
...     def __init__(self, *, max_characters: int = 80) -> None:
...         self.max_characters = checked_int("max_characters", max_characters, 0, 2**20)
...
...     def encode(self, message: str) -> bytes:
...         if not isinstance(message, str):
...             raise EncodeError("only text can be encoded", codec=self.name, found=type(message).__name__)
...         if len(message) > self.max_characters:
...             raise EncodeError("the text is too long", codec=self.name, found=len(message))
...         try:
...             return message.encode("latin-1")
...         except UnicodeEncodeError as error:
...             raise EncodeError("a character is not in Latin-1", codec=self.name, path=f"[{error.start}]") from error
...
...     def decode(self, payload: bytes) -> str:
...         if len(payload) > self.max_characters:
...             raise DecodeError("the text is too long", codec=self.name, offset=self.max_characters)
...         return payload.decode("latin-1")
>>> Latin(max_characters=3)
Latin(max_characters=3)
>>> Latin().decode(Latin().encode("Grüße"))
'Grüße'
>>> Latin(max_characters=3).decode(b"Gruss")
Traceback (most recent call last):
framing.errors.DecodeError: the text is too long (codec latin, offset 3)

Prove it in your test suite with the very checks that the built-in codecs pass; every payload is Latin-1, so there are
no trailing bytes to refuse:

>>> from framing.testing import check_codec
>>> check_codec(Latin, ["", "Grüße"], any_payload=True)

Offer it to everyone who has your distribution installed, and `u32be/latin(max_characters=8)` works:

    [project.entry-points."framing.codecs.v1"]
    latin = "your_package.latin:Latin"
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from framing.errors import DefinitionError

__all__ = ["Codec", "checked_bool", "checked_int"]


class Codec(ABC):
    """One way to write messages as payloads. Subclass it, give it a `name`, write `encode` and `decode`.

    Attributes:
        name: what errors call the codec; by habit also its entry point's name.
        api_version: the version of this contract that the codec was written for. The registry accepts the current one
            and the one before.
        passthrough: true promises that `decode(payload)` returns `payload` itself for every payload, and `encode` every
            message that is `bytes`, so that a reader or a writer may spare the call. An optimisation for `raw` and its
            like; leave it false if in doubt.
    """

    name: ClassVar[str]
    api_version: ClassVar[int] = 1
    passthrough: ClassVar[bool] = False

    @abstractmethod
    def encode(self, message: Any) -> bytes:
        """Return the payload that stands for `message`. Neither keeps nor changes the message.

        Raises:
            EncodeError: the message is outside the codec's domain or over its limits.
        """

    @abstractmethod
    def decode(self, payload: bytes) -> Any:
        """Return the message that the whole `payload` stands for.

        Raises:
            DecodeError: the payload is damaged, has trailing bytes, or is over the codec's limits.
        """

    def encode_into(self, message: Any, buffer: bytearray) -> None:
        """Append the payload of `message` to `buffer`, which is left as it was if that fails.

        Raises:
            EncodeError: as `encode` does.
        """
        buffer += self.encode(message)

    def __repr__(self) -> str:
        options = ", ".join(f"{key}={value!r}" for key, value in vars(self).items() if not key.startswith("_"))
        return f"{type(self).__name__}({options})"


def checked_int(key: str, value: int, low: int, high: int) -> int:
    """Return the option's `value` if it is a whole number from `low` to `high`, both included.

    Raises:
        DefinitionError: it is out of range; `key`, `found` and `allowed` say more.
        TypeError: it is no `int` at all.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{key} takes an int, not {type(value).__name__}")
    if not low <= value <= high:
        raise DefinitionError(f"{key} is out of range", key=key, found=value, allowed=f"{low} to {high}")
    return value


def checked_bool(key: str, value: bool) -> bool:
    """Return the option's `value` if it is a bool.

    Raises:
        TypeError: it is anything else, also 0 or 1.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{key} takes a bool, not {type(value).__name__}")
    return value

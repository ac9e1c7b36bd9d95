"""The codec `raw`: a payload is its own message."""

from framing.codec import Codec
from framing.errors import EncodeError

__all__ = ["RawCodec"]


class RawCodec(Codec):
    """Bytes in, the same bytes out. Every payload is good, and so there are no trailing bytes to refuse.

    `encode` also takes `bytearray` and `memoryview`, which it copies; they come back as equal `bytes`. A memoryview of
    items other than bytes is refused, since `bytes` do not compare equal to it.

    >>> RawCodec().encode(bytearray(b"ab"))
    b'ab'
    """

    name = "raw"
    passthrough = True

    def encode(self, message: bytes | bytearray | memoryview) -> bytes:
        """Return `message` as bytes, without a copy if it is `bytes` already.

        Raises:
            EncodeError: it is neither `bytes`, `bytearray` nor a `memoryview` of bytes.
        """
        if type(message) is bytes:
            return message
        if not isinstance(message, bytes | bytearray | memoryview):
            # Neither bytes(5), five zero bytes, nor bytes([1, 2]), two bytes, is what the caller meant.
            raise EncodeError("only bytes can be sent raw", codec="raw", found=type(message).__name__)
        if isinstance(message, memoryview) and message.format != "B":
            raise EncodeError("only a view of bytes can be sent raw", codec="raw", found=message.format)
        return bytes(message)

    def decode(self, payload: bytes) -> bytes:
        """Return `payload` itself."""
        return payload

"""What the msgpack library says, in our words: one reason for both of its implementations, and the place.

The library's two implementations word the same error differently, name options that are not ours, and the pure-Python
one prints values. Nothing here runs unless something went wrong; payloads may be hostile even then, so the search for
the place is bounded.
"""

from collections.abc import Callable, Iterable
from typing import Any

from framing.errors import DecodeError, EncodeError

__all__ = ["DepthError", "DuplicateKeyError", "decode_error", "encode_error", "unread_error"]

_ODD_KEY = "a map key is neither text nor bytes"

# How many tokens an error's offset is worth: about 10 ms of Python.
PLACED_TOKENS = 16384

# Bytes behind the head of the tokens of a fixed size, and the width of the size field of the others. Heads that are in
# neither table are small integers, small arrays and maps: the head is all there is. [head | size field | type | data]
FIXED_SIZES = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
FIXED_SIZES |= {0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
SIZE_WIDTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
STRINGS = frozenset((*range(0xA0, 0xC0), 0xD9, 0xDA, 0xDB))
EXTENSIONS = frozenset((0xC7, 0xC8, 0xC9))

# First match wins; the text is the library's, of either implementation.
SAID = (
    ("incomplete", "the payload ends inside a value"),
    ("exceeds max_str", "the payload ends inside a value"),
    ("exceeds max_bin", "the payload ends inside a value"),
    ("exceeds max_ext", "the payload ends inside a value"),
    ("exceeds max_", "more items are announced than the payload holds or max_items allows"),
    ("map key", _ODD_KEY),
    ("unhashable", "a map key is an array or a map"),
    ("timestamp", "a timestamp is malformed"),
    ("nanoseconds", "a timestamp is malformed"),
    ("code must be", "an extension has a code that MessagePack reserves"),
)


class DuplicateKeyError(ValueError):
    """A map has the same key twice."""


class DepthError(ValueError):
    """More arrays and maps are inside each other than the codec's own limit."""


def decode_error(error: Exception, payload: bytes) -> DecodeError:
    """Return the `DecodeError` for what the library raised on `payload`."""
    offset = hint = None
    match type(error).__name__:
        case "ExtraData":
            reason = "bytes are left after the value"
            offset = len(payload) - len(error.extra)  # type: ignore[attr-defined]  # ExtraData has it
        case "OutOfData":
            reason, offset = SAID[0][1], len(payload)
        case "DuplicateKeyError":
            reason = "a map has the same key twice"
        case "StackError" | "RecursionError" | "DepthError":
            reason, hint = "arrays and maps are nested too deeply", "the option max_depth says how deep they may be"
        case "FormatError":
            reason, offset = "no MessagePack value starts like this", _place(payload)
        case "UnicodeDecodeError":
            reason, offset = "a string is not UTF-8", _place(payload)
        case _:
            reason = next((ours for theirs, ours in SAID if theirs in str(error).lower()), "this is not MessagePack")
            offset = len(payload) if reason == SAID[0][1] else None
            hint = "strict_map_key=False takes any key, for peers that are trusted" if reason == _ODD_KEY else None
    found = None if offset is None else payload[offset : offset + 16] or None
    return DecodeError(reason, codec="msgpack", offset=offset, found=found, hint=hint)


def encode_error(error: Exception, message: Any, open_packer: Callable[[], Any]) -> EncodeError:
    """Return the `EncodeError` for what a packer raised on `message`, with the path to the value that it choked on."""
    if isinstance(error, ValueError | RecursionError) and not isinstance(error, UnicodeError):
        return EncodeError("the message is too big, nested too deeply, or contains itself", codec="msgpack")
    path, value = _blame(message, open_packer)
    reason = "the value has no MessagePack form"
    hint = None
    if isinstance(error, OverflowError):
        reason = "the integer does not fit in 64 bits"
    elif isinstance(error, UnicodeError):
        reason = "the text has no UTF-8 form"
    elif isinstance(value, tuple):
        hint = "pass a list, or strict_types=False if it may come back as one"
    return EncodeError(reason, codec="msgpack", path=path or None, found=type(value).__name__, hint=hint)


def unread_error(error: DecodeError, message: Any) -> EncodeError:
    """Return the `EncodeError` for a message whose payload the codec itself would refuse to decode."""
    path, found = _odd_key(message) if error.reason == _ODD_KEY else ("", None)
    reason = f"it could not be read back: {error.reason}"
    return EncodeError(reason, codec="msgpack", path=path or None, found=found, hint=error.hint)


def _odd_key(message: Any) -> tuple[str, str | None]:
    """Return the path to the first map key that is neither text nor bytes, and its type."""
    boxes = [("", message)]
    for path, box in boxes:  # which grows while we look
        if isinstance(box, dict):
            for key in box:
                if not isinstance(key, str | bytes | memoryview):
                    return f"{path}.(key)".removeprefix("."), type(key).__name__
        if isinstance(box, list | tuple | dict):
            boxes += [(path + step, part) for step, part in _parts(box) if step != ".(key)"]
    return "", None


def _blame(message: Any, open_packer: Callable[[], Any]) -> tuple[str, Any]:
    path = ""
    while type(message) in (list, dict):
        for step, part in _parts(message):
            if _fails(open_packer, part):
                path, message = path + step, part
                break
        else:
            break
    return path.removeprefix("."), message


def _parts(box: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> Iterable[tuple[str, Any]]:
    if not isinstance(box, dict):
        yield from ((f"[{index}]", item) for index, item in enumerate(box))
        return
    for key, item in box.items():
        yield ".(key)", key
        yield f".{key}" if isinstance(key, str) else f"[{type(key).__name__}]", item


def _fails(open_packer: Callable[[], Any], part: Any) -> bool:
    try:
        open_packer().pack(part)
    except Exception:  # noqa: BLE001  whatever it is, this is the part that we look for
        return True
    return False


def _place(payload: bytes) -> int | None:
    """Return the offset of the first byte that cannot be right, unless it is too far to look for."""
    offset = 0
    for _ in range(PLACED_TOKENS):
        if offset >= len(payload) or payload[offset] == 0xC1:
            break
        head = payload[offset]
        start, end = _extent(payload, offset, head)
        if head in STRINGS:
            try:
                payload[start:end].decode()
            except UnicodeDecodeError as error:
                return start + error.start
        offset = end
    else:
        return None
    return offset if offset < len(payload) else None


def _extent(payload: bytes, offset: int, head: int) -> tuple[int, int]:
    """Return where the data of the token at `offset` start and end."""
    width = SIZE_WIDTHS.get(head, 0)
    start = offset + 1 + width + (head in EXTENSIONS)
    if width:
        return start, start + int.from_bytes(payload[offset + 1 : offset + 1 + width])
    return start, start + (head & 0x1F if 0xA0 <= head <= 0xBF else FIXED_SIZES.get(head, 0))

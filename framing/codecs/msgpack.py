"""The codec `msgpack`: MessagePack, strictly.

The library does the work; this module closes what it leaves open. Each cost is paid only by those it concerns:

- decode, payloads no bigger than `max_depth`: a comparison. They cannot nest too deeply.
- decode, up to 8 KiB: a look at the items of a small flat message; for the others the bytes that could open a container
  are counted, and mostly there are too few to nest too deeply.
- decode, beyond: `skip` reads the structure once, at C speed and building nothing. It takes a tenth of the time of
  decoding where there are many items, and next to none for large strings.
- encode: the payload is read back, so that nothing leaves that the same codec would refuse. A look from Python at every
  key would take longer than that.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from framing.codec import Codec, checked_bool, checked_int
from framing.codecs.msgpack_errors import DepthError, DuplicateKeyError, decode_error, encode_error, unread_error
from framing.errors import PluginLoadError

__all__ = ["MsgpackCodec"]

# The library's pure-Python twin needs two Python frames a level, and Python allows 1000 in all.
DEEPEST = 400

# The C library refuses more containers inside each other than this. Reading a payload behind the right number of array
# heads makes any smaller limit of it; looking for the depth from Python would double the time of decoding.
STACK_SIZE = 1024

# Above this size `skip` is faster than counting bytes.
COUNTED_SIZE = 8192

# The C library allocates the list that an array head announces, bounded by the payload's size only, and does so again
# for each array inside: 1 MiB of heads had it allocate 8 GiB. More arrays than this are read by `skip` first.
UNCHECKED_ARRAYS = 8

# All heads but those of arrays (0x9., 0xdc, 0xdd) and maps (0x8., 0xde, 0xdf).
NO_CONTAINERS = bytes(head for head in range(256) if not (0x80 <= head <= 0x9F or 0xDC <= head <= 0xDF))

SCALARS = frozenset((bytes, str, int, float, bool, type(None)))
BOXES = frozenset((list, dict))

# Up to this many items are looked at one by one rather than the payload's bytes.
FEW_ITEMS = 8


class MsgpackCodec(Codec):
    """MessagePack payloads as None, bool, int, float, str, bytes, list, dict, `msgpack.Timestamp`, `msgpack.ExtType`.

    Whatever `encode` accepts comes back equal [C3]. So it refuses what would not: tuples (MessagePack has only arrays,
    which come back as lists) and subclasses such as `IntEnum` and `OrderedDict`, unless `strict_types` is off.
    `bytearray` and `memoryview` come back as equal `bytes`, NaN as NaN. Integers have 64 bits, signed or unsigned;
    floats are written with 64 bits. `Timestamp` keeps its nanoseconds; `datetime` is refused, since only you know which
    precision it means: see `Timestamp.from_datetime`. Application types are `ExtType(code, data)`, uninterpreted; the
    negative codes, which MessagePack reserves, are refused except the timestamp's.

    Text that is not UTF-8 is refused both ways. The last of duplicate map keys wins, as in the library, unless
    `unique_keys`. An announced item is refused if its bytes are not there, so a payload's size bounds its items.

    Args:
        max_depth: how many arrays and maps may be inside each other, at most 400.
        max_items: how many items one array, or pairs one map, may have.
        strict_map_key: only text and bytes are map keys. Others can be chosen so that they collide in a dict and one
            payload costs quadratic time: allow them for peers that you trust.
        strict_types: refuse tuples and subclasses rather than write what comes back as something else.
        unique_keys: refuse duplicate map keys; maps then take about twice as long to decode.

    Raises:
        DefinitionError: a limit is out of range.
        PluginLoadError: the library is not installed.

    >>> codec = MsgpackCodec(max_depth=2)
    >>> codec.decode(codec.encode({"id": 7, "tags": ["a", "b"]}))
    {'id': 7, 'tags': ['a', 'b']}
    >>> codec.encode({"rows": [{"at": (1, 2)}]})
    Traceback (most recent call last):
    framing.errors.EncodeError: the value has no MessagePack form (codec msgpack, path rows[0].at, found tuple); \
pass a list, or strict_types=False if it may come back as one
    """

    name = "msgpack"

    def __init__(
        self,
        *,
        max_depth: int = 128,
        max_items: int = 2**20,
        strict_map_key: bool = True,
        strict_types: bool = True,
        unique_keys: bool = False,
    ) -> None:
        self.max_depth = checked_int("max_depth", max_depth, 1, DEEPEST)
        self.max_items = checked_int("max_items", max_items, 1, 2**32 - 1)
        self.strict_map_key = checked_bool("strict_map_key", strict_map_key)
        self.strict_types = checked_bool("strict_types", strict_types)
        self.unique_keys = checked_bool("unique_keys", unique_keys)
        try:
            import msgpack
        except ImportError as error:
            reason = "the codec msgpack needs the library msgpack"
            raise PluginLoadError(reason, group="framing.codecs.v1", hint="pip install msgpack") from error
        self._open_unpacker = msgpack.Unpacker
        self._open_packer = msgpack.Packer
        # A bare function is a third faster than a partial, and these options are the library's defaults.
        options = {} if strict_map_key else {"strict_map_key": False}
        hook = {"object_pairs_hook": _unique_dict} if unique_keys else {}
        self._unpack = partial(msgpack.unpackb, **options, **hook) if options or hook else msgpack.unpackb
        self._head_start = b"\x91" * (STACK_SIZE - max_depth) if _has_stack(msgpack.Unpacker) else None
        self._small_size = min(self.max_depth, self.max_items)

    def encode(self, message: Any) -> bytes:
        """Return `message` as MessagePack.

        Raises:
            EncodeError: some value has no MessagePack form that would come back, or is over a limit.
        """
        try:
            # A packer for each message: one that is kept would keep the memory of the biggest one, too. No partial,
            # which makes a small message a quarter dearer.
            payload: bytes = self._open_packer(strict_types=self.strict_types).pack(message)
        except Exception as error:
            raise encode_error(error, message, partial(self._open_packer, strict_types=self.strict_types)) from error
        if type(message) in SCALARS:
            return payload
        try:
            if len(payload) <= self._small_size:
                self._unpack(payload)
            else:
                self._unpack_checked(payload)
        except Exception as error:
            raise unread_error(decode_error(error, payload), message) from error
        return payload

    def decode(self, payload: bytes) -> Any:
        """Return the object that `payload` describes.

        Raises:
            DecodeError: it is not MessagePack, has bytes left over or missing, or is over a limit.
        """
        try:
            if len(payload) <= self._small_size:
                return self._unpack(payload)
            return self._decode_large(payload)
        except Exception as error:
            if not isinstance(payload, bytes):
                raise TypeError(f"decode takes bytes, not {type(payload).__name__}") from error
            raise decode_error(error, payload) from error

    def _decode_large(self, payload: bytes) -> Any:
        size = len(payload)
        if self._head_start is not None and (size > COUNTED_SIZE or _arrays(payload) > UNCHECKED_ARRAYS):
            self._skip(payload)
            return self._unpack(payload, **self._limits(size))
        return self._unpack_checked(payload)

    def _unpack_checked(self, payload: bytes) -> Any:
        # What we have packed ourselves announces no more than it has, so that nothing need be skipped before.
        size = len(payload)
        message = self._unpack(payload, **self._limits(size))
        if not _is_flat(message) and (
            size > COUNTED_SIZE or len(payload.translate(None, NO_CONTAINERS)) > self.max_depth
        ):
            self._check_depth(payload, message)
        return message

    def _skip(self, payload: bytes) -> None:
        # [C7] Meets too deep nesting, and the end of a payload that announces more than it has, and builds nothing.
        unpacker = self._open_unpacker(max_buffer_size=len(payload) + STACK_SIZE)
        unpacker.feed(self._head_start)
        unpacker.feed(payload)
        unpacker.skip()

    def _check_depth(self, payload: bytes, message: Any) -> None:
        if self._head_start is not None:
            self._skip(payload)
        elif _depth(message, self.max_depth + 1) > self.max_depth:
            raise DepthError

    def _limits(self, size: int) -> dict[str, int]:
        if size <= self.max_items:
            return {}
        return {"max_array_len": self.max_items, "max_map_len": min(self.max_items, size // 2)}


def _has_stack(open_unpacker: Any) -> bool:
    # The pure-Python twin uses Python's stack, and how much of that is left depends on the caller.
    return not _overflows(open_unpacker, STACK_SIZE) and _overflows(open_unpacker, STACK_SIZE + 1)


def _overflows(open_unpacker: Any, depth: int) -> bool:
    unpacker = open_unpacker()
    unpacker.feed(b"\x91" * depth + b"\xc0")
    try:
        unpacker.skip()
    except (ValueError, RecursionError):
        return True
    return False


def _arrays(payload: bytes) -> int:
    # `in` is twenty times as fast as `count`, and large arrays are rare.
    return (0xDC in payload and payload.count(0xDC)) + (0xDD in payload and payload.count(0xDD))


def _unique_dict(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    # The C library hands over a list, its pure-Python twin used to hand over a generator.
    pairs = list(pairs)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKeyError
    return found


def _is_flat(message: Any) -> bool:
    items = _items(message)
    return len(items) <= FEW_ITEMS and BOXES.isdisjoint(map(type, items))


def _depth(message: Any, enough: int) -> int:
    level = [message] if type(message) in BOXES else []
    for depth in range(enough):
        if not level:
            return depth
        level = [item for box in level for item in _items(box) if type(item) in BOXES]
    return enough


def _items(box: Any) -> Any:
    # Keys need no look: what hashes contains neither list nor dict.
    return box.values() if type(box) is dict else box if type(box) is list else ()

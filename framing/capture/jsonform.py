"""One JSON form for everything that a codec may return, and back.

    None True 7 1.5 "text" [1, 2] {"a": 1}      themselves, as long as every JSON reader understands them alike
    b"\\x01"                                     {"$bytes": "AQ=="}
    float("nan"), float("-inf")                 {"$float": "NaN"}, {"$float": "-Infinity"}
    2**53                                       {"$int": "9007199254740992"}
    {1: 2}, {"$a": 1}                           {"$map": [[1, 2]]}, {"$map": [["$a", 1]]}
    Message(value, type=81)                     {"$message": value, "type": 81}
    msgpack's Timestamp, ExtType                {"$timestamp": [seconds, nanoseconds]}, {"$ext": [code, "<base64>"]}
    anything else                               {"$repr": "<Thing>"}, which does not come back

A key that begins with `$` stands in none of our plain objects, so a reader can always tell. Spec: [R10] to [R19].
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any

from framing.wire import Message

__all__ = ["fields_to_json", "from_json", "to_json"]

# [R13] The largest integer that a reader with 64-bit floats alone, such as JavaScript, takes for itself and no other.
_SAFE_INTEGER = 2**53 - 1

# [R18] A repr is for people; nobody reads more than this of one.
_REPR_LENGTH = 1000

# [R19] As deep as the codec msgpack goes by default. A level costs three of Python's 1000 frames here, and three of the
# 256 to 10000 levels that readers of JSON take.
_MAX_DEPTH = 128

_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_json(value: Any) -> Any:
    """Return what `json.dumps(…, allow_nan=False)` can write, by the rules above.

    >>> to_json({"id": 7, "raw": b"\\x00\\xff", 3: (1, 2)})
    {'$map': [['id', 7], ['raw', {'$bytes': 'AP8='}], [3, [1, 2]]]}

    Tuples become arrays, as lists do: no payload knows the difference. What lies deeper than 128 levels is shown, not
    written.
    """
    return _form(value, _MAX_DEPTH)


def fields_to_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the forms of header fields by their names, of which most are small integers, and none begins with `$`."""
    return _fields(fields, _MAX_DEPTH)


def from_json(form: Any) -> Any:
    """Return the value that `to_json` made a form of. In a map's keys, arrays come back as tuples.

    >>> from_json({"$map": [[1, {"$bytes": "AP8="}]]})
    {1: b'\\x00\\xff'}

    Raises:
        ValueError: an object with a `$` that is none of these forms.
    """
    if isinstance(form, list):
        return [from_json(item) for item in form]
    if not isinstance(form, dict):
        return form
    tags = [key for key in form if key.startswith("$")]
    if not tags:
        return {key: from_json(item) for key, item in form.items()}
    if tags == ["$message"]:
        fields = {key: from_json(item) for key, item in form.items() if key != "$message"}
        return Message(from_json(form["$message"]), **fields)
    if len(form) > 1 or tags[0] not in _READERS:
        raise ValueError(f"{', '.join(sorted(form))} make no form of a value; the forms are {', '.join(_READERS)}")
    return _read(tags[0], form[tags[0]])


def _form(value: Any, depth: int) -> Any:
    scalar = _SCALARS.get(type(value))
    if scalar:
        return scalar(value)
    if not depth:
        return _repr(value)
    box = _BOXES.get(type(value))
    return box(value, depth - 1) if box else _other(value, depth)


def _same(value: Any) -> Any:
    return value


def _integer(value: int) -> Any:
    return value if -_SAFE_INTEGER <= value <= _SAFE_INTEGER else {"$int": _digits(value)}


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write more than 4300 decimal digits, because that takes quadratic time
        return hex(value)


def _float(value: float) -> Any:
    if math.isfinite(value):
        return value
    return {"$float": "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"}


def _bytes(value: bytes | bytearray | memoryview) -> Any:
    return {"$bytes": b64encode(value).decode("ascii")}


def _list(value: Any, depth: int) -> Any:
    return [_form(item, depth) for item in value]


def _map(value: dict[Any, Any], depth: int) -> Any:
    if all(isinstance(key, str) and key[:1] != "$" for key in value):
        return {str.__str__(key): _form(item, depth) for key, item in value.items()}
    return {"$map": [[_form(key, depth), _form(item, depth)] for key, item in value.items()]}


def _message(value: Message, depth: int) -> Any:
    return {"$message": _form(value.value, depth), **_fields(value.fields, depth)}


def _fields(fields: Mapping[str, Any], depth: int) -> dict[str, Any]:
    small = _SAFE_INTEGER
    return {
        name: one if type(one) is int and -small <= one <= small else _form(one, depth) for name, one in fields.items()
    }


def _other(value: Any, depth: int) -> Any:
    """Find the form of a subclass (construct's containers and enumerations are such), or of a library's own class."""
    for kind, plain in _SUBCLASSES:
        if isinstance(value, kind):
            return _form(plain(value), depth)
    # By name: whoever has such an object has the library, and nobody else shall need it.
    name = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
    if name == "msgpack.Timestamp":
        return {"$timestamp": [_integer(value.seconds), value.nanoseconds]}
    if name == "msgpack.ExtType":
        return {"$ext": [value.code, b64encode(value.data).decode("ascii")]}
    return _list(value, depth - 1) if isinstance(value, tuple) else _repr(value)


def _repr(value: Any) -> Any:
    try:
        return {"$repr": repr(value)[:_REPR_LENGTH]}
    except RecursionError:
        return {"$repr": f"<{type(value).__name__} nested too deeply>"}


_SCALARS: dict[type, Callable[[Any], Any]] = {
    type(None): _same,
    bool: _same,
    str: _same,
    int: _integer,
    float: _float,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
}
_BOXES: dict[type, Callable[[Any, int], Any]] = {list: _list, tuple: _list, dict: _map, Message: _message}

# Subclass → what it is without its name and methods. `str` before `int`: construct has names of numbers that are text.
_SUBCLASSES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (dict, lambda value: dict(value.items())),
    (list, list),
    (str, str.__str__),
    (float, float.__float__),
    (int, int.__int__),
    (bytes, bytes),
)


def _read(tag: str, content: Any) -> Any:
    try:
        return _READERS[tag](content)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"{content!r:.80} is no content for {tag}") from error


def _read_map(content: Any) -> Any:
    return {_hashable(from_json(key)): from_json(item) for key, item in content}


def _hashable(key: Any) -> Any:
    return tuple(map(_hashable, key)) if isinstance(key, list) else key


def _read_timestamp(content: Any) -> Any:
    from msgpack import Timestamp

    seconds, nanoseconds = content
    return Timestamp(from_json(seconds), nanoseconds)


def _read_ext(content: Any) -> Any:
    from msgpack import ExtType

    code, data = content
    return ExtType(code, _read_bytes(data))


def _read_bytes(content: Any) -> bytes:
    return b64decode(content, validate=True)


_READERS: dict[str, Callable[[Any], Any]] = {
    "$bytes": _read_bytes,
    "$float": _FLOATS.__getitem__,
    "$int": lambda content: int(content, 0),
    "$map": _read_map,
    "$timestamp": _read_timestamp,
    "$ext": _read_ext,
}

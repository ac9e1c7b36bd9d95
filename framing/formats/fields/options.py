"""Options that are no plain number or text: of several parts, and bytes.

byteorder = {field = "flags", mask = 1, little = 1}        a table in a definition file
byteorder="field=flags mask=1 little=1"                    words in a shorthand
delimiters = "0xf6"                                        bytes, in both
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError
from framing.frame import check_option

__all__ = ["bytes_option", "table_option"]


def bytes_option(key: str, value: object) -> bytes:
    """Return an option that is bytes, or text that stands for them: `0x` and hex digits, or else its UTF-8.

    >>> bytes_option("delimiters", "0xf6"), bytes_option("delimiters", "end"), bytes_option("delimiters", b"0x")
    (b'\xf6', b'end', b'0x')

    Args:
        key: the option's name.
        value: what was given.

    Raises:
        DefinitionError: `0x` with something else behind it, or text that has no UTF-8.
        TypeError: `value` is neither bytes nor text.
    """
    check_option(key, value, bytes, str)
    if isinstance(value, bytes):
        return value
    text = str(value)
    try:
        return bytes.fromhex(text[2:]) if text[:2] == "0x" else text.encode()
    except UnicodeEncodeError as error:
        raise DefinitionError("half a surrogate pair has no UTF-8", key=key, found=ascii(text)) from error
    except ValueError as error:
        allowed = "0x and pairs of hex digits, or text"
        raise DefinitionError("not a constant", key=key, found=text, allowed=allowed) from error


def table_option(key: str, value: object, kinds: Mapping[str, type], needed: tuple[str, ...]) -> dict[str, Any]:
    """Return an option's parts.

    >>> table_option("byteorder", "field=endian little=0x6c", {"field": str, "little": int}, ("field",))
    {'field': 'endian', 'little': 108}

    Args:
        key: the option's name.
        value: a table, or a text of words.
        kinds: the type of each part that there can be.
        needed: those that must be there.

    Raises:
        DefinitionError: a part is unknown, missing or of the wrong type.
        TypeError: `value` is neither.
    """
    check_option(key, value, str, Mapping)
    parts = _words(key, value, kinds) if isinstance(value, str) else dict(value)  # type: ignore[call-overload]  # a mapping
    allowed = ", ".join(f"{name} ({kind.__name__})" for name, kind in kinds.items())
    for name, part in parts.items():
        if name not in kinds or type(part) is not kinds[name]:
            reason = f"{name} has the wrong type" if name in kinds else f"{key} has no part {name}"
            raise DefinitionError(reason, key=key, found=part if name in kinds else name, allowed=allowed)
    for name in needed:
        if name not in parts:
            raise DefinitionError(f"{key} lacks its {name}", key=key, found=value, allowed=allowed)
    return parts


def _words(key: str, text: str, kinds: Mapping[str, type]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    position = 0
    for word in text.split():
        position = text.index(word, position)
        name, equals, value = word.partition("=")
        if not equals or name in parts:
            reason = "a part is given twice" if equals else "a part needs a value"
            allowed = "name=value, each name once"
            raise DefinitionError(reason, source=text, key=key, position=position, found=word, allowed=allowed)
        parts[name] = _number(value) if kinds.get(name) is int else value
        position += len(word)
    return parts


def _number(text: str) -> int | str:
    digits = text.removeprefix("0x")
    base = 10 if digits == text else 16
    # Twenty digits are more than 64 bits have; int() takes quadratic time on a long run of them.
    known = "0123456789abcdefABCDEF"[: 10 if base == 10 else None]
    is_number = 0 < len(digits) <= 20 and all(digit in known for digit in digits)
    return int(digits, base) if is_number else text

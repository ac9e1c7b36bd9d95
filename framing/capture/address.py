"""IP addresses as people write them. By hand: `ipaddress` takes longer to import than all of this package."""

from struct import unpack

__all__ = ["format_address", "format_endpoint"]


def format_address(address: bytes) -> str:
    """Return an IPv4 or IPv6 address in its usual form, the one of RFC 5952 for IPv6.

    >>> format_address(bytes([10, 0, 0, 5]))
    '10.0.0.5'
    >>> format_address(bytes.fromhex("20010db8000000000000000000000001"))
    '2001:db8::1'
    """
    if len(address) == 4:
        return ".".join(map(str, address))
    groups = [f"{group:x}" for group in unpack(">8H", address)]
    start, size = _longest_zeros(groups)
    if size < 2:
        return ":".join(groups)
    return ":".join(groups[:start]) + "::" + ":".join(groups[start + size :])


def format_endpoint(address: bytes, port: int) -> str:
    """Return address and port, with an IPv6 address in brackets.

    >>> format_endpoint(bytes(15) + bytes([1]), 80)
    '[::1]:80'
    """
    text = format_address(address)
    return f"[{text}]:{port}" if len(address) == 16 else f"{text}:{port}"


def _longest_zeros(groups: list[str]) -> tuple[int, int]:
    """Return start and length of the longest run of zero groups, the first of several."""
    best = start = size = 0
    for index, group in enumerate(groups):
        size = size + 1 if group == "0" else 0
        if size > best:
            best, start = size, index + 1 - size
    return start, best

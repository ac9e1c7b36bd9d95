"""Two escape sequences, one for the byte that ends frames and one for the escape itself: SLIP's and HDLC's.

                            SLIP     HDLC
ends a frame                c0       7e
begins a sequence           db       7d
stands for the first one    db dc    7d 5e
stands for the second one   db dd    7d 5d
"""

import re
from collections.abc import Callable
from typing import Any

__all__ = ["Escapes"]


class Escapes:
    """How two bytes are kept out of what is sent.

    >>> slip = Escapes(b"\\xc0", b"\\xdb", for_flag=b"\\xdb\\xdc", for_escape=b"\\xdb\\xdd")
    >>> slip.done(b"\\xdb\\xdc").hex(" "), slip.undone(b"\\xdb\\xdd\\xdc").hex(" ")
    ('db dd dc', 'db dc')

    Args:
        flag, escape: the two bytes.
        for_flag, for_escape: what is sent for them: the escape and another byte.
    """

    __slots__ = ("_odd", "escape", "flag", "for_escape", "for_flag")

    def __init__(self, flag: bytes, escape: bytes, *, for_flag: bytes, for_escape: bytes) -> None:
        self.flag, self.escape = flag, escape
        self.for_flag, self.for_escape = for_flag, for_escape
        self._odd = re.compile(b"%b(?!%b)" % (re.escape(escape), re.escape(for_escape[1:]))).search

    def done(self, data: bytes) -> bytes:
        """Return the data with sequences in the bytes' place."""
        # In this order: what the first step writes has no flag in it.
        return data.replace(self.escape, self.for_escape).replace(self.flag, self.for_flag)

    def undone(self, content: bytes) -> bytes:
        """Return the content with the bytes in the sequences' place. An escape that begins neither of them stays."""
        # In this order: no escape comes into being before the last step.
        return content.replace(self.for_flag, self.flag).replace(self.for_escape, self.escape)

    def undone_many(self, contents: list[bytes]) -> list[bytes] | None:
        """Do the same for several, none of which has a flag; `None`: one has an escape that begins neither sequence.

        Of random bytes a frame in three has something to undo, and looking for two bytes is most of the time: so each
        is only looked for where its second byte is. What has no escape left after the first step has had no other.
        """
        flag, escape, for_flag, for_escape = self.flag, self.escape, self.for_flag, self.for_escape
        mark, second = escape[0], for_flag[1]  # to look for an integer takes half the time
        halves: list[bytes] = []
        note: Callable[[bytes], Any] = halves.append  # returns nothing, which is false
        datas: list[bytes] = [
            content
            if mark not in content
            else half
            if mark not in (half := content.replace(for_flag, flag) if second in content else content)
            else note(half) or half.replace(for_escape, escape)
            for content in contents
        ]
        # A flag behind each: an escape at the end of one is none of what the next begins with.
        return None if halves and self._odd(flag.join([*halves, b""])) else datas

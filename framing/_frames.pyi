from framing.frame import Frame

class Header:
    def __new__(
        cls,
        offset: int,
        size: int,
        is_big: bool,
        header_size: int,
        base: int,
        least: int,
        most: int,
        constants: tuple[tuple[int, tuple[bytes, ...]], ...],
        /,
    ) -> Header: ...
    def scan(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes], /) -> int: ...
    def scan_frames(
        self, buffer: bytes, start: int, end: int, limit: int, out: list[Frame], base: int, frame_class: type[Frame], /
    ) -> int: ...

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from framing.store import ChunkStore

# By default an example that takes longer than 200 ms fails, and no test asserts a time: a busy machine is no defect.
settings.register_profile("framewire", deadline=None)
settings.load_profile("framewire")


class Site:
    """A directory on sys.path to install small distributions into, as site-packages is."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def install(self, name, entry_points, *, version="1.0", files=None):
        """Lay out what pip would: metadata, entry points (group → lines) and files (path → text)."""
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        lines = [line for group, text in entry_points.items() for line in (f"[{group}]", *text.splitlines())]
        self.write(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: not me\n")
        self.write(f"{info}/entry_points.txt", "\n".join(lines))
        for path, text in (files or {}).items():
            self.write(path, text)

    def write(self, path, text):
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
        importlib.invalidate_caches()


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.delenv("FRAMING_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    yield Site(tmp_path)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


class CountedStore(ChunkStore):
    """Counts the bytes that are copied to bring chunks together."""

    __slots__ = ("copied_size",)

    def __init__(self, offset=0):
        super().__init__(offset)
        self.copied_size = 0

    def gather(self, *, once):
        waiting_size = self.waiting_size
        super().gather(once=once)
        if type(self.buffer) is bytearray:
            self.copied_size += waiting_size

    def take_large(self, size, first):
        taken = super().take_large(size, first)
        self.copied_size += len(taken or b"")
        return taken

    def _replace(self, buffer):
        if not any(buffer is chunk for chunk in self._chunks):
            self.copied_size += len(buffer)
        super()._replace(buffer)


@pytest.fixture
def counted_store():
    return CountedStore()

import inspect

import pytest

from framing import errors
from framing.cli import exits
from framing.cli.exits import exit_code, single
from framing.errors import (
    AmbiguousNameError,
    CaptureFileError,
    ChecksumError,
    DecodeError,
    DefinitionError,
    EncodeError,
    FramingError,
    HeaderError,
    PluginLoadError,
    StreamGapError,
    TruncatedFrameError,
    UnknownNameError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BrokenPipeError(), 0),
        (FileNotFoundError(), 1),
        (ConnectionRefusedError(), 1),
        (PermissionError(), 1),
        (CaptureFileError("no capture"), 1),
        (UnknownNameError("who"), 2),
        (AmbiguousNameError("which"), 2),
        (DefinitionError("no"), 2),
        (HeaderError("bad"), 3),
        (ChecksumError("bad"), 3),
        (DecodeError("bad"), 3),
        (EncodeError("bad"), 3),
        (StreamGapError("gone"), 3),
        (TruncatedFrameError("half"), 4),
        (CaptureFileError("half", truncated=True), 4),
        (PluginLoadError("broken"), 5),
        (TimeoutError(), 124),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_error_has_its_code(error, code):
    assert exit_code(error) == code


@pytest.mark.parametrize("bug", [ValueError(), TypeError(), RuntimeError(), AssertionError(), MemoryError()])
def test_a_bug_has_none(bug):
    assert exit_code(bug) is None


def test_every_error_of_ours_has_a_code():
    ours = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, FramingError)]

    assert len(ours) > 15
    assert [kind for kind in ours if exit_code(kind("it")) is None] == []


def test_the_codes_are_told_apart():
    codes = [getattr(exits, name) for name in exits.__all__ if name.isupper()]

    assert sorted(codes) == [0, 1, 2, 3, 4, 5, 124, 130]


def test_a_group_of_one_is_the_one_it_holds():
    inner = HeaderError("bad")

    assert single(ExceptionGroup("outer", [ExceptionGroup("inner", [inner])])) is inner


def test_a_group_of_several_stays_a_group():
    group = ExceptionGroup("two", [HeaderError("bad"), OSError()])

    assert single(group) is group
    assert exit_code(group) is None


def test_an_interrupt_counts_for_its_whole_group():
    interrupt = KeyboardInterrupt()
    group = BaseExceptionGroup("two", [OSError(), BaseExceptionGroup("deep", [ValueError(), interrupt])])

    assert single(group) is interrupt

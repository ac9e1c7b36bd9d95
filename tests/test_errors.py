"""Errors: facts as attributes, one text, and they travel between processes."""

import copy
import pickle

import pytest

from framing import errors
from framing.errors import DecodeError, DefinitionError, FrameTooLargeError, FramingError, HeaderError, StreamGapError

CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_keeps_its_facts_through_a_pickle(cls):
    facts = {name: index for index, name in enumerate(cls.facts)}
    error = cls("something is wrong", **facts)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is cls
        assert str(twin) == str(error)
        assert {name: getattr(twin, name) for name in cls.facts} == facts


@pytest.mark.parametrize("cls", CLASSES)
def test_facts_that_are_not_given_are_none_and_stay_out_of_the_text(cls):
    error = cls("something is wrong")
    assert all(getattr(error, name) is None for name in cls.facts)
    assert str(error) == "something is wrong"


@pytest.mark.parametrize("cls", CLASSES)
def test_a_fact_that_the_class_does_not_have_is_a_mistake_in_the_program(cls):
    with pytest.raises(TypeError, match="has no colour"):
        cls("something is wrong", colour="red")


def test_the_text_is_made_when_it_is_read_so_that_a_caller_can_add_what_it_knows():
    error = FrameTooLargeError("a frame is too large", frame_size=500, max_frame_size=100, hint="raise max_frame_size")
    error.offset = 4096
    error.flow = "a>b"
    assert str(error) == (
        "a frame is too large (offset 4096, frame size 500, max frame size 100, flow a>b); raise max_frame_size"
    )


def test_at_most_32_bytes_are_shown_and_as_hex():
    assert str(HeaderError("bad", found=b"ab")) == "bad (found 61 62)"
    text = str(DecodeError("bad", found=b"\x1b" * 1000))
    assert text == f"bad (found {'1b ' * 32}… (1000 bytes))"
    assert "\x1b" not in text
    assert str(HeaderError("bad", found=b"")) == "bad (found nothing)"


def test_alternatives_are_shown_side_by_side():
    assert str(HeaderError("bad", expected=("0xfe", b"\xfd"))) == "bad (expected 0xfe | fd)"


def test_the_tree_is_what_callers_can_do_next():
    tree = {cls.__name__: cls.__mro__[1].__name__ for cls in CLASSES}
    assert tree == {
        "FramingError": "Exception",
        "FrameError": "FramingError",
        "HeaderError": "FrameError",
        "FrameTooLargeError": "FrameError",
        "TruncatedFrameError": "FrameError",
        "ChecksumError": "FrameError",
        "CodecError": "FramingError",
        "DecodeError": "CodecError",
        "EncodeError": "CodecError",
        "RegistryError": "FramingError",
        "UnknownNameError": "RegistryError",
        "AmbiguousNameError": "RegistryError",
        "PluginLoadError": "RegistryError",
        "DefinitionError": "FramingError",
        "CaptureError": "FramingError",
        "CaptureFileError": "CaptureError",
        "StreamGapError": "CaptureError",
    }


def test_every_error_of_a_group_answers_for_the_groups_attributes():
    for cls in CLASSES:
        for name in cls.__mro__[1].facts if issubclass(cls.__mro__[1], FramingError) else ():
            assert hasattr(cls("something is wrong"), name), (cls, name)
    assert StreamGapError("a gap", gap_size=3).offset is None


def test_a_number_that_python_will_not_write_has_a_text_too():
    error = DefinitionError("too large", found=(1 << 20000) - 1)

    assert str(error) == "too large (found an integer of 20000 bits)"

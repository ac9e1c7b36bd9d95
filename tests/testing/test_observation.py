import gc
import sys
import time
import tracemalloc

import pytest

from framing.testing.observation import outside_calls, peak_memory


def test_calls_outside_are_seen() -> None:
    assert outside_calls(lambda: (time.time(), len("a"))) == ["time.time"]
    assert outside_calls(lambda: len("a")) == []


def test_the_previous_profile_function_comes_back_even_after_an_error() -> None:
    def watch(*_: object) -> None:
        return

    sys.setprofile(watch)
    try:
        with pytest.raises(ZeroDivisionError):
            outside_calls(lambda: 1 // 0)
        assert sys.getprofile() is watch
    finally:
        sys.setprofile(None)


def test_memory_that_was_given_back_counts() -> None:
    assert 10**6 < peak_memory(lambda: len(bytes(10**6))) < 2 * 10**6
    assert peak_memory(lambda: None) < 10**4


def test_tracing_goes_on_for_who_began_it() -> None:
    tracemalloc.start()
    try:
        peak_memory(lambda: None)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    peak_memory(lambda: None)
    assert not tracemalloc.is_tracing()


def test_a_collection_on_the_way_is_nobodys_call():
    gc.callbacks.append(lambda *_: time.perf_counter())
    try:
        assert outside_calls(lambda: [[number] for number in range(100_000)]) == []
        assert gc.isenabled()
    finally:
        gc.callbacks.pop()

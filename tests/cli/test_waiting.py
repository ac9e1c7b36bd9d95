import pytest

from framing import CaptureError
from framing.cli.waiting import Waiting

PROBLEM = CaptureError("this capture has no flow on port 9092", found="ports 80")


@pytest.fixture
def told():
    return []


@pytest.fixture
def waiting(told, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    return Waiting("some.pcap", told.append)


def test_it_says_once_that_there_is_nothing_yet(waiting, told):
    assert [waiting(None), waiting(None)] == [True, True]
    assert told == ["nothing to show yet, waiting for more of some.pcap"]


def test_it_says_once_that_what_is_there_is_something_else(waiting, told):
    waiting(None)
    waiting(PROBLEM)
    waiting(CaptureError("this capture has no flow on port 9092", found="ports 80, 443"))

    assert told[1:] == [f"nothing to show yet, waiting for more of some.pcap: {PROBLEM}"]


def test_who_sees_frames_does_not_wonder(waiting, told):
    waiting.is_fruitful = True
    waiting(None)

    assert told == []


def test_an_interrupt_is_the_end_of_the_file(waiting, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupted)

    assert waiting(None) is False
    assert waiting.is_interrupted

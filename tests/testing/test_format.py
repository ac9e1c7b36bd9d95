"""Each step of `check_format` is met by a format that breaks the contract there and nowhere else."""

import copy

import pytest

from framing import EncodeError, FrameFormat, FrameTooLargeError, HeaderError
from framing.testing import check_format


class Good(FrameFormat):
    """A mark, a type, one byte of length, the payload: good in every way."""

    name = "good"
    min_size = 3
    max_frame_size = 255
    field_names = ("type",)
    header_names = ("type", "length")

    def measure(self, buffer, start, end):
        if end - start < 3:
            return None
        if buffer[start] != 0xA5:
            raise HeaderError("no mark", offset=start, field="mark")
        return 3 + buffer[start + 2]

    def bounds(self, buffer, start, end):
        return start + 3, end

    def header(self, data):
        return {"type": data[1], "length": data[2]}

    def serialize(self, payload, fields=None):
        if not fields or set(fields) != {"type"}:
            raise EncodeError("type is missing")
        self.check_size(3 + len(payload))
        return bytes((0xA5, fields["type"], len(payload))) + payload


def test_a_good_format_passes():
    check_format(Good(), fields={"type": 7})
    check_format(Good(), [b"", b"abc"], fields={"type": 7})


def test_payloads_that_are_given_must_be_accepted():
    with pytest.raises(FrameTooLargeError):
        check_format(Good(), [b"x" * 300], fields={"type": 7})
    with pytest.raises(AssertionError, match="refuses every payload"):
        check_format(Good())


def test_a_class_is_no_format():
    with pytest.raises(TypeError, match="takes a FrameFormat that was made, not <class"):
        check_format(Good)


class NeedsAllOfTheHeader(Good):
    def measure(self, buffer, start, end):
        if buffer[start] != 0xA5:
            raise HeaderError("no mark", offset=start, field="mark")
        return 3 + buffer[start + 2]


def test_a_measure_that_reads_what_is_not_there_is_told_so():
    with pytest.raises(
        AssertionError, match=r"IndexError for the first 1 bytes .* must return None while bytes are missing"
    ):
        check_format(NeedsAllOfTheHeader(), fields={"type": 7})


class ForgetsBytes(Good):
    def bounds(self, buffer, start, end):
        return start + 3, max(start + 3, end - 1)


class ForgetsField(Good):
    def serialize(self, payload, fields=None):
        return super().serialize(payload, {"type": 0})


class HidesField(Good):
    field_names = ()


class HidesHeader(Good):
    header_names = ("type",)


class WritesTwoFrames(Good):
    def serialize(self, payload, fields=None):
        data = super().serialize(payload, fields)
        return data + data if len(payload) == 4 else data


class DependsOnTheCut(Good):
    """An error that says how many bytes happened to be there."""

    def measure(self, buffer, start, end):
        try:
            return super().measure(buffer, start, end)
        except HeaderError as error:
            error.found = end - start
            raise


class IsImpatient(Good):
    def measure(self, buffer, start, end):
        if end - start == 4 and buffer[start + 2] > 1:
            raise HeaderError("I had hoped for more", offset=start)
        return super().measure(buffer, start, end)


class LooksBehindTheEnd(Good):
    min_size = 1

    def measure(self, buffer, start, end):
        return super().measure(buffer, start, len(buffer))


class LooksFromTheStart(Good):
    def measure(self, buffer, start, end):
        return super().measure(buffer, 0, end)


class ChangesItsMind(Good):
    def measure(self, buffer, start, end):
        total = super().measure(buffer, start, end)
        return total + 1 if total == end - start + 2 else total


class RaisesOtherErrors(Good):
    def verify(self, buffer, start, end):
        if buffer[start + 1] == 0xF8:
            raise KeyError("no such type")


class NeedsAllOfIt(Good):
    """Knows the size only when the whole frame is there: memory is kept first, and limits are met too late."""

    def measure(self, buffer, start, end):
        total = super().measure(buffer, start, end)
        return total if total is not None and start + total <= end else None


class WrongMeasurer(Good):
    def measurer(self):
        return lambda buffer, start, end: 3 if end - start >= 3 else None


class GreedyScan(Good):
    def scan(self, buffer, start, end, limit, out):
        if end - start >= 3 and start + 3 + buffer[start + 2] <= end and buffer[start] == 0xA5:
            out.append(buffer[start + 3 : start + 3 + buffer[start + 2]])
            return start + 3 + buffer[start + 2]
        return start


class CarelessScan(Good):
    """Does not look at the mark."""

    def scan(self, buffer, start, end, limit, out):
        while limit and end - start >= 3 and start + 3 + buffer[start + 2] <= end:
            out.append(buffer[start + 3 : start + 3 + buffer[start + 2]])
            start += 3 + buffer[start + 2]
            limit -= 1
        return start


class CarelessFrames(Good):
    def scan_frames(self, buffer, start, end, limit, out, base):
        while limit and end - start >= 3 and buffer[start] == 0xA5 and start + 3 + buffer[start + 2] <= end:
            stop = start + 3 + buffer[start + 2]
            out.append(self.frame(buffer[start:stop], start))  # and not base + start
            start = stop
            limit -= 1
        return start


class SkipsUnasked(Good):
    size_first = True

    def skip(self, buffer, start, end, ended):
        return start


class Unlimited(Good):
    def limited(self, max_frame_size):
        return self


class WritesTooMuch(Good):
    def check_size(self, frame_size):
        pass


class ChangesItself(Good):
    def limited(self, max_frame_size):
        self.max_frame_size = max_frame_size
        return copy.copy(self)


class ForgetsTheLimitInTheError(Good):
    def check_size(self, frame_size):
        if frame_size > self.max_frame_size:
            raise FrameTooLargeError("too large")


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (ForgetsBytes, "a payload does not come back"),
        (ForgetsField, "the field type does not come back"),
        (HidesField, "type was given as a field"),
        (HidesHeader, "header_names"),
        (WritesTwoFrames, "frames are not cut where serialize ended them"),
        (DependsOnTheCut, "the stream gives"),
        (IsImpatient, "the stream gives|of a good stream raise"),
        (LooksBehindTheEnd, "measure"),
        (LooksFromTheStart, None),
        (ChangesItsMind, None),
        (NeedsAllOfIt, "more than the limit is kept"),
        (WrongMeasurer, None),
        (GreedyScan, "frames where 0 were asked for"),
        (CarelessScan, None),
        (CarelessFrames, "the stream gives"),
        (SkipsUnasked, "size_first"),
        (Unlimited, "limited makes"),
        (WritesTooMuch, "over the limit is serialized"),
        (ChangesItself, "limit"),
        (ForgetsTheLimitInTheError, "does not say the limit"),
    ],
)
def test_what_is_broken_is_found(broken, text):
    with pytest.raises((AssertionError, FrameTooLargeError, HeaderError), match=text):
        check_format(broken(), fields={"type": 7})


def test_an_error_that_is_none_of_ours_is_the_cause():
    with pytest.raises(AssertionError, match="only a FramingError may come out, not KeyError: ") as caught:
        check_format(RaisesOtherErrors(), fields={"type": 7})
    assert isinstance(caught.value.__cause__, KeyError)


class WrongMany(Good):
    field_names = ()
    header_names = ("length",)

    def header(self, data):
        return {"length": data[2]}

    def serialize(self, payload, fields=None):
        return super().serialize(payload, {"type": 0})

    def serialize_many(self, payloads):
        return b"".join(map(self.serialize, reversed(payloads)))


def test_serialize_many_is_compared():
    with pytest.raises(AssertionError, match="serialize_many"):
        check_format(WrongMany())

"""The contract of a recovery: the formats of the house keep it, and each way to break it is seen."""

import pytest

from framing import get_format
from framing.testing.recovery import Recovered, check_accounts, check_recoveries, recovered

LINES = get_format("lines", max_frame_size=9)


@pytest.mark.parametrize("form", [LINES, get_format("slip"), get_format('header("m:bytes2=MG length:u8")')])
def test_the_formats_of_the_house_keep_it(form):
    check_recoveries(form, b"".join(form.serialize(payload) for payload in (b"a", b"bc", b"def")))


def test_a_resync_that_depends_on_the_cut_is_seen():
    class Hasty(type(LINES)):
        def _prepare(self):
            super()._prepare()
            self.resync = lambda buffer, start, end, ended: (end, True)

    form = Hasty(max_frame_size=4)
    with pytest.raises(AssertionError, match="with delimiter"):
        check_recoveries(form, b"abc\ndef\nghi\njkl\n")


@pytest.mark.parametrize(("found", "text"), [
    (Recovered([(0, b"ab")], [], [], None), "2 of 4 bytes"),
    (Recovered([(0, b"ab"), (3, b"d")], [], [], None), "do not follow"),
    (Recovered([(0, b"ab")], [(1, 3, 1)], [], None), "do not follow"),
    (Recovered([(0, b"ab")], [(2, 2, 0)], [], None), "not reported between"),
    (Recovered([(0, b"abcd")], [(4, 0, 1)], [], None), "do not follow"),
])  # fmt: skip
def test_bytes_that_are_lost_or_told_twice_are_seen(found, text):
    with pytest.raises(AssertionError, match=text):
        check_accounts(LINES, found, 4)


def test_a_stream_that_is_bad_for_good_has_its_error():
    found = recovered(get_format('header("m:bytes2=MG length:u8")'), [b"MG\1aXX\1b"], "skip")
    assert [data for _, data in found.frames] == [b"MG\1a"]
    assert found.regions == []
    assert found.error is not None

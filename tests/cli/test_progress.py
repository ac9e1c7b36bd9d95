import io

from framing.cli import progress
from framing.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(monkeypatch, stdout, stderr, *, interval=0):
    monkeypatch.setattr(progress, "_INTERVAL", interval)
    monkeypatch.setattr("sys.stdout", stdout)
    monkeypatch.setattr("sys.stderr", stderr)
    shown = Progress()
    shown.tell(1000, "records")
    shown.tell(7, "records")
    shown.clear()
    shown.clear()
    return stderr.getvalue()


def test_one_line_is_written_over_and_taken_away(monkeypatch):
    shown = "\r1000 records …" + "\r7 records …   " + "\r           " + "\r"

    assert told(monkeypatch, io.StringIO(), Terminal()) == shown


def test_only_a_terminal_is_told(monkeypatch):
    assert told(monkeypatch, io.StringIO(), io.StringIO()) == ""


def test_data_on_the_same_terminal_is_progress_enough(monkeypatch):
    assert told(monkeypatch, Terminal(), Terminal()) == ""


def test_a_short_run_tells_nothing(monkeypatch):
    assert told(monkeypatch, io.StringIO(), Terminal(), interval=1000) == ""

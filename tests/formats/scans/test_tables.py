"""Tables that forget the older half when they are full."""

from framing.formats.scans import tables
from framing.formats.scans.tables import remember


def test_the_older_half_is_forgotten():
    table = {}
    for number in range(5):
        remember(table, number, -number, 4)
    assert table == {2: -2, 3: -3, 4: -4}


def test_what_is_there_already_makes_nothing_forgotten():
    table = {1: "a", 2: "b"}
    remember(table, 1, "c", 2)
    assert table == {1: "c", 2: "b"}


def test_without_a_number_there_are_as_many_as_in_all_tables(monkeypatch):
    monkeypatch.setattr(tables, "MAX_KNOWN", 3)
    table = {}
    for number in range(100):
        remember(table, number, None)
        assert len(table) <= 3
    assert 99 in table

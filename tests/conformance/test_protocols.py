"""The shipped protocols against real captures: the same frame sizes as an independent dissector's, flow by flow.

`tests/corpus/oracle.json` holds what tshark made of each flow. Where the environment variable `FRAMING_CORPUS` names a
directory of the same form, the tests run over that one as well. `protocols/NAME.toml` says which flows speak a protocol
and how they are compared; what differs stands there by name and with the reason. `table.py` shows it all as a table.
"""

import json
from itertools import chain

import agreement
import oracle
import proofs
import pytest
import table

from framing import get_protocol

NAMES = proofs.definition_names()
CASES = agreement.all_cases()
with_each_case = pytest.mark.parametrize("case", CASES, ids=repr)
with_each_name = pytest.mark.parametrize("name", NAMES)


def entries(name, state):
    return [one for one in proofs.load(name).entries if one.table == state]


def unexplained(case, state, known):
    return {
        one.flow: one.detail
        for one in agreement.directions(case)
        if one.state == state and not any(entry.means(one.file, one.flow) for entry in known)
    }


@with_each_case
def test_every_flow_is_read(case):
    assert unexplained(case, agreement.UNREAD, ()) == {}


@with_each_case
def test_frame_sizes_are_the_dissectors(case):
    assert unexplained(case, agreement.DIFFERENT, entries(case.proof.name, "different")) == {}


@with_each_case
def test_frames_are_all_the_bytes_of_a_flow(case):
    assert unexplained(case, agreement.INCOMPLETE, entries(case.proof.name, "incomplete")) == {}


@with_each_case
def test_no_byte_is_left_out_in_silence(case):
    for one in agreement.directions(case):
        if one.state != agreement.UNREAD and not one.track.is_whole:
            summary = one.track.summary
            assert one.track.troubles, one.flow
            assert sum(one.track.sizes) + summary.skipped_size + summary.tail_size == summary.size, one.flow


@with_each_case
def test_each_frame_is_written_again_as_it_was(case):
    known = entries(case.proof.name, "rewritten")
    rewritten = {one.flow: one.track.rewritten for one in agreement.directions(case) if one.track}
    named = {flow for flow in rewritten if any(entry.means(case.file, flow) for entry in known)}
    assert {flow: numbers for flow, numbers in rewritten.items() if numbers and flow not in named} == {}


def is_needed(entry, directions):
    for one in directions:
        state = "rewritten" if entry.table == "rewritten" and one.track and one.track.rewritten else one.state
        if state == entry.table and entry.means(one.file, one.flow):
            return True
    return False


def idle(known, cases):
    """Return the entries that no flow needs. Without the whole corpus that is known only of files that are there."""
    directions = list(chain.from_iterable(map(agreement.directions, cases)))
    there = [one for one in known if oracle.IS_WHOLE or any(case.file.startswith(one.file) for case in cases)]
    return [one for one in there if not is_needed(one, directions)]


@with_each_name
def test_no_entry_is_left_that_is_not_needed(name):
    assert idle(proofs.load(name).entries, [case for case in CASES if case.proof.name == name]) == []


@with_each_name
def test_a_way_to_compare_is_needed_that_is_said(name):
    proof = proofs.load(name)
    own = [case for case in CASES if case.proof.name == name]
    if not oracle.IS_WHOLE:
        return
    for port in proof.inside_ports:
        plain = proof._replace(inside_ports=())
        assert any(port in one.ports for case in agreement.cases(plain, ()) for one in case.streams), f"{port} idles"
    for key in ("grouped", "divided", "heads", "undissected"):
        if getattr(proof, key):
            plain = proof._replace(**{key: type(getattr(proof, key))()})
            cases = [agreement.Case(case.corpus, case.file, plain, case.streams) for case in own]
            states = [one.state for case in cases for one in agreement.judged(case)]
            assert agreement.DIFFERENT in states, f"{key} is no longer needed"


@with_each_name
def test_what_a_proof_says_means_something(name):
    proof = proofs.load(name)
    phases = {f"{side}.{phase}" for side in ("client", "server") for phase in get_protocol(name).direction(side).phases}
    assert set(proof.undissected) <= phases
    own = [case for case in CASES if case.proof.name == name]
    if oracle.IS_WHOLE and (proof.dissector or proof.sizes or proof.corpus):
        assert own, "there is no capture of it"
        assert all(any(case.file.startswith(start) for case in own) for start in proof.corpus)


def test_the_fields_that_were_added_to_the_oracle_are_of_flows_that_there_are():
    if not oracle.IS_WHOLE:
        return
    there = {
        (file, one.name) for corpus in oracle.CORPORA for file, all_ in oracle.streams(corpus).items() for one in all_
    }
    assert {(file, flow) for file, flows in oracle.MORE.items() for flow in flows} <= there


@pytest.mark.parametrize("corpus", oracle.CORPORA, ids=lambda corpus: corpus.name)
def test_what_there_are_captures_of_is_defined_or_it_is_said_why_not(corpus):
    undefined = proofs.load_undefined()
    assert oracle.capture_protocols(corpus) - set(NAMES) == oracle.capture_protocols(corpus) & undefined.keys()
    assert all(undefined.values())


def test_there_is_a_proof_of_nothing_that_is_not_defined():
    assert {path.stem for path in proofs.HERE.glob("protocols/*.toml")} <= set(NAMES)


def vectors_of(name):
    path = proofs.SPECS / f"vectors/protocols/{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["vectors"] if path.exists() else []


@with_each_name
def test_a_plain_checkout_proves_each_definition(name):
    """With frames of both directions in a capture of the project's own, or vectors from the specification."""
    own = [case for case in CASES if case.proof.name == name and case.corpus == oracle.OWN]
    framed = [one for case in own for one in agreement.directions(case) if one.track and one.track.sizes]
    assert framed or vectors_of(name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"disector": "kafka"}, "disector"),
        ({"dissector": ""}, "dissector"),
        ({"corpus": "kafka/"}, "corpus"),
        ({"sizes": {"fields": "x"}}, "sizes"),
        ({"sizes": {"field": "x", "moved": 126}}, "moved_to"),
        ({"different": [{"file": "x", "why": ""}]}, "says why"),
    ],
)
def test_a_proof_that_says_nothing_is_refused(content, said):
    with pytest.raises(ValueError, match=said):
        proofs.parse("kafka", content)


def test_the_table_shows_each_protocol_that_was_run():
    for case in CASES:
        agreement.directions(case)
    shown = table.of_what_was_run()
    lines = {line.partition(" ")[0] for line in shown.splitlines()}
    assert {case.proof.name for case in CASES} <= lines
    assert "UNEXPLAINED" not in shown

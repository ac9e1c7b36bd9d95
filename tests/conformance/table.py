"""Print what the captures say about each protocol: `python tests/conformance/table.py [NAME …]`.

`FRAMING_CORPUS` names a corpus to run besides the project's own. Flows that are in both count once for each.
"""

import sys
from collections import Counter, defaultdict

import agreement


def of_what_was_run() -> str:
    """Return the table of all cases that were run, "" if there are none."""
    rows = defaultdict(Counter)
    notes = {}
    for case, directions in agreement.what_was_run().items():
        row = rows[case.proof.name]
        row["files"] += 1
        for one in directions:
            row[one.state] += 1
            row["frames"] += len(one.track.sizes) if one.track else 0
            if one.state not in (agreement.AGREE, agreement.FRAMED):
                notes[case.proof.name, case.file, one.flow, one.state] = _why(case.proof, one, one.state)
            if one.track and one.track.rewritten:
                row["rewritten"] += 1
                notes[case.proof.name, case.file, one.flow, "rewritten"] = _why(case.proof, one, "rewritten")
    if not rows:
        return ""
    head = ["protocol", "files", "frames", *agreement.STATES, "rewritten"]
    lines = [[name, *(str(row[column] or "-") for column in head[1:])] for name, row in sorted(rows.items())]
    total = sum(rows.values(), Counter())
    lines.append(["all", *(str(total[column] or "-") for column in head[1:])])
    widths = [max(len(line[column]) for line in (head, *lines)) for column in range(len(head))]
    table = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in (head, *lines)]
    return "\n".join([*table, "", *_grouped(notes)])


def _why(proof, one, state):
    entries = [entry.why for entry in proof.entries if entry.table == state and entry.means(one.file, one.flow)]
    if state == agreement.GAP:
        return "bytes are missing; up to there the frames agree"
    return entries[0] if entries else f"UNEXPLAINED: {one.detail}"


def _grouped(notes):
    """Yield a line for each reason in each file: the flows may be hundreds."""
    counts = Counter((name, file, state, why) for (name, file, _, state), why in notes.items())
    for (name, file, state, why), count in sorted(counts.items()):
        yield f"{name}: {file}: {count} {state}: {why}"


def main(names: list[str]) -> None:
    """Run the cases of these definitions, or all, and print the table."""
    for case in agreement.all_cases():
        if not names or case.proof.name in names:
            agreement.directions(case)
    print(of_what_was_run() or "no capture is of these protocols")


if __name__ == "__main__":
    main(sys.argv[1:])

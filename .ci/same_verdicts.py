#!/usr/bin/env python3
"""Shows that two builds of the grader give the same verdicts.

    .ci/same_verdicts.py OLD_CHECKOUT NEW_CHECKOUT [--seed N] [--only WORD] [--verbose]
    .ci/same_verdicts.py --self-test

Both graders grade the same programs, and their JSON reports must agree in everything but
sentences and the figures that change from run to run. A difference does not count where the old
grader differs from itself in the same value. The exit status is 1 where a difference counts.
"""

import argparse
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path

# Names in src/bin of each practical's crate of mistakes: odd but right programs, then mistakes.
PROGRAMS = {
    "echo": """
        right_one_byte_buffer right_poll_style right_process_per_client right_bursty_writer
        right_client_half_closes right_client_slow
        never_listens ignores_address listens_everywhere accepts_only reads_once
        stops_at_short_read waits_for_newline text_only obeys_words greets sends_whole_buffer
        one_client_at_a_time few_clients mixes_clients dies_on_reset one_bad_client_stops_all
        holds_the_port drops_data_at_end never_closes spins misreports_errors
        client_reads_once client_text_only client_waits_for_end client_prints_own_message
        client_hides_failure
    """,
    "multiconn": """
        right_small_pieces right_tiny_bound right_client_byte_by_byte right_client_turns_round
        closes_on_would_block reads_once_per_event partial_write overwrites_pending
        blocks_in_one_client table_of_512 spins_while_owed unbounded_buffer ignores_idle
        thread_per_client
        client_one_after_another client_takes_first_piece client_fixed_order client_hides_failure
    """,
    "framing": """
        right_byte_by_byte right_keeps_the_rest right_client_header_apart
        right_client_sends_all_first
        little_endian counts_header one_read_for_header drops_what_follows dies_on_empty_body
        hangs_on_cut_message one_client_at_a_time one_buffer_for_all panics_on_error
        client_little_endian client_one_read client_drops_what_follows client_hides_failure
    """,
}
PREFIX = {"echo": "echo", "multiconn": "multiconn", "framing": "framed"}  # of a program's name

SENTENCES = {
    "because",
    "blocked_in",
    "claim",
    "confinement",
    "fault",
    "hint",
    "message",
    "notes",
    "stderr_tail",
    "unwritten",
}
FIGURES = {"duration_ms"}  # change from run to run
TRANSCRIPT = "transcript"  # the kernel cuts the bytes of each run into other pieces
FURTHER_RUNS = 4  # of the old grader, to see whether it differs from itself


# ---- comparison ----


def compare(old, new):
    """Returns the differences by path, and the notes: what may differ in the same verdict."""
    before, after = dict(leaves(old)), dict(leaves(new))
    differences = {
        path: f"{shown(before, path)} became {shown(after, path)}"
        for path in sorted(before | after)
        if fact(before, path) != fact(after, path)
    }
    both = [path for path in sorted(before) if path in after]
    return differences, [note for path in both for note in notes(path, before[path], after[path])]


def leaves(value, path=""):
    """Yields each value with its path. Objects with an id are found by it, wherever they stand."""
    if isinstance(value, dict) and not is_loose(path):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and all("id" in keys(item) for item in value):
        yield f"{path} in order", [item["id"] for item in value]
        for item in value:
            yield from leaves(item, f"{path}[{item['id']}]")
    else:
        yield path, value


def keys(value):
    return value if isinstance(value, dict) else {}


def is_loose(path):
    return path.rpartition(".")[2] in SENTENCES | FIGURES | {TRANSCRIPT}


def fact(values, path):
    """Returns what must be equal: of a loose value only whether it is there and has content."""
    if path not in values:
        return None
    value = values[path]
    if is_loose(path):
        return value not in ("", [], None)
    return json.dumps(value, sort_keys=True)  # tells true from 1


def shown(values, path):
    return json.dumps(values[path])[:300] if path in values else "(no such key)"


def notes(path, old, new):
    key = path.rpartition(".")[2]
    if key in SENTENCES and old != new:
        same_words = without_figures(old) == without_figures(new)
        what = "other figures" if same_words else "reads otherwise"
        yield f"{what}: {path}\n        old: {json.dumps(old)}\n        new: {json.dumps(new)}"
    elif key == TRANSCRIPT and steps(old) != steps(new):
        yield f"transcript: {path}\n        old: {steps(old)}\n        new: {steps(new)}"


def without_figures(value):
    return re.sub(r"\d+(\.\d+)?", "#", json.dumps(value))


def steps(transcript):
    """Returns the events of each peer in order; a send in several pieces is one send."""
    peers = sorted({event["peer"] for event in transcript})
    return {peer: [kind for kind, _ in groupby(events_of(peer, transcript))] for peer in peers}


def events_of(peer, transcript):
    return [event["event"] for event in transcript if event["peer"] == peer]


# ---- gradings ----


def gradings(old, target, only):
    """Returns a name and the arguments for each grading, after building the programs it needs."""
    chosen = []
    for practical, listed in PROGRAMS.items():
        wanted = [name for name in listed.split() if is_chosen(only, practical, name)]
        built = build_programs(old, practical, wanted, target)
        if is_chosen(only, practical, "solution"):
            chosen.append((f"{practical} solution", [practical, "--solution"]))
        if is_chosen(only, practical, "skeleton"):
            chosen.append((f"{practical} skeleton", [practical]))
        for name in wanted:
            is_client = name.removeprefix("right_").startswith("client_")
            program = f"{PREFIX[practical]}_{'client' if is_client else 'server'}"
            command = f"{program}={built / name} {{host}} {{port}}"
            arguments = [practical, "--only", program, "--program", command]
            chosen.append((f"{practical} {name}", arguments))
    return chosen


def is_chosen(only, practical, name):
    return only is None or only in f"{practical} {name}"


def build_programs(old, practical, names, target):
    folder = target / practical
    if names:
        manifest = old / "practicals" / practical / "mistakes/Cargo.toml"
        binaries = [word for name in names for word in ("--bin", name)]
        cargo(old, "--locked", "--manifest-path", manifest, "--target-dir", folder, *binaries)
    return folder / "debug"


def build_grader(checkout):
    cargo(checkout, "--package", "xtask", "--features", "full")
    return checkout / "target/debug/xtask"


def cargo(folder, *arguments):
    environment = {key: value for key, value in os.environ.items() if key != "CARGO_TARGET_DIR"}
    words = ["cargo", "build", "--quiet", *map(str, arguments)]
    if subprocess.run(words, cwd=folder, env=environment, check=False).returncode != 0:
        sys.exit(f"cargo cannot build in {folder}; correct what it reports above")


def grade(checkout, grader, arguments, seed):
    """Returns the report and the exit status, which must agree, too."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "verdict.json"
        words = [grader, "grade", *arguments, "--report", f"json={file}"]
        words += ["--seed", str(seed), "--jobs", "8"]
        done = subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=False)
        if not file.is_file():
            return {"status": done.returncode, "message": done.stderr[-2000:]}
        return {"status": done.returncode, "report": json.loads(file.read_text())}


def compare_builds(options):
    old, new = options.old.resolve(), options.new.resolve()
    graders = [(checkout, build_grader(checkout)) for checkout in (old, new)]
    target = Path(__file__).resolve().parent.parent / "target/same-verdicts"
    results = []
    for name, arguments in gradings(old, target, options.only):
        runs = [lambda one=one: grade(*one, arguments, options.seed) for one in graders]
        results.append(tell(name, *compare_runs(*runs), options.verbose))
    if not results:
        sys.exit(f"--only {options.only}: no practical or program has this in its name")
    print(f"{results.count(True)} same, {results.count(False)} differ")
    return 0 if all(results) else 1


def compare_runs(grade_old, grade_new):
    """Returns the differences that count, and the notes."""
    old = grade_old()
    differences, remarks = compare(old, grade_new())
    for _ in range(FURTHER_RUNS if differences else 0):
        for path in compare(old, grade_old())[0]:
            if path in differences:
                remarks.append(f"changes from run to run: {path}: {differences.pop(path)}")
    return differences, remarks


def tell(name, differences, remarks, verbose):
    print(f"{'DIFFERS' if differences else 'same'}  {name}", flush=True)
    for path, difference in differences.items():
        print(f"    {path}: {difference}")
    for remark in remarks:
        if verbose:
            print(f"    note: {remark}")
        elif remark.startswith(("changes", "transcript")):
            print(f"    note: {remark.splitlines()[0]}")
    return not differences


# ---- self-test ----

SAMPLE = {
    "schema": 1,
    "score": 4,
    "passed": False,
    "duration_ms": 10,
    "confinement": ["namespaces"],
    "mistakes": [{"id": "reads_once", "because": "one reply", "checks": ["echoes"]}],
    "checks": [
        {"id": "listens", "group": "flow", "status": "passed", "points": 4, "duration_ms": 1},
        {
            "id": "echoes",
            "status": "failed",
            "points": 0,
            "message": "expected 5 bytes",
            "mistake": "reads_once",
            "smallest_failing_input": 1025,
            "transcript": [
                {"at_us": 0, "peer": "a", "event": "send", "bytes": 5, "preview": "hello"},
                {"at_us": 9, "peer": "a", "event": "end", "bytes": 0, "preview": ""},
            ],
        },
    ],
}


CHECK, MISTAKE = ("checks", 1), ("mistakes", 0)
SEND, END = SAMPLE["checks"][1]["transcript"]
GONE = object()
ALLOWED = [  # a place in the sample, another value, and the note about it
    ((*CHECK, "message"), "got no byte", "reads otherwise"),
    ((*CHECK, "message"), "expected 6 bytes", "other figures"),
    ((*MISTAKE, "because"), "it closed", "reads otherwise"),
    (("confinement",), ["other", "words"], "reads otherwise"),
    ((*CHECK, "transcript"), [SEND], "transcript"),
    ((*CHECK, "transcript"), [{**SEND, "bytes": 3, "at_us": 2}, SEND, END], None),
    (("duration_ms",), 99, None),
]
REPORTED = [  # a place in the sample, another value, and the path of the difference
    ((*CHECK, "status"), "skipped", "checks[echoes].status"),
    ((*CHECK, "points"), 1, "checks[echoes].points"),
    ((*CHECK, "mistake"), "greets", "checks[echoes].mistake"),
    ((*CHECK, "mistake"), GONE, "checks[echoes].mistake"),
    ((*CHECK, "smallest_failing_input"), 1, "checks[echoes].smallest_failing_input"),
    ((*CHECK, "message"), GONE, "checks[echoes].message"),
    ((*CHECK, "message"), "", "checks[echoes].message"),
    ((*CHECK, "hint"), "Read in a loop.", "checks[echoes].hint"),
    ((*CHECK, "transcript"), GONE, "checks[echoes].transcript"),
    ((*MISTAKE, "checks"), ["echoes", "listens"], "mistakes[reads_once].checks"),
    (("checks",), SAMPLE["checks"][::-1], "checks in order"),
    (("passed",), 0, "passed"),
    (("duration_ms",), GONE, "duration_ms"),
    (("more",), 1, "more"),
]


def self_test():
    assert compare(SAMPLE, SAMPLE) == ({}, [])
    for place, value, note in ALLOWED:
        differences, remarks = compare(SAMPLE, changed(place, value))
        assert not differences, differences
        assert [remark.partition(":")[0] for remark in remarks] == [note] * bool(note), remarks
    for place, value, path in REPORTED:
        other = changed(place, value)
        assert list(compare(SAMPLE, other)[0]) == [path] == list(compare(other, SAMPLE)[0]), path

    unsteady = iter([{"a": 1, "b": 1}, {"a": 1, "b": 2}, *[{"a": 1, "b": 1}] * FURTHER_RUNS])
    counted, remarks = compare_runs(lambda: next(unsteady), lambda: {"a": 2, "b": 2})
    assert list(counted) == ["a"] and "run to run: b" in remarks[0], (counted, remarks)
    print(f"the comparison holds: {len(ALLOWED)} changes are allowed, {len(REPORTED)} are reported")
    return 0


def changed(place, value):
    sample = copy.deepcopy(SAMPLE)
    parent = sample
    for key in place[:-1]:
        parent = parent[key]
    if value is GONE:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    return sample


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("old", type=Path, nargs="?", metavar="OLD_CHECKOUT")
    parser.add_argument("new", type=Path, nargs="?", metavar="NEW_CHECKOUT")
    parser.add_argument("--seed", type=int, default=1, help="of the payloads")
    parser.add_argument("--only", metavar="WORD", help="gradings with this in their name")
    parser.add_argument("--verbose", action="store_true", help="show sentences that read otherwise")
    parser.add_argument("--self-test", action="store_true", help="test the comparison itself")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    if options.new is None:
        parser.error("OLD_CHECKOUT and NEW_CHECKOUT are missing")
    return compare_builds(options)


if __name__ == "__main__":
    sys.exit(main())

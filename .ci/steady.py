#!/usr/bin/env python3
"""Shows that small programs get the right verdict in every grading, whatever the seed and the load.

    .ci/steady.py FOLDER [--seeds N] [--busy N] [--only WORD] [--keep DIR]

FOLDER has the programs that .ci/steady.toml lists. Each is graded once for each seed. Every second
grading runs beside busy loops. A program fails where a grading has not what its row asks for, and
where two gradings disagree about a check or a name. The exit status is 1 where one fails.
"""

import argparse
import contextlib
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
GRADER = TOP / "target" / "debug" / "xtask"
LIMIT = 240  # seconds for one grading, beside busy loops too


def main():
    options = arguments()
    rows = tomllib.loads((TOP / ".ci" / "steady.toml").read_text())["program"]
    chosen = [row for row in rows if options.only in row["file"]]
    if not chosen:
        sys.exit(f"steady: no program is called like {options.only!r}")
    subprocess.run(["cargo", "build", "--quiet", "--package", "xtask"], cwd=TOP, check=True)
    wrong = [row["file"] for row in chosen if not holds(row, options)]
    gradings = len(chosen) * options.seeds
    print(f"{len(chosen)} programs, {gradings} gradings: {len(wrong)} programs are not steady")
    sys.exit(1 if wrong else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=10, metavar="N")
    parser.add_argument("--busy", type=int, default=4, metavar="N")
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="for the JSON reports")
    return parser.parse_args()


def holds(row, options):
    """Grades a program once for each seed, and tells what is wrong with the verdicts."""
    with tempfile.TemporaryDirectory() as scratch:
        command = command_line(row, options.folder.resolve(), Path(scratch))
        keep = options.keep or Path(scratch)
        gradings = [graded(row, command, seed, options, keep) for seed in range(1, options.seeds + 1)]
    complaints = [
        f"seed {seed}{', busy' if busy else ''}: {complaint}"
        for seed, busy, wall, report in gradings
        for complaint in judge(row, wall, report)
    ]
    complaints += disagreements(gradings)
    walls = [wall for _, _, wall, _ in gradings]
    print(f"{'wrong' if complaints else 'right'}  {row['file']}  at most {max(walls):.1f} s")
    for complaint in complaints:
        print(f"       {complaint}")
    sys.stdout.flush()
    return not complaints


def command_line(row, folder, scratch):
    file, out = folder / row["file"], scratch / "program"
    fill = lambda text: text.replace("{file}", str(file)).replace("{out}", str(out))
    if "build" in row:
        subprocess.run(shlex.split(fill(row["build"])), check=True)
    return fill(row.get("command", "python3 {file} {host} {port}"))


def graded(row, command, seed, options, keep):
    program = row.get("program", "echo_server")
    report = keep / f"{row['file']}.{seed}.json"
    words = [GRADER, "grade", "echo", "--program", f"{program}={command}", "--seed", str(seed)]
    words += row.get("options", ["--only", program]) + ["--report", f"json={report}"]
    busy = seed % 2 == 0
    with busy_loops(options.busy if busy else 0):
        began = time.monotonic()
        ended = subprocess.run(words, cwd=TOP, capture_output=True, text=True, timeout=LIMIT)
        wall = time.monotonic() - began
    if ended.returncode not in (0, 1):
        sys.exit(f"steady: {row['file']}: the grader's exit status is {ended.returncode}:\n{ended.stderr}")
    return seed, busy, wall, json.loads(report.read_text())


@contextlib.contextmanager
def busy_loops(number):
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(number)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


# ---- what a row asks for ----


def judge(row, wall, report):
    """Yields what a grading has not as the row asks for it."""
    checks = {check["id"]: check for check in report["checks"]}
    failed = {name for name, check in checks.items() if check["status"] == "failed"}
    mistakes = {mistake["id"]: mistake for mistake in report["mistakes"]}
    yield from (f"{name} did not fail" for name in row.get("fails", []) if name not in failed)
    for name in row.get("passes", []):
        if checks[name]["status"] != "passed":
            yield f"{name} is {checks[name]['status']}: {checks[name].get('message', '')}"
    if "only_fails" in row and failed != set(row["only_fails"]):
        yield f"these checks failed: {sorted(failed)}"
    yield from (f"{name} was not named" for name in row.get("names", []) if name not in mistakes)
    yield from (f"{name} was named" for name in row.get("never", []) if name in mistakes)
    if "only_names" in row and sorted(mistakes) != sorted(row["only_names"]):
        yield f"these were named: {sorted(mistakes)}"
    for name, explained in row.get("explains", {}).items():
        missing = set(explained) - set(mistakes.get(name, {}).get("checks", []))
        if missing:
            yield f"{name} does not explain {sorted(missing)}"
    if "score" in row and report["score"] != row["score"]:
        yield f"{report['score']} points of {row['score']}"
    if wall > row.get("wall", LIMIT):
        yield f"it took {wall:.1f} s"
    yield from words(row, checks)


def words(row, checks):
    shown = lambda name: json.dumps([checks[name].get(key, "") for key in ("message", "stderr_tail")])
    for name, pattern in row.get("says", {}).items():
        if not re.search(pattern, shown(name)):
            yield f"{name} does not say {pattern!r}: {shown(name)}"
    for name, pattern in row.get("never_says", {}).items():
        if re.search(pattern, shown(name)):
            yield f"{name} says {pattern!r}: {shown(name)}"


def disagreements(gradings):
    """Yields what differs between gradings of one program: a check's status, or its mistake."""
    verdicts = {}
    for seed, _, _, report in gradings:
        for check in report["checks"]:
            verdict = (check["status"], check.get("mistake"))
            verdicts.setdefault(check["id"], {}).setdefault(verdict, []).append(seed)
    for name, seeds in verdicts.items():
        if len(seeds) > 1:
            told = [f"{status} {mistake or ''} with {at}" for (status, mistake), at in seeds.items()]
            yield f"{name} is not the same for all seeds: {'; '.join(told)}"


if __name__ == "__main__":
    main()

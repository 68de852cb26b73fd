#!/usr/bin/env python3
"""Shows that a system that shows less of a program gives no mistake a wrong name.

    .ci/other-systems.py [--practical NAME] [--only WORD] [--jobs N] [--tries N] [--keep DIR]

Grades the Rust programs of a practical's catalogue, and its reference solution, with the grader for
Windows: under Wine, or on Windows itself. `cargo xtask verify` proves on Linux which names and which
failed checks each row has; Windows may show fewer of both, and none besides. Prints a row for each
program that loses a name or a check there. The exit status is 1 where something is wrong.

Windows does not tell a program's work from its waiting, so a busy machine may fail a check. A check
counts as failed where it fails in each of several gradings. A wrong name counts in any grading.

Under Linux it needs Wine, x86_64-w64-mingw32-gcc and `rustup target add x86_64-pc-windows-gnu`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TARGET = "x86_64-pc-windows-gnu"
IS_WINDOWS = os.name == "nt"
PLACE = TOP / "target" / "other-systems"
PROGRAMS = PLACE / "debug" if IS_WINDOWS else PLACE / TARGET / "debug"
LIMIT = 600  # seconds for one grading, on a busy machine too

# Wine before version 10 has no bcryptprimitives.dll, from which Rust takes its random numbers.
RANDOM_NUMBERS = """
#include <windows.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T size) {
    HMODULE library = LoadLibraryA("advapi32.dll");
    BOOLEAN(WINAPI * fill)(PVOID, ULONG) = (void *)GetProcAddress(library, "SystemFunction036");
    return fill(bytes, (ULONG)size);
}
"""


@dataclass
class Row:
    """A program, and the most that a grading of it may show."""

    id: str
    program: str
    names: set = field(default_factory=set)
    fails: set = field(default_factory=set)
    may_fail: set = field(default_factory=set)

    @classmethod
    def of_mistake(cls, row):
        names = set(row.get("makes", [row["id"]]))
        return cls(row["id"], row["program"], names, set(row["fails"]), set(row.get("may_fail", [])))


@dataclass
class Seen:
    """What the gradings of a program showed on Windows."""

    names: set = field(default_factory=set)
    failed: set = field(default_factory=set)
    faults: list = field(default_factory=list)

    def complaints(self, row):
        """Returns what no grading of the row may show."""
        wrong = [f"the wrong name {name}" for name in sorted(self.names - row.names)]
        wrong += [f"failed {name}" for name in sorted(self.failed - row.fails - row.may_fail)]
        return wrong + self.faults

    def again(self, other):
        """Adds another grading."""
        return Seen(self.names | other.names, self.failed & other.failed, other.faults)


def main():
    options = arguments()
    chosen = [row for row in rows_of(options.practical) if options.only in row.id]
    rows = [row for row in chosen if is_for_windows(row, options.practical)]
    for row in chosen:
        if row not in rows:
            print(f"{row.id}  skipped: it is for Unix alone")
    if not rows:
        sys.exit(f"other-systems: no program is called like {options.only!r}")
    build(options.practical)
    options.keep.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        gradings = list(pool.map(lambda row: graded_until_right(row, options), rows))
    wrong = table(list(zip(rows, gradings)))
    sys.exit(1 if wrong else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--practical", default="echo", metavar="NAME")
    parser.add_argument("--only", default="", metavar="WORD", help="programs with this in their id")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="gradings at the same time")
    parser.add_argument("--tries", type=int, default=3, metavar="N", help="of a wrong grading")
    parser.add_argument("--keep", type=Path, default=PLACE / "reports", metavar="DIR")
    return parser.parse_args()


def rows_of(practical):
    """Returns the solution's programs, the odd right ones and the mistakes, those in Rust."""
    folder = TOP / "practicals" / practical
    rubric = tomllib.loads((folder / "rubric.toml").read_text(encoding="utf-8"))
    catalogue = tomllib.loads((folder / "mistakes" / "mistakes.toml").read_text(encoding="utf-8"))
    in_rust = lambda kind: [row for row in catalogue.get(kind, []) if "command" not in row]
    rows = [Row(program["name"], program["name"]) for program in rubric["program"]]
    rows += [Row(row["id"], row["program"]) for row in in_rust("right")]
    return rows + [Row.of_mistake(row) for row in in_rust("mistake")]


def is_for_windows(row, practical):
    source = TOP / "practicals" / practical / "mistakes" / "src" / "bin" / f"{row.id}.rs"
    return not source.exists() or "which only Unix has" not in source.read_text(encoding="utf-8")


# ---- building ----


def build(practical):
    folder = TOP / "practicals" / practical
    cargo(TOP, "--package", "xtask")
    cargo(folder / "mistakes", "--bins")
    for program in sorted((folder / "solution").glob("*/src/main.rs")):
        cargo(program.parent.parent)
    if not IS_WINDOWS and wine_version() < 10:
        source = PLACE / "random_numbers.c"
        source.write_text(RANDOM_NUMBERS)
        library = PROGRAMS / "bcryptprimitives.dll"
        run("x86_64-w64-mingw32-gcc", "-shared", "-o", library, source)


def cargo(folder, *words):
    environment = {
        "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER": "x86_64-w64-mingw32-gcc",
        "CARGO_PROFILE_DEV_DEBUG": "0",
    }
    target = [] if IS_WINDOWS else ["--target", TARGET]
    words = ["cargo", "build", "--quiet", "--target-dir", PLACE, *target, *words]
    run(*words, cwd=folder, env={**environment, **os.environ})


def wine_version():
    told = subprocess.run(["wine", "--version"], capture_output=True, text=True).stdout
    return int(re.search(r"\d+", told)[0])


def run(*words, **options):
    try:
        subprocess.run(words, check=True, **options)
    except FileNotFoundError:
        sys.exit(f"other-systems: {words[0]} is not here; install it")
    except subprocess.CalledProcessError:
        sys.exit(f"other-systems: {words[0]} failed; see its message above")


# ---- grading ----


def graded_until_right(row, options):
    """Grades a program again where a check failed that should not."""
    seen = graded(row, options)
    for _ in range(1, options.tries):
        if not seen.complaints(row):
            break
        seen = seen.again(graded(row, options))
    return seen


def graded(row, options):
    report = options.keep / f"{row.id}.json"
    report.unlink(missing_ok=True)
    command = f"{row.program}={windows(PROGRAMS / row.id)}.exe {{host}} {{port}}"
    words = [] if IS_WINDOWS else ["wine"]
    words += [PROGRAMS / "xtask.exe", "grade", options.practical, "--seed", "1"]
    words += ["--confine", "off", "--only", row.program, "--program", command]
    words += ["--report", f"json={windows(report)}"]
    try:
        ended = subprocess.run(words, cwd=TOP, env=surroundings(), capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return Seen(faults=[f"the grading was not over within {LIMIT} s"])
    if ended.returncode not in (0, 1) or not report.exists():
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        why = [line for line in said if line.startswith("error")] or said[-1:]
        return Seen(faults=[f"exit status {ended.returncode}: {' '.join(why)}"])
    return seen_in(json.loads(report.read_text(encoding="utf-8")))


def windows(path):
    return str(path) if IS_WINDOWS else f"Z:{path}"


def surroundings():
    wine = {"WINEDEBUG": "-all", "WINEPREFIX": str(PLACE / "wine")}
    return {**wine, **os.environ, "NO_COLOR": "1"}


def seen_in(report):
    having = lambda status: [check["id"] for check in report["checks"] if check["status"] == status]
    names = {mistake["id"] for mistake in report["mistakes"]}
    return Seen(names, set(having("failed")), [f"a fault in {name}" for name in having("fault")])


# ---- the table ----


def table(gradings):
    """Prints what differs, and returns how many programs are wrong."""
    width = max(len(row.id) for row, _ in gradings)
    for row, seen in gradings:
        differences = [f"not named: {name}" for name in sorted(row.names - seen.names)]
        differences += [f"not failed: {name}" for name in sorted(row.fails - seen.failed)]
        said = [f"WRONG: {complaint}" for complaint in seen.complaints(row)] or differences
        for number, line in enumerate(said):
            print(f"{'' if number else row.id:{width}}  {line}")
    right = [(row, seen) for row, seen in gradings if not seen.complaints(row)]
    wrong = len(gradings) - len(right)
    fewer = sum(row.names != seen.names for row, seen in right)
    print(
        f"{len(gradings)} programs on Windows: {len(gradings) - wrong - fewer} have all names of "
        f"Linux, {fewer} have fewer, {wrong} are wrong"
    )
    return wrong


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Shows that a system that shows less of a program gives no mistake a wrong name.

    .ci/other-systems.py [windows|hidden] [--practical NAME] [--only WORD] [--tries N] [--keep DIR]

Grades the Rust programs of a practical's catalogue, and its reference solution:

    windows   with the grader for Windows, under Wine or on Windows itself
    hidden    on a Linux that does not let the grader look into the programs

`cargo xtask verify` proves on Linux which names and which failed checks each row has. The others may
show fewer of both, and none besides. Prints a row for each program that loses a name or a check
there. The exit status is 1 where something is wrong.

Windows does not tell a program's work from its waiting, so a busy machine may fail a check. A check
counts as failed where it fails in each of several gradings. A wrong name counts in any grading.

On Linux, `windows` needs Wine, x86_64-w64-mingw32-gcc and `rustup target add x86_64-pc-windows-gnu`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TARGET = "x86_64-pc-windows-gnu"
IS_WINDOWS = os.name == "nt"
PLACE = TOP / "target" / "other-systems"
LIMIT = 240  # seconds for one grading
CALL_FOR_EACH_BYTE = ["right_one_byte_buffer", "right_client_chatty_stderr"]

# Wine before version 10 has no bcryptprimitives.dll, from which Rust takes its random numbers.
RANDOM_NUMBERS = """
#include <windows.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T size) {
    HMODULE library = LoadLibraryA("advapi32.dll");
    BOOLEAN(WINAPI * fill)(PVOID, ULONG) = (void *)GetProcAddress(library, "SystemFunction036");
    return fill(bytes, (ULONG)size);
}
"""


# A program that preloads this is hidden from all that have no CAP_SYS_PTRACE (prctl(2)).
HIDE = """
#include <sys/prctl.h>
__attribute__((constructor)) static void hide(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
"""


WITHOUT_PTRACE = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]


class Windows:
    """The grader and the programs for Windows."""

    name = "Windows"
    programs = PLACE / "debug" if IS_WINDOWS else PLACE / TARGET / "debug"
    target = [] if IS_WINDOWS else ["--target", TARGET]
    grader = [*([] if IS_WINDOWS else ["wine"]), programs / "xtask.exe"]

    @staticmethod
    def path(path):
        return str(path) if IS_WINDOWS else f"Z:{path}"

    @classmethod
    def command(cls, program):
        return f"{cls.path(cls.programs / program)}.exe"

    @classmethod
    def furnish(cls):
        if IS_WINDOWS or wine_version() >= 10:
            return
        library = cls.programs / "bcryptprimitives.dll"
        compile_library("x86_64-w64-mingw32-gcc", RANDOM_NUMBERS, library)


class Hidden:
    """Linux without a view into the programs. Root must do without CAP_SYS_PTRACE for that."""

    name = "a Linux that hides them"
    programs = PLACE / "debug"
    target = []
    is_root = not IS_WINDOWS and os.geteuid() == 0
    grader = [*(WITHOUT_PTRACE if is_root else []), programs / "xtask"]
    path = staticmethod(str)

    @classmethod
    def command(cls, program):
        return f"env LD_PRELOAD={cls.programs / 'hide.so'} {cls.programs / program}"

    @classmethod
    def furnish(cls):
        compile_library("cc", HIDE, cls.programs / "hide.so")


SYSTEMS = {"windows": Windows, "hidden": Hidden}


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
    """What the gradings of a program showed."""

    names: set = field(default_factory=set)
    failed: set = field(default_factory=set)
    held: set = field(default_factory=set)
    faults: list = field(default_factory=list)

    def complaints(self, row):
        """Returns what no grading of the row may show."""
        wrong = [f"the wrong name {name}" for name in sorted(self.names - row.names)]
        wrong += [f"failed {name}" for name in sorted(self.failed - row.fails - row.may_fail)]
        return wrong + self.faults

    def again(self, other):
        """Adds another grading."""
        failed, held = self.failed & other.failed, self.held | other.held
        return Seen(self.names | other.names, failed, held, other.faults)


def main():
    options = arguments()
    chosen = [row for row in rows_of(options.practical) if options.only in row.id]
    system = SYSTEMS[options.system]
    rows = [row for row in chosen if not why_skipped(row, system, options.practical)]
    for row in chosen:
        if row not in rows:
            print(f"{row.id}  skipped: {why_skipped(row, system, options.practical)}")
    if not rows:
        sys.exit(f"other-systems: no program is called like {options.only!r}")
    build(system, options.practical)
    options.keep = (options.keep or PLACE / f"reports-{options.system}").resolve()
    options.keep.mkdir(parents=True, exist_ok=True)
    wrong = table(system, [(row, graded_until_right(system, row, options)) for row in rows])
    sys.exit(1 if wrong else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("system", nargs="?", default="windows", choices=SYSTEMS)
    parser.add_argument("--practical", default="echo", metavar="NAME")
    parser.add_argument("--only", default="", metavar="WORD", help="programs with this in their id")
    parser.add_argument("--tries", type=int, default=3, metavar="N", help="gradings of what is wrong")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="for the JSON reports")
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


def why_skipped(row, system, practical):
    source = TOP / "practicals" / practical / "mistakes" / "src" / "bin" / f"{row.id}.rs"
    if system is Hidden or not source.exists():
        return None
    if "which only Unix has" in source.read_text(encoding="utf-8"):
        return "it is for Unix alone"
    if row.id in CALL_FOR_EACH_BYTE and not IS_WINDOWS:
        return "it has a call for each byte, and Wine is too slow for that"
    return None


# ---- building ----


def build(system, practical):
    folder = TOP / "practicals" / practical
    cargo(system, TOP, "--package", "xtask")
    cargo(system, folder / "mistakes", "--bins")
    for program in sorted((folder / "solution").glob("*/src/main.rs")):
        cargo(system, program.parent.parent)
    system.furnish()


def cargo(system, folder, *words):
    environment = {
        "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER": "x86_64-w64-mingw32-gcc",
        "CARGO_PROFILE_DEV_DEBUG": "0",
    }
    words = ["cargo", "build", "--quiet", "--target-dir", PLACE, *system.target, *words]
    run(*words, cwd=folder, env={**environment, **os.environ})


def compile_library(compiler, source, library):
    file = library.with_suffix(".c")
    file.write_text(source)
    run(compiler, "-shared", "-fPIC", "-o", library, file)


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


def graded_until_right(system, row, options):
    """Grades a program again where a check failed that should not."""
    seen = graded(system, row, options)
    for _ in range(1, options.tries):
        if not seen.complaints(row):
            break
        seen = seen.again(graded(system, row, options))
    return seen


def graded(system, row, options):
    report = options.keep / f"{row.id}.json"
    report.unlink(missing_ok=True)
    command = f"{row.program}={system.command(row.id)} {{host}} {{port}}"
    words = [*system.grader, "grade", options.practical, "--seed", "1", "--confine", "off"]
    words += ["--only", row.program, "--program", command, "--report", f"json={system.path(report)}"]
    try:
        ended = subprocess.run(words, cwd=TOP, env=surroundings(), capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return Seen(faults=[f"the grading was not over within {LIMIT} s"])
    if ended.returncode not in (0, 1) or not report.exists():
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        why = [line for line in said if line.startswith("error")] or said[-1:]
        return Seen(faults=[f"exit status {ended.returncode}: {' '.join(why)}"])
    return seen_in(json.loads(report.read_text(encoding="utf-8")))


def surroundings():
    wine = {"WINEDEBUG": "-all", "WINEPREFIX": str(PLACE / "wine")}
    # Without this, a program that is hidden on purpose would fail its checks.
    no_sight = {"SOCKET_PRACTICALS_WITHOUT": "sight"}
    return {**wine, **os.environ, **no_sight, "NO_COLOR": "1"}


def seen_in(report):
    having = lambda status: [check["id"] for check in report["checks"] if check["status"] == status]
    names = {mistake["id"] for mistake in report["mistakes"]}
    faults = [f"a fault in {name}" for name in having("fault")]
    return Seen(names, set(having("failed")), set(having("passed") + having("skipped")), faults)


# ---- the table ----


def table(system, gradings):
    """Prints what differs, and returns how many programs are wrong."""
    width = max(len(row.id) for row, _ in gradings)
    for row, seen in gradings:
        differences = [f"not named: {name}" for name in sorted(row.names - seen.names)]
        differences += [f"not failed: {name}" for name in sorted(row.fails & seen.held)]
        said = [f"WRONG: {complaint}" for complaint in seen.complaints(row)] or differences
        for number, line in enumerate(said):
            print(f"{'' if number else row.id:{width}}  {line}")
    right = [(row, seen) for row, seen in gradings if not seen.complaints(row)]
    wrong = len(gradings) - len(right)
    fewer = sum(row.names != seen.names for row, seen in right)
    print(
        f"{len(gradings)} programs on {system.name}: {len(right) - fewer} have all names of "
        f"Linux, {fewer} have fewer, {wrong} are wrong"
    )
    return wrong


if __name__ == "__main__":
    main()

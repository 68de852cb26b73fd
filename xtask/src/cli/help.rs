//! What `--help` prints.

pub(super) const HELP: &str = "\
Graded practicals for a network-sockets course.

  cargo xtask grade PRACTICAL      grade the programs in practicals/PRACTICAL
  cargo xtask watch PRACTICAL      grade again at each save
  cargo xtask list                 practicals, their checks and points
  cargo xtask explain [PRACTICAL] [WORD]
                                   what a check, or a mistake, means; all mistakes
  cargo xtask verify [PRACTICAL]   the grader against itself
  cargo xtask bench [PRACTICAL]    how long a grading takes
  cargo xtask release DIR          write the students' repository
  cargo xtask new PRACTICAL        a new practical that verifies at once

cargo xtask COMMAND --help says more.";

pub(super) const GRADE_HELP: &str = "\
cargo xtask grade PRACTICAL [OPTION]...

  --solution               the reference solution, not the student's programs
  --submission DIR         another folder, checkout, .zip or .tar.gz instead
  --program NAME=COMMAND   this command line instead of building NAME, in any
                           language; {host} and {port} stand for the address, a
                           client's message comes last or where {message} stands
  --address HOST:PORT      the address of a --program that takes none: where its
                           server listens, or where its client connects to
  --only WORD              a check, a group or a program; may be repeated
  --report FORMAT[=FILE]   json, junit, gradescope, classroom50,
                           github-classroom, github, markdown, html, ctrf,
                           prairielearn, autolab, or pcapng: what went over
                           the wire, for Wireshark; may be repeated; without
                           FILE to stdout, and the report for people to stderr
  --all                    on a terminal, too: every check with what it saw
  --hint N                 hints up to step N for what failed (1)
  --show-hidden            what hidden checks saw, too: for the instructor
  --seed N                 the payloads' seed
  --jobs N                 checks run at the same time (all)
  --budget N               seconds for the submission, its build included (600);
                           a check that is not done by then fails
  --confine HOW            what programs may reach: auto, the least that this
                           system can do; required, the full protection or
                           nothing; landlock, without namespaces; off

Exit status: 0 the pass mark is reached, 1 it is not, 2 nothing could be graded,
3 a fault of the grader's own.";

pub(super) const WATCH_HELP: &str = "\
cargo xtask watch PRACTICAL [OPTION]...

Grades again at each save: what changed, and nothing else. Shows the first check
that failed, what got better and what got worse. Takes the options of grade.

In a terminal: n next, p previous, h a hint, e explain, a all, r run everything,
q quit. Elsewhere it prints.";

pub(super) const VERIFY_HELP: &str = "\
cargo xtask verify [PRACTICAL] [OPTION]...

The grader against itself: the solution gets full marks, the skeleton fails as it
should, every known mistake fails what its row says and nothing else, and odd but
right programs get full marks. Prints the matrix of mistakes and checks.

  --only NAME   only this mistake or right program; may be repeated
  --attacks     instead: what hostile submissions try, in each tier of confinement
                that this system has, each with its control (Linux only)
  --soak N      grade the solution and each right program N times with four busy
                loops beside them: not a point may be lost
  --jobs N      gradings at the same time (3)
  --seed N      the payloads' seed
  --renew-evidence
                overwrite the golden files in mistakes/evidence";

pub(super) const BENCH_HELP: &str = "\
cargo xtask bench [PRACTICAL] [--runs N]

How long a grading takes, N times (10): the solution, and programs that hang and
die, beside a plain sequential program that makes the same eight basic exchanges.";

pub(super) const RELEASE_HELP: &str = "\
cargo xtask release DIR [--replace]

Writes the repository that students get into DIR: what git keeps here, without
the solutions, the mistakes and the hidden checks. DIR is empty, or not there.

  --replace   remove everything in DIR first, but .git";

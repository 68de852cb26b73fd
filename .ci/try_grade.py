"""Runs the commands of .github/workflows/grade.yml as GitHub's runner does: in a fresh clone, in
order, with the variables, files and expressions that they read. It replaces the workflow's actions:
a checkout is a clone, and files to be cached or kept stay where they are."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "workflows/target"
WORKFLOW = YAML(typ="safe").load(ROOT / ".github/workflows/grade.yml")
STEPS = WORKFLOW["jobs"]["grade"]["steps"]
SOLUTION = ROOT / "practicals/echo/solution"


class Nothing(str):
    """A missing value: it is empty, and so is each of its attributes."""

    def __getattr__(self, name):
        return self


class Value(dict):
    """A context of an expression, such as `github` or `steps`."""

    def __getattr__(self, name):
        return self.get(name, self.get(name.replace("_", "-"), Nothing()))


def evaluate(expression, contexts):
    """Returns an expression's value, after translating GitHub's operators to Python's."""
    words = re.split(r"('[^']*')", expression)
    for at in range(0, len(words), 2):
        words[at] = words[at].replace("||", " or ").replace("&&", " and ")
        words[at] = re.sub(r"(?<=[a-z])-(?=[a-z])", "_", words[at])
    functions = {"always": lambda: True, "hashFiles": lambda _: "hash"}
    return eval("".join(words).strip(), {"__builtins__": {}}, {**functions, **contexts})


def filled(text, contexts):
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: str(evaluate(match[1], contexts)), str(text))


class Run:
    """One run of the workflow in a new workspace below a folder."""

    def __init__(self, folder, github, inputs=None):
        self.workspace = Path(tempfile.mkdtemp(dir=folder))
        self.summary = self.workspace / "summary"
        self.log = ""
        self.status = {}
        self.steps = Value()
        self.contexts = {
            "github": github,
            "inputs": Value(inputs or {}),
            "runner": Value(os="Linux"),
            "steps": self.steps,
        }

    def all(self):
        failed = False
        for step in STEPS:
            condition = str(step.get("if", "True"))
            if (failed and "always()" not in condition) or not evaluate(condition, self.contexts):
                continue
            self.steps.setdefault(step.get("id", "-"), Value(outputs=Value()))
            if "run" in step:
                self.status[step["name"]] = self.run(step)
                failed = failed or self.status[step["name"]] != 0
            else:
                self.stand_in(step)
        return self

    def run(self, step):
        output = self.workspace / "output"
        output.write_text("")
        environment = {
            **os.environ,
            "CARGO_TARGET_DIR": str(TARGET),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_WORKSPACE": str(self.workspace),
            **{key: filled(value, self.contexts) for key, value in step.get("env", {}).items()},
        }
        script = step["run"]
        assert "${{" not in script, f"{step['name']}: an expression in a script is others' code"
        if "rustup toolchain install" in script:
            script = "cargo --version"  # this script already needs Rust
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.workspace / "grader",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self.log += done.stdout
        pairs = [line.split("=", 1) for line in output.read_text().splitlines()]
        self.steps[step.get("id", "-")] = Value(outputs=Value(pairs))
        return done.returncode

    def stand_in(self, step):
        action, commit = step["uses"].split("@")
        assert re.fullmatch("[0-9a-f]{40}", commit), f"{action} is not pinned by a commit"
        given = {key: filled(value, self.contexts) for key, value in step.get("with", {}).items()}
        if action == "actions/checkout":
            assert given["persist-credentials"] == "False", "a credential would stay there"
            place = self.workspace / given["path"]
            git("clone", "--quiet", given["repository"], str(place))
            git("-C", str(place), "checkout", "--quiet", given["ref"])
        elif action == "actions/upload-artifact":
            assert any((self.workspace / given["path"]).iterdir()), "there is nothing to keep"


def git(*words):
    settings = ["user.name=student", "user.email=student@localhost", "commit.gpgsign=false"]
    options = [word for setting in settings for word in ("-c", setting)]
    done = subprocess.run(["git", *options, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def student_repository(folder, place, programs, course=ROOT):
    """Makes a clone of the course with a branch in which only the programs have changed."""
    git("clone", "--quiet", "--no-hardlinks", str(course), str(folder))
    main = git("-C", str(folder), "rev-parse", "HEAD")
    git("-C", str(folder), "checkout", "--quiet", "-B", "main", main)
    git("-C", str(folder), "checkout", "--quiet", "-B", "20-practical")
    for program in ("echo_server", "echo_client"):
        copy(programs / program, folder / place / program)
    # This grader, which the student wrote, would give everyone full marks.
    (folder / "xtask/src/main.rs").write_text("fn main() {}\n")
    (folder / "practicals/echo/rubric.toml").write_text("nothing = 1\n")
    git("-C", str(folder), "add", "--all")
    git("-C", str(folder), "commit", "--quiet", "--message", "hand in")
    return main, git("-C", str(folder), "rev-parse", "HEAD")


def copy(source, place):
    ignore = shutil.ignore_patterns("target")
    shutil.copytree(source, place, dirs_exist_ok=True, ignore=ignore)


def released(folder):
    """Makes a repository of what students get."""
    target = {**os.environ, "CARGO_TARGET_DIR": str(TARGET)}
    release = ["cargo", "xtask", "release", str(folder)]
    subprocess.run(release, cwd=ROOT, env=target, check=True, stdout=subprocess.DEVNULL)
    git("-C", str(folder), "init", "--quiet", "--initial-branch", "main")
    git("-C", str(folder), "add", "--all")
    git("-C", str(folder), "commit", "--quiet", "--message", "release")
    return folder


def push(repository, branch, commit):
    return Value(
        repository=str(repository),
        ref=f"refs/heads/{branch}",
        ref_name=branch,
        head_ref="",
        sha=commit,
        event=Value(
            repository=Value(default_branch="origin/main"),
            pull_request=Value(base=Value(), head=Value(repo=Value())),
        ),
    )


def pull_request(repository, branch, base, head):
    github = push(repository, "1/merge", "0" * 40)
    github["head_ref"] = branch
    head = Value(sha=head, repo=Value(full_name=str(repository)))
    github["event"]["pull_request"] = Value(base=Value(sha=base), head=head)
    return github


def outside(log):
    """Returns the part of the log in which the runner obeys commands."""
    return re.sub(r"::stop-commands::(\w+)\n.*?\n::\1::\n", "", log, flags=re.S)


def check(what, condition, run):
    if not condition:
        sys.exit(f"grade.yml: this does not hold: {what}\n{run.status}\n{run.log}")
    print(f"grade.yml: {what}")


def check_passes(what, run):
    check(what, run.status.get("The pass mark") == 0, run)


def check_declarations():
    """Checks on which branches the workflow runs, and what it may read."""
    patterns = WORKFLOW["on"]["push"]["branches"]
    rubrics = [path.read_text() for path in ROOT.glob("practicals/*/rubric.toml")]
    branches = [re.search(r'^branch *= *"(.*)"', rubric, re.M)[1] for rubric in rubrics]
    missed = [
        branch
        for branch in branches
        if f"!{branch}" in patterns or not any(fnmatch(branch, pattern) for pattern in patterns)
    ]
    assert branches and not missed, f"grade.yml runs for {patterns}, but not for {missed}"
    assert WORKFLOW["permissions"] == {"contents": "read"}
    text = (ROOT / ".github/workflows/grade.yml").read_text()
    assert "secrets" not in text.replace("No secret is", "")


def check_right_programs(folder, right, base, head):
    run = Run(folder, push(right, "20-practical", head)).all()
    check_passes("a push of right programs passes", run)
    check("in each of its steps", not any(run.status.values()), run)
    summary = run.summary.read_text()
    check("its summary and reports are there", summary.startswith("## ✅"), run)

    run = Run(folder, pull_request(right, "20-practical", base, head)).all()
    check_passes("a pull request is graded by what it is to be merged into", run)

    branch = '$(touch "$GITHUB_WORKSPACE/pwned")`id`";exit 1;#'
    run = Run(folder, pull_request(right, branch, base, head)).all()
    check("another branch is not graded", run.status == {"Which practical": 0}, run)
    check("and its name is no code", not (run.workspace / "pwned").exists(), run)

    inputs = {"practical": "echo", "repository": str(right), "ref": head}
    inputs |= {"grader": str(ROOT), "grader-ref": "HEAD"}
    run = Run(folder, push("/nowhere", "main", "0" * 40), inputs).all()
    check_passes("an instructor's repository can call it", run)


def check_unfinished_programs(folder):
    unfinished, wrong = folder / "unfinished", folder / "wrong"
    for program in ("echo_server", "echo_client"):
        copy(ROOT / "practicals/echo" / program, unfinished / program)
        source = 'fn main() {\n    todo!("\\n::error::forged\\n##[add-mask]x")\n}\n'
        (unfinished / program / "src/main.rs").write_text(source)
    _, head = student_repository(wrong, "practicals/echo", unfinished)

    run = Run(folder, push(wrong, "20-practical", head)).all()
    last = list(run.status.items())[-1]
    check("a push of unfinished programs fails in the last step", last == ("The pass mark", 1), run)
    says_why = "2/100" not in run.log and "/100 points::" in run.log
    check("by the trusted grader, which says why", says_why, run)
    place = "file=practicals/echo/echo_server/src/main.rs,line=2"
    check("with annotations in the student's own files", f"::error {place}" in run.log, run)
    forged = re.search(r"^\s*::error::forged", outside(run.log), re.M)
    check("and nothing is obeyed that it printed", not forged, run)


def check_released_repository(folder):
    student, course = folder / "student", released(folder / "released")
    _, head = student_repository(student, "practicals/echo", SOLUTION, course)
    run = Run(folder, push(student, "20-practical", head)).all()
    check_passes("its steps run in a released repository", run)


def main():
    check_declarations()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        right = folder / "right"
        base, head = student_repository(right, "20-practical", SOLUTION)
        check_right_programs(folder, right, base, head)
        check_unfinished_programs(folder)
        check_released_repository(folder)


main()

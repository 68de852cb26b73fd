"""Runs the commands of .github/workflows/grade.yml as a runner of GitHub's would: in a fresh clone, in their order, with the
variables, files and expressions that they read. The actions that it uses are stood in for: a checkout is a clone, and what is
cached or kept is left where it is."""

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
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "workflows" / "target"
WORKFLOW = YAML(typ="safe").load(ROOT / ".github/workflows/grade.yml")
STEPS = WORKFLOW["jobs"]["grade"]["steps"]


class Nothing(str):
    """What is not there is empty, and so is whatever is looked for in it."""

    def __getattr__(self, name):
        return self


class Value(dict):
    """A context of GitHub's."""

    def __getattr__(self, name):
        return self.get(name, self.get(name.replace("_", "-"), Nothing()))


def evaluate(expression, contexts):
    """GitHub's operators are close to Python's; names may have hyphens."""
    words = re.split(r"('[^']*')", expression)
    for at in range(0, len(words), 2):
        words[at] = words[at].replace("||", " or ").replace("&&", " and ")
        words[at] = re.sub(r"(?<=[a-z])-(?=[a-z])", "_", words[at])
    functions = {"always": lambda: True, "hashFiles": lambda _: "hash"}
    return eval("".join(words).strip(), {"__builtins__": {}}, {**functions, **contexts})


def filled(text, contexts):
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: str(evaluate(match[1], contexts)), str(text))


class Run:
    """One run of the workflow, in a workspace of its own."""

    def __init__(self, workspace, github, inputs=None):
        self.workspace = workspace
        self.summary = workspace / "summary"
        self.log = ""
        self.status = {}
        self.steps = Value()
        self.contexts = {"github": github, "inputs": Value(inputs or {}), "runner": Value(os="Linux"), "steps": self.steps}

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
        assert "${{" not in step["run"], f"{step['name']}: an expression in a script is code that others write"
        script = step["run"]
        if "rustup toolchain install" in script:
            script = "cargo --version"  # it is there, or nothing here would run
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
            assert given["persist-credentials"] == "False", "a credential would stay in the checkout"
            place = self.workspace / given["path"]
            git("clone", "--quiet", given["repository"], str(place))
            git("-C", str(place), "checkout", "--quiet", given["ref"])
        elif action == "actions/upload-artifact":
            assert any((self.workspace / given["path"]).iterdir()), "there is nothing to keep"


def git(*words):
    author = ["-c", "user.name=student", "-c", "user.email=student@localhost", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *author, *words], check=True, capture_output=True, text=True).stdout.strip()


def student_repository(folder, place, programs, course=ROOT):
    """The course's own main, and a branch on which only the programs have changed."""
    git("clone", "--quiet", "--no-hardlinks", str(course), str(folder))
    main = git("-C", str(folder), "rev-parse", "HEAD")
    git("-C", str(folder), "checkout", "--quiet", "-B", "main", main)
    git("-C", str(folder), "checkout", "--quiet", "-B", "20-practical")
    for program in ("echo_server", "echo_client"):
        shutil.copytree(programs / program, folder / place / program, dirs_exist_ok=True, ignore=shutil.ignore_patterns("target"))
    # A grader of the student's own would give full marks to anybody.
    (folder / "xtask/src/main.rs").write_text("fn main() {}\n")
    (folder / "practicals/echo/rubric.toml").write_text("nothing = 1\n")
    git("-C", str(folder), "add", "--all")
    git("-C", str(folder), "commit", "--quiet", "--message", "hand in")
    return main, git("-C", str(folder), "rev-parse", "HEAD")


def released(folder):
    """What students get, in a repository of its own."""
    target = {**os.environ, "CARGO_TARGET_DIR": str(TARGET)}
    release = ["cargo", "xtask", "release", str(folder)]
    subprocess.run(release, cwd=ROOT, env=target, check=True, stdout=subprocess.DEVNULL)
    git("-C", str(folder), "init", "--quiet", "--initial-branch", "main")
    git("-C", str(folder), "add", "--all")
    git("-C", str(folder), "commit", "--quiet", "--message", "release")
    return folder


def push(repository, branch, commit):
    event = Value(repository=Value(default_branch="origin/main"), pull_request=Value(base=Value(), head=Value(repo=Value())))
    return Value(repository=str(repository), ref=f"refs/heads/{branch}", ref_name=branch, head_ref="", sha=commit, event=event)


def pull_request(repository, branch, base, head):
    github = push(repository, "1/merge", "0" * 40)
    github["head_ref"] = branch
    github["event"]["pull_request"] = Value(base=Value(sha=base), head=Value(sha=head, repo=Value(full_name=str(repository))))
    return github


def check(what, condition, run):
    if not condition:
        sys.exit(f"grade.yml: this does not hold: {what}\n{run.status}\n{run.log}")
    print(f"grade.yml: {what}")


def workspace(folder, name):
    place = folder / name
    place.mkdir()
    return place


def main():
    branches = WORKFLOW["on"]["push"]["branches"]
    rubrics = [re.search(r'^branch *= *"(.*)"', path.read_text(), re.M)[1] for path in ROOT.glob("practicals/*/rubric.toml")]
    strangers = [branch for branch in rubrics if not any(fnmatch(branch, pattern) for pattern in branches) or f"!{branch}" in branches]
    assert rubrics and not strangers, f"grade.yml runs for {branches}, and the rubrics name {strangers}, too"
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "secrets" not in (ROOT / ".github/workflows/grade.yml").read_text().replace("No secret is", "")

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        right, wrong, unfinished = folder / "right", folder / "wrong", folder / "unfinished"
        base, head = student_repository(right, "20-practical", ROOT / "practicals/echo/solution")
        for program in ("echo_server", "echo_client"):
            shutil.copytree(ROOT / "practicals/echo" / program, unfinished / program, ignore=shutil.ignore_patterns("target"))
            (unfinished / program / "src/main.rs").write_text('fn main() {\n    todo!("\\n::error::forged\\n##[add-mask]x")\n}\n')
        _, wrong_head = student_repository(wrong, "practicals/echo", unfinished)

        run = Run(workspace(folder, "1"), push(right, "20-practical", head)).all()
        check("a push of right programs passes", run.status.get("The pass mark") == 0 and not any(run.status.values()), run)
        check("its summary and reports are there", run.summary.read_text().startswith("## ✅"), run)

        run = Run(workspace(folder, "2"), push(wrong, "20-practical", wrong_head)).all()
        check("a push of unfinished programs fails in the last step", list(run.status.items())[-1] == ("The pass mark", 1), run)
        check("by the trusted grader, which says why", "2/100" not in run.log and "/100 points::" in run.log, run)
        place = "file=practicals/echo/echo_server/src/main.rs,line=2"
        check("with annotations in the student's own files", f"::error {place}" in run.log, run)
        check("and nothing is obeyed that it printed", not re.search(r"^\s*::error::forged", outside(run.log), re.M), run)

        run = Run(workspace(folder, "3"), pull_request(right, "20-practical", base, head)).all()
        check("a pull request is graded by what it is to be merged into", run.status.get("The pass mark") == 0, run)

        branch = '$(touch "$GITHUB_WORKSPACE/pwned")`id`";exit 1;#'
        run = Run(workspace(folder, "4"), pull_request(right, branch, base, head)).all()
        check("another branch is not graded", run.status == {"Which practical": 0}, run)
        check("and its name is no code", not (folder / "4/pwned").exists(), run)

        inputs = {"practical": "echo", "repository": str(right), "ref": head, "grader": str(ROOT), "grader-ref": "HEAD"}
        run = Run(workspace(folder, "5"), push("/nowhere", "main", "0" * 40), inputs).all()
        check("an instructor's repository can call it", run.status.get("The pass mark") == 0, run)

        student = folder / "student"
        course = released(folder / "released")
        _, head = student_repository(student, "practicals/echo", ROOT / "practicals/echo/solution", course)
        run = Run(workspace(folder, "6"), push(student, "20-practical", head)).all()
        check("its steps run in a released repository", run.status.get("The pass mark") == 0, run)


def outside(log):
    """What the runner reads while it obeys."""
    return re.sub(r"::stop-commands::(\w+)\n.*?\n::\1::\n", "", log, flags=re.S)


main()

//! `release`: writes the repository that students get. It has the skeletons, the handouts, the
//! suite, the commands and the grading workflow. It has nothing that gives an answer away: no
//! solution, no catalogue of mistakes, no hidden check.
//!
//! Every file that git tracks is released as it is in the working tree, and no other file but copies
//! of the course's manifests. A hidden
//! check is removed from the rubric with its points. Its code belongs in a file `hidden.rs` of the
//! suite, whose list `CHECKS` is empty in the release. If a released file still names a hidden
//! check, nothing is written.

mod manifests;
mod tracked;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::exit::PASSED;
use crate::patterns::Pattern;
use crate::plural;
use crate::request::ReleaseRequest;
use crate::rubric::{self, Rubric};
use crate::terminal::{BOLD, GREEN};
use crate::{interruption, repository, terminal};

/// What students do not get, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("practicals/*/solution/**", "the solutions"),
    ("practicals/*/mistakes/**", "wrong programs, and odd ones that are right"),
    ("practicals/*/attacks.toml", "what hostile submissions try"),
    ("xtask/tests/**", "the tests of the commands, which have programs of all kinds in them"),
    (".ci/**", "the checks of the grader itself"),
    (".github/workflows/ci.yml", "the checks of the grader itself"),
];

/// Replaces a list of hidden checks.
const NO_HIDDEN_CHECKS: &str = "//! The checks that are the instructor's alone are not in this repository.\n\n\
    use crate::Check;\n\npub(crate) const CHECKS: &[Check] = &[];\n";

/// The repository to be written.
#[derive(Debug, Default)]
struct Release {
    files: BTreeMap<PathBuf, Content>,
    /// How many files were left out for each reason.
    left_out: BTreeMap<&'static str, usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    AsItIs,
    Changed(String),
}

pub(crate) fn run(request: &ReleaseRequest) -> anyhow::Result<u8> {
    let repository = repository::find()?;
    let rubrics =
        suite::PRACTICALS.iter().map(|practical| rubric::read(&repository, practical.name));
    let rubrics = rubrics.collect::<anyhow::Result<Vec<_>>>()?;
    let root = repository.root();
    check_place(request, root)?;

    let release = plan(root, &tracked::files(root)?, &rubrics)?;
    check_skeletons(root, &rubrics)?;
    check_hidden(root, &release, &rubrics)?;
    write(root, &release, request)?;
    terminal::print(&told(&release, &request.folder))?;
    Ok(PASSED)
}

fn check_place(request: &ReleaseRequest, root: &Path) -> anyhow::Result<()> {
    let folder = &request.folder;
    let shown = folder.display();
    if let (Ok(folder), Ok(root)) = (fs::canonicalize(folder), fs::canonicalize(root)) {
        ensure!(!root.starts_with(&folder), "release {shown}: this repository is in that folder");
    }
    match fs::read_dir(folder).map(Iterator::count) {
        Ok(1..) if !request.replace => {
            bail!(
                "release {shown}: the folder is not empty; with --replace all but .git is removed"
            )
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            bail!("release {shown}: that is a file, and a repository needs a folder")
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("release {shown}"))
        }
        _ => Ok(()),
    }
}

// ---- what becomes of it ----

fn plan(root: &Path, files: &[PathBuf], rubrics: &[Rubric]) -> anyhow::Result<Release> {
    let mut release = Release::default();
    for path in files {
        match why_left_out(path) {
            Some(why) => *release.left_out.entry(why).or_default() += 1,
            None => {
                tracked::check(root, path)?;
                release.files.insert(path.clone(), content(root, path, rubrics)?);
            }
        }
    }
    manifests::add(rubrics, &mut release.files)?;
    Ok(release)
}

fn why_left_out(path: &Path) -> Option<&'static str> {
    let names_it = |pattern: &str| Pattern::new(pattern).is_ok_and(|names| names.matches(path));
    LEFT_OUT.iter().find(|(pattern, _)| names_it(pattern)).map(|(_, why)| *why)
}

fn content(root: &Path, path: &Path, rubrics: &[Rubric]) -> anyhow::Result<Content> {
    let read = || fs::read_to_string(root.join(path)).with_context(|| path.display().to_string());
    if path.starts_with("tests/src/practicals") && path.ends_with("hidden.rs") {
        return Ok(Content::Changed(NO_HIDDEN_CHECKS.to_owned()));
    }
    if path.starts_with(".vscode") {
        return Ok(Content::Changed(without_left_out(&read()?)));
    }
    let rubric = rubrics.iter().find(|rubric| {
        path == Path::new("practicals").join(rubric.practical.name).join("rubric.toml")
    });
    match rubric.filter(|rubric| rubric.checks.iter().any(|row| row.hidden)) {
        Some(rubric) => Ok(Content::Changed(without_hidden(&read()?, rubric))),
        None => Ok(Content::AsItIs),
    }
}

/// Returns an editor's settings without the paths that are left out. The last entry of a list has
/// no comma.
fn without_left_out(settings: &str) -> String {
    let names_it = |line: &&str| {
        let path = line.trim().trim_matches(|c| c == '"' || c == ',');
        why_left_out(Path::new(path)).is_none()
    };
    let kept: Vec<&str> = settings.lines().filter(names_it).collect();
    let closes =
        |at: usize| kept.get(at + 1).is_some_and(|next| next.trim_start().starts_with([']', '}']));
    let lines = kept.iter().enumerate();
    lines
        .map(|(at, line)| {
            if closes(at) { line.trim_end_matches(',') } else { line }.to_owned() + "\n"
        })
        .collect()
}

/// Returns a rubric without its hidden rows, and with the number of points that they had.
fn without_hidden(text: &str, rubric: &Rubric) -> String {
    let withheld: u32 = rubric.checks.iter().filter(|row| row.hidden).map(|row| row.points).sum();
    let mut blocks: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines() {
        if line.starts_with("[[") {
            blocks.push(Vec::new());
        }
        blocks.last_mut().into_iter().for_each(|block| block.push(line));
    }
    let says_so = |line: &&str| line.replace(' ', "").split('#').next() == Some("hidden=true");
    let is_hidden = |block: &&Vec<&str>| block.iter().any(says_so);
    let head = blocks.remove(0);
    let rows = blocks.iter().filter(|block| !is_hidden(block)).flatten();
    let lines = head.into_iter().chain(rows.copied());
    let withheld =
        format!("withheld = {withheld} # points of checks that are the instructor's alone\n");
    withheld + &lines.map(|line| line.to_owned() + "\n").collect::<String>()
}

// ---- what must not be in it ----

fn check_hidden(root: &Path, release: &Release, rubrics: &[Rubric]) -> anyhow::Result<()> {
    let rows = rubrics.iter().flat_map(|rubric| &rubric.checks).filter(|row| row.hidden);
    let hidden: BTreeSet<&str> = rows.map(|row| row.check.id).collect();
    for (path, content) in &release.files {
        let text = match content {
            Content::Changed(text) => text.clone(),
            Content::AsItIs => String::from_utf8_lossy(&fs::read(root.join(path))?).into_owned(),
        };
        if let Some(id) = hidden.iter().find(|id| text.contains(**id)) {
            bail!(
                "{} names the hidden check {id}: its code belongs in a file hidden.rs",
                path.display()
            );
        }
    }
    Ok(())
}

/// Checks that the skeletons are as they were committed: one that was filled in for a trial gives
/// the answer away.
fn check_skeletons(root: &Path, rubrics: &[Rubric]) -> anyhow::Result<()> {
    if !root.join(".git").exists() {
        return Ok(());
    }
    let folder = |rubric: &Rubric| PathBuf::from("practicals").join(rubric.practical.name);
    let programs = rubrics
        .iter()
        .flat_map(|rubric| rubric.programs.iter().map(move |row| folder(rubric).join(&row.name)));
    let mut status = Command::new("git");
    status
        .args(["--no-optional-locks", "status", "--porcelain", "--untracked-files=no", "--"])
        .args(programs)
        .current_dir(root);
    let output = status.output().context("git status")?;
    ensure!(
        output.status.success(),
        "git status: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    if let Some(line) = String::from_utf8_lossy(&output.stdout).lines().next() {
        bail!(
            "{} has changes that are not committed: is it still a skeleton?",
            line.get(3..).unwrap_or(line)
        );
    }
    Ok(())
}

// ---- how it is written ----

fn write(root: &Path, release: &Release, request: &ReleaseRequest) -> anyhow::Result<()> {
    let _until_written = interruption::delayed();
    let folder = &request.folder;
    let is_new = !folder.exists();
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let written = write_within(root, release, folder);
    if written.is_err() && is_new {
        _ = fs::remove_dir(folder);
    }
    written
}

/// Writes all files aside, and only then replaces what is there: a disk may be full.
fn write_within(root: &Path, release: &Release, folder: &Path) -> anyhow::Result<()> {
    let aside = tempfile::Builder::new().prefix(".release-").tempdir_in(folder);
    let aside = aside.with_context(|| folder.display().to_string())?;
    for (path, content) in &release.files {
        let to = aside.path().join(path);
        let above = to.parent().context("a file in no folder")?;
        let written = fs::create_dir_all(above).and_then(|()| match content {
            Content::AsItIs => fs::copy(root.join(path), &to).map(drop),
            Content::Changed(text) => fs::write(&to, text),
        });
        written.with_context(|| folder.join(path).display().to_string())?;
    }
    clear(folder, aside.path())?;
    for entry in fs::read_dir(aside.path())? {
        let entry = entry?;
        let to = folder.join(entry.file_name());
        fs::rename(entry.path(), &to).with_context(|| to.display().to_string())?;
    }
    Ok(())
}

/// Removes everything in a folder but `.git` and one other folder.
fn clear(folder: &Path, but: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let removed = match entry.file_type()?.is_dir() {
            _ if entry.file_name() == ".git" || entry.path() == but => Ok(()),
            true => fs::remove_dir_all(entry.path()),
            false => fs::remove_file(entry.path()),
        };
        removed.with_context(|| entry.path().display().to_string())?;
    }
    Ok(())
}

fn told(release: &Release, folder: &Path) -> String {
    let changed = release.files.iter().filter(|(_, content)| **content != Content::AsItIs);
    let changed: String =
        changed.map(|(path, _)| format!("changed   {}\n", path.display())).collect();
    let left_out = release
        .left_out
        .iter()
        .map(|(why, count)| format!("left out  {why} ({})\n", plural::count(*count, "file")));
    format!(
        "{GREEN}released{GREEN:#}  {} files to {}\n{changed}{}\nTry it: {BOLD}cd {} && cargo xtask grade {}{BOLD:#}\n",
        release.files.len(),
        folder.display(),
        left_out.collect::<String>(),
        folder.display(),
        suite::PRACTICALS.first().map_or("PRACTICAL", |practical| practical.name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo() -> Rubric {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../practicals/echo");
        let practical = suite::practical("echo").unwrap();
        rubric::read_from(practical, &folder, "practicals/echo/rubric.toml").unwrap()
    }

    #[track_caller]
    fn check(path: &str, left_out: bool) {
        assert_eq!(why_left_out(Path::new(path)).is_some(), left_out, "{path}");
    }

    #[test]
    fn answers_are_left_out_and_questions_are_not() {
        check("practicals/echo/solution/echo_server/src/main.rs", true);
        check("practicals/another/mistakes/mistakes.toml", true);
        check("practicals/echo/attacks.toml", true);
        check("xtask/tests/commands.rs", true);
        check(".github/workflows/ci.yml", true);
        check(".github/workflows/grade.yml", false);
        check("practicals/echo/echo_server/src/main.rs", false);
        check("practicals/echo/explanations.toml", false);
        check("tests/src/practicals/echo/server.rs", false);
    }

    #[test]
    fn a_hidden_row_goes_and_its_points_are_told() {
        let mut rubric = echo();
        let text = include_str!("../../../practicals/echo/rubric.toml");
        let row = "id     = \"rests_when_idle\"\n";
        assert!(text.contains(row));
        let text = text.replacen(row, &format!("{row}hidden = true # mine\n"), 1);
        rubric
            .checks
            .iter_mut()
            .filter(|row| row.check.id == "rests_when_idle")
            .for_each(|row| row.hidden = true);
        let released = without_hidden(&text, &rubric);
        assert!(released.starts_with("withheld = 2 #"), "{released}");
        assert!(
            !released.contains("rests_when_idle") && released.contains("reports_address_in_use")
        );
        assert_eq!(released.matches("[[check]]").count(), text.matches("[[check]]").count() - 1);
    }

    #[test]
    fn settings_name_nothing_that_is_left_out() {
        let settings = "{\n  \"projects\": [\n    \"practicals/echo/echo_server/Cargo.toml\",\n    \"practicals/echo/solution/echo_server/Cargo.toml\"\n  ]\n}\n";
        let released =
            "{\n  \"projects\": [\n    \"practicals/echo/echo_server/Cargo.toml\"\n  ]\n}\n";
        assert_eq!(without_left_out(settings), released);
    }
}

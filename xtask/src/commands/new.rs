//! `new`: writes a practical that verifies at once, for its author to change step by step.
//!
//! It consists of the files in `new/`, in which `PRACTICAL` stands for its name, and of one line in
//! the suite.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::exit::PASSED;
use crate::{files, interruption, repository, terminal};

/// The placeholder for the practical's name, in texts and in paths.
const NAME: &str = "PRACTICAL";

/// The placeholder for a package's name in a lock file.
const PACKAGE: &str = "PACKAGE";

/// The new files: paths and contents.
const FILES: [(&str, &str); 10] = [
    ("practicals/PRACTICAL/README.md", include_str!("new/README.md")),
    ("practicals/PRACTICAL/rubric.toml", include_str!("new/rubric.toml")),
    ("practicals/PRACTICAL/explanations.toml", include_str!("new/explanations.toml")),
    ("practicals/PRACTICAL/PRACTICAL_server/Cargo.toml", include_str!("new/crate.toml")),
    ("practicals/PRACTICAL/PRACTICAL_server/src/main.rs", include_str!("new/skeleton.rs.txt")),
    ("practicals/PRACTICAL/solution/PRACTICAL_server/Cargo.toml", include_str!("new/crate.toml")),
    (
        "practicals/PRACTICAL/solution/PRACTICAL_server/src/main.rs",
        include_str!("new/solution.rs.txt"),
    ),
    ("practicals/PRACTICAL/mistakes/Cargo.toml", include_str!("new/mistakes_crate.toml")),
    ("practicals/PRACTICAL/mistakes/mistakes.toml", include_str!("new/mistakes.toml")),
    ("practicals/PRACTICAL/mistakes/src/bin/says_nothing.rs", include_str!("new/mistake.rs.txt")),
];

/// The lock files, which continuous integration requires, and their packages.
const LOCKS: [(&str, &str); 3] = [
    ("practicals/PRACTICAL/PRACTICAL_server/Cargo.lock", "PRACTICAL_server"),
    ("practicals/PRACTICAL/solution/PRACTICAL_server/Cargo.lock", "PRACTICAL_server"),
    ("practicals/PRACTICAL/mistakes/Cargo.lock", "PRACTICAL_mistakes"),
];

/// The checks, and the file that lists the practicals.
const CHECKS: (&str, &str) =
    ("tests/src/practicals/PRACTICAL/mod.rs", include_str!("new/checks.rs.txt"));
const REGISTER: &str = "tests/src/practicals.rs";

pub(crate) fn run(name: &str) -> anyhow::Result<u8> {
    check_name(name)?;
    let root = repository::find()?.root().to_owned();
    let register = root.join(REGISTER);
    let shown = register.display();
    let unread = || format!("{shown} cannot be read: run this in the repository with the checks");
    let text = files::read_text(&register).with_context(unread)?;
    let registered =
        registered(&text, name).with_context(|| format!("{shown} has no list of practicals"))?;
    let files = new_files(name);
    let named =
        files.iter().flat_map(|(path, _)| path.ancestors().take_while(|it| is_new(it, name)));
    if let Some(path) = named.into_iter().find(|path| root.join(path).symlink_metadata().is_ok()) {
        bail!("{} is there already: choose another name", path.display());
    }
    let until_written = interruption::delayed();
    let written = files.iter().try_for_each(|(path, content)| write(&root.join(path), content));
    // The register is last: what is registered is there.
    if let Err(error) = written.and_then(|()| write(&register, &registered)) {
        files.iter().for_each(|(path, _)| remove(&root, path));
        return Err(error);
    }
    drop(until_written);
    terminal::print(&next_steps(name))?;
    Ok(PASSED)
}

/// Checks the name, which becomes part of folders, modules and packages.
fn check_name(name: &str) -> anyhow::Result<()> {
    const LONGEST: usize = 30;
    let is_word =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_word
        || !name.starts_with(|first: char| first.is_ascii_lowercase())
        || name.len() > LONGEST
    {
        bail!(
            "{name:?} cannot be a practical's name: at most {LONGEST} small letters, digits and _, a letter first"
        );
    }
    if suite::practical(name).is_some() {
        bail!("there is a practical {name:?} already (cargo xtask list)");
    }
    Ok(())
}

/// Returns all new files by their paths in the repository.
fn new_files(name: &str) -> Vec<(PathBuf, String)> {
    const LOCK: &str = include_str!("new/lock.toml");
    let named = |text: &str| text.replace(NAME, name);
    let locks =
        LOCKS.iter().map(|(path, package)| (named(path), named(&LOCK.replace(PACKAGE, package))));
    let texts = FILES.iter().chain([&CHECKS]).map(|(path, text)| (named(path), named(text)));
    texts.chain(locks).map(|(path, text)| (PathBuf::from(path), text)).collect()
}

/// Returns whether only the new practical has this path.
fn is_new(path: &Path, name: &str) -> bool {
    path.iter().any(|part| part == name)
}

fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    let folder = path.parent().context("a file without a folder")?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    files::write(path, content.as_bytes())
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Removes a new file, and the folders above it that are empty then.
fn remove(root: &Path, file: &Path) {
    _ = std::fs::remove_file(root.join(file));
    let above = file.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    for folder in above {
        if std::fs::remove_dir(root.join(folder)).is_err() {
            return;
        }
    }
}

/// Returns the list of practicals with a line for the new one at its end.
fn registered(text: &str, name: &str) -> anyhow::Result<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let list =
        lines.iter().position(|line| line == "practicals! {").context("no `practicals! {`")?;
    let end = (list..lines.len()).find(|&at| lines[at] == "}").context("no line `}` after it")?;
    lines.insert(end, entry(name));
    Ok(lines.join("\n") + "\n")
}

fn entry(name: &str) -> String {
    format!("    {name},")
}

fn next_steps(name: &str) -> String {
    format!(
        "practicals/{name} is there, and registered in {REGISTER}.

It verifies at once:
  cargo xtask verify {name}
  cargo xtask grade {name} --solution

Then, step by step:
  practicals/{name}/README.md                 what the students must do
  practicals/{name}/rubric.toml               title, session, points, claims, hints
  tests/src/practicals/{name}/                the checks: the register first; then what names the mistakes
  practicals/{name}/solution/, {name}_server/ the programs, whole and unfinished
  practicals/{name}/mistakes/                 a program for each mistake, and its row
  practicals/{name}/explanations.toml         what a report says of each mistake
docs/authors.md says what a check needs, and what a program.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = include_str!("../../../tests/src/practicals.rs");

    #[test]
    fn a_practical_is_one_line_after_those_that_are_there() {
        let registered = registered(SUITE, "greeting").unwrap();
        let names = |text: &str| suite_list(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names(&registered), [names(SUITE), vec![entry("greeting")]].concat());
        assert_eq!(registered.replace(&(entry("greeting") + "\n"), ""), SUITE);
    }

    fn suite_list(text: &str) -> impl Iterator<Item = &str> {
        text.lines()
            .skip_while(|line| *line != "practicals! {")
            .skip(1)
            .take_while(|line| *line != "}")
    }

    #[test]
    fn names_are_words() {
        assert!(check_name("chat_2").is_ok());
        for wrong in ["", "Chat", "2chat", "chat-2", "../chat", "chat server", &"x".repeat(31)] {
            assert!(check_name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn no_placeholder_is_left() {
        for (path, text) in new_files("chat") {
            assert!(
                !text.contains(NAME)
                    && !text.contains(PACKAGE)
                    && !path.to_string_lossy().contains(NAME)
            );
        }
    }
}

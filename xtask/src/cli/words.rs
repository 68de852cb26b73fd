//! Words on the command line that are nearly right, or right in another way.

use std::path::{Component, Path};

use super::help;
use crate::nearest::nearest;

/// A practical, and what of it, as a word names them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) practical: String,
    /// One of its programs.
    pub(super) program: Option<String>,
}

/// Returns what a word names: a practical, one of its programs, or the folder of either, as a shell
/// completes it. A word that names none stays as it is.
pub(super) fn named(word: &str) -> Named {
    let whole = |practical: &str| Named { practical: practical.to_owned(), program: None };
    let parts: Vec<&str> = Path::new(word)
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .skip_while(|part| *part == "practicals")
        .collect();
    match parts[..] {
        [practical] if suite::practical(practical).is_some() => whole(practical),
        [program] => of_program(program).unwrap_or_else(|| whole(word)),
        [practical, program, ..] => {
            let found = of_program(program).filter(|found| found.practical == practical);
            found.unwrap_or_else(|| whole(word))
        }
        [] => whole(word),
    }
}

fn of_program(name: &str) -> Option<Named> {
    let mut all = suite::PRACTICALS.iter();
    let practical = all.find(|practical| practical.programs.contains(&name))?;
    Some(Named { practical: practical.name.to_owned(), program: Some(name.to_owned()) })
}

/// Returns the error of a command that does not exist.
pub(super) fn no_command(word: &str) -> anyhow::Error {
    let commands = help::HELP.lines().filter_map(|line| line.trim().strip_prefix("cargo xtask "));
    let known: Vec<&str> = commands.filter_map(|line| line.split(' ').next()).collect();
    match nearest(word, &known) {
        Some(meant) => anyhow::anyhow!("there is no command {word:?}; did you mean {meant}?"),
        None => anyhow::anyhow!("there is no command {word:?}; cargo xtask --help lists them"),
    }
}

/// Returns the option of a command that a word with two dashes probably means.
pub(super) fn nearest_option(word: &str, help: &str) -> Option<String> {
    let options = help.lines().filter_map(|line| line.trim().strip_prefix("--"));
    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    let known: Vec<&str> = options.filter_map(|line| line.split(ends).next()).collect();
    nearest(word, &known).map(|option| format!("--{option}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], practical: &str, program: Option<&str>) {
        let expected =
            Named { practical: practical.to_owned(), program: program.map(str::to_owned) };
        words.iter().for_each(|word| assert_eq!(named(word), expected, "{word}"));
    }

    #[test]
    fn a_folder_and_a_program_name_their_practical() {
        check(&["echo", "practicals/echo", "./practicals/echo/", "echo/"], "echo", None);
        check(&["echo_server", "practicals/echo/echo_server/"], "echo", Some("echo_server"));
        check(&["nothing"], "nothing", None);
        check(&["multiconn/echo_server"], "multiconn/echo_server", None);
    }

    #[test]
    fn what_is_nearly_right_is_recognised() {
        let says = |error: anyhow::Error| format!("{error:#}");
        assert!(says(no_command("garde")).ends_with("did you mean grade?"));
        assert_eq!(nearest_option("sumbission", help::GRADE_HELP).as_deref(), Some("--submission"));
        assert_eq!(nearest_option("zzz", help::GRADE_HELP), None);
    }
}

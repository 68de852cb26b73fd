//! A program of the submission: its name, and how it is started.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use crate::engine::learned::Learned;
use crate::engine::opening::Opening;
use crate::engine::port::Home;
use crate::engine::starts::Starts;
use crate::sandbox::Reach;

/// A command line with places for what changes from launch to launch: `{host}`, `{port}` and
/// `{message}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<OsString>,
}

impl CommandLine {
    /// The words, the executable first. Arguments of one launch, like a message, follow at the end
    /// where no `{message}` stands.
    pub fn new(words: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect() }
    }

    /// Whether a place of this name, like `{port}`, occurs.
    pub fn has(&self, place: &str) -> bool {
        self.words.iter().any(|word| word.to_string_lossy().contains(place))
    }

    pub(crate) fn fill(&self, host: &str, port: &str, arguments: &[OsString]) -> Vec<OsString> {
        let mut filled: Vec<OsString> = Vec::new();
        for word in &self.words {
            match word.to_str() {
                Some("{message}") => filled.extend_from_slice(arguments),
                Some(text) if text.contains("{message}") && arguments.is_empty() => {}
                Some(text) => {
                    filled.push(text.replace("{host}", host).replace("{port}", port).into())
                }
                None => filled.push(word.clone()),
            }
        }
        if !self.has("{message}") {
            filled.extend_from_slice(arguments);
        }
        filled
    }
}

/// A program of the submission, ready to be run.
#[derive(Debug)]
pub struct Subject {
    name: String,
    command: CommandLine,
    folder: Option<PathBuf>,
    home: Arc<Home>,
    starts: Arc<Starts>,
    reach: Reach,
    learned: Learned,
    opening: OnceLock<Opening>,
    in_a_loop: Arc<AtomicBool>,
}

impl Subject {
    /// `name` is the practical's name for it. `fixed` is the address of a program that takes none.
    /// Without a `folder` each launch gets an empty one.
    pub fn new(
        name: impl Into<String>,
        command: CommandLine,
        fixed: Option<SocketAddr>,
        folder: Option<PathBuf>,
    ) -> Self {
        Self {
            name: name.into(),
            command,
            folder,
            home: Arc::new(Home::new(fixed)),
            starts: Arc::default(),
            reach: Reach::default(),
            learned: Learned::default(),
            opening: OnceLock::new(),
            in_a_loop: Arc::default(),
        }
    }

    /// With what it may reach where it is confined.
    pub fn with_reach(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    pub(crate) fn command(&self) -> &CommandLine {
        &self.command
    }

    /// The folder in which it runs, where it was given one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    /// Whether a check of this run has seen it in a loop in which nothing comes of its work.
    pub(crate) fn in_a_loop(&self) -> Arc<AtomicBool> {
        self.in_a_loop.clone()
    }

    /// What the checks of this run have learned about it.
    pub(crate) fn learned(&self) -> &Learned {
        &self.learned
    }

    /// What it sends before its client says anything, once a check has found that out.
    pub(crate) fn opening(&self) -> &OnceLock<Opening> {
        &self.opening
    }

    /// Whether it gets so far as to listen or to connect.
    pub(crate) fn starts(&self) -> &Arc<Starts> {
        &self.starts
    }

    pub(crate) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The practical's name for it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &[&str], arguments: &[&str], expected: &[&str]) {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let filled =
            CommandLine::new(command.iter().copied()).fill("127.0.0.1", "7000", &arguments);
        assert_eq!(filled, expected.iter().map(OsString::from).collect::<Vec<_>>());
    }

    #[test]
    fn places_are_filled() {
        check(&["py", "s.py", "{host}", "{port}"], &[], &["py", "s.py", "127.0.0.1", "7000"]);
        check(&["s", "--at={host}:{port}"], &[], &["s", "--at=127.0.0.1:7000"]);
    }

    #[test]
    fn a_message_comes_last_or_where_it_is_wanted() {
        check(&["c", "{host}", "{port}"], &["{port}"], &["c", "127.0.0.1", "7000", "{port}"]);
        check(&["c", "{message}", "{port}"], &["hi"], &["c", "hi", "7000"]);
        check(&["c", "{message}", "{port}"], &[], &["c", "7000"]);
    }

    #[test]
    fn several_arguments_stand_in_the_place_of_one() {
        check(&["c", "{port}"], &["one", "two"], &["c", "7000", "one", "two"]);
        check(&["c", "{message}", "{port}"], &["one", "two"], &["c", "one", "two", "7000"]);
    }
}

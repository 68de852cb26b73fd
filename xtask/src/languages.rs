//! The languages that programs may be written in: a table whose rows a rubric may replace.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// One language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Language {
    pub(crate) name: String,
    /// The executable that builds or starts programs.
    pub(crate) tool: String,
    /// Names of main files that contain the program's name.
    pub(crate) main: Vec<String>,
    /// Names of main files in a folder that has the program's name.
    pub(crate) own: Vec<String>,
    /// The word at which a program begins, in a file with another name.
    pub(crate) entry: Option<String>,
    /// A file in JSON whose key `main` names the main file.
    pub(crate) manifest: Option<String>,
    /// Its files are staged in a folder that has the program's name.
    #[serde(default)]
    pub(crate) is_package: bool,
    /// Patterns of the files that a submission may bring beside and below its main file.
    pub(crate) files: Vec<String>,
    /// It is built in a copy of its sources.
    #[serde(default)]
    pub(crate) beside_sources: bool,
    /// The command that makes a part of it, `{part}`, from another source, `{file}`.
    #[serde(default)]
    pub(crate) part: Vec<String>,
    /// The command that packs all `{parts}` into a library.
    #[serde(default)]
    pub(crate) pack: Vec<String>,
    /// The command that builds it; empty if nothing has to be built.
    pub(crate) build: Vec<String>,
    /// The command that starts it.
    pub(crate) start: Vec<String>,
    /// The environment variables with which it is started.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
}

impl Language {
    /// Returns whether a program begins in this source.
    pub(crate) fn begins_in(&self, text: &str) -> bool {
        let Some(entry) = &self.entry else { return false };
        let word = entry.trim_end_matches('(');
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].trim_start();
            let is_word = before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_');
            is_word && (word == entry || after.starts_with('('))
        })
    }

    /// Returns whether every program has a main function.
    pub(crate) fn needs_entry(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.ends_with('('))
    }

    /// Returns whether a file has the ending of this language's sources.
    pub(crate) fn has_source(&self, file: &Path) -> bool {
        let mut mains = self.main.iter().map(|main| Path::new(main).extension());
        file.extension().is_some_and(|ending| mains.any(|main| main == Some(ending)))
    }
}

/// The values of a command's placeholders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub(crate) name: String,
    pub(crate) tool: String,
    pub(crate) main: String,
    pub(crate) folder: String,
    pub(crate) out: String,
    /// A source that is compiled as a part, and the file that is made of it.
    pub(crate) file: String,
    pub(crate) part: String,
    /// What all parts are packed into; empty if there is none.
    pub(crate) library: String,
}

#[derive(Deserialize)]
struct Table {
    data: Vec<String>,
    language: Vec<Language>,
}

fn table() -> Option<Table> {
    toml::from_str(include_str!("languages.toml")).ok()
}

/// Returns the patterns of the files that a program in any language may read.
pub(crate) fn data() -> Vec<String> {
    table().map(|table| table.data).unwrap_or_default()
}

/// Returns the table for rubrics without rows of their own.
pub(crate) fn usual() -> Vec<Language> {
    table().map(|table| table.language).unwrap_or_default()
}

/// Returns the usual table with a rubric's rows.
pub(crate) fn with(rows: Vec<Language>) -> Vec<Language> {
    let mut languages = usual();
    languages.retain(|language| !rows.iter().any(|row| row.name == language.name));
    rows.into_iter().chain(languages).collect()
}

/// Returns a name as Java writes it: `EchoServer` for `echo_server`.
fn camel(name: &str) -> String {
    let capital = |word: &str| {
        word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)).collect()
    };
    name.split('_').map(|word| -> String { capital(word) }).collect()
}

/// Puts the program's name into a file name.
pub(crate) fn file_name(pattern: &str, program: &str) -> String {
    pattern.replace("{name}", program).replace("{Name}", &camel(program))
}

impl Places {
    /// Fills in every placeholder except `{host}`, `{port}` and `{message}`, which change from
    /// launch to launch.
    pub(crate) fn fill(&self, words: &[String]) -> Vec<String> {
        let separator = if cfg!(windows) { ";" } else { ":" };
        let fill = |word: &String| {
            file_name(word, &self.name)
                .replace("{tool}", &self.tool)
                .replace("{main}", &self.main)
                .replace("{class}", &self.class())
                .replace("{folder}", &self.folder)
                .replace("{out}", &self.out)
                .replace("{file}", &self.file)
                .replace("{part}", &self.part)
                .replace("{library}", &self.library)
                .replace("{;}", separator)
        };
        words.iter().map(fill).filter(|word| !word.is_empty()).collect()
    }

    /// Returns the main class: the path of the main file with dots.
    fn class(&self) -> String {
        let main = Path::new(&self.main);
        let within = main.strip_prefix(&self.folder).unwrap_or(main).with_extension("");
        let parts = within.iter().map(|part| part.to_string_lossy().into_owned());
        parts.collect::<Vec<_>>().join(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_table_can_be_read() {
        let names: Vec<String> = usual().into_iter().map(|language| language.name).collect();
        assert_eq!(
            names,
            ["Rust", "Python", "a Python package", "C with make", "C", "C++", "Node", "Go", "Java"]
        );
    }

    #[test]
    fn a_main_function_is_recognised() {
        let begins = |name: &str, text: &str| {
            let language = usual().into_iter().find(|language| language.name == name);
            language.unwrap().begins_in(text)
        };
        assert!(begins("C", "int main (void) {"));
        assert!(begins("C", "int\nmain(int argc)"));
        assert!(!begins("C", "void domain(int n);"));
        assert!(!begins("C", "/* the main loop */"));
        assert!(begins("Python", "if __name__ == '__main__':"));
    }

    #[test]
    fn names_are_filled_in() {
        assert_eq!(file_name("{Name}.java", "echo_server"), "EchoServer.java");
        let places = Places {
            main: "/s/net/EchoServer.java".to_owned(),
            folder: "/s".to_owned(),
            out: "/o".to_owned(),
            ..Places::default()
        };
        assert_eq!(
            places.fill(&[
                "{out}".to_owned(),
                "{class}".to_owned(),
                "{library}".to_owned(),
                "{port}".to_owned()
            ]),
            ["/o", "net.EchoServer", "{port}"]
        );
    }
}

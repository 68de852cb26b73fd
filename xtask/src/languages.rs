//! The languages that programs may be written in: a table whose rows a rubric may replace.

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
    /// Patterns of the files that a submission may bring beside and below its main file.
    pub(crate) files: Vec<String>,
    /// It is built in a copy of its sources.
    #[serde(default)]
    pub(crate) beside_sources: bool,
    /// The command that builds it; empty if nothing has to be built.
    pub(crate) build: Vec<String>,
    /// The command that starts it.
    pub(crate) start: Vec<String>,
}

/// The values of a command's placeholders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub(crate) name: String,
    pub(crate) tool: String,
    pub(crate) main: String,
    pub(crate) folder: String,
    pub(crate) out: String,
}

#[derive(Deserialize)]
struct Table {
    language: Vec<Language>,
}

/// Returns the table for rubrics without rows of their own.
pub(crate) fn usual() -> Vec<Language> {
    toml::from_str::<Table>(include_str!("languages.toml"))
        .map(|table| table.language)
        .unwrap_or_default()
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
        let stem = std::path::Path::new(&self.main)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let fill = |word: &String| {
            file_name(word, &self.name)
                .replace("{tool}", &self.tool)
                .replace("{main}", &self.main)
                .replace("{stem}", &stem)
                .replace("{folder}", &self.folder)
                .replace("{out}", &self.out)
        };
        words.iter().map(fill).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_table_can_be_read() {
        let names: Vec<String> = usual().into_iter().map(|language| language.name).collect();
        assert_eq!(names, ["Rust", "Python", "C with make", "C", "C++", "Node", "Go", "Java"]);
    }

    #[test]
    fn names_are_filled_in() {
        assert_eq!(file_name("{Name}.java", "echo_server"), "EchoServer.java");
        let places = Places {
            main: "/s/EchoServer.java".to_owned(),
            out: "/o".to_owned(),
            ..Places::default()
        };
        assert_eq!(
            places.fill(&["{out}".to_owned(), "{stem}".to_owned(), "{port}".to_owned()]),
            ["/o", "EchoServer", "{port}"]
        );
    }
}

//! The languages that programs are handed in in: a table, which a rubric may replace row by row.

use serde::Deserialize;

/// One language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Language {
    pub(crate) name: String,
    /// The executable without which nothing can be built or started.
    pub(crate) tool: String,
    /// Names of main files that say which program they are.
    pub(crate) main: Vec<String>,
    /// Names of main files in a folder that says which program it is.
    pub(crate) own: Vec<String>,
    /// What a submission may bring beside and below its main file.
    pub(crate) files: Vec<String>,
    /// It is built in a copy of its sources.
    #[serde(default)]
    pub(crate) beside_sources: bool,
    /// The command that builds it; none where nothing is to be built.
    pub(crate) build: Vec<String>,
    /// The command that starts it.
    pub(crate) start: Vec<String>,
}

/// What stands in a command's places.
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

/// The table for rubrics that say nothing else.
pub(crate) fn usual() -> Vec<Language> {
    toml::from_str::<Table>(include_str!("languages.toml"))
        .map(|table| table.language)
        .unwrap_or_default()
}

/// The usual table with a rubric's rows in it.
pub(crate) fn with(rows: Vec<Language>) -> Vec<Language> {
    let mut languages = usual();
    languages.retain(|language| !rows.iter().any(|row| row.name == language.name));
    rows.into_iter().chain(languages).collect()
}

/// A name as Java writes it: `echo_server` is `EchoServer`.
fn camel(name: &str) -> String {
    let capital = |word: &str| {
        word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)).collect()
    };
    name.split('_').map(|word| -> String { capital(word) }).collect()
}

/// A file's name with the program's in it.
pub(crate) fn file_name(pattern: &str, program: &str) -> String {
    pattern.replace("{name}", program).replace("{Name}", &camel(program))
}

impl Places {
    /// Fills in everything but `{host}`, `{port}` and `{message}`, which change from launch to
    /// launch.
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

//! Says what is nearest to a program that was not found, and what to do.

use std::path::Path;

use super::desk::Desk;
use super::find::Found;
use super::holder::{Holder, Kind};
use super::names::visible;
use crate::rubric::ProgramRow;

/// Why a program was not found.
#[derive(Debug)]
pub(super) enum Unfound {
    Nothing,
    /// Each of these could be it.
    Several(Vec<String>),
}

impl Unfound {
    pub(super) fn several(found: &[Found]) -> Self {
        Self::Several(found.iter().map(|found| visible(&found.main)).collect())
    }
}

/// Languages that the harness does not build: the end of a file's name, the language, and how it is
/// started.
const LANGUAGES: [(&str, &str, &str); 22] = [
    ("rb", "Ruby", "ruby"),
    ("pl", "Perl", "perl"),
    ("php", "PHP", "php"),
    ("lua", "Lua", "lua"),
    ("sh", "a shell", "sh"),
    ("bash", "a shell", "bash"),
    ("ts", "TypeScript", "npx tsx"),
    ("kts", "Kotlin", "kotlinc -script"),
    ("kt", "Kotlin", "java -jar"),
    ("cs", "C#", "dotnet run"),
    ("hs", "Haskell", "runghc"),
    ("ml", "OCaml", "ocaml"),
    ("ex", "Elixir", "elixir"),
    ("exs", "Elixir", "elixir"),
    ("erl", "Erlang", "escript"),
    ("jl", "Julia", "julia"),
    ("dart", "Dart", "dart run"),
    ("swift", "Swift", "swift"),
    ("scala", "Scala", "scala"),
    ("zig", "Zig", "zig run"),
    ("r", "R", "Rscript"),
    ("jar", "a packed Java program", "java -jar"),
];

/// The most names in one message.
const SHOWN: usize = 5;

impl Desk<'_> {
    /// Says why a program is missing, and what to do.
    pub(super) fn why_missing(&self, row: &ProgramRow, unfound: &Unfound) -> String {
        let (name, shown) = (&row.name, self.repository.relative(self.base));
        let nearest = match unfound {
            Unfound::Several(paths) => Some(format!(
                "it could be each of {}: name one of them {name}",
                paths.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ")
            )),
            Unfound::Nothing => self.nearest(name),
        };
        match nearest {
            Some(nearest) => format!("no {name} in {shown}: {nearest}"),
            None => self.where_to_put(row),
        }
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let entries = self.walk(Path::new(""));
        let alike = entries.iter().filter(|(path, kind)| {
            let word = if *kind == Kind::Folder { path.file_name() } else { path.file_stem() };
            self.likeness(name, &word.unwrap_or_default().to_string_lossy()).is_some()
        });
        let mut told: Vec<(u8, String)> =
            alike.filter_map(|(path, kind)| self.about(path, *kind, name)).collect();
        told.sort();
        let told = told.into_iter().next().map(|(_, words)| words);
        told.or_else(|| {
            let mut files = entries.iter().filter(|(_, kind)| *kind == Kind::File);
            let (inner, _) = files.find(|(path, _)| is_archive(path))?;
            Some(format!("{} is an archive in it: hand in that one alone", visible(inner)))
        })
    }

    /// Says what stands in the way of taking an entry. What is most telling has the lowest number.
    fn about(&self, path: &Path, kind: Kind, name: &str) -> Option<(u8, String)> {
        let shown = visible(path);
        match kind {
            Kind::File => self.about_file(path, name),
            Kind::Other => {
                let words = "is a link or no regular file, which the harness does not follow";
                Some((1, format!("{shown} {words}: hand in the file or folder itself")))
            }
            Kind::Folder => match self.holder.list(path).ok()?.as_slice() {
                [] => Some((2, format!("{shown} is empty: {}", self.why_empty()))),
                inside => {
                    let names: Vec<String> = inside
                        .iter()
                        .take(SHOWN)
                        .map(|(inside, _)| visible(inside.strip_prefix(path).unwrap_or(inside)))
                        .collect();
                    Some((
                        3,
                        format!(
                            "{shown} has no main file, or several: it has {}; a Rust crate has src/main.rs, and {name}.py, {name}.c and the like are programs, too",
                            names.join(", ")
                        ),
                    ))
                }
            },
        }
    }

    fn about_file(&self, path: &Path, name: &str) -> Option<(u8, String)> {
        let shown = visible(path);
        let Some(ending) = path.extension() else {
            let words = "has no ending that names its language";
            return Some((
                4,
                format!(
                    "{shown} {words}: add one, like .py, or give --program '{name}={}'",
                    self.command("", path)
                ),
            ));
        };
        let ending = ending.to_string_lossy().to_ascii_lowercase();
        let (_, language, tool) = LANGUAGES.iter().find(|(known, _, _)| *known == ending)?;
        let command = self.command(tool, path);
        Some((0, format!("{shown}: for {language} give --program '{name}={command}'")))
    }

    /// Returns the command line that starts a file, as one would type it.
    fn command(&self, tool: &str, path: &Path) -> String {
        let place = match self.holder {
            Holder::Folder(_) => self.repository.relative(&self.base.join(path)),
            Holder::Archive(_) => path.display().to_string(),
        };
        format!("{tool} {place} {{host}} {{port}}").trim_start().to_owned()
    }

    fn why_empty(&self) -> &'static str {
        match self.walk_finds(".gitmodules") {
            true => {
                "a submodule that was not fetched; `git submodule update --init` fetches it, or hand in its files"
            }
            false => "hand in its files; a git submodule that was not fetched is empty, too",
        }
    }

    fn walk_finds(&self, file: &str) -> bool {
        self.places().iter().any(|place| self.holder.kind(&place.join(file)).is_some())
    }
}

fn is_archive(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    ["zip", "gz", "tgz", "tar", "7z", "rar", "xz"].contains(&&*ending)
}

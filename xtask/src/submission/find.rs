//! Finds programs where students put them.

use std::path::{Component, Path, PathBuf};

use super::desk::Desk;
use super::holder::Kind;
use super::likeness::Likeness;
use super::near::Unfound;
use crate::files;
use crate::languages::{self, Language};
use crate::request::Origin;

/// A program that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) language: Language,
    /// The folder that holds its files.
    pub(super) folder: PathBuf,
    pub(super) main: PathBuf,
    /// It is not where or what the handout asks for, and is told of also at home.
    pub(super) is_unusual: bool,
}

impl Found {
    pub(super) fn is_rust(&self) -> bool {
        self.language.name == "Rust"
    }

    /// Returns whether it is a crate, not a single file.
    pub(super) fn is_crate(&self) -> bool {
        self.is_rust() && self.main == self.folder.join("src/main.rs")
    }

    /// Returns whether it is one of several programs of a crate.
    pub(super) fn is_one_of_a_crate(&self) -> bool {
        self.is_rust() && !self.is_crate() && self.main.starts_with(self.folder.join("src"))
    }

    fn unusual(self) -> Self {
        Self { is_unusual: true, ..self }
    }
}

impl Desk<'_> {
    /// Returns the folders where students put programs: the top, the folder of the branch, the
    /// practical's folder or `src`. An archive often has one folder that contains everything.
    pub(super) fn places(&self) -> Vec<PathBuf> {
        let practical = Path::new("practicals").join(self.rubric.practical.name);
        let tops = std::iter::once(PathBuf::new()).chain(self.only_folder());
        tops.flat_map(|top| {
            [top.clone(), top.join(&self.rubric.branch), top.join(&practical), top.join("src")]
        })
        .collect()
    }

    /// Finds a program: where the handout asks for it, or else the one place that it can be at.
    pub(super) fn find(&mut self, name: &str) -> Result<Found, Unfound> {
        let own = self.usual(name, Kind::File, true);
        if let Some(skeleton) = own.as_ref().filter(|found| self.is_unwritten(found)) {
            let other = self.instead_of(skeleton, name);
            return Ok(other.unwrap_or_else(|| skeleton.clone()));
        }
        let usual = own.or_else(|| self.usual(name, Kind::File, false));
        match usual {
            Some(found) => Ok(found),
            None => self.elsewhere(name),
        }
    }

    /// Finds a program in any other place. What is no regular file is found last, to be refused.
    fn elsewhere(&self, name: &str) -> Result<Found, Unfound> {
        let unfound = match self.alike(name, true) {
            Ok(found) => return Ok(found.unusual()),
            Err(unfound) => unfound,
        };
        let no_file = [true, false].into_iter().find_map(|own| self.usual(name, Kind::Other, own));
        no_file.ok_or(unfound)
    }

    /// Finds the program that a student wrote instead of filling in the skeleton.
    fn instead_of(&mut self, skeleton: &Found, name: &str) -> Option<Found> {
        let lone = self.usual(name, Kind::File, false);
        let other = match lone {
            Some(lone) => Ok(lone),
            None => self.alike(name, false),
        };
        match other {
            Ok(found) => Some(found.unusual()),
            Err(Unfound::Several(paths)) => {
                let (main, paths) = (skeleton.main.display(), paths.join(", "));
                self.notes.push(format!(
                    "{main} is not written yet, and {name} could be each of {paths}: name one of them {name}"
                ));
                None
            }
            Err(Unfound::Nothing) => None,
        }
    }

    /// Finds a program where the handout asks for it: in a folder of its own, or as a lone file.
    fn usual(&self, name: &str, kind: Kind, own: bool) -> Option<Found> {
        let languages = || self.rubric.languages.iter();
        self.places().iter().find_map(|place| match own {
            true => self.recognise(&place.join(name), name, kind, languages()),
            false => languages().find_map(|language| self.lone(place, name, kind, language)),
        })
    }

    fn only_folder(&self) -> Option<PathBuf> {
        let names = self.holder.list(Path::new("")).ok()?;
        let hidden = |path: &Path| path.to_string_lossy().starts_with(['.', '_']);
        let mut folders =
            names.into_iter().filter(|(path, kind)| *kind == Kind::Folder && !hidden(path));
        let (only, _) = folders.next()?;
        folders.next().is_none().then_some(only)
    }

    /// Recognises the program in a folder by the names of main files.
    pub(super) fn recognise<'a>(
        &self,
        folder: &Path,
        name: &str,
        kind: Kind,
        languages: impl Iterator<Item = &'a Language>,
    ) -> Option<Found> {
        let found = |language: &Language| {
            let named = self.named_by_manifest(folder, language).into_iter();
            let usual = language.own.iter().chain(&language.main);
            let usual = usual.map(|main| folder.join(languages::file_name(main, name)));
            let main = named.chain(usual).find(|main| self.holder.kind(main) == Some(kind))?;
            let folder = self.top_of_sources(language, folder, &main);
            Some(Found { language: language.clone(), folder, main, is_unusual: false })
        };
        languages.into_iter().find_map(found)
    }

    /// Recognises a main file that has the program's name.
    fn lone(&self, place: &Path, name: &str, kind: Kind, language: &Language) -> Option<Found> {
        let mut mains =
            language.main.iter().map(|main| place.join(languages::file_name(main, name)));
        let main = mains.find(|main| self.holder.kind(main) == Some(kind))?;
        Some(self.found_at(language, main))
    }

    /// Returns the program with this main file.
    pub(super) fn found_at(&self, language: &Language, main: PathBuf) -> Found {
        let folder = main.parent().unwrap_or(Path::new("")).to_owned();
        let folder = self.top_of_sources(language, &folder, &main);
        Found { language: language.clone(), folder, main, is_unusual: false }
    }

    /// Returns the main file that a manifest like `package.json` names.
    fn named_by_manifest(&self, folder: &Path, language: &Language) -> Option<PathBuf> {
        let content = self.holder.read(&folder.join(language.manifest.as_ref()?)).ok()?;
        let main = folder.join(main_of(&content)?);
        let is_file = |path: &PathBuf| self.holder.kind(path) == Some(Kind::File);
        let with_ending = PathBuf::from(format!("{}.js", main.display()));
        [main.join("index.js"), with_ending, main].into_iter().find(is_file)
    }

    /// Returns the folder from which on a program's files count: above the packages of Java, and
    /// the crate of a Rust program that is one of several.
    fn top_of_sources(&self, language: &Language, folder: &Path, main: &Path) -> PathBuf {
        if language.name == "Java" {
            let package = self.package_of(main);
            let inside = main.parent().unwrap_or(folder);
            let above = inside.ancestors().nth(package.iter().count());
            return match above.filter(|above| above.join(&package) == inside) {
                Some(above) if !package.as_os_str().is_empty() => above.to_owned(),
                _ => inside.to_owned(),
            };
        }
        if !language.part.is_empty() && folder.ends_with("src") {
            return folder.parent().unwrap_or(folder).to_owned(); // headers are often beside `src`
        }
        let is_crate = |above: &&Path| {
            main.starts_with(above.join("src"))
                && self.holder.kind(&above.join("Cargo.toml")) == Some(Kind::File)
        };
        let above = (language.name == "Rust").then(|| main.ancestors().skip(1).find(is_crate));
        above.flatten().map_or_else(|| folder.to_owned(), Path::to_owned)
    }

    /// Returns the folders of a Java file's package. A package's name that could lead elsewhere
    /// counts for nothing.
    pub(super) fn package_of(&self, file: &Path) -> PathBuf {
        let content = self.holder.read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&content);
        let mut lines = text.lines().map(str::trim);
        let package = lines.find_map(|line| line.strip_prefix("package ")?.split(';').next());
        let package = package.unwrap_or_default();
        let is_name = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        match package.split('.').map(str::trim).all(is_name) {
            true => package.split('.').map(str::trim).collect(),
            false => PathBuf::new(),
        }
    }

    /// Returns whether a crate is a skeleton in which something is still to be written. A checkout
    /// has it also if the student used another language.
    fn is_unwritten(&self, found: &Found) -> bool {
        if !found.is_crate() {
            return false;
        }
        let content = self.holder.read(&found.main).unwrap_or_default();
        let text = String::from_utf8_lossy(&content);
        let mut lines = text.lines().map(str::trim_start);
        let has_gaps = lines.any(|line| line.contains("todo!(") && !line.starts_with("//"));
        has_gaps || self.is_skeleton(found, &content)
    }

    fn is_skeleton(&self, found: &Found, content: &[u8]) -> bool {
        let ours =
            found.folder.file_name().map(|name| self.rubric.folder.join(name).join("src/main.rs"));
        let ours = ours.and_then(|main| files::read(&main).ok());
        matches!(self.request.origin, Origin::Submission(_))
            && ours.is_some_and(|ours| ours == content)
    }

    /// Returns how much a name is like a program's, if it is at all.
    pub(super) fn likeness(&self, program: &str, name: &str) -> Option<Likeness> {
        Likeness::of(self.rubric.practical.programs, program, name)
    }
}

/// Returns the main file that a manifest in JSON names, if it is in the manifest's folder.
fn main_of(content: &[u8]) -> Option<PathBuf> {
    let manifest: serde_json::Value = serde_json::from_slice(content).ok()?;
    let main = Path::new(manifest.get("main")?.as_str()?.trim_start_matches("./"));
    let is_inside = main.components().all(|part| matches!(part, Component::Normal(_)));
    is_inside.then(|| main.to_owned())
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;
    use crate::mutations::Inputs;

    #[test]
    fn a_bad_manifest_names_no_file_outside_its_folder() {
        const RIGHT: &[u8] = br#"{"name":"a","main":"./lib/server.js","type":"module"}"#;
        let words = ["../", "/", "\"main\":", "\\u002e\\u002e/", "[", "\\ud800"];
        let inputs = Inputs { right: &[RIGHT], words: &words, ..Inputs::default() };
        inputs.check("manifests in JSON", |input| {
            let main = main_of(input).context("that names no file")?;
            assert!(Path::new("/folder").join(&main).starts_with("/folder"), "{main:?}");
            assert!(!main.iter().any(|part| part == ".."), "{main:?}");
            Ok(())
        });
    }
}

//! Where a file of a program stands for the person who reads the report: the path as one would type
//! it, not the one of the copy that was run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use suite::{Status, Verdict};

use super::paths;
use crate::repository;
use crate::request::{GradeRequest, Origin, ProgramCommand};
use crate::submission::{Source, Sources, StagedCrate, StagedProgram};
use crate::unbuilt::{Reason, Unbuilt};

/// The folders and files of each program, with their names for the reader.
#[derive(Debug, Default)]
pub(crate) struct Places {
    places: Vec<Place>,
    copies: Vec<Copy>,
}

#[derive(Debug)]
struct Place {
    program: String,
    /// A file, or a folder, as the program itself names it.
    here: PathBuf,
    shown: PathBuf,
}

/// The copy of a program's files that the harness builds and runs.
#[derive(Debug)]
struct Copy {
    program: String,
    folder: PathBuf,
    shown: PathBuf,
    own_names: BTreeMap<PathBuf, PathBuf>,
}

impl Copy {
    /// Returns the student's path of a file, from its path in the copy's folder.
    fn own(&self, path: &str) -> String {
        let path = Path::new(path);
        let own = self.own_names.get(path).map_or(path, |own| own);
        self.shown.join(own).display().to_string()
    }
}

impl Places {
    pub(super) fn of(sources: &Sources, request: &GradeRequest) -> Self {
        let of = |source: &Source| match source {
            Source::Crate(staged) => of_crate(staged, sources, request),
            Source::Other(program) => of_other(program, sources, request),
            Source::Command(command) => of_command(command),
            Source::Ready(ready) => in_repository(&ready.name),
            Source::Unusable(_) => Vec::new(),
        };
        let copy = |staged: &StagedCrate| Copy {
            program: staged.name.clone(),
            folder: staged.folder.clone(),
            shown: shown_folder(staged, sources, request),
            own_names: staged.own_names.clone(),
        };
        let copies = sources.programs.iter().filter_map(staged).map(copy);
        Self { places: sources.programs.iter().flat_map(of).collect(), copies: copies.collect() }
    }

    /// Puts the student's own paths into what a compiler says.
    pub(super) fn in_errors(&self, mut unbuilt: Unbuilt) -> Unbuilt {
        let copy = self.copies.iter().find(|copy| copy.program == unbuilt.program);
        let (Reason::DoesNotCompile(errors) | Reason::MissesDependency(errors), Some(copy)) =
            (&mut unbuilt.reason, copy)
        else {
            return unbuilt;
        };
        for error in errors {
            let text = paths::of_compiler(error, &copy.folder, &|path| copy.own(path));
            *error = String::from_utf8_lossy(&self.absolute(text.as_bytes())).into_owned();
        }
        unbuilt
    }

    /// Puts the student's own paths into what the programs of a check have printed.
    pub(super) fn in_verdict(&self, programs: &[&str], mut verdict: Verdict) -> Verdict {
        let tail = self.absolute(&verdict.stderr_tail);
        let mut copies = self.copies.iter().filter(|copy| [&*copy.program] == *programs);
        verdict.stderr_tail = match copies.next() {
            Some(copy) => paths::of_panic(&tail, &|path| copy.own(path)),
            None => tail,
        };
        verdict.stdout_tail = self.absolute(&verdict.stdout_tail);
        if let Status::Failed(failure) = &mut verdict.status {
            let observed = self.absolute(failure.observed.as_bytes());
            failure.observed = String::from_utf8_lossy(&observed).into_owned();
        }
        verdict
    }

    /// Replaces the paths of copies, which are absolute.
    fn absolute(&self, text: &[u8]) -> Vec<u8> {
        let is_copy = |place: &&Place| place.here.is_absolute() && self.is_copy(&place.program);
        self.places
            .iter()
            .filter(is_copy)
            .fold(text.to_owned(), |text, place| paths::replaced(&text, &place.here, &place.shown))
    }

    fn is_copy(&self, program: &str) -> bool {
        self.copies.iter().any(|copy| copy.program == program)
    }

    /// Returns a path within a program's folder, for a path that is shown.
    pub(crate) fn within<'a>(&self, program: &str, shown: &'a str) -> &'a str {
        let mut copies = self.copies.iter().filter(|copy| copy.program == program);
        let within =
            copies.find_map(|copy| Path::new(shown).strip_prefix(&copy.shown).ok()?.to_str());
        within.unwrap_or(shown)
    }

    /// Returns the path to show for a file that the program names.
    pub(crate) fn shown(&self, program: &str, file: &str) -> String {
        let mut places = self.places.iter().filter(|place| place.program == program);
        let found = places.find_map(|place| {
            let rest = Path::new(file).strip_prefix(&place.here).ok()?;
            let is_all = rest.as_os_str().is_empty();
            Some(if is_all { place.shown.clone() } else { place.shown.join(rest) })
        });
        found.map_or_else(|| file.to_owned(), |path| path.display().to_string())
    }
}

fn staged(source: &Source) -> Option<&StagedCrate> {
    match source {
        Source::Crate(staged) => Some(staged),
        Source::Other(program) => Some(&program.staged),
        Source::Command(_) | Source::Ready(_) | Source::Unusable(_) => None,
    }
}

/// The compiler names the files of a crate from the crate's folder on, and those of a library from
/// the root on. A language that builds beside its sources has a second copy in its build folder.
fn of_crate(staged: &StagedCrate, sources: &Sources, request: &GradeRequest) -> Vec<Place> {
    let shown = shown_folder(staged, sources, request);
    let place = |here: PathBuf, shown: PathBuf| Place { program: staged.name.clone(), here, shown };
    let libraries = staged.library_folders().map(|library| {
        let shown = shown.with_file_name(library.file_name().unwrap_or_default());
        place(library, shown)
    });
    let built = [staged.cargo_folder(), staged.build.join("out"), staged.built.clone()];
    let built = built.map(|folder| place(folder, shown.clone()));
    let own = [
        place(staged.folder.clone(), shown.clone()),
        place(PathBuf::from("src"), shown.join("src")),
    ];
    let renamed = staged.own_names.iter();
    let renamed = renamed.map(|(here, own)| place(here.clone(), shown.join(own)));
    renamed.chain(libraries).chain(built).chain(own).collect()
}

/// The files of a package are staged in a folder of their own.
fn of_other(program: &StagedProgram, sources: &Sources, request: &GradeRequest) -> Vec<Place> {
    let staged = &program.staged;
    let package = program.language.is_package.then(|| Place {
        program: staged.name.clone(),
        here: staged.folder.join(&staged.name),
        shown: shown_folder(staged, sources, request),
    });
    package.into_iter().chain(of_crate(staged, sources, request)).collect()
}

fn shown_folder(staged: &StagedCrate, sources: &Sources, request: &GradeRequest) -> PathBuf {
    let within = Path::new(&staged.origin).strip_prefix(&sources.submission);
    match (&request.origin, within) {
        (Origin::Submission(given), Ok(within)) => given.join(within),
        _ => PathBuf::from(&staged.origin),
    }
}

/// A file among the words of a command is shown as it was typed, and so is its folder.
fn of_command(command: &ProgramCommand) -> Vec<Place> {
    let Ok(here) = std::env::current_dir() else { return Vec::new() };
    let place = |here: PathBuf, shown: &Path| Place {
        program: command.name.clone(),
        here,
        shown: shown.to_owned(),
    };
    let files = command.words.iter().map(Path::new).filter(|word| here.join(word).is_file());
    let of_file = |word: &Path| {
        let folder = word.parent().unwrap_or(Path::new(""));
        [place(here.join(word), word), place(here.join(folder), folder)]
    };
    files.flat_map(of_file).chain([place(here.clone(), Path::new(""))]).collect()
}

fn in_repository(program: &str) -> Vec<Place> {
    let root = repository::find().map(|repository| repository.root().to_owned());
    let place = |here| Place { program: program.to_owned(), here, shown: PathBuf::new() };
    root.map(place).into_iter().collect()
}

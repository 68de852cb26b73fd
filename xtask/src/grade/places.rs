//! Where a file of a program stands for the person who reads the report: the path as one would type
//! it, not the one of the copy that was run.

use std::path::{Path, PathBuf};

use crate::repository;
use crate::request::{GradeRequest, Origin, ProgramCommand};
use crate::submission::{Source, Sources, StagedCrate, StagedProgram};

/// The folders and files of each program, with their names for the reader.
#[derive(Debug, Default)]
pub(crate) struct Places(Vec<Place>);

#[derive(Debug)]
struct Place {
    program: String,
    /// A file, or a folder, as the program itself names it.
    here: PathBuf,
    shown: PathBuf,
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
        Self(sources.programs.iter().flat_map(of).collect())
    }

    /// Returns the path to show for a file that the program names.
    pub(crate) fn shown(&self, program: &str, file: &str) -> String {
        let mut places = self.0.iter().filter(|place| place.program == program);
        let found = places.find_map(|place| {
            let rest = Path::new(file).strip_prefix(&place.here).ok()?;
            let is_all = rest.as_os_str().is_empty();
            Some(if is_all { place.shown.clone() } else { place.shown.join(rest) })
        });
        found.map_or_else(|| file.to_owned(), |path| path.display().to_string())
    }
}

/// The compiler names the files of a crate from the crate's folder on, and those of a library from
/// the root on.
fn of_crate(staged: &StagedCrate, sources: &Sources, request: &GradeRequest) -> Vec<Place> {
    let shown = shown_folder(staged, sources, request);
    let place = |here: &Path, shown: PathBuf| Place {
        program: staged.name.clone(),
        here: here.to_owned(),
        shown,
    };
    let libraries = staged.libraries.iter().map(|library| {
        let name = library.file_name().unwrap_or_default();
        place(library, shown.with_file_name(name))
    });
    let own = [place(&staged.folder, shown.clone()), place(Path::new("src"), shown.join("src"))];
    libraries.chain(own).collect()
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

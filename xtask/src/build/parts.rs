//! Programs of several sources without a makefile: the sources without a main function are compiled
//! one by one, and packed into a library. The linker takes from it only what the program needs, so
//! that a source that does not compile matters only where it is needed.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::BUILD_TIME;
use super::other::{Run, said};
use crate::languages::Places;
use crate::sandbox::Sandbox;
use crate::submission::StagedProgram;

/// The most sources that are compiled.
const MOST: usize = 50;

/// What became of the other sources.
#[derive(Default)]
pub(super) struct Library {
    /// Empty if there is none.
    pub(super) file: String,
    /// What the compiler said of those that do not compile.
    pub(super) errors: String,
}

/// Compiles and packs the other sources.
pub(super) fn pack(
    program: &StagedProgram,
    places: &Places,
    sandbox: &Sandbox,
) -> anyhow::Result<Library> {
    let begin = Instant::now();
    let out = PathBuf::from(&places.out);
    let mut library = Library::default();
    let mut parts = Vec::new();
    for (at, file) in sources(program)?.iter().enumerate().take(MOST) {
        let part = out.join(format!("part-{at}.o")).display().to_string();
        let places = Places { file: text(file), part: part.clone(), ..places.clone() };
        let command = places.fill(&program.language.part);
        let finished = Run { program, command: &command, begin }.finish(sandbox)?;
        match finished.status.is_some_and(|status| status.success()) {
            true => parts.push(part),
            false => library.errors += &said(&finished),
        }
        if begin.elapsed() > BUILD_TIME {
            break;
        }
    }
    if !parts.is_empty() {
        library.file = text(&out.join("parts.a"));
        let places = Places { library: library.file.clone(), ..places.clone() };
        let command = places.fill(&program.language.pack).into_iter();
        let command: Vec<String> = command
            .flat_map(|word| if word == "{parts}" { parts.clone() } else { vec![word] })
            .collect();
        Run { program, command: &command, begin }.finish(sandbox)?;
    }
    Ok(library)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Returns the other sources in which no program begins, in order.
fn sources(program: &StagedProgram) -> anyhow::Result<Vec<PathBuf>> {
    let language = &program.language;
    let mut files = Vec::new();
    let mut folders = vec![program.staged.folder.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path != program.main && language.has_source(&path) {
                let text = std::fs::read(&path)?;
                let begins = language.begins_in(&String::from_utf8_lossy(&text));
                files.extend((!begins).then_some(path));
            }
        }
    }
    files.sort();
    Ok(files)
}

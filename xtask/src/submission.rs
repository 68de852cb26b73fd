//! From a submission to sources: finds the programs where students put them, and copies the files
//! that the rubric lists, and no others, into a folder of the harness's own, under the harness's
//! own manifests.
//!
//! Nothing of a submission is ever read by git, by cargo's search for its settings, or by rustup:
//! what is copied is all there is. The copy is kept from grading to grading, and a file that has
//! not changed is not touched, so that cargo builds only what the student has edited.

mod archive;
mod holder;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use suite::{Fnv, Planned};

use crate::files;
use crate::languages::{self, Language};
use crate::repository::{self, Repository};
use crate::request::{GradeRequest, Origin, ProgramCommand, ReadyProgram};
use crate::rubric::{ProgramRow, Rubric};
use crate::unbuilt::{Reason, Unbuilt};
use holder::{Holder, Kind};

/// What a program may consist of: generous for a student, harmless for the harness.
const MOST_FILES: usize = 200;
const MOST_BYTES_IN_ALL: usize = 4 * 1024 * 1024;
const DEEPEST: usize = 8;

/// What is to be built, or run as it is.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) programs: Vec<Source>,
    /// What is graded, as the report calls it.
    pub(crate) submission: String,
    /// What was left out of it, and what was changed in it that is not the student's, in sentences.
    pub(crate) notes: Vec<String>,
}

/// One program.
#[derive(Debug)]
pub(crate) enum Source {
    Crate(StagedCrate),
    Other(StagedProgram),
    Command(ProgramCommand),
    /// It was built before.
    Ready(ReadyProgram),
    /// It is refused, or not there.
    Unusable(Unbuilt),
}

/// A crate whose listed files were copied.
#[derive(Debug)]
pub(crate) struct StagedCrate {
    pub(crate) name: String,
    /// Where the copy is.
    pub(crate) folder: PathBuf,
    /// Where cargo builds it: for this crate of this submission alone, since a shared folder hands
    /// out another's program.
    pub(crate) target: PathBuf,
    /// Where it came from, as a person would write it.
    pub(crate) origin: String,
    /// Changes with the name or content of any of its files.
    pub(crate) fingerprint: u64,
    /// The copies of the libraries that it shares with the submission's other programs.
    pub(crate) libraries: Vec<PathBuf>,
    /// The address that it always uses, where it takes none.
    pub(crate) address: Option<SocketAddr>,
}

/// A program in another language whose listed files were copied.
#[derive(Debug)]
pub(crate) struct StagedProgram {
    pub(crate) staged: StagedCrate,
    pub(crate) language: Language,
    /// Its main file, in the copy.
    pub(crate) main: PathBuf,
}

/// Stages every program that the plan runs.
pub(crate) fn stage(
    repository: &Repository,
    rubric: &Rubric,
    plan: &[Planned],
    request: &GradeRequest,
) -> anyhow::Result<Sources> {
    if let Some(stranger) =
        request.programs.iter().find(|given| !rubric.practical.programs.contains(&&*given.name))
    {
        let known = rubric.practical.programs.join(", ");
        bail!(
            "--program {}: {} has no such program; it has {known}",
            stranger.name,
            rubric.practical.name
        );
    }
    let wanted: BTreeSet<&str> =
        plan.iter().flat_map(|planned| planned.check.programs).copied().collect();
    let base = base(repository, rubric, &request.origin)?;
    let holder = Holder::open(&base).with_context(|| format!("--submission {}", base.display()))?;
    let mut desk =
        Desk { repository, rubric, request, base: &base, holder: &holder, notes: Vec::new() };
    let rows: Vec<&ProgramRow> =
        rubric.programs.iter().filter(|row| wanted.contains(&*row.name)).collect();
    let mut programs = Vec::new();
    for row in &rows {
        programs.push(match given(request, &row.name) {
            Some(given) => given,
            None => desk.stage(row)?,
        });
    }
    desk.check_that_something_is_there(&programs)?;
    if matches!(request.origin, Origin::Submission(_)) {
        desk.note_changes_of_ours();
    }
    Ok(Sources { programs, submission: repository.relative(&base), notes: desk.notes })
}

/// A program that the request brings along.
fn given(request: &GradeRequest, name: &str) -> Option<Source> {
    let ready = request.ready.iter().find(|ready| ready.name == name);
    let command = || request.programs.iter().find(|given| given.name == name);
    ready
        .map(|ready| Source::Ready(ready.clone()))
        .or_else(|| command().map(|command| Source::Command(command.clone())))
}

impl Sources {
    /// Returns what tells one state of each program from another. Of a command it is not known what
    /// it stands for: it may have changed at any time.
    pub(crate) fn fingerprints(&self) -> BTreeMap<String, u64> {
        let print = |source: &Source| match source {
            Source::Crate(staged) => (staged.name.clone(), staged.fingerprint),
            Source::Other(program) => (program.staged.name.clone(), program.staged.fingerprint),
            Source::Command(command) => (command.name.clone(), fastrand::u64(..)),
            Source::Ready(ready) => (ready.name.clone(), fastrand::u64(..)),
            Source::Unusable(unbuilt) => (unbuilt.program.clone(), fastrand::u64(..)),
        };
        self.programs.iter().map(print).collect()
    }
}

/// Removes the copies, and what was built of them: for submissions that are graded once.
pub(crate) fn forget(sources: &Sources) -> anyhow::Result<()> {
    for source in &sources.programs {
        let staged = match source {
            Source::Crate(staged) => staged,
            Source::Other(program) => &program.staged,
            Source::Command(_) | Source::Ready(_) | Source::Unusable(_) => continue,
        };
        if let Some(own) = staged.target.parent() {
            fs::remove_dir_all(own).with_context(|| own.display().to_string())?;
        }
    }
    Ok(())
}

/// What is looked through for programs.
fn base(repository: &Repository, rubric: &Rubric, origin: &Origin) -> anyhow::Result<PathBuf> {
    match origin {
        Origin::Practical => Ok(rubric.folder.clone()),
        Origin::Solution => {
            let solution = rubric.folder.join("solution");
            if !solution.is_dir() {
                bail!("there is no reference solution in {}", repository.relative(&rubric.folder));
            }
            Ok(solution)
        }
        Origin::Submission(place) => {
            if !place.is_dir() && !place.is_file() {
                bail!(
                    "--submission {}: there is no such folder and no such archive",
                    place.display()
                );
            }
            fs::canonicalize(place).with_context(|| format!("--submission {}", place.display()))
        }
    }
}

/// Where one submission is staged.
struct Desk<'a> {
    repository: &'a Repository,
    rubric: &'a Rubric,
    request: &'a GradeRequest,
    base: &'a Path,
    holder: &'a Holder,
    notes: Vec<String>,
}

/// A program that was found.
struct Found {
    language: Language,
    /// The folder of what it may bring.
    folder: PathBuf,
    main: PathBuf,
    /// The folder is the program's alone; otherwise it has other things in it, too.
    own: bool,
}

/// Files to copy, by their names in the copy.
type Files = BTreeMap<PathBuf, Vec<u8>>;

impl Desk<'_> {
    fn stage(&mut self, row: &ProgramRow) -> anyhow::Result<Source> {
        let Some(found) = self.find(&row.name) else {
            return Ok(self.unusable(row, self.base, Reason::Missing(self.where_to_put(row))));
        };
        let from = self.base.join(&found.folder);
        let staged = self.files(row, &found).and_then(|files| Ok((files, self.libraries(&found)?)));
        let (files, libraries) = match staged {
            Ok(staged) => staged,
            Err(why) => {
                return Ok(self.unusable(row, &from, Reason::Refused(format!("{why:#}"))));
            }
        };
        self.note_what_is_left_out(&found, &files);
        let own = repository::target()?.join(format!(
            "{}-{:016x}",
            self.rubric.practical.name,
            hash(&from)
        ));
        let folder = own.join(&row.name);
        let copied = |files: &Files, to: &Path| {
            copy(files, to)
                .with_context(|| format!("{} cannot be copied", self.repository.relative(&from)))
        };
        let mut fingerprint = Fnv::default().bytes(&copied(&files, &folder)?.to_be_bytes());
        for (library, files) in &libraries {
            fingerprint = fingerprint.bytes(&copied(files, &own.join(library))?.to_be_bytes());
        }
        let staged = StagedCrate {
            name: row.name.clone(),
            target: own.join("target"),
            origin: self.repository.relative(&from),
            fingerprint: fingerprint.finish(),
            libraries: libraries.into_keys().map(|library| own.join(library)).collect(),
            address: self.request.address.or(row.address),
            folder: folder.clone(),
        };
        if found.is_rust() {
            return Ok(Source::Crate(staged));
        }
        let main = folder.join(found.main.strip_prefix(&found.folder).unwrap_or(&found.main));
        Ok(Source::Other(StagedProgram { staged, main, language: found.language }))
    }

    fn unusable(&self, row: &ProgramRow, from: &Path, reason: Reason) -> Source {
        let origin = self.repository.relative(from);
        Source::Unusable(Unbuilt { program: row.name.clone(), origin, reason })
    }

    fn where_to_put(&self, row: &ProgramRow) -> String {
        format!(
            "no {name}/Cargo.toml in {shown}: put the crate there, or {name} in another language, or name a command with --program {name}=…",
            name = row.name,
            shown = self.repository.relative(self.base)
        )
    }

    /// A submission with none of the programs is no submission.
    fn check_that_something_is_there(&self, programs: &[Source]) -> anyhow::Result<()> {
        let where_to_put = |source: &Source| match source {
            Source::Unusable(Unbuilt { reason: Reason::Missing(put), .. }) => Some(put.clone()),
            _ => None,
        };
        let missing: Option<Vec<String>> = programs.iter().map(where_to_put).collect();
        match missing.as_deref() {
            Some([first, ..]) => bail!("{first}"),
            _ => Ok(()),
        }
    }

    /// Where students put a program: at the top, in a folder named like the branch, or in the
    /// practical's own, where a skeleton stands that they may have left as it was; in a folder of
    /// its own there, or as a lone file. An archive often has one folder round everything.
    fn places(&self) -> Vec<PathBuf> {
        let practical = Path::new("practicals").join(self.rubric.practical.name);
        let tops = std::iter::once(PathBuf::new()).chain(self.only_folder());
        tops.flat_map(|top| {
            [top.clone(), top.join(&self.rubric.branch), top.join(&practical), top.join("src")]
        })
        .collect()
    }

    fn find(&self, name: &str) -> Option<Found> {
        let places = self.places();
        let own = places.iter().find_map(|place| self.recognise(&place.join(name), name, true));
        let lone = || places.iter().find_map(|place| self.recognise(place, name, false));
        match own {
            Some(found) if found.is_rust() && self.is_skeleton(&found) => {
                Some(lone().unwrap_or(found))
            }
            Some(found) => Some(found),
            None => lone(),
        }
    }

    fn only_folder(&self) -> Option<PathBuf> {
        let names = self.holder.list(Path::new("")).ok()?;
        let hidden = |path: &Path| path.to_string_lossy().starts_with(['.', '_']);
        let mut folders =
            names.into_iter().filter(|(path, kind)| *kind == Kind::Folder && !hidden(path));
        let (only, _) = folders.next()?;
        folders.next().is_none().then_some(only)
    }

    fn recognise(&self, folder: &Path, name: &str, own: bool) -> Option<Found> {
        let found = |language: &Language| {
            let names = language.own.iter().filter(|_| own).chain(&language.main);
            let mut mains = names.map(|main| folder.join(languages::file_name(main, name)));
            let main = mains
                .find(|main| matches!(self.holder.kind(main), Some(Kind::File | Kind::Other)))?;
            Some(Found { language: language.clone(), folder: folder.to_owned(), main, own })
        };
        self.rubric.languages.iter().find_map(found)
    }

    /// A checkout has the skeleton in it also where the student wrote in another language.
    fn is_skeleton(&self, found: &Found) -> bool {
        let ours =
            found.folder.file_name().map(|name| self.rubric.folder.join(name).join("src/main.rs"));
        let ours = ours.and_then(|main| fs::read(main).ok());
        self.request.origin != Origin::Practical
            && ours.is_some()
            && self.holder.read(&found.main).ok() == ours
    }

    fn files(&self, row: &ProgramRow, found: &Found) -> anyhow::Result<Files> {
        let is_crate = found.is_rust() && found.main.ends_with("src/main.rs");
        let patterns = if is_crate { &row.files } else { &found.language.files };
        let beside =
            |pattern: &String| if found.own { pattern.clone() } else { pattern.replace("**/", "") };
        let patterns: Vec<String> = patterns.iter().map(beside).collect();
        let mut files = Files::new();
        for path in listed_files(self.holder, &found.folder, &patterns)? {
            let about = || path.strip_prefix(&found.folder).unwrap_or(&path).display().to_string();
            let mut name = path.strip_prefix(&found.folder)?.to_owned();
            if found.is_rust() && !is_crate {
                let is_main = path == found.main;
                let is_other_program = self
                    .rubric
                    .practical
                    .programs
                    .iter()
                    .any(|other| name == Path::new(&format!("{other}.rs")));
                if !is_main && (is_other_program || name.components().count() > 1) {
                    continue;
                }
                name = if is_main { "src/main.rs".into() } else { Path::new("src").join(name) };
            }
            check_name(&name, files.keys())?;
            files.insert(name, self.holder.read(&path).with_context(about)?);
            check_size(&files)?;
        }
        if found.is_rust() {
            self.put_manifests(row, &mut files);
            stand_alone(&mut files);
        }
        Ok(files)
    }

    /// What the programs share, by the names of the crates. A program that shares nothing still
    /// builds: its manifest is the harness's, and names them, so that the skeletons stand in for
    /// what is not there.
    fn libraries(&self, found: &Found) -> anyhow::Result<BTreeMap<String, Files>> {
        let mut libraries = BTreeMap::new();
        for row in self.rubric.shared.iter().filter(|_| found.is_rust()) {
            let is_there =
                |folder: &PathBuf| self.holder.kind(&folder.join("src/lib.rs")).is_some();
            let theirs =
                self.places().into_iter().map(|place| place.join(&row.name)).find(is_there);
            let mut files = match theirs {
                Some(folder) => read_listed(self.holder, &folder, &row.files)?,
                None => read_listed(
                    &Holder::open(&self.rubric.folder)?,
                    Path::new(&row.name),
                    &row.files,
                )?,
            };
            self.put_manifests(row, &mut files);
            stand_alone(&mut files);
            libraries.insert(row.name.clone(), files);
        }
        Ok(libraries)
    }

    /// A student's own checkout keeps its manifest; in anybody else's submission the harness's
    /// stands.
    fn put_manifests(&self, row: &ProgramRow, files: &mut Files) {
        if !matches!(self.request.origin, Origin::Submission(_))
            && files.contains_key(Path::new("Cargo.toml"))
        {
            return;
        }
        let ours = [
            self.rubric.folder.join(&row.name),
            self.rubric.folder.join("solution").join(&row.name),
        ];
        let ours = ours.into_iter().find(|folder| folder.join("Cargo.toml").is_file());
        for name in ["Cargo.toml", "Cargo.lock"] {
            files.remove(Path::new(name));
            let content = ours.as_ref().and_then(|folder| fs::read(folder.join(name)).ok());
            let content = content
                .or_else(|| (name == "Cargo.toml").then(|| plain_manifest(&row.name).into_bytes()));
            files.extend(content.map(|content| (PathBuf::from(name), content)));
        }
    }

    fn note_what_is_left_out(&mut self, found: &Found, files: &Files) {
        const SHOWN: usize = 8;
        if !matches!(self.request.origin, Origin::Submission(_))
            || found.folder.as_os_str().is_empty()
        {
            return;
        }
        let names = self.holder.list(&found.folder).unwrap_or_default();
        let taken = |path: &Path| {
            let name = path.strip_prefix(&found.folder).unwrap_or(path);
            path == found.main
                || name == "Cargo.lock"
                || files.keys().any(|file| file.starts_with(name))
        };
        let left: Vec<String> = names
            .iter()
            .filter(|(path, _)| !taken(path))
            .take(SHOWN)
            .map(|(path, _)| visible(path))
            .collect();
        if !left.is_empty() {
            self.notes.push(format!("left out: {}", left.join(", ")));
        }
        for name in ["Cargo.toml", "Cargo.lock"] {
            let (ours, theirs) =
                (files.get(Path::new(name)), self.holder.read(&found.folder.join(name)).ok());
            if found.is_rust() && theirs.is_some() && ours.is_some() && ours != theirs.as_ref() {
                self.notes
                    .push(format!("changed and not used: {}", visible(&found.folder.join(name))));
            }
        }
    }

    /// What a checkout holds of the harness, and has changed.
    fn note_changes_of_ours(&mut self) {
        const SHOWN: usize = 8;
        let practical = format!("practicals/{}/rubric.toml", self.rubric.practical.name);
        let places = [
            ".cargo/config.toml",
            ".ci/run",
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain.toml",
            &practical,
        ];
        let sources =
            ["tests/src", "xtask/src", ".github/workflows"].into_iter().flat_map(|folder| {
                self.holder
                    .list(Path::new(folder))
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(path, _)| path)
            });
        let places = places.into_iter().map(PathBuf::from).chain(sources);
        let changed = places.filter(|path| {
            let theirs = self.holder.read(path).ok();
            theirs.is_some() && theirs != fs::read(self.repository.root().join(path)).ok()
        });
        let changed: Vec<String> = changed.take(SHOWN).map(|path| visible(&path)).collect();
        if !changed.is_empty() && self.holder.kind(Path::new("xtask")).is_some() {
            self.notes.push(format!("changed and not used: {}", changed.join(", ")));
        }
    }
}

impl Found {
    fn is_rust(&self) -> bool {
        self.language.name == "Rust"
    }
}

/// A name as it can be printed.
fn visible(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

/// Cargo looks no further for a workspace than here.
fn stand_alone(files: &mut Files) {
    if let Some(manifest) = files
        .get_mut(Path::new("Cargo.toml"))
        .filter(|text| !text.windows(11).any(|at| at == b"[workspace]"))
    {
        manifest.extend(b"\n[workspace]\n");
    }
}

/// For practicals whose programs have no manifest of their own.
fn plain_manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n"
    )
}

/// Names that mean the same file on every system, and no device on any.
fn check_name<'a>(path: &Path, others: impl Iterator<Item = &'a PathBuf>) -> anyhow::Result<()> {
    const DEVICES: [&str; 4] = ["con", "aux", "nul", "prn"];
    let text = path
        .to_str()
        .with_context(|| format!("{}: a name is letters, digits, dots, _ and -", visible(path)))?;
    let lower = text.to_ascii_lowercase();
    for name in lower.split('/') {
        let well_formed =
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        let stem = name.split('.').next().unwrap_or_default();
        if !well_formed || name.starts_with(['.', '-']) || name.ends_with('.') || name.len() > 100 {
            bail!("{}: a name is letters, digits, dots, _ and -", visible(path));
        }
        if DEVICES.contains(&stem) {
            bail!("{}: on some systems this is a device", visible(path));
        }
    }
    match others.into_iter().find(|other| other.to_string_lossy().to_ascii_lowercase() == lower) {
        Some(other) => {
            bail!("{} and {} are one file on some systems", visible(path), visible(other))
        }
        None => Ok(()),
    }
}

/// One folder of the harness's for each folder of anybody's.
fn hash(path: &Path) -> u64 {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Fnv::default().field(path.as_os_str().as_encoded_bytes()).finish()
}

/// The listed files below `folder`, by their names there.
fn read_listed(holder: &Holder, folder: &Path, patterns: &[String]) -> anyhow::Result<Files> {
    let mut files = Files::new();
    for path in listed_files(holder, folder, patterns)? {
        let name = path.strip_prefix(folder)?.to_owned();
        check_name(&name, files.keys())?;
        files.insert(name, holder.read(&path).with_context(|| visible(&path))?);
        check_size(&files)?;
    }
    Ok(files)
}

fn check_size(files: &Files) -> anyhow::Result<()> {
    if files.values().map(Vec::len).sum::<usize>() > MOST_BYTES_IN_ALL {
        bail!("its files have more than {MOST_BYTES_IN_ALL} bytes in all");
    }
    Ok(())
}

/// The files below `folder` that a pattern names; links, pipes and other things that are no files
/// are not followed or read.
fn listed_files(
    holder: &Holder,
    folder: &Path,
    patterns: &[String],
) -> anyhow::Result<BTreeSet<PathBuf>> {
    /// Where tools keep what they have made.
    const MADE: [&str; 5] = [".git", "target", "node_modules", "__pycache__", ".venv"];
    let mut files = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(within) = folders.pop() {
        for (full, kind) in holder.list(&folder.join(&within))? {
            let path = full.strip_prefix(folder)?.to_owned();
            let is_made =
                path.file_name().is_some_and(|name| MADE.iter().any(|made| name == *made));
            let deep = path.components().count();
            if kind == Kind::Folder {
                if !is_made && patterns.iter().any(|p| may_hold(p, &path)) {
                    if deep > DEEPEST {
                        bail!("{} lies deeper than {DEEPEST} folders", visible(&path));
                    }
                    folders.push(path);
                }
            } else if patterns.iter().any(|pattern| matches(pattern, &path)) {
                if kind != Kind::File {
                    bail!("{} is not a regular file", visible(&path));
                }
                files.insert(full);
            } else if kind == Kind::Other && patterns.iter().any(|p| may_hold(p, &path)) {
                bail!("{} is not a regular file", visible(&path));
            }
            if files.len() > MOST_FILES {
                bail!("more than {MOST_FILES} files");
            }
        }
    }
    Ok(files)
}

/// Whether `pattern`, like `src/**/*.rs`, names this path. `**` stands for any folders, `*` for any
/// part of a name.
fn matches(pattern: &str, path: &Path) -> bool {
    let names: Vec<_> = path.iter().map(|name| name.to_string_lossy()).collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let pattern: Vec<&str> = pattern.split('/').collect();
    matches_names(&pattern, &names)
}

fn matches_names(pattern: &[&str], names: &[&str]) -> bool {
    match (pattern, names) {
        ([], []) => true,
        (["**", rest @ ..], _) => {
            (0..=names.len()).any(|skipped| matches_names(rest, &names[skipped..]))
        }
        ([first, rest @ ..], [name, names @ ..]) => {
            matches_name(first, name) && matches_names(rest, names)
        }
        _ => false,
    }
}

fn matches_name(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => {
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        }
    }
}

/// Whether a folder may hold what the pattern names.
fn may_hold(pattern: &str, folder: &Path) -> bool {
    let fixed: Vec<&str> = pattern.split('/').take_while(|part| !part.contains('*')).collect();
    folder.iter().zip(&fixed).all(|(name, part)| name.to_string_lossy() == **part)
        && (pattern.contains("**") || folder.iter().count() < pattern.split('/').count())
}

/// Makes `to` hold these files and nothing else; files that are the same already stay as they are.
/// Returns the fingerprint of it all.
fn copy(files: &Files, to: &Path) -> anyhow::Result<u64> {
    let mut fingerprint = Fnv::default();
    remove_others(to, Path::new(""), files)?;
    for (path, content) in files {
        fingerprint = fingerprint.field(path.as_os_str().as_encoded_bytes()).field(content);
        let place = to.join(path);
        if fs::read(&place).is_ok_and(|there| there == *content) {
            crate::files::readable_by_all(&fs::File::open(&place)?)?;
            continue;
        }
        let folder = place.parent().unwrap_or(to);
        fs::create_dir_all(folder)?;
        files::replace(&place, content, HALF_WRITTEN)?;
    }
    Ok(fingerprint.finish())
}

/// What the name of a file begins with that a grading of the same folder is writing at this moment.
const HALF_WRITTEN: &str = ".staging-";

fn is_half_written(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(HALF_WRITTEN))
}

/// What a build may have left there is never followed: a link is removed, not what it leads to.
fn remove_others(to: &Path, within: &Path, files: &Files) -> anyhow::Result<()> {
    const CARGOS_OWN: &str = "Cargo.lock";
    let Ok(entries) = fs::read_dir(to.join(within)) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let path = within.join(entry.file_name());
        let is_folder = entry.file_type()?.is_dir();
        let is_wanted = match entry.file_type()? {
            kind if kind.is_dir() => {
                files.keys().any(|file| file.starts_with(&path) && *file != path)
            }
            kind => kind.is_file() && (files.contains_key(&path) || path == Path::new(CARGOS_OWN)),
        };
        // Another grading of the same folder may have been faster.
        match (is_folder, is_wanted) {
            (true, true) => remove_others(to, &path, files)?,
            (true, false) => _ = fs::remove_dir_all(to.join(path)),
            (false, false) if !is_half_written(&path) => _ = fs::remove_file(to.join(path)),
            (false, _) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_files() {
        for (pattern, path, named) in [
            ("Cargo.toml", "Cargo.toml", true),
            ("Cargo.toml", "src/Cargo.toml", false),
            ("src/**/*.rs", "src/main.rs", true),
            ("src/**/*.rs", "src/net/wire.rs", true),
            ("src/**/*.rs", "src/main.rs.bak", false),
            ("src/**/*.rs", "build.rs", false),
            ("*.py", "echo_server.py", true),
        ] {
            assert_eq!(matches(pattern, Path::new(path)), named, "{pattern} {path}");
        }
    }

    #[test]
    fn only_folders_that_may_hold_something_are_entered() {
        assert!(may_hold("src/**/*.rs", Path::new("src/net")));
        assert!(!may_hold("src/**/*.rs", Path::new("target")));
        assert!(!may_hold("Cargo.toml", Path::new("src")));
    }

    fn stage_once(from: &Path, to: &Path) -> anyhow::Result<u64> {
        let patterns = ["Cargo.toml".to_owned(), "src/**/*.rs".to_owned()];
        let holder = Holder::open(from)?;
        let mut files = Files::new();
        for path in listed_files(&holder, Path::new(""), &patterns)? {
            check_name(&path, files.keys())?;
            let content = holder.read(&path)?;
            files.insert(path, content);
        }
        copy(&files, to)
    }

    fn crate_in(folder: &Path) {
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("Cargo.toml"), "[package]").unwrap();
        fs::write(folder.join("src/main.rs"), "fn main() {}").unwrap();
    }

    #[test]
    fn the_copy_follows_the_original() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        crate_in(from.path());
        fs::write(from.path().join("src/old.rs"), "").unwrap();
        fs::write(from.path().join("build.rs"), "fn main() { panic!() }").unwrap();
        let first = stage_once(from.path(), to.path()).unwrap();
        assert_eq!(stage_once(from.path(), to.path()).unwrap(), first);
        let before = fs::metadata(to.path().join("src/main.rs")).unwrap().modified().unwrap();

        fs::remove_file(from.path().join("src/old.rs")).unwrap();
        assert_ne!(stage_once(from.path(), to.path()).unwrap(), first);

        assert!(!to.path().join("src/old.rs").exists() && !to.path().join("build.rs").exists());
        assert_eq!(
            fs::metadata(to.path().join("src/main.rs")).unwrap().modified().unwrap(),
            before
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_a_build_has_left_in_the_copy_is_not_followed() {
        use std::os::unix::fs::symlink;
        let (from, to, home) = (
            tempfile::tempdir().unwrap(),
            tempfile::tempdir().unwrap(),
            tempfile::tempdir().unwrap(),
        );
        crate_in(from.path());
        fs::write(home.path().join("diary"), "").unwrap();
        for name in ["src", "other"] {
            symlink(home.path(), to.path().join(name)).unwrap();
        }
        symlink(home.path().join("diary"), to.path().join("Cargo.toml")).unwrap();

        stage_once(from.path(), to.path()).unwrap();

        assert_eq!(
            fs::read_dir(home.path()).unwrap().count(),
            1,
            "nothing was removed, nothing was written"
        );
        assert_eq!(fs::read(home.path().join("diary")).unwrap(), b"");
        assert_eq!(fs::read(to.path().join("src/main.rs")).unwrap(), b"fn main() {}");
        assert!(!to.path().join("other").exists());
    }

    #[cfg(unix)]
    #[track_caller]
    fn refuses(spoil: impl FnOnce(&Path), says: &str) {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        crate_in(from.path());
        spoil(from.path());
        let error = format!("{:#}", stage_once(from.path(), to.path()).unwrap_err());
        assert!(error.contains(says), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused() {
        let main = |folder: &Path| folder.join("src/main.rs");
        let link = |to: &'static str| {
            move |folder: &Path| {
                fs::remove_file(main(folder)).unwrap();
                std::os::unix::fs::symlink(to, main(folder)).unwrap();
            }
        };
        refuses(link("/etc/hostname"), "src/main.rs is not a regular file");
        refuses(
            |folder| std::os::unix::fs::symlink("/etc", folder.join("src/more")).unwrap(),
            "src/more is not a regular file",
        );
        refuses(
            |folder| {
                _ = std::process::Command::new("mkfifo")
                    .arg(folder.join("src/pipe.rs"))
                    .status()
                    .unwrap()
            },
            "src/pipe.rs is not a regular file",
        );
    }

    #[cfg(unix)]
    #[test]
    fn too_much_is_refused() {
        refuses(
            |folder| {
                fs::File::create(folder.join("src/large.rs")).unwrap().set_len(1 << 40).unwrap()
            },
            "at most 1048576 are taken",
        );
        refuses(
            |folder| {
                (0..300).for_each(|n| fs::write(folder.join(format!("src/m{n}.rs")), "").unwrap())
            },
            "more than 200 files",
        );
        refuses(
            |folder| fs::create_dir_all(folder.join("src/a/b/c/d/e/f/g/h/i/j")).unwrap(),
            "deeper than 8 folders",
        );
    }

    #[cfg(unix)]
    #[test]
    fn names_must_mean_the_same_everywhere() {
        for (name, says) in [
            ("src/Main.rs", "are one file on some systems"),
            ("src/aux.rs", "is a device"),
            ("src/a b.rs", "letters, digits"),
            ("src/a\nb.rs", "letters, digits"),
            ("src/é.rs", "letters, digits"),
            ("src/a:b.rs", "letters, digits"),
        ] {
            refuses(|folder| fs::write(folder.join(name), "").unwrap(), says);
        }
    }
}

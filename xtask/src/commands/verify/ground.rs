//! Everything that a verification shares: the programs, built once, and one grader.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use suite::{Check, Practical, Subject, Wanted};

use super::catalogue::{self, Catalogue, Mistake, Right};
use super::other_languages;
use super::slowest::Slowest;
use crate::build;
use crate::grade::Grading;
use crate::grader::Grader;
use crate::repository::{self, Repository};
use crate::request::{GradeRequest, Origin, ReadyProgram, VerifyRequest};
use crate::rubric::{self, Rubric};

/// The seed for mistakes: the golden files hold their reports word for word.
const GOLDEN_SEED: u64 = 1;

/// The name of the reference solution among the right programs.
const SOLUTION: &str = "solution";

/// What the gradings of a verification share.
pub(crate) struct Ground<'a> {
    pub(crate) grader: Grader,
    pub(crate) rubric: Rubric,
    pub(super) catalogue: Option<Catalogue>,
    solution: BTreeMap<String, PathBuf>,
    programs: BTreeMap<String, PathBuf>,
    /// The folder for what is compiled from other languages.
    compiled: PathBuf,
    pub(super) request: &'a VerifyRequest,
    pub(super) slowest: Slowest,
}

impl<'a> Ground<'a> {
    pub(super) fn prepare(
        repository: &Repository,
        practical: &Practical,
        request: &'a VerifyRequest,
    ) -> anyhow::Result<Self> {
        let rubric = rubric::read(repository, practical.name)?;
        let catalogue = catalogue::read(practical, &rubric.folder)?;
        let target = repository::target()?.join(format!("{}-verify", practical.name));
        let solution = solution(practical, &rubric, &target)?;
        let mistakes = rubric.folder.join("mistakes");
        let programs = match catalogue {
            Some(_) => build::all_programs_of(&mistakes, &target.join("mistakes"))?,
            None => BTreeMap::new(),
        };
        let grader = Grader::new(repository.clone(), Wanted::Auto)?.silent();
        let compiled = target.join("other_languages");
        let ground = Self {
            grader,
            rubric,
            catalogue,
            solution,
            programs,
            compiled,
            request,
            slowest: Slowest::default(),
        };
        ground.check_names()?;
        Ok(ground)
    }

    /// Checks that every row has a program, that every program has a row, and that `--only` names
    /// rows.
    fn check_names(&self) -> anyhow::Result<()> {
        let rows: BTreeSet<&str> =
            self.mistakes().map(|row| &*row.id).chain(self.rights().map(|row| &*row.id)).collect();
        let built = |id: &&&str| self.programs.contains_key(**id) || self.command_of(id).is_some();
        if let Some(id) = rows.iter().find(|id| !built(id)) {
            bail!("mistakes.toml has a row for {id}, and there is no mistakes/src/bin/{id}.rs");
        }
        if let Some(name) = self.programs.keys().find(|name| !rows.contains(name.as_str())) {
            bail!("there is a mistakes/src/bin/{name}.rs, and mistakes.toml has no row for it");
        }
        let known = |word: &str| word == SOLUTION || rows.contains(word);
        if let Some(word) = self.request.only.iter().find(|word| !known(word)) {
            bail!("--only {word}: the catalogue has no such row");
        }
        Ok(())
    }

    /// Returns the command of a program in another language.
    fn command_of(&self, id: &str) -> Option<&str> {
        let of_mistakes = self.mistakes().map(|row| (&row.id, &row.command));
        let of_rights = self.rights().map(|row| (&row.id, &row.command));
        let mut all = of_mistakes.chain(of_rights);
        all.find(|(row, _)| *row == id)?.1.as_deref()
    }

    /// Returns the tool that a program needs, where it is not installed.
    pub(super) fn missing_tool(&self, id: &str) -> Option<&str> {
        let tool = other_languages::tool(self.command_of(id)?);
        build::find_executable(tool, &self.rubric.folder).is_none().then_some(tool)
    }

    /// Returns what is missing in a released repository.
    pub(super) fn absent(&self) -> Option<String> {
        let absent = [
            ("the solution", self.solution.is_empty()),
            ("the catalogue of mistakes", self.catalogue.is_none()),
        ];
        let absent: Vec<&str> =
            absent.iter().filter(|(_, absent)| *absent).map(|(what, _)| *what).collect();
        (!absent.is_empty()).then(|| absent.join(", "))
    }

    pub(super) fn mistakes(&self) -> impl Iterator<Item = &Mistake> {
        self.catalogue.iter().flat_map(|catalogue| &catalogue.mistake)
    }

    pub(super) fn rights(&self) -> impl Iterator<Item = &Right> {
        self.catalogue.iter().flat_map(|catalogue| &catalogue.right)
    }

    /// Returns the number of gradings at the same time.
    pub(crate) fn jobs(&self) -> usize {
        self.request.jobs
    }

    pub(super) fn is_chosen(&self, id: &str) -> bool {
        self.request.only.is_empty() || self.request.only.iter().any(|word| word == id)
    }

    /// Returns every right program that can run here: the solution, then the odd ones with the
    /// program that they replace.
    pub(crate) fn right_programs(&self) -> Vec<(String, Option<String>)> {
        let solution = (SOLUTION.to_owned(), None);
        let odd = self.rights().map(|row| (row.id.clone(), Some(row.program.clone())));
        let all = (!self.solution.is_empty()).then_some(solution).into_iter().chain(odd);
        let can_run = |name: &String| self.missing_tool(name).is_none();
        all.filter(|(name, _)| self.is_chosen(name) && can_run(name)).collect()
    }

    /// Returns what is odd about a right program.
    pub(super) fn oddity(&self, name: &str) -> String {
        self.rights()
            .find(|row| row.id == name)
            .map(|row| format!("{}, ", row.odd))
            .unwrap_or_default()
    }

    /// Grades the solution with one of its programs replaced, in the checks that run this program.
    pub(crate) fn grade(&self, replaced: Option<(&str, &str)>) -> anyhow::Result<Grading> {
        let is_mistake = replaced.is_some_and(|(_, by)| self.mistakes().any(|row| row.id == by));
        let runs_it =
            |check: &Check| replaced.is_none_or(|(program, _)| check.programs.contains(&program));
        let checks = self.rubric.checks.iter().map(|row| row.check).filter(|check| runs_it(check));
        let ready = |name: &&str| -> anyhow::Result<ReadyProgram> {
            let by = replaced.filter(|(program, _)| program == name).map(|(_, by)| by);
            let subject = Arc::new(self.subject(name, by)?);
            Ok(ReadyProgram { name: (*name).to_owned(), subject })
        };
        let request = GradeRequest {
            seed: if is_mistake { GOLDEN_SEED } else { self.request.seed },
            only: checks.map(|check| check.id.to_owned()).collect(),
            ready: self.rubric.practical.programs.iter().map(ready).collect::<Result<_, _>>()?,
            ..self.request_for(Origin::Solution)
        };
        let grading = self.grader.grade(&self.rubric, &request)?;
        self.slowest.add(replaced.map_or(SOLUTION, |(_, by)| by), &grading);
        Ok(grading)
    }

    /// Returns the solution's program of this name, or its replacement.
    fn subject(&self, name: &str, by: Option<&str>) -> anyhow::Result<Subject> {
        if let Some(command) = by.and_then(|by| self.command_of(by)) {
            let folder = self.rubric.folder.join("mistakes");
            return other_languages::subject(name, command, &folder, &self.compiled);
        }
        let executable = match by {
            Some(by) => self.programs.get(by),
            None => self.solution.get(name),
        };
        Ok(build::subject(name, executable.with_context(|| format!("{name} was not built"))?))
    }

    pub(super) fn request_for(&self, origin: Origin) -> GradeRequest {
        GradeRequest::of(self.rubric.practical.name, origin, self.request.seed)
    }
}

/// Builds the reference solution.
fn solution(
    practical: &Practical,
    rubric: &Rubric,
    target: &Path,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut solution = BTreeMap::new();
    for program in practical.programs {
        let folder = rubric.folder.join("solution").join(program);
        if folder.is_dir() {
            solution.extend(build::all_programs_of(&folder, &target.join(program))?);
        }
    }
    Ok(solution)
}

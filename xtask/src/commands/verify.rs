//! `verify`: the grader against itself.
//!
//! The reference solution gets full marks; the skeletons fail all but what they are given; every
//! known mistake fails exactly the checks of its row and is named right, and never wrong where less
//! is known of it; odd but right programs get full marks; no check is without a mistake that fails
//! it; and the handout's table says what the rubric says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use anyhow::{Context, bail};
use suite::{Planned, Practical, Status, Subject, Verdict, Wanted};

use crate::build::{self, Programs};
use crate::exit::{NOT_PASSED, PASSED};
use crate::grade::{Grade, Premises, judge};
use crate::repository::{self, Repository};
use crate::request::{GradeRequest, Origin, VerifyRequest};
use crate::rubric::{self, FULL_MARKS, Rubric};
use crate::terminal::{BOLD, GREEN, Progress, RED};
use crate::{submission, terminal};

mod catalogue;
mod golden;

use catalogue::{Catalogue, Mistake, Right};
use golden::Evidence;

pub(crate) fn run(request: &VerifyRequest) -> anyhow::Result<u8> {
    let repository = repository::find()?;
    if let Some(name) = &request.practical {
        repository.practical(name)?;
    }
    let chosen = suite::PRACTICALS
        .iter()
        .filter(|practical| request.practical.as_deref().is_none_or(|name| name == practical.name));
    let mut complaints = 0;
    for practical in chosen {
        if request.attacks {
            let found = attacks(&repository, practical, request)?;
            complaints += found.len();
            conclude(practical, &found);
            continue;
        }
        let ground = Ground::prepare(&repository, practical, request)?;
        let found = match request.soak {
            Some(times) => super::soak::run(&ground, times)?,
            None => verify(&ground)?,
        };
        complaints += found.len();
        conclude(practical, &found);
    }
    Ok(if complaints == 0 { PASSED } else { NOT_PASSED })
}

#[cfg(target_os = "linux")]
fn attacks(
    repository: &Repository,
    practical: &Practical,
    request: &VerifyRequest,
) -> anyhow::Result<Vec<String>> {
    super::attacks::run(repository, &rubric::read(repository, practical.name)?, request)
}

#[cfg(not(target_os = "linux"))]
fn attacks(_: &Repository, _: &Practical, _: &VerifyRequest) -> anyhow::Result<Vec<String>> {
    bail!("--attacks: only Linux has tiers of confinement to try")
}

fn conclude(practical: &Practical, complaints: &[String]) {
    for complaint in complaints {
        terminal::say_line(format_args!("{RED}wrong{RED:#}  {complaint}"));
    }
    match complaints.len() {
        0 => {
            terminal::say_line(format_args!("{GREEN}{}: the grader holds{GREEN:#}", practical.name))
        }
        n => terminal::say_line(format_args!(
            "{RED}{}: {n} complaint(s) about the grader{RED:#}",
            practical.name
        )),
    }
}

/// Mistakes are always graded with this seed: what is read for them is kept word for word.
const EVIDENCE_SEED: u64 = 1;

/// What the reference solution is called among the right programs.
const SOLUTION: &str = "solution";

/// What a verification stands on: everything is built once.
pub(crate) struct Ground<'a> {
    repository: &'a Repository,
    pub(crate) rubric: Rubric,
    catalogue: Option<Catalogue>,
    solution: BTreeMap<String, PathBuf>,
    programs: BTreeMap<String, PathBuf>,
    request: &'a VerifyRequest,
    premises: Premises,
}

impl<'a> Ground<'a> {
    fn prepare(
        repository: &'a Repository,
        practical: &Practical,
        request: &'a VerifyRequest,
    ) -> anyhow::Result<Self> {
        let rubric = rubric::read(repository, practical.name)?;
        let catalogue = catalogue::read(practical, &rubric.folder)?;
        let target = repository::target()?.join(format!("{}-verify", practical.name));
        let mut solution = BTreeMap::new();
        for program in practical.programs {
            let folder = rubric.folder.join("solution").join(program);
            if folder.is_dir() {
                solution.extend(build::all_programs_of(&folder, &target.join(program))?);
            }
        }
        let programs = match catalogue {
            Some(_) => {
                build::all_programs_of(&rubric.folder.join("mistakes"), &target.join("mistakes"))?
            }
            None => BTreeMap::new(),
        };
        let premises = Premises::prepare(Wanted::Auto)?;
        let ground = Self { repository, rubric, catalogue, solution, programs, request, premises };
        ground.check_names()?;
        Ok(ground)
    }

    /// Every row has its program, every program its row, and `--only` names rows.
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

    /// How a program in another language is started.
    fn command_of(&self, id: &str) -> Option<&str> {
        self.mistakes().find(|row| row.id == id)?.command.as_deref()
    }

    /// The program that it starts, with the files among its words found in the mistakes' folder.
    fn subject_of_command(&self, name: &str, command: &str) -> anyhow::Result<Subject> {
        let folder = self.rubric.folder.join("mistakes");
        let words =
            shell_words::split(command).with_context(|| format!("mistakes.toml: {command:?}"))?;
        let found = |word: &String| {
            let file = folder.join(word);
            if file.is_file() { file.to_string_lossy().into_owned() } else { word.clone() }
        };
        let (interpreter, arguments) =
            words.split_first().context("mistakes.toml: an empty command")?;
        let interpreter = build::find_executable(interpreter, &folder)
            .with_context(|| format!("mistakes.toml: there is no {interpreter} here"))?;
        Ok(build::subject_of_command(
            name,
            &interpreter,
            &arguments.iter().map(found).collect::<Vec<_>>(),
        ))
    }

    /// Whether what it is started with is installed here.
    fn can_run(&self, mistake: &Mistake) -> bool {
        let interpreter =
            mistake.command.as_ref().and_then(|command| command.split_whitespace().next());
        interpreter.is_none_or(|word| build::find_executable(word, &self.rubric.folder).is_some())
    }

    /// What a released repository has not.
    fn absent(&self) -> Option<String> {
        let absent = [
            ("the solution", self.solution.is_empty()),
            ("the catalogue of mistakes", self.catalogue.is_none()),
        ];
        let absent: Vec<&str> =
            absent.iter().filter(|(_, absent)| *absent).map(|(what, _)| *what).collect();
        (!absent.is_empty()).then(|| absent.join(", "))
    }

    fn mistakes(&self) -> impl Iterator<Item = &Mistake> {
        self.catalogue.iter().flat_map(|catalogue| &catalogue.mistake)
    }

    fn rights(&self) -> impl Iterator<Item = &Right> {
        self.catalogue.iter().flat_map(|catalogue| &catalogue.right)
    }

    /// Gradings at the same time.
    pub(crate) fn jobs(&self) -> usize {
        self.request.jobs
    }

    fn is_chosen(&self, id: &str) -> bool {
        self.request.only.is_empty() || self.request.only.iter().any(|word| word == id)
    }

    /// Every right program: the solution under its own name, then the odd ones with what they stand
    /// for.
    pub(crate) fn right_programs(&self) -> Vec<(String, Option<String>)> {
        let solution = (SOLUTION.to_owned(), None);
        let odd = self.rights().map(|row| (row.id.clone(), Some(row.program.clone())));
        let all = (!self.solution.is_empty()).then_some(solution).into_iter().chain(odd);
        all.filter(|(name, _)| self.is_chosen(name)).collect()
    }

    /// What is odd about a right program.
    fn oddity(&self, name: &str) -> String {
        self.rights()
            .find(|row| row.id == name)
            .map(|row| format!("{}, ", row.odd))
            .unwrap_or_default()
    }

    /// Grades the solution with one of its programs replaced; only checks that run the replaced
    /// program are made.
    pub(crate) fn grade(&self, replaced: Option<(&str, &str)>) -> anyhow::Result<Grade> {
        let plan: Vec<Planned> = self
            .rubric
            .plan(&[])?
            .into_iter()
            .filter(|planned| {
                replaced.is_none_or(|(program, _)| planned.check.programs.contains(&program))
            })
            .collect();
        let mut subjects = Vec::new();
        for name in self.rubric.practical.programs {
            let by = replaced.filter(|(program, _)| program == name).map(|(_, by)| by);
            subjects.push(Arc::new(match by.and_then(|by| self.command_of(by)) {
                Some(command) => self.subject_of_command(name, command)?,
                None => {
                    let executable =
                        by.map_or_else(|| self.solution.get(*name), |by| self.programs.get(by));
                    build::subject(
                        name,
                        executable.with_context(|| format!("{name} was not built"))?,
                    )
                }
            }));
        }
        let is_mistake = replaced.is_some_and(|(_, by)| self.mistakes().any(|row| row.id == by));
        let seed = if is_mistake { EVIDENCE_SEED } else { self.request.seed };
        let request = GradeRequest { seed, ..self.request_for(Origin::Solution) };
        self.graded(&plan, &Programs { subjects, errors: Vec::new() }, &request)
    }

    fn graded(
        &self,
        plan: &[Planned],
        programs: &Programs,
        request: &GradeRequest,
    ) -> anyhow::Result<Grade> {
        let verdicts = judge(plan, programs, request, &self.premises, &Progress::silent())?;
        let sources = submission::Sources {
            programs: Vec::new(),
            submission: String::new(),
            notes: Vec::new(),
        };
        Ok(Grade::new(&self.rubric, verdicts, programs, &sources, request))
    }

    fn request_for(&self, origin: Origin) -> GradeRequest {
        GradeRequest::of(self.rubric.practical.name, origin, self.request.seed)
    }
}

fn verify(ground: &Ground<'_>) -> anyhow::Result<Vec<String>> {
    terminal::say_line(format_args!(
        "{BOLD}verify {}{BOLD:#}, seed {}",
        ground.rubric.practical.name, ground.request.seed
    ));
    if let Some(absent) = ground.absent() {
        terminal::say_line(format_args!("not here: {absent}; what needs them was not checked"));
    }
    let mut complaints = Vec::new();
    if ground.request.only.is_empty() {
        complaints.extend(handout(ground)?);
        complaints.extend(explanations(ground));
        complaints.extend(skeletons(ground)?);
    }
    let grade_right = |(name, program): &(String, Option<String>)| {
        ground.grade(program.as_deref().map(|program| (program, name.as_str())))
    };
    in_order(&ground.right_programs(), ground.jobs(), grade_right, |(name, _), grade| {
        complaints.extend(lost_points(name, &ground.oddity(name), &grade));
        Ok(())
    })?;
    complaints.extend(catalogue_rows(ground)?);
    Ok(complaints)
}

/// Grades these, so many at the same time, since most of a grading is waiting; `each` sees them in
/// their order.
fn in_order<T: Sync>(
    items: &[T],
    jobs: usize,
    grade: impl Fn(&T) -> anyhow::Result<Grade> + Sync,
    mut each: impl FnMut(&T, Grade) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let work = |graded: Sender<_>| loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(item) = items.get(at) else { return };
        if graded.send((at, grade(item))).is_err() {
            return;
        }
    };
    std::thread::scope(|scope| {
        let (graded, grades) = channel();
        for _ in 0..jobs {
            let graded = graded.clone();
            scope.spawn(|| work(graded));
        }
        drop(graded);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (at, grade) in grades {
            early.insert(at, grade);
            while let Some(grade) = early.remove(&due) {
                each(&items[due], grade?)?;
                due += 1;
            }
        }
        Ok(())
    })
}

/// The handout's table has the rubric's rows.
fn handout(ground: &Ground<'_>) -> anyhow::Result<Vec<String>> {
    let path = ground.rubric.folder.join("README.md");
    let shown = ground.repository.relative(&path);
    let text = std::fs::read_to_string(&path).with_context(|| shown.clone())?;
    let rows = ground.rubric.checks.iter().filter(|row| !row.hidden).map(|row| {
        format!("| {} | `{}` | {} | {} |", row.check.group, row.check.id, row.claim, row.points)
    });
    let missing: Vec<String> = rows
        .filter(|row| !text.contains(row))
        .map(|row| format!("{shown} has no line {row}"))
        .collect();
    say("handout", missing.is_empty(), "its table is the rubric's");
    Ok(missing)
}

/// Every known mistake, and every one that may be named, is explained in full, and fails for
/// students what it fails here.
fn explanations(ground: &Ground<'_>) -> Vec<String> {
    let explained = &ground.rubric.explanations;
    let differs = |mistake: &Mistake| {
        let unknown = mistake.makes().into_iter().find(|made| explained.of(made).is_none());
        let own = explained.of(&mistake.id).filter(|row| row.fails != mistake.fails);
        match (unknown, own) {
            (Some(made), _) => Some(format!("has no row for {made}")),
            (None, Some(_)) => {
                Some(format!("{} does not fail what mistakes.toml says", mistake.id))
            }
            (None, None) => None,
        }
    };
    let wordless =
        ground.rubric.practical.mistakes().into_iter().filter(|id| explained.of(id).is_none());
    let wordless = wordless.map(|id| format!("has no row for {id}, which may be named"));
    let rows = ground.mistakes().filter_map(differs);
    let complaints: Vec<String> =
        explained.gaps().into_iter().chain(wordless).chain(rows).collect();
    say(
        "explanations",
        complaints.is_empty(),
        &format!("{} mistakes, each in full", explained.mistake.len()),
    );
    complaints.into_iter().map(|complaint| format!("explanations.toml: {complaint}")).collect()
}

/// Unfinished programs fail everything but what they are given, and nothing of the harness breaks
/// on them.
fn skeletons(ground: &Ground<'_>) -> anyhow::Result<Vec<String>> {
    let request = ground.request_for(Origin::Practical);
    let plan = ground.rubric.plan(&[])?;
    let sources = submission::stage(ground.repository, &ground.rubric, &plan, &request)?;
    let programs = build::programs(&sources, &ground.premises, &Progress::silent())?;
    let grade = ground.graded(&plan, &programs, &request)?;

    let given = |id: &str| ground.rubric.row(id).is_some_and(|row| row.given.is_some());
    let wrong = grade.rows.iter().map(|row| &row.verdict).filter(|verdict| match verdict.status {
        Status::Passed => !given(verdict.check),
        Status::Failed(_) | Status::Skipped(_) => given(verdict.check),
        Status::Unseen(_) => false,
        Status::Unbuilt | Status::Fault(_) => true,
    });
    let complaints: Vec<String> =
        wrong.map(|verdict| format!("the skeleton: {}", told(verdict))).collect();
    say(
        "skeleton",
        complaints.is_empty(),
        &format!("{}/{}, for what it is given", grade.score(), grade.max_score()),
    );
    Ok(complaints)
}

/// A right program that did not get full marks.
pub(crate) fn lost_points(name: &str, oddity: &str, grade: &Grade) -> Vec<String> {
    let held = |verdict: &&Verdict| !matches!(verdict.status, Status::Passed | Status::Unseen(_));
    let points = grade.rows.iter().map(|row| &row.verdict).filter(held);
    let points = points.map(|verdict| format!("{name}: {}", told(verdict)));
    let names = grade
        .mistakes
        .iter()
        .map(|mistake| format!("{name}: named {}, and it is right", mistake.id));
    let lost: Vec<String> = points.chain(names).collect();
    say(
        name,
        lost.is_empty(),
        &format!(
            "{oddity}{}/{} in {:.2} s",
            grade.score(),
            grade.max_score(),
            grade.duration.as_secs_f64()
        ),
    );
    lost
}

fn say(what: &str, holds: bool, how: &str) {
    let (style, word) = if holds { (GREEN, "holds") } else { (RED, "wrong") };
    terminal::say_line(format_args!("{style}{word}{style:#}  {what}: {how}"));
}

fn told(verdict: &Verdict) -> String {
    let status = match &verdict.status {
        Status::Passed => "passed".to_owned(),
        Status::Failed(failure) => format!("failed: {failure}"),
        Status::Skipped(need) => format!("was skipped for {need}"),
        Status::Unseen(why) => format!("could not be seen: {why}"),
        Status::Unbuilt => "was not built".to_owned(),
        Status::Fault(fault) => format!("ended as a fault: {fault}"),
    };
    let ended = verdict
        .ended
        .as_ref()
        .map(|exit| format!(" (the program had ended: {exit})"))
        .unwrap_or_default();
    format!("{} {status}{ended}", verdict.check)
}

/// Every mistake against its row; and every check has a mistake that fails it.
fn catalogue_rows(ground: &Ground<'_>) -> anyhow::Result<Vec<String>> {
    let mut complaints = Vec::new();
    let mut failed_by_some = BTreeSet::new();
    let chosen: Vec<&Mistake> =
        ground.mistakes().filter(|mistake| ground.is_chosen(&mistake.id)).collect();
    let matrix = Matrix::new(&ground.rubric, chosen.iter().map(|mistake| mistake.id.len()));
    let mut naming = Naming::default();
    let evidence = Evidence::new(&ground.rubric.folder, ground.request.renew_evidence);
    let mut reads_otherwise = Vec::new();
    let (chosen, absent): (Vec<&Mistake>, Vec<_>) =
        chosen.into_iter().partition(|mistake| ground.can_run(mistake));
    for mistake in absent {
        terminal::say_line(format_args!(
            "{}  skipped: {} is not here",
            mistake.id,
            mistake.command()
        ));
    }
    let grade_wrong = |mistake: &&Mistake| ground.grade(Some((&mistake.program, &mistake.id)));
    in_order(&chosen, ground.jobs(), grade_wrong, |mistake, grade| {
        matrix.row(&mistake.id, &grade);
        if !evidence.is_as_kept(&mistake.id, &grade)? {
            reads_otherwise.push(mistake.id.as_str());
        }
        naming.count(ground.rubric.practical, mistake, &grade);
        let mut differences = differences(mistake, &grade);
        complaints.append(&mut differences);
        failed_by_some.extend(mistake.fails.iter().map(String::as_str));
        Ok(())
    })?;
    matrix.legend();
    complaints.extend(naming.conclude());
    if !reads_otherwise.is_empty() {
        terminal::say_line(format_args!(
            "the evidence reads otherwise than it was kept in mistakes/evidence: {}\n(read it, then --renew-evidence)",
            reads_otherwise.join(", ")
        ));
    }
    if ground.request.only.is_empty() && ground.catalogue.is_some() {
        let unproved =
            ground.rubric.checks.iter().filter(|row| !failed_by_some.contains(row.check.id));
        complaints.extend(unproved.map(|row| {
            format!("no mistake fails {}: a check that cannot fail proves nothing", row.check.id)
        }));
    }
    Ok(complaints)
}

fn differences(mistake: &Mistake, grade: &Grade) -> Vec<String> {
    let must_fail = |id: &str| mistake.fails.iter().any(|failing| failing == id);
    let may_fail = |id: &str| mistake.may_fail.iter().any(|failing| failing == id);
    let wrong = grade.rows.iter().map(|row| &row.verdict).filter(|verdict| match verdict.status {
        Status::Failed(_) => !must_fail(verdict.check) && !may_fail(verdict.check),
        Status::Unseen(_) => false,
        Status::Fault(_) => true,
        _ => must_fail(verdict.check),
    });
    wrong
        .map(|verdict| format!("{}, which {}: {}", mistake.id, mistake.does, told(verdict)))
        .collect()
}

/// How well the grader names what it sees.
#[derive(Default)]
struct Naming {
    right: usize,
    wrong: Vec<String>,
    unnamed: Vec<String>,
    /// Named wrong with less evidence than there was.
    hasty: Vec<String>,
}

impl Naming {
    /// A name that does not belong to the program is wrong, whatever else was named.
    fn count(&mut self, practical: &suite::Practical, mistake: &Mistake, grade: &Grade) {
        let makes = mistake.makes();
        let named: BTreeSet<&str> = grade.mistakes.iter().map(|named| named.id).collect();
        let list = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(" and ");
        if named == makes {
            self.right += 1;
        } else if named.is_subset(&makes) {
            let missing: BTreeSet<&str> = makes.difference(&named).copied().collect();
            self.unnamed.push(format!("{}: {} is not named", mistake.id, list(&missing)));
        } else {
            self.wrong.push(format!(
                "{}: named {}, and it makes {}",
                mistake.id,
                list(&named),
                list(&makes)
            ));
        }
        self.hasty.extend(named_with_less(practical, mistake, grade));
    }

    fn conclude(self) -> Vec<String> {
        let (wrong, unnamed) = (self.wrong.len(), self.unnamed.len());
        terminal::say_line(format_args!(
            "\nmistakes named: {} right, {wrong} wrong, {unnamed} not named",
            self.right
        ));
        [self.wrong, self.unnamed, self.hasty].concat()
    }
}

/// A name that the program would get if less had been found out about it, as when only one check is
/// run, or a follow-up comes to nothing: none may be wrong.
fn named_with_less(
    practical: &suite::Practical,
    mistake: &Mistake,
    grade: &Grade,
) -> Option<String> {
    let makes = mistake.makes();
    let verdicts: Vec<Verdict> = grade.rows.iter().map(|row| row.verdict.clone()).collect();
    suite::diagnose_with_less(practical, &verdicts).into_iter().find_map(|(known, named)| {
        let wrong = named.into_iter().find(|diagnosis| !makes.contains(diagnosis.mistake))?;
        Some(format!(
            "{}: would be named {}, were no more known of it than {known}",
            mistake.id, wrong.mistake
        ))
    })
}

/// Mistakes × checks, a line each as it is found out.
struct Matrix {
    checks: Vec<&'static str>,
    /// Of the column of names.
    width: usize,
}

impl Matrix {
    fn new(rubric: &Rubric, names: impl Iterator<Item = usize>) -> Self {
        let width = names.max().unwrap_or_default() + 2;
        let checks: Vec<&'static str> = rubric.checks.iter().map(|row| row.check.id).collect();
        let digits = |divisor: usize| -> String {
            (1..=checks.len()).map(|n| char::from(b'0' + (n / divisor % 10) as u8)).collect()
        };
        terminal::say_line(format_args!(
            "\n{:width$}{}\n{:width$}{}",
            "",
            digits(10),
            "",
            digits(1)
        ));
        Self { checks, width }
    }

    fn row(&self, name: &str, grade: &Grade) {
        let sign = |id: &&str| match grade
            .rows
            .iter()
            .find(|row| row.verdict.check == *id)
            .map(|row| &row.verdict.status)
        {
            None => ' ',
            Some(Status::Passed) => '.',
            Some(Status::Failed(_)) => 'X',
            Some(Status::Skipped(_)) => 's',
            Some(Status::Unseen(_)) => '?',
            Some(Status::Unbuilt | Status::Fault(_)) => '!',
        };
        let signs: String = self.checks.iter().map(sign).collect();
        let time = grade.duration.as_secs_f64();
        terminal::say_line(format_args!("{name:width$}{signs}  {time:5.2} s", width = self.width));
    }

    fn legend(&self) {
        terminal::say_line(format_args!(
            "\nX failed   . passed   s skipped for its needs   ? cannot be seen here   ! fault"
        ));
        for (at, check) in self.checks.iter().enumerate() {
            let end = if at % 2 == 1 || at + 1 == self.checks.len() { "\n" } else { "" };
            terminal::say(format_args!("{:>3} {check:<34}{end}", at + 1));
        }
        terminal::say_line(format_args!("\nfull marks are {FULL_MARKS} points"));
    }
}

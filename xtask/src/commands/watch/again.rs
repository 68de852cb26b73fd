//! One more grading: of what has changed, with what is known of the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use suite::{Planned, Status, Verdict};

use crate::grade::{self, Grade, Premises, Verdicts};
use crate::repository::{self, Repository};
use crate::request::GradeRequest;
use crate::submission::{Source, Sources};
use crate::{build, remembered, rubric, submission, terminal};

/// What stays the same from grading to grading.
pub(super) struct Bench {
    pub(super) repository: Repository,
    pub(super) request: GradeRequest,
    premises: Premises,
}

/// What a grading found out, for the next one.
pub(super) struct Last {
    /// What each program was made of.
    sources: BTreeMap<String, u64>,
    verdicts: Vec<Verdict>,
}

/// What came of it.
pub(super) struct Outcome {
    pub(super) last: Option<Last>,
    pub(super) came: Came,
    /// When the save was that it answers.
    pub(super) since: Instant,
}

pub(super) enum Came {
    Grade(Box<Grade>),
    /// Nothing could be graded, as when a file is gone for a moment.
    Error(String),
    /// No program has changed.
    Nothing,
}

impl Bench {
    pub(super) fn prepare(request: &GradeRequest) -> anyhow::Result<Self> {
        let repository = repository::find()?;
        rubric::read(&repository, &request.practical)?.plan(&request.only)?;
        Ok(Self {
            repository,
            premises: Premises::prepare(request.confine)?,
            request: request.clone(),
        })
    }
}

pub(super) fn grade(
    bench: &Bench,
    last: Option<Last>,
    everything: bool,
    since: Instant,
) -> Outcome {
    let known = last.as_ref().filter(|_| !everything);
    match try_grade(bench, known) {
        Ok(Some((grade, now))) => Outcome {
            last: Some(now),
            came: Came::Grade(Box::new(remembered::compared(grade))),
            since,
        },
        Ok(None) => Outcome { last, came: Came::Nothing, since },
        Err(error) => Outcome { last: None, came: Came::Error(format!("{error:#}")), since },
    }
}

fn try_grade(bench: &Bench, known: Option<&Last>) -> anyhow::Result<Option<(Grade, Last)>> {
    let Bench { repository, request, premises } = bench;
    let rubric = rubric::read(repository, &request.practical)?;
    let plan = rubric.plan(&request.only)?;
    let sources = submission::stage(repository, &rubric, &plan, request)?;
    let now = fingerprints(&sources);
    let changed: BTreeSet<&str> = now
        .iter()
        .filter(|(name, print)| known.is_none_or(|known| known.has_changed(name, **print)))
        .map(|(name, _)| &**name)
        .collect();
    if changed.is_empty() {
        return Ok(None);
    }
    let progress = terminal::Progress::new();
    let built = build::programs(&sources, premises, &progress)?;
    let (again, kept) = divide(&plan, &changed, known);
    let fresh = grade::judge(&again, &built, request, premises, &progress)?;
    let verdicts = Verdicts { list: in_order(&plan, fresh.list, kept), ..fresh };
    let last = Last { verdicts: verdicts.list.clone(), sources: now };
    Ok(Some((Grade::new(&rubric, verdicts, &built, &sources, request), last)))
}

impl Last {
    fn has_changed(&self, name: &str, print: u64) -> bool {
        self.sources.get(name) != Some(&print)
    }
}

/// What each program is made of. Of a command nobody knows: each save may have changed it.
fn fingerprints(sources: &Sources) -> BTreeMap<String, u64> {
    let print = |source: &Source| match source {
        Source::Crate(staged) => (staged.name.clone(), staged.fingerprint),
        Source::Other(program) => (program.staged.name.clone(), program.staged.fingerprint),
        Source::Command(command) => (command.name.clone(), fastrand::u64(..)),
        Source::Unusable(errors) => (errors.program.clone(), fastrand::u64(..)),
    };
    sources.programs.iter().map(print).collect()
}

/// The checks of the programs that have changed, and what is known of the others. What needs a
/// check that did not pass, and is not run again, is not run again either.
fn divide(
    plan: &[Planned],
    changed: &BTreeSet<&str>,
    known: Option<&Last>,
) -> (Vec<Planned>, Vec<Verdict>) {
    let Some(known) = known else { return (plan.to_vec(), Vec::new()) };
    let verdict = |id: &str| known.verdicts.iter().find(|verdict| verdict.check == id);
    let is_touched = |id: &str| {
        let planned = plan.iter().find(|planned| planned.check.id == id);
        planned
            .is_none_or(|planned| planned.check.programs.iter().any(|name| changed.contains(name)))
    };
    let holds = |need: &String| {
        is_touched(need)
            || verdict(need)
                .is_none_or(|verdict| matches!(verdict.status, Status::Passed | Status::Unseen(_)))
    };
    let is_again = |planned: &&Planned| {
        verdict(planned.check.id).is_none()
            || is_touched(planned.check.id) && planned.needs.iter().all(holds)
    };
    let (again, kept): (Vec<&Planned>, Vec<&Planned>) = plan.iter().partition(is_again);
    let kept = kept.into_iter().filter_map(|planned| verdict(planned.check.id).cloned()).collect();
    (again.into_iter().cloned().collect(), kept)
}

fn in_order(plan: &[Planned], fresh: Vec<Verdict>, kept: Vec<Verdict>) -> Vec<Verdict> {
    let place =
        |verdict: &Verdict| plan.iter().position(|planned| planned.check.id == verdict.check);
    let mut all: Vec<Verdict> = fresh.into_iter().chain(kept).collect();
    all.sort_by_key(place);
    all
}

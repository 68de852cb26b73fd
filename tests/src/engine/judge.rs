//! One check: its programs, its function, and what finds the cause of a failure.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crate::engine::budget::Budget;
use crate::engine::check::{Body, Check, InShort};
use crate::engine::context::{Context, Scene};
use crate::engine::machine;
use crate::engine::payload::{Payloads, Shared};
use crate::engine::place::Place;
use crate::engine::program::Program;
use crate::engine::subject::Subject;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Failure, Outcome, Status, Stop, Verdict};
use crate::fault::Fault;
use crate::sandbox::Confinement;

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The payloads' seed.
    pub seed: u64,
    /// At most this many checks at the same time.
    pub jobs: usize,
    /// The executable that becomes a launcher: one whose `main` calls [`crate::enter_launcher`]
    /// first.
    pub launcher: PathBuf,
    /// An existing folder for the programs' working folders; each is removed again.
    pub scratch: PathBuf,
    /// What the programs may reach.
    pub confinement: Arc<Confinement>,
    /// The time in which all checks must be done.
    pub budget: Budget,
}

/// Runs one check and returns its verdict, also where the check itself panics.
pub(crate) fn judge(
    check: &'static Check,
    subjects: &[Arc<Subject>],
    settings: &Settings,
    large: &Shared,
) -> Verdict {
    let verdict =
        catch_unwind(AssertUnwindSafe(|| judge_in_context(check, subjects, settings, large)));
    verdict.unwrap_or_else(|_| Verdict::new(check.id, Status::Fault(panicked())))
}

fn panicked() -> Fault {
    Fault("the check itself panicked".to_owned())
}

fn judge_in_context(
    check: &'static Check,
    subjects: &[Arc<Subject>],
    settings: &Settings,
    large: &Shared,
) -> Verdict {
    let began = Instant::now();
    let context = match context(check, settings, large) {
        Ok(context) => context,
        Err(error) => return Verdict::new(check.id, Status::Fault(error.into())),
    };
    let subject = |name: &&str| subjects.iter().find(|subject| subject.name() == *name);
    let context = Arc::new(match check.programs.first().and_then(subject) {
        Some(subject) => context.with_loops_of(subject.in_a_loop()),
        None => context,
    });
    let program = |subject: &Arc<Subject>| Program::new(subject.clone(), context.clone());
    let programs: Option<Vec<Program>> =
        check.programs.iter().map(|name| subject(name).map(program)).collect();
    let Some(programs) = programs else { return Verdict::new(check.id, Status::Unbuilt) };
    let (status, scene) = perform(check.body, &programs, &context, settings.budget);
    let snapshot = match &status {
        Status::Failed(failure) => failure.snapshot.as_deref(),
        _ => None,
    };
    let by_then = snapshot.map(|snapshot| snapshot.stderr_tail.clone());
    Verdict {
        took: began.elapsed(),
        began: Some(scene.began),
        transcript: scene.transcript.clone(),
        stderr_tail: by_then.unwrap_or_else(|| scene.stderr_tail.clone()),
        stdout_tail: scene.stdout_tail.clone(),
        ended: scene.ended.clone(),
        over: scene.over.clone(),
        refused: scene.refused.clone(),
        blocked: snapshot.map(|snapshot| snapshot.blocked.clone()),
        ..Verdict::new(check.id, status)
    }
}

fn context(check: &Check, settings: &Settings, large: &Shared) -> io::Result<Context> {
    let place = Place::new(&settings.launcher, &settings.scratch, &settings.confinement)?;
    let payloads = Payloads::new(settings.seed, check.id, large);
    Ok(Context::new(place, payloads, settings.budget))
}

/// Runs the check, ends what it has left, and after a failure tries what finds the cause.
fn perform(
    body: Body,
    programs: &[Program],
    context: &Context,
    budget: Budget,
) -> (Status, Arc<Scene>) {
    let outcome = catch_unwind(AssertUnwindSafe(|| call(body, programs)));
    let is_late = budget.is_over();
    let outcome = outcome.unwrap_or_else(|_| Err(panicked().into()));
    let failure = outcome.as_ref().err().and_then(Stop::failure);
    programs.iter().for_each(|program| program.keep_ends(failure));
    programs.iter().for_each(|program| program.conclude(failure));
    // Its own programs have ended: what is short now others have taken.
    let crowded = outcome.is_err().then(machine::has_enough_left).and_then(Result::err);
    let scene = Arc::new(context.take_scene());
    match outcome {
        Ok(()) => (Status::Passed, scene),
        Err(_) if is_late => {
            (Status::Failed(Failure::out_of_time(budget.whole(), "had ended")), scene)
        }
        Err(Stop::Unseen(why)) => (Status::Unseen(why), scene),
        Err(Stop::Fault(fault)) => (Status::Fault(fault), scene),
        Err(Stop::Failed(failure)) => match context.kept.lost().or(crowded) {
            Some(fault) => (Status::Fault(fault), scene),
            None => explain(body, programs, context, Tried { failure, scene }),
        },
    }
}

/// Tries what finds the cause, unless the failure says already that nothing more can be found out.
fn explain(
    body: Body,
    programs: &[Program],
    context: &Context,
    tried: Tried,
) -> (Status, Arc<Scene>) {
    if let Some(never) = programs.iter().find_map(|program| program.bars(&tried.failure)) {
        return (Status::Failed(never.failure.clone()), never.scene.clone());
    }
    if tried.failure.bar.as_ref().is_some_and(|bar| bar.from_the_start) {
        return (Status::Failed(tried.failure), tried.scene);
    }
    match context.kept.unwritten() {
        Some((program, step)) => {
            (Status::Failed(tried.failure.not_written(program, step)), tried.scene)
        }
        None => judge_failure(body, programs, context, tried),
    }
}

/// Tries a shorter conversation where the check has one, and finds the cause of what fails. What is
/// cut short by the end of the submission's time tells nothing.
fn judge_failure(
    body: Body,
    programs: &[Program],
    context: &Context,
    tried: Tried,
) -> (Status, Arc<Scene>) {
    let (first, scene) = (tried.failure.clone(), tried.scene.clone());
    let found = judge_in_short(body, programs, tried);
    if context.is_out_of_time() { (Status::Failed(first), scene) } else { found }
}

fn judge_in_short(body: Body, programs: &[Program], tried: Tried) -> (Status, Arc<Scene>) {
    let scene = tried.scene.clone();
    let shorter = catch_unwind(AssertUnwindSafe(|| match (body, programs) {
        (Body::One(_, Some(shorter), _), [program]) => shorter(program, tried),
        _ => InShort::Fails(tried),
    }));
    match shorter {
        Ok(InShort::Holds) => (Status::Passed, scene),
        Ok(InShort::Needs(check)) => (Status::Skipped(check.to_owned()), scene),
        Ok(InShort::Fails(tried)) => find_cause(body, programs, tried),
        Err(_) => (Status::Fault(panicked()), scene),
    }
}

fn call(body: Body, programs: &[Program]) -> Outcome {
    match (body, programs) {
        (Body::One(check, ..), [program]) => check(program),
        (Body::Two(check, _), [first, second]) => check(first, second),
        _ => {
            let why = "a check is registered for another number of programs than it takes";
            Err(Fault(why.to_owned()).into())
        }
    }
}

/// Tries what stands beside the check.
fn find_cause(body: Body, programs: &[Program], tried: Tried) -> (Status, Arc<Scene>) {
    let scene = tried.scene.clone();
    let found = catch_unwind(AssertUnwindSafe(|| match (body, programs) {
        (Body::One(.., Some(then)), [program]) => then(program, tried),
        (Body::Two(_, Some(then)), [first, second]) => then(first, second, tried),
        _ => tried,
    }));
    match found {
        Ok(tried) => (Status::Failed(tried.failure), tried.scene),
        Err(_) => (Status::Fault(panicked()), scene),
    }
}

//! Runs checks: all at the same time, each as soon as what it needs has passed.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::engine::bench::Bench;
use crate::engine::check::{Body, Check};
use crate::engine::evidence::Clues;
use crate::engine::port;
use crate::engine::program::{Program, Subject};
use crate::engine::transcript::Shared;
use crate::engine::verdict::{Outcome, Status, Stop, Verdict};
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
}

/// A check that is to be run.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Which.
    pub check: &'static Check,
    /// The ids of the checks that must pass first. Those that are not planned are taken to hold.
    pub needs: Vec<String>,
}

/// Runs what is planned and returns the verdicts in the plan's order; `told` hears each as it is
/// made. A check whose program is not among the subjects is unbuilt.
pub fn run(
    plan: &[Planned],
    subjects: &[Arc<Subject>],
    settings: &Settings,
    mut told: impl FnMut(&Verdict),
) -> Vec<Verdict> {
    raise_descriptor_limit();
    port::prepare();
    let mut round = Round { plan, subjects, verdicts: BTreeMap::new() };
    let mut waiting: Vec<&Planned> = plan.iter().collect();
    let (done, arrivals) = channel();
    let large = Shared::default();
    std::thread::scope(|scope| {
        let mut running = 0;
        while !waiting.is_empty() || running > 0 {
            waiting.retain(|&planned| match round.readiness(planned) {
                Readiness::Ready if running < settings.jobs => {
                    let (done, large) = (done.clone(), &large);
                    let work =
                        move || _ = done.send(judge(planned.check, subjects, settings, large));
                    match std::thread::Builder::new().spawn_scoped(scope, work) {
                        Ok(_) => running += 1,
                        Err(error) => round.settle(not_started(planned.check, error), &mut told),
                    }
                    false
                }
                Readiness::Ready | Readiness::NotYet => true,
                Readiness::Never(need) => {
                    round.settle(without_running(planned.check, Status::Skipped(need)), &mut told);
                    false
                }
            });
            // Where nothing runs, what was skipped may let others be skipped; needs have no
            // circles.
            if let Some(Ok(verdict)) = (running > 0).then(|| arrivals.recv()) {
                running -= 1;
                round.settle(verdict, &mut told);
            }
        }
    });
    plan.iter().filter_map(|planned| round.verdicts.remove(planned.check.id)).collect()
}

/// What is known in the middle of a run.
struct Round<'a> {
    plan: &'a [Planned],
    subjects: &'a [Arc<Subject>],
    verdicts: BTreeMap<&'static str, Verdict>,
}

impl Round<'_> {
    fn settle(&mut self, verdict: Verdict, told: &mut impl FnMut(&Verdict)) {
        told(&verdict);
        self.verdicts.insert(verdict.check, verdict);
    }

    fn readiness(&self, planned: &Planned) -> Readiness {
        if planned
            .check
            .programs
            .iter()
            .any(|name| !self.subjects.iter().any(|subject| subject.name() == *name))
        {
            return Readiness::Ready; // to be called unbuilt, whatever it needs
        }
        let mut ready = Readiness::Ready;
        for need in planned
            .needs
            .iter()
            .filter(|need| self.plan.iter().any(|other| other.check.id == **need))
        {
            match self.verdicts.get(need.as_str()).map(|verdict| &verdict.status) {
                Some(Status::Passed | Status::Unseen(_)) => {}
                Some(_) => return Readiness::Never(need.clone()),
                None => ready = Readiness::NotYet,
            }
        }
        ready
    }
}

enum Readiness {
    Ready,
    NotYet,
    Never(String),
}

/// A verdict, whatever happens: who waits for it has nothing else to wait for.
fn judge(
    check: &'static Check,
    subjects: &[Arc<Subject>],
    settings: &Settings,
    large: &Shared,
) -> Verdict {
    let verdict =
        catch_unwind(AssertUnwindSafe(|| judge_on_a_bench(check, subjects, settings, large)));
    verdict.unwrap_or_else(|_| without_running(check, Status::Fault(panicked())))
}

/// The machine has no thread for it.
fn not_started(check: &'static Check, error: std::io::Error) -> Verdict {
    without_running(check, Status::Fault(error.into()))
}

fn panicked() -> Fault {
    Fault("the check itself panicked".to_owned())
}

fn judge_on_a_bench(
    check: &'static Check,
    subjects: &[Arc<Subject>],
    settings: &Settings,
    large: &Shared,
) -> Verdict {
    let began = Instant::now();
    let bench = Bench::new(check.id, settings.seed, &settings.launcher, &settings.scratch);
    let bench = match bench.with_large_message(large).confined(&settings.confinement) {
        Ok(bench) => Arc::new(bench),
        Err(error) => return without_running(check, Status::Fault(error.into())),
    };
    let programs: Option<Vec<Program>> = check
        .programs
        .iter()
        .map(|name| subjects.iter().find(|subject| subject.name() == *name))
        .map(|subject| Some(Program::new(subject?.clone(), bench.clone())))
        .collect();
    let Some(programs) = programs else { return without_running(check, Status::Unbuilt) };
    let status = match catch_unwind(AssertUnwindSafe(|| perform(check.body, &programs))) {
        Ok(Ok(())) => Status::Passed,
        Ok(Err(Stop::Failed(failure))) => Status::Failed(failure),
        Ok(Err(Stop::Unseen(why))) => Status::Unseen(why),
        Ok(Err(Stop::Fault(fault))) => Status::Fault(fault),
        Err(_) => Status::Fault(panicked()),
    };
    let shown = bench.shown();
    Verdict {
        took: began.elapsed(),
        began: Some(shown.record.began_at()),
        transcript: shown.record.take_events(),
        stderr_tail: shown.stderr_tail(),
        ended: shown.exit(),
        blocked: shown.blocked(),
        clues: Clues(bench.clues()),
        ..Verdict::new(check.id, status)
    }
}

fn perform(body: Body, programs: &[Program]) -> Outcome {
    match (body, programs) {
        (Body::One(check), [program]) => check(program),
        (Body::Two(check), [first, second]) => check(first, second),
        _ => Err(Fault(
            "a check is registered for another number of programs than it takes".to_owned(),
        )
        .into()),
    }
}

fn without_running(check: &Check, status: Status) -> Verdict {
    Verdict::new(check.id, status)
}

/// Hundreds of connections for one check, and several checks at once: as many descriptors as this
/// system lets us have.
fn raise_descriptor_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        // macOS says "unlimited" and means OPEN_MAX: ask for no more than is enough.
        let wanted = limit.maximum.map_or(10_240, |most| most.min(65_536));
        if limit.current.is_some_and(|current| current < wanted) {
            _ = setrlimit(
                Resource::Nofile,
                Rlimit { current: Some(wanted), maximum: limit.maximum },
            );
        }
    }
}

/// A folder for the working folders of one run, removed when it is dropped. Folders that a killed
/// run left behind are removed here: each holds a lock file, which the system unlocks when its
/// process is gone.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
    _lock: std::fs::File,
}

/// What the folders' names begin with.
const SCRATCH: &str = "socket-practicals-";
const LOCK: &str = "lock";

impl Scratch {
    /// Makes one in the system's temporary folder, and removes what no run uses any more.
    pub fn new() -> io::Result<Self> {
        let within = std::env::temp_dir();
        remove_abandoned(&within);
        let folder = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(within)?;
        // Locked before it has its name: nobody ever sees it unlocked.
        let unnamed = folder.path().join("lock.new");
        let lock = std::fs::File::create(&unnamed)?;
        lock.lock()?;
        std::fs::rename(unnamed, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &std::path::Path {
        self.folder.path()
    }
}

fn remove_abandoned(within: &std::path::Path) {
    let Ok(entries) = std::fs::read_dir(within) else { return };
    let ours =
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(SCRATCH));
    for folder in ours.map(|entry| entry.path()) {
        let abandoned = match std::fs::File::open(folder.join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            // Killed between making the folder and its lock; a living run needs microseconds for
            // that.
            Err(_) => age(&folder).is_some_and(|age| age > Duration::from_secs(10)),
        };
        if abandoned {
            _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn age(folder: &std::path::Path) -> Option<Duration> {
    std::fs::metadata(folder).ok()?.modified().ok()?.elapsed().ok()
}

//! `verify --attacks`: grades hostile submissions in every tier that this system has.
//!
//! The verdict on each attack of a practical's `attacks.toml` must say what its row expects, and
//! the attack must leave nothing behind. Its control must succeed: an act that fails without
//! confinement, too, proves nothing, and the table says so.

mod fixture;
mod neighbour;
mod table;
mod targets;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use suite::{Limits, Practical, Status, Tier, Wanted};

use crate::files;
use crate::grade::Grading;
use crate::grader::Grader;
use crate::parallel;
use crate::report::{human, steps};
use crate::repository::Repository;
use crate::request::{GradeRequest, Origin, VerifyRequest};
use crate::rubric::{self, Rubric};
use crate::terminal::{self, BOLD, GREEN, RED, YELLOW};
use fixture::{shell, write};
use neighbour::Neighbour;
use table::{Attack, Table};
use targets::{Targets, own_user, processes_with};

/// Makes every attack in every tier and returns the complaints.
pub(crate) fn run(
    repository: &Repository,
    practical: &Practical,
    request: &VerifyRequest,
) -> anyhow::Result<Vec<String>> {
    let rubric = &rubric::read(repository, practical.name)?;
    let path = rubric.folder.join("attacks.toml");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = files::read_text(&path).with_context(|| repository.relative(&path))?;
    let table = Table::read(&repository.relative(&path), &text)?;
    let chosen = table.chosen(&request.only).with_context(|| repository.relative(&path))?;
    let mut complaints = table.gaps();
    let (tiers, unconfined) = (tiers(repository)?, grader(repository, Wanted::Off)?);
    let trial = Trial { rubric, seed: request.seed, tiers, unconfined };

    head(&trial.tiers);
    let chosen: Vec<(usize, &Attack)> = chosen.into_iter().enumerate().collect();
    let make = |(number, attack): &(usize, &Attack)| trial.make(*number, attack);
    parallel::in_order(&chosen, AT_ONCE, make, |(_, attack), row| {
        complaints.extend(row.tell(attack));
        Ok(())
    })?;
    if request.only.is_empty() {
        table.tell_of_the_others();
    }
    Ok(complaints)
}

/// The attacks made at the same time: most of an attack's time is waiting.
const AT_ONCE: usize = 4;

/// Returns a grader for each tier that this system has, and prints why the others are missing.
fn tiers(repository: &Repository) -> anyhow::Result<Vec<Grader>> {
    let mut tiers = Vec::new();
    for (wanted, expected) in [(Wanted::Auto, Tier::Namespaces), (Wanted::Landlock, Tier::Landlock)]
    {
        let why = match grader(repository, wanted) {
            Ok(grader) if tier(&grader) == expected => {
                tiers.push(grader);
                continue;
            }
            Ok(grader) => grader.sandbox.confinement.statement().join("; "),
            Err(error) => format!("{error:#}"),
        };
        terminal::say_line(format_args!(
            "{YELLOW}skipped{YELLOW:#}: this system has no tier {expected:?}: {why}"
        ));
    }
    Ok(tiers)
}

fn tier(grader: &Grader) -> Tier {
    grader.sandbox.confinement.tier()
}

/// Returns a grader with lower build limits than usual, so that a build reaches them soon.
fn grader(repository: &Repository, wanted: Wanted) -> anyhow::Result<Grader> {
    let usual = Limits::BUILD;
    let limits = Limits {
        processor: Some(Duration::from_secs(5)),
        disk: usual.disk / 16,
        memory: usual.memory / 2,
        ..usual
    };
    let grader = Grader::new(repository.clone(), wanted)?;
    Ok(grader.silent().forgetting().with_build_limits(limits))
}

fn head(tiers: &[Grader]) {
    let user = if own_user() == 0 { "root" } else { "an ordinary user" };
    let names: Vec<String> = tiers.iter().map(|grader| format!("{:?}", tier(grader))).collect();
    terminal::say_line(format_args!(
        "{BOLD}What hostile submissions try, as {user}{BOLD:#}: what came of it with"
    ));
    terminal::say_line(format_args!(
        "{}; whether the same act succeeds unconfined.\n",
        names.join(", and with ")
    ));
}

struct Trial<'a> {
    rubric: &'a Rubric,
    seed: u64,
    tiers: Vec<Grader>,
    unconfined: Grader,
}

/// The result of one attack.
enum Row {
    /// The attack needs a tool that is not installed.
    Skipped(&'static str),
    Made {
        tiers: Vec<Outcome>,
        control: bool,
    },
}

/// The result of one attack in one tier.
struct Outcome {
    tier: Tier,
    intact: bool,
    seen: Seen,
    /// What a right submission beside it has lost.
    beside: Option<String>,
}

/// What the harness says about an attack.
#[derive(Default)]
struct Seen {
    /// What the program answered.
    answers: String,
    /// Why there is no program, or why the check failed.
    verdict: String,
    /// The report.
    report: String,
}

impl Seen {
    fn is_as_expected(&self, attack: &Attack) -> bool {
        let said = |word: &str| self.verdict.contains(word) || self.report.contains(word);
        let expected = attack
            .expected
            .as_ref()
            .map_or_else(|| self.answers.contains("held"), |word| said(word));
        expected && !attack.absent.as_ref().is_some_and(|word| said(word))
    }
}

impl Trial<'_> {
    fn make(&self, at: usize, attack: &Attack) -> anyhow::Result<Row> {
        if attack.python.is_some() && !has_python() {
            return Ok(Row::Skipped("python3"));
        }
        let submission = tempfile::Builder::new().prefix("hostile-").tempdir()?;
        fs::set_permissions(submission.path(), fs::Permissions::from_mode(0o755))?;
        let targets = Targets::new(self.rubric, at)?;
        write(attack, self.rubric, &targets, submission.path())?;
        let mut tiers = Vec::new();
        for grader in &self.tiers {
            let (seen, beside) = self.grade_beside(attack, submission.path(), grader)?;
            tiers.push(Outcome { tier: tier(grader), intact: targets.is_intact(), seen, beside });
        }
        let control = self.control(attack, &targets, submission.path())?;
        Ok(Row::Made { tiers, control })
    }

    /// Grades an attack, and beside it a right submission where the row asks for that. Returns what
    /// that one has lost, too.
    fn grade_beside(
        &self,
        attack: &Attack,
        submission: &Path,
        grader: &Grader,
    ) -> anyhow::Result<(Seen, Option<String>)> {
        if !attack.beside {
            return Ok((self.grade(attack, submission, grader), None));
        }
        let neighbour = Neighbour::new(self.rubric, self.seed)?;
        Ok(std::thread::scope(|scope| {
            let beside = scope.spawn(|| neighbour.grade_repeatedly(grader));
            let seen = self.grade(attack, submission, grader);
            neighbour.end();
            (seen, beside.join().unwrap_or_else(|_| Some("its grading panicked".to_owned())))
        }))
    }

    /// Returns what the harness says about the attack: a verdict, or the reason why there is none.
    fn grade(&self, attack: &Attack, submission: &Path, grader: &Grader) -> Seen {
        let handed_in = attack.hand_in.as_ref();
        let handed_in =
            handed_in.map_or_else(|| submission.to_owned(), |name| submission.join(name));
        let (practical, origin) = (self.rubric.practical.name, Origin::Submission(handed_in));
        let only = vec!["echoes_short_message".to_owned()];
        let request = GradeRequest { only, ..GradeRequest::of(practical, origin, self.seed) };
        match grader.grade(self.rubric, &request) {
            Ok(grading) => observed(&grading),
            Err(error) => Seen { verdict: format!("{error:#}"), ..Seen::default() },
        }
    }

    /// Returns whether the same act succeeds without confinement.
    fn control(
        &self,
        attack: &Attack,
        targets: &Targets,
        submission: &Path,
    ) -> anyhow::Result<bool> {
        let Some(command) = &attack.control else {
            return Ok(self.grade(attack, submission, &self.unconfined).answers.contains("open"));
        };
        let succeeded = shell(&targets.fill(command, submission)?, submission)?;
        // Processes that the control left behind end by themselves.
        while processes_with(&targets.word) > 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(succeeded)
    }
}

impl Row {
    fn tell(&self, attack: &Attack) -> Vec<String> {
        let Attack { id, act, .. } = attack;
        let (tiers, control) = match self {
            Self::Made { tiers, control } => (tiers, control),
            Self::Skipped(tool) => {
                terminal::say_line(format_args!(
                    "{id:<4} {YELLOW}skipped{YELLOW:#}  {act}: no {tool} here"
                ));
                return Vec::new();
            }
        };
        let column = |outcome: &Outcome| match outcome.is_right(attack) {
            true => format!("{GREEN}held{GREEN:#}  "),
            false => format!("{RED}OPEN{RED:#}  "),
        };
        let columns: String = tiers.iter().map(column).collect();
        let control = if *control {
            "succeeds    ".to_owned()
        } else {
            format!("{YELLOW}proves none{YELLOW:#} ")
        };
        terminal::say_line(format_args!("{id:<4} {columns}{control}{act}"));
        tiers
            .iter()
            .filter(|outcome| !outcome.is_right(attack))
            .map(|outcome| outcome.complaint(attack))
            .collect()
    }
}

impl Outcome {
    fn is_right(&self, attack: &Attack) -> bool {
        self.intact && self.seen.is_as_expected(attack) && self.beside.is_none()
    }

    fn complaint(&self, attack: &Attack) -> String {
        let Attack { id, act, .. } = attack;
        let (tier, expected) = (self.tier, attack.expected.as_deref().unwrap_or("held"));
        if let Some(lost) = &self.beside {
            return format!("{tier:?}: {id} {act}: a right submission beside it: {lost}");
        }
        if self.seen.is_as_expected(attack) {
            return format!("{tier:?}: {id} {act}: something was left behind");
        }
        format!(
            "{tier:?}: {id} {act}: expected {expected:?}, got {:?} and {:?}",
            self.seen.answers, self.seen.verdict
        )
    }
}

fn has_python() -> bool {
    Command::new("python3")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Collects what is said about the check and about the program.
fn observed(grading: &Grading) -> Seen {
    let unbuilt = grading.unbuilt.iter().filter(|unbuilt| unbuilt.program == "echo_server");
    let mut verdict: Vec<String> = unbuilt.map(human::unbuilt).collect();
    let mut answers = String::new();
    for row in &grading.rows {
        verdict.push(match &row.verdict.status {
            Status::Passed => "passed".to_owned(),
            Status::Failed(failure) => failure.to_string(),
            Status::Fault(fault) => fault.to_string(),
            _ => String::new(),
        });
        verdict.extend(row.verdict.ended.clone());
        let received = row.verdict.transcript.iter().filter(|event| steps::is_received(event));
        answers.extend(received.map(|event| String::from_utf8_lossy(&event.preview).into_owned()));
    }
    Seen { answers, verdict: verdict.join("; "), report: human::render(grading) }
}

//! `verify --attacks`: what a hostile submission tries, in every tier that this system has.
//!
//! Each attack of a practical's `attacks.toml` is graded, and its verdict must say what the row
//! expects, with nothing left of it. Its control must succeed: an act that fails also where nothing
//! is confined proves nothing, and the table says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use suite::{Limits, Status, Tier, Wanted, What};

use crate::grade::{Grade, Premises, judge};
use crate::repository::{self, Repository};
use crate::request::{GradeRequest, Origin, VerifyRequest};
use crate::rubric::Rubric;
use crate::terminal::{self, BOLD, GREEN, Progress, RED, YELLOW};
use crate::{build, report, submission};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    attack: Vec<Attack>,
    elsewhere: Vec<Elsewhere>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    id: String,
    act: String,
    python: Option<String>,
    #[serde(default)]
    solution: bool,
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// A command that makes what files alone cannot say.
    make: Option<String>,
    /// What is handed in, where that is not the whole folder.
    hand_in: Option<String>,
    expected: Option<String>,
    /// What no report shows as it is.
    absent: Option<String>,
    control: Option<String>,
}

/// An attack of the list that has no fixture.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    id: String,
    why: String,
}

/// The list's groups, with how many attacks each has.
const LIST: &[(char, usize)] = &[('A', 12), ('B', 15), ('C', 19), ('D', 10), ('E', 15)];

/// What a Python server does once its act is over: it answers with what came of that.
const SERVER: &str = "
import os, signal, socket, subprocess, sys, time
def act():
    ACT
try:
    act()
    answer = b'open'
except (OSError, AssertionError) as error:
    answer = b'held'
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen()
while True:
    c, _ = s.accept()
    c.recv(100)
    c.sendall(answer)
    c.close()
";

/// What an attack is aimed at: things of the machine's that are there to be reached.
struct Targets {
    folder: tempfile::TempDir,
    service: TcpListener,
    _socket: UnixListener,
    _abstract: UnixListener,
    handle: fs::File,
    word: String,
    solution: String,
}

const SECRET: &str = "nobody's business\n";

impl Targets {
    fn new(rubric: &Rubric, number: usize) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("attacked-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))?;
        fs::write(folder.path().join("secret"), SECRET)?;
        fs::set_permissions(folder.path().join("secret"), fs::Permissions::from_mode(0o644))?;
        fs::create_dir(folder.path().join("home"))?;
        fs::set_permissions(folder.path().join("home"), fs::Permissions::from_mode(0o777))?;
        let word = format!("attacked{}-{number}", std::process::id());
        let handle = fs::File::open(folder.path().join("secret"))?;
        rustix::io::fcntl_setfd(&handle, rustix::io::FdFlags::empty())?; // a descriptor that somebody forgot to close
        Ok(Self {
            service: TcpListener::bind(("127.0.0.1", 0))?,
            _socket: UnixListener::bind(folder.path().join("socket"))?,
            _abstract: UnixListener::bind_addr(&SocketAddr::from_abstract_name(&word)?)?,
            solution: rubric.folder.join("solution").display().to_string(),
            folder,
            handle,
            word,
        })
    }

    fn fill(&self, text: &str, submission: &Path) -> anyhow::Result<String> {
        let place = |name: &str| self.folder.path().join(name).display().to_string();
        let home = place("home");
        let places = [
            ("{secret}", place("secret")),
            ("{marker}", format!("{home}/marker")),
            ("{home}", home),
            ("{socket}", place("socket")),
            ("{word}", self.word.clone()),
            ("{port}", self.service.local_addr()?.port().to_string()),
            ("{pid}", std::process::id().to_string()),
            ("{handle}", self.handle.as_raw_fd().to_string()),
            ("{solution}", self.solution.clone()),
            ("{target}", repository::target()?.display().to_string()),
            ("{variable}", variable()),
            ("{folder}", submission.display().to_string()),
        ];
        Ok(places.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value)))
    }

    /// What attacks leave behind where they succeed: files, processes, a change.
    fn is_intact(&self) -> bool {
        let secret = self.folder.path().join("secret");
        let unchanged = fs::read_to_string(&secret).is_ok_and(|text| text == SECRET)
            && fs::metadata(&secret)
                .is_ok_and(|facts| facts.mode() & 0o7777 == 0o644 && facts.uid() == own_user());
        let no_files = fs::read_dir(self.folder.path().join("home"))
            .is_ok_and(|mut entries| entries.next().is_none());
        let elsewhere = [Some(PathBuf::from("/dev/shm")), repository::target().ok()];
        let nothing_new = elsewhere.iter().flatten().all(|place| !place.join(&self.word).exists());
        unchanged && no_files && nothing_new && processes_with(&self.word) == 0
    }
}

fn own_user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The name of something in this process's environment that no shell and no make sets by itself.
fn variable() -> String {
    const USUAL: [&str; 9] =
        ["PATH", "HOME", "TMPDIR", "LANG", "RUST_BACKTRACE", "PWD", "OLDPWD", "SHLVL", "SHELL"];
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') && name.len() > 1
    };
    let mut names = std::env::vars().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name);
    names
        .find(|name| is_name(name) && !USUAL.contains(&&**name) && !name.starts_with("M"))
        .unwrap_or_else(|| "NOTHING_IS_SET".to_owned())
}

fn processes_with(word: &str) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.windows(word.len()).any(|window| window == word.as_bytes())).count()
}

/// Makes every attack in every tier; what did not come out as it should.
pub(crate) fn run(
    repository: &Repository,
    rubric: &Rubric,
    request: &VerifyRequest,
) -> anyhow::Result<Vec<String>> {
    let path = rubric.folder.join("attacks.toml");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(Vec::new()) };
    let table: Table = toml::from_str(&text).with_context(|| repository.relative(&path))?;
    let chosen = table.chosen(&request.only).with_context(|| repository.relative(&path))?;
    let mut complaints = table.gaps();
    let tiers = tiers()?;
    let unconfined = premises(Wanted::Off)?;
    let ground = Ground { repository, rubric, request, tiers: &tiers, unconfined: &unconfined };

    head(&tiers);
    let mut made: BTreeMap<usize, anyhow::Result<Row>> = BTreeMap::new();
    let (sender, results) = channel();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| -> anyhow::Result<()> {
        for _ in 0..AT_ONCE {
            let (sender, next, chosen, ground) = (sender.clone(), &next, &chosen, &ground);
            scope.spawn(move || {
                while let Some((at, attack)) = one_more(next, chosen) {
                    _ = sender.send((at, ground.make(at, attack)));
                }
            });
        }
        drop(sender);
        let mut shown = 0;
        for (at, row) in results {
            made.insert(at, row);
            while let Some(row) = made.remove(&shown) {
                complaints.extend(row?.tell(chosen[shown]));
                shown += 1;
            }
        }
        Ok(())
    })?;
    if request.only.is_empty() {
        table.tell_of_the_others();
    }
    Ok(complaints)
}

/// Most of an attack's time is waiting.
const AT_ONCE: usize = 4;

fn one_more<'a>(next: &AtomicUsize, chosen: &[&'a Attack]) -> Option<(usize, &'a Attack)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, *chosen.get(at)?))
}

impl Table {
    /// Those that are asked for; all where there is no word.
    fn chosen(&self, only: &[String]) -> anyhow::Result<Vec<&Attack>> {
        if let Some(word) =
            only.iter().find(|word| !self.attack.iter().any(|attack| attack.id == **word))
        {
            bail!("--only {word}: there is no such row");
        }
        Ok(self
            .attack
            .iter()
            .filter(|attack| only.is_empty() || only.contains(&attack.id))
            .collect())
    }

    /// Each attack of the list has a fixture, or a reason why it has none.
    fn gaps(&self) -> Vec<String> {
        let listed = LIST
            .iter()
            .flat_map(|(group, most)| (1..=*most).map(move |number| format!("{group}{number}")));
        let known = |id: &String| {
            self.fixtures().contains(&**id) || self.elsewhere.iter().any(|other| other.id == *id)
        };
        listed
            .filter(|id| !known(id))
            .map(|id| format!("{id} has neither a fixture nor a reason"))
            .collect()
    }

    fn fixtures(&self) -> BTreeSet<&str> {
        self.attack.iter().map(|attack| &*attack.id).collect()
    }

    fn tell_of_the_others(&self) {
        let all: usize = LIST.iter().map(|(_, most)| most).sum();
        let with = self.fixtures().len();
        terminal::say_line(format_args!(
            "\n{with} of the list's {all} attacks have a fixture; the others:"
        ));
        for Elsewhere { id, why } in &self.elsewhere {
            terminal::say_line(format_args!("{id:<4}  {why}"));
        }
    }
}

/// The tiers that this system has; why it has not the others is said.
fn tiers() -> anyhow::Result<Vec<Premises>> {
    let mut tiers = Vec::new();
    for (wanted, tier) in [(Wanted::Auto, Tier::Namespaces), (Wanted::Landlock, Tier::Landlock)] {
        let premises = premises(wanted)?;
        if premises.confinement.tier() == tier {
            tiers.push(premises);
        } else {
            let why = premises.confinement.statement().join("; ");
            terminal::say_line(format_args!(
                "{YELLOW}skipped{YELLOW:#}: the tier {tier:?} is not to be had here: {why}"
            ));
        }
    }
    Ok(tiers)
}

/// Builds are given less than usual, so that reaching the limit does not take long.
fn premises(wanted: Wanted) -> anyhow::Result<Premises> {
    let usual = Limits::BUILD;
    let limits = Limits {
        processor: Some(Duration::from_secs(5)),
        disk: usual.disk / 16,
        memory: usual.memory / 2,
        ..usual
    };
    let mut premises = Premises::prepare(wanted)?;
    premises.build_limits = limits;
    Ok(premises)
}

fn head(tiers: &[Premises]) {
    let user = if own_user() == 0 { "root" } else { "an ordinary user" };
    let names: Vec<String> =
        tiers.iter().map(|premises| format!("{:?}", premises.confinement.tier())).collect();
    terminal::say_line(format_args!(
        "{BOLD}What hostile submissions try, as {user}{BOLD:#}: what came of it with"
    ));
    terminal::say_line(format_args!(
        "{}; whether the same act succeeds unconfined.\n",
        names.join(", and with ")
    ));
}

struct Ground<'a> {
    repository: &'a Repository,
    rubric: &'a Rubric,
    request: &'a VerifyRequest,
    tiers: &'a [Premises],
    unconfined: &'a Premises,
}

/// What came of one attack.
enum Row {
    /// What it needs is not installed.
    Skipped(&'static str),
    Made {
        tiers: Vec<Outcome>,
        control: bool,
    },
}

/// What came of it in one tier.
struct Outcome {
    tier: Tier,
    intact: bool,
    seen: Seen,
}

/// What the harness says.
#[derive(Default)]
struct Seen {
    /// What the program answered.
    answers: String,
    /// The verdict: why there is no program, why the check failed.
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

impl Ground<'_> {
    fn make(&self, at: usize, attack: &Attack) -> anyhow::Result<Row> {
        if attack.python.is_some() && !has_python() {
            return Ok(Row::Skipped("python3"));
        }
        let submission = tempfile::Builder::new().prefix("hostile-").tempdir()?;
        fs::set_permissions(submission.path(), fs::Permissions::from_mode(0o755))?;
        let targets = Targets::new(self.rubric, at)?;
        self.write(attack, &targets, submission.path())?;
        let mut tiers = Vec::new();
        for premises in self.tiers {
            let seen = self.grade(attack, submission.path(), premises);
            tiers.push(Outcome {
                tier: premises.confinement.tier(),
                intact: targets.is_intact(),
                seen,
            });
        }
        let control = self.control(attack, &targets, submission.path())?;
        Ok(Row::Made { tiers, control })
    }

    fn write(&self, attack: &Attack, targets: &Targets, submission: &Path) -> anyhow::Result<()> {
        if attack.solution {
            copy(
                &self.rubric.folder.join("solution/echo_server"),
                &submission.join("echo_server"),
            )?;
        }
        if let Some(act) = &attack.python {
            let act = targets.fill(act, submission)?.replace('\n', "\n    ");
            fs::write(submission.join("echo_server.py"), SERVER.replace("ACT", &act))?;
        }
        for (name, content) in &attack.files {
            let place = submission.join(name);
            fs::create_dir_all(place.parent().unwrap_or(submission))?;
            _ = fs::remove_file(&place);
            place_file(&place, &targets.fill(content, submission)?)?;
        }
        if let Some(command) = &attack.make {
            shell(&targets.fill(command, submission)?, submission)?;
        }
        Ok(())
    }

    /// What the harness says of it, whether that is a verdict or a word that there is none.
    fn grade(&self, attack: &Attack, submission: &Path, premises: &Premises) -> Seen {
        let handed_in = attack
            .hand_in
            .as_ref()
            .map_or_else(|| submission.to_owned(), |name| submission.join(name));
        self.verdict(&handed_in, premises)
            .unwrap_or_else(|error| Seen { verdict: format!("{error:#}"), ..Seen::default() })
    }

    fn verdict(&self, submission: &Path, premises: &Premises) -> anyhow::Result<Seen> {
        let only = vec!["echoes_short_message".to_owned()];
        let request = GradeRequest {
            only: only.clone(),
            ..GradeRequest::of(
                self.rubric.practical.name,
                Origin::Submission(submission.to_owned()),
                self.request.seed,
            )
        };
        let plan = self.rubric.plan(&only)?;
        let sources = submission::stage(self.repository, self.rubric, &plan, &request)?;
        let built = build::programs(&sources, premises, &Progress::silent())?;
        let verdicts = judge(&plan, &built, &request, premises, &Progress::silent())?;
        let grade = Grade::new(self.rubric, verdicts, &built, &sources, &request);
        submission::forget(&sources)?;
        Ok(observed(&grade))
    }

    /// The same act where nothing is confined.
    fn control(
        &self,
        attack: &Attack,
        targets: &Targets,
        submission: &Path,
    ) -> anyhow::Result<bool> {
        let Some(command) = &attack.control else {
            return Ok(self.grade(attack, submission, self.unconfined).answers.contains("open"));
        };
        let succeeded = shell(&targets.fill(command, submission)?, submission)?;
        // What the control has left running is about to end by itself.
        while processes_with(&targets.word) > 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(succeeded)
    }
}

fn shell(command: &str, folder: &Path) -> anyhow::Result<bool> {
    let mut shell = Command::new("bash");
    shell.args(["-c", command]).current_dir(folder);
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(shell.status().context("bash")?.success())
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
        self.intact && self.seen.is_as_expected(attack)
    }

    fn complaint(&self, attack: &Attack) -> String {
        let Attack { id, act, .. } = attack;
        let (tier, expected) = (self.tier, attack.expected.as_deref().unwrap_or("held"));
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

/// What is said of the one check, and of the program.
fn observed(grade: &Grade) -> Seen {
    let errors = grade.compile_errors.iter().filter(|errors| errors.program == "echo_server");
    let mut verdict: Vec<String> =
        errors.map(|errors| format!("{} {}", errors.what, errors.errors.join(" "))).collect();
    let mut answers = String::new();
    for row in &grade.rows {
        verdict.push(match &row.verdict.status {
            Status::Passed => "passed".to_owned(),
            Status::Failed(failure) => failure.to_string(),
            Status::Fault(fault) => fault.to_string(),
            _ => String::new(),
        });
        verdict.extend(row.verdict.ended.clone());
        let received = row.verdict.transcript.iter().filter(|event| event.what == What::Receive);
        answers.extend(received.map(|event| String::from_utf8_lossy(&event.preview).into_owned()));
    }
    Seen { answers, verdict: verdict.join("; "), report: report::human::render(grade) }
}

fn place_file(place: &Path, content: &str) -> anyhow::Result<()> {
    match content.split_once(':') {
        Some(("link", to)) => symlink(to, place)?,
        Some(("pipe", _)) => _ = Command::new("mkfifo").arg(place).status()?,
        Some(("sparse", size)) => fs::File::create(place)?.set_len(size.parse()?)?,
        _ => {
            fs::File::create(place)?.write_all(content.as_bytes())?;
            fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten().filter(|entry| entry.file_name() != "target") {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place)?
        } else {
            _ = fs::copy(entry.path(), place)?
        }
    }
    Ok(())
}

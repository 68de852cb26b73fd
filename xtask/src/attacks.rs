//! `verify --attacks`: what a hostile submission tries, in every tier that this system has.
//!
//! Each attack of a practical's `attacks.toml` is graded, and its verdict must say what the row expects, with nothing left of
//! it. Its control must succeed: an act that fails also where nothing is confined proves nothing, and the table says so.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use suite::{Limits, Status, Tier, Wanted};

use crate::cli::{GradeRequest, Origin, VerifyRequest};
use crate::grade::{Grade, Premises, judge};
use crate::repository::Repository;
use crate::rubric::Rubric;
use crate::terminal::{self, BOLD, GREEN, Progress, RED, YELLOW};
use crate::{build, submission};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    attack: Vec<Attack>,
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
    expected: Option<String>,
    control: Option<String>,
}

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

/// What attacks are aimed at: things of the machine's that are there to be reached.
struct Targets {
    folder: tempfile::TempDir,
    service: TcpListener,
    _socket: UnixListener,
    _abstract: UnixListener,
    handle: fs::File,
    word: String,
    solution: String,
}

impl Targets {
    fn new(rubric: &Rubric) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("attacked-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))?;
        fs::write(folder.path().join("secret"), "nobody's business\n")?;
        fs::create_dir(folder.path().join("home"))?;
        fs::set_permissions(folder.path().join("home"), fs::Permissions::from_mode(0o777))?;
        let word = format!("attacked{}", std::process::id());
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
            ("{folder}", submission.display().to_string()),
        ];
        Ok(places.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value)))
    }

    /// What attacks leave behind where they succeed, in files or processes.
    fn is_intact(&self) -> bool {
        let no_files = fs::read_dir(self.folder.path().join("home")).is_ok_and(|mut entries| entries.next().is_none());
        no_files && processes_with(&self.word) == 0
    }

    fn mend(&self) -> anyhow::Result<()> {
        for entry in fs::read_dir(self.folder.path().join("home"))? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    }
}

fn processes_with(word: &str) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.windows(word.len()).any(|window| window == word.as_bytes())).count()
}

/// Makes every attack in every tier; what did not come out as it should.
pub(crate) fn run(repository: &Repository, rubric: &Rubric, request: &VerifyRequest) -> anyhow::Result<Vec<String>> {
    let path = rubric.folder.join("attacks.toml");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(Vec::new()) };
    let table: Table = toml::from_str(&text).with_context(|| repository.relative(&path))?;
    let chosen = |attack: &&Attack| request.only.is_empty() || request.only.contains(&attack.id);
    let mut complaints = Vec::new();
    let mut ground = Ground { repository, rubric, request, targets: Targets::new(rubric)?, controls: BTreeMap::new() };
    for (wanted, tier) in [(Wanted::Auto, Tier::Namespaces), (Wanted::Landlock, Tier::Landlock)] {
        let premises = ground.premises(wanted)?;
        if premises.confinement.tier() != tier {
            let why = premises.confinement.statement().join("; ");
            terminal::say_line(format_args!(
                "\n{YELLOW}skipped{YELLOW:#}: the tier {tier:?} is not to be had here: {why}"
            ));
            continue;
        }
        terminal::say_line(format_args!("\n{BOLD}{tier}{BOLD:#}"));
        for (at, attack) in table.attack.iter().enumerate().filter(|(_, attack)| chosen(attack)) {
            complaints.extend(ground.make(at, attack, &premises)?.map(|what| format!("{tier:?}: {what}")));
        }
    }
    Ok(complaints)
}

struct Ground<'a> {
    repository: &'a Repository,
    rubric: &'a Rubric,
    request: &'a VerifyRequest,
    targets: Targets,
    /// Whether each attack's control succeeded.
    controls: BTreeMap<usize, bool>,
}

impl Ground<'_> {
    /// Builds are given less than usual, so that reaching the limit does not take long.
    fn premises(&self, wanted: Wanted) -> anyhow::Result<Premises> {
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

    fn make(&mut self, at: usize, attack: &Attack, premises: &Premises) -> anyhow::Result<Option<String>> {
        let submission = tempfile::Builder::new().prefix("hostile-").tempdir()?;
        fs::set_permissions(submission.path(), fs::Permissions::from_mode(0o755))?;
        self.write(attack, submission.path())?;
        if attack.python.is_some() && !has_python() {
            terminal::say_line(format_args!(
                "{YELLOW}skipped{YELLOW:#}  {:<4} {}: no python3 here",
                attack.id, attack.act
            ));
            return Ok(None);
        }
        self.targets.mend()?;
        let grade = self.grade(submission.path(), premises)?;
        let seen = observed(&grade);
        let expected = attack.expected.as_deref().unwrap_or("held");
        let (held, intact) = (seen.contains(expected), self.targets.is_intact());
        let control = match self.controls.get(&at) {
            Some(control) => *control,
            None => {
                let control = self.control(attack, submission.path())?;
                self.controls.insert(at, control);
                control
            }
        };
        self.targets.mend()?;
        tell(attack, held && intact, control, expected);
        Ok(match (held, intact, control) {
            (false, _, _) => Some(format!("{} {}: expected {expected:?}, got {seen:?}", attack.id, attack.act)),
            (_, false, _) => Some(format!("{} {}: something was left behind", attack.id, attack.act)),
            (_, _, false) => None, // it proves nothing, and the table says so
            _ => None,
        })
    }

    fn write(&self, attack: &Attack, submission: &Path) -> anyhow::Result<()> {
        if attack.solution {
            copy(&self.rubric.folder.join("solution/echo_server"), &submission.join("echo_server"))?;
        }
        if let Some(act) = &attack.python {
            let act = self.targets.fill(act, submission)?.replace('\n', "\n    ");
            fs::write(submission.join("echo_server.py"), SERVER.replace("ACT", &act))?;
        }
        for (name, content) in &attack.files {
            let place = submission.join(name);
            fs::create_dir_all(place.parent().unwrap_or(submission))?;
            _ = fs::remove_file(&place);
            place_file(&place, &self.targets.fill(content, submission)?)?;
        }
        Ok(())
    }

    fn grade(&self, submission: &Path, premises: &Premises) -> anyhow::Result<Grade> {
        let only = vec!["echoes_short_message".to_owned()];
        let request = GradeRequest {
            only: only.clone(),
            ..GradeRequest::of(self.rubric.practical.name, Origin::Submission(submission.to_owned()), self.request.seed)
        };
        let plan = self.rubric.plan(&only)?;
        let sources = submission::stage(self.repository, self.rubric, &plan, &request)?;
        let built = build::programs(&sources, premises, &Progress::silent())?;
        let verdicts = judge(&plan, &built, &request, premises, &Progress::silent())?;
        Ok(Grade::new(self.rubric, verdicts, &built, &sources, &request))
    }

    /// The same act where nothing is confined.
    fn control(&self, attack: &Attack, submission: &Path) -> anyhow::Result<bool> {
        self.targets.mend()?;
        let Some(command) = &attack.control else {
            let premises = self.premises(Wanted::Off)?;
            return Ok(observed(&self.grade(submission, &premises)?).contains("open"));
        };
        let command = self.targets.fill(command, submission)?;
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &command])
            .current_dir(submission)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let status = shell.status().context("bash")?;
        // What the control has left running is about to end by itself.
        while processes_with(&self.targets.word) > 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(status.success())
    }
}

fn has_python() -> bool {
    Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What the reports say of the one check, and of the program.
fn observed(grade: &Grade) -> String {
    let errors = grade.compile_errors.iter().filter(|errors| errors.program == "echo_server");
    let mut seen: Vec<String> = errors.map(|errors| format!("{} {}", errors.what, errors.errors.join(" "))).collect();
    for row in &grade.rows {
        seen.push(match &row.verdict.status {
            Status::Passed => "passed".to_owned(),
            Status::Failed(failure) => failure.to_string(),
            Status::Fault(fault) => fault.to_string(),
            _ => String::new(),
        });
        seen.extend(row.verdict.ended.clone());
        seen.extend(row.verdict.transcript.iter().map(|event| String::from_utf8_lossy(&event.preview).into_owned()));
    }
    seen.join("; ")
}

fn tell(attack: &Attack, held: bool, control: bool, expected: &str) {
    let (style, word) = if held { (GREEN, "held") } else { (RED, "OPEN") };
    let proof = if control { "" } else { "   (proves nothing here: the control failed)" };
    let expected = if expected == "held" { "refused to it" } else { expected };
    terminal::say_line(format_args!("{style}{word:<5}{style:#} {:<4} {}: {expected}{proof}", attack.id, attack.act));
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
        if entry.path().is_dir() { copy(&entry.path(), &place)? } else { _ = fs::copy(entry.path(), place)? }
    }
    Ok(())
}

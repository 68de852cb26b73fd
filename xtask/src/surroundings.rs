//! The environment of a run, read once, so that reports are pure functions.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};

use crate::request::{GradeRequest, Origin};

/// Where a grading takes place, and for whom.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    /// The time since 1970.
    pub(crate) began: Duration,
    /// A step of GitHub Actions reads the output and obeys its commands.
    pub(crate) on_github: bool,
    /// The file that a step's summary is appended to.
    pub(crate) step_summary: Option<PathBuf>,
    /// The file that a step's outputs are appended to.
    pub(crate) step_output: Option<PathBuf>,
    /// A random token: GitHub obeys nothing until it comes again.
    pub(crate) token: String,
    /// Whose submission it is, for the report that needs it.
    pub(crate) identity: Option<Identity>,
}

/// Who handed in what, as Classroom 50's runner says.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) classroom: String,
    pub(crate) assignment: String,
    pub(crate) assignment_type: String,
    pub(crate) owner: String,
    pub(crate) submission: String,
    pub(crate) commit: String,
    pub(crate) release: String,
    pub(crate) review: String,
    /// The committer's date, which is the same for each grading.
    pub(crate) datetime: String,
}

impl Surroundings {
    pub(crate) fn read() -> Self {
        let file = |name| variable(name).map(PathBuf::from);
        Self {
            began: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
            on_github: variable("GITHUB_ACTIONS").is_some_and(|word| word == "true"),
            step_summary: file("GITHUB_STEP_SUMMARY"),
            step_output: file("GITHUB_OUTPUT"),
            token: token(),
            identity: None,
        }
    }

    /// Adds what the reports of the request need, or fails with what is missing.
    pub(crate) fn complete(&self, request: &GradeRequest) -> anyhow::Result<Self> {
        let wanted = request.reports.iter().any(|report| report.format == "classroom50");
        let identity =
            if wanted { Some(identity(request).context("--report classroom50")?) } else { None };
        Ok(Self { identity, ..self.clone() })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns 128 random bits in hexadecimal.
fn token() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes.iter().fold(String::new(), |mut text, byte| {
            _ = write!(text, "{byte:02x}");
            text
        }),
        Err(_) => String::new(), // then nothing that a program printed is shown
    }
}

fn identity(request: &GradeRequest) -> anyhow::Result<Identity> {
    let mut missing = Vec::new();
    let mut said = |names: &[&str]| {
        names.iter().find_map(|name| variable(name)).unwrap_or_else(|| {
            missing.push(names.join(" or "));
            String::new()
        })
    };
    let mut identity = Identity {
        classroom: said(&["CLASSROOM"]),
        assignment: said(&["ASSIGNMENT"]),
        assignment_type: said(&["ASSIGNMENT_TYPE"]),
        owner: said(&["OWNER", "USERNAME"]),
        submission: said(&["SUBMISSION_TAG"]),
        commit: said(&["COMMIT_URL"]),
        release: said(&["RELEASE_URL"]),
        review: said(&["REVIEW_URL"]),
        datetime: String::new(),
    };
    if !missing.is_empty() {
        bail!("Classroom 50's runner sets {}, but they are not set here", missing.join(", "));
    }
    if !["individual", "group", "team"].contains(&identity.assignment_type.as_str()) {
        bail!("ASSIGNMENT_TYPE is {:?}, not individual, group or team", identity.assignment_type);
    }
    if !identity.submission.starts_with("submit/") {
        bail!(
            "SUBMISSION_TAG is {:?}; a submission's tag begins with submit/",
            identity.submission
        );
    }
    identity.datetime = commit_date(folder(&request.origin))?;
    Ok(identity)
}

fn folder(origin: &Origin) -> &Path {
    match origin {
        Origin::Submission(folder) => folder,
        Origin::Practical | Origin::Solution => Path::new("."),
    }
}

/// Returns the date of the submission's commit. Git runs nothing that the repository configures.
fn commit_date(folder: &Path) -> anyhow::Result<String> {
    const HARMLESS: &str =
        "-c core.fsmonitor=false -c core.hooksPath=/dev/null -c log.showSignature=false";
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(HARMLESS.split(' '))
        .args(["--no-pager", "show", "--no-patch", "--no-show-signature", "--format=%cd"])
        .args(["--date=format-local:%Y-%m-%dT%H:%M:%SZ", "HEAD"])
        .envs([("TZ", "UTC"), ("GIT_NO_LAZY_FETCH", "1")])
        .output()
        .context("git cannot be started, and this report needs the commit's date")?;
    if !output.status.success() {
        bail!(
            "{} is not a git checkout with a commit, and this report needs the commit's date",
            folder.display()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

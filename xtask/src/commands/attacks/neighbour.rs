//! A right submission that is graded beside an attack. It must get what it gets alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use suite::Status;
use tempfile::TempDir;

use crate::grader::Grader;
use crate::report::human;
use crate::request::{GradeRequest, Origin};
use crate::rubric::Rubric;

/// A right server, which needs no build.
const SERVER: &str = "
import socket, sys, threading
def serve(c):
    with c:
        while data := c.recv(65536):
            c.sendall(data)
with socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128) as s:
    while True:
        threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
";

/// Checks that need several launches, several connections, or a count of sockets.
const CHECKS: [&str; 3] = ["echoes_short_message", "serves_clients_at_once", "closes_after_client"];

pub(super) struct Neighbour<'a> {
    rubric: &'a Rubric,
    seed: u64,
    folder: TempDir,
    ends: AtomicBool,
}

impl<'a> Neighbour<'a> {
    pub(super) fn new(rubric: &'a Rubric, seed: u64) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("right-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        fs::write(folder.path().join("echo_server.py"), SERVER)?;
        Ok(Self { rubric, seed, folder, ends: AtomicBool::new(false) })
    }

    /// Lets the grading that is under way be the last one.
    pub(super) fn end(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }

    /// Grades it until the attack has ended. Returns what it lost first, if it lost anything.
    pub(super) fn grade_repeatedly(&self, grader: &Grader) -> Option<String> {
        while !self.ends.load(Ordering::Relaxed) {
            let lost = self.grade(grader);
            if lost.is_some() {
                return lost;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }

    fn grade(&self, grader: &Grader) -> Option<String> {
        let origin = Origin::Submission(self.folder.path().to_owned());
        let only = CHECKS.map(str::to_owned).to_vec();
        let request = GradeRequest::of(self.rubric.practical.name, origin, self.seed);
        let grading = match grader.grade(self.rubric, &GradeRequest { only, ..request }) {
            Ok(grading) => grading,
            Err(error) => return Some(format!("{error:#}")),
        };
        let passed = grading.rows.iter().all(|row| matches!(row.verdict.status, Status::Passed));
        (!passed || grading.rows.len() < CHECKS.len()).then(|| human::render(&grading))
    }
}

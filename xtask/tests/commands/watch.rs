//! `watch` from outside, without a terminal.
#![cfg(all(target_os = "linux", feature = "full"))]

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// What it has said so far, both its outputs as they came.
type Said = Arc<(Mutex<String>, Condvar)>;

struct Watch {
    process: Child,
    said: Said,
}

impl Watch {
    fn begin(course: &Path) -> Self {
        let mut process = Command::new(assert_cmd::cargo::cargo_bin("xtask"))
            .args(["watch", "echo"])
            .current_dir(course)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Said::default();
        follow(process.stdout.take().unwrap(), said.clone());
        follow(process.stderr.take().unwrap(), said.clone());
        Self { process, said }
    }

    /// Waits until it has said this, and forgets all that came before.
    #[track_caller]
    fn says(&self, word: &str) -> String {
        let (said, more) = &*self.said;
        let patience = Duration::from_secs(60);
        let waits = |said: &mut String| !said.contains(word);
        let (mut said, wait) =
            more.wait_timeout_while(said.lock().unwrap(), patience, waits).unwrap();
        assert!(!wait.timed_out(), "watch does not say {word:?} but {said}");
        let at = said.find(word).unwrap() + word.len();
        let rest = said.split_off(at);
        std::mem::replace(&mut said, rest)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn follow(mut pipe: impl Read + Send + 'static, said: Said) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            said.0.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            said.1.notify_all();
        }
    });
}

/// The echo practical with unfinished programs.
fn unfinished_course() -> tempfile::TempDir {
    let course = tempfile::tempdir().unwrap();
    let (from, to) = (root().join("practicals/echo"), course.path().join("practicals/echo"));
    for program in ["echo_server", "echo_client"] {
        fs::create_dir_all(to.join(program).join("src")).unwrap();
        fs::copy(from.join(program).join("Cargo.toml"), to.join(program).join("Cargo.toml"))
            .unwrap();
        fs::write(
            to.join(program).join("src/main.rs"),
            "fn main() {\n    todo!(\"steps 1 to 3\")\n}\n",
        )
        .unwrap();
    }
    for file in ["rubric.toml", "explanations.toml"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    course
}

#[test]
fn what_was_saved_is_graded_whatever_an_editor_does() {
    let solution =
        |program: &str| root().join("practicals/echo/solution").join(program).join("src/main.rs");
    if !solution("echo_server").is_file() {
        println!("skipped: there is no solution here");
        return;
    }
    let course = unfinished_course();
    let main =
        |program: &str| course.path().join("practicals/echo").join(program).join("src/main.rs");
    let (server, client) = (main("echo_server"), main("echo_client"));
    let watch = Watch::begin(course.path());
    watch.says("running 31 checks");
    watch.says("listens_on_given_address");
    watch.says("Failed check 1 of");

    // Only the server's checks; and a save while they run is not lost.
    fs::copy(solution("echo_server"), &server).unwrap();
    watch.says("running 22 checks"); // what both do together waits for the client
    fs::copy(solution("echo_client"), &client).unwrap();
    watch.says("Better: listens_on_given_address");
    watch.says("Score 100/100");

    // In the middle of a word.
    let whole = fs::read_to_string(&client).unwrap();
    fs::write(&client, &whole[..whole.len() / 2]).unwrap();
    watch.says("echo_client does not compile");

    // Gone, and back under another name, as editors save.
    fs::remove_file(&client).unwrap();
    watch.says("after the save");
    fs::write(client.with_extension("rs~"), &whole).unwrap();
    fs::rename(client.with_extension("rs~"), &client).unwrap();
    watch.says("Score 100/100");

    // What changes nothing grades nothing: the next to be graded is the server.
    fs::write(&client, &whole).unwrap();
    fs::write(course.path().join("practicals/echo/notes.txt"), "a note").unwrap();
    fs::write(&server, "fn main() {}\n").unwrap();
    let between = watch.says("Worse: listens_on_given_address");
    assert_eq!(between.matches("running").count(), 1, "{between}");
}

//! `watch` without a terminal.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::support::process;
use crate::{solution, source, unfinished_course};

/// What `watch` has printed on both of its outputs, and no test has read yet.
type Said = Arc<(Mutex<String>, Condvar)>;

struct Watch {
    process: Child,
    said: Said,
}

impl Watch {
    fn begin(course: &Path) -> Self {
        let mut watch = process("watch echo");
        watch.current_dir(course).stdin(Stdio::null());
        let mut process = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Said::default();
        follow(process.stdout.take().unwrap(), said.clone());
        follow(process.stderr.take().unwrap(), said.clone());
        Self { process, said }
    }

    /// Waits for this word, and returns what came before it.
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

#[test]
fn what_was_saved_is_graded_whatever_an_editor_does() {
    if !solution("echo_server").is_file() {
        println!("skipped: there is no solution here");
        return;
    }
    let course = unfinished_course();
    let (server, client) = (source(&course, "echo_server"), source(&course, "echo_client"));
    let watch = Watch::begin(course.path());
    watch.says("running 31 checks");
    watch.says("listens_on_given_address");
    watch.says("Failed check 1 of");

    // Only the server's checks run, and a save during them is not lost.
    fs::copy(solution("echo_server"), &server).unwrap();
    watch.says("running 22 checks"); // the check of both programs waits for the client
    fs::copy(solution("echo_client"), &client).unwrap();
    watch.says("Better: listens_on_given_address");
    watch.says("Score 100/100");

    ends_in_the_middle_and_comes_back(&watch, &client);

    // A save without a change grades nothing, so the next grading is that of the server.
    fs::copy(solution("echo_client"), &client).unwrap();
    fs::write(course.path().join("practicals/echo/notes.txt"), "a note").unwrap();
    fs::write(&server, "fn main() {}\n").unwrap();
    let between = watch.says("Worse: listens_on_given_address");
    assert_eq!(between.matches("running").count(), 1, "{between}");
}

/// Saves half of a file, removes it, and renames another to it, as editors do.
fn ends_in_the_middle_and_comes_back(watch: &Watch, file: &Path) {
    let whole = fs::read_to_string(file).unwrap();
    fs::write(file, &whole[..whole.len() / 2]).unwrap();
    watch.says("echo_client does not compile");
    fs::remove_file(file).unwrap();
    watch.says("after the save");
    fs::write(file.with_extension("rs~"), &whole).unwrap();
    fs::rename(file.with_extension("rs~"), file).unwrap();
    watch.says("Score 100/100");
}

//! Processes that are ended from outside, at any moment.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::{Comes, Place, attempts, support};

/// Returns a grading whose programs have the place's name in their command line.
fn grading(place: &Place, confine: &str) -> Option<Command> {
    if !support::has("python3") {
        return None;
    }
    let server = place.path("server.py");
    fs::write(&server, support::python("listen(); serve()")).unwrap();
    let mut grading = place.grading(&format!("--confine {confine}"));
    let command = format!("python3 {}", server.display());
    grading.arg(support::program("echo_server", command));
    grading.stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(grading)
}

fn signal(name: &str, pid: &str) {
    Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).output().unwrap();
}

#[test]
fn a_signal_at_any_moment() {
    for attempt in attempts("a_signal_at_any_moment") {
        let place = Place::new();
        let confine = ["auto", "landlock", "off"][attempt as usize / 3 % 3];
        let Some(mut grading) = grading(&place, confine) else { return };
        let running = grading.spawn().unwrap();
        // From the first moments, in which it is not ready to be asked, to its last ones.
        std::thread::sleep(Duration::from_millis(30 + u64::from(attempt) * 67 % 900));
        let name = ["TERM", "INT", "HUP"][attempt as usize % 3];
        signal(name, &running.id().to_string());
        let output = running.wait_with_output().unwrap();
        place.check(&output, if has_verdict(&output) { Comes::FullMarks } else { by(name) });
    }
}

fn has_verdict(output: &Output) -> bool {
    output.status.code() == Some(0)
}

fn by(name: &str) -> Comes {
    Comes::Fault(match name {
        "TERM" => "ended by SIGTERM",
        "INT" => "ended by SIGINT",
        _ => "ended by SIGHUP",
    })
}

#[test]
fn a_signal_that_is_ignored() {
    for _ in attempts("a_signal_that_is_ignored") {
        let place = Place::new();
        let Some(grading) = grading(&place, "auto") else { return };
        let mut ignoring = crate::after("trap '' HUP", &grading);
        let running = ignoring.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        signal("HUP", &running.id().to_string());
        place.check(&running.wait_with_output().unwrap(), Comes::FullMarks);
    }
}

#[test]
fn a_killed_broker() {
    for attempt in attempts("a_killed_broker") {
        kill_a_helper("auto", attempt, |grader| with_word(&children(grader), "__broker"));
    }
}

#[test]
fn a_killed_launcher() {
    for attempt in attempts("a_killed_launcher") {
        let confine = ["auto", "landlock", "off"][attempt as usize % 3];
        kill_a_helper(confine, attempt, |grader| with_word(&children(grader), "__launch"));
    }
}

#[test]
fn a_killed_keeper() {
    for attempt in attempts("a_killed_keeper") {
        kill_a_helper("auto", attempt, |grader| {
            let launcher = with_word(&children(grader), "__launch")?;
            children(&launcher).into_iter().next()
        });
    }
}

/// Kills a helper process of a running check. The verdict may be known by then.
#[track_caller]
fn kill_a_helper(confine: &str, attempt: u32, find: impl Fn(&str) -> Option<String>) {
    let place = Place::new();
    let Some(mut grading) = grading(&place, confine) else { return };
    let mut running = grading.spawn().unwrap();
    let mut stderr = BufReader::new(running.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("running") && stderr.read_line(&mut said).unwrap() > 0 {}
    std::thread::sleep(Duration::from_millis(u64::from(attempt) * 67 % 600));
    while running.try_wait().unwrap().is_none() {
        if let Some(helper) = find(&running.id().to_string()) {
            signal("KILL", &helper);
            break;
        }
    }
    stderr.read_to_string(&mut said).unwrap();
    let output = Output { stderr: said.into_bytes(), ..running.wait_with_output().unwrap() };
    place.check(&output, Comes::FullMarksOrFault);
}

fn children(of: &str) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn with_word(processes: &[String], word: &str) -> Option<String> {
    let has_it = |pid: &&String| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(word)
    };
    processes.iter().rfind(has_it).cloned()
}

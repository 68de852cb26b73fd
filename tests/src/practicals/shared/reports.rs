//! How a program reports an error: in words on stderr, with an exit status, without a panic.

use std::process::ExitStatus;

use crate::engine::diagnose::{Failed, Findings};
use crate::engine::ended::Ended;
use crate::engine::kept;
use crate::engine::program::Program;
use crate::engine::running::NeverListened;
use crate::engine::tried::Tried;
use crate::engine::verdict::{Diagnosis, Failure, Outcome};

/// A fact: how a program ended when it had to print a message and exit with a certain status.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) status: Option<ExitStatus>,
    /// Whether that was a panic, a traceback or a signal.
    pub(crate) panicked: bool,
}

/// Another process has the port: that deserves a message for a person, not a panic.
pub(crate) fn reports_address_in_use(server: &Program) -> Outcome {
    let (address, ended) = server.launch_where_taken()?;

    let expected =
        format!("a message on stderr and an exit status other than 0, because {address} is in use");
    reports(&ended, expected, !ended.succeeded())
}

/// Is the address to blame? A program that ends in the same way where the address is free does not
/// tell how it reports this error.
pub(crate) fn whether_it_ends_anyway(server: &Program, tried: Tried) -> Tried {
    let status = tried.fact(|reported: &Reported| reported.status);
    let Some(status) = status else { return tried };
    match server.try_aside(|server| server.launch().map(drop)) {
        Err(Some(aside)) if aside.fact(|never: &NeverListened| never.status) == Some(status) => {
            let expected = "a server that listens where the address is free, \
                            and reports the error where it is not";
            let observed = format!(
                "a server that stops in both cases before it listens ({})",
                kept::describe(status)
            );
            aside.replaced_by(Failure::new(expected, observed))
        }
        _ => tried,
    }
}

/// An argument that cannot be a port gets a usage line.
pub(crate) fn reports_bad_arguments(server: &Program) -> Outcome {
    let expected =
        |port: &str| format!("a usage line on stderr and exit status 2 for the port {port:?}");
    if !server.takes_a_port() {
        let observed = "a command line with no place for a port";
        return Err(Failure::new(expected("abc"), observed).into());
    }
    for port in ["abc", "70000", "-1", ""] {
        let ended = server.launch_with_port(port)?;
        reports(&ended, expected(port), ended.reported_usage())?;
    }
    Ok(())
}

/// Holds when a client reported a failure: its exit status is not 0, and it printed a message.
pub(crate) fn reports_failure(ended: &Ended, why: &str) -> Outcome {
    let expected = format!("a message on stderr and an exit status other than 0, because {why}");
    reports(ended, expected, ended.reported_failure())
}

/// Holds when an error was reported in words: the program ended, not by a panic, and said something
/// on stderr.
pub(crate) fn reports(ended: &Ended, expected: String, right_status: bool) -> Outcome {
    let (crash, said_something) = (ended.crash(), ended.said_something());
    if crash.is_none() && ended.exit.is_ok() && right_status && said_something {
        return Ok(());
    }
    let said = if said_something { "a message on stderr" } else { "nothing on stderr" };
    let observed = match crash {
        Some(crash) => format!("{}: {}", crash.name(), ended.describe()),
        None => format!("{}; {said}", ended.describe()),
    };
    let fact = Reported { status: ended.exit.ok(), panicked: crash.is_some() };
    Err(Failure::new(expected, observed).at(ended.snapshot.clone()).with(fact).into())
}

// ---- the mistakes ----

pub(crate) fn panics_on_error(findings: &Findings<'_>) -> Option<Diagnosis> {
    named(findings, "panics_on_error", |_, reported| reported.panicked)
}

/// Names a program that ended without a panic. A client that hides its failure has another mistake.
pub(crate) fn misreports_errors(findings: &Findings<'_>) -> Option<Diagnosis> {
    named(findings, "misreports_errors", |check, reported| {
        let is_hidden = check.starts_with("client") && hides(reported);
        !reported.panicked && reported.status.is_some() && !is_hidden
    })
}

/// Names a mistake that explains each check whose error was reported in this way.
fn named(
    findings: &Findings<'_>,
    mistake: &'static str,
    how: impl Fn(&str, &Reported) -> bool,
) -> Option<Diagnosis> {
    let is_told = |failed: &Failed<'_>| failed.facts().any(|fact| how(failed.id(), fact));
    let all: Vec<Failed<'_>> = findings.all_failed().filter(is_told).collect();
    let because = all.first()?.failure.to_string();
    findings.name(mistake, because, &all.into_iter().map(Failed::id).collect::<Vec<_>>())
}

/// Returns those of these checks in which a client failed and its exit status was 0.
pub(crate) fn hidden_failures<'a>(findings: &Findings<'a>, checks: &[&str]) -> Vec<Failed<'a>> {
    let is_hidden = |failed: &Failed<'_>| failed.facts().any(hides);
    findings.failed_of(checks).into_iter().filter(is_hidden).collect()
}

fn hides(reported: &Reported) -> bool {
    reported.status.is_some_and(|status| status.success())
}

//! Where a server listens.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitStatus;

use crate::engine::diagnose::{Failed, Findings};
use crate::engine::kept;
use crate::engine::program::{LOCALHOST, Program, Server};
use crate::engine::running::NeverListened;
use crate::engine::sight;
use crate::engine::verdict::{Diagnosis, Failure, Outcome};
use crate::engine::wait;
use crate::observe::ProcessTree;
use crate::practicals::shared::AFTERMATH;

/// A fact: it listens on these addresses, which are not only the address from its command line.
#[derive(Debug, PartialEq, Eq)]
struct ListensOn {
    addresses: Vec<SocketAddr>,
    told: SocketAddr,
    /// Whether its command line had the host, too, and not only the port.
    told_host: bool,
}

impl ListensOn {
    fn because(&self, listens_on: &SocketAddr) -> String {
        let told = match self.told_host {
            true => self.told.to_string(),
            false => format!("port {} and no host, which means 127.0.0.1", self.told.port()),
        };
        format!("your server was started with {told}, but listens on {listens_on}")
    }
}

/// The address on the command line is the address: not a constant in the source, not every
/// interface of the machine.
pub(crate) fn listens_on_given_address(server: &Program) -> Outcome {
    let another = Ipv4Addr::new(127, 0, 20, 1);
    let network = server.context.place.network();
    let exists = network.listen(SocketAddr::from((another, 0))).is_ok();
    let is_told = !server.has_declared_address() && server.takes_a_host();
    for host in [Some(LOCALHOST), (exists && is_told).then_some(another)].into_iter().flatten() {
        let running = server.launch_on(host)?;

        let _client = running.connect()?;
        wait::settle(&server.context, AFTERMATH, wait::STUCK);
        listens_where_told_only(&running, server.takes_a_host())?;
    }
    Ok(())
}

fn listens_where_told_only(running: &Server, told_host: bool) -> Outcome {
    let shown = sight::see_if_shown(running.context(), running.tree(), ProcessTree::listening)?;
    let addresses = match shown {
        Some(addresses) if !addresses.is_empty() => addresses,
        _ => vec![running.address],
    };
    if addresses.iter().all(|address| *address == running.told) {
        return Ok(());
    }
    let observed: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    let everywhere = addresses.iter().any(|address| address.ip().is_unspecified());
    let meaning = if everywhere { ", which is every interface of the machine" } else { "" };
    let failure = Failure::new(
        format!("a server that listens only on {}", running.told),
        format!("one that listens on {}{meaning}", observed.join(" and ")),
    );
    Err(failure.with(ListensOn { addresses, told: running.told, told_host }).into())
}

// ---- the mistakes ----

pub(crate) fn never_listens(findings: &Findings<'_>) -> Option<Diagnosis> {
    let because = findings.all_failed().find_map(why_it_never_listens)?;
    let all = findings.all_failed().filter(|failed| why_it_never_listens(*failed).is_some());
    findings.name("never_listens", because, &all.map(Failed::id).collect::<Vec<_>>())
}

/// Where the system does not show who listens, a server may listen on an address of its own.
fn why_it_never_listens(failed: Failed<'_>) -> Option<String> {
    /// The error of accept(2) if listen(2) was not called. Other errors may have any cause.
    const NOT_LISTENING: &str = "Invalid argument";
    failed.fact(|NeverListened { status, is_shown }| match status {
        _ if !is_shown => None,
        None => Some("your server is running, but it has no listening socket".to_owned()),
        Some(status) if status.success() => {
            Some("your server stopped (exit status 0) and never had a listening socket".to_owned())
        }
        Some(status) if says(failed, NOT_LISTENING) => Some(accepted_too_early(*status)),
        Some(_) => None,
    })
}

fn accepted_too_early(status: ExitStatus) -> String {
    format!(
        "your server stopped ({}) and never had a listening socket: \
         accept on a socket that does not listen fails with \"Invalid argument\"",
        kept::describe(status)
    )
}

fn says(failed: Failed<'_>, words: &str) -> bool {
    failed.verdict.stderr_tail.windows(words.len()).any(|window| window == words.as_bytes())
}

const CHECK: &str = "listens_on_given_address";

pub(crate) fn ignores_address(findings: &Findings<'_>) -> Option<Diagnosis> {
    let because = findings.failed(CHECK)?.fact(|listens: &ListensOn| {
        let ListensOn { addresses, told, told_host } = listens;
        let is_elsewhere = |address: &SocketAddr| {
            let other_host = !address.ip().is_unspecified() && address.ip() != told.ip();
            address.port() != told.port() || *told_host && other_host
        };
        addresses.iter().all(is_elsewhere).then(|| listens.because(&addresses[0]))
    })?;
    findings.name("ignores_address", because, &[CHECK])
}

pub(crate) fn listens_everywhere(findings: &Findings<'_>) -> Option<Diagnosis> {
    let because = findings.failed(CHECK)?.fact(|listens: &ListensOn| {
        let told = listens.told.port();
        let is_everywhere =
            |address: &&SocketAddr| address.port() == told && address.ip().is_unspecified();
        let everywhere = listens.addresses.iter().find(is_everywhere)?;
        Some(listens.because(everywhere))
    })?;
    findings.name("listens_everywhere", because, &[CHECK])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diagnose;
    use crate::engine::verdict::{Status, Verdict};

    #[track_caller]
    fn check(is_shown: bool, expected: bool) {
        for status in [None, Some(ExitStatus::default())] {
            let failure = Failure::default().with(NeverListened { status, is_shown });
            let verdict = Verdict::new("echoes_short_message", Status::Failed(failure));
            let failed = Failed { verdict: &verdict, failure: verdict.failure().unwrap() };
            assert_eq!(why_it_never_listens(failed).is_some(), expected);
        }
    }

    #[test]
    fn a_server_that_no_system_call_shows_may_listen_elsewhere() {
        check(true, true);
        check(false, false);
    }

    #[test]
    fn a_host_that_was_not_told_is_not_ignored() {
        let listens = |told_host| ListensOn {
            addresses: vec![SocketAddr::from(([127, 0, 0, 2], 7000))],
            told: SocketAddr::from((LOCALHOST, 7000)),
            told_host,
        };
        for (told_host, expected) in [(true, true), (false, false)] {
            let failure = Failure::default().with(listens(told_host));
            let verdicts = [Verdict::new(CHECK, Status::Failed(failure))];
            let named = diagnose::by(&[&[diagnose::rule!(ignores_address)]], &verdicts);
            assert_eq!(!named.is_empty(), expected);
        }
    }
}

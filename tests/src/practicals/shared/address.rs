//! Where a server listens.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitStatus;

use crate::engine::diagnose::{Failed, Findings};
use crate::engine::kept;
use crate::engine::program::{LOCALHOST, Program, Server};
use crate::engine::running::NeverListened;
use crate::engine::verdict::{Diagnosis, Failure, Outcome};
use crate::engine::wait;
use crate::practicals::shared::AFTERMATH;

/// A fact: it listens on these addresses, which are not only the address from its command line.
#[derive(Debug, PartialEq, Eq)]
struct ListensOn {
    addresses: Vec<SocketAddr>,
    told: SocketAddr,
}

/// The address on the command line is the address: not a constant in the source, not every
/// interface of the machine.
pub(crate) fn listens_on_given_address(server: &Program) -> Outcome {
    let another = Ipv4Addr::new(127, 0, 20, 1);
    let network = server.context.place.network();
    let exists = network.listen(SocketAddr::from((another, 0))).is_ok();
    let is_told = !server.has_declared_address();
    for host in [Some(LOCALHOST), (exists && is_told).then_some(another)].into_iter().flatten() {
        let running = server.launch_on(host)?;

        let _client = running.connect()?;
        wait::settle(&server.context, AFTERMATH, wait::STUCK);
        listens_where_told_only(&running)?;
    }
    Ok(())
}

fn listens_where_told_only(running: &Server) -> Outcome {
    let addresses = match running.tree().listening() {
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
    Err(failure.with(ListensOn { addresses, told: running.told }).into())
}

// ---- the mistakes ----

pub(crate) fn never_listens(findings: &Findings<'_>) -> Option<Diagnosis> {
    let because = findings.all_failed().find_map(why_it_never_listens)?;
    let all = findings.all_failed().filter(|failed| why_it_never_listens(*failed).is_some());
    findings.name("never_listens", because, &all.map(Failed::id).collect::<Vec<_>>())
}

fn why_it_never_listens(failed: Failed<'_>) -> Option<String> {
    /// The error of accept(2) if listen(2) was not called. Other errors may have any cause.
    const NOT_LISTENING: &str = "Invalid argument";
    failed.fact(|NeverListened(status): &NeverListened| match status {
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
    let because = findings.failed(CHECK)?.fact(|ListensOn { addresses, told }| {
        let is_elsewhere = |address: &SocketAddr| {
            let other_host = !address.ip().is_unspecified() && address.ip() != told.ip();
            address.port() != told.port() || other_host
        };
        let elsewhere = addresses.iter().all(is_elsewhere);
        elsewhere.then(|| {
            format!("your server was started with {told}, but listens on {}", addresses[0])
        })
    })?;
    findings.name("ignores_address", because, &[CHECK])
}

pub(crate) fn listens_everywhere(findings: &Findings<'_>) -> Option<Diagnosis> {
    let because = findings.failed(CHECK)?.fact(|ListensOn { addresses, told }| {
        let is_everywhere =
            |address: &&SocketAddr| address.port() == told.port() && address.ip().is_unspecified();
        let everywhere = addresses.iter().find(is_everywhere)?;
        Some(format!("your server was started with {told}, but listens on {everywhere}"))
    })?;
    findings.name("listens_everywhere", because, &[CHECK])
}

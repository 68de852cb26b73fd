//! What names the mistakes of an echo server.

mod endings;
mod messages;
mod replies;
#[cfg(test)]
mod tests;
mod values;

use crate::engine::diagnose::{Failed, Findings, Rule, cause, rule};
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::address::{ignores_address, listens_everywhere, never_listens};
use crate::practicals::shared::echo_server::facts::{ServesMoreInTurn, StopsAfterTheFirst};
use crate::practicals::shared::reports::{misreports_errors, panics_on_error};
use crate::practicals::shared::{FailedAt, OthersBytes, clients};

use endings::*;
pub(crate) use messages::the_end_comes;
use messages::*;
use replies::*;
use values::*;

/// In the order in which a student should hear of them.
pub(crate) const RULES: &[Rule] = &[
    rule!(never_listens),
    rule!(ignores_address),
    rule!(listens_everywhere),
    cause!(reads_into_nothing),
    cause!(accepts_only),
    cause!(replies_late),
    cause!(waits_for_newline),
    cause!(waits_for_end),
    rule!(greets),
    rule!(decorates),
    rule!(adds_newline),
    rule!(sends_whole_buffer),
    rule!(reads_once),
    rule!(stops_at_short_read),
    rule!(drops_after_buffer),
    rule!(text_only),
    rule!(stops_at_nul),
    rule!(trims_whitespace),
    rule!(obeys_words),
    rule!(reads_past_the_end),
    rule!(one_client_ever),
    cause!(ends_after_some_clients),
    cause!(one_client_at_a_time),
    rule!(few_clients),
    rule!(mixes_clients),
    rule!(partial_write),
    rule!(closes_too_early),
    rule!(drops_data_at_end),
    rule!(never_closes),
    rule!(dies_on_empty),
    rule!(dies_on_reset),
    rule!(one_bad_client_stops_all),
    rule!(holds_the_port),
    rule!(spins),
    rule!(panics_on_error),
    rule!(misreports_errors),
];

/// A server that ends by an error when its client leaves may well accept in a loop, and so may one
/// that reads on after its client's end: neither has this name.
fn one_client_ever(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "serves_next_client";
    let failed = findings.failed(check).filter(|failed| failed.has(&FailedAt(2)))?;
    failed.facts::<StopsAfterTheFirst>().next()?;
    let because = match &failed.verdict.ended {
        Some(exit) => format!("your server stopped after its first client disconnected: {exit}"),
        None => {
            let observed = &failed.failure.observed;
            format!("after the first client disconnected, the second client got {observed}")
        }
    };
    findings.name("one_client_ever", because, &[check])
}

fn few_clients(findings: &Findings<'_>) -> Option<Diagnosis> {
    let checks = ["serves_clients_at_once", "keeps_clients_apart", "holds_many_clients"];
    let more_in_turn = |failed: &Failed<'_>| failed.has(&ServesMoreInTurn);
    findings.failed_of(&checks).iter().find(|failed| more_in_turn(failed))?;
    clients::few_clients(findings, &checks)
}

fn mixes_clients(findings: &Findings<'_>) -> Option<Diagnosis> {
    let checks = ["serves_clients_at_once", "keeps_clients_apart"];
    findings.failed_of(&checks).iter().find(|failed| failed.has(&OthersBytes))?;
    let because = "a client received bytes that another client had sent";
    // Whether the others' bytes come between those of one client there is a matter of chance.
    findings.name("mixes_clients", because, &[checks[0], checks[1], "outlasts_slow_reader"])
}

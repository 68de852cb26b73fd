//! What is checked of any server that sends back the bytes that it receives, from outside, over
//! TCP.
//!
//! The register is a list that you can read, in the order of the report. Beside each check stands
//! what is tried after it has failed. A check's doc comment is the misconception that it detects.
//! Which points a check is worth and what it needs is in the rubric.

mod abilities;
mod chunking;
mod clients;
mod close;
mod conversation;
mod departures;
mod exactness;
pub(crate) mod facts;
mod full_buffers;
mod meanings;
mod rules;
mod triggers;
mod which_fail;

use crate::engine::check::{Check, check};
use crate::engine::program::Program;
use crate::engine::shrink::Case;
use crate::engine::verdict::Outcome;
use crate::engine::wait;
use crate::practicals::shared::AFTERMATH;
use crate::practicals::shared::address::listens_on_given_address;
use crate::practicals::shared::reports::{
    reports_address_in_use, reports_bad_arguments, whether_it_ends_anyway,
};

use chunking::*;
use clients::*;
use close::*;
use conversation::how_it_goes_on;
use departures::*;
use exactness::{
    adds_nothing, echoes_message_after_message, echoes_short_message, what_comes_late,
};
use meanings::*;
pub(crate) use rules::{RULES, the_end_comes};
use triggers::what_makes_it_reply;

pub(crate) const CHECKS: &[Check] = &[
    check!(flow, listens_on_given_address, echo_server),
    check!(exactness, echoes_short_message, echo_server, then what_makes_it_reply),
    check!(exactness, echoes_every_byte_value, echo_server, or values_one_by_one),
    check!(exactness, obeys_no_words, echo_server, or words_one_by_one),
    check!(exactness, adds_nothing, echo_server, then what_comes_late),
    check!(exactness, echoes_message_after_message, echo_server, then how_it_goes_on),
    check!(chunking, echoes_every_size, echo_server, or sizes_one_by_one, then which_size_fails),
    check!(chunking, echoes_byte_by_byte, echo_server, then which_pieces_fail),
    check!(chunking, echoes_large_message, echo_server, or large_in_full_buffers, then what_is_lost_of_it),
    check!(
        chunking, outlasts_slow_reader, echo_server,
        or slow_reader_in_short, then whether_one_reader_stops_the_others
    ),
    check!(clients, serves_next_client, echo_server, then why_the_next_is_not_served),
    check!(
        clients, serves_clients_at_once, echo_server,
        or at_once_needs_a_next, then whether_they_wait_for_each_other
    ),
    check!(clients, keeps_clients_apart, echo_server, or apart_one_by_one, then how_few_clients_mix),
    check!(clients, holds_many_clients, echo_server, then whether_it_serves_more_in_turn),
    check!(close, flushes_before_close, echo_server, or flushes_what_it_can, then whether_it_reads_on),
    check!(close, closes_after_client, echo_server, or closes_after_few, then whether_it_reads_on),
    check!(close, survives_empty_connection, echo_server, or survives_one_empty),
    check!(close, survives_reset, echo_server, or survives_one_reset),
    check!(close, restarts_on_same_port, echo_server, then whether_the_port_is_held),
    check!(conduct, rests_when_idle, echo_server, or rests_with_few, then when_it_is_busy),
    check!(conduct, reports_address_in_use, echo_server, then whether_it_ends_anyway),
    check!(conduct, reports_bad_arguments, echo_server),
];

/// One client exchanges its messages in turn, piece by piece.
fn one_client(server: &Program, case: &Case) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    let mut client = running.connect()?;
    let mut number = 0;
    for length in &case.messages {
        for piece in payload.letters(*length).chunks(case.piece) {
            number += 1;
            if number == 2 {
                pause(server);
            }
            client.exchange(piece)?;
        }
    }
    Ok(())
}

/// Gives a server the time to give up that does so where nothing more comes for a moment.
fn pause(server: &Program) {
    wait::settle(&server.context, AFTERMATH, wait::STUCK);
}

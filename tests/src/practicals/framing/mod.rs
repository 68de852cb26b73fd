//! The framing practical: messages with a header that says how long they are.

mod client;
mod header;
mod pieces;
mod rules;
mod server;

use crate::engine::check::Practical;
use crate::engine::payload::Payload;
use crate::engine::verdict::Failure;
use crate::practicals::shared::dialogue::{Dialogue, is_echo};

pub(super) const REGISTER: Practical = Practical {
    name: "framing",
    programs: &["framed_server", "framed_client"],
    checks: &[server::CHECKS, client::CHECKS],
    rules: &[rules::SERVER, rules::CLIENT],
    is_answer: is_echo,
};

/// Returns a message as it travels: a header of two bytes, the length of the body, unsigned and
/// big-endian; then the body.
fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes(), body].concat()
}

/// Each message comes back as it was, with its header.
struct Framed;

impl Dialogue for Framed {
    fn question(&self, payload: &mut Payload, letters: usize) -> Vec<u8> {
        framed(&payload.letters(letters))
    }

    fn answer(&self, question: &[u8]) -> Vec<u8> {
        question.to_vec()
    }
}

/// Says which length a failure is about.
fn of_length(failure: Failure, length: usize) -> Failure {
    let expected = format!("{}, the echo of a body of {length} bytes", failure.expected);
    Failure { expected, smallest_failing_input: Some(length), ..failure }
}

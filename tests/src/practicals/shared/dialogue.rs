//! How the clients of a practical talk to its server.

use crate::engine::payload::Payload;
use crate::engine::peer::Peer;
use crate::engine::verdict::Outcome;

/// What a client asks, and what a right server answers.
pub(crate) trait Dialogue: Sync {
    /// Makes a question with this many letters in it.
    fn question(&self, payload: &mut Payload, letters: usize) -> Vec<u8>;

    /// Returns the answer of a right server.
    fn answer(&self, question: &[u8]) -> Vec<u8>;

    /// Asks a question with this many letters in it, and expects the answer.
    fn ask(&self, client: &mut Peer, payload: &mut Payload, letters: usize) -> Outcome {
        let question = self.question(payload, letters);
        client.ask(&question, &self.answer(&question))
    }
}

/// A server answers each message with the same bytes.
#[derive(Debug)]
pub(crate) struct Echo;

impl Dialogue for Echo {
    fn question(&self, payload: &mut Payload, letters: usize) -> Vec<u8> {
        payload.letters(letters)
    }

    fn answer(&self, question: &[u8]) -> Vec<u8> {
        question.to_vec()
    }
}

/// Returns whether what came back is what was sent.
pub(crate) fn is_echo(sent: &[u8], came: &[u8]) -> bool {
    sent == came
}

impl Peer {
    /// Sends a message and expects it back, with nothing else meanwhile.
    pub(crate) fn exchange(&mut self, message: &[u8]) -> Outcome {
        self.ask(message, message)
    }
}

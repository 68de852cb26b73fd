//! What the programs in `bin` share: a correct server and a correct client, cut into steps. A
//! mistake is a program that replaces one of these steps, so its file shows little else.

pub mod client;
pub mod server;

use std::io::{self, ErrorKind};

/// Returns whether an error means "not now": then the selector reports when to try again.
pub fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

//! What the programs in `bin` share: a right server and a right client, cut into steps. A mistake
//! is a program that takes one of these steps otherwise, so its file shows little else.

pub mod client;
pub mod server;

use std::io::{self, ErrorKind};

/// Not now: the selector will say when.
pub fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

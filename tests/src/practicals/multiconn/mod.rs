//! The multiconn practical: one thread for many connections, on both sides.

mod client;
mod idle;
mod one_thread;
mod rules;
mod server;

use crate::engine::check::{Check, Practical};
use crate::practicals::shared::dialogue::is_echo;
use crate::practicals::shared::echo_server;

pub(super) const REGISTER: Practical = Practical {
    name: "multiconn",
    programs: &["multiconn_server", "multiconn_client"],
    checks: &[&AS_ECHO, server::CHECKS, client::CHECKS],
    rules: &[rules::SERVER, echo_server::RULES, rules::CLIENT],
    is_answer: is_echo,
};

/// The server is an echo server, too: the same functions.
const AS_ECHO: [Check; echo_server::CHECKS.len()] =
    Check::of_another_program(echo_server::CHECKS, &["multiconn_server"]);

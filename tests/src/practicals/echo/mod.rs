//! The echo practical: a server that sends back what it receives, and its client.

mod client;
mod client_causes;
mod client_rules;

use crate::engine::check::Practical;
use crate::practicals::shared::dialogue::is_echo;
use crate::practicals::shared::echo_server;

pub(super) const REGISTER: Practical = Practical {
    name: "echo",
    programs: &["echo_server", "echo_client"],
    checks: &[echo_server::CHECKS, client::CHECKS],
    rules: &[echo_server::RULES, client_rules::RULES],
    is_answer: is_echo,
};

//! The echo practical: a server that sends back what it receives, and its client.

pub(crate) mod client;
pub(crate) mod server;

use crate::engine::check::Practical;

pub(crate) const REGISTER: Practical = Practical {
    name: "echo",
    programs: &["echo_server", "echo_client"],
    checks: &[server::CHECKS, client::CHECKS],
    rules: &[server::mistakes::RULES, client::mistakes::RULES],
};

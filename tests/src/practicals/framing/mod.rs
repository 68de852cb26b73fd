//! The framing practical: messages with a header that says how long they are.

mod client;
mod server;

use crate::engine::check::Practical;

pub(crate) const REGISTER: Practical = Practical {
    name: "framing",
    programs: &["framed_server", "framed_client"],
    checks: &[server::CHECKS, client::CHECKS],
    rules: &[server::mistakes::RULES, client::mistakes::RULES],
};

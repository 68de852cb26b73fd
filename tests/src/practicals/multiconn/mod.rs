//! The multiconn practical: one thread for many connections, on both sides.

mod client;
mod server;

use crate::engine::check::Practical;
use crate::practicals::echo;

pub(crate) const REGISTER: Practical = Practical {
    name: "multiconn",
    programs: &["multiconn_server", "multiconn_client"],
    checks: &[&server::AS_ECHO, server::CHECKS, client::CHECKS],
    rules: &[server::mistakes::RULES, echo::server::mistakes::RULES, client::mistakes::RULES],
};

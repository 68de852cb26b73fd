//! The multiconn practical: one thread for many connections, on both sides.

mod client;
mod idle;
mod rules;
mod server;

use crate::engine::check::{Check, Practical};
use crate::engine::verdict::{Failure, Outcome};
use crate::observe::ProcessTree;
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

/// A fact: this many threads ran.
#[derive(Debug, PartialEq, Eq)]
struct Threads(usize);

/// The program is a single thread at this moment.
fn is_one_thread(tree: ProcessTree, when: &str) -> Outcome {
    let is_more = |processes: usize, threads: usize| processes > 1 || threads > 1;
    let Some(tasks) = tree.tasks().filter(|tasks| is_more(tasks.processes, tasks.threads)) else {
        return Ok(());
    };
    let threads = format!("{} threads", tasks.threads);
    let observed = match tasks.processes {
        0 | 1 => threads,
        processes => format!("{processes} processes with {threads}"),
    };
    let failure = Failure::new(format!("one process with one thread {when}"), observed);
    Err(failure.with(Threads(tasks.threads)).into())
}

//! What programs were blocked in when a check gave up a wait for them, as one sentence without a
//! full stop. The facts are the suite's; the words are the same on every system.

#[cfg(test)]
mod tests;

use std::time::Duration;

use suite::{
    Blocked, CANNOT_SEE, ConnectionState, PendingClient, ProgramState, Role, Status, SystemCall,
    ThreadState, Verdict, WaitsFor,
};

use crate::grade::Grading;

/// The number of clients, or of kinds of waiting, that are named one by one.
const NAMED: usize = 3;

/// What the programs of a check were blocked in.
pub(super) fn sentence(verdict: &Verdict) -> Option<String> {
    match verdict.blocked.as_ref()? {
        Blocked::At(programs) => Some(all_programs(programs)),
        Blocked::CannotSee => None,
    }
}

/// Why no failure tells what its programs were blocked in, as a full sentence.
pub(super) fn unseen(grading: &Grading) -> Option<String> {
    let is_unseen = |verdict: &Verdict| {
        verdict.blocked == Some(Blocked::CannotSee) && matches!(verdict.status, Status::Failed(_))
    };
    grading
        .rows
        .iter()
        .any(|row| is_unseen(&row.verdict))
        .then(|| format!("This report cannot show where a program was stuck: {CANNOT_SEE}."))
}

fn all_programs(programs: &[ProgramState]) -> String {
    match programs {
        [one] => program(one),
        several => {
            let named = several.iter().map(|one| format!("{}: {}", one.program, program(one)));
            named.collect::<Vec<_>>().join("; ")
        }
    }
}

fn program(facts: &ProgramState) -> String {
    let threads = match facts.threads.as_slice() {
        [only] if facts.further == 0 => only_thread(facts, only),
        _ => several_threads(facts),
    };
    threads + &meanwhile(facts) + &still_open(facts)
}

fn only_thread(facts: &ProgramState, thread: &ThreadState) -> String {
    match thread {
        ThreadState::Running => {
            format!("running: it has used {} of processor time", time(facts.cpu_time))
        }
        ThreadState::Stopped => "stopped by a signal".to_owned(),
        ThreadState::Waits(call) => only_call(facts, call),
    }
}

fn only_call(facts: &ProgramState, call: &SystemCall) -> String {
    let SystemCall { name, waits_for, has_timeout } = call;
    let verb = match has_timeout {
        true => format!("in {name} (with a time limit)"),
        false => format!("blocked in {name}"),
    };
    match waits_for {
        WaitsFor::Time => format!("asleep in {name}"),
        WaitsFor::OtherThread if !has_timeout => {
            format!("waiting in {name}: for another thread, or for a lock")
        }
        WaitsFor::Child => format!("in {name}: for a child process"),
        WaitsFor::Connection(role) => verb + &waits_on(waits_for, 1) + &unread_beside(facts, role),
        _ => verb + &waits_on(waits_for, 1),
    }
}

/// The unread bytes of the connection on which the only thread waits.
fn unread_beside(facts: &ProgramState, with: &Role) -> String {
    let connection = facts.connections.iter().find(|one| one.with == *with);
    match connection.filter(|one| one.unread > 0 || *with == Role::Server) {
        Some(one) if one.unacknowledged > 0 => {
            format!(
                ", with {} unread and {} more on the way",
                bytes(one.unread),
                one.unacknowledged
            )
        }
        Some(one) => format!(", with {} unread", bytes(one.unread)),
        None => String::new(),
    }
}

/// Threads that do the same make one group, and the groups that tell most come first.
fn several_threads(facts: &ProgramState) -> String {
    let groups = groups(&facts.threads);
    let mut said: Vec<String> = match groups.as_slice() {
        [only] if facts.further == 0 => {
            let all = if only.len() == 2 { "both" } else { "all" };
            vec![format!("{all} {}", group(facts, only))]
        }
        _ => {
            let first = groups.iter().take(NAMED);
            first.map(|one| format!("{} {}", number(one.len()), group(facts, one))).collect()
        }
    };
    let more = groups.iter().skip(NAMED).map(Vec::len).sum::<usize>() + facts.further;
    if more > 0 {
        said.push(format!("and {more} more"));
    }
    let all = facts.threads.len() + facts.further;
    let whose = match facts.processes {
        0 | 1 => "threads".to_owned(),
        processes if processes == all => "processes".to_owned(),
        processes => format!("threads in {processes} processes"),
    };
    format!("{all} {whose}: {}", said.join(", "))
}

fn groups(threads: &[ThreadState]) -> Vec<Vec<&ThreadState>> {
    let mut groups: Vec<Vec<&ThreadState>> = Vec::new();
    for thread in threads {
        match groups.iter_mut().find(|group| do_the_same(group[0], thread)) {
            Some(group) => group.push(thread),
            None => groups.push(vec![thread]),
        }
    }
    groups.sort_by_key(|group| rank(group[0]));
    groups
}

/// Whether two threads do the same, if not for the same client.
fn do_the_same(one: &ThreadState, other: &ThreadState) -> bool {
    let serves =
        |call: &SystemCall| matches!(call.waits_for, WaitsFor::Connection(Role::Client(_)));
    match (call_of(one), call_of(other)) {
        (Some(one), Some(other)) if serves(one) && serves(other) => {
            (&one.name, one.has_timeout) == (&other.name, other.has_timeout)
        }
        _ => one == other,
    }
}

/// The lower, the more a thread tells.
fn rank(thread: &ThreadState) -> u8 {
    match call_of(thread).map(|call| &call.waits_for) {
        None => 0,
        Some(WaitsFor::Listener) => 1,
        Some(WaitsFor::Connection(_) | WaitsFor::ConnectionTo(_)) => 2,
        Some(WaitsFor::Descriptors(_)) => 3,
        Some(WaitsFor::Child) => 5,
        Some(WaitsFor::Time) => 6,
        Some(WaitsFor::OtherThread) => 7,
        Some(_) => 4,
    }
}

fn group(facts: &ProgramState, threads: &[&ThreadState]) -> String {
    match threads[0] {
        ThreadState::Running => {
            format!("running ({} of processor time used)", time(facts.cpu_time))
        }
        ThreadState::Stopped => "stopped by a signal".to_owned(),
        ThreadState::Waits(call) => {
            let asleep = if call.waits_for == WaitsFor::Time { "asleep " } else { "" };
            let limit = if call.has_timeout { " (with a time limit)" } else { "" };
            let on = match call.waits_for {
                WaitsFor::Connection(Role::Client(_)) => {
                    on_connections_of(&clients_of(facts, threads))
                }
                _ => waits_on(&call.waits_for, threads.len()),
            };
            format!("{asleep}in {}{limit}{on}", call.name)
        }
    }
}

/// The clients that these threads serve, in the order of their connections.
fn clients_of<'a>(facts: &ProgramState, threads: &[&'a ThreadState]) -> Vec<&'a str> {
    let place = |with: &Role| facts.connections.iter().position(|one| one.with == *with);
    let mut served: Vec<&Role> =
        threads.iter().copied().filter_map(|thread| connection_of(thread)).collect();
    served.sort_by_key(|with| place(with).unwrap_or(usize::MAX));
    served.into_iter().filter_map(client).collect()
}

/// What the program leaves waiting.
fn meanwhile(facts: &ProgramState) -> String {
    let told = match facts.threads.as_slice() {
        [only] => connection_of(only), // `unread_beside` has told of its bytes
        _ => None,
    };
    let unread = facts.connections.iter().filter(|one| one.unread > 0 && Some(&one.with) != told);
    let said = [unread_words(&unread.collect::<Vec<_>>()), pending_words(&facts.pending)];
    let said: Vec<String> = said.into_iter().filter(|words| !words.is_empty()).collect();
    match said.as_slice() {
        [] if has_event_loop(facts) && !facts.connections.is_empty() => {
            "; no bytes are unread".to_owned()
        }
        [] => String::new(),
        said => format!(", while {}", said.join(" and ")),
    }
}

fn has_event_loop(facts: &ProgramState) -> bool {
    let mut calls = facts.threads.iter().filter_map(call_of);
    calls.any(|call| matches!(call.waits_for, WaitsFor::Descriptors(_)))
}

/// Connections that no thread is busy with, where their client has ended its side or every thread
/// waits for the next client.
fn still_open(facts: &ProgramState) -> String {
    let is_busy =
        |with: &Role| facts.threads.iter().any(|thread| connection_of(thread) == Some(with));
    let clients = |ended: bool| -> Vec<&str> {
        let idle = facts.connections.iter().filter(|one| one.unread == 0 && !is_busy(&one.with));
        idle.filter(|one| one.ended == ended).filter_map(|one| client(&one.with)).collect()
    };
    let (ended, open) = (clients(true), clients(false));
    let accepts = |thread| call_of(thread).is_some_and(|call| call.waits_for == WaitsFor::Listener);
    let only_accepts = facts.further == 0 && facts.threads.iter().all(accepts);
    match (ended.len(), open.len()) {
        (0, 1..) if only_accepts => are_open(&open),
        (0, _) => String::new(),
        (1, _) => are_open(&ended) + ", although that client has ended its side",
        _ => are_open(&ended) + ", although they have ended their sides",
    }
}

fn are_open(clients: &[&str]) -> String {
    let are = if clients.len() == 1 { "is" } else { "are" };
    format!("; the {} {are} still open", connections_of(clients))
}

fn call_of(thread: &ThreadState) -> Option<&SystemCall> {
    match thread {
        ThreadState::Waits(call) => Some(call),
        ThreadState::Running | ThreadState::Stopped => None,
    }
}

/// The harness's part in the connection on which a thread waits.
fn connection_of(thread: &ThreadState) -> Option<&Role> {
    match &call_of(thread)?.waits_for {
        WaitsFor::Connection(role) => Some(role),
        _ => None,
    }
}

fn client(role: &Role) -> Option<&str> {
    match role {
        Role::Client(name) => Some(name),
        Role::Server => None,
    }
}

/// What a number of threads wait for, with a space before it.
fn waits_on(waits_for: &WaitsFor, threads: usize) -> String {
    let its = if threads == 1 { "its" } else { "their" };
    match waits_for {
        WaitsFor::Listener => format!(" on {its} listening socket"),
        WaitsFor::Connection(Role::Server) => format!(" on {its} connection to the server"),
        WaitsFor::Connection(Role::Client(client)) => on_connections_of(&[client]),
        WaitsFor::ConnectionTo(address) => format!(" on {its} connection to {address}"),
        WaitsFor::Descriptors(Some(1)) => " on 1 descriptor".to_owned(),
        WaitsFor::Descriptors(Some(count)) => format!(" on {count} descriptors"),
        WaitsFor::StandardInput => " on standard input".to_owned(),
        WaitsFor::StandardOutput => " on standard output".to_owned(),
        WaitsFor::StandardError => " on standard error".to_owned(),
        WaitsFor::Socket => " on a socket".to_owned(),
        WaitsFor::UnconnectedSocket => " on a socket without a connection".to_owned(),
        WaitsFor::Pipe => " on a pipe".to_owned(),
        WaitsFor::Anonymous(kind) => format!(" on a descriptor of the kind {kind}"),
        WaitsFor::File(path) => format!(" on {path}"),
        WaitsFor::Descriptors(None)
        | WaitsFor::Child
        | WaitsFor::OtherThread
        | WaitsFor::Time
        | WaitsFor::Itself => String::new(),
    }
}

fn on_connections_of(clients: &[&str]) -> String {
    format!(" on the {}", connections_of(clients))
}

fn connections_of(clients: &[&str]) -> String {
    let connections = if clients.len() == 1 { "connection" } else { "connections" };
    format!("{connections} of {}", names(clients))
}

fn unread_words(connections: &[&ConnectionState]) -> String {
    let is_ignored = |one: &&ConnectionState| one.watched == Some(false);
    let ignored = match connections {
        [one] if is_ignored(one) => " on a connection that it does not watch",
        several if several.iter().all(is_ignored) => " on connections that it does not watch",
        _ => "",
    };
    match connections {
        [] => String::new(),
        [one] => {
            let from = match &one.with {
                Role::Client(name) => format!("client {name}"),
                Role::Server => "the server".to_owned(),
            };
            let are = if one.unread == 1 { "is" } else { "are" };
            let more = match one.unacknowledged {
                0 => String::new(),
                more => format!(", and {more} more are on the way"),
            };
            format!("{} from {from} {are} unread{ignored}{more}", bytes(one.unread))
        }
        several => {
            let clients: Vec<&str> = several.iter().filter_map(|one| client(&one.with)).collect();
            let total = several.iter().map(|one| one.unread).sum();
            format!("{} from {} are unread{ignored}", bytes(total), names(&clients))
        }
    }
}

fn pending_words(pending: &[PendingClient]) -> String {
    let clients: Vec<&str> = pending.iter().map(|one| one.client.as_str()).collect();
    let wait = if clients.len() == 1 { "waits" } else { "wait" };
    match pending.iter().map(|one| one.unread).sum() {
        _ if clients.is_empty() => String::new(),
        0 => format!("{} {wait} to be accepted", names(&clients)),
        total => {
            format!("{}, with {} unread, {wait} to be accepted", names(&clients), bytes(total))
        }
    }
}

/// `client a`, `clients a and b`, `clients a, b, c and 7 more`.
fn names(clients: &[&str]) -> String {
    match clients {
        [one] => format!("client {one}"),
        _ if clients.len() <= NAMED + 1 => {
            let (last, others) = clients.split_last().unwrap_or((&"", &[]));
            format!("clients {} and {last}", others.join(", "))
        }
        _ => format!("clients {} and {} more", clients[..NAMED].join(", "), clients.len() - NAMED),
    }
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// A number, as a word up to ten.
fn number(number: usize) -> String {
    const WORDS: [&str; 10] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let word = number.checked_sub(1).and_then(|at| WORDS.get(at));
    word.map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

fn time(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

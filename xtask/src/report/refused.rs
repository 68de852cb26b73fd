//! What the confinement has refused, in a sentence: a right program may want it, and must not look
//! for its own mistake.

use suite::Verdict;

/// What a program can use instead of a call.
const INSTEAD: &[(&str, &str)] = &[
    ("io_uring_setup", "use epoll"),
    ("memfd_create", "use a file in /tmp"),
    ("shmget", "share memory between threads, or map a file of /dev/shm"),
    ("semget", "use the semaphores of your language"),
    ("msgget", "use a pipe"),
    ("mq_open", "use a pipe"),
    ("sched_setscheduler", "leave the scheduling as it is"),
    ("socket(AF_UNIX)", "use TCP"),
    ("socket(AF_NETLINK)", "do without the list of interfaces"),
    ("socket(SOCK_DGRAM)", "use TCP alone"),
    ("socket(SOCK_RAW)", "use a stream socket"),
    ("socket(AF_PACKET)", "use a stream socket"),
];

/// Returns a sentence about the refused calls of a check's programs, if there are any.
pub(super) fn sentence(verdict: &Verdict) -> Option<String> {
    let said = match verdict.refused.as_slice() {
        [] => return None,
        [call] => format!("{call}; {}", instead_of(call).unwrap_or("do without")),
        calls => calls.iter().map(|call| with_way_out(call)).collect::<Vec<_>>().join(", "),
    };
    Some(format!("the confinement refuses {said}"))
}

fn with_way_out(call: &str) -> String {
    instead_of(call).map_or(call.to_owned(), |instead| format!("{call} ({instead})"))
}

fn instead_of(call: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(refused, _)| *refused == call).map(|(_, instead)| *instead)
}

#[cfg(test)]
mod tests {
    use suite::Status;

    use super::*;

    #[track_caller]
    fn check(refused: &[&str], says: Option<&str>) {
        let refused = refused.iter().map(|call| (*call).to_owned()).collect();
        let verdict = Verdict { refused, ..Verdict::new("a_check", Status::Unbuilt) };
        assert_eq!(sentence(&verdict).as_deref(), says);
    }

    #[test]
    fn a_refused_call_is_said_with_what_to_use_instead() {
        check(&[], None);
        let says = "the confinement refuses io_uring_setup; use epoll";
        check(&["io_uring_setup"], Some(says));
        check(&["bpf"], Some("the confinement refuses bpf; do without"));
        let says = "the confinement refuses bpf, msgget (use a pipe)";
        check(&["bpf", "msgget"], Some(says));
    }
}

use super::*;

fn call(name: &str, waits_for: WaitsFor) -> ThreadState {
    ThreadState::Waits(SystemCall { name: name.to_owned(), waits_for, has_timeout: false })
}

fn with_timeout(name: &str, waits_for: WaitsFor) -> ThreadState {
    ThreadState::Waits(SystemCall { name: name.to_owned(), waits_for, has_timeout: true })
}

fn client(name: &str) -> Role {
    Role::Client(name.to_owned())
}

fn receives(name: &str) -> ThreadState {
    call("recvfrom", WaitsFor::Connection(client(name)))
}

fn connection(with: Role, unread: usize) -> ConnectionState {
    ConnectionState { with, unread, unacknowledged: 0, ended: false, watched: None }
}

fn pending(client: &str, unread: usize) -> PendingClient {
    PendingClient { client: client.to_owned(), unread }
}

/// It holds the connections on which its threads wait.
fn program(threads: Vec<ThreadState>) -> ProgramState {
    let connections =
        threads.iter().filter_map(connection_of).map(|with| connection(with.clone(), 0));
    ProgramState {
        processes: 1,
        connections: connections.collect(),
        threads,
        ..ProgramState::default()
    }
}

#[track_caller]
fn check(facts: ProgramState, sentence: &str) {
    assert_eq!(all_programs(&[facts]), sentence);
}

#[test]
fn one_thread_says_what_it_waits_for() {
    check(
        program(vec![call("read", WaitsFor::StandardInput)]),
        "blocked in read on standard input",
    );
    check(program(vec![call("clock_nanosleep", WaitsFor::Time)]), "asleep in clock_nanosleep");
    check(program(vec![call("wait4", WaitsFor::Child)]), "in wait4: for a child process");
    check(
        program(vec![call("futex", WaitsFor::OtherThread)]),
        "waiting in futex: for another thread, or for a lock",
    );
    check(program(vec![call("pause", WaitsFor::Itself)]), "blocked in pause");
    check(program(vec![call("read", WaitsFor::Pipe)]), "blocked in read on a pipe");
    check(
        program(vec![with_timeout("poll", WaitsFor::Connection(client("a")))]),
        "in poll (with a time limit) on the connection of client a",
    );
}

#[test]
fn a_program_that_runs_says_for_how_long() {
    let running = |millis| ProgramState {
        cpu_time: Duration::from_millis(millis),
        ..program(vec![ThreadState::Running])
    };
    check(running(1234), "running: it has used 1.2 s of processor time");
    check(running(340), "running: it has used 340 ms of processor time");
}

#[test]
fn clients_that_wait_to_be_accepted_are_told() {
    let facts = |pending| ProgramState {
        pending,
        connections: vec![connection(client("a"), 0)],
        ..program(vec![receives("a")])
    };
    check(
        facts(vec![pending("b", 2)]),
        "blocked in recvfrom on the connection of client a, while client b, with 2 bytes unread, waits to be accepted",
    );
    check(
        facts(vec![pending("b", 0)]),
        "blocked in recvfrom on the connection of client a, while client b waits to be accepted",
    );
    check(
        facts(vec![pending("b", 2), pending("c", 0)]),
        "blocked in recvfrom on the connection of client a, while clients b and c, with 2 bytes unread, wait to be accepted",
    );
}

#[test]
fn an_idle_connection_that_is_still_open_is_told() {
    let accepts = |connections| ProgramState {
        connections,
        ..program(vec![call("accept4", WaitsFor::Listener)])
    };
    check(
        accepts(vec![connection(client("a"), 0)]),
        "blocked in accept4 on its listening socket; the connection of client a is still open",
    );
    check(
        accepts(vec![connection(client("a"), 12), connection(client("b"), 0)]),
        "blocked in accept4 on its listening socket, while 12 bytes from client a are unread; the connection of client b is still open",
    );
    let ended = |name| ConnectionState { ended: true, ..connection(client(name), 0) };
    check(
        accepts(vec![ended("a")]),
        "blocked in accept4 on its listening socket; the connection of client a is still open, although that client has ended its side",
    );
    check(
        accepts(vec![ended("a"), ended("b")]),
        "blocked in accept4 on its listening socket; the connections of clients a and b are still open, although they have ended their sides",
    );
}

#[test]
fn an_event_loop_says_what_it_leaves_unread() {
    let watched = |watched| ProgramState {
        connections: vec![ConnectionState { watched: Some(watched), ..connection(client("a"), 5) }],
        ..program(vec![call("epoll_wait", WaitsFor::Descriptors(Some(3)))])
    };
    check(
        watched(true),
        "blocked in epoll_wait on 3 descriptors, while 5 bytes from client a are unread",
    );
    let read = ProgramState { connections: vec![connection(client("a"), 0)], ..watched(true) };
    check(read, "blocked in epoll_wait on 3 descriptors; no bytes are unread");
    check(
        watched(false),
        "blocked in epoll_wait on 3 descriptors, while 5 bytes from client a are unread on a connection that it does not watch",
    );
}

#[test]
fn a_client_has_a_connection_to_the_server() {
    let receives = call("recvfrom", WaitsFor::Connection(Role::Server));
    let facts =
        ProgramState { connections: vec![connection(Role::Server, 0)], ..program(vec![receives]) };
    check(facts, "blocked in recvfrom on its connection to the server, with 0 bytes unread");
}

#[test]
fn bytes_that_find_no_room_are_told() {
    let sends = call("sendto", WaitsFor::Connection(client("a")));
    let full = ConnectionState { unacknowledged: 500, ..connection(client("a"), 1000) };
    check(
        ProgramState { connections: vec![full], ..program(vec![sends]) },
        "blocked in sendto on the connection of client a, with 1000 bytes unread and 500 more on the way",
    );
}

#[test]
fn several_threads_are_one_sentence() {
    check(
        program(vec![call("accept4", WaitsFor::Listener), receives("a"), receives("b")]),
        "3 threads: one in accept4 on its listening socket, two in recvfrom on the connections of clients a and b",
    );
    check(
        program(vec![call("futex", WaitsFor::OtherThread), ThreadState::Running]),
        "2 threads: one running (0 ms of processor time used), one in futex",
    );
    check(
        program(vec![receives("a"), receives("b")]),
        "2 threads: both in recvfrom on the connections of clients a and b",
    );
    check(
        ProgramState {
            processes: 2,
            ..program(vec![call("wait4", WaitsFor::Child), receives("a")])
        },
        "2 processes: one in recvfrom on the connection of client a, one in wait4",
    );
}

#[test]
fn hundreds_of_threads_stay_one_line() {
    let names: Vec<String> = (0..500).map(|number| format!("c{number}")).collect();
    let mut threads = vec![call("accept4", WaitsFor::Listener)];
    threads.extend(names.iter().map(|name| receives(name)));
    check(
        ProgramState { further: 7, ..program(threads) },
        "508 threads: one in accept4 on its listening socket, 500 in recvfrom on the connections of clients c0, c1, c2 and 497 more, and 7 more",
    );
}

#[test]
fn two_programs_are_called_by_their_names() {
    let named = |program: &str, threads| ProgramState {
        program: program.to_owned(),
        ..self::program(threads)
    };
    let client = named(
        "echo_client",
        vec![call("recvfrom", WaitsFor::ConnectionTo("127.0.0.1:7000".parse().unwrap()))],
    );
    let server = named("echo_server", vec![call("accept4", WaitsFor::Listener)]);
    assert_eq!(
        all_programs(&[client, server]),
        "echo_client: blocked in recvfrom on its connection to 127.0.0.1:7000; echo_server: blocked in accept4 on its listening socket"
    );
}

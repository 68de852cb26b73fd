use super::*;

fn call(name: &str, on: On) -> Thread {
    Thread::Waits(Call { name: name.to_owned(), on, limited: false })
}

fn limited(name: &str, on: On) -> Thread {
    Thread::Waits(Call { name: name.to_owned(), on, limited: true })
}

fn client(name: &str) -> Who {
    Who::Client(name.to_owned())
}

fn receives(name: &str) -> Thread {
    call("recvfrom", On::Connection(client(name)))
}

fn connection(with: Who, unread: usize) -> Connection {
    Connection { with, unread, on_the_way: 0, ended: false, watched: None }
}

fn waiting(client: &str, unread: usize) -> Waiting {
    Waiting { client: client.to_owned(), unread }
}

/// It holds the connections on which its threads wait.
fn program(threads: Vec<Thread>) -> ProgramState {
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
    check(program(vec![call("read", On::StandardInput)]), "blocked in read on standard input");
    check(program(vec![call("clock_nanosleep", On::Time)]), "asleep in clock_nanosleep");
    check(program(vec![call("wait4", On::Child)]), "waiting in wait4 for a child process");
    check(
        program(vec![call("futex", On::OtherThread)]),
        "waiting in futex for another thread or a lock",
    );
    check(program(vec![call("pause", On::Itself)]), "blocked in pause");
    check(program(vec![call("read", On::Pipe)]), "blocked in read on a pipe");
    check(
        program(vec![limited("poll", On::Connection(client("a")))]),
        "in poll (with a time limit) on the connection of client a",
    );
}

#[test]
fn a_program_that_runs_says_for_how_long() {
    let running = |millis| ProgramState {
        processor_time: Duration::from_millis(millis),
        ..program(vec![Thread::Running])
    };
    check(running(1234), "running: it has used 1.2 s of processor time");
    check(running(340), "running: it has used 340 ms of processor time");
}

#[test]
fn clients_that_wait_to_be_accepted_are_told() {
    let facts = |waiting| ProgramState {
        waiting,
        connections: vec![connection(client("a"), 0)],
        ..program(vec![receives("a")])
    };
    check(
        facts(vec![waiting("b", 2)]),
        "blocked in recvfrom on the connection of client a, while client b, with 2 bytes unread, waits to be accepted",
    );
    check(
        facts(vec![waiting("b", 0)]),
        "blocked in recvfrom on the connection of client a, while client b waits to be accepted",
    );
    check(
        facts(vec![waiting("b", 2), waiting("c", 0)]),
        "blocked in recvfrom on the connection of client a, while clients b and c, with 2 bytes unread, wait to be accepted",
    );
}

#[test]
fn an_idle_connection_that_is_still_open_is_told() {
    let accepts =
        |connections| ProgramState { connections, ..program(vec![call("accept4", On::Listener)]) };
    check(
        accepts(vec![connection(client("a"), 0)]),
        "blocked in accept4 on its listening socket; the connection of client a is still open",
    );
    check(
        accepts(vec![connection(client("a"), 12), connection(client("b"), 0)]),
        "blocked in accept4 on its listening socket, while 12 bytes from client a are unread; the connection of client b is still open",
    );
    let ended = |name| Connection { ended: true, ..connection(client(name), 0) };
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
        connections: vec![Connection { watched: Some(watched), ..connection(client("a"), 5) }],
        ..program(vec![call("epoll_wait", On::Descriptors(Some(3)))])
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
    let receives = call("recvfrom", On::Connection(Who::Server));
    let facts =
        ProgramState { connections: vec![connection(Who::Server, 0)], ..program(vec![receives]) };
    check(facts, "blocked in recvfrom on its connection to the server, with 0 bytes unread");
}

#[test]
fn bytes_that_find_no_room_are_told() {
    let sends = call("sendto", On::Connection(client("a")));
    let full = Connection { on_the_way: 500, ..connection(client("a"), 1000) };
    check(
        ProgramState { connections: vec![full], ..program(vec![sends]) },
        "blocked in sendto on the connection of client a, with 1000 bytes unread and 500 more on the way",
    );
}

#[test]
fn several_threads_are_one_sentence() {
    check(
        program(vec![call("accept4", On::Listener), receives("a"), receives("b")]),
        "3 threads: one in accept4 on its listening socket, two in recvfrom on the connections of clients a and b",
    );
    check(
        program(vec![call("futex", On::OtherThread), Thread::Running]),
        "2 threads: one running (0 ms of processor time used), one in futex",
    );
    check(
        program(vec![receives("a"), receives("b")]),
        "2 threads: both in recvfrom on the connections of clients a and b",
    );
    check(
        ProgramState { processes: 2, ..program(vec![call("wait4", On::Child), receives("a")]) },
        "2 processes: one in recvfrom on the connection of client a, one in wait4",
    );
}

#[test]
fn hundreds_of_threads_stay_one_line() {
    let names: Vec<String> = (0..500).map(|number| format!("c{number}")).collect();
    let mut threads = vec![call("accept4", On::Listener)];
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
        vec![call("recvfrom", On::ConnectionTo("127.0.0.1:7000".parse().unwrap()))],
    );
    let server = named("echo_server", vec![call("accept4", On::Listener)]);
    assert_eq!(
        all_programs(&[client, server]),
        "echo_client: blocked in recvfrom on its connection to 127.0.0.1:7000; echo_server: blocked in accept4 on its listening socket"
    );
}

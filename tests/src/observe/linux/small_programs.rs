//! The proof of a standstill against small programs in C: what may yet be woken by something that
//! no system call's arguments show is never called stuck.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::super::facts::{Call, On, Thread};
use super::tests::soon;
use super::*;

/// One program for each word; each says so when it is about to wait.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const char *mode;
static int is(const char *word) { return strcmp(mode, word) == 0; }
static void ready(void) { puts("ready"); fflush(stdout); }
static void woken(int signal) { (void)signal; }

static int listener(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bind(fd, (struct sockaddr *)&address, sizeof address);
    listen(fd, 5);
    return fd;
}

// Its other end said one byte, or nothing.
static int connection(int says) {
    int listening = listener();
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    getsockname(listening, (struct sockaddr *)&address, &length);
    int other = socket(AF_INET, SOCK_STREAM, 0);
    connect(other, (struct sockaddr *)&address, length);
    if (says) send(other, "x", 1, 0);
    return accept(listening, NULL, NULL);
}

static int pair(int with_timeout) {
    static int fds[2];
    struct timeval later = {60, 0};
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    if (with_timeout) setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &later, sizeof later);
    return fds[0];
}

static void *work(void *leader) {
    char byte;
    pthread_join(*(pthread_t *)leader, NULL);
    int fd = is("zombie_leader_accepts") ? listener() : pair(is("zombie_leader_times_out"));
    ready();
    if (is("zombie_leader_accepts")) accept(fd, NULL, NULL);
    recv(fd, &byte, 1, 0);
    return NULL;
}

int main(int argc, char **argv) {
    char byte;
    sigset_t signals;
    struct itimerspec later = {.it_value = {60, 0}};
    mode = argc > 1 ? argv[1] : "";
    sigemptyset(&signals);
    sigaddset(&signals, SIGALRM);
    if (strncmp(mode, "zombie_leader", 13) == 0) {
        static pthread_t leader, thread;
        leader = pthread_self();
        pthread_create(&thread, NULL, work, &leader);
        pthread_exit(NULL);
    }
    if (is("sigwait")) {
        int number;
        sigprocmask(SIG_BLOCK, &signals, NULL);
        alarm(60);
        ready();
        sigwait(&signals, &number);
    } else if (is("signalfd")) {
        sigprocmask(SIG_BLOCK, &signals, NULL);
        struct signalfd_siginfo came;
        int fd = signalfd(-1, &signals, 0);
        alarm(60);
        ready();
        return read(fd, &came, sizeof came);
    } else if (is("timerfd")) {
        uint64_t times;
        int fd = timerfd_create(CLOCK_MONOTONIC, 0);
        timerfd_settime(fd, 0, &later, NULL);
        ready();
        return read(fd, &times, sizeof times);
    } else if (is("timerfd_in_epoll")) {
        int fd = timerfd_create(CLOCK_MONOTONIC, 0), loop = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN};
        timerfd_settime(fd, 0, &later, NULL);
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
        ready();
        epoll_wait(loop, &event, 1, -1);
    } else if (is("alarm")) {
        struct sigaction action = {.sa_handler = woken};
        sigaction(SIGALRM, &action, NULL);
        alarm(60);
        ready();
        return recv(pair(0), &byte, 1, 0);
    } else if (is("posix_timer")) {
        struct sigaction action = {.sa_handler = woken};
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        timer_t timer;
        sigaction(SIGUSR1, &action, NULL);
        timer_create(CLOCK_MONOTONIC, &event, &timer);
        timer_settime(timer, 0, &later, NULL);
        ready();
        return recv(pair(0), &byte, 1, 0);
    } else if (is("receive_timeout")) {
        ready();
        return recv(pair(1), &byte, 1, 0);
    } else if (is("poll_timeout")) {
        struct pollfd asked = {.fd = pair(0), .events = POLLIN};
        ready();
        poll(&asked, 1, 60000);
    } else if (is("select_timeout")) {
        fd_set set;
        struct timeval time = {60, 0};
        int fd = pair(0);
        FD_ZERO(&set);
        FD_SET(fd, &set);
        ready();
        select(fd + 1, &set, NULL, NULL, &time);
    } else if (is("epoll_timeout") || is("epoll_forever")) {
        int loop = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN};
        epoll_ctl(loop, EPOLL_CTL_ADD, pair(0), &event);
        epoll_ctl(loop, EPOLL_CTL_ADD, listener(), &event);
        ready();
        epoll_wait(loop, &event, 1, is("epoll_forever") ? -1 : 60000);
    } else if (is("condition_timeout")) {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
        struct timespec time;
        clock_gettime(CLOCK_REALTIME, &time);
        time.tv_sec += 60;
        pthread_mutex_lock(&mutex);
        ready();
        pthread_cond_timedwait(&condition, &mutex, &time);
    } else if (is("sleep_between")) {
        struct timespec time = {60, 0};
        ready();
        nanosleep(&time, NULL);
    } else if (is("forgets_to_write") || is("forgets_to_read")) {
        struct epoll_event event = {.events = EPOLLET | (is("forgets_to_write") ? EPOLLOUT : EPOLLIN)};
        int poller = epoll_create1(0);
        int fd = connection(is("forgets_to_read"));
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
        epoll_wait(poller, &event, 1, -1);
        ready();
        epoll_wait(poller, &event, 1, -1);
    } else if (is("poll_forever")) {
        struct pollfd asked[2] = {{.fd = pair(0), .events = POLLIN}, {.fd = listener(), .events = POLLIN}};
        ready();
        poll(asked, 2, -1);
    } else if (is("select_forever")) {
        fd_set set;
        int fd = pair(0);
        FD_ZERO(&set);
        FD_SET(fd, &set);
        ready();
        select(fd + 1, &set, NULL, NULL, NULL);
    }
    return 0;
}
"#;

/// A program below a shell that stands for the launcher. Both are ended when this is dropped.
struct Running {
    shell: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in descendants(self.shell.id()) {
            _ = rustix::process::kill_process(
                Pid::from_raw(pid as i32).unwrap(),
                rustix::process::Signal::KILL,
            );
        }
        _ = self.shell.kill();
        _ = self.shell.wait();
    }
}

/// Starts the program of this name and returns when each of its threads that lives is asleep;
/// `None`, and a word about it, where there is no compiler.
#[track_caller]
fn start(mode: &str) -> Option<Running> {
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("small.c"), folder.path().join("small"));
    fs::write(&source, SOURCE).unwrap();
    match Command::new("cc").args(["-w", "-pthread", "-o"]).arg(&program).arg(&source).status() {
        Ok(status) => assert!(status.success()),
        Err(_) => {
            println!("skipped: cc is not installed");
            return None;
        }
    }
    let mut shell = Command::new("sh")
        .args(["-c", "\"$0\" \"$1\"; :"])
        .arg(program)
        .arg(mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null()) // the shell says who was killed
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(shell.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let running = Running { shell, _folder: folder };
    assert_eq!(line, "ready\n");
    soon("it should be asleep", || {
        let states = |pid: u32| {
            threads(pid).into_iter().filter_map(move |tid| stat_of(&format!("{pid}/task/{tid}")))
        };
        let states: Vec<char> = descendants(running.shell.id())
            .into_iter()
            .flat_map(states)
            .map(|stat| stat.state)
            .collect();
        states.contains(&'S') && states.iter().all(|state| matches!(state, 'S' | 'Z'))
    });
    Some(running)
}

fn picture(running: &Running) -> Option<Standstill> {
    standstill(running.shell.id(), Instant::now(), Wires::Empty, &BTreeSet::new())
}

#[track_caller]
fn is_never_stuck(mode: &str) {
    let Some(running) = start(mode) else { return };
    for _ in 0..50 {
        assert!(picture(&running).is_none(), "{mode}");
    }
}

#[track_caller]
fn is_stuck(mode: &str) {
    let Some(running) = start(mode) else { return };
    soon("two equal pictures", || {
        picture(&running).is_some_and(|first| picture(&running) == Some(first))
    });
}

/// Its only living thread is in this system call.
#[track_caller]
fn is_in(mode: &str, name: &str, on: On, limited: bool) {
    let Some(running) = start(mode) else { return };
    let found = whereabouts(running.shell.id(), &[]).unwrap();
    let call = Call { name: name.to_owned(), on, limited };
    assert_eq!((found.threads, found.further), (vec![Thread::Waits(call)], 0));
}

#[test]
fn a_timed_wait_is_not_for_ever() {
    for mode in [
        "receive_timeout",
        "poll_timeout",
        "select_timeout",
        "epoll_timeout",
        "condition_timeout",
        "sleep_between",
    ] {
        is_never_stuck(mode);
    }
}

#[test]
fn a_timer_that_no_call_shows_may_wake() {
    for mode in ["timerfd", "timerfd_in_epoll", "alarm", "posix_timer"] {
        is_never_stuck(mode);
    }
}

#[test]
fn a_signal_that_is_waited_for_may_come() {
    is_never_stuck("sigwait");
    is_never_stuck("signalfd");
}

#[test]
fn a_program_whose_first_thread_has_ended_is_seen_through_another() {
    is_never_stuck("zombie_leader_times_out");
    if pidfd_open(rustix::process::getpid(), process::OF_A_THREAD).is_err() {
        println!("skipped: this kernel has no handles of threads, so that the sockets do not show");
        return;
    }
    is_stuck("zombie_leader_receives");
}

#[test]
fn an_event_loop_that_nothing_can_wake_is_stuck() {
    for mode in ["epoll_forever", "poll_forever", "select_forever"] {
        is_stuck(mode);
    }
}

#[test]
fn what_small_programs_wait_for_is_said() {
    let thing = |words: &str| On::Thing(words.to_owned());
    is_in("epoll_forever", "epoll_wait", On::Descriptors(Some(2)), false);
    is_in("epoll_timeout", "epoll_wait", On::Descriptors(Some(2)), true);
    is_in("sleep_between", "clock_nanosleep", On::Time, false);
    is_in("condition_timeout", "futex", On::OtherThread, true);
    is_in("zombie_leader_accepts", "accept", On::Listener, false);
    is_in("receive_timeout", "recvfrom", thing("a socket without a connection"), true);
    is_in("timerfd", "read", thing("a descriptor of the kind timerfd"), false);
}

#[test]
fn the_lists_of_poll_and_select_are_read() {
    let Some(running) = start("poll_forever") else { return };
    let found = whereabouts(running.shell.id(), &[]).unwrap();
    assert!(
        matches!(&found.threads[..], [Thread::Waits(call)] if call.on == On::Descriptors(Some(2)) && !call.limited)
    );
    let Some(running) = start("select_forever") else { return };
    let found = whereabouts(running.shell.id(), &[]).unwrap();
    assert!(
        matches!(&found.threads[..], [Thread::Waits(call)] if matches!(call.on, On::Thing(_)) && !call.limited)
    );
}

#[test]
fn a_program_that_is_gone_is_nowhere() {
    let mut shell = Command::new("true").spawn().unwrap();
    shell.wait().unwrap();
    assert!(whereabouts(shell.id(), &[]).is_some_and(|found| found.threads.is_empty()));
}

/// Room to write, and who waits for it is told once: the word may be on its way. Bytes to read were
/// told of before the other side heard that they had come.
#[test]
fn what_is_there_already_may_wake() {
    is_never_stuck("forgets_to_write");
    is_stuck("forgets_to_read");
}

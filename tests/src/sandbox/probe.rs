//! The self-test: what a program could do, tried from inside, before any program is judged.
//!
//! It runs where a program would run, started in the same way, and tries each thing that it must
//! not be able to do. A protection counts as in force only where the attempt failed, seen from
//! inside, or where its end was seen from outside.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::FromRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit};

use super::confinement::Confinement;
use super::enter::{Forked, fork};
use super::spec::{Limits, Protection, Reach, Tier};
use super::wire::Jail;
use crate::sandbox::process::Process;
use crate::sandbox::spec::Stdin;

/// The protections that are tried from inside, each with what it is called in reports.
const INSIDE: &[(&str, &str)] = &[
    ("network", "no network but its own"),
    ("processes", "no other processes"),
    ("files", "no files but its own"),
    ("environment", "an empty environment"),
    ("handles", "no descriptors of the grader's"),
    ("privileges", "no privileges"),
    ("landlock", "Landlock"),
    ("seccomp", "seccomp"),
    ("limits", "limits on descriptors and processes"),
    ("disk", "a limit on disk"),
];

/// What the self-test may use: little, so that it is soon over.
const MEMORY: u64 = 48 * 1024 * 1024;

/// How long the self-test may take on a busy machine.
const TIME: Duration = Duration::from_secs(30);

/// Runs the self-test in a jail of `confinement`.
pub(super) fn run(
    confinement: &Confinement,
    launcher: &Path,
    scratch: &Path,
) -> io::Result<Vec<Protection>> {
    let network = confinement.network()?;
    let outside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let secret = scratch.join("secret");
    std::fs::write(&secret, "nobody's business")?;
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(scratch)?;
    let reach = Reach { limits: Limits { memory: MEMORY, ..Limits::RUN }, ..Reach::default() };
    let mut jail = confinement.jail(&network, &reach, Vec::new());
    jail.probe = Some(vec![
        outside.local_addr()?.port().to_string(),
        std::process::id().to_string(),
        secret.display().to_string(),
    ]);
    let mut process =
        Process::start(launcher, &["self-test".into()], folder.path(), &Stdin::default(), &jail)?;
    let deadline = std::time::Instant::now() + TIME;
    while process.over().is_none()
        && process.ended(Duration::from_millis(20))?.is_none()
        && std::time::Instant::now() < deadline
    {}
    process.end()?;
    let said = String::from_utf8_lossy(&process.stdout.tail(64 * 1024)).into_owned();
    let inside = INSIDE
        .iter()
        .map(|(key, name)| Protection { name: (*name).to_owned(), missing: missing(&said, key) });
    let end = Protection {
        name: "a certain end".to_owned(),
        missing: (!process.stdout.has_ended())
            .then(|| "a process that hid has survived".to_owned()),
    };
    let memory = Protection {
        name: "a limit on memory, watched".to_owned(),
        missing: process
            .over()
            .is_none()
            .then(|| "more memory than allowed was used, and nothing happened".to_owned()),
    };
    Ok(inside.chain([end, memory]).collect())
}

/// Lines are `KEY held` or `KEY open WHY`.
fn missing(said: &str, key: &str) -> Option<String> {
    let line = said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    match line {
        Some("held") => None,
        Some(line) => Some(line.trim_start_matches("open ").to_owned()),
        None => Some("the self-test did not come to try it".to_owned()),
    }
}

/// The self-test's own part: in the program's place, with nothing more than a program would have.
/// It never returns.
pub(super) fn inside(jail: &Jail, targets: &[String]) -> io::Error {
    let tried = [
        ("network", network(jail, targets)),
        ("processes", processes(jail, targets)),
        ("files", files(jail, targets)),
        ("environment", environment()),
        ("handles", handles()),
        ("privileges", privileges(jail)),
        ("landlock", landlock()),
        ("seccomp", seccomp()),
        ("limits", limits(jail)),
        ("disk", disk(jail)),
    ];
    // SAFETY: standard output is open, and nobody else in this process uses it.
    let mut stdout = unsafe { std::fs::File::from_raw_fd(1) };
    for (key, outcome) in tried {
        let line = match outcome {
            Ok(()) => format!("{key} held\n"),
            Err(why) => format!("{key} open {why}\n"),
        };
        _ = stdout.write_all(line.as_bytes());
    }
    hide();
    use_memory();
    // SAFETY: ends this process at once; nothing that the fork has copied is to be cleaned up here.
    unsafe { libc::_exit(0) }
}

/// Whether an attempt failed, as it should.
type Held = Result<(), String>;

fn must_fail<T, E>(what: &str, attempt: Result<T, E>) -> Held {
    match attempt {
        Ok(_) => Err(format!("{what} succeeded")),
        Err(_) => Ok(()),
    }
}

fn network(jail: &Jail, targets: &[String]) -> Held {
    let port: u16 = targets.first().and_then(|port| port.parse().ok()).unwrap_or(9);
    if jail.tier == Tier::Namespaces && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
        return Err("ports are the machine's".to_owned());
    }
    must_fail("connecting to the grader", TcpStream::connect((Ipv4Addr::LOCALHOST, port)))?;
    // An address that nobody has (RFC 5737): what is sent there leaves the machine, if anything
    // can.
    let elsewhere = (Ipv4Addr::new(192, 0, 2, 1), 9);
    let sent = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.send_to(b"", elsewhere));
    must_fail("sending to another machine", sent)
}

fn processes(jail: &Jail, targets: &[String]) -> Held {
    let grader = targets.get(1).and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    let seen =
        grader.is_some_and(|pid| Path::new(&format!("/proc/{}", pid.as_raw_nonzero())).exists());
    if jail.tier == Tier::Namespaces && seen {
        return Err("the grader's process can be seen".to_owned());
    }
    let reached = grader
        .ok_or(())
        .and_then(|grader| rustix::process::test_kill_process(grader).map_err(|_| ()));
    must_fail("sending a signal to the grader", reached)
}

fn files(jail: &Jail, targets: &[String]) -> Held {
    if jail.tier == Tier::Namespaces
        && targets.get(2).is_some_and(|secret| Path::new(secret).exists())
    {
        return Err("the grader's files can be seen".to_owned());
    }
    must_fail(
        "reading a file of the grader's",
        std::fs::read(targets.get(2).map_or("", String::as_str)),
    )?;
    for place in ["/root", "/home", "/var", "/sys", "/etc/shadow", "/etc/ssh"] {
        must_fail(
            &format!("reading {place}"),
            std::fs::read_dir(place).map(drop).or_else(|_| std::fs::read(place).map(drop)),
        )?;
    }
    for place in ["/usr", "/etc", "/"] {
        let made = Path::new(place).join(".self-test");
        must_fail(
            &format!("writing to {place}"),
            std::fs::write(&made, "").inspect(|()| _ = std::fs::remove_file(&made)),
        )?;
    }
    Ok(())
}

/// A program is given what its jail lists; this process has not been given anything yet.
fn environment() -> Held {
    match std::env::vars_os().next() {
        None => Ok(()),
        Some((name, _)) => Err(format!("the grader's {} is there", name.to_string_lossy())),
    }
}

/// What is open now and would stay open in the program.
fn handles() -> Held {
    for number in 3..1024 {
        // SAFETY: asking for a descriptor's flags changes nothing, also where there is no such
        // descriptor.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
        if flags >= 0 && flags & libc::FD_CLOEXEC == 0 {
            return Err(format!("descriptor {number} is open"));
        }
    }
    Ok(())
}

fn privileges(jail: &Jail) -> Held {
    if !rustix::thread::no_new_privs().unwrap_or(false) {
        return Err("a program could gain privileges".to_owned());
    }
    let capabilities = rustix::thread::capabilities(None).map_err(|error| error.to_string())?;
    if !capabilities.permitted.is_empty() {
        return Err("there are capabilities".to_owned());
    }
    if jail.tier == Tier::Namespaces && rustix::process::getuid().is_root() {
        return Err("it runs as root".to_owned());
    }
    Ok(())
}

/// In a folder that can be written to nothing can be executed, though its permissions say so.
fn landlock() -> Held {
    let own = Path::new("./self-test");
    let mut options = std::fs::OpenOptions::new();
    let made = options.write(true).create(true).truncate(true).mode(0o755).open(own);
    made.and_then(|mut file| file.write_all(b"#!/bin/sh\n"))
        .map_err(|error| format!("it could not be tried: {error}"))?;
    let ran = std::process::Command::new(own).status();
    _ = std::fs::remove_file(own);
    must_fail("executing what was just written", ran)
}

fn seccomp() -> Held {
    // SAFETY: none of these calls takes memory; those that succeed change this process only.
    let calls = unsafe {
        [
            ("keyctl", libc::syscall(libc::SYS_keyctl, 0, -3, 0, 0, 0)),
            ("a netlink socket", libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, 0).into()),
            ("a packet socket", libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0).into()),
            ("a user namespace", libc::unshare(libc::CLONE_NEWUSER).into()),
        ]
    };
    match calls.iter().find(|(_, result)| *result >= 0) {
        Some((what, _)) => Err(format!("{what} was to be had")),
        None => Ok(()),
    }
}

fn limits(jail: &Jail) -> Held {
    let limits = jail.reach.limits;
    let mut copies = Vec::new();
    while let Ok(copy) = rustix::io::dup(rustix::stdio::stdout()) {
        copies.push(copy);
        if copies.len() as u64 > limits.descriptors {
            return Err(format!("more than {} descriptors were to be had", limits.descriptors));
        }
    }
    drop(copies);
    if rustix::process::getrlimit(Resource::Core).current.is_none_or(|most| most > 1) {
        return Err("a crash would be reported outside".to_owned());
    }
    let processes = rustix::process::getrlimit(Resource::Nproc);
    if processes.maximum.is_none() {
        return Err("there is no limit on processes".to_owned());
    }
    if jail.tier != Tier::Namespaces {
        return Ok(());
    }
    // With one process allowed, there can be no second one; where this is real root, there can.
    let one = Rlimit { current: Some(1), maximum: processes.maximum };
    _ = rustix::process::setrlimit(Resource::Nproc, one);
    let forked = fork();
    _ = rustix::process::setrlimit(Resource::Nproc, processes);
    match forked {
        // SAFETY: the child has nothing to do, and ends at once.
        Ok(Forked::Child) => unsafe { libc::_exit(0) },
        Ok(Forked::Parent(_)) => Err("the limit on processes is not kept".to_owned()),
        Err(_) => Ok(()),
    }
}

fn disk(jail: &Jail) -> Held {
    let most = jail.reach.limits.disk;
    if jail.tier != Tier::Namespaces {
        let limit = rustix::process::getrlimit(Resource::Fsize).maximum;
        return limit
            .filter(|limit| *limit <= most)
            .map(|_| ())
            .ok_or_else(|| "files may be of any size".to_owned());
    }
    for place in [".", "/tmp", "/dev/shm"] {
        let file = Path::new(place).join("large");
        let made = std::fs::File::create(&file)
            .map_err(|error| format!("{place} cannot be written to: {error}"))?;
        let all = rustix::fs::fallocate(&made, rustix::fs::FallocateFlags::empty(), 0, most + 1);
        _ = std::fs::remove_file(&file);
        must_fail(&format!("filling {place}"), all)?;
    }
    Ok(())
}

/// A process that leaves its parent, its session and its group, hears no request to end, and holds
/// the output open.
fn hide() {
    if let Ok(Forked::Child) = fork() {
        _ = rustix::process::setsid();
        if let Ok(Forked::Child) = fork() {
            // SAFETY: the calls take numbers; pause returns only for a signal.
            unsafe {
                libc::signal(libc::SIGTERM, libc::SIG_IGN);
                libc::alarm(TIME.as_secs() as libc::c_uint); // where nobody else ends it
                loop {
                    libc::pause();
                }
            }
        }
        // SAFETY: ends this process at once.
        unsafe { libc::_exit(0) }
    }
}

/// More than is allowed, touched, until somebody ends it.
fn use_memory() {
    const ONE: usize = 1024 * 1024;
    let memory = vec![1_u8; 2 * MEMORY as usize];
    std::hint::black_box(memory.chunks(ONE).map(|part| part[0]).max());
    // SAFETY: the calls take numbers; the alarm ends this process where nobody else does.
    unsafe {
        libc::alarm(TIME.as_secs() as libc::c_uint);
        libc::pause();
    }
}

//! Runs the self-test's part inside of a jail. It has the place and the rights of a program, and
//! tries everything that a program must not be able to do.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::kernel::{Forked, checked, fork};
use super::spec::{Jail, Targets, Tier};
use super::wire;

/// The attempts, each with the name of its protection in reports.
pub(super) const ATTEMPTS: &[(&str, Attempt)] = &[
    ("no network but its own", network),
    ("no other processes", processes),
    ("no files but its own", files),
    ("an empty environment", environment),
    ("no descriptors of the grader's", handles),
    ("no privileges", privileges),
    ("Landlock", landlock),
    ("seccomp", seccomp),
    ("no changes to other processes", others),
    ("no signs to other programs", signs),
    ("limits on descriptors and processes", limits),
    ("a limit on disk", disk),
];

/// The self-test's limit on memory, in bytes: small, so that it is reached soon.
pub(super) const MEMORY: u64 = 48 * 1024 * 1024;

/// The time that the self-test may take on a busy machine.
pub(super) const TIME: Duration = Duration::from_secs(30);

type Attempt = fn(&Jail, &Targets) -> Held;

/// Whether a protection held; otherwise what the attempt achieved.
type Held = Result<(), String>;

/// What each attempt achieved, in their order; `None` where the protection held.
pub(super) type Findings = Vec<Option<String>>;

/// Makes every attempt and prints the findings as a message. It never returns.
pub(super) fn run(jail: &Jail, targets: &Targets) -> io::Error {
    let findings: Findings =
        ATTEMPTS.iter().map(|(_, attempt)| attempt(jail, targets).err()).collect();
    let mut stdout = io::stdout();
    _ = stdout.write_all(&wire::frame(&findings));
    _ = stdout.flush();
    hide();
    use_memory(jail);
    // SAFETY: this ends the process at once; the fork copied nothing that needs cleaning up.
    unsafe { libc::_exit(0) }
}

fn must_fail<T, E>(what: &str, attempt: Result<T, E>) -> Held {
    match attempt {
        Ok(_) => Err(format!("{what} succeeded")),
        Err(_) => Ok(()),
    }
}

fn network(jail: &Jail, targets: &Targets) -> Held {
    let port = targets.port;
    if jail.tier == Tier::Namespaces && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
        return Err("it shares the machine's ports".to_owned());
    }
    must_fail("connecting to the grader", TcpStream::connect((Ipv4Addr::LOCALHOST, port)))?;
    // An address that no machine has (RFC 5737): a packet to it leaves the machine where a route
    // exists.
    let elsewhere = (Ipv4Addr::new(192, 0, 2, 1), 9);
    let sent = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.send_to(b"", elsewhere));
    must_fail("sending to another machine", sent)
}

fn processes(jail: &Jail, targets: &Targets) -> Held {
    let seen = Path::new("/proc").join(targets.harness.to_string()).exists();
    if jail.tier == Tier::Namespaces && seen {
        return Err("the grader's process can be seen".to_owned());
    }
    let grader = Pid::from_raw(targets.harness).ok_or("there is no grader")?;
    must_fail("sending a signal to the grader", rustix::process::test_kill_process(grader))
}

/// Tries what changes another process, on the keeper.
fn others(_: &Jail, _: &Targets) -> Held {
    let keeper = rustix::process::getppid().ok_or("there is no keeper")?;
    let pid = keeper.as_raw_nonzero().get();
    let same = rustix::process::getrlimit(Resource::Stack);
    must_fail("lowering a limit of the keeper", prlimit(Some(keeper), Resource::Stack, same))?;
    // SAFETY: the calls take numbers, and a structure that lives for as long as the call.
    let (priority, class) = unsafe {
        let batch = libc::sched_param { sched_priority: 0 };
        let class = libc::sched_setscheduler(pid, libc::SCHED_OTHER, &raw const batch);
        (libc::setpriority(libc::PRIO_PROCESS, pid as libc::id_t, 1), class)
    };
    must_fail("lowering the keeper's priority", checked(priority.into()))?;
    must_fail("changing the keeper's scheduler", checked(class.into()))?;
    let own = std::fs::OpenOptions::new().write(true).open("/proc/self/comm");
    must_fail("writing to /proc", own)
}

/// Tries calls by which two programs that see the same file could tell each other something.
fn signs(_: &Jail, _: &Targets) -> Held {
    // SAFETY: the call takes a number. A descriptor that it returns ends with this process.
    must_fail("watching files", checked(unsafe { libc::inotify_init1(libc::IN_CLOEXEC) }.into()))?;
    let open = || std::fs::File::create("./lock").map_err(|error| error.to_string());
    let (first, second) = (open()?, open()?);
    // A lock seems to succeed and has no effect, so the second one succeeds, too.
    first
        .lock()
        .and_then(|()| Ok(second.try_lock()?))
        .map_err(|_| "a lock had an effect".to_owned())
}

/// Tries to change the mode of a file of the harness.
fn modes(secret: &Path) -> Held {
    let mode = || std::fs::metadata(secret).map(|facts| facts.permissions().mode()).ok();
    let Some(before) = mode() else { return Ok(()) };
    _ = std::fs::set_permissions(secret, std::fs::Permissions::from_mode(before ^ 0o111));
    if mode() == Some(before) {
        return Ok(());
    }
    _ = std::fs::set_permissions(secret, std::fs::Permissions::from_mode(before));
    Err("the mode of a file of the grader's was changed".to_owned())
}

fn files(jail: &Jail, targets: &Targets) -> Held {
    let command_line = format!("/proc/{}/cmdline", targets.harness);
    must_fail("reading the grader's command line", std::fs::read(command_line))?;
    for secret in &targets.secrets {
        if jail.tier == Tier::Namespaces && secret.exists() {
            return Err("the grader's files can be seen".to_owned());
        }
        must_fail("reading a file of the grader's", std::fs::read(secret))?;
    }
    targets.secrets.first().map_or(Ok(()), |secret| modes(secret))?;
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

/// The jail's own list of variables is set only when a program is executed, so nothing may be set
/// here.
fn environment(_: &Jail, _: &Targets) -> Held {
    match std::env::vars_os().next() {
        None => Ok(()),
        Some((name, _)) => Err(format!("the grader's {} is there", name.to_string_lossy())),
    }
}

/// Looks for descriptors that would stay open in the program.
fn handles(_: &Jail, _: &Targets) -> Held {
    for number in 3..1024 {
        // SAFETY: reading the flags of a descriptor changes nothing, even where it does not exist.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
        if flags >= 0 && flags & libc::FD_CLOEXEC == 0 {
            return Err(format!("descriptor {number} is open"));
        }
    }
    Ok(())
}

fn privileges(jail: &Jail, targets: &Targets) -> Held {
    if !rustix::thread::no_new_privs().unwrap_or(false) {
        return Err("a program could gain privileges".to_owned());
    }
    let capabilities = rustix::thread::capabilities(None).map_err(|error| error.to_string())?;
    if !capabilities.permitted.is_empty() {
        return Err("it has capabilities".to_owned());
    }
    let user = rustix::process::getuid();
    let owns_the_system = std::fs::metadata("/usr").is_ok_and(|facts| facts.uid() == user.as_raw());
    if (user.is_root() && jail.tier == Tier::Namespaces)
        || (owns_the_system && targets.another_user)
    {
        return Err("it runs as root".to_owned());
    }
    Ok(())
}

/// Landlock must refuse to execute a file in a writable folder, whatever the file's permissions.
fn landlock(_: &Jail, _: &Targets) -> Held {
    let own = Path::new("./self-test");
    let mut options = std::fs::OpenOptions::new();
    let made = options.write(true).create(true).truncate(true).mode(0o755).open(own);
    made.and_then(|mut file| file.write_all(b"#!/bin/sh\n"))
        .map_err(|error| format!("it could not be tried: {error}"))?;
    let ran = std::process::Command::new(own).status();
    _ = std::fs::remove_file(own);
    must_fail("executing what was just written", ran)?;
    must_fail("reading a command of the system", std::fs::read("/usr/bin/env"))
}

fn seccomp(_: &Jail, _: &Targets) -> Held {
    const SOCKETS: libc::c_int = libc::NETLINK_SOCK_DIAG; // a program may read routes, and no more
    // SAFETY: none of these calls takes memory, and a call that succeeds changes this process
    // alone.
    let calls = unsafe {
        [
            ("keyctl", libc::syscall(libc::SYS_keyctl, 0, -3, 0, 0, 0)),
            ("a netlink socket", libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, SOCKETS).into()),
            ("a packet socket", libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0).into()),
            ("a user namespace", libc::unshare(libc::CLONE_NEWUSER).into()),
        ]
    };
    match calls.iter().find(|(_, result)| *result >= 0) {
        Some((what, _)) => Err(format!("{what} was allowed")),
        None => Ok(()),
    }
}

fn limits(jail: &Jail, _: &Targets) -> Held {
    let limits = jail.reach.limits;
    let mut copies = Vec::new();
    while let Ok(copy) = rustix::io::dup(rustix::stdio::stdout()) {
        copies.push(copy);
        if copies.len() as u64 > limits.descriptors {
            return Err(format!("more than {} descriptors were allowed", limits.descriptors));
        }
    }
    drop(copies);
    if rustix::process::getrlimit(Resource::Core).current.is_none_or(|most| most > 1) {
        return Err("a crash would reach a crash reporter outside".to_owned());
    }
    let processes = rustix::process::getrlimit(Resource::Nproc);
    if processes.maximum.is_none() {
        return Err("there is no limit on processes".to_owned());
    }
    if jail.tier != Tier::Namespaces {
        return Ok(());
    }
    // With a limit of one process a fork must fail. For real root it would succeed.
    let one = Rlimit { current: Some(1), maximum: processes.maximum };
    _ = rustix::process::setrlimit(Resource::Nproc, one);
    let forked = fork();
    _ = rustix::process::setrlimit(Resource::Nproc, processes);
    match forked {
        // SAFETY: the child has nothing to do, and ends at once.
        Ok(Forked::Child) => unsafe { libc::_exit(0) },
        Ok(Forked::Parent(_)) => Err("the limit on processes is not enforced".to_owned()),
        Err(_) => Ok(()),
    }
}

fn disk(jail: &Jail, _: &Targets) -> Held {
    let most = jail.reach.limits.disk;
    if jail.tier != Tier::Namespaces {
        let limit = rustix::process::getrlimit(Resource::Fsize).maximum;
        return limit
            .filter(|limit| *limit <= most)
            .map(|_| ())
            .ok_or_else(|| "the size of a file is not limited".to_owned());
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

/// Starts a process that leaves its parent, session and group, ignores SIGTERM, and holds the
/// output open.
fn hide() {
    if let Ok(Forked::Child) = fork() {
        _ = rustix::process::setsid();
        if let Ok(Forked::Child) = fork() {
            // SAFETY: the calls take numbers; pause returns only after a signal.
            unsafe {
                libc::signal(libc::SIGTERM, libc::SIG_IGN);
                libc::alarm(TIME.as_secs() as libc::c_uint); // ends it where the keeper does not
                loop {
                    libc::pause();
                }
            }
        }
        // SAFETY: ends this process at once.
        unsafe { libc::_exit(0) }
    }
}

/// Uses more memory than allowed, until the keeper or the kernel ends this process.
fn use_memory(jail: &Jail) {
    const ONE: usize = 1024 * 1024;
    if jail.group.is_some() {
        use_hidden_memory(2 * MEMORY as usize, ONE);
    }
    let memory = vec![1_u8; 2 * MEMORY as usize];
    std::hint::black_box(memory.chunks(ONE).map(|part| part[0]).max());
    // SAFETY: the calls take numbers; the alarm ends this process where the keeper does not.
    unsafe {
        libc::alarm(TIME.as_secs() as libc::c_uint);
        libc::pause();
    }
}

/// Uses memory that is in no process: pages that are shared, and that this process gives back.
fn use_hidden_memory(size: usize, part: usize) {
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANON);
    // SAFETY: the kernel chooses where the new pages are, and only this function uses them.
    unsafe {
        let begin = libc::mmap(std::ptr::null_mut(), size, access, flags, -1, 0);
        if begin == libc::MAP_FAILED {
            return;
        }
        for at in (0..size).step_by(part) {
            std::ptr::write_bytes(begin.cast::<u8>().add(at), 1, part);
            libc::madvise(begin.byte_add(at), part, libc::MADV_DONTNEED);
        }
    }
}

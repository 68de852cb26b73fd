//! Calls that the confinement refuses, and those that it grants. A refusal is said beside a
//! failure, and changes no point.

use predicates::prelude::*;
use predicates::str::contains;

use crate::has_namespaces;
use crate::support::{folder_with, grade, has, python, report};

const TIERS: [&str; 2] = ["auto", "landlock"];

/// What each server here needs besides the usual.
const CALLS: &str = "
import ctypes, mmap
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    done = libc.syscall(*words)
    if done < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done
";

/// Returns a command that grades a server in Python in this tier, which does `body` first.
fn grade_in(tier: &str, body: &str) -> (tempfile::TempDir, assert_cmd::Command) {
    let server = python("").replace("import os,", &format!("{}import os,", CALLS.trim_start()));
    let folder = folder_with(&[("echo_server.py", &format!("{server}{}", body.trim_start()))]);
    let command = grade(&format!("--only echoes_short_message --confine {tier}"), &folder);
    (folder, command)
}

#[track_caller]
fn fails_saying(tier: &str, body: &str, says: &str) {
    let (_folder, mut grade) = grade_in(tier, body);
    let report = report(&mut grade);
    let message = report["checks"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains(says), "{tier}: {message}");
    assert_eq!(report["score"], 0);
}

#[track_caller]
fn passes(tier: &str, body: &str) {
    let (_folder, mut grade) = grade_in(tier, body);
    grade.assert().code(0).stdout(contains("1 passed").and(contains("refuses").not()));
}

#[test]
fn a_refused_call_is_said_beside_the_failure() {
    if has("python3") {
        let says = "the confinement refuses io_uring_setup; use epoll";
        for tier in TIERS {
            fails_saying(tier, "call(425, 1, ctypes.create_string_buffer(120))\n", says);
            let segment = "call(29, 0, 4096, 0o1600)\n"; // shmget
            if cfg!(target_arch = "x86_64") {
                fails_saying(tier, segment, "the confinement refuses shmget; share memory");
            }
        }
        let datagram = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n";
        fails_saying("landlock", datagram, "the confinement refuses socket(SOCK_DGRAM)");
    }
}

#[test]
fn a_refused_call_that_a_program_gets_over_is_not_said() {
    let body = "
try: call(425, 1, ctypes.create_string_buffer(120))
except OSError: pass
listen(); serve()
";
    if has("python3") {
        TIERS.into_iter().for_each(|tier| passes(tier, body));
    }
}

/// Runtimes try these by themselves, whatever program runs.
#[test]
fn a_call_that_runtimes_do_without_is_not_said() {
    let body = "
for words in [(socket.AF_INET, socket.SOCK_STREAM, 262), (socket.AF_UNIX, 0x80801, 0)]:
    try: socket.socket(*words)
    except OSError: pass
raise OSError('of my own')
";
    if has("python3") {
        for tier in TIERS {
            let (_folder, mut grade) = grade_in(tier, body);
            let says = contains("of my own").and(contains("refuses").not());
            grade.assert().code(1).stdout(says);
        }
    }
}

#[test]
fn what_is_harmless_is_granted() {
    let body = "
m = os.memfd_create('buffer')
os.ftruncate(m, 65536)
mmap.mmap(m, 65536)[5] = 7
assert os.pread(m, 1, 5) == bytes([7])
assert libc.prctl(4, 0, 0, 0, 0) == 0 # PR_SET_DUMPABLE
listen(); serve()
";
    if has("python3") {
        TIERS.into_iter().for_each(|tier| passes(tier, body));
    }
}

/// A program that names itself, or changes what is its own, loses nothing by what is refused of
/// others.
#[test]
fn what_a_program_does_to_itself_is_granted() {
    let body = "
import fcntl, resource, threading
me, soft_and_hard = os.getpid(), resource.getrlimit(resource.RLIMIT_NOFILE)
def limit(pid): resource.prlimit(pid, resource.RLIMIT_NOFILE, soft_and_hard)
limit(0); limit(me); os.setpriority(os.PRIO_PROCESS, me, 1)
os.sched_setaffinity(threading.get_native_id(), os.sched_getaffinity(0))
threading.Thread(target=limit, args=(me,)).start()
if os.fork() == 0: limit(os.getpid()); os._exit(0)
assert os.wait()[1] == 0
fcntl.fcntl(socket.socket(), fcntl.F_SETOWN, me)
log = open('server.log', 'w')
fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB); fcntl.lockf(log, fcntl.LOCK_EX)
os.fchmod(log.fileno(), 0o600); os.utime('server.log')
print('begun', file=open('/dev/stderr', 'w'))
listen(); serve()
";
    if has("python3") {
        TIERS.into_iter().for_each(|tier| passes(tier, body));
    }
}

#[test]
fn a_message_queue_is_granted_where_it_ends_with_the_program() {
    let body = "
libc.mq_open.restype = ctypes.c_int
assert libc.mq_open(b'/queue', os.O_CREAT | os.O_RDWR, 0o600, None) >= 0
listen(); serve()
";
    if has("python3") && has_namespaces() {
        passes("auto", body);
    }
}

/// A file in memory holds no more than the limit on memory, and cannot be executed.
#[test]
fn a_file_in_memory_opens_no_gap() {
    let fills = "
files = [os.memfd_create(str(n)) for n in range(16)]
part = bytes(1 << 20)
for file in files:
    for n in range(64): os.write(file, part)
time.sleep(60)
";
    let many = "files = [os.memfd_create(str(n)) for n in range(17)]\n";
    let executes = "
m = os.memfd_create('program')
os.write(m, open('/bin/true', 'rb').read())
os.fchmod(m, 0o755)
os.execve(m, ['true'], {})
";
    if has("python3") {
        fails_saying("auto", fills, "1024 MiB of memory");
        for tier in TIERS {
            fails_saying(tier, many, "the confinement refuses memfd_create; use a file");
            fails_saying(tier, executes, "exit status 1");
        }
    }
}

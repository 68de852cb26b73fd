//! Refuses system calls that no program under test needs (seccomp(2)). They fail with an error, as
//! on a system without them. Everything that a correct program may need in any language stays:
//! internet sockets, epoll, splice, prctl, fork and threads.
//!
//! Where the kernel can, it asks the keeper about most of these calls, so that the harness knows
//! what was refused (see [`super::refused`]). Otherwise it refuses them itself.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use libc::{c_long, sock_filter};

use super::kernel::checked;

/// The arguments for which a call is refused.
#[derive(Debug, Clone, Copy)]
enum When {
    Always,
    /// Any of these bits is set in this argument.
    Bits(u32, u32),
    /// This argument has this value.
    Is(u32, u32),
    /// This argument has none of these values.
    IsNot(u32, &'static [u32]),
    /// The first argument has this value, and the third has another one than that.
    Other(u32, u32),
    /// The lowest four bits of this argument, a socket's type, differ from this.
    KindIsNot(u32, u32),
}

/// A refused call, for which arguments, with which error.
type Refusal = (c_long, When, i32);

/// The flags of new namespaces (clone(2)).
const NAMESPACES: u32 = 0x7e02_0000;
const MPTCP: u32 = 262;
const NETLINK: u32 = libc::AF_NETLINK as u32;
const ROUTES: u32 = libc::NETLINK_ROUTE as u32;
const FASTOPEN: u32 = 0x2000_0000;
const FASTOPEN_CONNECT: u32 = 30;
const INTERNET: &[u32] = &[libc::AF_INET as u32, libc::AF_INET6 as u32];
const PRIVATE: &[u32] =
    &[libc::AF_INET as u32, libc::AF_INET6 as u32, libc::AF_UNIX as u32, libc::AF_NETLINK as u32];

/// Calls that are always refused.
const CLOSED: &[c_long] = &[
    // other processes
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_process_madvise,
    // memory and keys that outlive a process
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_memfd_create, // the keeper gives one that is counted, where it is asked
    libc::SYS_shmget,
    libc::SYS_msgget,
    // large parts of the kernel that only special programs use
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_fanotify_init,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // the file tree and namespaces
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // the machine
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
];

/// Calls that name what outlives a process where there are no namespaces.
const CLOSED_IF_SHARED: &[c_long] = &[
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semctl,
    libc::SYS_semtimedop,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
];

/// The error of a call that is not made, and seems to succeed.
const SEEMS_TO_SUCCEED: i32 = 0;

/// Errors of calls that runtimes try by themselves, and do without.
const UNNOTICED: [i32; 3] = [libc::ENOSYS, libc::EPROTONOSUPPORT, SEEMS_TO_SUCCEED];

/// Returns the refused calls. `shared` says that the program shares the machine's network.
fn refusals(shared: bool) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> =
        CLOSED.iter().map(|call| (*call, When::Always, libc::EPERM)).collect();
    #[cfg(target_arch = "x86_64")]
    refusals.extend(
        [libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt]
            .map(|call| (call, When::Always, libc::EPERM)),
    );
    let families = if shared { INTERNET } else { PRIVATE };
    refusals.extend([
        (libc::SYS_clone, When::Bits(0, NAMESPACES), libc::EPERM),
        (libc::SYS_clone3, When::Always, libc::ENOSYS), // a filter cannot read its flags; C libraries then use clone
        // A process that hides itself cannot be judged. A server that guards its secrets so may
        // believe that it has done it.
        (libc::SYS_prctl, When::Is(0, libc::PR_SET_DUMPABLE as u32), SEEMS_TO_SUCCEED),
        (libc::SYS_sched_setscheduler, When::Is(1, libc::SCHED_FIFO as u32), libc::EPERM),
        (libc::SYS_sched_setscheduler, When::Is(1, libc::SCHED_RR as u32), libc::EPERM),
        (libc::SYS_ioctl, When::Is(1, libc::TIOCSTI as u32), libc::EPERM),
        (libc::SYS_ioctl, When::Is(1, libc::TIOCLINUX as u32), libc::EPERM),
        (libc::SYS_socket, When::IsNot(0, families), libc::EAFNOSUPPORT),
        (libc::SYS_socket, When::Is(2, MPTCP), libc::EPROTONOSUPPORT),
        // Addresses, interfaces and routes may be read. Changing them takes a capability.
        (libc::SYS_socket, When::Other(NETLINK, ROUTES), libc::EPERM),
    ]);
    if shared {
        refusals.extend(CLOSED_IF_SHARED.iter().map(|call| (*call, When::Always, libc::EPERM)));
        refusals.extend([
            (libc::SYS_socket, When::KindIsNot(1, libc::SOCK_STREAM as u32), libc::EPERM),
            (libc::SYS_sendto, When::Bits(3, FASTOPEN), libc::EPERM),
            (libc::SYS_sendmsg, When::Bits(2, FASTOPEN), libc::EPERM),
            (libc::SYS_sendmmsg, When::Bits(3, FASTOPEN), libc::EPERM),
            (libc::SYS_setsockopt, When::Is(2, FASTOPEN_CONNECT), libc::EPERM),
        ]);
    }
    refusals
}

/// Refuses the calls to this process and its descendants from now on. The process must have given
/// up new privileges before. Returns what the kernel asks on, if it can ask.
pub(super) fn enforce(shared: bool) -> io::Result<Option<OwnedFd>> {
    let Some(architecture) = ARCHITECTURE else {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "seccomp: there is no filter for this processor",
        ));
    };
    let refusals = refusals(shared);
    let code = program(architecture, &refusals, Some(answer(libc::SECCOMP_RET_USER_NOTIF)));
    if let Ok(listener) = install(code, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER) {
        // SAFETY: the call has just returned this descriptor, and it has no other owner.
        return Ok(Some(unsafe { OwnedFd::from_raw_fd(listener as i32) }));
    }
    install(program(architecture, &refusals, None), 0)?;
    Ok(None)
}

fn install(mut code: Vec<sock_filter>, flags: libc::c_ulong) -> io::Result<c_long> {
    let program = libc::sock_fprog { len: code.len() as u16, filter: code.as_mut_ptr() };
    // SAFETY: the program and its code live for as long as the call, which copies them.
    checked(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
    })
}

/// Returns the error of a call about which the kernel asks.
pub(super) fn error_of(call: c_long, arguments: &[u64; 6], shared: bool) -> i32 {
    let applies = |(refused, when, _): &Refusal| *refused == call && when.holds(arguments);
    refusals(shared).into_iter().find(applies).map_or(libc::EPERM, |(_, _, error)| error)
}

impl When {
    fn holds(self, arguments: &[u64; 6]) -> bool {
        let argument = |at: u32| arguments[at as usize] as u32;
        match self {
            Self::Always => true,
            Self::Bits(at, bits) => argument(at) & bits != 0,
            Self::Is(at, value) => argument(at) == value,
            Self::IsNot(at, values) => !values.contains(&argument(at)),
            Self::Other(first, third) => argument(0) == first && argument(2) != third,
            Self::KindIsNot(at, kind) => argument(at) & 0xf != kind,
        }
    }
}

/// The processor's AUDIT_ARCH_* (linux/audit.h). A call with another processor's numbers ends the
/// program.
const ARCHITECTURE: Option<u32> = if cfg!(target_arch = "x86_64") {
    Some(0xc000_003e)
} else if cfg!(target_arch = "aarch64") {
    Some(0xc000_00b7)
} else {
    None
};

/// Returns the filter's code: it loads the call's number, tests each refusal, and then allows the
/// call (seccomp(2), struct seccomp_data). With `asking` it asks instead of refusing, except about
/// calls whose refusal no program notices.
fn program(
    architecture: u32,
    refusals: &[Refusal],
    asking: Option<sock_filter>,
) -> Vec<sock_filter> {
    const NUMBER: u32 = 0;
    const ARCHITECTURE_AT: u32 = 4;
    /// The first number of x86's 32-bit interface, which passes the test of the architecture.
    const X32: u32 = 0x4000_0000;

    let mut code = vec![load(ARCHITECTURE_AT)];
    code.extend([jump(libc::BPF_JEQ, architecture, 1, 0), answer(libc::SECCOMP_RET_KILL_PROCESS)]);
    code.extend([load(NUMBER), jump(libc::BPF_JGE, X32, 0, 1), refuse(libc::ENOSYS)]);
    for (call, when, error) in refusals {
        let asking = asking.filter(|_| !UNNOTICED.contains(error));
        let test = test(*when, asking.unwrap_or(refuse(*error)));
        code.extend([load(NUMBER), jump(libc::BPF_JEQ, *call as u32, 0, test.len() as u8)]);
        code.extend(test);
    }
    code.push(answer(libc::SECCOMP_RET_ALLOW));
    code
}

/// Returns code that refuses the call, or continues after its end.
fn test(when: When, refuse: sock_filter) -> Vec<sock_filter> {
    match when {
        When::Always => vec![refuse],
        When::Bits(argument, bits) => {
            vec![load_argument(argument), jump(libc::BPF_JSET, bits, 0, 1), refuse]
        }
        When::Is(argument, value) => {
            vec![load_argument(argument), jump(libc::BPF_JEQ, value, 0, 1), refuse]
        }
        When::IsNot(argument, values) => {
            let mut code = vec![load_argument(argument)];
            let to_the_end = |at: usize| (values.len() - at) as u8;
            code.extend(
                values
                    .iter()
                    .enumerate()
                    .map(|(at, value)| jump(libc::BPF_JEQ, *value, to_the_end(at), 0)),
            );
            code.push(refuse);
            code
        }
        When::Other(first, third) => vec![
            load_argument(0),
            jump(libc::BPF_JEQ, first, 0, 3),
            load_argument(2),
            jump(libc::BPF_JEQ, third, 1, 0),
            refuse,
        ],
        When::KindIsNot(argument, kind) => vec![
            load_argument(argument),
            instruction(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0xf, 0, 0),
            jump(libc::BPF_JEQ, kind, 1, 0),
            refuse,
        ],
    }
}

fn load(offset: u32) -> sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

/// Loads the lower half of an argument: the kernel reads no more of these flags and numbers.
fn load_argument(argument: u32) -> sock_filter {
    let lower = if cfg!(target_endian = "big") { 4 } else { 0 };
    load(16 + 8 * argument + lower)
}

fn jump(condition: u32, value: u32, if_so: u8, if_not: u8) -> sock_filter {
    instruction(libc::BPF_JMP | condition | libc::BPF_K, value, if_so, if_not)
}

fn refuse(error: i32) -> sock_filter {
    answer(libc::SECCOMP_RET_ERRNO | error as u32)
}

fn answer(value: u32) -> sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, value, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}

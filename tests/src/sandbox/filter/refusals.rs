//! Lists what is refused, for which arguments, with which error.

use libc::c_long;

use crate::sandbox::spec::{Jail, Tier};

/// What the refused calls depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// The program shares the machine's network, and its queues and semaphores.
    network_is_shared: bool,
    /// The program sees the machine's files, and must change no modes and owners.
    keeps_modes: bool,
    /// The program is a compiler.
    compiles: bool,
    /// Calls that name another process are refused.
    keeps_from_others: bool,
    /// Calls that tell other programs something are refused.
    keeps_signs: bool,
}

impl Setting {
    pub(crate) fn of(jail: &Jail) -> Self {
        Self {
            network_is_shared: jail.shares_the_network(),
            keeps_modes: (jail.tier != Tier::Namespaces || !jail.has("files")) && jail.has("modes"),
            compiles: !jail.reach.write.is_empty(),
            keeps_from_others: jail.has("others"),
            keeps_signs: jail.has("signs"),
        }
    }
}

/// The arguments for which a call is refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    Always,
    /// Any of these bits is set in this argument.
    Bits(u32, u32),
    /// All of the first bits are set in this argument, and none of the second.
    BitsWithout(u32, u32, u32),
    /// This argument has this value.
    Is(u32, u32),
    /// This argument has none of these values.
    IsNot(u32, &'static [u32]),
    /// The first argument has this value, and the third has another one than that.
    Other(u32, u32),
    /// This argument is the process id of another process. Where the kernel cannot ask, it is any
    /// process id but 0, which stands for the calling process.
    NamesAnother(u32),
    /// The first of these arguments has this value, and the second names another process.
    IsAndNamesAnother(u32, u32, u32),
    /// The lowest four bits of this argument, a socket's type, differ from this.
    KindIsNot(u32, u32),
}

/// A refused call, for which arguments, with which error.
pub(super) type Refusal = (c_long, When, i32);

/// The flags of new namespaces (clone(2)).
const NAMESPACES: u32 = 0x7e02_0000;
const THREAD: u32 = libc::CLONE_THREAD as u32;
const DESCRIPTORS: u32 = libc::CLONE_FILES as u32;
const MPTCP: u32 = 262;
const NETLINK: u32 = libc::AF_NETLINK as u32;
const ROUTES: u32 = libc::NETLINK_ROUTE as u32;
const FASTOPEN: u32 = 0x2000_0000;
const FASTOPEN_CONNECT: u32 = 30;
const INTERNET: &[u32] = &[libc::AF_INET as u32, libc::AF_INET6 as u32];
/// `which` of setpriority(2) and of ioprio_set(2): a process, not a group or a user.
const PRIORITY_OF_A_PROCESS: &[u32] = &[0];
const IO_PRIORITY_OF_A_PROCESS: &[u32] = &[1];
const SCHED_CORE: u32 = 62; // linux/prctl.h, PR_SCHED_CORE
// Calls that the libc crate does not know have the same numbers on all processors.
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;
const OPEN_TREE_ATTR: c_long = 467;
const FILE_SETATTR: c_long = 469;
const CACHESTAT: c_long = 451;
// linux/fs.h
const SET_FLAGS: u32 = 0x4008_6602; // FS_IOC_SETFLAGS
const SET_ATTRIBUTES: u32 = 0x401c_5820; // FS_IOC_FSSETXATTR
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
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_send_signal, // runtimes that try it fall back to kill
    libc::SYS_migrate_pages,
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
    libc::SYS_fanotify_mark,
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
    OPEN_TREE_ATTR,
    // the machine
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
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

/// Locks on a file (fcntl(2)). Two launches could tell each other something by locks on a file of
/// the machine's. No other launch has the program's own files.
const LOCKS: [i32; 4] = [libc::F_SETLK, libc::F_SETLKW, libc::F_OFD_SETLK, libc::F_OFD_SETLKW];

/// Calls by which a program hears what others do with a file.
const WATCHING: &[c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_inotify_init,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
];

/// Calls that change the mode and the times of a file. They seem to succeed: a right program that
/// makes its log private needs no effect.
const MODES_AND_TIMES: &[c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    libc::SYS_utimensat,
];

/// Calls that change the owner of a file.
const OWNERS: &[c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    libc::SYS_fchown,
    libc::SYS_fchownat,
];

/// Calls that change a file's other attributes. They fail as on a file system that has none.
const ATTRIBUTES: &[c_long] = &[
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    REMOVEXATTRAT,
    FILE_SETATTR,
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

/// Calls whose argument of this number is a process id: a program may name itself alone.
const NAMING: &[(c_long, u32)] = &[
    (libc::SYS_prlimit64, 0),
    (libc::SYS_setpriority, 1),
    (libc::SYS_ioprio_set, 1),
    (libc::SYS_sched_setscheduler, 0),
    (libc::SYS_sched_setparam, 0),
    (libc::SYS_sched_setattr, 0),
    (libc::SYS_sched_setaffinity, 0),
    (libc::SYS_move_pages, 0),
    (libc::SYS_get_robust_list, 0),
    (libc::SYS_rt_sigqueueinfo, 0),
    (libc::SYS_rt_tgsigqueueinfo, 0),
];

/// The error of a call that is not made, and seems to succeed.
const SEEMS_TO_SUCCEED: i32 = 0;

/// Errors of calls that runtimes try by themselves, and do without.
pub(super) const UNNOTICED: [i32; 3] = [libc::ENOSYS, libc::EPROTONOSUPPORT, SEEMS_TO_SUCCEED];

/// Returns the refused calls, the more special ones first.
pub(super) fn refusals(setting: Setting) -> Vec<Refusal> {
    let mut refusals = always(CLOSED, libc::EPERM);
    #[cfg(target_arch = "x86_64")]
    refusals.extend(always(&[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt], libc::EPERM));
    refusals.extend(SPECIAL);
    if setting.keeps_from_others {
        refusals.extend(NAMING.iter().map(|(call, at)| {
            let another = When::NamesAnother(*at);
            (*call, another, libc::EPERM)
        }));
    }
    refusals.extend(sockets(setting.network_is_shared));
    if setting.network_is_shared {
        refusals.extend(always(CLOSED_IF_SHARED, libc::EPERM));
    }
    if !setting.compiles && setting.keeps_signs {
        refusals.extend(signs_to_others());
    }
    if !setting.compiles && setting.keeps_modes {
        refusals.extend(changes_of_files());
    }
    refusals
}

fn always(calls: &[c_long], error: i32) -> Vec<Refusal> {
    calls.iter().map(|call| (*call, When::Always, error)).collect()
}

/// Calls that are refused for some arguments.
const SPECIAL: [Refusal; 13] = [
    // The harness sees the descriptors of a process, and so its threads must share them.
    (libc::SYS_clone, When::BitsWithout(0, THREAD, DESCRIPTORS), libc::EINVAL),
    (libc::SYS_close_range, When::Bits(2, libc::CLOSE_RANGE_UNSHARE), libc::EINVAL),
    (libc::SYS_clone, When::Bits(0, NAMESPACES), libc::EPERM),
    (libc::SYS_clone3, When::Always, libc::ENOSYS), // a filter cannot read its flags; C libraries then use clone
    // A process that hides itself cannot be judged. A server that guards its secrets so may believe
    // that it has done it.
    (libc::SYS_prctl, When::Is(0, libc::PR_SET_DUMPABLE as u32), SEEMS_TO_SUCCEED),
    (libc::SYS_prctl, When::Is(0, SCHED_CORE), libc::EPERM),
    (libc::SYS_sched_setscheduler, When::Is(1, libc::SCHED_FIFO as u32), libc::EPERM),
    (libc::SYS_sched_setscheduler, When::Is(1, libc::SCHED_RR as u32), libc::EPERM),
    (libc::SYS_ioctl, When::Is(1, libc::TIOCSTI as u32), libc::EPERM),
    (libc::SYS_ioctl, When::Is(1, libc::TIOCLINUX as u32), libc::EPERM),
    // whom the kernel signals about a descriptor
    (libc::SYS_fcntl, When::IsAndNamesAnother(1, libc::F_SETOWN as u32, 2), libc::EPERM),
    (libc::SYS_setpriority, When::IsNot(0, PRIORITY_OF_A_PROCESS), libc::EPERM),
    (libc::SYS_ioprio_set, When::IsNot(0, IO_PRIORITY_OF_A_PROCESS), libc::EPERM),
];

fn sockets(shared: bool) -> Vec<Refusal> {
    let families = if shared { INTERNET } else { PRIVATE };
    let mut refusals = vec![
        (libc::SYS_socket, When::IsNot(0, families), libc::EAFNOSUPPORT),
        (libc::SYS_socket, When::Is(2, MPTCP), libc::EPROTONOSUPPORT),
        // Addresses, interfaces and routes may be read. Changing them takes a capability.
        (libc::SYS_socket, When::Other(NETLINK, ROUTES), libc::EPERM),
    ];
    if shared {
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

/// Calls by which a program under test could tell another one something over a file that both see.
fn signs_to_others() -> Vec<Refusal> {
    let on_a_file = |command: i32, error| (libc::SYS_fcntl, When::Is(1, command as u32), error);
    let mut refusals = always(WATCHING, libc::EPERM);
    refusals.push((libc::SYS_flock, When::Always, SEEMS_TO_SUCCEED));
    refusals.extend(LOCKS.map(|lock| on_a_file(lock, SEEMS_TO_SUCCEED)));
    refusals.extend([libc::F_SETLEASE, libc::F_NOTIFY].map(|sign| on_a_file(sign, libc::EPERM)));
    refusals.push((CACHESTAT, When::Always, libc::ENOSYS));
    refusals
}

/// Calls that change more of a file than what is in it, which Landlock does not limit.
fn changes_of_files() -> Vec<Refusal> {
    let mut refusals = always(MODES_AND_TIMES, SEEMS_TO_SUCCEED);
    refusals.extend(always(OWNERS, libc::EPERM));
    refusals.extend(always(ATTRIBUTES, libc::EOPNOTSUPP));
    refusals.extend(
        [SET_FLAGS, SET_ATTRIBUTES]
            .map(|change| (libc::SYS_ioctl, When::Is(1, change), libc::ENOTTY)),
    );
    refusals
}

impl When {
    fn holds(self, arguments: &[u64; 6]) -> bool {
        let argument = |at: u32| arguments[at as usize] as u32;
        match self {
            Self::Always => true,
            Self::Bits(at, bits) => argument(at) & bits != 0,
            Self::BitsWithout(at, set, unset) => argument(at) & (set | unset) == set,
            Self::Is(at, value) => argument(at) == value,
            Self::IsNot(at, values) => !values.contains(&argument(at)),
            Self::Other(first, third) => argument(0) == first && argument(2) != third,
            Self::NamesAnother(at) => argument(at) != 0,
            Self::IsAndNamesAnother(at, value, other) => {
                argument(at) == value && argument(other) != 0
            }
            Self::KindIsNot(at, kind) => argument(at) & 0xf != kind,
        }
    }
}

/// What the keeper answers when the kernel asks about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The call fails with this error.
    Error(i32),
    /// The call is made if this process id is the caller's own; otherwise it fails.
    IfItIsOwn(u32),
}

/// Returns the answer to a call about which the kernel asks.
pub(crate) fn answer_to(call: c_long, arguments: &[u64; 6], setting: Setting) -> Answer {
    let applies = |(refused, when, _): &Refusal| *refused == call && when.holds(arguments);
    match refusals(setting).into_iter().find(applies) {
        Some((_, When::NamesAnother(at) | When::IsAndNamesAnother(_, _, at), _)) => {
            Answer::IfItIsOwn(arguments[at as usize] as u32)
        }
        Some((_, _, error)) => Answer::Error(error),
        None => Answer::Error(libc::EPERM),
    }
}

//! Answers the kernel, which asks the keeper about the calls that the filter refuses
//! (seccomp_unotify(2)).
//!
//! Each call is refused, and the harness hears once of each kind. Reports say it in a sentence: a
//! program can make such a call only in order to be told so, and no verdict depends on it. Two kinds
//! are granted: a call that names a process, if that is the caller's own; and a file in memory, which
//! the keeper makes so that it cannot be executed, and counts.

use std::collections::BTreeSet;
use std::ffi::c_long;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::PoisonError;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::filter::{Answer, Setting, answer_to};
use super::kernel::checked;
use super::messages::LauncherMessage;
use super::quota::MemoryFiles;
use super::wire::Channel;

/// The most kinds of calls that the harness hears of.
const MOST_KINDS: usize = 16;

/// The most files in memory of one launch.
const MOST_FILES: usize = 16;

/// Answers until no process is left that could ask.
pub(super) struct Answers {
    pub(super) listener: OwnedFd,
    pub(super) reports: Channel,
    /// What the refused calls depend on.
    pub(super) setting: Setting,
    /// Where files in memory are kept, if the program may have any.
    pub(super) files: Option<MemoryFiles>,
}

impl Answers {
    /// Answers in a thread, which ends with this process.
    pub(super) fn begin(self) -> io::Result<()> {
        std::thread::Builder::new().spawn(move || self.answer_all()).map(drop)
    }

    fn answer_all(&self) {
        let mut told = BTreeSet::new();
        loop {
            match self.receive() {
                Ok(question) => self.answer(&question, &mut told),
                Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
                // The process that asked has ended meanwhile, or all of them have.
                Err(error)
                    if error.raw_os_error() == Some(libc::ENOENT) && !self.all_have_ended() => {}
                Err(_) => return,
            }
        }
    }

    fn all_have_ended(&self) -> bool {
        let mut listener = [PollFd::new(&self.listener, PollFlags::empty())];
        let seen = poll(&mut listener, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        seen.is_err() || listener[0].revents().contains(PollFlags::HUP)
    }

    fn receive(&self) -> io::Result<libc::seccomp_notif> {
        // SAFETY: a question is plain data, and the kernel wants zeros. It lives for as long as the
        // call, which writes into it.
        unsafe {
            let mut question: libc::seccomp_notif = std::mem::zeroed();
            let number = libc::SECCOMP_IOCTL_NOTIF_RECV;
            let listener = self.listener.as_raw_fd();
            checked(libc::ioctl(listener, number as _, &raw mut question).into())?;
            Ok(question)
        }
    }

    fn answer(&self, question: &libc::seccomp_notif, told: &mut BTreeSet<String>) {
        let (call, arguments) = (c_long::from(question.data.nr), &question.data.args);
        if call == libc::SYS_memfd_create && self.give_memory(question).is_ok() {
            return;
        }
        let error = match answer_to(call, arguments, self.setting) {
            Answer::IfItIsOwn(pid) if is_own(question.pid, pid) => {
                _ = self.send(question.id, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32);
                return;
            }
            Answer::IfItIsOwn(_) => libc::EPERM,
            Answer::Error(error) => error,
        };
        _ = self.send(question.id, error, 0);
        if asks_for_names(call, arguments) {
            return;
        }
        let name = name_of(call, arguments);
        if told.len() < MOST_KINDS && told.insert(name.clone()) {
            _ = self.reports.send(&LauncherMessage::Refused(name));
        }
    }

    fn send(&self, id: u64, error: i32, flags: u32) -> io::Result<()> {
        let answer = libc::seccomp_notif_resp { id, val: 0, error: -error, flags };
        let number = libc::SECCOMP_IOCTL_NOTIF_SEND;
        // SAFETY: the answer lives for as long as the call.
        checked(unsafe {
            libc::ioctl(self.listener.as_raw_fd(), number as _, &raw const answer).into()
        })?;
        Ok(())
    }

    /// Makes a file in memory for the program and answers with its descriptor.
    fn give_memory(&self, question: &libc::seccomp_notif) -> io::Result<()> {
        let refused = || io::Error::from_raw_os_error(libc::EPERM);
        let files = self.files.as_ref().ok_or_else(refused)?;
        let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
        let flags = question.data.args[1] as u32;
        let known = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING | libc::MFD_NOEXEC_SEAL;
        if files.len() >= MOST_FILES || flags & !known != 0 {
            return Err(refused());
        }
        let file = file_in_memory()?;
        let closes = if flags & libc::MFD_CLOEXEC != 0 { libc::O_CLOEXEC as u32 } else { 0 };
        let given = libc::seccomp_notif_addfd {
            id: question.id,
            flags: libc::SECCOMP_ADDFD_FLAG_SEND as u32,
            srcfd: file.as_raw_fd() as u32,
            newfd: 0,
            newfd_flags: closes,
        };
        let number = libc::SECCOMP_IOCTL_NOTIF_ADDFD;
        // SAFETY: the structure lives for as long as the call, which copies the descriptor.
        checked(unsafe {
            libc::ioctl(self.listener.as_raw_fd(), number as _, &raw const given).into()
        })?;
        files.push(file);
        Ok(())
    }
}

/// Whether a process id names the caller's process or a thread of it. The caller waits meanwhile,
/// and the kernel has copied the number.
fn is_own(caller: u32, named: u32) -> bool {
    Path::new(&format!("/proc/{caller}/task/{named}")).exists()
}

/// Makes a file in memory that cannot be made executable (memfd_create(2)).
fn file_in_memory() -> io::Result<File> {
    use std::os::fd::FromRawFd;
    let flags = libc::MFD_CLOEXEC | libc::MFD_NOEXEC_SEAL;
    // SAFETY: the name lives for as long as the call; its descriptor has no other owner.
    unsafe {
        let file = checked(libc::memfd_create(c"program".as_ptr(), flags).into())?;
        Ok(File::from_raw_fd(file as i32))
    }
}

/// Whether a call is the one by which the C library looks for a service of names, whatever program
/// runs. It does without.
fn asks_for_names(call: c_long, arguments: &[u64; 6]) -> bool {
    const KIND: i32 = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let [family, kind, ..] = arguments.map(|argument| argument as i32);
    call == libc::SYS_socket && family == libc::AF_UNIX && kind == KIND
}

/// Returns a call's name, with the argument that it is refused for where that is a socket's.
fn name_of(call: c_long, arguments: &[u64; 6]) -> String {
    let name = syscall_numbers::native::sys_call_name(call).unwrap_or("an unknown call");
    let family = arguments[0] as i32;
    if call != libc::SYS_socket {
        return name.to_owned();
    }
    match FAMILIES.iter().find(|(number, _)| *number == family) {
        Some((_, family)) => format!("{name}({family})"),
        None if family == libc::AF_INET || family == libc::AF_INET6 => kind_of(arguments),
        None => format!("{name} of family {family}"),
    }
}

fn kind_of(arguments: &[u64; 6]) -> String {
    match arguments[1] as i32 & 0xf {
        libc::SOCK_DGRAM => "socket(SOCK_DGRAM)".to_owned(),
        _ => "socket(SOCK_RAW)".to_owned(),
    }
}

const FAMILIES: [(i32, &str); 6] = [
    (libc::AF_UNIX, "AF_UNIX"),
    (libc::AF_NETLINK, "AF_NETLINK"),
    (libc::AF_PACKET, "AF_PACKET"),
    (libc::AF_VSOCK, "AF_VSOCK"),
    (libc::AF_ALG, "AF_ALG"),
    (libc::AF_BLUETOOTH, "AF_BLUETOOTH"),
];

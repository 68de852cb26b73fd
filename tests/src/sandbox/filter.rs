//! Refuses system calls that no program under test needs (seccomp(2)). They fail with an error, as
//! on a system without them. Everything that a correct program may need in any language stays:
//! internet sockets, epoll, splice, prctl, fork and threads.
//!
//! Where the kernel can, it asks the keeper about most of these calls, so that the harness knows
//! what was refused (see [`super::refused`]). Otherwise it refuses them itself.

mod refusals;

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use libc::{c_long, sock_filter};

use super::kernel::checked;
pub(super) use refusals::{Answer, Setting, answer_to};
use refusals::{Refusal, UNNOTICED, When, refusals};

/// Refuses the calls to this process and its descendants from now on. The process must have given
/// up new privileges before. Returns what the kernel asks on, if it can ask.
pub(super) fn enforce(setting: Setting) -> io::Result<Option<OwnedFd>> {
    let Some(architecture) = ARCHITECTURE else {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "seccomp: there is no filter for this processor",
        ));
    };
    let refusals = refusals(setting);
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
        When::BitsWithout(argument, set, unset) => {
            vec![load_argument(argument), mask(set | unset), jump(libc::BPF_JEQ, set, 0, 1), refuse]
        }
        When::Is(argument, value) => {
            vec![load_argument(argument), jump(libc::BPF_JEQ, value, 0, 1), refuse]
        }
        When::IsNot(argument, values) => is_not(argument, values, refuse),
        When::Other(first, third) => vec![
            load_argument(0),
            jump(libc::BPF_JEQ, first, 0, 3),
            load_argument(2),
            jump(libc::BPF_JEQ, third, 1, 0),
            refuse,
        ],
        When::NamesAnother(argument) => {
            vec![load_argument(argument), jump(libc::BPF_JEQ, 0, 1, 0), refuse]
        }
        When::IsAndNamesAnother(at, value, argument) => vec![
            load_argument(at),
            jump(libc::BPF_JEQ, value, 0, 3),
            load_argument(argument),
            jump(libc::BPF_JEQ, 0, 1, 0),
            refuse,
        ],
        When::KindIsNot(argument, kind) => {
            vec![load_argument(argument), mask(0xf), jump(libc::BPF_JEQ, kind, 1, 0), refuse]
        }
    }
}

fn is_not(argument: u32, values: &[u32], refuse: sock_filter) -> Vec<sock_filter> {
    let to_the_end = |at: usize| (values.len() - at) as u8;
    let is_one = values.iter().enumerate();
    let is_one = is_one.map(|(at, value)| jump(libc::BPF_JEQ, *value, to_the_end(at), 0));
    [load_argument(argument)].into_iter().chain(is_one).chain([refuse]).collect()
}

fn load(offset: u32) -> sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

/// Loads the lower half of an argument: the kernel reads no more of these flags and numbers.
fn load_argument(argument: u32) -> sock_filter {
    let lower = if cfg!(target_endian = "big") { 4 } else { 0 };
    load(16 + 8 * argument + lower)
}

fn mask(bits: u32) -> sock_filter {
    instruction(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, bits, 0, 0)
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

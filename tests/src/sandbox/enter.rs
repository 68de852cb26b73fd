//! Puts a program into its jail, by three processes with one thread each.
//!
//! The *launcher* joins the check's network and makes namespaces. Its child, the *keeper*, is the
//! first process in them: it makes the file tree, starts the program and reaps its orphans, and
//! when it ends the kernel ends everything. The *program* gives up its rights before it is
//! executed. Without namespaces the launcher is the keeper.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Pid, Resource};
use rustix::thread::{
    CapabilitySet, CapabilitySets, LinkNameSpaceType, UnshareFlags, move_into_link_name_space,
};

use super::broker::STUDENT;
use super::kernel::{Forked, checked, fork};
use super::landlock::{Access, Rules};
use super::messages::Becoming;
use super::quota::{limit, report_no_crash};
use super::spec::{Jail, JailedCommand, Limits, Reach, Tier};
use super::tree::HOST_NAME;
use super::wire::Channel;
use super::{filter, probe, tree};

/// Joins the run's user namespace and the check's network, and makes all other namespaces. The next
/// child is the first process in them.
pub(super) fn leave_the_machine(jail: &Jail) -> io::Result<()> {
    let open = |place: &PathBuf| std::fs::File::open(place);
    let users =
        jail.users.as_ref().ok_or_else(|| io::Error::other("no user namespace is named"))?;
    let (users, network) = (open(users)?, jail.network.as_ref().map(open).transpose()?);
    move_into_link_name_space(users.as_fd(), Some(LinkNameSpaceType::User))?;
    if let Some(network) = network {
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
    }
    let own =
        UnshareFlags::NEWNS | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS | UnshareFlags::NEWCGROUP;
    let own = if jail.has("processes") { own | UnshareFlags::NEWPID } else { own };
    // SAFETY: this process has one thread and shares no file descriptors.
    unsafe { rustix::thread::unshare_unsafe(own) }?;
    // SAFETY: the name lives for as long as the call. If it fails, the machine's own name stays.
    unsafe { libc::sethostname(HOST_NAME.as_ptr().cast(), HOST_NAME.len()) };
    Ok(())
}

/// Makes the file tree. The first process of the namespaces calls this.
pub(super) fn furnish(jail: &Jail, folder: &Path) -> io::Result<()> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?; // the program must not look into its keeper
    if jail.has("files") {
        let disk =
            if jail.has("disk") { jail.reach.limits.disk } else { jail.reach.limits.disk * 64 };
        tree::enter(&jail.reach, folder, disk, owner(), jail.has("processes"))?;
    }
    Ok(())
}

/// Returns the program's user in the run's user namespace: a second user where the harness is root.
fn owner() -> u32 {
    let second =
        std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| map.lines().count() > 1);
    if second { STUDENT } else { 0 }
}

/// Starts the program, or the self-test, in `folder` with this standard input. Returns where the
/// kernel asks about refused calls, too, if it asks.
pub(super) fn start(
    launch: &JailedCommand,
    folder: &Path,
    stdin: OwnedFd,
) -> io::Result<(Pid, Option<OwnedFd>)> {
    let (mut trouble, report) = Channel::pair()?;
    match fork()? {
        Forked::Child => {
            let report = Channel::new(report);
            drop(trouble);
            let error = Inside { jail: &launch.jail, folder }.become_it(launch, stdin, &report);
            _ = report.send(&Becoming::Failed(error.to_string()));
            // SAFETY: this ends the process at once; the fork copied nothing that needs cleaning
            // up.
            unsafe { libc::_exit(127) }
        }
        Forked::Parent(program) => {
            drop((report, stdin));
            while let Some(message) = trouble.receive()? {
                if let Becoming::Failed(why) = message {
                    return Err(io::Error::other(why));
                }
            }
            Ok((program, trouble.take_descriptor()))
        }
    }
}

/// The jail, seen by the process that becomes the program.
struct Inside<'a> {
    jail: &'a Jail,
    folder: &'a Path,
}

impl Inside<'_> {
    /// Returns only on failure. The report channel closes when the program is executed.
    fn become_it(&self, launch: &JailedCommand, stdin: OwnedFd, report: &Channel) -> io::Error {
        match self.confine(stdin, report) {
            Err(error) => error,
            Ok(()) => match &self.jail.self_test {
                Some(targets) => {
                    _ = report.finish();
                    probe::run(self.jail, targets)
                }
                None => self.execute(&launch.command),
            },
        }
    }

    fn execute(&self, command: &[OsString]) -> io::Error {
        let Some((executable, arguments)) = command.split_first() else {
            return io::Error::other("the command is empty");
        };
        let named = command.iter().map(PathBuf::from).filter(|word| word.is_file());
        let Reach { read, write, .. } = &self.jail.reach;
        let mut places = read.iter().chain(write).cloned().chain(named);
        if let Some(error) = places.find_map(|place| unreadable(&place)) {
            return error;
        }
        let temporary = if self.has_own_files() { Path::new("/tmp") } else { self.folder };
        // Compilers look for settings above the folder that they are started in: the machine's.
        let is_compiler = !self.jail.reach.write.is_empty();
        let sees_above = is_compiler && !self.has_own_files();
        Command::new(executable)
            .args(arguments)
            .current_dir(if sees_above { Path::new("/") } else { self.folder })
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder)
            .env("TMPDIR", temporary)
            .env("LANG", "C.UTF-8")
            .env("RUST_BACKTRACE", "0")
            .envs(self.jail.reach.environment.iter().map(|(name, value)| (name, value)))
            .exec()
    }

    /// Gives up the program's rights. The order matters: each step needs the rights that later
    /// steps remove.
    fn confine(&self, stdin: OwnedFd, report: &Channel) -> io::Result<()> {
        let jail = self.jail;
        rustix::process::setpgid(None, None)?;
        rustix::stdio::dup2_stdin(&stdin)?;
        if jail.has("handles") {
            close_what_is_inherited()?;
        }
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        if jail.tier == Tier::Namespaces && jail.has("privileges") {
            become_nobody()?;
            leave_the_users()?;
        }
        self.limit()?; // after the user namespace: that one passes its maker's limit on to all its siblings together
        _ = std::fs::write("/proc/self/oom_score_adj", "1000"); // when memory is short, the kernel ends this process first
        if jail.has("privileges") {
            renounce_capabilities()?;
        }
        rustix::thread::set_no_new_privs(true)?;
        if jail.has("landlock") {
            self.rules()?.enforce()?;
        }
        if jail.has("seccomp")
            && let Some(listener) = filter::enforce(jail.shares_the_network())?
        {
            report.send_with(&Becoming::Filtered, listener.as_fd())?;
        }
        Ok(())
    }

    fn has_own_files(&self) -> bool {
        self.jail.tier == Tier::Namespaces && self.jail.has("files")
    }

    fn limit(&self) -> io::Result<()> {
        let Jail { tier, reach, .. } = self.jail;
        let Limits { tasks, descriptors, disk, .. } = reach.limits;
        if !self.jail.has("limits") {
            return Ok(());
        }
        limit(Resource::Nofile, descriptors)?;
        report_no_crash()?;
        if *tier == Tier::Namespaces {
            if reach.write.is_empty() && self.jail.has("disk") {
                limit(Resource::Fsize, disk + disk / 4)?; // for files in memory; the rest has less room
            }
            return limit(Resource::Nproc, tasks + SPARE);
        }
        // The user's other processes count, too. This limit protects the machine; the keeper
        // watches the exact one.
        limit(Resource::Nproc, tasks_of_this_user() + 2 * tasks)?;
        // The keeper watches what a build writes in all its files together.
        let largest = if reach.write.is_empty() { disk } else { 16 * disk };
        limit(Resource::Fsize, if self.jail.has("disk") { largest } else { u64::MAX })
    }

    fn rules(&self) -> io::Result<Rules> {
        let (jail, reach) = (self.jail, &self.jail.reach);
        let rules = Rules::new(jail.shares_the_network())?;
        jail.ports.iter().try_for_each(|port| rules.allow_connecting(*port))?;
        let whole = match reach.execute {
            Some(_) => Access::READ,
            None => Access::READ_AND_EXECUTE,
        };
        for place in tree::system_places().chain(reach.read.iter().cloned()) {
            rules.allow(&place, whole)?;
        }
        for place in reach.execute.iter().flatten().cloned().chain(LOADERS.map(PathBuf::from)) {
            let folder = place.is_dir();
            rules.allow(&place, if folder { Access::READ_AND_EXECUTE } else { Access::EXECUTE })?;
        }
        for place in DEVICES {
            rules.allow(Path::new(place), Access::DEVICE)?;
        }
        // A compiler executes what it has written; a program under test does not.
        let write = if reach.write.is_empty() { Access::WRITE } else { Access::EVERYTHING };
        for place in reach.write.iter().map(PathBuf::as_path).chain([self.folder]) {
            rules.allow(place, write)?;
        }
        if self.has_own_files() {
            tree::own_folders(reach).iter().try_for_each(|place| rules.allow(place, write))?;
            rules.allow(Path::new("/"), Access::READ)?;
            for place in ["/tmp", "/dev/shm", "/dev/mqueue"] {
                rules.allow(Path::new(place), write)?;
            }
        }
        Ok(rules)
    }
}

/// Returns an error if the program's user, which this process is by now, cannot read a place.
fn unreadable(place: &Path) -> Option<io::Error> {
    use rustix::fs::Access;
    let enter = if place.is_dir() { Access::EXEC_OK } else { Access::empty() };
    let error = rustix::fs::access(place, Access::READ_OK | enter).err()?;
    let above = place.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    let closed = above.filter(|above| rustix::fs::access(*above, Access::EXEC_OK).is_err()).last();
    let place = place.display();
    let way_out = match closed {
        _ if error == Errno::NOENT => "chmod a+x each folder above it".to_owned(),
        Some(above) => format!("chmod a+x {}", above.display()),
        None => format!("chmod -R a+rX {place}"),
    };
    Some(io::Error::other(format!(
        "{place} cannot be read by the user that programs run as; allow it: {way_out}"
    )))
}

const DEVICES: [&str; 6] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/proc"];

/// Closes descriptors that the harness inherited from its parent (close_range(2)).
fn close_what_is_inherited() -> io::Result<()> {
    const FIRST: libc::c_uint = 3;
    // SAFETY: the call takes numbers, and marks descriptors for the moment at which a program is
    // executed.
    checked(unsafe {
        libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    })?;
    Ok(())
}

/// Lets a program exceed its limit on tasks, so that the keeper sees it.
const SPARE: u64 = 8;

fn tasks_of_this_user() -> u64 {
    use std::os::unix::fs::MetadataExt;
    let own = rustix::process::getuid().as_raw();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.metadata().is_ok_and(|facts| facts.uid() == own));
    ours.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .map(|pid| u64::from(crate::observe::thread_count(pid)))
        .sum()
}

/// The dynamic loaders: the kernel executes one before a dynamically linked program.
const LOADERS: [&str; 5] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux-riscv64-lp64d.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];

/// Changes to the program's user where the harness is root. Real root has no limit on processes and
/// owns root's files.
fn become_nobody() -> io::Result<()> {
    if owner() == 0 {
        return Ok(());
    }
    // SAFETY: these calls take numbers, and this process has one thread.
    let done = unsafe {
        libc::setgroups(0, std::ptr::null()) == 0
            && libc::setresgid(STUDENT, STUDENT, STUDENT) == 0
            && libc::setresuid(STUDENT, STUDENT, STUDENT) == 0
    };
    if !done {
        return Err(io::Error::last_os_error());
    }
    Ok(rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)?)
}

/// Makes a user namespace for the program alone. Its limit on processes then counts only its own,
/// and it owns nothing of the keeper.
fn leave_the_users() -> io::Result<()> {
    let (user, group) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    // SAFETY: this process has one thread and shares no file descriptors.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER) }?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{STUDENT} {user} 1\n"))?;
    std::fs::write("/proc/self/gid_map", format!("{STUDENT} {group} 1\n"))
}

/// Drops all capabilities. Where this process is root, executing a program does not restore them
/// (capabilities(7), securebits).
fn renounce_capabilities() -> io::Result<()> {
    const NO_ROOT: libc::c_ulong = 0b1111; // SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP, both locked
    // SAFETY: the call takes numbers. It fails without the capability, and then there is nothing to
    // drop.
    unsafe { libc::prctl(libc::PR_SET_SECUREBITS, NO_ROOT, 0, 0, 0) };
    let none = CapabilitySet::empty();
    let none = CapabilitySets { effective: none, permitted: none, inheritable: none };
    Ok(rustix::thread::set_capabilities(None, none)?)
}

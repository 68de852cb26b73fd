//! Puts a program into its jail, by three processes with one thread each.
//!
//! The *launcher* joins the check's network and makes namespaces. Its child, the *keeper*, is the
//! first process in them: it makes the file tree, starts the program and reaps its orphans, and
//! when it ends the kernel ends everything. The *program* gives up its rights before it is
//! executed. Without namespaces the launcher is the keeper.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Pid, Resource};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

use super::broker::STUDENT;
use super::group::{Joined, SPARE};
use super::kernel::{Forked, checked, copy_from, end_with_parent, fork};
use super::lack::told;
use super::landlock::{Access, Rules};
use super::messages::Becoming;
use super::not_started::NotStarted;
use super::quota::{limit, limit_descriptors, raise_descriptors, report_no_crash};
use super::spec::{Jail, JailedCommand, Limits, Reach, Tier};
use super::tree::HOST_NAME;
use super::wire::Channel;
use super::{filter, hidden, probe, tree, users};

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
pub(super) fn furnish(jail: &Jail, folder: &Path, user: Option<u32>) -> io::Result<()> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?; // the program must not look into its keeper
    if jail.has("files") {
        let disk =
            if jail.has("disk") { jail.reach.limits.disk } else { jail.reach.limits.disk * 64 };
        let (reach, owner) = (&jail.reach, user.unwrap_or(0));
        let (own_proc, hidden) = (jail.has("processes"), &jail.hidden);
        tree::enter(&tree::Tree { reach, folder, disk, owner, own_proc, hidden })?;
    }
    Ok(())
}

/// Starts the program, or the self-test, in `folder` with this standard input, as this user.
/// Returns where the kernel asks about refused calls, too, if it asks.
pub(super) fn start(
    launch: &JailedCommand,
    folder: &Path,
    user: Option<u32>,
    stdin: OwnedFd,
    group: Option<&Joined>,
) -> Result<(Pid, Option<OwnedFd>), NotStarted> {
    let (mut trouble, report) = Channel::pair()?;
    let inside = Inside { jail: &launch.jail, folder, user, group };
    inside.give_what_is_its_own()?;
    match fork()? {
        Forked::Child => {
            let mut report = Channel::new(report);
            drop(trouble);
            let error = inside.become_it(launch, stdin, &mut report);
            _ = report.send(&Becoming::from(error));
            // SAFETY: this ends the process at once; the fork copied nothing that needs cleaning
            // up.
            unsafe { libc::_exit(127) }
        }
        Forked::Parent(program) => {
            drop((report, stdin));
            let mut listener = None;
            while let Some(message) = trouble.receive()? {
                match message {
                    Becoming::Filtered(number) => {
                        listener = taken_over(program, number, &mut trouble)?;
                    }
                    Becoming::Failed(code, why) => return Err(told(code, why).into()),
                    Becoming::Unusable(why) => return Err(NotStarted::Unusable(why)),
                }
            }
            Ok((program, listener))
        }
    }
}

/// Lets the keeper copy a descriptor of this process. Where it cannot, it is sent.
fn hand_over(listener: &OwnedFd, report: &mut Channel) -> io::Result<()> {
    let message = Becoming::Filtered(listener.as_raw_fd().cast_unsigned());
    report.send(&message)?;
    match report.receive()? {
        Some(true) => Ok(()),
        _ => report.send_with(&message, listener.as_fd()),
    }
}

/// Takes what [`hand_over`] gives: the descriptor that was sent, or a copy.
fn taken_over(program: Pid, number: u32, trouble: &mut Channel) -> io::Result<Option<OwnedFd>> {
    if let Some(sent) = trouble.take_descriptor() {
        return Ok(Some(sent));
    }
    let copy = copy_from(program, number);
    trouble.send(&copy.is_some())?;
    Ok(copy)
}

/// The jail, seen by the process that becomes the program.
struct Inside<'a> {
    jail: &'a Jail,
    folder: &'a Path,
    /// The user to become; `None` to stay the harness's.
    user: Option<u32>,
    group: Option<&'a Joined>,
}

impl Inside<'_> {
    /// Gives the user its output, and its folder where that is not made for it in memory.
    fn give_what_is_its_own(&self) -> io::Result<()> {
        let Some(user) = self.user else { return Ok(()) };
        users::give_output(user);
        if self.has_own_files() { Ok(()) } else { users::give(self.folder, user) }
    }

    /// Returns only on failure. The report channel closes when the program is executed.
    fn become_it(
        &self,
        launch: &JailedCommand,
        stdin: OwnedFd,
        report: &mut Channel,
    ) -> NotStarted {
        match self.confine(&launch.command, stdin, report) {
            Err(error) => error.into(),
            Ok(()) => match &self.jail.self_test {
                Some(targets) => {
                    _ = report.finish();
                    probe::run(self.jail, targets).into()
                }
                None => self.execute(&launch.command),
            },
        }
    }

    fn execute(&self, command: &[OsString]) -> NotStarted {
        let Some((executable, arguments)) = command.split_first() else {
            return io::Error::other("the command is empty").into();
        };
        if let Some(error) = self.needed(command).find_map(|place| unreadable(&place)) {
            return error.into();
        }
        if let Some(error) = of_its_owner_alone(Path::new(executable)) {
            return error.into();
        }
        let temporary = if self.has_own_files() { Path::new("/tmp") } else { self.folder };
        // Compilers look for settings above the folder that they are started in: the machine's.
        let is_compiler = !self.jail.reach.write.is_empty();
        let sees_above = is_compiler && !self.has_own_files();
        if let Err(error) =
            std::env::set_current_dir(if sees_above { Path::new("/") } else { self.folder })
        {
            return error.into(); // the folder is the harness's
        }
        let error = Command::new(executable)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder)
            .env("TMPDIR", temporary)
            .env("LANG", "C.UTF-8")
            .env("RUST_BACKTRACE", "0")
            .envs(self.jail.reach.environment.iter().map(|(name, value)| (name, value)))
            .exec();
        NotStarted::of_execution(Path::new(executable), error)
    }

    /// Returns the places that the program cannot do without.
    fn needed(&self, command: &[OsString]) -> impl Iterator<Item = PathBuf> {
        let named = command.iter().map(PathBuf::from).filter(|word| word.is_file());
        let Reach { read, write, .. } = &self.jail.reach;
        read.iter().chain(write).cloned().chain(named)
    }

    /// Whether a place is closed to the program's user which the harness may let it pass.
    fn needs_to_pass(&self, command: &[OsString]) -> bool {
        let mut places = self.needed(command).chain([self.folder.to_owned()]);
        self.jail.tier == Tier::Landlock && places.any(|place| unreadable(&place).is_some())
    }

    /// Gives up the program's rights. The order matters: each step needs the rights that later
    /// steps remove.
    fn confine(
        &self,
        command: &[OsString],
        stdin: OwnedFd,
        report: &mut Channel,
    ) -> io::Result<()> {
        let jail = self.jail;
        self.group.map_or(Ok(()), Joined::enter)?;
        raise_descriptors();
        rustix::process::setpgid(None, None)?;
        rustix::stdio::dup2_stdin(&stdin)?;
        if jail.has("handles") {
            close_what_is_inherited()?;
        }
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        if jail.has("privileges") {
            self.leave_the_harness()?;
        }
        self.limit()?; // after the user namespace: that one passes its maker's limit on to all its siblings together
        _ = std::fs::write("/proc/self/oom_score_adj", "1000"); // when memory is short, the kernel ends this process first
        if jail.has("privileges") {
            users::renounce(|| self.needs_to_pass(command))?;
        }
        rustix::thread::set_no_new_privs(true)?;
        end_with_parent();
        if jail.has("landlock") {
            self.rules()?.enforce()?;
        }
        if jail.has("seccomp")
            && let Some(listener) = filter::enforce(filter::Setting::of(jail))?
        {
            hand_over(&listener, report)?;
        }
        // Last: it would limit what is sent to the keeper, too.
        if jail.has("limits") {
            limit_descriptors(jail.reach.limits.descriptors)?;
        }
        Ok(())
    }

    /// Whether no other process has the program's user.
    fn is_alone(&self) -> bool {
        self.jail.has("privileges") && self.user.is_some_and(|user| user >= users::FIRST)
    }

    /// Becomes the program's user, in a user namespace for it alone where there are namespaces.
    fn leave_the_harness(&self) -> io::Result<()> {
        let user = self.user.filter(|_| self.jail.has("user"));
        user.map_or(Ok(()), users::become_user)?;
        if self.jail.tier == Tier::Namespaces { leave_the_users() } else { Ok(()) }
    }

    fn has_own_files(&self) -> bool {
        self.jail.tier == Tier::Namespaces && self.jail.has("files")
    }

    fn limit(&self) -> io::Result<()> {
        let Jail { tier, reach, .. } = self.jail;
        let Limits { tasks, disk, .. } = reach.limits;
        if !self.jail.has("limits") {
            return Ok(());
        }
        report_no_crash()?;
        if *tier == Tier::Namespaces {
            if self.jail.has("disk") {
                // A program's files are in memory, which has less room.
                limit(
                    Resource::Fsize,
                    if reach.write.is_empty() { disk + disk / 4 } else { 16 * disk },
                )?;
            }
            return limit(Resource::Nproc, tasks + SPARE);
        }
        // The user's other processes count, too. This limit protects the machine; the keeper
        // watches the exact one.
        let others = if self.is_alone() { 0 } else { tasks_of_this_user() };
        limit(Resource::Nproc, others + 2 * tasks)?;
        // The keeper watches what a build writes in all its files together.
        let largest = if reach.write.is_empty() { disk } else { 16 * disk };
        limit(Resource::Fsize, if self.jail.has("disk") { largest } else { u64::MAX })
    }

    /// Returns the folders of the system that may not be read. A program that may execute only
    /// certain files must not read commands either: the dynamic loader runs what it can read.
    fn hidden(&self) -> Vec<PathBuf> {
        let is_limited = self.jail.reach.execute.is_some() && self.jail.has("commands");
        let commands = hidden::commands().filter(|_| is_limited);
        let private = self.jail.hidden.iter().filter(|_| !self.has_own_files()).cloned();
        private.chain(commands).collect()
    }

    /// Returns the places in `/proc` that may be read. Where others' processes are there, a program
    /// reads what the kernel says of the machine and of its first process. A command line of another
    /// process may hold secrets.
    fn facts_of_the_kernel(&self) -> Vec<PathBuf> {
        let has_own = self.jail.tier == Tier::Namespaces && self.jail.has("processes");
        if has_own || !self.jail.reach.write.is_empty() {
            return vec!["/proc".into()];
        }
        let is_of_a_process = |name: &OsString| name.as_encoded_bytes()[0].is_ascii_digit();
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let entries = entries.filter(|entry| !is_of_a_process(&entry.file_name()));
        entries.map(|entry| entry.path()).collect()
    }

    fn rules(&self) -> io::Result<Rules> {
        let (jail, reach) = (self.jail, &self.jail.reach);
        let rules = Rules::new(jail.shares_the_network())?;
        jail.ports.iter().try_for_each(|port| rules.allow_connecting(*port))?;
        let whole = match reach.execute {
            Some(_) => Access::READ,
            None => Access::READ_AND_EXECUTE,
        };
        let hidden = self.hidden();
        tree::system_places()
            .try_for_each(|place| hidden::allow_except(&rules, &place, whole, &hidden))?;
        reach.read.iter().try_for_each(|place| rules.allow(place, whole))?;
        for place in reach.execute.iter().flatten().cloned().chain(LOADERS.map(PathBuf::from)) {
            let folder = place.is_dir();
            rules.allow(&place, if folder { Access::READ_AND_EXECUTE } else { Access::EXECUTE })?;
        }
        for place in DEVICES {
            rules.allow(Path::new(place), Access::DEVICE)?;
        }
        for place in self.facts_of_the_kernel() {
            rules.allow(&place, Access::READ)?;
        }
        // A compiler executes what it has written; a program under test does not.
        let write = if reach.write.is_empty() { Access::WRITE } else { Access::EVERYTHING };
        for place in reach.write.iter().map(PathBuf::as_path).chain([self.folder]) {
            rules.allow(place, write)?;
        }
        if self.has_own_files() {
            tree::own_folders(reach, &jail.hidden)
                .iter()
                .try_for_each(|place| rules.allow(place, write))?;
            rules.allow(Path::new("/"), Access::LIST)?;
            hidden::allow_except(&rules, Path::new("/"), Access::READ, &hidden)?;
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

/// Returns an error if a file can be executed, but not by the program's user. What a submission
/// builds is open to all users, so this is a program that a command line names.
fn of_its_owner_alone(executable: &Path) -> Option<io::Error> {
    use rustix::fs::Access;
    use std::os::unix::fs::PermissionsExt;
    let is_program = executable.metadata().is_ok_and(|it| it.permissions().mode() & 0o111 != 0);
    if !is_program || rustix::fs::access(executable, Access::EXEC_OK).is_ok() {
        return None;
    }
    let place = executable.display();
    Some(io::Error::other(format!(
        "{place} cannot be executed by the user that programs run as; allow it: chmod a+rx {place}"
    )))
}

const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

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

/// Returns how many processes and threads this user has.
pub(crate) fn tasks_of_this_user() -> u64 {
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

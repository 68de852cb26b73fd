//! Makes a private network for each check, and sockets in it for the harness.
//!
//! Without privileges, a process with several threads cannot enter a network namespace. The broker
//! is a helper process with one thread, which can. It makes one user namespace for the run and one
//! network namespace for each check, and sends sockets made there to the harness. It ends when the
//! harness ends, and the kernel then removes its namespaces.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::Pid;
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};
use socket2::{Domain, Socket, Type};

use super::interface;
use super::kernel::{about, copy_from};
use super::messages::{BrokerAnswer, BrokerRequest};
use super::quota::raise_descriptors;
use super::users::{self, NOBODY};
use super::wire::Channel;

/// The first argument that makes an executable a broker.
pub(super) const ARGUMENT: &str = "__broker";

/// The program's user id in its jail.
pub(super) const STUDENT: u32 = 1000;

/// The harness's side of the broker.
#[derive(Debug)]
pub(super) struct Broker {
    process: Child,
    channel: Mutex<Channel>,
}

/// A network namespace from which nothing can be sent: loopback, and an interface that leads nowhere.
#[derive(Debug)]
pub(crate) struct PrivateNetwork {
    broker: Arc<Broker>,
    /// The broker's descriptor of the namespace.
    number: u32,
}

impl Broker {
    pub(super) fn start(executable: &Path) -> io::Result<Arc<Self>> {
        let (mut channel, theirs) = Channel::pair()?;
        let process = Command::new(executable)
            .arg(ARGUMENT)
            .env_clear()
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let ready = answer(&mut channel);
        let broker = Arc::new(Self { process, channel: Mutex::new(channel) });
        ready.map_err(|error| about("no user namespace", error))?;
        map_users(broker.process.id())
            .map_err(|error| about("no users in the user namespace", error))?;
        broker.network().map_err(|error| about("no network namespace", error))?;
        Ok(broker)
    }

    /// Returns the path of the user namespace.
    pub(super) fn users(&self) -> PathBuf {
        format!("/proc/{}/ns/user", self.process.id()).into()
    }

    /// Makes a private network.
    pub(super) fn network(self: &Arc<Self>) -> io::Result<PrivateNetwork> {
        let (number, _) = self.ask(BrokerRequest::NewNetwork)?;
        Ok(PrivateNetwork { broker: Arc::clone(self), number })
    }

    fn ask(&self, request: BrokerRequest) -> io::Result<(u32, Option<OwnedFd>)> {
        let mut channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        exchange(&mut channel, request)
    }

    /// Makes a socket in a network. Another request between the two would replace it.
    fn socket(&self, request: BrokerRequest) -> io::Result<Option<OwnedFd>> {
        let mut channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, _) = exchange(&mut channel, request)?;
        let copy = copy_from(Pid::from_child(&self.process), number);
        let done = if copy.is_some() { BrokerRequest::Copied } else { BrokerRequest::Send };
        let (_, sent) = exchange(&mut channel, done)?;
        Ok(copy.or(sent))
    }
}

fn exchange(channel: &mut Channel, request: BrokerRequest) -> io::Result<(u32, Option<OwnedFd>)> {
    channel.send(&request).map_err(|error| about("the broker has gone", error))?;
    answer(channel)
}

fn answer(channel: &mut Channel) -> io::Result<(u32, Option<OwnedFd>)> {
    match channel.receive()? {
        Some(BrokerAnswer::Done(number)) => Ok((number, channel.take_descriptor())),
        Some(BrokerAnswer::Failed(error)) => Err(io::Error::from_raw_os_error(error)),
        None => Err(io::Error::other("the broker has gone")),
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        _ = self.channel.get_mut().unwrap_or_else(PoisonError::into_inner).finish();
        _ = self.process.wait();
    }
}

impl PrivateNetwork {
    pub(super) fn socket(&self, domain: Domain, kind: Type) -> io::Result<Socket> {
        let request = BrokerRequest::Socket(self.number, domain.into(), kind.into());
        let socket = self.broker.socket(request)?;
        socket.map(Socket::from).ok_or_else(|| io::Error::other("the broker sent no socket"))
    }

    pub(super) fn place(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", self.broker.process.id(), self.number).into()
    }
}

impl Drop for PrivateNetwork {
    fn drop(&mut self) {
        _ = self.broker.ask(BrokerRequest::Forget(self.number));
    }
}

/// Maps the harness's user to root in the namespace. Where the harness is root, the users of the
/// programs are mapped, too: a root that is also root outside would still own root's files.
fn map_users(broker: u32) -> io::Result<()> {
    let (user, group) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let map = |name: &str, text: String| std::fs::write(format!("/proc/{broker}/{name}"), text);
    if user == 0 {
        let others = [(NOBODY, 1), (users::FIRST, users::COUNT)].into_iter();
        let others: String = others
            .filter(|(first, count)| users::is_mapped(*first, *count))
            .map(|(first, count)| format!("{first} {first} {count}\n"))
            .collect();
        map("uid_map", format!("0 0 1\n{others}"))?;
        return map("gid_map", format!("0 {group} 1\n{others}"));
    }
    map("setgroups", "deny".to_owned())?;
    map("uid_map", format!("0 {user} 1\n"))?;
    map("gid_map", format!("0 {group} 1\n"))
}

/// Serves requests until the harness has ended.
pub(super) fn serve() -> io::Result<()> {
    let mut channel = Channel::of_this_process()?;
    raise_descriptors();
    // SAFETY: this process has one thread and shares no file descriptors.
    let own = unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER) };
    reply(&channel, own.map(|()| (0, None)).map_err(io::Error::from))?;
    let (mut networks, mut made) = (Vec::new(), None);
    while let Some(request) = channel.receive()? {
        reply(&channel, fulfil(request, &mut networks, &mut made))?;
    }
    Ok(())
}

/// The number of the network, and a socket where the request asks for one.
type Done = io::Result<(u32, Option<Socket>)>;

fn fulfil(request: BrokerRequest, networks: &mut Vec<OwnedFd>, made: &mut Option<Socket>) -> Done {
    let has = |network: &OwnedFd, number: u32| network.as_raw_fd() as u32 == number;
    match request {
        BrokerRequest::NewNetwork => {
            // SAFETY: this process has one thread and shares no file descriptors.
            unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }?;
            separate_tables();
            interface::bring_up("lo")?;
            _ = interface::make(); // without it a program finds only loopback
            let network = OwnedFd::from(std::fs::File::open("/proc/self/ns/net")?);
            let number = network.as_raw_fd() as u32;
            networks.push(network);
            Ok((number, None))
        }
        BrokerRequest::Socket(number, domain, kind) => {
            let network = networks.iter().find(|network| has(network, number));
            let network = network.ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))?;
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
            let socket = made.insert(Socket::new(domain.into(), kind.into(), None)?);
            Ok((socket.as_raw_fd().cast_unsigned(), None))
        }
        BrokerRequest::Copied => {
            *made = None;
            Ok((0, None))
        }
        BrokerRequest::Send => Ok((0, made.take())),
        BrokerRequest::Forget(number) => {
            networks.retain(|network| !has(network, number));
            Ok((number, None))
        }
    }
}

/// Gives the network that is made next a table of TCP connections to itself. Otherwise it shares the
/// machine's, and each look at its sockets walks through the whole of that. The kernel derives the
/// limit on half-open connections from the size, so this one keeps the usual limit (ip-sysctl.rst in
/// the kernel's documentation). A kernel without these settings does as before.
fn separate_tables() {
    const SETTINGS: [(&str, &str); 2] =
        [("tcp_child_ehash_entries", "8192"), ("tcp_max_syn_backlog", "2048")];
    for (name, value) in SETTINGS {
        _ = std::fs::write(format!("/proc/sys/net/ipv4/{name}"), value);
    }
}

fn reply(channel: &Channel, done: Done) -> io::Result<()> {
    match done {
        Ok((number, None)) => channel.send(&BrokerAnswer::Done(number)),
        Ok((number, Some(socket))) => channel
            .send_with(&BrokerAnswer::Done(number), socket.as_fd())
            .or_else(|error| channel.send(&failed(&error))),
        Err(error) => channel.send(&failed(&error)),
    }
}

fn failed(error: &io::Error) -> BrokerAnswer {
    BrokerAnswer::Failed(error.raw_os_error().unwrap_or(libc::EIO))
}

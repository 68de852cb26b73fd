//! Networks of their own for checks, and sockets in them for the harness.
//!
//! A process with several threads cannot enter a network namespace without privileges. The broker
//! is a process of one thread that can: it makes a user namespace for the run, in it a network
//! namespace for each check, brings loopback up, and hands out sockets that it makes there. It goes
//! when the harness does, and what it has made goes with it.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use rustix::thread::{LinkNameSpaceType, UnshareFlags};
use socket2::{Domain, Socket, Type};

/// The first argument that makes an executable a broker.
pub(crate) const ARGUMENT: &str = "__broker";

/// Whom programs run as where the harness is root: nobody, by its usual number.
pub(super) const NOBODY: u32 = 65_534;

/// What a program's user is called in its jail, and in the run's user namespace where the
/// harness is root.
pub(crate) const STUDENT: u32 = 1000;

/// The harness's side.
#[derive(Debug)]
pub(crate) struct Broker {
    process: Mutex<Child>,
    channel: Mutex<UnixStream>,
    id: u32,
}

/// A network namespace with nothing in it but loopback.
#[derive(Debug)]
pub(crate) struct PrivateNetwork {
    broker: Arc<Broker>,
    /// The broker's descriptor of it.
    number: u32,
}

/// What the harness asks for, in sixteen bytes, and the answer: an error's number or 0, and a
/// number.
const NEW: u32 = 1;
const SOCKET: u32 = 2;
const FORGET: u32 = 3;

impl Broker {
    pub(crate) fn start(executable: &Path) -> io::Result<Arc<Self>> {
        let (ours, theirs) = UnixStream::pair()?;
        let process = Command::new(executable)
            .arg(ARGUMENT)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let broker = Arc::new(Self {
            id: process.id(),
            process: Mutex::new(process),
            channel: Mutex::new(ours),
        });
        broker.answer(&broker.lock()).map_err(|error| refused("no user namespace", &error))?;
        map_users(broker.id).map_err(|error| refused("no users in the user namespace", &error))?;
        broker.network().map_err(|error| refused("no network namespace", &error))?;
        Ok(broker)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, UnixStream> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its user namespace, as a path.
    pub(crate) fn users(&self) -> String {
        format!("/proc/{}/ns/user", self.id)
    }

    fn ask(&self, what: u32, network: u32, socket: [i32; 2]) -> io::Result<(u32, Option<OwnedFd>)> {
        let mut channel = self.lock();
        let [domain, kind] = socket.map(|number| number as u32);
        channel.write_all(&[what, network, domain, kind].map(u32::to_ne_bytes).concat())?;
        self.answer(&channel)
    }

    fn answer(&self, channel: &UnixStream) -> io::Result<(u32, Option<OwnedFd>)> {
        let mut bytes = [0; 8];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::net::recvmsg(
            channel,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )?;
        if received.bytes != bytes.len() {
            return Err(io::Error::other("the broker has gone"));
        }
        let [error, number] =
            [0, 4].map(|at| u32::from_ne_bytes([0, 1, 2, 3].map(|n| bytes[at + n])));
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error as i32));
        }
        let socket = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut sockets) => sockets.next(),
            _ => None,
        });
        Ok((number, socket))
    }
}

impl Broker {
    /// A new network of its own.
    pub(crate) fn network(self: &Arc<Self>) -> io::Result<PrivateNetwork> {
        let (number, _) = self.ask(NEW, 0, [0, 0])?;
        Ok(PrivateNetwork { broker: Arc::clone(self), number })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        _ = self.lock().shutdown(std::net::Shutdown::Both);
        _ = self.process.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

impl PrivateNetwork {
    pub(crate) fn socket(&self, domain: Domain, kind: Type) -> io::Result<Socket> {
        let (_, socket) = self.broker.ask(SOCKET, self.number, [domain.into(), kind.into()])?;
        socket.map(Socket::from).ok_or_else(|| io::Error::other("the broker sent no socket"))
    }

    pub(crate) fn place(&self) -> String {
        format!("/proc/{}/fd/{}", self.broker.id, self.number)
    }
}

impl Drop for PrivateNetwork {
    fn drop(&mut self) {
        _ = self.broker.ask(FORGET, self.number, [0, 0]);
    }
}

fn refused(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// The harness's user is root in the namespace. Where the harness itself is root, there is a second
/// one for the programs: a namespace's root that is root outside, too, would still be the owner of
/// root's files.
fn map_users(broker: u32) -> io::Result<()> {
    let (user, group) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let map = |name: &str, text: String| std::fs::write(format!("/proc/{broker}/{name}"), text);
    if user == 0 {
        map("uid_map", format!("0 0 1\n{STUDENT} {NOBODY} 1\n"))?;
        return map("gid_map", format!("0 {group} 1\n{STUDENT} {NOBODY} 1\n"));
    }
    map("setgroups", "deny".to_owned())?;
    map("uid_map", format!("0 {user} 1\n"))?;
    map("gid_map", format!("0 {group} 1\n"))
}

/// Runs as a broker until the harness has gone.
pub(crate) fn serve() -> ExitCode {
    let Ok(channel) = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else {
        return ExitCode::from(3);
    };
    // SAFETY: this process has one thread and shares no file descriptors.
    let own = unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER) };
    let mut networks = Vec::new();
    if reply(&channel, own.map(|()| (0, None)).map_err(io::Error::from)).is_err() {
        return ExitCode::from(3);
    }
    let mut request = [0; 16];
    while (&channel).read_exact(&mut request).is_ok() {
        let [what, network, domain, kind] =
            [0, 4, 8, 12].map(|at| u32::from_ne_bytes([0, 1, 2, 3].map(|n| request[at + n])));
        let done = match what {
            NEW => new_network(&mut networks),
            SOCKET => socket_in(&networks, network, domain as i32, kind as i32),
            FORGET => {
                networks.retain(|held: &OwnedFd| held.as_raw_fd() as u32 != network);
                Ok((0, None))
            }
            _ => Err(io::Error::from_raw_os_error(libc::EINVAL)),
        };
        if reply(&channel, done).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

type Done = io::Result<(u32, Option<Socket>)>;

fn new_network(networks: &mut Vec<OwnedFd>) -> Done {
    // SAFETY: as above.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }?;
    bring_loopback_up()?;
    let network = OwnedFd::from(std::fs::File::open("/proc/self/ns/net")?);
    let number = network.as_raw_fd() as u32;
    networks.push(network);
    Ok((number, None))
}

fn socket_in(networks: &[OwnedFd], network: u32, domain: i32, kind: i32) -> Done {
    let held = networks.iter().find(|held| held.as_raw_fd() as u32 == network);
    let held = held.ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))?;
    rustix::thread::move_into_link_name_space(held.as_fd(), Some(LinkNameSpaceType::Network))?;
    Ok((0, Some(Socket::new(domain.into(), kind.into(), None)?)))
}

fn reply(channel: &UnixStream, done: Done) -> io::Result<()> {
    let (error, number, socket) = match done {
        Ok((number, socket)) => (0, number, socket),
        Err(error) => (error.raw_os_error().unwrap_or(libc::EIO) as u32, 0, None),
    };
    let bytes = [error, number].map(u32::to_ne_bytes).concat();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let sockets: Vec<_> = socket.iter().map(AsFd::as_fd).collect();
    if !sockets.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&sockets));
    }
    rustix::net::sendmsg(channel, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// A new network namespace has a loopback that is down (netdevice(7), SIOCSIFFLAGS).
fn bring_loopback_up() -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // SAFETY: an interface request is plain data, and all zeros is a valid one.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the request lives for as long as the call, and has the kernel's layout.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &request) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

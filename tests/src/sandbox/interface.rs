//! Gives a private network what a program asks to say where it is reached: an interface beside
//! loopback, with an address and a default route (rtnetlink(7)).
//!
//! Nothing can be sent by this route. A rule refuses TCP, and a datagram is larger than the route's
//! largest packet: sending fails as it does on a machine without a network. Connecting a datagram
//! socket sends nothing, and so it tells the address, which is what programs do it for.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;

use socket2::{Domain, Protocol, Socket, Type};

use super::kernel::checked;

/// The interface's name, and the other end's where it has one.
const NAME: &str = "eth0";
const OTHER_END: &str = "peer0";

/// The programs' address besides those of loopback.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// Makes the interface in this process's network.
pub(super) fn make() -> io::Result<()> {
    let netlink = Netlink(Socket::new(
        Domain::from(libc::AF_NETLINK),
        Type::RAW,
        Some(Protocol::from(libc::NETLINK_ROUTE)),
    )?);
    netlink.ask(&refuse_tcp())?; // first: a connection must not wait for an answer in vain
    netlink.ask(&new_interface("dummy", None)).or_else(|_| {
        let other_end = [interface(), text(libc::IFLA_IFNAME, OTHER_END)].concat();
        netlink.ask(&new_interface("veth", Some(attribute(VETH_INFO_PEER, &other_end))))?;
        bring_up(OTHER_END)
    })?;
    bring_up(NAME)?;
    let index = rustix::net::netdevice::name_to_index(&netlink.0, NAME)?;
    netlink.ask(&new_address(index))?;
    netlink.ask(&new_route(index))
}

/// Brings an interface up: it is down when it is new (netdevice(7), SIOCSIFFLAGS).
pub(super) fn bring_up(name: &str) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // SAFETY: an interface request is plain data, and all zeros is a valid one.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the request lives for as long as the call, and has the kernel's layout.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &request) };
    checked(done.into()).map(drop)
}

const INTERNET: u8 = libc::AF_INET as u8;

// linux/if_link.h, linux/veth.h
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
// linux/rtnetlink.h
const RTAX_LOCK: u16 = 1;
const RTAX_MTU: u16 = 2;
// linux/fib_rules.h
const FR_ACT_UNREACHABLE: u8 = 7;
const FRA_IP_PROTO: u16 = 22;

/// `struct ifinfomsg` without an index, for a new interface.
fn interface() -> Vec<u8> {
    vec![0; 16]
}

fn new_interface(kind: &str, data: Option<Vec<u8>>) -> Vec<u8> {
    let mut kind = text(IFLA_INFO_KIND, kind);
    kind.extend(data.into_iter().flat_map(|data| attribute(IFLA_INFO_DATA, &data)));
    let (name, kind) = (text(libc::IFLA_IFNAME, NAME), attribute(libc::IFLA_LINKINFO, &kind));
    request(libc::RTM_NEWLINK, &[interface(), name, kind])
}

/// `struct ifaddrmsg` with the address.
fn new_address(index: u32) -> Vec<u8> {
    let header = [[INTERNET, 32, 0, 0], index.to_ne_bytes()].concat();
    let [local, address] =
        [libc::IFA_LOCAL, libc::IFA_ADDRESS].map(|kind| attribute(kind, &ADDRESS.octets()));
    request(libc::RTM_NEWADDR, &[header, local, address])
}

/// `struct rtmsg` of the default route. Its largest packet is smaller than any packet.
fn new_route(index: u32) -> Vec<u8> {
    const LINK: u8 = libc::RT_SCOPE_LINK;
    let to_all = [INTERNET, 0, 0, 0, libc::RT_TABLE_MAIN, libc::RTPROT_STATIC, LINK];
    let header = [to_all.as_slice(), &[libc::RTN_UNICAST], &[0; 4]].concat();
    let largest = attribute(RTAX_MTU, &1_u32.to_ne_bytes());
    let locked = attribute(RTAX_LOCK, &(1_u32 << RTAX_MTU).to_ne_bytes());
    let parts = [
        header,
        attribute(libc::RTA_OIF, &index.to_ne_bytes()),
        attribute(libc::RTA_PREFSRC, &ADDRESS.octets()),
        attribute(libc::RTA_METRICS, &[largest, locked].concat()),
    ];
    request(libc::RTM_NEWROUTE, &parts)
}

/// `struct fib_rule_hdr` of a rule for TCP to any address but the network's own.
fn refuse_tcp() -> Vec<u8> {
    let header = vec![INTERNET, 0, 0, 0, 0, 0, 0, FR_ACT_UNREACHABLE, 0, 0, 0, 0];
    request(libc::RTM_NEWRULE, &[header, attribute(FRA_IP_PROTO, &[libc::IPPROTO_TCP as u8])])
}

fn text(kind: u16, text: &str) -> Vec<u8> {
    attribute(kind, &[text.as_bytes(), &[0]].concat())
}

/// `struct rtattr`: a length, a kind, the value, and zeros to the next multiple of four.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = 4 + value.len();
    let mut bytes = [&(length as u16).to_ne_bytes(), &kind.to_ne_bytes(), value].concat();
    bytes.resize(length.next_multiple_of(4), 0);
    bytes
}

/// `struct nlmsghdr` with what it carries.
fn request(kind: u16, parts: &[Vec<u8>]) -> Vec<u8> {
    const FLAGS: libc::c_int =
        libc::NLM_F_REQUEST | libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    const HEADER: usize = 16;
    let body = parts.concat();
    let length = ((HEADER + body.len()) as u32).to_ne_bytes();
    let (kind, flags) = (kind.to_ne_bytes(), (FLAGS as u16).to_ne_bytes());
    [&length, kind.as_slice(), &flags, &[0; 8], &body].concat()
}

struct Netlink(Socket);

impl Netlink {
    /// Sends a request and waits for the kernel's answer: an error's number after the header.
    fn ask(&self, request: &[u8]) -> io::Result<()> {
        self.0.send(request)?;
        let mut answer = [0; 64];
        rustix::net::recv(&self.0, &mut answer, rustix::net::RecvFlags::empty())?;
        let number = i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]);
        if number == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-number)) }
    }
}

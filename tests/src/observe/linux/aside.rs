//! TCP sockets that a program keeps where no descriptor shows them: in messages that nothing has
//! received (unix(7), SCM_RIGHTS). The tables of its network namespace list them.

use std::collections::BTreeSet;

use super::descendants::descendants;
use super::process::{Process, opened};
use super::table::{self, Entry};
use crate::observe::facts::SocketCounts;

/// Counts them in a network that only the program and the harness use. Returns `None` where the
/// kernel does not show the descriptors.
pub(crate) fn sockets_put_aside(launcher: u32) -> Option<SocketCounts> {
    let table = || Some(table::connections(&Process::open(launcher)?));
    let before = table()?;
    if before.is_empty() {
        return Some(SocketCounts { held: 0, half_closed: 0 });
    }
    let shown = with_descriptors(launcher)?;
    // A socket that was opened or closed meanwhile is in one of the two tables only.
    let after: BTreeSet<u64> = table()?.iter().map(Entry::inode).collect();
    let is_aside = |entry: &&Entry| {
        let inode = entry.inode();
        after.contains(&inode) && !shown.contains(&inode)
    };
    let aside: Vec<&Entry> = before.iter().filter(is_aside).collect();
    let half_closed = aside.iter().filter(|entry| entry.has_seen_the_end()).count();
    Some(SocketCounts { held: aside.len(), half_closed })
}

/// Returns the inodes of all sockets for which the program or the harness has a descriptor.
fn with_descriptors(launcher: u32) -> Option<BTreeSet<u64>> {
    let mut processes = opened(&descendants(launcher));
    processes.extend(Process::open(std::process::id()));
    let mut inodes = BTreeSet::new();
    for process in processes {
        inodes.extend(process.sockets()?.into_iter().map(|(_, inode)| inode));
    }
    Some(inodes)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use rustix::net;

    use super::super::testing::soon;
    use super::*;

    fn put_aside(socket: &TcpStream) -> (UnixStream, UnixStream) {
        let (one, other) = UnixStream::pair().unwrap();
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let (mut control, sent) = (net::SendAncillaryBuffer::new(&mut space), [socket.as_fd()]);
        control.push(net::SendAncillaryMessage::ScmRights(&sent));
        let bytes = [std::io::IoSlice::new(b"x")];
        net::sendmsg(&one, &bytes, &mut control, net::SendFlags::empty()).unwrap();
        (one, other)
    }

    #[test]
    fn a_socket_in_a_message_is_in_the_table_and_in_no_list_of_descriptors() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let own = std::process::id();
        let inode = || {
            let all = table::connections(&Process::open(own).unwrap());
            all.iter().find(|entry| entry.remote == peer).map(Entry::inode)
        };
        let inode = inode().unwrap();
        assert!(with_descriptors(own).unwrap().contains(&inode));
        let _aside = put_aside(&server);
        drop(server);
        soon("no descriptor is left", || !with_descriptors(own).unwrap().contains(&inode));
        assert!(
            table::connections(&Process::open(own).unwrap())
                .iter()
                .any(|entry| entry.inode() == inode)
        );
    }
}

//! The network in which a program and its peers meet: the machine's, or a private one with nothing
//! in it but loopback.

use std::io;
use std::path::PathBuf;

use socket2::{Domain, Socket, Type};

/// Where sockets are made.
#[derive(Debug)]
pub(crate) enum Network {
    /// The machine's.
    Shared,
    /// Nothing else uses it.
    #[cfg(target_os = "linux")]
    Private(super::broker::PrivateNetwork),
}

impl Network {
    /// A socket of this family and type, neither bound nor connected.
    pub(crate) fn socket(&self, domain: Domain, kind: Type) -> io::Result<Socket> {
        match self {
            Self::Shared => Socket::new(domain, kind, None),
            #[cfg(target_os = "linux")]
            Self::Private(network) => network.socket(domain, kind),
        }
    }

    /// Whether nobody else's sockets are here.
    pub(crate) fn is_private(&self) -> bool {
        !matches!(self, Self::Shared)
    }

    /// Where a launcher finds it; nothing for the machine's.
    pub(super) fn place(&self) -> Option<PathBuf> {
        match self {
            Self::Shared => None,
            #[cfg(target_os = "linux")]
            Self::Private(network) => Some(network.place()),
        }
    }
}

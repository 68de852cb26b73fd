//! The network in which a program and its peers meet: the machine's, or a private one that leads
//! nowhere.

use std::io;
use std::path::PathBuf;

use socket2::{Domain, Socket, Type};

/// Where sockets are made.
#[derive(Debug)]
pub(crate) enum Network {
    /// The machine's network.
    Shared,
    /// A network that only this check uses.
    #[cfg(target_os = "linux")]
    Private(super::broker::PrivateNetwork),
}

impl Network {
    /// Returns a socket of this family and type that is neither bound nor connected.
    pub(crate) fn socket(&self, domain: Domain, kind: Type) -> io::Result<Socket> {
        match self {
            Self::Shared => Socket::new(domain, kind, None),
            #[cfg(target_os = "linux")]
            Self::Private(network) => network.socket(domain, kind),
        }
    }

    /// Whether only this check uses the network.
    pub(crate) fn is_private(&self) -> bool {
        !matches!(self, Self::Shared)
    }

    /// Returns the path of the network namespace; `None` for the machine's network.
    pub(super) fn place(&self) -> Option<PathBuf> {
        match self {
            Self::Shared => None,
            #[cfg(target_os = "linux")]
            Self::Private(network) => Some(network.place()),
        }
    }
}

//! Finds a server by its address, where the system does not show who listens.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::engine::network::Network;

/// Finds out from time to time whether an address is taken. Each look takes the address for a
/// moment, and a server that binds it just then fails: the first look comes late, and few follow.
#[derive(Debug)]
pub(crate) struct Probe {
    next: Instant,
}

impl Probe {
    /// The pause between two looks.
    const PAUSE: Duration = Duration::from_millis(20);

    /// Begins after a time in which nearly every server has bound its address. A server that is
    /// launched again gets more time, since a look may have been why it ended.
    pub(crate) fn of_launch(number: usize) -> Self {
        let quiet = [100, 500].get(number).copied().unwrap_or(2000);
        Self { next: Instant::now() + Duration::from_millis(quiet) }
    }

    /// Returns whether the address is taken, and `false` before it is time to look again.
    pub(crate) fn finds(&mut self, network: &Network, address: SocketAddr) -> bool {
        if Instant::now() < self.next {
            return false;
        }
        let is_taken = is_taken(network, address);
        self.next = Instant::now() + Self::PAUSE;
        is_taken
    }
}

/// Returns whether an address is taken, by binding it. A server does not notice that once it
/// listens.
pub(crate) fn is_taken(network: &Network, address: SocketAddr) -> bool {
    network.listen(address).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

//! Free ports, and addresses that only one program at a time can have.
//!
//! `portpicker` proposes, outside of the range from which the system takes clients' ports. Ports
//! are taken in batches before they are needed, since looking for a free port binds it for a
//! moment, and no port is given out twice. What another process takes in between is recognised by
//! the launch that finds its port taken.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const BATCH: usize = 160;

static PORTS: Mutex<Ports> = Mutex::new(Ports { free: Vec::new(), given: BTreeSet::new() });

struct Ports {
    free: Vec<u16>,
    given: BTreeSet<u16>,
}

/// Looks for a batch of free ports ahead of the launches that will want them.
pub(crate) fn prepare() {
    lock(&PORTS).fill();
}

/// Returns a port that is free and that this process has not given out before.
pub(crate) fn take() -> io::Result<u16> {
    let mut ports = lock(&PORTS);
    if ports.free.is_empty() {
        ports.fill();
    }
    ports.free.pop().ok_or_else(|| io::Error::other("no free TCP port on 127.0.0.1"))
}

impl Ports {
    fn fill(&mut self) {
        const MANY: usize = 4000;
        if self.given.len() > MANY {
            self.given.clear(); // a run this long has seen the early ones freed again
        }
        while self.free.len() < BATCH {
            let Some(port) = propose() else { return };
            if self.given.insert(port) {
                self.free.push(port);
            }
        }
    }
}

/// `portpicker` finds nothing on a machine without IPv6; there the system proposes.
fn propose() -> Option<u16> {
    portpicker::pick_unused_port().or_else(|| {
        Some(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?.local_addr().ok()?.port())
    })
}

/// Where a program lives: known after its first launch.
#[derive(Debug)]
pub(crate) struct Home {
    declared: Option<SocketAddr>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    /// The first launch is finding out; the others wait for it.
    Scouted,
    /// It goes where it is told: launches do not meet.
    AsTold,
    /// It always goes here: one launch at a time.
    Fixed(SocketAddr),
    FixedAndTaken(SocketAddr),
}

/// How long a launch waits for its turn at a fixed address.
const TURN: Duration = Duration::from_secs(300);

/// A launch's right to its address. Held until the program is gone.
#[derive(Debug)]
pub(crate) struct Tenancy {
    home: Arc<Home>,
    scout: bool,
    /// Keeps other graders on this machine from the same address: a UDP socket there, which
    /// disturbs no TCP server.
    _machine_wide: Option<UdpSocket>,
}

impl Home {
    pub(crate) fn new(fixed: Option<SocketAddr>) -> Self {
        Self {
            declared: fixed,
            state: Mutex::new(fixed.map_or(State::Unknown, State::Fixed)),
            changed: Condvar::new(),
        }
    }

    /// The address that the program always uses, if that is known.
    pub(crate) fn fixed(&self) -> Option<SocketAddr> {
        match *lock(&self.state) {
            State::Fixed(address) | State::FixedAndTaken(address) => Some(address),
            _ => None,
        }
    }

    /// Returns the address that the caller declared to be the program's fixed one.
    pub(crate) fn declared(&self) -> Option<SocketAddr> {
        self.declared
    }

    /// Waits for this launch's turn. In a private network, launches cannot meet on any address.
    pub(crate) fn enter(self: &Arc<Self>, private: bool) -> io::Result<Tenancy> {
        let deadline = Instant::now() + TURN;
        let mut state = lock(&self.state);
        loop {
            match *state {
                State::Unknown => {
                    *state = State::Scouted;
                    return Ok(Tenancy { home: self.clone(), scout: true, _machine_wide: None });
                }
                State::Fixed(_) | State::FixedAndTaken(_) if private => {
                    return Ok(Tenancy { home: self.clone(), scout: false, _machine_wide: None });
                }
                State::AsTold => {
                    return Ok(Tenancy { home: self.clone(), scout: false, _machine_wide: None });
                }
                State::Fixed(address) => {
                    *state = State::FixedAndTaken(address);
                    drop(state);
                    let mut tenancy =
                        Tenancy { home: self.clone(), scout: false, _machine_wide: None };
                    tenancy._machine_wide = Some(hold(address, deadline)?);
                    return Ok(tenancy);
                }
                State::Scouted | State::FixedAndTaken(_) => {
                    let left =
                        deadline.checked_duration_since(Instant::now()).ok_or_else(no_turn)?;
                    state = self
                        .changed
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                }
            }
        }
    }
}

impl Tenancy {
    /// Keeps that the launch found the program at its own fixed address.
    pub(crate) fn settle_at(&mut self, address: SocketAddr) {
        let mut state = lock(&self.home.state);
        if *state == State::Scouted && self.scout {
            *state = State::FixedAndTaken(address);
            self.scout = false;
            self._machine_wide = UdpSocket::bind(address).ok();
        }
    }

    /// The launch has found that the program goes where it is told, or nowhere.
    pub(crate) fn settle_as_told(&mut self) {
        let mut state = lock(&self.home.state);
        if *state == State::Scouted && self.scout {
            *state = State::AsTold;
            self.scout = false;
            self.home.changed.notify_all();
        }
    }
}

impl Drop for Tenancy {
    fn drop(&mut self) {
        self.settle_as_told();
        let mut state = lock(&self.home.state);
        if let State::FixedAndTaken(address) = *state {
            *state = State::Fixed(address);
        }
        self.home.changed.notify_all();
    }
}

/// No system tells when another process gives a port back: this is the one place that asks again.
fn hold(address: SocketAddr, deadline: Instant) -> io::Result<UdpSocket> {
    loop {
        match UdpSocket::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

fn no_turn() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the program's fixed address did not become free")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let ports: Vec<u16> = (0..2 * BATCH).map(|_| take().unwrap()).collect();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    }

    #[test]
    fn a_fixed_address_has_one_tenant_at_a_time() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, take().unwrap()));
        let home = Arc::new(Home::new(None));
        let mut scout = home.enter(false).unwrap();
        scout.settle_at(address);

        std::thread::scope(|scope| {
            let second = scope.spawn(|| drop(home.enter(false).unwrap()));
            assert_eq!(home.fixed(), Some(address));
            assert!(!second.is_finished());
            drop(scout);
            second.join().unwrap();
        });
    }

    #[test]
    fn programs_that_go_where_they_are_told_do_not_wait_for_each_other() {
        let home = Arc::new(Home::new(None));
        home.enter(false).unwrap().settle_as_told();
        let _one = home.enter(false).unwrap();
        let _other = home.enter(false).unwrap();
        assert_eq!(home.fixed(), None);
    }
}

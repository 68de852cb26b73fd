//! What lives in a check, and what is under way: its programs, its connections, its writers.
//!
//! A wait asks this whether a program can still move.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::observe::{
    self, CpuTime, HarnessSocket, ProcessTree, ProgramState, Role, SendQueues, Standstill,
};

/// What lives in a check, and what is under way.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    state: Mutex<State>,
    writers: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    programs: Vec<(String, ProcessTree)>,
    connections: Vec<Weak<TcpStream>>,
    /// The harness's side of every connection, and the addresses where it listens, oldest first.
    ends: Vec<(SocketAddr, Role)>,
    /// Connections that a peer has left without ending them: they stay open until something new
    /// begins.
    left: Vec<Arc<TcpStream>>,
    /// Addresses of the harness's side of connections that the harness has ended.
    ended: BTreeSet<SocketAddr>,
    /// The processor time that recent looks at the programs took.
    cost_of_looking: Duration,
}

impl Activity {
    /// Adds a running program.
    pub(crate) fn add_program(&self, name: &str, tree: ProcessTree) {
        self.lock().programs.push((name.to_owned(), tree));
    }

    /// Returns the name of a running program.
    pub(crate) fn name_of(&self, tree: ProcessTree) -> Option<String> {
        let state = self.lock();
        state.programs.iter().find(|(_, other)| *other == tree).map(|(name, _)| name.clone())
    }

    /// Removes a program that is about to be ended.
    pub(crate) fn remove_program(&self, tree: ProcessTree) {
        self.lock().programs.retain(|(_, other)| *other != tree);
    }

    /// Adds a connection of this peer.
    pub(crate) fn add_connection(&self, peer: &str, stream: &Arc<TcpStream>) {
        let mut state = self.lock();
        state.connections.push(Arc::downgrade(stream));
        if let Ok(here) = stream.local_addr() {
            state.ended.remove(&here);
            state.add_end(here, Role::Client(peer.to_owned()));
        }
    }

    /// Notes that the harness listens here: a program that is connected to this address is
    /// connected to the harness as a server.
    pub(crate) fn add_listener(&self, address: SocketAddr) {
        self.lock().add_end(address, Role::Server);
    }

    /// Returns whether the harness listens at this address.
    pub(crate) fn listens_at(&self, address: SocketAddr) -> bool {
        self.lock().ends.contains(&(address, Role::Server))
    }

    /// Notes that the harness ends this connection. Its end is under way until the program's socket
    /// has seen it.
    pub(crate) fn end_connection(&self, stream: &TcpStream) {
        self.lock().ended.extend(stream.local_addr());
    }

    /// Keeps a connection that its peer has left. The program must not see its end before it is
    /// known how the program was then.
    pub(crate) fn leave_connection(&self, stream: Arc<TcpStream>) {
        self.lock().left.push(stream);
    }

    /// Resets the connections that were left.
    pub(crate) fn end_what_was_left(&self) {
        let left = std::mem::take(&mut self.lock().left);
        left.iter().for_each(|stream| self.end_connection(stream));
    }

    /// Notes that a thread of the harness writes, for as long as the result is held.
    pub(crate) fn begin_writing(&self) -> Writer<'_> {
        self.writers.fetch_add(1, Ordering::AcqRel);
        Writer(self)
    }

    /// Returns the processor time of all running programs together.
    pub(crate) fn cpu_time(&self) -> Option<CpuTime> {
        let add = |sum: CpuTime, tree: &ProcessTree| Some(sum.plus(tree.cpu_time()?));
        self.trees().iter().try_fold(CpuTime::default(), add)
    }

    /// Returns whether a program holds the socket of a client that has ended its stream.
    pub(crate) fn keeps_an_ended_client(&self) -> bool {
        let keeps = |tree: &ProcessTree| tree.sockets().is_some_and(|it| it.half_closed > 0);
        self.trees().iter().any(keeps)
    }

    /// Returns whether a thread of a program runs, or waits for a processor or for the kernel.
    pub(crate) fn is_running(&self) -> bool {
        self.trees().iter().any(ProcessTree::is_running)
    }

    /// Returns pictures of all programs if nothing in them can move, and nothing is queued on the
    /// wires.
    pub(crate) fn standstill(
        &self,
        earliest: Instant,
        queues: SendQueues,
    ) -> Option<Vec<Standstill>> {
        let trees = self.trees();
        let writing = queues == SendQueues::Empty && self.writers.load(Ordering::Acquire) > 0;
        if trees.is_empty() || writing || !self.queues_are_drained(queues) {
            return None;
        }
        let ended = self.lock().ended.clone();
        let before = observe::thread_cpu_time();
        let look = |tree: &ProcessTree| tree.standstill(earliest, queues, &ended);
        let pictures: Option<Vec<Standstill>> = trees.iter().map(look).collect();
        self.remember_cost(observe::thread_cpu_time().saturating_sub(before));
        let may_come = || queues == SendQueues::Empty && self.is_owed_after_closing(&trees);
        pictures.filter(|_| !may_come())
    }

    /// Returns whether the kernel still sends to a peer what a program has left behind.
    fn is_owed_after_closing(&self, trees: &[ProcessTree]) -> bool {
        let peers: BTreeSet<SocketAddr> = {
            let state = self.lock();
            let open = state.connections.iter().filter_map(Weak::upgrade);
            open.filter_map(|stream| stream.local_addr().ok()).collect()
        };
        trees.iter().any(|tree| tree.owes_after_closing(&peers))
    }

    /// Returns about how much processor time a look at the programs takes. It depends on their
    /// threads and processes; where the first one looked at is at work, the look is over at once.
    pub(crate) fn cost_of_looking(&self) -> Duration {
        const PER_THREAD: Duration = Duration::from_micros(20);
        let threads: u32 = self.trees().iter().map(ProcessTree::threads_of_first_process).sum();
        (PER_THREAD * threads).max(self.lock().cost_of_looking)
    }

    /// A cheap look says little about the next one, so an expensive one is forgotten slowly.
    fn remember_cost(&self, cost: Duration) {
        let remembered = &mut self.lock().cost_of_looking;
        *remembered = cost.max(*remembered * 3 / 4);
    }

    #[cfg(unix)]
    fn queues_are_drained(&self, queues: SendQueues) -> bool {
        let connections = self.lock().connections.clone();
        connections.iter().filter_map(Weak::upgrade).all(|wire| observe::is_drained(&wire, queues))
    }

    #[cfg(not(unix))]
    fn queues_are_drained(&self, _wires: SendQueues) -> bool {
        true
    }

    /// Returns where each of the programs is that live; `sent` has how many bytes each peer sent.
    pub(crate) fn program_states(
        &self,
        sent: &BTreeMap<String, usize>,
    ) -> Option<Vec<ProgramState>> {
        let programs = self.lock().programs.clone();
        let ours = self.harness_sockets(sent);
        let mut found = Vec::new();
        for (program, tree) in programs {
            let state = ProgramState { program, ..tree.program_state(&ours)? };
            found.extend(Some(state).filter(|state| !state.threads.is_empty()));
        }
        Some(found)
    }

    fn harness_sockets(&self, sent: &BTreeMap<String, usize>) -> Vec<HarnessSocket> {
        let state = self.lock();
        let streams = state.connections.iter().filter_map(Weak::upgrade);
        let mut streams: BTreeMap<SocketAddr, Arc<TcpStream>> =
            streams.filter_map(|stream| Some((stream.local_addr().ok()?, stream))).collect();
        let end = |(address, role): (SocketAddr, Role)| match &role {
            Role::Client(name) => {
                let written = sent.get(name).copied().unwrap_or(0);
                HarnessSocket { address, stream: streams.remove(&address), written, role }
            }
            Role::Server => HarnessSocket { address, stream: None, written: 0, role },
        };
        state.ends.clone().into_iter().map(end).collect()
    }

    fn trees(&self) -> Vec<ProcessTree> {
        self.lock().programs.iter().map(|(_, tree)| *tree).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add_end(&mut self, address: SocketAddr, role: Role) {
        match self.ends.iter().position(|(other, _)| *other == address) {
            Some(at) if self.ends[at].1 == Role::Server => return, // a connection accepted there
            Some(at) => drop(self.ends.remove(at)),
            None => {}
        }
        self.ends.push((address, role));
    }
}

/// See [`Activity::begin_writing`].
#[derive(Debug)]
pub(crate) struct Writer<'a>(&'a Activity);

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.0.writers.fetch_sub(1, Ordering::AcqRel);
    }
}

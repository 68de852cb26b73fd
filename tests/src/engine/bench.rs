//! What one check works on: its record, its payloads' seed, its folders, and what must be known
//! about all of its connections.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::engine::evidence::Clue;
use crate::engine::payload::Payload;
use crate::engine::program::{Folder, describe};
use crate::engine::transcript::{Record, Shared};
use crate::engine::verdict::Blocked;
use crate::observe::{self, Effort, OurEnd, Standstill, Tree, Whereabouts, Who, Wires};
use crate::sandbox::Confinement;
use crate::sandbox::network::Network;
use crate::sandbox::output::Output;

/// How much of the end of a program's standard error is evidence.
const STDERR_TAIL: usize = 2000;

/// What the end of a program that passed a limit is called.
pub const ENDED_FOR: &str = "ended by the grader for using ";

/// One check's place of work.
#[derive(Debug)]
pub(crate) struct Bench {
    check: &'static str,
    seed: u64,
    launcher: PathBuf,
    scratch: PathBuf,
    confinement: Arc<Confinement>,
    network: Network,
    large: Shared,
    pub(crate) record: Record,
    peers: AtomicUsize,
    wires: Mutex<Vec<Weak<TcpStream>>>,
    /// The harness's side of every connection, and the places where it listens, in the order of
    /// their coming.
    ends: Mutex<Vec<(SocketAddr, Who)>>,
    /// Addresses of the harness's side of connections that it has ended.
    left: Mutex<BTreeSet<SocketAddr>>,
    writers: AtomicUsize,
    /// Of processor time, of late.
    cost_of_looking: Mutex<Duration>,
    trees: Mutex<Vec<(String, Tree)>>,
    outputs: Mutex<Vec<(String, Output)>>,
    exit: Mutex<Option<ExitStatus>>,
    /// Which limit a program was ended for, in a sentence.
    over: OnceLock<String>,
    death_suspected: AtomicBool,
    clues: Mutex<Vec<Clue>>,
    /// A shorter conversation that shows the same failure.
    shorter: Mutex<Option<Arc<Self>>>,
    /// What the programs did when a wait for one was last given up.
    blocked: Mutex<Option<Blocked>>,
    /// The end of what they had said on standard error by then.
    said: Mutex<Option<Vec<u8>>>,
}

impl Bench {
    pub(crate) fn new(check: &'static str, seed: u64, launcher: &Path, scratch: &Path) -> Self {
        let large = Shared::default();
        Self {
            check,
            seed,
            launcher: launcher.to_owned(),
            scratch: scratch.to_owned(),
            confinement: Confinement::off(),
            network: Network::Shared,
            record: Record::new(&large),
            large,
            peers: AtomicUsize::new(0),
            wires: Mutex::default(),
            ends: Mutex::default(),
            left: Mutex::default(),
            writers: AtomicUsize::new(0),
            cost_of_looking: Mutex::default(),
            trees: Mutex::default(),
            outputs: Mutex::default(),
            exit: Mutex::default(),
            over: OnceLock::new(),
            death_suspected: AtomicBool::new(false),
            clues: Mutex::default(),
            shorter: Mutex::default(),
            blocked: Mutex::default(),
            said: Mutex::default(),
        }
    }

    /// With the large message of all the checks of one run.
    pub(crate) fn with_large_message(self, large: &Shared) -> Self {
        Self { large: large.clone(), record: Record::new(large), ..self }
    }

    /// A place for a follow-up that leaves no trace in this check's record, in a network of its own
    /// where this check has one.
    pub(crate) fn aside(&self) -> io::Result<Self> {
        let aside = Self::new(self.check, self.seed, &self.launcher, &self.scratch)
            .with_large_message(&self.large);
        aside.confined(&self.confinement)
    }

    /// What happened at `bench` shows the failure better.
    pub(crate) fn show_instead(&self, bench: Arc<Self>) {
        *lock(&self.shorter) = Some(bench);
    }

    /// Where the evidence is.
    pub(crate) fn shown(self: &Arc<Self>) -> Arc<Self> {
        lock(&self.shorter).clone().unwrap_or_else(|| self.clone())
    }

    /// A fact that may tell one mistake from another.
    pub(crate) fn clue(&self, clue: Clue) {
        lock(&self.clues).push(clue);
    }

    pub(crate) fn clues(&self) -> Vec<Clue> {
        lock(&self.clues).clone()
    }

    /// With its programs confined, in a network of the check's own where there is such a thing.
    pub(crate) fn confined(self, confinement: &Arc<Confinement>) -> io::Result<Self> {
        Ok(Self { network: confinement.network()?, confinement: Arc::clone(confinement), ..self })
    }

    pub(crate) fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    /// Where the sockets of this check are.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// 8 MiB, more than the buffers between two programs on one machine hold.
    pub(crate) fn large_message(&self) -> &Vec<u8> {
        const LARGE: usize = 8 * 1024 * 1024;
        self.large.get_or_init(|| Payload::new(self.seed, "large").stream(LARGE))
    }

    pub(crate) fn payload(&self) -> Payload {
        Payload::new(self.seed, self.check)
    }

    pub(crate) fn launcher(&self) -> &Path {
        &self.launcher
    }

    /// A folder for one launch: the given one, or an empty one of its own.
    pub(crate) fn folder(&self, users: Option<&Path>) -> io::Result<Folder> {
        match users {
            Some(folder) => Ok(Folder::Users(folder.to_owned())),
            None => {
                Ok(Folder::Own(tempfile::Builder::new().prefix("run-").tempdir_in(&self.scratch)?))
            }
        }
    }

    /// The next peer's name: `a` to `z`, then `a1` and so on.
    pub(crate) fn next_peer(&self) -> String {
        let number = self.peers.fetch_add(1, Ordering::Relaxed);
        let letter = char::from(b'a' + (number % 26) as u8);
        if number < 26 { letter.to_string() } else { format!("{letter}{}", number / 26) }
    }

    pub(crate) fn keep_wire(&self, peer: &str, stream: &Arc<TcpStream>) {
        lock(&self.wires).push(Arc::downgrade(stream));
        if let Ok(here) = stream.local_addr() {
            lock(&self.left).remove(&here);
            self.keep_end(here, Who::Client(peer.to_owned()));
        }
    }

    /// The harness listens here: whoever is connected to this address is connected to it as a
    /// server.
    pub(crate) fn keep_server(&self, address: SocketAddr) {
        self.keep_end(address, Who::Server);
    }

    fn keep_end(&self, address: SocketAddr, who: Who) {
        let mut ends = lock(&self.ends);
        match ends.iter().position(|(other, _)| *other == address) {
            Some(at) if ends[at].1 == Who::Server => return, // a connection that was accepted there
            Some(at) => drop(ends.remove(at)),
            None => {}
        }
        ends.push((address, who));
    }

    /// The harness ends this connection: its end is under way until the program's socket has seen
    /// it.
    pub(crate) fn leave_wire(&self, stream: &TcpStream) {
        lock(&self.left).extend(stream.local_addr());
    }

    /// A thread of the harness writes as long as this is held: more is under way.
    pub(crate) fn writer(&self) -> WriterAtWork<'_> {
        self.writers.fetch_add(1, Ordering::AcqRel);
        WriterAtWork(self)
    }

    /// This program runs.
    pub(crate) fn watch(&self, program: &str, tree: Tree) {
        lock(&self.trees).push((program.to_owned(), tree));
    }

    /// This program was ended.
    pub(crate) fn unwatch(&self, tree: Tree) {
        lock(&self.trees).retain(|(_, other)| *other != tree);
    }

    fn trees(&self) -> Vec<Tree> {
        lock(&self.trees).iter().map(|(_, tree)| *tree).collect()
    }

    /// The processor time of all programs that run in this check.
    pub(crate) fn effort(&self) -> Option<Effort> {
        let trees = self.trees();
        trees
            .iter()
            .map(Tree::effort)
            .try_fold(Effort::default(), |sum, effort| Some(sum.plus(effort?)))
    }

    /// Pictures of all programs of this check in which nothing can move, on the harness's side of
    /// the wires neither.
    pub(crate) fn standstill(&self, earliest: Instant, wires: Wires) -> Option<Vec<Standstill>> {
        let trees = self.trees();
        let writing = wires == Wires::Empty && self.writers.load(Ordering::Acquire) > 0;
        if trees.is_empty() || writing || !self.wires_are_still(wires) {
            return None;
        }
        let left = lock(&self.left).clone();
        let before = observe::own_processor_time();
        let pictures = trees.iter().map(|tree| tree.standstill(earliest, wires, &left)).collect();
        self.remember_cost(observe::own_processor_time().saturating_sub(before));
        pictures
    }

    /// Whether a thread of a program runs, or could if it had a processor.
    pub(crate) fn is_running(&self) -> bool {
        self.trees().iter().any(Tree::is_running)
    }

    /// About how much processor time a look at the programs takes: it goes by their threads and
    /// processes, and where the first one looked at is at work, it is over at once.
    pub(crate) fn cost_of_looking(&self) -> Duration {
        const PER_THREAD: Duration = Duration::from_micros(20);
        let threads =
            PER_THREAD * self.trees().iter().map(Tree::threads_of_first_process).sum::<u32>();
        threads.max(*lock(&self.cost_of_looking))
    }

    /// A cheap look says little about the next one: what an expensive one has cost is forgotten
    /// slowly.
    fn remember_cost(&self, cost: Duration) {
        let mut remembered = lock(&self.cost_of_looking);
        *remembered = cost.max(*remembered * 3 / 4);
    }

    #[cfg(unix)]
    fn wires_are_still(&self, wires: Wires) -> bool {
        lock(&self.wires)
            .iter()
            .filter_map(Weak::upgrade)
            .all(|wire| observe::is_still(wire, wires))
    }

    #[cfg(not(unix))]
    fn wires_are_still(&self, _wires: Wires) -> bool {
        true
    }

    pub(crate) fn keep_output(&self, program: &str, stderr: Output) {
        lock(&self.outputs).push((program.to_owned(), stderr));
    }

    /// What a peer has seen may be the first sign of a program's end: it is worth a moment to learn
    /// how it ended.
    pub(crate) fn suspect_death(&self) {
        self.death_suspected.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_death_suspected(&self) -> bool {
        self.death_suspected.load(Ordering::Relaxed)
    }

    pub(crate) fn keep_exit(&self, status: ExitStatus) {
        *lock(&self.exit) = Some(status);
    }

    /// The grader has ended a program for passing this limit.
    pub(crate) fn keep_over(&self, limit: String) {
        _ = self.over.set(limit);
    }

    /// How the last program ended that ended by itself, or what the grader ended it for.
    pub(crate) fn exit(&self) -> Option<String> {
        let over = self.over.get().map(|limit| format!("{ENDED_FOR}{limit}"));
        over.or_else(|| lock(&self.exit).map(describe))
    }

    /// A wait for a program ended in vain: where all of them are is evidence. The last such wait is
    /// the one that the failure is about, also where a search for the smallest message went on
    /// after the first.
    pub(crate) fn keep_stuck(&self) {
        match self.whereabouts() {
            Some(programs) if programs.is_empty() => {} // they have ended
            programs => {
                *lock(&self.blocked) = Some(programs.map_or(Blocked::CannotSee, Blocked::At));
                *lock(&self.said) = Some(self.said_by_now());
            }
        }
    }

    /// What a launch showed that was no part of the check itself.
    pub(crate) fn forget_stuck(&self) {
        *lock(&self.blocked) = None;
        *lock(&self.said) = None;
    }

    /// Where each of the programs is that live.
    fn whereabouts(&self) -> Option<Vec<Whereabouts>> {
        let trees = lock(&self.trees).clone();
        let ours = self.our_ends();
        let mut programs = Vec::new();
        for (program, tree) in trees {
            let found = tree.whereabouts(&ours)?;
            programs.extend(
                Some(Whereabouts { program, ..found }).filter(|found| !found.threads.is_empty()),
            );
        }
        Some(programs)
    }

    fn our_ends(&self) -> Vec<OurEnd> {
        let streams =
            lock(&self.wires).iter().filter_map(Weak::upgrade).collect::<Vec<_>>().into_iter();
        let mut streams: BTreeMap<_, _> =
            streams.filter_map(|stream| Some((stream.local_addr().ok()?, stream))).collect();
        let written = self.record.sent();
        let end = |(address, who): (SocketAddr, Who)| match &who {
            Who::Client(name) => {
                let written = written.get(name).copied().unwrap_or(0);
                OurEnd { address, stream: streams.remove(&address), written, who }
            }
            Who::Server => OurEnd { address, stream: None, written: 0, who },
        };
        lock(&self.ends).clone().into_iter().map(end).collect()
    }

    /// A wait for a program of this check has ended in vain.
    pub(crate) fn has_waited_in_vain(&self) -> bool {
        lock(&self.blocked).is_some()
    }

    /// What the programs did when a wait for one was last given up.
    pub(crate) fn blocked(&self) -> Option<Blocked> {
        lock(&self.blocked).clone()
    }

    /// The end of what the last programs said on standard error; what they said of the harness's
    /// leaving, once it had waited in vain, is no part of it.
    pub(crate) fn stderr_tail(&self) -> Vec<u8> {
        lock(&self.said).clone().unwrap_or_else(|| self.said_by_now())
    }

    fn said_by_now(&self) -> Vec<u8> {
        let outputs = lock(&self.outputs);
        outputs
            .iter()
            .rev()
            .map(|(_, output)| output.tail(STDERR_TAIL))
            .find(|tail| !tail.is_empty())
            .unwrap_or_default()
    }
}

/// See [`Bench::writer`].
#[derive(Debug)]
pub(crate) struct WriterAtWork<'a>(&'a Bench);

impl Drop for WriterAtWork<'_> {
    fn drop(&mut self) {
        self.0.writers.fetch_sub(1, Ordering::AcqRel);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

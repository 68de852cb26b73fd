//! What a check saw besides its verdict: the clues from which [`crate::engine::diagnose`] tells
//! mistakes apart.
//!
//! A clue is a fact about the program, found by the check itself or by a follow-up exchange with a
//! fresh process. It decides no verdict.

use std::net::SocketAddr;
use std::process::ExitStatus;

use crate::engine::peer::Ending;
use crate::engine::verdict::{Failure, Stop};

/// What a failure turns into once more is known about it; everything else stays what it is.
pub(crate) fn on_failure<T>(
    outcome: Result<T, Stop>,
    then: impl FnOnce(Failure) -> Stop,
) -> Result<T, Stop> {
    match outcome {
        Err(Stop::Failed(failure)) => Err(then(failure)),
        other => other,
    }
}

/// One fact about a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clue {
    /// It listens on these addresses, and not, or not only, where it was told: at the last one.
    ListensOn(Vec<SocketAddr>, SocketAddr),
    /// It never listened; how it ended, if it did.
    NeverListened(Option<ExitStatus>),
    /// What made it reply that had stayed silent.
    Replies(Trigger),
    /// It sent these bytes before its client had sent any.
    Greeting(Vec<u8>),
    /// What came of one message: all that came back for it, and how that ended.
    Answer { message: Vec<u8>, came: Vec<u8>, ending: Option<Ending>, died: bool },
    /// This message of a conversation, counted from 1, was the first that failed.
    FailedAt(usize),
    /// After the echo of a short message came these bytes, the end of a longer one before it.
    StaleBytes(Vec<u8>),
    /// What a fresh process returned of a first message of so many bytes, and whether it ended the
    /// connection after that, and the size of the buffer that it reads into, where that is seen.
    LongMessage { sent: usize, came: usize, closed: bool, buffer: Option<usize> },
    /// A message that breaks it: how many of its bytes came back, how that ended, whether a message
    /// longer by one byte comes back whole, whether just as many bytes as came back do and one more
    /// do not, and whether the next message on the same connection comes back.
    Size {
        bad: usize,
        came: usize,
        ending: Option<Ending>,
        longer_works: bool,
        holds_so_many: bool,
        goes_on: bool,
    },
    /// So many clients were served at the same time, and the next one was not.
    Served(usize),
    /// A client that was kept waiting was answered as soon as the one before it had gone.
    ServedOnceTheFirstHadGone,
    /// A client got bytes that another one had sent.
    OthersBytes,
    /// What came of a half-close: whether all of the echo was there, and how the stream ended.
    HalfClose { complete: bool, ending: Option<Ending> },
    /// So many sockets of clients that had closed were still open.
    LeftOpen(usize),
    /// It did not listen again at once; whether its socket had SO_REUSEADDR set, where that can be
    /// seen.
    NotRestarted { reuses_address: Option<bool> },
    /// The share of a processor that it used while nobody spoke, in per cent.
    Busy(u32),
    /// The same while no client had come and gone or half-closed, in per cent.
    BusyWithNobodyGone(u32),
    /// How it ended where a message and a status were due, and whether that was a panic, a
    /// traceback or a signal.
    Reported { status: Option<ExitStatus>, panicked: bool, said_something: bool },
    /// What a client printed: the reply that it had got, and what it had sent.
    Printed { stdout: Vec<u8>, reply: Vec<u8>, message: Vec<u8>, ended: bool },
    /// A client that waited printed the whole reply as soon as the server had closed.
    PrintedOnceClosed,
    /// A client printed the whole reply when it came in the same pieces but in plain ASCII.
    GathersAscii,
    /// A client did not end after a reply of so many bytes.
    HangsAfter(usize),
    /// A client printed so many bytes of a reply of so many that came in one piece; the size of the
    /// buffer that it reads into.
    OnePiece { printed: usize, of: usize, buffer: Option<usize> },
    /// What only one program's checks look for and only its rules know, by a name of theirs, with a
    /// number where one belongs to it.
    Own { fact: &'static str, number: usize },
}

impl Clue {
    pub(crate) const fn own(fact: &'static str, number: usize) -> Self {
        Self::Own { fact, number }
    }
}

/// The clues of one check, for nobody but the diagnosis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clues(pub(crate) Vec<Clue>);

/// What a silent program waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// A newline.
    Newline,
    /// The end of its client's stream.
    EndOfStream,
    /// More bytes.
    More,
    /// Nothing that was tried: it has taken its client, and never speaks.
    Never,
}

//! The facts that the checks of an echo server, and the attempts after them, leave for the rules.

use crate::engine::received::Ending;

/// It sent these bytes before its client had sent any.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Greeting(pub(crate) Vec<u8>);

/// It sent these bytes to a client that sent none, a while after the client had connected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LateGreeting(pub(crate) Vec<u8>);

/// It sent nothing to a client that said nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SilentAtFirst;

/// The answer of a fresh process to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) message: Vec<u8>,
    /// All that came back for it.
    pub(crate) came: Vec<u8>,
    pub(crate) ending: Option<Ending>,
    /// Whether the program had ended.
    pub(crate) died: bool,
}

/// This byte breaks a fresh process, as a message of one byte. Other messages of one byte do not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Alone(pub(crate) u8);

/// These bytes came after the echo of a short message. They are the end of an earlier, longer one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StaleBytes(pub(crate) Vec<u8>);

/// The answer to a long first message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LongMessage {
    /// Its length, in bytes.
    pub(crate) sent: usize,
    /// How many bytes of it came back.
    pub(crate) came: usize,
    /// Whether the connection was ended after that.
    pub(crate) closed: bool,
    /// Whether all of it came back, and the next message on the same connection, too.
    pub(crate) goes_on: bool,
    /// The size of the buffer that the program reads into, if the system shows it.
    pub(crate) buffer: Option<usize>,
}

/// Messages of every size come back whole, and then the connection is ended; the longest had this
/// many bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClosesAfterAll(pub(crate) usize);

/// A message of a size that breaks the program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) bad: usize,
    /// How many of its bytes came back, and how that ended.
    pub(crate) came: usize,
    pub(crate) ending: Option<Ending>,
    /// Whether a message longer by one byte comes back whole.
    pub(crate) longer_works: bool,
    /// Whether a message of `came` bytes comes back whole, and one more byte breaks it.
    pub(crate) holds_so_many: bool,
    /// Whether the next message on the same connection comes back.
    pub(crate) goes_on: bool,
}

/// This many missing bytes came back after the client sent another message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RestComesWithMore(pub(crate) usize);

/// A client that reads only after the server has taken everything loses the middle of a long
/// message. This many bytes of the message's end came; 0 if its end is lost, too.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EndComes(pub(crate) usize);

/// A client was not served while another one did not read, but was after that one disconnected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ServedOnceTheOtherHadGone;

/// What came back after a half-close.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HalfClose {
    /// How many bytes the client had sent.
    pub(crate) sent: usize,
    /// Whether all of the echo was there.
    pub(crate) complete: bool,
    pub(crate) ending: Option<Ending>,
}

/// This many sockets of clients that had closed were still open.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeftOpen(pub(crate) usize);

/// How it takes the end of a client's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AtTheEnd {
    /// It rests, or lets go of the socket.
    Rests,
    /// It used this much of a processor, in per cent, and kept the client's socket. Beside a silent
    /// client it had rested.
    ReadsOn(u32),
}

/// It serves more clients than it served at the same time, where they come one after another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ServesMoreInTurn;

/// It does not serve a second client. It ended without an error, or lives on and does not read on
/// after its client's end of stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StopsAfterTheFirst;

/// It answers and rests while its clients are connected, and the leftovers of a connection alone
/// keep it from listening again on the same port.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListensAgainWithNothingLeft;

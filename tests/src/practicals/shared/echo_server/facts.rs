//! What the checks of an echo server, and what is tried after them, leave for the rules.

use crate::engine::received::Ending;

/// It sent these bytes before its client had sent any.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Greeting(pub(crate) Vec<u8>);

/// What came of one message that a fresh process was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) message: Vec<u8>,
    /// All that came back for it.
    pub(crate) came: Vec<u8>,
    pub(crate) ending: Option<Ending>,
    /// Whether the program had ended.
    pub(crate) died: bool,
}

/// After the echo of a short message came these bytes, the end of a longer one before it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StaleBytes(pub(crate) Vec<u8>);

/// What came of a long first message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LongMessage {
    /// Its length, in bytes.
    pub(crate) sent: usize,
    /// How many bytes of it came back.
    pub(crate) came: usize,
    /// Whether the connection was ended after that.
    pub(crate) closed: bool,
    /// The size of the buffer that the program reads into, where that is seen.
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
    /// Whether as many bytes as came back do come back, and one more do not.
    pub(crate) holds_so_many: bool,
    /// Whether the next message on the same connection comes back.
    pub(crate) goes_on: bool,
}

/// This many bytes that had not come back came once another message was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RestComesWithMore(pub(crate) usize);

/// Of a long message to a client that reads only once everything was taken, the middle is lost. The
/// last bytes that came are this many of the message's last; 0 if its end is lost, too.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EndComes(pub(crate) usize);

/// A client was not served while another one did not read, and was once that one had gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ServedOnceTheOtherHadGone;

/// What came of a half-close.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HalfClose {
    /// Whether all of the echo was there.
    pub(crate) complete: bool,
    pub(crate) ending: Option<Ending>,
}

/// This many sockets of clients that had closed were still open.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeftOpen(pub(crate) usize);

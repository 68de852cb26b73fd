//! Carries typed messages between the harness and its helper processes, over Unix sockets. A
//! message is a frame: its length, then its fields.
//!
//! A program cannot write into a channel: both ends close when a program is executed. The receiver
//! bounds the length of a message all the same.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
#[cfg(target_os = "linux")]
use rustix::net;

/// The largest message, in bytes. The first message of a launch carries all of the program's stdin.
const MOST: usize = 64 * 1024 * 1024;

/// The size of the length before each message, in bytes.
const HEADER: usize = size_of::<u32>();

/// A value that can be part of a message.
pub(super) trait Wire: Sized {
    /// Appends this value to a frame.
    fn put(&self, frame: &mut Vec<u8>);

    /// Takes a value off the front of a frame.
    fn take(frame: &mut &[u8]) -> io::Result<Self>;
}

/// Returns a message in its frame.
pub(super) fn frame(message: &impl Wire) -> Vec<u8> {
    let mut frame = vec![0; HEADER];
    message.put(&mut frame);
    let length = (frame.len() - HEADER) as u32;
    frame[..HEADER].copy_from_slice(&length.to_be_bytes());
    frame
}

/// Takes the first message off the received bytes; `None` while a part of it is missing.
pub(super) fn unframe<T: Wire>(received: &mut Vec<u8>) -> io::Result<Option<T>> {
    let Some((header, rest)) = received.split_first_chunk() else { return Ok(None) };
    let length = u32::from_be_bytes(*header) as usize;
    if length > MOST {
        return Err(io::Error::other(format!("message too long: {length} bytes; at most {MOST}")));
    }
    let Some(mut fields) = rest.get(..length) else { return Ok(None) };
    let message = T::take(&mut fields)?;
    received.drain(..HEADER + length);
    Ok(Some(message))
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "message cut off: the other process has ended")
}

/// One end of a connection between two of the harness's processes.
#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
    received: Vec<u8>,
    /// The descriptor that came beside the last message, if one did.
    #[cfg(target_os = "linux")]
    descriptor: Option<OwnedFd>,
}

/// The result of a wait for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    Something,
    Nothing,
    /// The other side has closed its end, or has ended.
    End,
}

impl Channel {
    pub(super) fn new(end: OwnedFd) -> Self {
        Self {
            stream: end.into(),
            received: Vec::new(),
            #[cfg(target_os = "linux")]
            descriptor: None,
        }
    }

    /// Makes a channel; returns one end, and the other end for another process.
    pub(super) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (one, other) = UnixStream::pair()?;
        Ok((Self::new(one.into()), other.into()))
    }

    /// Returns the end that is this process's standard input.
    pub(super) fn of_this_process() -> io::Result<Self> {
        Ok(Self::new(io::stdin().as_fd().try_clone_to_owned()?))
    }

    /// Returns the same end again, to send from another thread.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::new(self.stream.try_clone()?.into()))
    }

    pub(super) fn send(&self, message: &impl Wire) -> io::Result<()> {
        (&self.stream).write_all(&frame(message))
    }

    /// Ends the sending: the other side receives `None`.
    pub(super) fn finish(&self) -> io::Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)
    }

    /// Waits for the next message; `None` where the other side has ended the sending.
    pub(super) fn receive<T: Wire>(&mut self) -> io::Result<Option<T>> {
        loop {
            if let Some(message) = self.next()? {
                return Ok(Some(message));
            }
            if self.read()? == 0 {
                return if self.received.is_empty() { Ok(None) } else { Err(cut()) };
            }
        }
    }

    /// Returns the next message that has arrived, if one has.
    pub(super) fn next<T: Wire>(&mut self) -> io::Result<Option<T>> {
        unframe(&mut self.received)
    }

    /// Waits until a part of a message arrives.
    pub(super) fn wait(&mut self, at_most: Duration) -> io::Result<Came> {
        let timeout = Timespec::try_from(at_most).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => Ok(Came::Nothing),
            Ok(_) => Ok(if self.read()? == 0 { Came::End } else { Came::Something }),
            Err(Errno::INTR) => Ok(Came::Something),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn read(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 4096];
        let count = rustix::io::retry_on_intr(|| rustix::io::read(&self.stream, &mut bytes))?;
        self.received.extend(&bytes[..count]);
        Ok(count)
    }
}

/// Descriptors beside messages (unix(7), SCM_RIGHTS).
#[cfg(target_os = "linux")]
impl Channel {
    pub(super) fn send_with(&self, message: &impl Wire, beside: BorrowedFd<'_>) -> io::Result<()> {
        let (frame, beside) = (frame(message), [beside]);
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = net::SendAncillaryBuffer::new(&mut space);
        control.push(net::SendAncillaryMessage::ScmRights(&beside));
        net::sendmsg(
            &self.stream,
            &[io::IoSlice::new(&frame)],
            &mut control,
            net::SendFlags::NOSIGNAL,
        )?;
        Ok(())
    }

    /// Takes the descriptor that came beside the last message.
    pub(super) fn take_descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptor.take()
    }

    fn read(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 4096];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = net::RecvAncillaryBuffer::new(&mut space);
        let mut slices = [io::IoSliceMut::new(&mut bytes)];
        let received = rustix::io::retry_on_intr(|| {
            net::recvmsg(&self.stream, &mut slices, &mut control, net::RecvFlags::CMSG_CLOEXEC)
        })?;
        self.received.extend(&bytes[..received.bytes]);
        for message in control.drain() {
            if let net::RecvAncillaryMessage::ScmRights(mut descriptors) = message {
                self.descriptor = descriptors.next();
            }
        }
        Ok(received.bytes)
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Makes a struct a message, or a part of one. Its fields are listed once, for both directions.
macro_rules! fields {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl Wire for $type {
            fn put(&self, frame: &mut Vec<u8>) {
                $(self.$field.put(frame);)+
            }

            fn take(frame: &mut &[u8]) -> io::Result<Self> {
                Ok(Self { $($field: Wire::take(frame)?),+ })
            }
        }
    };
}
pub(super) use fields;

/// Makes an enum a message, or a part of one. Its variants are listed once, with their numbers.
macro_rules! variants {
    ($type:ident { $($number:literal => $variant:ident $(($($field:ident),+))?),+ $(,)? }) => {
        impl Wire for $type {
            fn put(&self, frame: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $(($($field),+))? => {
                        u8::put(&$number, frame);
                        $($($field.put(frame);)+)?
                    })+
                }
            }

            fn take(frame: &mut &[u8]) -> io::Result<Self> {
                match u8::take(frame)? {
                    $($number => {
                        $($(let $field = Wire::take(frame)?;)+)?
                        Ok(Self::$variant $(($($field),+))?)
                    })+
                    other => Err(io::Error::other(format!("unknown message: number {other}"))),
                }
            }
        }
    };
}
pub(super) use variants;

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl Wire for $number {
            fn put(&self, frame: &mut Vec<u8>) {
                frame.extend(self.to_be_bytes());
            }

            fn take(frame: &mut &[u8]) -> io::Result<Self> {
                let (bytes, rest) = frame.split_first_chunk().ok_or_else(cut)?;
                *frame = rest;
                Ok(Self::from_be_bytes(*bytes))
            }
        }
    )+};
}
numbers!(u8, u16, u32, u64, i32);

impl Wire for Vec<u8> {
    fn put(&self, frame: &mut Vec<u8>) {
        (self.len() as u32).put(frame);
        frame.extend(self);
    }

    fn take(frame: &mut &[u8]) -> io::Result<Self> {
        let length = u32::take(frame)? as usize;
        let (bytes, rest) = frame.split_at_checked(length).ok_or_else(cut)?;
        *frame = rest;
        Ok(bytes.to_vec())
    }
}

/// Sends a type as a value of another type.
macro_rules! sent_as {
    ($($type:ty: |$value:ident| $other:expr, $from_other:expr;)+) => {$(
        impl Wire for $type {
            fn put(&self, frame: &mut Vec<u8>) {
                let $value = self;
                $other.put(frame);
            }

            fn take(frame: &mut &[u8]) -> io::Result<Self> {
                Wire::take(frame).and_then($from_other)
            }
        }
    )+};
}
sent_as! {
    bool: |it| u8::from(*it), |byte: u8| Ok(byte != 0);
    Duration: |it| it.as_millis() as u64, |millis| Ok(Duration::from_millis(millis));
    OsString: |it| it.as_bytes().to_vec(), |bytes| Ok(OsString::from_vec(bytes));
    PathBuf: |it| it.as_os_str().to_owned(), |text: OsString| Ok(text.into());
    String: |it| it.as_bytes().to_vec(), |bytes| String::from_utf8(bytes).map_err(io::Error::other);
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, frame: &mut Vec<u8>) {
        self.is_some().put(frame);
        self.iter().for_each(|value| value.put(frame));
    }

    fn take(frame: &mut &[u8]) -> io::Result<Self> {
        bool::take(frame)?.then(|| T::take(frame)).transpose()
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, frame: &mut Vec<u8>) {
        self.0.put(frame);
        self.1.put(frame);
    }

    fn take(frame: &mut &[u8]) -> io::Result<Self> {
        Ok((A::take(frame)?, B::take(frame)?))
    }
}

macro_rules! lists {
    ($($item:ty),+) => {$(
        impl Wire for Vec<$item> {
            fn put(&self, frame: &mut Vec<u8>) {
                (self.len() as u32).put(frame);
                self.iter().for_each(|item| item.put(frame));
            }

            fn take(frame: &mut &[u8]) -> io::Result<Self> {
                (0..u32::take(frame)?).map(|_| Wire::take(frame)).collect()
            }
        }
    )+};
}
lists!(u16, String, OsString, PathBuf, (OsString, OsString), Option<String>);

//! Reads everything that a program prints, and keeps the beginning and the end.

use std::io::{self, Read};
#[cfg(unix)]
use std::os::fd::AsFd as Handle;
#[cfg(windows)]
use std::os::windows::io::AsHandle as Handle;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(unix)]
use rustix::event::{PollFd, PollFlags, poll};
#[cfg(unix)]
use rustix::io::retry_on_intr;

/// How many bytes of the beginning, and of the end, are kept.
const KEPT: usize = 256 * 1024;

/// The longest wait for the reading thread: a program may print faster than it reads.
#[cfg(unix)]
const CATCHING_UP: Duration = Duration::from_secs(5);

/// One output stream of one program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output(Arc<(Mutex<Kept>, Condvar)>);

#[derive(Debug, Default)]
struct Kept {
    head: Vec<u8>,
    tail: Vec<u8>,
    total: usize,
    ended: bool,
    /// A copy of the pipe, to ask how much is in it.
    #[cfg(unix)]
    pipe: Option<std::os::fd::OwnedFd>,
}

/// A pipe that a program prints into.
pub(super) trait Stream: Read + Handle + Send + 'static {}
impl<T: Read + Handle + Send + 'static> Stream for T {}

impl Output {
    /// Reads the stream to its end in a thread, and calls `flooded` once more than `most` bytes
    /// have come.
    pub(super) fn drain(
        mut stream: impl Stream,
        most: u64,
        flooded: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let output = Self::default();
        #[cfg(unix)]
        {
            output.lock().pipe = stream.as_fd().try_clone_to_owned().ok();
        }
        let (kept, mut flooded) = (output.clone(), Some(flooded));
        std::thread::Builder::new().spawn(move || {
            let mut buffer = [0; 32 * 1024];
            while kept.take_from(&mut stream, &mut buffer).is_ok_and(|count| count > 0) {
                kept.0.1.notify_all();
                if let Some(flooded) = flooded.take_if(|_| kept.total() as u64 > most) {
                    flooded();
                }
            }
            kept.lock().ended = true;
            kept.0.1.notify_all();
        })?;
        Ok(output)
    }

    /// Reads and keeps under one lock: bytes that have left the pipe are here.
    #[cfg(unix)]
    fn take_from(&self, stream: &mut impl Stream, buffer: &mut [u8]) -> io::Result<usize> {
        retry_on_intr(|| poll(&mut [PollFd::new(stream, PollFlags::IN)], None))?;
        let mut kept = self.lock();
        let count = stream.read(buffer)?;
        kept.keep(&buffer[..count]);
        Ok(count)
    }

    #[cfg(not(unix))]
    fn take_from(&self, stream: &mut impl Stream, buffer: &mut [u8]) -> io::Result<usize> {
        let count = stream.read(buffer)?;
        self.lock().keep(&buffer[..count]);
        Ok(count)
    }

    /// Waits until everything printed so far is kept: the reading thread may have to wait for a
    /// processor.
    pub(crate) fn caught_up(&self) -> &Self {
        #[cfg(unix)]
        {
            let is_behind = |kept: &mut Kept| {
                let left =
                    kept.pipe.as_ref().and_then(|pipe| rustix::io::ioctl_fionread(pipe).ok());
                !kept.ended && left.is_some_and(|left| left > 0)
            };
            _ = self.0.1.wait_timeout_while(self.lock(), CATCHING_UP, is_behind);
        }
        self
    }

    /// Waits until the stream has ended, for at most `at_most`: a process that was not ended may
    /// hold it open.
    pub(crate) fn wait_for_end(&self, at_most: Duration) {
        let kept = self.lock();
        _ = self.0.1.wait_timeout_while(kept, at_most, |kept| !kept.ended);
    }

    /// Whether the stream has ended: no process holds it any more.
    #[cfg(target_os = "linux")]
    pub(crate) fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// Returns how many bytes were printed in all.
    pub(crate) fn total(&self) -> usize {
        self.lock().total
    }

    /// Returns everything that was printed; `None` where that was too much to keep.
    pub(crate) fn whole(&self) -> Option<Vec<u8>> {
        let kept = self.lock();
        (kept.head.len() + kept.tail.len() == kept.total)
            .then(|| [kept.head.as_slice(), &kept.tail].concat())
    }

    /// Returns what is kept: everything, or the beginning and the end.
    pub(crate) fn all(&self) -> Vec<u8> {
        self.tail(usize::MAX)
    }

    /// Returns the last bytes that were printed, at most `most`.
    pub(crate) fn tail(&self, most: usize) -> Vec<u8> {
        let kept = self.lock();
        let last = |part: &[u8], most: usize| part[part.len().saturating_sub(most)..].to_vec();
        [last(&kept.head, most.saturating_sub(kept.tail.len())), last(&kept.tail, most)].concat()
    }

    /// Whether these bytes occur in what is kept.
    pub(crate) fn contains(&self, words: &[u8]) -> bool {
        let kept = self.lock();
        [&kept.head, &kept.tail]
            .into_iter()
            .any(|part| part.windows(words.len()).any(|window| window == words))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn keep(&mut self, bytes: &[u8]) {
        self.total += bytes.len();
        let (first, rest) = bytes.split_at(bytes.len().min(KEPT - self.head.len()));
        self.head.extend(first);
        self.tail.extend(rest);
        if self.tail.len() > 2 * KEPT {
            self.tail.drain(..self.tail.len() - KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn printed(bytes: Vec<u8>) -> io::PipeReader {
        let (reader, mut writer) = io::pipe().unwrap();
        std::thread::spawn(move || writer.write_all(&bytes).unwrap());
        reader
    }

    fn drained(bytes: Vec<u8>) -> Output {
        let output = Output::drain(printed(bytes), u64::MAX, || {}).unwrap();
        output.wait_for_end(Duration::from_secs(10));
        output
    }

    #[test]
    fn a_short_output_is_kept_whole() {
        let output = drained(b"reply\n".to_vec());
        assert_eq!(output.whole(), Some(b"reply\n".to_vec()));
        assert_eq!(output.tail(3), b"ly\n");
        assert!(output.contains(b"epl") && !output.contains(b"usage"));
    }

    /// This holds however late the reading thread gets a processor.
    #[test]
    #[cfg(unix)]
    fn what_was_printed_before_a_look_is_in_it() {
        let (reader, mut writer) = io::pipe().unwrap();
        let output = Output::drain(reader, u64::MAX, || {}).unwrap();
        for round in 1..=1000 {
            writer.write_all(b"a line\n").unwrap();
            assert_eq!(output.caught_up().total(), 7 * round);
        }
    }

    #[test]
    fn too_much_is_told_once() {
        let (tell, told) = std::sync::mpsc::channel();
        let told_by = move || tell.send(()).unwrap();
        let output = Output::drain(printed(vec![b'x'; 1000]), 999, told_by).unwrap();
        output.wait_for_end(Duration::from_secs(10));
        assert_eq!(told.iter().count(), 1);
    }

    #[test]
    fn a_flood_keeps_its_ends_and_is_counted() {
        let mut flood = vec![b'x'; 10 * KEPT];
        flood.extend(b"last words");
        let output = drained(flood);
        assert_eq!(output.total(), 10 * KEPT + 10);
        assert_eq!(output.whole(), None);
        assert_eq!(output.tail(10), b"last words");
    }
}

//! How a message travels: a header of two bytes, then the body.
//!
//! ```text
//! +--------+--------+----------------------+
//! | length of body  | body, UTF-8          |
//! | high     low    |                      |
//! +--------+--------+----------------------+
//! ```
//!
//! The reference solution of `send` and `receive`, which the server and the client share.

use std::io::{self, ErrorKind, Read, Write};

/// The longest body in bytes: the largest number of 16 bits.
pub const LONGEST: usize = u16::MAX as usize;

/// Sends one message: header and body.
pub fn send(stream: &mut impl Write, text: &str) -> io::Result<()> {
    let length = u16::try_from(text.len()).map_err(|_| {
        let message = format!("{} bytes are more than {LONGEST}", text.len());
        io::Error::new(ErrorKind::InvalidInput, message)
    })?;
    // One write sends both: a header alone would travel in its own packet.
    let mut message = Vec::with_capacity(2 + text.len());
    message.extend(length.to_be_bytes());
    message.extend(text.as_bytes());
    stream.write_all(&message)
}

/// Receives one message. Returns `None` if the stream ends before a message begins.
pub fn receive(stream: &mut impl Read) -> io::Result<Option<String>> {
    let mut header = [0; 2];
    if !begins(stream, &mut header[..1])? {
        return Ok(None);
    }
    stream.read_exact(&mut header[1..])?;
    let mut body = vec![0; usize::from(u16::from_be_bytes(header))];
    // Reads exactly the body, and fails if the stream ends before its last byte.
    stream.read_exact(&mut body)?;
    String::from_utf8(body)
        .map(Some)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// Reads the first byte of a message. Returns `false` if the stream ends instead.
fn begins(stream: &mut impl Read, first: &mut [u8]) -> io::Result<bool> {
    loop {
        match stream.read(first) {
            Ok(count) => return Ok(count > 0),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_received() {
        for text in [
            "",
            "a",
            "Grüße, 世界",
            &"x".repeat(256),
            &"x".repeat(LONGEST),
        ] {
            let mut wire = Vec::new();
            send(&mut wire, text).unwrap();
            assert_eq!(wire.len(), 2 + text.len());
            assert_eq!(
                receive(&mut wire.as_slice()).unwrap().as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn an_end_between_messages_is_no_error_and_one_inside_is() {
        assert_eq!(receive(&mut [].as_slice()).unwrap(), None);
        for wire in [&[0][..], &[0, 2], &[0, 2, b'a']] {
            let error = receive(&mut &*wire).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn a_body_too_long_is_not_sent() {
        let mut wire = Vec::new();
        assert!(send(&mut wire, &"x".repeat(LONGEST + 1)).is_err());
        assert!(wire.is_empty());
    }
}

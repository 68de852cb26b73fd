//! How a message travels: a header of two bytes, then the body.
//!
//! ```text
//! +--------+--------+----------------------+
//! | length of body  | body, UTF-8          |
//! | high     low    |                      |
//! +--------+--------+----------------------+
//! ```
//!
//! Yours: `send` and `receive`, which the server and the client share. They know nothing of sockets:
//! whatever can be written to or read from will do, a `Vec<u8>` and a `&[u8]` in a test, too.

use std::io::{self, Read, Write};

/// The longest body, in bytes: what a number of 16 bits holds.
pub const LONGEST: usize = u16::MAX as usize;

/// Sends one message: header and body.
pub fn send(stream: &mut impl Write, text: &str) -> io::Result<()> {
    // The header is the number of bytes in the body, as a `u16`, the high byte first. That order is
    // called big-endian, or network order.
    //         C:      htons(length)
    //         Python: struct.pack(">H", length)
    //         Rust:   a method of `u16` that returns `[u8; 2]`
    //
    //   - How long is "Grüße": five, or seven? Which of the two does `len` return?
    //   - What if the text is longer than `LONGEST`? A `u16` that is made by `as` only keeps the low
    //     bits of the length. Nothing must be sent then.
    //   - Which method of `Write` sends all the bytes?
    let wire = std::any::type_name_of_val(stream);
    todo!("send a header and {} bytes over {wire}", text.len())
}

/// Receives one message; `None` where the stream ends and no message has begun.
pub fn receive(stream: &mut impl Read) -> io::Result<Option<String>> {
    // First the header, then as many bytes as it says, and not one more: what follows is the next
    // message's.
    //
    //   - A read may return the first byte of the header and not the second, or a part of the body.
    //     One method of `Read` goes on until a buffer is full.
    //   - It fails, with `UnexpectedEof`, where the stream ends before that. In the middle of a
    //     message that is just right. But where a message would begin the end is no error: then
    //     there is none. How can you tell the two apart?
    //   - A length of 0 is a message like any other.
    //   - Are the bytes of the body text? `String::from_utf8` knows, and `ErrorKind::InvalidData` is
    //     the error for it.
    let wire = std::any::type_name_of_val(stream);
    todo!("receive a header from {wire}, then the body")
}

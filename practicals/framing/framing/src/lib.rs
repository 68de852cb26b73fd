//! How a message travels: a header of two bytes, then the body.
//!
//! ```text
//! +--------+--------+----------------------+
//! | length of body  | body, UTF-8          |
//! | high     low    |                      |
//! +--------+--------+----------------------+
//! ```
//!
//! You write `send` and `receive`, which the server and the client share. They do not know what a
//! socket is: they write to any `Write` and read from any `Read`, such as a `Vec<u8>` and a `&[u8]`
//! in a test.

use std::io::{self, Read, Write};

/// The longest body in bytes: the largest number of 16 bits.
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
    //   - What if the text is longer than `LONGEST`? Then you must send nothing. `as u16` would
    //     keep only the low bits of the length.
    //   - Which method of `Write` sends all the bytes?
    let wire = std::any::type_name_of_val(stream);
    todo!("send a header and {} bytes over {wire}", text.len())
}

/// Receives one message. Returns `None` if the stream ends before a message begins.
pub fn receive(stream: &mut impl Read) -> io::Result<Option<String>> {
    // First read the header, then exactly as many bytes as it says. What follows belongs to the
    // next message.
    //
    //   - A read may return the first byte of the header and not the second, or a part of the body.
    //     One method of `Read` goes on until a buffer is full.
    //   - It fails with `UnexpectedEof` if the stream ends before that. In the middle of a message
    //     that is right. But an end where a message would begin is not an error: then there is no
    //     message. How can you tell the two apart?
    //   - A length of 0 is a message like any other.
    //   - Are the bytes of the body text? `String::from_utf8` tells you. If they are not, the error
    //     to return is `ErrorKind::InvalidData`.
    let wire = std::any::type_name_of_val(stream);
    todo!("receive a header from {wire}, then the body")
}

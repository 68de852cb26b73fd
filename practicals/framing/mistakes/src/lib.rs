//! What the programs in `bin` share: a correct server and a correct client, cut into steps. A
//! mistake is a program that replaces one of these steps, so its file shows little else.

pub mod client;
pub mod server;

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

/// The longest body, in bytes.
pub const LONGEST: usize = u16::MAX as usize;

/// How messages travel over one connection. Each default is correct.
pub trait Framing {
    fn header(&self, text: &str) -> Vec<u8> {
        (text.len() as u16).to_be_bytes().to_vec()
    }

    fn send(&mut self, stream: &mut TcpStream, text: &str) -> io::Result<()> {
        let header = self.header(text);
        stream.write_all(&[&header, text.as_bytes()].concat())
    }

    fn receive(&mut self, stream: &mut TcpStream) -> io::Result<Option<String>> {
        let Some(header) = self.receive_header(stream)? else {
            return Ok(None);
        };
        let mut body = vec![0; self.length(header)?];
        self.receive_body(stream, &mut body)?;
        self.text(body).map(Some)
    }

    /// Returns `None` if the stream ends before a message begins.
    fn receive_header(&mut self, stream: &mut TcpStream) -> io::Result<Option<[u8; 2]>> {
        let mut header = [0; 2];
        if stream.read(&mut header[..1])? == 0 {
            return Ok(None);
        }
        stream.read_exact(&mut header[1..])?;
        Ok(Some(header))
    }

    fn length(&self, header: [u8; 2]) -> io::Result<usize> {
        Ok(usize::from(u16::from_be_bytes(header)))
    }

    fn receive_body(&mut self, stream: &mut TcpStream, body: &mut [u8]) -> io::Result<()> {
        stream.read_exact(body)
    }

    fn text(&self, body: Vec<u8>) -> io::Result<String> {
        String::from_utf8(body).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }
}

/// The correct framing: it replaces no step.
#[derive(Default)]
pub struct Right;

impl Framing for Right {}

/// Receives one message. Reads as much as has arrived, and keeps in `kept` what follows it.
pub fn receive_buffered(stream: &mut TcpStream, kept: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some((header, rest)) = kept.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes(*header));
            if rest.len() >= length {
                let body = rest[..length].to_vec();
                kept.drain(..2 + length);
                return Ok(Some(body));
            }
        }
        let mut buffer = [0; 64 * 1024];
        match stream.read(&mut buffer)? {
            0 if kept.is_empty() => return Ok(None),
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => kept.extend(&buffer[..count]),
        }
    }
}

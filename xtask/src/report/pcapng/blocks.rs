//! The four blocks of a capture file (draft-ietf-opsawg-pcapng).

use super::{COMMENT, LINKTYPE_RAW, Packet};
use crate::grade::NoGrade;
use crate::report::plain;

const OPT_ENDOFOPT: u16 = 0;
const OPT_COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const SHB_USERAPPL: u16 = 4;

/// Writes the Section Header Block: the byte order, version 1.0, an unspecified length.
pub(super) fn section(file: &mut Vec<u8>, no_grade: Option<&NoGrade>) {
    let fault =
        no_grade.map(|NoGrade(fault)| format!(" There is no grade: {}.", plain::line(fault)));
    let comment = format!("{COMMENT}{}", fault.unwrap_or_default());
    let mut body = Vec::new();
    body.extend(0x1a2b_3c4d_u32.to_le_bytes());
    body.extend(1_u16.to_le_bytes());
    body.extend(0_u16.to_le_bytes());
    body.extend(u64::MAX.to_le_bytes());
    option(&mut body, OPT_COMMENT, &comment);
    option(&mut body, SHB_USERAPPL, "cargo xtask grade --report pcapng");
    option(&mut body, OPT_ENDOFOPT, "");
    block(file, 0x0a0d_0d0a, body);
}

/// Writes an Interface Description Block. Times are in microseconds by default.
pub(super) fn interface(file: &mut Vec<u8>, name: &str, description: &str) {
    let mut body = Vec::new();
    body.extend(LINKTYPE_RAW.to_le_bytes());
    body.extend([0; 2]);
    body.extend(0_u32.to_le_bytes()); // packets of any length
    option(&mut body, IF_NAME, name);
    option(&mut body, IF_DESCRIPTION, description);
    option(&mut body, OPT_ENDOFOPT, "");
    block(file, 1, body);
}

/// Writes an Enhanced Packet Block.
pub(super) fn enhanced_packet(file: &mut Vec<u8>, packet: &Packet) {
    let at = packet.at.as_micros() as u64;
    let length = packet.bytes.len() as u32;
    let mut body = Vec::with_capacity(packet.bytes.len() + 64);
    for word in [packet.interface, (at >> 32) as u32, at as u32, length, length] {
        body.extend(word.to_le_bytes());
    }
    body.extend(&packet.bytes);
    pad(&mut body);
    if let Some(comment) = &packet.comment {
        option(&mut body, OPT_COMMENT, comment);
        option(&mut body, OPT_ENDOFOPT, "");
    }
    block(file, 6, body);
}

fn option(body: &mut Vec<u8>, code: u16, text: &str) {
    const MOST: usize = 8_000; // characters: an option holds at most 65,535 bytes
    let text: String = text.chars().take(MOST).collect();
    body.extend(code.to_le_bytes());
    body.extend((text.len() as u16).to_le_bytes());
    body.extend(text.as_bytes());
    pad(body);
}

fn block(file: &mut Vec<u8>, kind: u32, body: Vec<u8>) {
    let length = (body.len() + 12) as u32;
    file.extend(kind.to_le_bytes());
    file.extend(length.to_le_bytes());
    file.extend(body);
    file.extend(length.to_le_bytes());
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

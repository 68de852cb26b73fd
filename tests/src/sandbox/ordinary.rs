//! An ordinary program, to compare a submission with: it listens, and waits for its end.

use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};

/// The first argument that makes the harness's executable the ordinary program. No command has this
/// name.
pub(super) const ARGUMENT: &str = "__listen";

/// Listens until its standard input ends.
pub(super) fn serve() -> io::Result<()> {
    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

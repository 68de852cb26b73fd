//! Takes what it reads for text, for its log. Bytes that are not UTF-8, and characters that two
//! reads cut in two, are an error, which closes the client.

use std::io;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Reader;

impl Server for Reader {
    fn take(&mut self, client: &mut Client, bytes: &[u8]) -> io::Result<()> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        println!("received {text:?}");
        client.owed.extend(text.as_bytes());
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Reader)
}

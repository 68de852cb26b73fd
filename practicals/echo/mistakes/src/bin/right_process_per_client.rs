//! Correct, but odd: makes a process for each client, as the classical textbooks do. The parent
//! closes its copy of the client's socket, and the child its copy of the listening socket. The
//! kernel removes the children that have ended.

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("this program needs fork, which only Unix has");
    std::process::ExitCode::FAILURE
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    echo_mistakes::server::main(&unix::Forking)
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::net::TcpListener;

    use echo_mistakes::server::{Server, pause_after};

    pub struct Forking;

    impl Server for Forking {
        fn serve(&'static self, listener: TcpListener) -> io::Result<()> {
            // SAFETY: no handler is installed. Ignored children leave no zombie (wait(2)).
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
            loop {
                let client = match listener.accept() {
                    Ok((client, _)) => client,
                    Err(error) => {
                        pause_after(&error);
                        continue;
                    }
                };
                // SAFETY: this process has one thread, so the child may do all that the parent may.
                match unsafe { libc::fork() } {
                    0 => {
                        drop(listener);
                        let _ = self.converse(&client);
                        drop(client);
                        // SAFETY: this ends the child, which has nothing left to write.
                        unsafe { libc::_exit(0) }
                    }
                    -1 => eprintln!("cannot fork: {}", io::Error::last_os_error()),
                    _ => {} // the child has a copy of the socket, and the parent drops its own
                }
            }
        }
    }
}

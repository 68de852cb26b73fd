//! Right, and odd: a process for each client, as the classical textbooks do it. The parent closes
//! its copy of the client's socket, the child its copy of the listening one, and the kernel takes
//! the ended children away.

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("this program needs fork, which only Unix has");
    std::process::ExitCode::FAILURE
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::main()
}

#[cfg(unix)]
mod unix {
    use std::env;
    use std::io::{self, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::process::ExitCode;
    use std::thread;
    use std::time::Duration;

    pub fn main() -> ExitCode {
        let Some((host, port)) = arguments() else {
            eprintln!("usage: echo_server [HOST [PORT]]");
            return ExitCode::from(2);
        };
        match TcpListener::bind((host.as_str(), port)) {
            Ok(listener) => serve(listener),
            Err(error) => {
                eprintln!("cannot listen on {host}:{port}: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn serve(listener: TcpListener) -> ! {
        // SAFETY: no handler is installed. Children whose end is ignored leave no zombie (wait(2)).
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        loop {
            match listener.accept() {
                // SAFETY: this process has one thread, so that the child may do all that the parent
                // may.
                Ok((client, _)) => match unsafe { libc::fork() } {
                    0 => {
                        drop(listener);
                        let _ = echo(client);
                        // SAFETY: ends this child; nothing is left to be written.
                        unsafe { libc::_exit(0) }
                    }
                    -1 => eprintln!(
                        "cannot make a process for a client: {}",
                        io::Error::last_os_error()
                    ),
                    _ => {} // the child has its own copy of the socket: this one is dropped, and so closed
                },
                // Most often no descriptor is free, and the next attempt would fail as fast.
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn echo(mut client: TcpStream) -> io::Result<()> {
        let mut buffer = [0; 8 * 1024];
        loop {
            let count = client.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            client.write_all(&buffer[..count])?;
        }
    }

    fn arguments() -> Option<(String, u16)> {
        let mut words = env::args_os()
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned());
        let host = words.next().unwrap_or_else(|| "127.0.0.1".into());
        let port = words
            .next()
            .unwrap_or_else(|| "65432".into())
            .parse()
            .ok()?;
        words.next().is_none().then_some((host, port))
    }
}

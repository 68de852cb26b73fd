//! Right, and odd: a pool of threads that take one client after another, and that grows when all of
//! them are busy. A student writes that who has read that threads are expensive; a pool of a fixed
//! size would turn clients away.

use std::collections::VecDeque;
use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    let Some((host, port)) = arguments() else {
        eprintln!("usage: echo_server [HOST [PORT]]");
        return ExitCode::from(2);
    };
    match TcpListener::bind((host.as_str(), port)) {
        Ok(listener) => serve(&listener),
        Err(error) => {
            eprintln!("cannot listen on {host}:{port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(listener: &TcpListener) -> ! {
    let pool = Arc::new(Pool::default());
    loop {
        match listener.accept() {
            Ok((client, _)) => pool.give(client),
            // Most often no descriptor is free, and the next attempt would fail as fast.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

#[derive(Default)]
struct Pool {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<TcpStream>,
    idle: usize,
}

impl Pool {
    /// To a worker that is idle, and that no other client has been promised; otherwise to a new
    /// one.
    fn give(self: &Arc<Self>, client: TcpStream) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.push_back(client);
        if state.waiting.len() > state.idle {
            let pool = self.clone();
            // Without a new worker this client waits for an old one.
            let _ = thread::Builder::new().spawn(move || pool.work());
        }
        self.changed.notify_one();
    }

    fn work(&self) -> ! {
        loop {
            let client = self.take();
            let _ = echo(client);
        }
    }

    fn take(&self) -> TcpStream {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.idle += 1;
        loop {
            if let Some(client) = state.waiting.pop_front() {
                state.idle -= 1;
                return client;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
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

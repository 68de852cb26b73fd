//! Correct, but odd: has a pool of threads that each take one client after another. The pool grows
//! when all of them are busy. The student has read that threads are expensive. A pool of a fixed
//! size would keep clients waiting.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use echo_mistakes::server::{self, Server};

struct Pool {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: VecDeque<TcpStream>,
    idle: usize,
}

static POOL: Pool = Pool {
    state: Mutex::new(State {
        waiting: VecDeque::new(),
        idle: 0,
    }),
    changed: Condvar::new(),
};

impl Server for Pool {
    /// Gives the client to an idle worker, or to a new one if all idle workers have a client.
    fn start(&'static self, client: TcpStream) {
        let mut state = self.lock();
        state.waiting.push_back(client);
        if state.waiting.len() > state.idle {
            // Without a new worker this client waits for an old one.
            let _ = thread::Builder::new().spawn(move || self.work());
        }
        self.changed.notify_one();
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) -> ! {
        loop {
            let client = self.take();
            let _ = self.converse(&client);
        }
    }

    fn take(&self) -> TcpStream {
        let mut state = self.lock();
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

fn main() -> ExitCode {
    server::main(&POOL)
}

//! What a server can do at all: how long a conversation a check can have with it.
//!
//! A check that fails may have met a mistake that is another check's matter: the server ends each
//! conversation after one reply, or serves one client only. Then the check tries what it can in a
//! conversation that the server can hold.

use std::sync::Arc;

use crate::engine::check::InShort;
use crate::engine::program::Program;
use crate::engine::tried::Tried;
use crate::engine::verdict::Outcome;
use crate::engine::wait;
use crate::practicals::shared::AFTERMATH;
use crate::practicals::shared::echo_server::exactness::echoes_message_after_message;

/// What a server can do with plain letters. Where that could not be tried, it is taken to be able.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Abilities {
    /// It answers the second and the third message on one connection.
    pub(super) converses: bool,
    /// It serves the clients after its first one, and lives on when they have gone.
    pub(super) serves_next: bool,
    /// It serves a second client while the first one is silent.
    pub(super) serves_at_once: bool,
}

impl Abilities {
    /// Returns the abilities of this server, which are tried once in a run.
    pub(super) fn of(server: &Program) -> Arc<Self> {
        server.learn(|server| Self {
            converses: can(server, echoes_message_after_message),
            serves_next: can(server, serves_several_clients),
            serves_at_once: can(server, serves_two_clients),
        })
    }
}

fn can(server: &Program, attempt: fn(&Program) -> Outcome) -> bool {
    !matches!(server.try_aside(attempt), Err(Some(_)))
}

fn serves_several_clients(server: &Program) -> Outcome {
    let mut payload = server.payload();
    let running = server.launch()?;
    for _ in 0..3 {
        let mut client = running.connect()?;
        client.exchange(&payload.letters(8))?;
        client.leave();
        wait::settle(&server.context, AFTERMATH, wait::STUCK);
    }
    running.lives_on()
}

fn serves_two_clients(server: &Program) -> Outcome {
    let message = server.payload().letters(6);
    let running = server.launch()?;
    let _silent = running.connect()?;
    running.connect()?.exchange(&message)
}

/// Tries the same in a shorter conversation, if the server cannot hold the longer one. The shorter
/// one decides.
pub(super) fn in_short(
    server: &Program,
    tried: Tried,
    is_needed: impl FnOnce(&Abilities) -> bool,
    attempt: impl FnOnce(&Program) -> Outcome,
) -> InShort {
    if !is_needed(&Abilities::of(server)) {
        return InShort::Fails(tried);
    }
    match server.try_aside(attempt) {
        Ok(()) => InShort::Holds,
        Err(shorter) => InShort::Fails(shorter.unwrap_or(tried)),
    }
}

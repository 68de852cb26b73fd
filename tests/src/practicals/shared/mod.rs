//! What several practicals need: moves of any server and of any client, with the facts that they
//! leave and the rules that read them.
//!
//! A move that talks to a server takes a [`Dialogue`]: what to ask, and what must come back.

pub(crate) mod address;
pub(crate) mod any_client;
pub(crate) mod clients;
pub(crate) mod dialogue;
pub(crate) mod echo_server;
pub(crate) mod reports;
pub(crate) mod rest;

use std::time::Duration;

/// How long a program has to do the wrong thing after a client did something odd. The wait ends
/// earlier where nothing can move.
pub(crate) const AFTERMATH: Duration = Duration::from_millis(250);

/// A fact: this step of a conversation, counted from 1, was the first that failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FailedAt(pub(crate) usize);

/// A fact: a client received bytes that another client had sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OthersBytes;

//! Control groups where the system has none.

use std::io;

use super::spec::Group;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "only Linux has control groups")]
pub(super) enum RanOut {
    Program,
    Machine,
}

/// A group, of which there is none.
#[derive(Debug)]
pub(super) enum Joined {}

impl Joined {
    pub(super) fn open(_group: &Group) -> io::Result<Self> {
        Err(io::Error::other("this system has no control groups"))
    }

    pub(super) fn tasks(&self) -> io::Result<u64> {
        match *self {}
    }

    pub(super) fn ran_out(&self) -> io::Result<Option<RanOut>> {
        match *self {}
    }

    pub(super) fn kill(&self) {
        match *self {}
    }

    pub(super) fn remove(&self) {
        match *self {}
    }
}

pub(super) fn memory_of_machine() -> Option<u64> {
    None
}

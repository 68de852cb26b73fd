//! Finds out whether another process has the address of a program: that is not the program's fault.

use std::net::SocketAddr;
use std::process::ExitStatus;

use crate::engine::probe::is_taken;
use crate::engine::program::Program;
use crate::engine::running::NotListening;
use crate::fault::Fault;

impl Program {
    /// Returns whether another try may do better. Between the choice of the port and the bind
    /// another process may have taken it. The same end twice is no accident, unless another process
    /// has the address.
    pub(super) fn is_accident(
        &self,
        not: &NotListening,
        told: SocketAddr,
        last_end: Option<ExitStatus>,
    ) -> bool {
        match not.status() {
            Some(status) => last_end != Some(status) || self.is_anothers(told),
            None => self.is_taken(told),
        }
    }

    pub(super) fn fixed_address_is_free(&self) -> Result<(), Fault> {
        match self.subject.home().fixed().filter(|address| self.is_taken(*address)) {
            None => Ok(()),
            Some(address) => Err(Fault(format!(
                "something else listens on {address}, the address of {}: end it",
                self.subject.name()
            ))),
        }
    }

    /// Fails where a process outside of the grading has the address of a program that has ended.
    pub(crate) fn is_left_alone(&self, address: SocketAddr) -> Result<(), Fault> {
        match self.is_anothers(address) {
            false => Ok(()),
            true => Err(Fault(format!(
                "another process has taken {address}, the address that {} was told: end it",
                self.subject.name()
            ))),
        }
    }

    /// Returns whether the address of a program that has ended belongs to a process outside of the
    /// grading: in a private network there is none.
    fn is_anothers(&self, address: SocketAddr) -> bool {
        !self.context.place.network().is_private() && self.is_taken(address)
    }

    /// Returns whether another process holds this address while the program does not listen.
    /// Where the kernel does not say who listens, it may be the program.
    fn is_taken(&self, address: SocketAddr) -> bool {
        is_taken(self.context.place.network(), address)
    }
}

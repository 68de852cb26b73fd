//! The answers of Linux, from `/proc` (proc(5)) and by pidfd_getfd(2).

mod aside;
mod blocked;
mod call;
mod connections;
mod descendants;
mod held;
mod interest;
mod process;
mod runs;
#[cfg(test)]
mod small_programs;
mod socket;
mod standstill;
mod table;
mod task;
#[cfg(test)]
mod testing;
mod usage;

pub(crate) use aside::sockets_put_aside;
pub(crate) use blocked::program_state;
pub(crate) use descendants::{become_subreaper, children, descendants};
pub(crate) use held::{bound_datagrams, listening, reuses_address, sockets, unread_from};
pub(crate) use interest::{read_size, waits_to_write};
pub(crate) use runs::{runs, waiting_for_sockets};
pub(crate) use socket::is_drained;
pub(crate) use standstill::standstill;
pub(crate) use table::owes_after_closing;
pub(crate) use task::{thread_count, thread_cpu_time};
pub(crate) use usage::{cpu_time, is_ready, is_running, resident_memory, tasks, total_cpu_time};

//! The commands, a file each.

#[cfg(target_os = "linux")]
pub(crate) mod attacks;
pub(crate) mod bench;
pub(crate) mod explain;
pub(crate) mod grade;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod release;
pub(crate) mod soak;
pub(crate) mod verify;
#[cfg(feature = "full")]
pub(crate) mod watch;

//! Lists the messages between the harness and its helper processes.

use std::io;

use super::lack::code_of;
use super::not_started::NotStarted;
use super::spec::{Group, Jail, JailedCommand, Limits, Reach, Stdin, Targets, Tier, Version};
use super::wire::{Wire, fields, variants};

/// The first argument that makes an executable a launcher. No command has this name.
pub(super) const LAUNCH: &str = "__launch";

// The harness sends a launcher one `JailedCommand`.
fields!(JailedCommand { command, stdin, jail });
fields!(Stdin { bytes, then_end });
fields!(Jail { tier, reach, network, users, group, ports, hidden, without, self_test });
fields!(Group { version, folders });
variants!(Version { 1 => One, 2 => Two });
fields!(Reach { read, write, execute, environment, limits });
fields!(Limits { tasks, descriptors, memory, disk, output, processor });
fields!(Targets { port, another_user, harness, secrets });
variants!(Tier { 0 => Plain, 1 => Landlock, 2 => Namespaces });

/// What a launcher sends to the harness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LauncherMessage {
    /// The keeper has this process id. All processes below it are the program's.
    Keeper(u32),
    /// The program runs. The keeper knows it by this process id.
    Started(u32),
    /// The program could not be started, for this reason: the error's number, or 0, and its text.
    Failed(i32, String),
    /// The program's first process has ended, with this wait status.
    Exited(i32),
    /// The program passed a limit, told in a sentence, and is being ended.
    Over(String),
    /// The machine ran out of memory, and its kernel has ended a process of the program.
    Starved,
    /// The confinement has refused this call for the first time.
    Refused(String),
    /// All processes of the program have ended by themselves.
    Empty,
    /// No process of the program is left, and the launcher ends.
    Gone,
    /// The system does not execute the program's file, for this reason.
    Unusable(String),
}
variants!(LauncherMessage {
    0 => Keeper(pid),
    1 => Started(pid),
    2 => Failed(code, why),
    3 => Exited(status),
    4 => Over(limit),
    5 => Refused(call),
    6 => Empty,
    7 => Gone,
    8 => Unusable(why),
    9 => Starved,
});

impl From<NotStarted> for LauncherMessage {
    fn from(not: NotStarted) -> Self {
        match not {
            NotStarted::Unusable(why) => Self::Unusable(why),
            NotStarted::Fault(error) => Self::Failed(code_of(&error), error.to_string()),
        }
    }
}

/// What a process sends to its keeper before it becomes the program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg(target_os = "linux")]
pub(super) enum Becoming {
    /// Its filter is in force. This descriptor of it is where the kernel asks.
    Filtered(u32),
    /// It cannot become the program, for this reason: the error's number, or 0, and its text.
    Failed(i32, String),
    /// The system does not execute the program's file, for this reason.
    Unusable(String),
}
#[cfg(target_os = "linux")]
variants!(Becoming { 0 => Filtered(number), 1 => Failed(code, why), 2 => Unusable(why) });

#[cfg(target_os = "linux")]
impl From<NotStarted> for Becoming {
    fn from(not: NotStarted) -> Self {
        match not {
            NotStarted::Unusable(why) => Self::Unusable(why),
            NotStarted::Fault(error) => Self::Failed(code_of(&error), error.to_string()),
        }
    }
}

/// What the harness sends to the broker.
#[derive(Debug, Clone, Copy)]
#[cfg(target_os = "linux")]
pub(super) enum BrokerRequest {
    NewNetwork,
    /// Make a socket in this network, of this family and type, and keep it. The answer is its
    /// number among the broker's descriptors.
    Socket(u32, i32, i32),
    /// Close that socket: the harness has copied it.
    Copied,
    /// Send that socket.
    Send,
    /// Drop this network.
    Forget(u32),
}
#[cfg(target_os = "linux")]
variants!(BrokerRequest {
    0 => NewNetwork,
    1 => Socket(network, domain, kind),
    2 => Forget(network),
    3 => Copied,
    4 => Send,
});

/// What the broker sends back. A socket travels beside the message.
#[derive(Debug, Clone, Copy)]
#[cfg(target_os = "linux")]
pub(super) enum BrokerAnswer {
    /// Done, with the number of the network.
    Done(u32),
    /// Failed, with the error's number.
    Failed(i32),
}
#[cfg(target_os = "linux")]
variants!(BrokerAnswer { 0 => Done(network), 1 => Failed(error) });

#[cfg(test)]
mod tests {
    use super::super::wire::{Channel, frame, unframe};
    use super::*;

    fn a_launch() -> JailedCommand {
        JailedCommand {
            command: vec!["/a b".into(), "".into()],
            stdin: Stdin { bytes: b"\0line\n".to_vec(), then_end: true },
            jail: Jail {
                tier: Tier::Namespaces,
                reach: Reach {
                    read: vec!["/usr".into()],
                    execute: Some(vec!["/a b".into()]),
                    environment: vec![("A".into(), "".into())],
                    limits: Limits::BUILD,
                    ..Reach::default()
                },
                network: Some("/proc/1/fd/3".into()),
                users: None,
                group: Some(Group { version: Version::One, folders: vec!["/a".into()] }),
                ports: vec![7, 65535],
                hidden: vec!["/usr/src/app".into()],
                without: vec!["files".to_owned()],
                self_test: Some(Targets {
                    port: 9,
                    another_user: true,
                    harness: 1,
                    secrets: vec!["/tmp/secret".into()],
                }),
            },
        }
    }

    #[test]
    fn what_is_sent_is_received() {
        let (harness, end) = Channel::pair().unwrap();
        let mut launcher = Channel::new(end);
        harness.send(&a_launch()).unwrap();
        harness.finish().unwrap();
        assert_eq!(launcher.receive().unwrap(), Some(a_launch()));
        assert_eq!(launcher.receive::<JailedCommand>().unwrap(), None);
    }

    #[test]
    fn a_message_is_complete_with_its_last_byte() {
        let (mut received, whole) = (Vec::new(), frame(&a_launch()));
        let (last, before) = whole.split_last().unwrap();
        for byte in before {
            received.push(*byte);
            assert_eq!(unframe::<JailedCommand>(&mut received).unwrap(), None);
        }
        received.extend([*last, 0]);
        assert_eq!(unframe(&mut received).unwrap(), Some(a_launch()));
        assert_eq!(received, [0]);
    }

    #[test]
    fn no_message_is_longer_than_allowed() {
        assert!(unframe::<LauncherMessage>(&mut vec![0xff; 8]).is_err());
    }
}

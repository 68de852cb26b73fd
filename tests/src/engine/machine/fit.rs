//! What a grading needs of the machine, whatever is graded. Below that, right programs would fail.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Limit, task_limits};
use crate::fault::Fault;
#[cfg(target_os = "linux")]
use crate::sandbox::{self, Allowance};

/// A limit of a process that a grading needs to be at least so high.
struct Need {
    resource: Resource,
    least: u64,
    /// What is counted, and by how much at a time.
    unit: (u64, &'static str),
    way_out: &'static str,
}

const MIB: u64 = 1024 * 1024;

/// A server in C with 500 threads reserves 4 GiB for their stacks, and a virtual machine reserves more
/// than it uses.
const NEEDS: [Need; 5] = [
    Need {
        resource: Resource::As,
        least: 8192 * MIB,
        unit: (MIB, "MiB of address space"),
        way_out: "ulimit -v",
    },
    Need {
        resource: Resource::Data,
        least: 8192 * MIB,
        unit: (MIB, "MiB of data"),
        way_out: "ulimit -d",
    },
    Need {
        resource: Resource::Fsize,
        least: 1024 * MIB,
        unit: (MIB, "MiB in a file"),
        way_out: "ulimit -f",
    },
    Need {
        resource: Resource::Cpu,
        least: 600,
        unit: (1, "s of processor time"),
        way_out: "ulimit -t",
    },
    Need { resource: Resource::Nofile, least: 128, unit: (1, "descriptors"), way_out: "ulimit -n" },
];

/// How many processes and threads the harness, a compiler and a few small programs need.
const TASKS: u64 = 100;

/// Raises this process's limits as far as it may, and returns what is still too low for a grading.
/// Descendants inherit the limits.
pub fn check_machine() -> Result<(), Fault> {
    NEEDS.iter().try_for_each(Need::check)?;
    #[cfg(target_os = "linux")]
    sandbox::allowance().map_or(Ok(()), check_memory)?;
    match task_limits(None).into_iter().find(|limit| !limit.has_room_for(TASKS)) {
        None => Ok(()),
        Some(Limit { most, now, way_out }) => Err(Fault(format!(
            "a grading needs {TASKS} processes and threads; this machine allows {most}, and there \
             are {now}: {way_out}"
        ))),
    }
}

/// The memory that the harness, a compiler and a small program need, in bytes.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 512 * MIB;

#[cfg(target_os = "linux")]
fn check_memory(allowance: Allowance) -> Result<(), Fault> {
    let Allowance { memory, file } = allowance;
    if memory >= MEMORY {
        return Ok(());
    }
    let (least, memory, file) = (MEMORY / MIB, memory / MIB, file.display());
    Err(Fault(format!(
        "a grading needs {least} MiB of memory, and this machine allows {memory}: raise {file}"
    )))
}

impl Need {
    fn check(&self) -> Result<(), Fault> {
        let hard = getrlimit(self.resource).maximum;
        // Some systems refuse what they show as the maximum: then the limit stays.
        _ = setrlimit(self.resource, Rlimit { current: hard, maximum: hard });
        match getrlimit(self.resource).current.filter(|limit| *limit < self.least) {
            None => Ok(()),
            Some(limit) => Err(self.too_low(limit)),
        }
    }

    fn too_low(&self, limit: u64) -> Fault {
        let (by, what) = self.unit;
        let (least, limit, way_out) = (self.least / by, limit / by, self.way_out);
        Fault(format!(
            "a grading needs {least} {what} in a process, and this machine allows {limit}: raise \
             `{way_out}`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_limits_is_fit() {
        assert_eq!(check_machine(), Ok(()));
    }

    #[test]
    fn a_limit_is_told_with_both_numbers_and_the_way_out() {
        assert_eq!(
            NEEDS[0].too_low(256 * MIB).to_string(),
            "a grading needs 8192 MiB of address space in a process, and this machine allows 256: \
             raise `ulimit -v`"
        );
    }
}

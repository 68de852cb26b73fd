//! Variables of the environment that change what an interpreter does, whatever program it runs.

use std::ffi::OsString;
use std::process::Command;

/// What the names of such variables begin with.
const PREFIXES: [&str; 11] = [
    "PYTHON",
    "NODE_OPTIONS",
    "NODE_PATH",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "JDK_JAVAC_OPTIONS",
    "_JAVA_OPTIONS",
    "CLASSPATH",
    "GOFLAGS",
    "PERL5OPT",
    "RUBYOPT",
];

/// Removes such variables from the environment of a command. They belong to the machine, and the
/// same program must do the same on every machine.
pub fn without_settings(command: &mut Command) -> &mut Command {
    let is_setting =
        |name: &OsString| PREFIXES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix));
    for name in std::env::vars_os().map(|(name, _)| name).filter(is_setting) {
        command.env_remove(name);
    }
    command
}

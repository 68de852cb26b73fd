//! What attacks are aimed at.

use std::fs;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};

use crate::repository;
use crate::rubric::Rubric;

/// Things on this machine that an attack tries to reach.
pub(super) struct Targets {
    folder: tempfile::TempDir,
    service: TcpListener,
    _socket: UnixListener,
    _abstract: UnixListener,
    handle: fs::File,
    pub(super) word: String,
    solution: String,
}

const SECRET: &str = "nobody's business\n";

impl Targets {
    pub(super) fn new(rubric: &Rubric, number: usize) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("attacked-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))?;
        fs::write(folder.path().join("secret"), SECRET)?;
        fs::set_permissions(folder.path().join("secret"), fs::Permissions::from_mode(0o644))?;
        fs::create_dir(folder.path().join("home"))?;
        fs::set_permissions(folder.path().join("home"), fs::Permissions::from_mode(0o777))?;
        let word = format!("attacked{}-{number}", std::process::id());
        let handle = fs::File::open(folder.path().join("secret"))?;
        rustix::io::fcntl_setfd(&handle, rustix::io::FdFlags::empty())?; // a descriptor that somebody forgot to close
        Ok(Self {
            service: TcpListener::bind(("127.0.0.1", 0))?,
            _socket: UnixListener::bind(folder.path().join("socket"))?,
            _abstract: UnixListener::bind_addr(&SocketAddr::from_abstract_name(&word)?)?,
            solution: rubric.folder.join("solution").display().to_string(),
            folder,
            handle,
            word,
        })
    }

    pub(super) fn fill(&self, text: &str, submission: &Path) -> anyhow::Result<String> {
        let place = |name: &str| self.folder.path().join(name).display().to_string();
        let home = place("home");
        let places = [
            ("{secret}", place("secret")),
            ("{marker}", format!("{home}/marker")),
            ("{home}", home),
            ("{socket}", place("socket")),
            ("{word}", self.word.clone()),
            ("{port}", self.service.local_addr()?.port().to_string()),
            ("{pid}", std::process::id().to_string()),
            ("{handle}", self.handle.as_raw_fd().to_string()),
            ("{solution}", self.solution.clone()),
            ("{target}", repository::target()?.display().to_string()),
            ("{variable}", variable()),
            ("{folder}", submission.display().to_string()),
        ];
        Ok(places.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value)))
    }

    /// Returns whether no attack left anything behind: no file, no process, no change.
    pub(super) fn is_intact(&self) -> bool {
        let secret = self.folder.path().join("secret");
        let unchanged = fs::read_to_string(&secret).is_ok_and(|text| text == SECRET)
            && fs::metadata(&secret)
                .is_ok_and(|facts| facts.mode() & 0o7777 == 0o644 && facts.uid() == own_user());
        let no_files = fs::read_dir(self.folder.path().join("home"))
            .is_ok_and(|mut entries| entries.next().is_none());
        let elsewhere = [Some(PathBuf::from("/dev/shm")), repository::target().ok()];
        let nothing_new = elsewhere.iter().flatten().all(|place| !place.join(&self.word).exists());
        unchanged && no_files && nothing_new && processes_with(&self.word) == 0
    }
}

pub(super) fn own_user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Returns the name of an environment variable that neither a shell nor make sets by itself.
fn variable() -> String {
    const USUAL: [&str; 9] =
        ["PATH", "HOME", "TMPDIR", "LANG", "RUST_BACKTRACE", "PWD", "OLDPWD", "SHLVL", "SHELL"];
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') && name.len() > 1
    };
    let mut names = std::env::vars().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name);
    names
        .find(|name| is_name(name) && !USUAL.contains(&&**name) && !name.starts_with("M"))
        .unwrap_or_else(|| "NOTHING_IS_SET".to_owned())
}

pub(super) fn processes_with(word: &str) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.windows(word.len()).any(|window| window == word.as_bytes())).count()
}

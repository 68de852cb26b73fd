//! What the harness tells a launcher, as bytes: a list of fields, each with its length before it.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

use super::spec::{Limits, Reach, Tier};

/// How a program is to be confined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Jail {
    pub(crate) tier: Tier,
    pub(crate) reach: Reach,
    /// The network namespace to join, as a path.
    pub(crate) network: Option<String>,
    /// The user namespace to join, as a path.
    pub(crate) users: Option<String>,
    /// TCP ports that it may connect to where it shares the machine's network.
    pub(crate) ports: Vec<u16>,
    /// Protections to leave out.
    pub(crate) without: Vec<String>,
    /// Instead of the program the self-test runs, and this is what it should try to reach.
    pub(crate) probe: Option<Vec<String>>,
}

impl Jail {
    /// Whether this protection is part of it.
    pub(crate) fn has(&self, protection: &str) -> bool {
        !self.without.iter().any(|name| name == protection)
    }
}

/// Writes fields.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) -> &mut Self {
        self.number(items.len() as u64);
        for item in items {
            each(self, item);
        }
        self
    }

    fn paths(&mut self, paths: &[PathBuf]) -> &mut Self {
        self.list(paths, |fields, path| _ = fields.bytes(path.as_os_str().as_bytes()))
    }

    fn texts(&mut self, texts: &[String]) -> &mut Self {
        self.list(texts, |fields, text| _ = fields.bytes(text.as_bytes()))
    }

    pub(crate) fn jail(&mut self, jail: &Jail) -> &mut Self {
        let Limits { tasks, descriptors, memory, disk, output, processor } = jail.reach.limits;
        self.number(match jail.tier {
            Tier::Namespaces => 2,
            Tier::Landlock => 1,
            Tier::Plain => 0,
        });
        self.paths(&jail.reach.read).paths(&jail.reach.write);
        self.list(jail.reach.execute.as_slice(), |fields, paths| _ = fields.paths(paths));
        self.list(&jail.reach.environment, |fields, (name, value)| {
            _ = fields.bytes(name.as_bytes()).bytes(value.as_bytes());
        });
        for number in
            [tasks, descriptors, memory, disk, output, processor.map_or(0, |time| time.as_secs())]
        {
            self.number(number);
        }
        self.list(&jail.ports, |fields, port| _ = fields.number((*port).into()));
        self.texts(jail.network.as_slice()).texts(jail.users.as_slice()).texts(&jail.without);
        self.list(jail.probe.as_slice(), |fields, words| _ = fields.texts(words))
    }

    /// Sends them all.
    pub(crate) fn write_to(&self, mut channel: impl Write) -> io::Result<()> {
        channel.write_all(&(self.0.len() as u64).to_be_bytes())?;
        channel.write_all(&self.0)
    }
}

/// Reads what [`Fields`] has written.
#[derive(Debug)]
pub(crate) struct Reader(io::Cursor<Vec<u8>>);

impl Reader {
    /// Receives them all.
    pub(crate) fn read_from(mut channel: impl Read) -> io::Result<Self> {
        let mut length = [0; 8];
        channel.read_exact(&mut length)?;
        let mut bytes = vec![0; u64::from_be_bytes(length) as usize];
        channel.read_exact(&mut bytes)?;
        Ok(Self(io::Cursor::new(bytes)))
    }

    pub(crate) fn number(&mut self) -> io::Result<u64> {
        let mut number = [0; 8];
        self.0.read_exact(&mut number)?;
        Ok(u64::from_be_bytes(number))
    }

    pub(crate) fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.number()? as usize];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> io::Result<T>) -> io::Result<Vec<T>> {
        (0..self.number()?).map(|_| each(self)).collect()
    }

    fn word(&mut self) -> io::Result<OsString> {
        Ok(OsString::from_vec(self.bytes()?))
    }

    fn paths(&mut self) -> io::Result<Vec<PathBuf>> {
        self.list(|fields| Ok(fields.word()?.into()))
    }

    fn texts(&mut self) -> io::Result<Vec<String>> {
        self.list(|fields| Ok(String::from_utf8_lossy(&fields.bytes()?).into_owned()))
    }

    pub(crate) fn jail(&mut self) -> io::Result<Jail> {
        let tier = match self.number()? {
            2 => Tier::Namespaces,
            1 => Tier::Landlock,
            _ => Tier::Plain,
        };
        let (read, write) = (self.paths()?, self.paths()?);
        let execute = self.list(Self::paths)?.pop();
        let environment = self.list(|fields| Ok((fields.word()?, fields.word()?)))?;
        let limits = Limits {
            tasks: self.number()?,
            descriptors: self.number()?,
            memory: self.number()?,
            disk: self.number()?,
            output: self.number()?,
            processor: Some(self.number()?).filter(|seconds| *seconds > 0).map(Duration::from_secs),
        };
        let ports = self.list(|fields| Ok(fields.number()? as u16))?;
        Ok(Jail {
            ports,
            tier,
            reach: Reach { read, write, execute, environment, limits },
            network: self.texts()?.pop(),
            users: self.texts()?.pop(),
            without: self.texts()?,
            probe: self.list(Self::texts)?.pop(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let jail = Jail {
            tier: Tier::Namespaces,
            reach: Reach {
                read: vec!["/usr".into()],
                execute: Some(vec!["/a b".into()]),
                environment: vec![("A".into(), "".into())],
                limits: Limits::BUILD,
                ..Reach::default()
            },
            network: Some("/proc/1/fd/3".to_owned()),
            users: None,
            ports: vec![7, 65535],
            without: vec!["files".to_owned()],
            probe: Some(vec![]),
        };
        let mut bytes = Vec::new();
        Fields::default().bytes(b"input").jail(&jail).write_to(&mut bytes).unwrap();
        let mut fields = Reader::read_from(bytes.as_slice()).unwrap();
        assert_eq!(fields.bytes().unwrap(), b"input");
        assert_eq!(fields.jail().unwrap(), jail);
    }
}

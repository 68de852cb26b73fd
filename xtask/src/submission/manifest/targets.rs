//! The one program that is built from a crate, and its library.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use toml::{Table, Value};

use super::{Merge, below_src};

/// The program of a crate with no other.
const MAIN: &str = "src/main.rs";

impl Merge<'_> {
    /// Chooses the program, and keeps the library. Nothing else is built, so that nothing else can
    /// break the build.
    pub(super) fn targets(&mut self) -> anyhow::Result<()> {
        self.library()?;
        if self.course.is_library {
            return Ok(());
        }
        let main = match self.main {
            Some(main) => main.display().to_string(),
            None => self.choose()?,
        };
        let bin = [("name", self.course.name.clone()), ("path", main)];
        let bin = bin.map(|(key, value)| (key.to_owned(), Value::from(value)));
        self.merged.insert("bin".to_owned(), vec![Value::from(Table::from_iter(bin))].into());
        if let Some(Value::Table(package)) = self.merged.get_mut("package") {
            package.insert("autobins".to_owned(), false.into());
        }
        Ok(())
    }

    fn library(&mut self) -> anyhow::Result<()> {
        let Some(theirs) = self.theirs.table_at("lib")? else { return Ok(()) };
        let mut library = Table::new();
        for (key, value) in theirs {
            let own = match (&**key, value.as_str()) {
                ("name", Some(_)) => Some(value.clone()),
                ("path", Some(path)) => self.own_path(path).map(Value::from),
                _ => None,
            };
            match own {
                Some(own) => _ = library.insert(key.clone(), own),
                None => self.ignore(&["lib", key]),
            }
        }
        let path = library.get("path").and_then(Value::as_str).unwrap_or("src/lib.rs");
        if self.files.contains_key(Path::new(path)) {
            self.merged.insert("lib".to_owned(), library.into());
        }
        Ok(())
    }

    /// Returns the path of a target below `src/`.
    fn own_path(&self, path: &str) -> Option<String> {
        below_src(path).map(|path| path.display().to_string())
    }

    /// Returns the path of the program: of the one with the program's name, or of the only one, or
    /// else `src/main.rs`.
    fn choose(&mut self) -> anyhow::Result<String> {
        let programs = self.programs()?;
        let own_name = self.course.name.replace('-', "_");
        let named = programs.iter().find(|(name, _)| name.replace('-', "_") == own_name);
        let mut paths: Vec<&PathBuf> = programs.values().collect();
        paths.sort();
        paths.dedup();
        let only = || paths.first().copied().filter(|_| paths.len() == 1);
        let main = || paths.iter().copied().find(|path| **path == Path::new(MAIN));
        match named.map(|(_, path)| path).or_else(only).or_else(main) {
            Some(path) => Ok(path.display().to_string()),
            None if paths.is_empty() => Err(anyhow!(
                "{}: it builds no program: put `fn main` into {MAIN}",
                self.theirs.place(&["bin"])
            )),
            None => Err(self.theirs.wrong(&["bin"], self.which(&programs))),
        }
    }

    fn which(&self, programs: &BTreeMap<String, PathBuf>) -> String {
        let names: Vec<&str> = programs.keys().map(|name| &**name).collect();
        let name = &self.course.name;
        format!("it builds {}: which one is {name}? Give it this name", names.join(", "))
    }

    /// Returns the paths of all programs by their names, as cargo finds them.
    fn programs(&mut self) -> anyhow::Result<BTreeMap<String, PathBuf>> {
        let mut programs = self.found();
        let theirs = self.theirs;
        let Some(list) = theirs.table.get("bin") else { return Ok(programs) };
        let Some(list) = list.as_array() else {
            return Err(theirs.wrong(&["bin"], "`bin` is a list: write [[bin]]"));
        };
        let auto = self.merged.get("package").and_then(|package| package.get("autobins"));
        let all = auto.and_then(Value::as_bool) != Some(false);
        let inferred = if all { programs.clone() } else { BTreeMap::new() };
        let named = std::mem::replace(&mut programs, inferred);
        for (number, row) in list.iter().filter_map(Value::as_table).enumerate() {
            let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
            let path = self.path_of_row(number, row)?.or_else(|| named.get(name).cloned());
            programs.extend(path.map(|path| (name.to_owned(), path)));
        }
        Ok(programs)
    }

    /// Returns the path that a row `[[bin]]` names. Only files of the submission count.
    fn path_of_row(&mut self, number: usize, row: &Table) -> anyhow::Result<Option<PathBuf>> {
        let number = number.to_string();
        let unknown = row.keys().filter(|key| !matches!(&***key, "name" | "path"));
        unknown.for_each(|key| self.ignore(&["bin", &number, key]));
        let Some(given) = row.get("path").and_then(Value::as_str) else { return Ok(None) };
        let place = ["bin", &number, "path"];
        match below_src(given) {
            Some(path) if self.files.contains_key(&path) => Ok(Some(path)),
            Some(_) => Err(self.theirs.wrong(&place, format!("there is no file {given}"))),
            None => {
                self.ignore(&place);
                Ok(None)
            }
        }
    }

    /// Returns the programs that cargo finds without being told.
    fn found(&self) -> BTreeMap<String, PathBuf> {
        let package = self.merged.get("package").and_then(|package| package.get("name"));
        let package = package.and_then(Value::as_str).unwrap_or(&self.course.name);
        let name_of = |path: &PathBuf| {
            let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
            let name = match parts[..] {
                ["src", "main.rs"] => package,
                ["src", "bin", file] => file.strip_suffix(".rs")?,
                ["src", "bin", folder, "main.rs"] => folder,
                _ => return None,
            };
            Some((name.to_owned(), path.clone()))
        };
        self.files.keys().filter_map(name_of).collect()
    }
}

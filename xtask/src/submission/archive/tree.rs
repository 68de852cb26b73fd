//! The folders of an archive: most archives list only files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Entries, Entry};
use crate::submission::holder::Kind;

/// The entries of an archive by their paths, and those of each folder.
#[derive(Debug)]
pub(crate) struct Tree {
    entries: Entries,
    folders: BTreeMap<PathBuf, Vec<PathBuf>>,
}

impl Tree {
    /// Finds the folders. A name that is a file's and a folder's, too, is not read as a file.
    pub(crate) fn of(mut entries: Entries) -> Self {
        let mut folders: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        for path in entries.keys() {
            let mut path = path.as_path();
            while let Some(above) = path.parent() {
                let is_new = !folders.contains_key(above);
                folders.entry(above.to_owned()).or_default().push(path.to_owned());
                if !is_new {
                    break;
                }
                path = above;
            }
        }
        for inside in folders.values_mut() {
            inside.sort();
            inside.dedup();
        }
        for (path, entry) in entries.iter_mut().filter(|(path, _)| folders.contains_key(*path)) {
            if !matches!(entry, Entry::Folder) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                *entry = Entry::Unread(format!("{name:?} is a file and a folder"));
            }
        }
        Self { entries, folders }
    }

    pub(crate) fn entry(&self, path: &Path) -> Option<&Entry> {
        self.entries.get(path)
    }

    pub(crate) fn kind(&self, path: &Path) -> Option<Kind> {
        match self.entries.get(path) {
            Some(Entry::File(_) | Entry::Unread(_)) => Some(Kind::File),
            Some(Entry::Folder) => Some(Kind::Folder),
            Some(Entry::Other) => Some(Kind::Other),
            None => self.folders.contains_key(path).then_some(Kind::Folder),
        }
    }

    /// Returns the entries of a folder, in order.
    pub(crate) fn list(&self, folder: &Path) -> Vec<(PathBuf, Kind)> {
        let inside = self.folders.get(folder).into_iter().flatten();
        inside.filter_map(|path| Some((path.clone(), self.kind(path)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_no_entry_names_is_one() {
        let file = || Entry::File(Vec::new());
        let names = ["a/b/c.py", "a/b/d.py", "a/e.py", "f.py"];
        let tree = Tree::of(names.map(|name| (PathBuf::from(name), file())).into());
        let list = |folder: &str| -> Vec<String> {
            let list = tree.list(Path::new(folder)).into_iter();
            list.map(|(path, kind)| format!("{} {kind:?}", path.display())).collect()
        };
        assert_eq!(list(""), ["a Folder", "f.py File"]);
        assert_eq!(list("a"), ["a/b Folder", "a/e.py File"]);
        assert_eq!(list("a/b"), ["a/b/c.py File", "a/b/d.py File"]);
        assert_eq!(list("f.py"), [""; 0]);
    }

    #[test]
    fn a_name_that_is_a_file_and_a_folder_is_not_read() {
        let names = ["main.rs", "main.rs/more.rs"];
        let tree = Tree::of(names.map(|name| (name.into(), Entry::File(Vec::new()))).into());
        let why = Entry::Unread("\"main.rs\" is a file and a folder".to_owned());
        assert_eq!(tree.entry(Path::new("main.rs")), Some(&why));
    }
}

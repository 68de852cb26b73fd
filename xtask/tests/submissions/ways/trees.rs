//! Right programs, each with something odd about it that costs no point.

use std::fs;
use std::path::PathBuf;

/// One tree: the change is made to both crates.
pub(super) struct Tree {
    pub(super) name: &'static str,
    pub(super) change: fn(&Crate),
    pub(super) in_sample: bool,
}

/// The folder of one program.
pub(super) struct Crate {
    pub(super) folder: PathBuf,
}

impl Crate {
    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap()
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let place = self.folder.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    fn append(&self, path: &str, text: &str) {
        self.write(path, self.read(path) + text);
    }

    fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, text.replacen(from, to, 1));
    }

    fn name(&self) -> &str {
        self.folder.file_name().unwrap().to_str().unwrap()
    }

    fn rename_package(&self, name: &str) {
        let from = format!("name = \"{}\"", self.name());
        self.replace("Cargo.toml", &from, &format!("name = \"{name}\""));
    }

    fn edition(&self, edition: &str) {
        self.replace("Cargo.toml", "edition = \"2024\"", &format!("edition = \"{edition}\""));
    }

    /// Adds to the manifest.
    fn says(&self, text: &str) {
        self.append("Cargo.toml", text);
    }

    /// Adds a function to the program, so that the build depends on what it calls.
    fn calls(&self, code: &str) {
        self.append("src/main.rs", &format!("\nfn _calls() {{ {code} }}\n"));
    }

    /// Moves the program's source.
    fn move_main(&self, to: &str) {
        self.write(to, self.read("src/main.rs"));
    }
}

const fn tree(name: &'static str, change: fn(&Crate)) -> Tree {
    Tree { name, change, in_sample: false }
}

const fn sample(name: &'static str, change: fn(&Crate)) -> Tree {
    Tree { name, change, in_sample: true }
}

const FUNCTION: &str = "pub fn hello() {}\n";

pub(super) const TREES: &[Tree] = &[
    // what a manifest says
    tree("nothing odd", |_| {}),
    tree("edition 2021", |it| it.edition("2021")),
    tree("edition 2018", |it| it.edition("2018")),
    tree("edition 2015, and a name that became a keyword", |it| {
        it.edition("2015");
        it.calls("let async = 1; let _ = async;");
    }),
    tree("another package name", |it| it.rename_package("mine")),
    tree("a package name with hyphens", |it| {
        let name = it.name().replace('_', "-");
        it.rename_package(&name);
    }),
    tree("no version and no rust-version", |it| {
        it.replace("Cargo.toml", "version = \"0.1.0\"\n", "");
        it.replace("Cargo.toml", "rust-version = \"1.89\"\n", "");
    }),
    tree("another version", |it| it.replace("Cargo.toml", "0.1.0", "3.1.4-alpha")),
    tree("authors and a description", |it| {
        it.says("authors = [\"Zoë <z@example.org>\"]\ndescription = \"echo\"\nlicense = \"MIT\"\n");
    }),
    tree("metadata and a workspace", |it| {
        it.says("[package.metadata.x]\ny = 1\n[workspace]\nresolver = \"2\"\n");
    }),
    tree("an inline table", |it| {
        let name = it.name().to_owned();
        it.write("Cargo.toml", format!("package = {{ name = \"{name}\", edition = \"2021\" }}\n"));
    }),
    tree("a default feature that the program needs", |it| {
        it.says("[features]\ndefault = [\"on\"]\non = []\n");
        it.append("src/main.rs", "\n#[cfg(not(feature = \"on\"))]\ncompile_error!(\"off\");\n");
    }),
    tree("a feature that is off", |it| {
        it.says("[features]\noff = []\n");
        it.append("src/main.rs", "\n#[cfg(feature = \"off\")]\ncompile_error!(\"on\");\n");
    }),
    tree("a profile", |it| it.says("[profile.dev]\nopt-level = 1\noverflow-checks = false\n")),
    tree("other profiles", |it| {
        it.says("[profile.release]\nlto = true\n[profile.mine]\ninherits = \"release\"\n");
    }),
    tree("lints", |it| {
        it.says("[lints.rust]\nunsafe_code = \"forbid\"\n[lints.clippy]\npedantic = \"warn\"\n");
    }),
    tree("a lint of its own cfg", |it| {
        it.says(
            "[lints.rust]\nunexpected_cfgs = { level = \"deny\", check-cfg = ['cfg(mine)'] }\n",
        );
        it.append("src/main.rs", "\n#[cfg(mine)]\nfn mine() {}\n");
    }),
    sample("a manifest of Windows, with a byte order mark", |it| {
        it.edition("2021");
        let text = it.read("Cargo.toml").replace('\n', "\r\n");
        it.write("Cargo.toml", format!("\u{feff}{text}"));
    }),
    tree("comments that are no ASCII", |it| it.says("# größer ≥ 文\n")),
    // a library, and several programs
    tree("a library that the program does not need", |it| it.write("src/lib.rs", FUNCTION)),
    sample("a library under another package name", |it| {
        it.rename_package("mine");
        it.write("src/lib.rs", FUNCTION);
        it.calls("mine::hello()");
    }),
    tree("a library with a name of its own", |it| {
        it.says("[lib]\nname = \"helpers\"\n");
        it.write("src/lib.rs", FUNCTION);
        it.calls("helpers::hello()");
    }),
    tree("a library in a folder", |it| {
        it.says("[lib]\npath = \"src/shared/mod.rs\"\n");
        it.write("src/shared/mod.rs", FUNCTION);
        let name = it.name().to_owned();
        it.calls(&format!("{name}::hello()"));
    }),
    sample("a program in another file", |it| {
        it.move_main("src/program.rs");
        let name = it.name().to_owned();
        it.rename_package("mine");
        it.says(&format!("[[bin]]\nname = \"{name}\"\npath = \"src/program.rs\"\n"));
        it.write("src/main.rs", "fn main() { println!(\"not this one\") }\n");
    }),
    tree("a program in another file, and no src/main.rs", |it| {
        it.move_main("src/program.rs");
        fs::remove_file(it.folder.join("src/main.rs")).unwrap();
        let name = it.name().to_owned();
        it.says(&format!("[[bin]]\nname = \"{name}\"\npath = \"src/program.rs\"\n"));
        it.write("src/empty.rs", "");
    }),
    tree("a program in src/bin, and no src/main.rs", |it| {
        let name = it.name().to_owned();
        it.move_main(&format!("src/bin/{name}.rs"));
        fs::remove_file(it.folder.join("src/main.rs")).unwrap();
    }),
    tree("a program under another name", |it| {
        it.says("[[bin]]\nname = \"other\"\npath = \"src/main.rs\"\n");
    }),
    tree("a second program", |it| it.write("src/bin/scratch.rs", "fn main() {}\n")),
    tree("a second program that does not compile", |it| {
        it.write("src/bin/scratch.rs", "fn main() { not yet }\n");
    }),
    tree("a program in src/bin", |it| {
        let name = it.name().to_owned();
        it.rename_package("mine");
        it.move_main(&format!("src/bin/{name}/main.rs"));
        it.write("src/main.rs", "fn main() { println!(\"not this one\") }\n");
    }),
    tree("no automatic programs", |it| {
        let name = it.name().to_owned();
        it.says("autobins = false\nautotests = false\n");
        it.says(&format!("[[bin]]\nname = \"{name}\"\npath = \"./src/main.rs\"\n"));
        it.write("src/bin/scratch.rs", "fn main() { not yet }\n");
    }),
    // sources
    tree("sources of Windows", |it| {
        let text = it.read("src/main.rs").replace('\n', "\r\n");
        it.write("src/main.rs", text);
    }),
    tree("a source with a byte order mark", |it| {
        let text = it.read("src/main.rs");
        it.write("src/main.rs", format!("\u{feff}{text}"));
    }),
    tree("a source with a first line for the shell", |it| {
        let text = it.read("src/main.rs");
        it.write("src/main.rs", format!("#!/usr/bin/env run-cargo-script\n{text}"));
    }),
    tree("modules in folders", |it| {
        it.append("src/main.rs", "\nmod net;\n");
        it.write("src/net.rs", "pub mod io;\n");
        it.write("src/net/io/mod.rs", "mod deep;\n");
        it.write("src/net/io/deep.rs", "");
    }),
    tree("a module that nothing names, and is unfinished", |it| {
        it.write("src/notes.rs", "fn { to do }\n");
        it.write("src/empty.rs", "");
    }),
    // what else lies there
    tree("notes and a picture", |it| {
        it.write("README.md", "# Echo\n");
        it.write("notes.txt", "remember\n");
        it.write("picture.png", [137, 80, 78, 71, 0, 255]);
    }),
    tree("tests, examples and benchmarks", |it| {
        for folder in ["tests", "examples", "benches"] {
            it.write(&format!("{folder}/one.rs"), "fn main() { not yet }\n");
        }
    }),
    tree("a build script that does nothing", |it| it.write("build.rs", "fn main() {}\n")),
    tree("copies and other names that nothing needs", |it| {
        it.write("src/._main.rs", [0, 5, 22, 7]);
        it.write("src/main copy.rs", "old");
        it.write("src/main (1).rs", "old");
        it.write("src/mäin.rs", "old");
        it.write("old version/src/main.rs", "old");
    }),
    tree("what editors and git leave", |it| {
        it.write(".gitignore", "target/\n");
        it.write(".vscode/settings.json", "{}\n");
        it.write(".idea/workspace.xml", "<project/>\n");
        it.write("src/main.rs.bak", "old\n");
    }),
    tree("what cargo leaves", |it| {
        it.write("target/debug/old", "x");
        it.write("target/CACHEDIR.TAG", "x");
    }),
    tree("cargo's settings with an alias", |it| {
        it.write(".cargo/config.toml", "[alias]\nb = \"build\"\n");
    }),
    tree("no lock file", |it| fs::remove_file(it.folder.join("Cargo.lock")).unwrap()),
    tree("an old lock file", |it| it.replace("Cargo.lock", "version = 4", "version = 3")),
    tree("rustfmt's and clippy's settings", |it| {
        it.write("rustfmt.toml", "max_width = 80\n");
        it.write("clippy.toml", "");
    }),
];

//! The dependencies that count: the course's, and those that the rubric allows, in the versions of
//! the course's lock file.

use std::collections::BTreeSet;

use anyhow::Context;
use toml::{Table, Value};

use super::{Merge, Refused};

/// Keys of an allowed dependency that count. A version counts as far as the lock file fits it.
const COUNTING: [&str; 4] = ["features", "default-features", "optional", "package"];

impl Merge<'_> {
    /// Merges `[dependencies]` and `[target.'cfg(…)'.dependencies]`.
    pub(super) fn dependencies(&mut self) -> anyhow::Result<()> {
        let course = self.course.table("dependencies");
        let mut own = course.clone();
        if let Some(theirs) = self.theirs.table_at("dependencies")? {
            own.extend(self.counting(&["dependencies"], theirs)?);
        }
        self.downloads = own.values().any(|spec| spec.get("path").is_none());
        self.merged.insert("dependencies".to_owned(), own.into());
        let theirs = self.theirs.table_at("target")?.cloned().unwrap_or_default();
        let mut targets = self.course.table("target");
        for (platform, table) in &theirs {
            if let Some(own) = self.for_platform(platform, table)? {
                targets.insert(platform.clone(), own.into());
            }
        }
        self.downloads |= !targets.is_empty();
        if !targets.is_empty() {
            self.merged.insert("target".to_owned(), targets.into());
        }
        Ok(())
    }

    /// Returns what counts of one platform's table, if anything does.
    fn for_platform(&mut self, platform: &str, table: &Value) -> anyhow::Result<Option<Table>> {
        let path = ["target", platform];
        let what = "a platform's dependencies are a table";
        let table = table.as_table().with_context(|| self.theirs.wrong(&path, what))?;
        for key in table.keys().filter(|key| *key != "dependencies") {
            self.ignore(&["target", platform, key]);
        }
        let Some(Value::Table(theirs)) = table.get("dependencies") else { return Ok(None) };
        let own = self.counting(&["target", platform, "dependencies"], theirs)?;
        let own =
            (!own.is_empty()).then(|| Table::from_iter([("dependencies".to_owned(), own.into())]));
        Ok(own)
    }

    fn counting(&mut self, path: &[&str], theirs: &Table) -> anyhow::Result<Table> {
        let mut counting = Table::new();
        for (name, spec) in theirs {
            let path = [path, &[name]].concat();
            let what = format!("write {name} = \"VERSION\", or {name} = {{ version = … }}");
            let spec = as_table(spec).with_context(|| self.theirs.wrong(&path, what))?;
            counting.extend(self.dependency(&path, name, &spec).map(|own| (name.clone(), own)));
        }
        Ok(counting)
    }

    /// Returns a dependency as it is built, if it counts.
    fn dependency(&mut self, path: &[&str], name: &str, spec: &Table) -> Option<Value> {
        let package = package_of(name, spec.get("package"));
        let course = self.course.table("dependencies");
        let is_same = |(name, spec): &(&String, &Value)| {
            package_of(name, spec.get("package")) == package // whatever name the student gives it
        };
        if let Some((_, course)) = course.iter().find(is_same) {
            return Some(self.of_course(path, name, spec, course).into());
        }
        if self.course.shared.iter().any(|library| library == package) {
            self.ignore_others(path, spec, &["path", "package"]);
            let folder = format!("../{package}");
            let own = [("path", folder.as_str()), ("package", package)];
            let own = own.map(|(key, value)| (key.to_owned(), Value::from(value)));
            return Some(Table::from_iter(own).into());
        }
        if self.course.allowed.iter().any(|allowed| allowed == package) {
            return Some(self.allowed(path, package, spec).into());
        }
        self.refuse(path, name, package);
        None
    }

    /// Returns a dependency of the course with the features that the student adds, and the name
    /// that the student gives it.
    fn of_course(&mut self, path: &[&str], name: &str, spec: &Table, course: &Value) -> Table {
        let mut own = as_table(course).unwrap_or_default();
        let package = package_of(name, spec.get("package"));
        if package != name {
            own.insert("package".to_owned(), package.into());
        }
        let fits = self.fits(package, spec);
        for (key, value) in spec {
            let is_same = own.get(key) == Some(value) || (key == "version" && fits);
            if key != "features" && key != "package" && !is_same {
                self.ignore(&[path, &[key]].concat());
            }
        }
        let mut features = strings(own.get("features"));
        features.extend(strings(spec.get("features")));
        features.sort();
        features.dedup();
        if !features.is_empty() {
            own.insert("features".to_owned(), features.into());
        }
        own
    }

    /// Returns a dependency that the rubric allows, in the version of the course's lock file.
    fn allowed(&mut self, path: &[&str], package: &str, spec: &Table) -> Table {
        let counts = |key: &str| COUNTING.contains(&key);
        let mut own: Table = spec
            .iter()
            .filter(|(key, _)| counts(key))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let fits = self.fits(package, spec);
        let known: &[&str] = if fits { &["version"] } else { &[] };
        self.ignore_others(path, spec, &[&COUNTING, known].concat());
        let version = match self.course.version(package) {
            Some(locked) => format!("={locked}"),
            None => spec.get("version").and_then(Value::as_str).unwrap_or("*").to_owned(),
        };
        own.insert("version".to_owned(), version.into());
        own
    }

    fn ignore_others(&mut self, path: &[&str], spec: &Table, known: &[&str]) {
        for key in spec.keys().filter(|key| !known.contains(&&***key)) {
            self.ignore(&[path, &[key]].concat());
        }
    }

    /// Returns whether the version that a student asks for is the one in the lock file.
    fn fits(&self, package: &str, spec: &Table) -> bool {
        let asked = spec.get("version").and_then(Value::as_str).unwrap_or("*");
        let asked =
            asked.trim_start_matches(['=', '^', '~', ' ']).trim_end_matches(['*', '.', ' ']);
        let locked = self.course.version(package).unwrap_or(asked);
        let rest = locked.strip_prefix(asked);
        rest.is_some_and(|rest| asked.is_empty() || rest.is_empty() || rest.starts_with('.'))
    }

    fn refuse(&mut self, path: &[&str], name: &str, package: &str) {
        let course = self.course.table("dependencies");
        let allowed: BTreeSet<&str> =
            course.keys().chain(&self.course.allowed).map(|name| &**name).collect();
        let allowed: Vec<&str> = allowed.into_iter().collect();
        let allowed = match &allowed[..] {
            [] => "the standard library is all that it may use".to_owned(),
            allowed => format!("it may use {}", allowed.join(", ")),
        };
        let place = self.theirs.place(path);
        let says = format!(
            "{place}: the dependency {package} does not count: remove it and write the program without \
             it; {allowed}"
        );
        self.refused.push(Refused { name: name.to_owned(), says });
    }

    /// Removes what features say of dependencies that are not there.
    pub(super) fn drop_features_of_refused(&mut self) {
        let Some(Value::Table(features)) = self.merged.get_mut("features") else { return };
        let refused = &self.refused;
        let is_refused = |value: &Value| {
            let text = value.as_str().unwrap_or_default();
            let name = text.strip_prefix("dep:").unwrap_or(text).split(['/', '?']).next();
            refused.iter().any(|refused| Some(&*refused.name) == name)
        };
        let lists = features.iter_mut().filter_map(|(_, list)| list.as_array_mut());
        lists.for_each(|list| list.retain(|value| !is_refused(value)));
    }
}

/// Returns the package of a dependency: what `package` says, or else its name.
fn package_of<'a>(name: &'a str, package: Option<&'a Value>) -> &'a str {
    package.and_then(Value::as_str).unwrap_or(name)
}

fn as_table(spec: &Value) -> Option<Table> {
    match spec {
        Value::String(_) => Some(Table::from_iter([("version".to_owned(), spec.clone())])),
        Value::Table(table) => Some(table.clone()),
        _ => None,
    }
}

fn strings(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

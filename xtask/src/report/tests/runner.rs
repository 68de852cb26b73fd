//! A model of how GitHub's runner reads a log.

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Obeyed {
    pub(super) name: String,
    properties: Vec<(String, String)>,
    pub(super) message: String,
}

impl Obeyed {
    pub(super) fn property(&self, key: &str) -> Option<&str> {
        self.properties.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Returns the commands that the runner finds in a step's log, in both notations: `::name
/// key=value::text` at the beginning of a line, after any space, and `##[name key=value]text`
/// anywhere.
pub(super) fn obeyed(log: &str) -> Vec<Obeyed> {
    let mut obeyed = Vec::new();
    let mut token: Option<String> = None;
    for line in log.split(['\n', '\r']) {
        let Some(command) = new_notation(line).or_else(|| old_notation(line)) else { continue };
        match &token {
            Some(waiting) if *waiting == command.name => token = None,
            Some(_) => {}
            None if command.name == "stop-commands" => token = Some(command.message),
            None => obeyed.push(command),
        }
    }
    assert_eq!(token, None, "commands are stopped and never resumed");
    obeyed
}

fn new_notation(line: &str) -> Option<Obeyed> {
    let (head, message) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    Some(parsed(head, message, ','))
}

fn old_notation(line: &str) -> Option<Obeyed> {
    let (_, rest) = line.split_once("##[")?;
    let (head, message) = rest.split_once(']')?;
    Some(parsed(head, message, ';'))
}

fn parsed(head: &str, message: &str, between: char) -> Obeyed {
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescaped = |text: &str| {
        let pairs = [("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")];
        pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let property =
        |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_owned(), unescaped(value)));
    Obeyed {
        name: name.to_owned(),
        properties: properties.split(between).filter_map(property).collect(),
        message: unescaped(message),
    }
}

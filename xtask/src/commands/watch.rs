//! `watch`: grades again at each save, and shows what to do first.
//!
//! One queue takes everything that can happen: a save, a key, the end of a grading. The staged
//! files decide whether a program has changed, not the events: a save that changes nothing grades
//! nothing, and an editor's temporary files do not matter. A save during a grading begins the next
//! grading after it.

mod again;
mod keys;
mod view;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecursiveMode, Watcher};
use suite::Fault;

use crate::exit::PASSED;
use crate::grade::Grading;
use crate::known::Known;
use crate::request::{GradeRequest, Origin};
use crate::{parallel, repository};
use again::{Begun, Outcome, Watched};
use keys::Keys;
use view::View;

/// Editors write several files for one save: it is over after this time without an event.
const QUIET: Duration = Duration::from_millis(40);

/// Folders that hold no student's program.
const ELSEWHERE: [&str; 4] = ["target", ".git", "solution", "mistakes"];

/// What can happen.
enum News {
    Saved,
    Key(u8),
    Graded(Box<Outcome>),
}

pub(crate) fn run(request: &GradeRequest) -> anyhow::Result<u8> {
    let watched = Arc::new(Watched::prepare(request)?);
    let (sender, news) = channel();
    let _watcher = watch(folders(request)?, sender.clone())?;
    let keys = Keys::open(sender.clone())?;
    let mut session = Session {
        watched,
        sender,
        view: View::new(keys.is_some()),
        known: Known::default(),
        dirty: None,
        busy: false,
    };
    session.grade(Instant::now(), true)?;
    session.attend(&news)?;
    Ok(session.view.grading().map_or(PASSED, Grading::exit_status))
}

/// Returns the folders of the programs; a `--program` command is in the current folder.
fn folders(request: &GradeRequest) -> anyhow::Result<Vec<PathBuf>> {
    let repository = repository::find()?;
    let base = match &request.origin {
        Origin::Practical => repository.practical(&request.practical)?,
        Origin::Solution => repository.practical(&request.practical)?.join("solution"),
        Origin::Submission(place) => place.clone(),
    };
    let here = (!request.programs.is_empty()).then(std::env::current_dir).transpose()?;
    Ok(std::iter::once(base).chain(here).collect())
}

fn watch(folders: Vec<PathBuf>, sender: Sender<News>) -> anyhow::Result<impl Watcher> {
    let roots = folders.clone();
    let tell = move |event: notify::Result<Event>| {
        // An error means that events were lost.
        if event.map_or(true, |event| is_save(&event, &roots)) {
            _ = sender.send(News::Saved);
        }
    };
    let mut watcher = notify::recommended_watcher(tell).context("files cannot be watched here")?;
    for folder in &folders {
        watcher
            .watch(folder, RecursiveMode::Recursive)
            .with_context(|| format!("watching {}", folder.display()))?;
    }
    Ok(watcher)
}

/// Returns whether an event is a save. Staging reads every file, and reading is not a save.
fn is_save(event: &Event, roots: &[PathBuf]) -> bool {
    let writes = match event.kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        _ => true,
    };
    writes && !event.paths.iter().all(|path| is_elsewhere(path, roots))
}

fn is_elsewhere(path: &Path, roots: &[PathBuf]) -> bool {
    let within = roots.iter().find_map(|root| path.strip_prefix(root).ok()).unwrap_or(path);
    within.components().any(|part| ELSEWHERE.iter().any(|name| part.as_os_str() == *name))
}

struct Session {
    watched: Arc<Watched>,
    sender: Sender<News>,
    view: View,
    /// What the last grading found out. A running grading owns it.
    known: Known,
    /// The time of a save that no grading has seen.
    dirty: Option<Instant>,
    busy: bool,
}

impl Session {
    /// Handles what happens until the user quits.
    fn attend(&mut self, news: &Receiver<News>) -> anyhow::Result<()> {
        loop {
            match self.next(news) {
                Some(News::Saved) => _ = self.dirty.get_or_insert_with(Instant::now),
                Some(News::Key(key)) if !self.obey(key)? => return Ok(()),
                Some(News::Key(_)) => {}
                Some(News::Graded(outcome)) => self.take(*outcome)?,
                // The save is over.
                None => {
                    if let Some(since) = self.dirty.take() {
                        self.grade(since, false)?;
                    }
                }
            }
        }
    }

    fn take(&mut self, outcome: Outcome) -> anyhow::Result<()> {
        self.busy = false;
        self.known = outcome.known;
        if self.view.take(outcome.came, outcome.begun)? {
            self.view.show(&self.watched)?;
        }
        Ok(())
    }

    /// Returns the next event, or `None` once a save is over and can be graded.
    fn next(&self, news: &Receiver<News>) -> Option<News> {
        let waits = self.dirty.is_some() && !self.busy;
        let next = if waits {
            news.recv_timeout(QUIET)
        } else {
            news.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        next.ok()
    }

    /// Handles a key and returns whether to go on.
    fn obey(&mut self, key: u8) -> anyhow::Result<bool> {
        match key {
            b'q' | keys::INTERRUPT => return Ok(false),
            b'r' if self.busy => {}
            b'r' => self.grade(Instant::now(), true)?,
            key if self.view.turn(key) && !self.busy => self.view.show(&self.watched)?,
            _ => {}
        }
        Ok(true)
    }

    /// Grades what has changed, or everything, in a thread.
    fn grade(&mut self, since: Instant, everything: bool) -> Result<(), Fault> {
        self.busy = true;
        let (watched, sender) = (self.watched.clone(), self.sender.clone());
        let known = std::mem::take(&mut self.known);
        let known = if everything { Known::default() } else { known };
        let begun = Begun { at: since, by_save: !everything };
        parallel::spawn_detached(move || {
            let outcome = watched.grade(known, begun);
            _ = sender.send(News::Graded(Box::new(outcome)));
        })
    }
}

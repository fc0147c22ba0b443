//! What jobs and cards are found by: columns beside the record.

use std::time::Duration;

use rusqlite::Row;

use crate::domain::entry::{Ending, Entry, State};
use crate::domain::ids::{Millis, Owner};
use crate::domain::scope::Scope;
use crate::store::notes::NoteRecord;
use crate::store::shelf::Seen;
use crate::store::{Card, Note};

/// A column's numbers have one bit less.
pub fn stamp(at: Millis) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

/// GitHub's names compare without case.
pub fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// When somebody should look at the job again, or since when it stands so.
pub fn due(entry: &Entry) -> Millis {
    match &entry.state {
        State::Queued => entry.not_before,
        State::Parked { ask_at } => *ask_at,
        State::Over(Ending { at, .. }) | State::Dead { at, .. } => *at,
        State::Claimed(_) | State::Running { .. } => entry.age,
    }
}

/// The runner that ties the job to others: the one that its claim pays for, else the one that runs it.
pub fn runner(entry: &Entry) -> Option<&str> {
    let runner = match (&entry.state, entry.hold()) {
        (_, Some(hold)) => hold.runner.as_ref(),
        (State::Running { runner, .. }, None) => Some(runner),
        (State::Over(ending), None) => ending.runner.as_ref(),
        _ => None,
    };
    runner.map(|runner| runner.0.as_str())
}

/// One word for the scope.
pub fn kind(scope: &Scope) -> &'static str {
    match scope {
        Scope::Repository { .. } => "repository",
        Scope::Organization { .. } => "organization",
        Scope::Enterprise { .. } => "enterprise",
    }
}

/// A note as text.
pub fn note_text(note: &Note) -> String {
    // A record of texts and numbers can always be written.
    serde_json::to_string(&NoteRecord::from(note)).unwrap_or_default()
}

/// The note of the text; an older program wrote none, and nothing depends on one that cannot be read.
fn note(text: Option<&str>) -> Note {
    text.and_then(|text| serde_json::from_str::<NoteRecord>(text).ok()).map(Note::from).unwrap_or_default()
}

/// A card of the table.
pub fn card(row: &Row<'_>) -> rusqlite::Result<Seen> {
    let owner: String = row.get(3)?;
    let scope = match row.get_ref(2)?.as_str()? {
        "repository" => Scope::Repository { owner, repo: row.get(4)? },
        "organization" => Scope::Organization { owner },
        _ => Scope::Enterprise { slug: owner },
    };
    let card = Card {
        owner: Owner { host: row.get(0)?, plugin: row.get(1)? },
        scope,
        voter: row.get(5)?,
        patience: Duration::from_millis(row.get::<_, i64>(6)? as u64),
        note: note(row.get_ref(8)?.as_str_or_null()?),
    };
    Ok(Seen { card, at: Millis(row.get::<_, i64>(7)? as u64) })
}

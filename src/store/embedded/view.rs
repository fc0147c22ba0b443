//! The queue as people see it: the file is opened for one look, and closed.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::fault::explain;
use super::schema::{has_notes, open_to_show};
use super::sheet::{Said, Sheet};
use crate::store::look::{Look, STATES, View, Wanted};
use crate::store::shelf::Shelf;
use crate::store::{Clock, StoreError};

/// One queue of a file that may not be there.
pub struct Onlooker {
    file: PathBuf,
    queue: String,
    clock: Clock,
}

impl Onlooker {
    /// Nothing is opened yet.
    pub fn new(file: PathBuf, queue: &str, clock: Clock) -> Onlooker {
        Onlooker { file, queue: queue.to_owned(), clock }
    }
}

impl Look for Onlooker {
    fn look(&self, wanted: Wanted) -> Result<Option<View>, StoreError> {
        let Some(mut connection) = open_to_show(&self.file)? else { return Ok(None) };
        let trouble = |error: rusqlite::Error| explain(&self.file, &error);
        let moment = connection.transaction().map_err(trouble)?;
        let note = if has_notes(&moment).map_err(trouble)? { "note" } else { "null" };
        let said = Said::default();
        let mut sheet = Sheet::new(&moment, &self.file, &self.queue, &said);
        let now = (self.clock)();
        let mut view = View { now, depth: sheet.depth(now)?, ..View::default() };
        view.cards = sheet.cards_with(note)?;
        view.held = sheet.all_held()?;
        match wanted {
            Wanted::Job(job) => view.jobs.extend(sheet.get(job)?),
            Wanted::First(most) => {
                for state in STATES {
                    let (jobs, unreadable) = sheet.first_in(state, most)?;
                    view.jobs.extend(jobs);
                    view.unreadable += unreadable;
                }
                view.jobs.sort_by_key(|entry| (entry.age, entry.job.id));
            }
        }
        Ok(Some(view))
    }
}

/// Whether the file can be used as it is, also for writing; one that is not there can.
pub fn examine(file: &Path) -> Result<(), StoreError> {
    let Some(mut connection) = open_to_show(file)? else { return Ok(()) };
    match damage(&connection) {
        Ok(None) => takes_writes(&mut connection).map_err(|error| explain(file, &error)),
        Ok(Some(what)) => Err(StoreError::Unreadable(format!(
            "{} is damaged ({what}); move it away to start with an empty queue",
            file.display()
        ))),
        Err(error) => Err(explain(file, &error)),
    }
}

/// The right to write is taken and let go: nothing is written.
fn takes_writes(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "query_only", false)?;
    connection.transaction_with_behavior(TransactionBehavior::Immediate)?.rollback()
}

/// The first damage that SQLite finds.
fn damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
    // What it finds may be several lines.
    Ok(Some(found.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|found| found != "ok"))
}

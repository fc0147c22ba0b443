//! Claims and jobs that are not over, read from the daemon's store by its file format (ARCHITECTURE.md).

use rusqlite::{Connection, OpenFlags};
use std::path::Path;

const OPEN: &str = "select id, state, coalesce(plugin, 'nobody') from job \
                    where state not in ('over', 'dead') or host is not null order by id";

/// Each job that somebody holds or waits for.
pub fn open(state_dir: &Path) -> Result<Vec<String>, String> {
    let file = state_dir.join("queue.sqlite");
    let wrong = |e: rusqlite::Error| format!("{}: {e}", file.display());
    // Not read-only: a reader, too, must be able to make the index of the write-ahead log.
    let store = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(wrong)?;
    let mut found = store.prepare(OPEN).map_err(wrong)?;
    let rows = found.query_map([], |row| {
        let (id, state, holder): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!("job {id} is {state}, held by {holder}"))
    });
    rows.map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)
}

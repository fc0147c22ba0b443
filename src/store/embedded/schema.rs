//! The file: its tables, how it is opened, which versions are understood.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::fault::{explain, is_busy};
use crate::runtime::stop::breathe;
use crate::store::StoreError;

/// How long a step waits for another process's step.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// `user_version` of the tables below.
const VERSION: i64 = 1;
/// `application_id` of a file of ours: "Ankl".
const OURS: i64 = 0x416e_6b6c;

/// The columns beside `record` are for finding; the record alone says what is true of the job.
///
/// `due`: when a queued job's pause is over, when GitHub is to be asked about a parked one, since when a job has
/// been over or dead, the age of any other. `kin`: the set of labels. `owner` and `repo`: in lower case.
/// `host`, `plugin`, `turn`: the claim. `runner`: the one that the claim pays for, else the one that runs it.
const TABLES: &str = "
create table job (
  queue text not null, id integer not null, age integer not null, state text not null, due integer not null,
  owner text not null, repo text not null, kin text not null,
  host text, plugin text, turn integer, runner text,
  record text not null,
  primary key (queue, id));
create index waiting_repo on job (queue, owner, repo, age, id, due) where state = 'queued';
create index waiting on job (queue, age, id, owner, due) where state = 'queued';
create index standing on job (queue, state, due);
create index held on job (queue, host, plugin, turn) where host is not null;
create index tied on job (queue, runner) where runner is not null;
create index pauses on job (due) where state = 'queued' and due > 0;
create table card (
  queue text not null, host text not null, plugin text not null,
  kind text not null, owner text not null, repo text not null,
  voter text not null, patience integer not null, seen integer not null, note text,
  primary key (queue, host, plugin));
";
/// For files of the time before it; older programs leave it alone.
const ADD_NOTE: &str = "alter table card add column note text";

/// Came later than the others, and older programs do not look at it: so it is made in a file of any age.
const MEMOS: &str = "
create table if not exists memo (
  queue text not null, topic text not null, name text not null, body text not null, written integer not null,
  primary key (queue, topic, name));
";

/// Opens the file to write, making it and its tables where they are not there.
pub fn open(file: &Path) -> Result<Connection, StoreError> {
    let until = Instant::now() + PATIENCE;
    loop {
        match try_open(file) {
            // Some steps of opening do not wait for another process by themselves.
            Err(Trouble::Sqlite(error)) if is_busy(&error) && Instant::now() < until => {
                breathe(Duration::from_millis(10));
            }
            Err(Trouble::Sqlite(error)) => return Err(explain(file, &error)),
            Err(Trouble::Other(error)) => return Err(error),
            Ok(connection) => return Ok(connection),
        }
    }
}

/// Opens the file to look only.
pub fn open_to_look(file: &Path) -> rusqlite::Result<Connection> {
    // Not SQLITE_OPEN_READ_ONLY: a reader must be able to make the shared index of the write-ahead log.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Opens the file for people, as it stands: nothing is made, moved or brought up to date. `None`: there is no store.
pub fn open_to_show(file: &Path) -> Result<Option<Connection>, StoreError> {
    match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(StoreError::Away(format!("{} cannot be opened ({error})", file.display())));
        }
        Ok(_) => {}
    }
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let has_log = Path::new(&log).exists();
    let fresh = || {
        let connection = open_to_look(file)?;
        if has_log {
            // Else the last one to close folds what a dead daemon has left into the file.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        }
        Ok((is_fresh(&connection, file)?, connection))
    };
    match fresh() {
        Ok((fresh, connection)) => Ok(Some(connection).filter(|_| !fresh)),
        Err(Trouble::Sqlite(error)) => Err(explain(file, &error)),
        Err(Trouble::Other(error)) => Err(error),
    }
}

/// Whether cards have notes in this file.
pub fn has_notes(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "select count(*) from pragma_table_info('card') where name = 'note'";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

enum Trouble {
    Sqlite(rusqlite::Error),
    Other(StoreError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        Trouble::Sqlite(error)
    }
}

fn try_open(file: &Path) -> Result<Connection, Trouble> {
    make_private(file)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    let fresh = is_fresh(&connection, file)?;
    // Answered with the mode in force; a file system that cannot keep a write-ahead log keeps a journal.
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    // Without these two a Mac's drive may still hold what it said it wrote.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update_and_check(None, "journal_size_limit", 4 << 20, |_| Ok(()))?;
    connection.set_prepared_statement_cache_capacity(32);
    if fresh {
        make_tables(&mut connection, file)?;
    } else if !has_notes(&connection)? {
        add_notes(&mut connection)?;
    }
    connection.execute_batch(MEMOS)?;
    Ok(connection)
}

/// SQLite would make the file readable to all.
fn make_private(file: &Path) -> Result<(), Trouble> {
    if file.exists() {
        return Ok(());
    }
    let made = OpenOptions::new().create(true).append(true).mode(0o600).open(file);
    made.map(drop)
        .map_err(|e| Trouble::Other(StoreError::Away(format!("{} cannot be made: {e}", file.display()))))
}

fn is_fresh(connection: &Connection, file: &Path) -> Result<bool, Trouble> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (kind, version) = (number("application_id")?, number("user_version")?);
    let path = file.display();
    if kind == OURS {
        return match version {
            VERSION => Ok(false),
            newer => Err(Trouble::Other(StoreError::Unreadable(format!(
                "{path} has version {newer}, this program knows versions up to {VERSION}; \
                 use the newer anklet, or move the file away to start with an empty queue"
            )))),
        };
    }
    let tables: i64 = connection.query_row("select count(*) from sqlite_master", [], |row| row.get(0))?;
    if tables == 0 && version == 0 && kind == 0 {
        return Ok(true);
    }
    if number("application_id")? != kind {
        // Another process has made the tables between these questions.
        return is_fresh(connection, file);
    }
    Err(Trouble::Other(StoreError::Unreadable(format!("{path} is another program's database"))))
}

fn make_tables(connection: &mut Connection, file: &Path) -> Result<(), Trouble> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    if is_fresh(&transaction, file)? {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.pragma_update(None, "application_id", OURS)?;
    }
    Ok(transaction.commit()?)
}

fn add_notes(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    if !has_notes(&transaction)? {
        transaction.execute_batch(ADD_NOTE)?;
    }
    transaction.commit()
}
